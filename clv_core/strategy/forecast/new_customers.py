"""How many customers are still to be won, and what such customers bring: the part that no model of customers knows.

Arrivals are the customers first seen in each week, as square roots (Anscombe: counts then vary by about the same at any
level). They follow an ARIMA(0, 1, 1), which is exponential smoothing, that with a steady drift, or an ARIMA(1, 1, 2),
which is that with a damped trend; where the log has a year and a half, each also with a yearly season of two harmonics.
Possible courses are drawn from all of them, from each as often as its Akaike weight says: which one is right is part of
the doubt, and so is the size of a drift.

What a new customer brings by her age in days is the mean of those who were the last to reach that age, so that the
shop of three years ago does not speak for today's.

Source: Anscombe (1948), The transformation of Poisson, binomial and negative-binomial data, Biometrika 35; Hyndman et
al. (2008), Forecasting with Exponential Smoothing, chapter 11, for the equal ARIMA models; Burnham, Anderson (2002),
Model Selection and Multimodel Inference, for the weights.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from clv_core.evaluation import evenly
from clv_core.strategy.forecast.shop_days import WEEK, Floats, Ints, ShopDays

DRAWS: Final = 400
"""Possible courses of the arrivals: the ends of an 80% range are then off by about 2% of its probability."""
SETTLING_WEEKS: Final = 4
"""At the log's start everybody is new, so the first weeks are left out where twice as many follow. A guess."""
SEASON_WEEKS: Final = 78
"""From so many weeks on a season can be told from a trend: one and a half years, so that half of it is seen twice."""
HARMONICS: Final = 2
WINDOW_DAYS: Final = 182
"""Customers of so many days speak for an age: half a year, of which no single campaign is most. A guess."""
COURSES: Final = (((0, 1, 1), "n"), ((1, 1, 2), "n"), ((0, 1, 1), "c"))
"""Orders and trends (n: none, c: a steady drift)."""
FEWEST_WEEKS: Final = 8
"""Of fewer weeks arrivals go on at their mean."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Customers first seen on each day ahead.

    Args:
        draws: possible courses, [DRAWS, days].
        last_weeks: how many came on a day of the last four weeks, by weekday, from the cutoff on, [7].
        has_season: whether a yearly season is in it.
    """

    draws: Floats
    last_weeks: Floats
    has_season: bool

    @classmethod
    def of(cls, log: ShopDays, days: int, seed: int = 0) -> Self:
        """Forecast from a log.

        Args:
            log: up to the cutoff.
            days: how far ahead.
            seed: of the draws.
        """
        weeks = -(-days // WEEK)
        count = _weeks(log.won)
        if len(count) >= 3 * SETTLING_WEEKS:
            count = count[SETTLING_WEEKS:]
        weekday = weekday_index(log.won)
        courses, has_season = _courses(count, weeks, seed)
        daily = np.repeat(courses / WEEK, WEEK, axis=1)[:, :days] * np.resize(weekday, days)
        last = count[-4:].mean() / WEEK * weekday if len(count) else np.zeros(WEEK)
        return cls(daily, last, has_season)

    def as_last_weeks(self) -> Floats:
        """Return as many on each day as in the last four weeks, [days]."""
        return np.resize(self.last_weeks, self.draws.shape[1])


def _weeks(daily: Floats | Ints) -> Floats:
    """Return sums of whole weeks that end where the days end."""
    whole = len(daily) // WEEK
    weeks: Floats = np.asarray(daily[len(daily) - whole * WEEK :], np.float64).reshape(whole, WEEK).sum(axis=1)
    return weeks


def weekday_index(daily: Floats | Ints, weeks: int = 26) -> Floats:
    """Return each weekday against the mean, from the day after the last on; of the last half year, [7]."""
    whole = min(len(daily) // WEEK, weeks)
    if whole < FEWEST_WEEKS:
        return np.ones(WEEK)
    by_day = np.maximum(np.asarray(daily[-whole * WEEK :], np.float64).reshape(whole, WEEK).mean(axis=0), 0.0)
    index: Floats = by_day / by_day.mean() if by_day.sum() > 0 else np.ones(WEEK)
    return index


def _courses(count: Floats, weeks: int, seed: int) -> tuple[Floats, bool]:
    """Return possible courses of weekly counts, [DRAWS, weeks], and whether they have a season."""
    random = np.random.default_rng(seed)
    if len(count) < FEWEST_WEEKS or not count[-SEASON_WEEKS // 3 :].any():
        mean = count[-FEWEST_WEEKS:].mean() if len(count) else 0.0
        rates = random.gamma(mean * max(len(count), 1) + 0.5, 1 / max(len(count), 1), size=(DRAWS, 1))
        return random.poisson(rates if mean else np.zeros((DRAWS, 1)), size=(DRAWS, weeks)).astype(np.float64), False
    root = 2 * np.sqrt(count + 3 / 8)
    fits, season = _fits(root)
    weight = np.exp((fits[0].aicc - np.array([fitted.aicc for fitted in fits])) / 2)
    often = np.bincount(random.permutation(evenly(weight / weight.sum(), DRAWS)), minlength=len(fits))
    some = [(fitted, int(draws)) for fitted, draws in zip(fits, often, strict=True) if draws]
    drawn = [_ahead(fitted, weeks, draws, season, random) for fitted, draws in some]
    courses: Floats = np.maximum((np.maximum(np.vstack(drawn), 0.0) / 2) ** 2 - 1 / 8, 0.0)
    return random.permutation(courses), fits[0].model.exog is not None


def _fits(root: Floats) -> tuple[list[Any], Floats | None]:
    """Return the fitted models, the lowest AICc first, and a season's terms for the weeks seen and two years more."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    season = None
    if len(root) >= SEASON_WEEKS:
        angle = 2 * np.pi * np.arange(len(root) + 2 * 53)[:, None] * np.arange(1, HARMONICS + 1) / 52.1775
        season = np.hstack([np.sin(angle), np.cos(angle)])
    fits = []
    for order, trend in COURSES:
        for terms in (None, season) if season is not None else (None,):
            with warnings.catch_warnings():  # a fit that did not converge has a worse AICc, which is all that counts
                warnings.simplefilter("ignore")
                model = SARIMAX(root, order=order, trend=trend, exog=None if terms is None else terms[: len(root)])
                fits.append(model.fit(disp=False, maxiter=100))
    return sorted((fitted for fitted in fits if np.isfinite(fitted.aicc)), key=lambda fitted: fitted.aicc), season


def _ahead(fitted: Any, weeks: int, draws: int, season: Floats | None, random: np.random.Generator) -> Floats:
    """Return possible courses by one model, [draws, weeks]; a drift is itself uncertain by its standard error."""
    seen = fitted.nobs
    terms = None if fitted.model.exog is None or season is None else season[seen : seen + weeks]
    drawn = np.asarray(fitted.simulate(weeks, anchor="end", repetitions=draws, exog=terms, rng=random))
    courses: Floats = drawn.reshape(weeks, draws).T
    if "intercept" not in fitted.param_names:
        return courses
    error = float(fitted.bse[fitted.param_names.index("intercept")])
    if not np.isfinite(error):
        return courses
    tilted: Floats = courses + error * random.standard_normal((draws, 1)) * np.arange(1, weeks + 1)
    return tilted


@dataclass(frozen=True, eq=False)
class Worth:
    """What new customers bring by their age.

    Args:
        value: net revenue on each day of their age, per customer, [days].
        noise: standard error of their level, relative.
        customers: how many the first day's mean is of.
    """

    value: Floats
    noise: float
    customers: int

    @classmethod
    def of(cls, log: ShopDays, days: int) -> Self:
        """Read from a log, up to the cutoff, for so many days of age."""
        n = log.days
        ages = min(days, n)
        age = log.day - log.first
        since = np.concatenate([[0], np.cumsum(log.won)])
        last = np.arange(n, n - ages, -1)  # customers first seen before this day have lived the age to its end
        from_day = np.maximum(last - WINDOW_DAYS, 0)
        counted = since[last] - since[from_day]
        inside = (age < ages) & (log.first < n - age) & (log.first >= n - age - WINDOW_DAYS)
        sums = np.bincount(age[inside], log.value[inside], minlength=ages)[:ages]
        value = np.divide(sums, counted, out=np.zeros(ages), where=counted > 0)
        value = np.concatenate([value[:WEEK], _smooth(value[WEEK:])])
        value = np.append(value, np.full(days - ages, value[-4 * WEEK :].mean() if ages else 0.0))
        return cls(value, _level_noise(log), int(counted[0]) if ages else 0)


def _smooth(value: Floats, span: int = 4 * WEEK) -> Floats:
    """Return the moving mean: after the first week what comes on a single day of age is mostly chance."""
    if len(value) < span:
        return np.full(len(value), value.mean()) if len(value) else value
    padded = np.pad(value, (span // 2, span - 1 - span // 2), mode="edge")
    smooth: Floats = np.convolve(padded, np.full(span, 1 / span), mode="valid")
    return smooth * value.sum() / smooth.sum() if smooth.sum() > 0 else smooth


def _level_noise(log: ShopDays) -> float:
    """Return how far the worth of the first four weeks differs between four-week cohorts, as a standard error.

    What differs from cohort to cohort is luck and change together; the next customers are one more draw of it.
    """
    span, n = 4 * WEEK, log.days
    cohorts = (n - span - log.first) // span
    early = (log.day - log.first < span) & (log.first < n - span) & (cohorts < 6) & (cohorts >= 0)
    born = np.arange(n)
    group = (n - span - born) // span
    some = (born < n - span) & (group < 6) & (group >= 0)
    customers = np.bincount(group[some], log.won[some], minlength=6)
    value = np.bincount(cohorts[early], log.value[early], minlength=6)
    usable = customers > 0
    if usable.sum() < 2 or value.sum() <= 0:
        return 0.5  # a single cohort does not show how cohorts differ: within a factor of two, a guess
    worth = value[usable] / customers[usable]
    return float(min(np.std(worth, ddof=1) / worth.mean(), 1.0)) if worth.mean() > 0 else 0.5


def revenue_of(arrivals: Floats, value: Floats) -> Floats:
    """Return what arrivals bring by day: each day's customers at the age that they have by then, [..., days]."""
    from scipy.signal import fftconvolve

    days = arrivals.shape[-1]
    kernel = value[:days] if arrivals.ndim == 1 else value[None, :days]
    return np.asarray(fftconvolve(arrivals, kernel, axes=-1)[..., :days], np.float64)
