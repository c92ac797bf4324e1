"""What customers known today will bring, by day: the sums of their model, laid out over the days ahead.

The sums are the model's, for its horizon and for a year. When within the horizon the money comes is read from the log:
the mean course after past days, and where last year's course around the same date differs from it by more than chance,
that season. Weekdays count as in the last half year.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from clv_core.strategy.forecast.new_customers import weekday_index
from clv_core.strategy.forecast.shop_days import WEEK, Floats, ShopDays

YEAR_WEEKS: Final = 52
"""Back to the same weekday of last year."""
SETTLING_DAYS: Final = 28
"""A past day this soon after the log's start has hardly any customers; as long as the monitoring of parts waits."""
LEAST_SLOPE: Final = 0.05
"""Beyond the horizon revenue falls to what its sum says, but never below this part of it: a guess."""
SMOOTH_WEEKS: Final = 3
"""Last year's weeks are smoothed over so many: one campaign is no season; a guess."""


@dataclass(frozen=True, eq=False)
class Known:
    """A model's sums over the customers known at a cutoff; money in the log's currency.

    Args:
        cutoff: of the model's prediction.
        sums: expected net revenue by number of days ahead, the horizon first.
        errors: possible values of log(actual / expected) of the horizon's sum; None where no past origin shows them.
    """

    cutoff: date
    sums: dict[int, float]
    errors: Floats | None = None

    @property
    def horizon_days(self) -> int:
        """The horizon of the first sum."""
        return next(iter(self.sums))

    def by_day(self, log: ShopDays, days: int) -> Floats:
        """Return the expected net revenue of each day, [days].

        Args:
            log: up to the cutoff.
            days: at most as many as the longest sum is for.
        """
        pieces, done, came = [], 0, 0.0
        course, season = course_of(log, self.horizon_days)
        for until in sorted(self.sums):
            length = until - done
            if not done:
                shape = course * season
            else:
                last = course[-4 * WEEK :].mean()
                rest = self.sums[until] - came
                earlier = came / done
                slope = np.clip(rest / length / max(earlier, 1e-9), LEAST_SLOPE, 1.0)
                shape = last * np.linspace(1.0, slope, length)
            shape = shape * np.resize(np.roll(weekday_index(log.total()), -(done % WEEK)), length)
            pieces.append(max(self.sums[until] - came, 0.0) * shape / max(shape.sum(), 1e-12))
            done, came = until, max(self.sums[until], came)
        return np.concatenate(pieces)[:days]


def course_of(log: ShopDays, days: int) -> tuple[Floats, Floats]:
    """Return how the revenue of known customers goes over the days after a cutoff, and this year's season in it.

    Args:
        log: up to the cutoff.
        days: the horizon.

    Returns:
        The mean share of each day after past cutoffs, [days]; and a factor by which the season moves it, [days].
    """
    shares = []
    for number in range(YEAR_WEEKS):
        cutoff = log.days - days - number * WEEK
        if cutoff < SETTLING_DAYS:
            break
        past = np.maximum(_by_week(log.known(cutoff, days)), 0.0)
        if past.sum() > 0:
            shares.append(past / past.sum())
    length = np.diff(np.append(np.arange(0, days, WEEK), days))
    if not shares:
        return np.ones(days) / days, np.ones(days)
    course = np.maximum(np.mean(shares, axis=0), 1e-6)
    season = np.ones(len(course))
    last_year = log.days - YEAR_WEEKS * WEEK
    if last_year >= SETTLING_DAYS:
        then = np.maximum(_by_week(log.known(last_year, days)), 0.0)
        if then.sum() > 0:
            season = _season(then / then.sum() / course)
    return np.repeat(course / length, length), np.repeat(season, length)


def _by_week(daily: Floats) -> Floats:
    return np.add.reduceat(daily, np.arange(0, len(daily), WEEK))


def _season(ratio: Floats) -> Floats:
    """Return last year's weeks against the usual course, shrunk by the part of their spread that is chance.

    Chance jumps from week to week, a season does not: half of the mean square of the jumps is the variance of chance
    (von Neumann, 1941, The ratio of the mean square successive difference to the variance).
    """
    log = np.log(np.maximum(ratio, 0.05))
    if len(log) < 2 * SMOOTH_WEEKS:
        return np.ones(len(log))
    spread, chance = float(np.var(log)), float(np.mean(np.diff(log) ** 2) / 2)
    kept = max(0.0, 1 - chance / spread) if spread > 0 else 0.0
    padded = np.pad(log, SMOOTH_WEEKS // 2, mode="edge")
    smooth: Floats = np.exp(kept * np.convolve(padded, np.full(SMOOTH_WEEKS, 1 / SMOOTH_WEEKS), mode="valid"))
    return smooth
