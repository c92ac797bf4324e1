"""What any of a shop's daily figures will be on the days ahead, read from its own past: a level, a season, weekdays.

The level is exponential smoothing of weekly sums on the log scale, with or without a damped trend (Brown's, so that it
has one parameter); of several paces that counts which had the smallest errors one and five weeks ahead in the past
year. The season is how far last year's weeks, and those of the year before, were from their own year's mean, without
what chance alone makes. Weekdays count as in every forecast here (:func:`weekday_index`).

Source: Gardner (2006), Exponential smoothing: the state of the art, part II, International Journal of Forecasting 22,
for Brown's form and the damped trend.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from clv_core.strategy.forecast.baselines import YEAR_WEEKS
from clv_core.strategy.forecast.new_customers import FEWEST_WEEKS, weekday_index
from clv_core.strategy.forecast.shop_days import WEEK, Floats

PACES: Final = (0.1, 0.2, 0.35, 0.6)
"""How much the last week counts in a level: from half a year's mean to little more than last week."""
TRENDS: Final = (0.1, 0.2)
"""The same of a level with a trend, which follows twice as fast."""
DAMPING: Final = 0.9
"""A trend is taken on by so much less each week: half of it is over within seven weeks."""
QUARTER_WEEKS: Final = 13
SETTLING_WEEKS: Final = 8
"""Twice the weeks that arrivals leave out at a log's start: other figures take longer. A guess."""
SEASON_AFTER: Final = YEAR_WEEKS + QUARTER_WEEKS
"""Weeks from which on there is a season: a year, and a quarter so that its mean is a year's. A guess."""
LEADS: Final = (1, 5)
"""Weeks ahead at which a pace is judged: the next one, and one that a slow level still has to hit. A guess."""
JUDGED_WEEKS: Final = 52
TINY: Final = 0.01
"""Part of a mean week that is added before logs are taken, so that an empty week has one."""
LARGEST_MISS: Final = 3.0
"""A past error counts for at most so many times the usual one: a single odd week does not choose."""


def days_ahead(past: Floats, days: int, seasons: Floats | None = None) -> Floats:
    """Return what is expected of each series on each day ahead, [series, days].

    Args:
        past: of each series every day up to the cutoff, none below zero, [series, n].
        days: how far ahead.
        seasons: the same days as the season is to be read from them, where that differs: a holiday that nobody
            expected is no level, but will come again.
    """
    whole, weeks = past.shape[1] // WEEK, -(-days // WEEK)
    if not whole:
        return np.zeros((len(past), days))
    weekly, seasonal = (_settled(_in_weeks(daily)) for daily in (past, past if seasons is None else seasons))
    if whole < FEWEST_WEEKS:
        ahead = np.repeat(weekly.mean(axis=1, keepdims=True), weeks, axis=1)
    else:
        ahead = _weeks_ahead(weekly, seasonal, weeks)
    shape = np.stack([np.resize(weekday_index(series), days) for series in past]) if len(past) else np.ones((0, days))
    expected: Floats = np.repeat(ahead / WEEK, WEEK, axis=1)[:, :days] * shape
    return expected


def _in_weeks(daily: Floats) -> Floats:
    """Return the sums of whole weeks that end where the days end, [series, weeks]."""
    whole = daily.shape[1] // WEEK
    weekly: Floats = daily[:, daily.shape[1] - whole * WEEK :].reshape(len(daily), whole, WEEK).sum(axis=2)
    return weekly


def _settled(weekly: Floats) -> Floats:
    """Return the weeks with the log's first ones within the range of the quarter after them.

    At a log's start everybody is new, and what began in that week has hardly any events.
    """
    first, after = weekly[:, :SETTLING_WEEKS], weekly[:, SETTLING_WEEKS : SETTLING_WEEKS + QUARTER_WEEKS]
    if after.shape[1] < QUARTER_WEEKS:
        return weekly
    within = np.clip(first, after.min(axis=1, keepdims=True), after.max(axis=1, keepdims=True))
    return np.concatenate([within, weekly[:, SETTLING_WEEKS:]], axis=1)


def _weeks_ahead(weekly: Floats, seasons: Floats, ahead: int) -> Floats:
    """Return the expected sums of weeks ahead, [series, ahead]."""
    mean = np.maximum(weekly.mean(axis=1, keepdims=True), 1e-9)
    offset = TINY * mean
    log = np.log(np.maximum(weekly, 0.0) + offset)
    n = log.shape[1]
    season = _season(np.log(np.maximum(seasons, 0.0) + offset), ahead)
    rest = log - season[:, :n]
    steps = np.cumsum(DAMPING ** np.arange(1, ahead + 1))
    candidates, errors = [], []
    for pace, has_trend in (*((pace, False) for pace in PACES), *((pace, True) for pace in TRENDS)):
        level, slope = _smooth(rest, pace, has_trend)
        errors.append(_miss(rest, level, slope))
        candidates.append(level[:, -1:] + slope[:, -1:] * steps + season[:, n:])
    best = np.argmin(np.array(errors), axis=0)
    chosen = np.array(candidates)[best, np.arange(len(log))]
    chance = np.array(errors)[best, np.arange(len(log))][:, None] / len(LEADS)
    expected: Floats = np.maximum(np.exp(chosen + np.minimum(chance, 0.25) / 2) - offset, 0.0)
    return expected


def _smooth(log: Floats, pace: float, has_trend: bool) -> tuple[Floats, Floats]:
    """Return the level and the slope after each week, [series, weeks] each."""
    from scipy.signal import lfilter

    def smoothed(values: Floats) -> Floats:
        start = values[:, :4].mean(axis=1, keepdims=True) * (1 - pace)
        return np.asarray(lfilter([pace], [1, pace - 1], values, axis=1, zi=start)[0], np.float64)

    once = smoothed(log)
    if not has_trend:
        return once, np.zeros_like(once)
    twice = smoothed(once)
    return 2 * once - twice, pace / (1 - pace) * (once - twice)


def _miss(log: Floats, level: Floats, slope: Floats) -> Floats:
    """Return the mean square error over the leads of the judged weeks, [series]."""
    total = np.zeros(len(log))
    for lead in LEADS:
        step = float(np.sum(DAMPING ** np.arange(1, lead + 1)))
        error = (log[:, lead:] - level[:, :-lead] - step * slope[:, :-lead])[:, -JUDGED_WEEKS:]
        if error.shape[1] > FEWEST_WEEKS:
            error = error[:, 3:]
        size = np.abs(error)
        cap = LARGEST_MISS * np.maximum(np.median(size, axis=1, keepdims=True) / 0.6745, 1e-9)
        total += np.mean(np.minimum(size, cap) ** 2, axis=1)
    return total


def _season(log: Floats, ahead: int) -> Floats:
    """Return each week's season on the log scale, seen and ahead, [series, weeks + ahead]; 0 of a short log.

    What a week is off its year's mean is smoothed over three weeks; of that, and of what a single week is off that,
    counts the more, the more it is than chance makes. Chance is the usual size of second differences, which no season
    has (von Neumann, 1941, The ratio of the mean square successive difference to the variance, uses first ones).
    """
    series, n = log.shape
    found = np.zeros((series, n + ahead))
    if n < SEASON_AFTER:
        return found
    off = log - _moving_mean(log, YEAR_WEEKS + 1)
    smooth = _moving_mean(off, 3)
    jumps = log[:, 2:] - 2 * log[:, 1:-1] + log[:, :-2]
    chance = np.maximum((np.median(np.abs(jumps), axis=1, keepdims=True) / 0.6745) ** 2 / 6, 1e-12)
    shape = _beyond(smooth, LARGEST_MISS * chance) + _beyond(off - smooth, LARGEST_MISS**2 * chance)
    for week in range(YEAR_WEEKS, n + ahead):
        last, before = week - YEAR_WEEKS, week - 2 * YEAR_WEEKS
        years = [year for year, least in ((last, 0), (before, YEAR_WEEKS // 2)) if least <= year < n]
        found[:, week] = shape[:, years].mean(axis=1)  # the log's first half year is of a shop that may just have begun
    found[:, :YEAR_WEEKS] = shape[:, :YEAR_WEEKS]
    return found


def _beyond(values: Floats, chance: Floats) -> Floats:
    """Return what is left of values that chance may have made: nearly all of large ones, hardly any of small ones."""
    left: Floats = values**3 / (values**2 + chance)
    return left


def _moving_mean(values: Floats, width: int) -> Floats:
    """Return the centred mean of so many weeks, of fewer at both ends."""
    n = values.shape[1]
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    place = np.arange(n)
    start, stop = np.maximum(place - width // 2, 0), np.minimum(place + width // 2 + 1, n)
    mean: Floats = (sums[:, stop] - sums[:, start]) / (stop - start)
    return mean
