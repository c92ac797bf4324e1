"""What the shop will take: revenue by day in two parts that add up, with ranges, and how well that went on past dates.

*Customers known today* bring what their model expects of them (:mod:`.known_customers`); *customers still to be won*
what the log's own arrivals and the worth of recent new customers say (:mod:`.new_customers`). At each past date on
which the model was tested, the same forecast is made from what lies before it, beside simple baselines for the total
(:mod:`.baselines`). Where the best of these had smaller weekly errors than the parts, it gives the total, and the
customers still to be won take the difference to those known.

A range holds what comes with 80% probability. Known customers are off as past sums of the model were; of the others
vary the number (:class:`~.new_customers.Arrivals`) and the worth, and a total that a baseline gives is off as that
baseline was on past dates. Beyond the horizon, at which no sum was ever tested, errors of known customers grow with the
square root of time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Self

import numpy as np
import pandas as pd

from clv_core.evaluation import SURE, SharedError, sum_errors
from clv_core.records import JsonRecord
from clv_core.strategy.forecast.baselines import baselines
from clv_core.strategy.forecast.known_customers import Known
from clv_core.strategy.forecast.new_customers import DRAWS, Arrivals, Worth, revenue_of
from clv_core.strategy.forecast.shop_days import WEEK, Floats, ShopDays

LONGEST: Final = 365
"""A forecast goes at least so many days ahead."""
PARTS: Final = "parts"
"""The total is the sum of both parts, not a baseline's."""
TAIL: Final = (1 - SURE) / 2
LEAST_DATES: Final = 2
"""On a single past date one method is better than another by chance as often as not."""
MOST_BASELINE_ORIGINS: Final = 12
"""Dates beyond these are of another shop; a guess."""
USUAL_ERROR, USUAL_WEIGHT = 0.15, 2.0
"""What a baseline's sum is off by, on the log scale, before any past date is seen, and how many dates that weighs."""
DAY, WEEKS, MONTHS = "day", "week", "month"
UNITS: Final = (DAY, WEEKS, MONTHS)


@dataclass(frozen=True)
class PastForecast(JsonRecord):
    """The forecast as of a past date, and what came; money in the log's currency.

    Args:
        cutoff: ISO date; nothing at or after it was used.
        days: length of the span.
        known: expected of customers known by then.
        won: expected of customers still to be won.
        buyers: how many of the known were expected to buy.
        by: what gave the total: ``parts`` or a baseline.
        known_actual: what the known brought.
        won_actual: what the others brought.
        low: lower end of the total's 80% range; None where no earlier date shows how far sums are off.
        high: its upper end.
        errors: sum of absolute errors of the weeks by method: ``parts`` and the baselines.
        weeks: actual revenue of each week; the last may be shorter.
        expected: of each week.
    """

    cutoff: str
    days: int
    known: float
    won: float
    buyers: float
    by: str
    known_actual: float
    won_actual: float
    low: float | None
    high: float | None
    errors: dict[str, float]
    weeks: list[float]
    expected: list[float]

    @property
    def actual(self) -> float:
        """What came in all."""
        return self.known_actual + self.won_actual

    @property
    def wape(self) -> float | None:
        """Sum of the weeks' absolute errors over what came; None where nothing came."""
        return self.errors[self.by] / self.actual if self.actual > 0 else None

    @property
    def is_inside(self) -> bool | None:
        """Whether the total came within its range; None where there is none."""
        return None if self.low is None or self.high is None else self.low <= self.actual <= self.high


@dataclass(frozen=True)
class Sums(JsonRecord):
    """Expected revenue of a span in two parts that add up, each with its 80% range; money in the log's currency.

    Ranges are None where no past date shows how far sums are off.

    Args:
        first: first day, ISO date.
        until: the day after the last.
        known: of customers known at the cutoff.
        known_low: lower end.
        known_high: upper end.
        won: of customers still to be won.
        won_low: lower end.
        won_high: upper end.
        total: of both.
        low: lower end of the total.
        high: upper end of the total.
        customers: how many new customers are expected.
    """

    first: str
    until: str
    known: float
    known_low: float | None
    known_high: float | None
    won: float
    won_low: float | None
    won_high: float | None
    total: float
    low: float | None
    high: float | None
    customers: float


@dataclass(frozen=True, eq=False)
class Forecast:
    """What a shop will take from a cutoff on; by day, money in the log's currency.

    Args:
        cutoff: the log's end.
        horizon_days: of the model: for so many days sums were tested.
        currency: of the log; may be empty.
        by: what gives the total: ``parts`` or a baseline.
        known: expected of customers known at the cutoff, [days].
        won: expected of customers still to be won, [days].
        arrivals: how many new customers are expected, [days].
        last_weeks: as many as in the last four weeks, from the cutoff on, [days].
        worth: what a new customer brings by her age, [days].
        worth_error: standard error of the level of that, relative.
        draws: possible courses of ``known``, ``won`` and ``total``, [DRAWS, days] each; None without tested sums.
        tests: forecasts as of past dates, the earliest first.
        has_season: whether a yearly season of arrivals is in it.
        ends: the 80% range of the known customers' sum over the horizon as all other answers have it.
    """

    cutoff: date
    horizon_days: int
    currency: str
    by: str
    known: Floats
    won: Floats
    arrivals: Floats
    last_weeks: Floats
    worth: Floats
    worth_error: float
    draws: Mapping[str, Floats] | None
    tests: Sequence[PastForecast] = ()
    has_season: bool = False
    ends: tuple[float, float] | None = None

    @property
    def days(self) -> int:
        """How far it goes."""
        return len(self.known)

    def sums(self, days: int | None = None) -> Sums:
        """Return the sums of the first days, by default of the horizon."""
        return self._sums(0, min(days or self.horizon_days, self.days))

    def by_period(self, unit: str = WEEKS, days: int | None = None) -> list[Sums]:
        """Return the sums by ``day``, ``week`` (from the cutoff on) or calendar ``month``; the last may be shorter."""
        last = min(days or self.horizon_days, self.days)
        if unit == MONTHS:
            dates = [self.cutoff + timedelta(days=day) for day in range(last)]
            starts = [day for day, one in enumerate(dates) if day == 0 or one.day == 1]
        else:
            starts = list(range(0, last, WEEK if unit == WEEKS else 1))
        return [self._sums(start, stop) for start, stop in zip(starts, [*starts[1:], last], strict=True)]

    def with_arrivals(self, share: float) -> Self:
        """Return the same if as many new customers came as in the last four weeks, times ``share``.

        The total is then the sum of the parts.
        """
        arrivals = share * self.last_weeks
        won = revenue_of(arrivals, self.worth)
        draws = None
        if self.draws is not None:
            factors = worth_factors(self.worth_error)
            courses = {"known": self.draws["known"], "won": won * factors[:, None]}
            draws = {**courses, "total": courses["known"] + courses["won"]}
        return replace(self, by=PARTS, won=won, arrivals=arrivals, draws=draws)

    def _sums(self, start: int, stop: int) -> Sums:
        known, won = float(self.known[start:stop].sum()), float(self.won[start:stop].sum())
        ends: dict[str, tuple[float | None, float | None]] = dict.fromkeys(("known", "won", "total"), (None, None))
        if self.draws is not None:
            for part, courses in self.draws.items():
                low, high = np.quantile(courses[:, start:stop].sum(axis=1), (TAIL, 1 - TAIL))
                ends[part] = float(low), float(high)
            if self.ends is not None and (start, stop) == (0, self.horizon_days):
                ends["known"] = self.ends
        return Sums(
            (self.cutoff + timedelta(days=start)).isoformat(),
            (self.cutoff + timedelta(days=stop)).isoformat(),
            known,
            *ends["known"],
            won,
            *ends["won"],
            known + won,
            *ends["total"],
            float(self.arrivals[start:stop].sum()),
        )


def make_forecast(
    log: ShopDays,
    known: Known,
    tests: Sequence[PastForecast] = (),
    currency: str = "",
    ends: tuple[float, float] | None = None,
) -> Forecast:
    """Return the forecast as of a log's end.

    Args:
        log: up to the cutoff.
        known: the model's sums as of the cutoff.
        tests: forecasts as of past dates (:func:`past_forecasts`); they decide what gives the total.
        currency: of the log.
        ends: the 80% range of the known customers' sum as other answers have it.
    """
    parts = replace(sum_of_parts(log, known), tests=tests, currency=currency, ends=ends)
    by = best_method(tests, log)
    return parts if by == PARTS else by_baseline(parts, log, by)


def sum_of_parts(log: ShopDays, known: Known) -> Forecast:
    """Return the forecast whose total is the sum of its parts; see :func:`make_forecast`."""
    days = max(known.sums)
    by_known = known.by_day(log, days)
    arrivals, worth = Arrivals.of(log, days), Worth.of(log, days)
    won_draws = revenue_of(arrivals.draws, worth.value) * worth_factors(worth.noise)[:, None]
    draws = None
    if known.errors is not None:
        jumps = weekly_noise(log, days, known.horizon_days)
        known_draws = by_known * np.exp(known.errors[:, None] * _later(days, known.horizon_days))
        draws = {"known": known_draws * jumps, "won": won_draws * jumps}
        draws["total"] = draws["known"] + draws["won"]
    return Forecast(
        cutoff=log.end,
        horizon_days=known.horizon_days,
        currency="",
        by=PARTS,
        known=by_known,
        won=won_draws.mean(axis=0),
        arrivals=arrivals.draws.mean(axis=0),
        last_weeks=arrivals.as_last_weeks(),
        worth=worth.value,
        worth_error=worth.noise,
        draws=draws,
        has_season=arrivals.has_season,
    )


def by_baseline(parts: Forecast, log: ShopDays, name: str) -> Forecast:
    """Return the forecast whose total a baseline gives; the customers still to be won take the difference."""
    won = _difference(baselines(log, parts.days)[name], parts.known)
    draws = None
    if parts.draws is not None:
        errors = baseline_errors(log, name, parts.horizon_days)[:, None] * _later(parts.days, parts.horizon_days)
        total = (parts.known + won) * np.exp(errors) * weekly_noise(log, parts.days, parts.horizon_days)
        draws = {"known": parts.draws["known"], "won": np.maximum(total - parts.known, 0.0), "total": total}
    return replace(parts, by=name, won=won, draws=draws)


def past_forecasts(log: ShopDays, predictions: Mapping[str, pd.DataFrame], horizon_days: int) -> list[PastForecast]:
    """Return the forecasts as of past dates, the earliest first; each reads only what lies before its date.

    Args:
        log: up to today.
        predictions: of a model at past dates: ``p_purchase``, ``predicted_clv`` and ``actual``, one row a customer, by
            ISO date. Their horizon is ``horizon_days``; those that the log's end cuts off are left out.
        horizon_days: of the model.
    """
    found: list[PastForecast] = []
    earlier: list[pd.DataFrame] = []
    for origin in sorted(predictions):
        scored, cutoff = predictions[origin], date.fromisoformat(origin)
        day = log.day_of(cutoff)
        if not WEEK < day <= log.days - horizon_days or scored["predicted_clv"].sum() <= 0:
            continue
        shared = SharedError.of(earlier)
        errors = None if shared is None else sum_errors(scored, shared, DRAWS)
        past = log.before(cutoff)
        known = Known(cutoff, {horizon_days: float(scored["predicted_clv"].sum())}, errors)
        parts, by = sum_of_parts(past, known), best_method(found, past)
        forecast = parts if by == PARTS else by_baseline(parts, past, by)
        sums = forecast.sums()
        came = log.known(day, horizon_days), log.newcomers(day, horizon_days)
        weeks = in_weeks(came[0] + came[1])
        answers = {PARTS: parts.known + parts.won, **baselines(past, horizon_days)}
        found.append(
            PastForecast(
                cutoff=origin,
                days=horizon_days,
                known=sums.known,
                won=sums.won,
                buyers=float(scored["p_purchase"].sum()),
                by=by,
                known_actual=float(came[0].sum()),
                won_actual=float(came[1].sum()),
                low=sums.low,
                high=sums.high,
                errors={name: float(np.abs(in_weeks(daily) - weeks).sum()) for name, daily in answers.items()},
                weeks=weeks.tolist(),
                expected=in_weeks(forecast.known + forecast.won).tolist(),
            )
        )
        earlier.append(scored)
    return found


def best_method(tests: Sequence[PastForecast], log: ShopDays) -> str:
    """Return what had the smallest sum of weekly errors on past dates: the parts or a baseline.

    Only methods that could answer on every date, and can today, count, so that all are judged by the same weeks; of
    equals, and on fewer than :data:`LEAST_DATES` dates, it is the parts.

    Args:
        tests: forecasts as of past dates.
        log: up to today.
    """
    if len(tests) < LEAST_DATES:
        return PARTS
    common = {PARTS, *baselines(log, WEEK)}.intersection(*(test.errors for test in tests))
    sums = {name: sum(test.errors[name] for test in tests) for name in common}
    return min(sums, key=lambda name: (sums[name], name != PARTS))


def worth_factors(error: float) -> Floats:
    """Return possible factors on the worth of new customers, their mean 1, [DRAWS]."""
    drawn = np.random.default_rng(2).standard_normal(DRAWS)
    factors: Floats = np.exp(error * drawn - error**2 / 2)
    return factors


def weekly_noise(log: ShopDays, days: int, horizon_days: int) -> Floats:
    """Return possible factors of each day by how far weeks jump around their neighbours' mean, [DRAWS, days].

    Within each horizon their mean is 1: what whole horizons are off by is known from past ones.
    """
    weeks = in_weeks(log.total()[log.days % WEEK :])[-52:]
    spread = 0.0
    if len(weeks) >= 5 and (weeks > 0).all():
        around = (weeks[:-2] + weeks[2:]) / 2
        spread = float(np.sqrt(np.mean((np.log(weeks[1:-1]) - np.log(around)) ** 2) / 1.5))
    drawn = np.random.default_rng(3).standard_normal((DRAWS, -(-days // WEEK)))
    factors: Floats = np.repeat(np.exp(spread * drawn), WEEK, axis=1)[:, :days]
    for start in range(0, days, horizon_days):
        inside = slice(start, start + horizon_days)
        factors[:, inside] /= factors[:, inside].mean(axis=1, keepdims=True)
    return factors


def baseline_errors(log: ShopDays, name: str, days: int) -> Floats:
    """Return possible values of log(actual / expected) of a baseline's sum, from past dates half a span apart.

    They are those of a t distribution around 0: a miss of the past is taken for its size, not for its direction.
    """
    squares, total = [], log.total()
    for number in range(MOST_BASELINE_ORIGINS):
        day = log.days - days - number * max(days // 2, 1)
        if day < 2 * WEEK:
            break
        answer = baselines(log.before(log.date_of(day)), days).get(name)
        came = total[day : day + days].sum()
        if answer is not None and answer.sum() > 0 and came > 0:
            squares.append(float(np.log(came / answer.sum()) ** 2))
    freedom = USUAL_WEIGHT + len(squares)
    scale = np.sqrt((sum(squares) + USUAL_WEIGHT * USUAL_ERROR**2) / freedom)
    errors: Floats = scale * np.random.default_rng(4).standard_t(freedom, size=DRAWS)
    return errors


def in_weeks(daily: Floats) -> Floats:
    """Return the sums of weeks from the first day on; the last may be shorter."""
    return np.add.reduceat(daily, np.arange(0, len(daily), WEEK)) if len(daily) else daily


def _later(days: int, horizon_days: int) -> Floats:
    """Return how errors grow with the days ahead: not within the horizon, then with the square root of time, [days]."""
    growth: Floats = np.sqrt(np.maximum(1.0, np.arange(1, days + 1) / horizon_days))
    return growth


def _difference(total: Floats, known: Floats) -> Floats:
    """Return what is left of a total for customers still to be won: by week, and never less than nothing.

    A week in which the known alone are expected to bring more than the total leaves nothing.
    """
    weeks, ours = in_weeks(total), in_weeks(known)
    rest = np.maximum(weeks - ours, 0.0)
    share = np.divide(rest, weeks, out=np.zeros(len(weeks)), where=weeks > 0)
    won: Floats = total * np.repeat(share, WEEK)[: len(total)]
    return won
