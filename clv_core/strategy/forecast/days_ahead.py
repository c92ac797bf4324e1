"""What any of a shop's daily figures will be on the days ahead, read from its own past: a level, a season, weekdays.

The level is exponential smoothing of weekly sums on the log scale, with or without a damped trend (Brown's, so that it
has one parameter). The season is what last year's weeks and those of the year before were against their own year's
mean; it counts in full, by half, or not at all. Which of these there is was right is read from past weeks: the one with
the smallest errors one and five weeks ahead. Weekdays count as in every forecast here (:func:`weekday_index`).

Source: Gardner (2006), Exponential smoothing: the state of the art, part II, for Brown's form and the damped trend;
von Neumann (1941) as in :mod:`.known_customers` for what part of a jump is chance.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from clv_core.strategy.forecast.baselines import YEAR_WEEKS
from clv_core.strategy.forecast.new_customers import FEWEST_WEEKS, WEEK, weekday_index
from clv_core.strategy.forecast.shop_days import Floats

PACES: Final = (0.1, 0.2, 0.35, 0.6)
"""How much the last week counts in a level: from half a year's mean to little more than last week."""
TRENDS: Final = (0.1, 0.2)
"""The same of a level with a trend, which follows twice as fast."""
DAMPING: Final = 0.9
"""A trend is taken on by so much less each week: half of it is over within seven weeks."""
SEASONS: Final = (0.0, 0.5, 1.0)
SEASON_AFTER: Final = YEAR_WEEKS + 13
"""Weeks from which on a season is tried: a year, and a quarter in which it can be seen to repeat."""
LEADS: Final = (1, 5)
JUDGED_WEEKS: Final = 52
TINY: Final = 0.01
"""Part of a mean week that is added before logs are taken, so that an empty week has one."""
LARGEST_MISS: Final = 3.0
"""A past error counts for at most so many times the usual one: a single odd week does not choose."""


def days_ahead(past: Floats, days: int) -> Floats:
    """Return what is expected of each series on each day ahead, [series, days].

    Args:
        past: of each series every day up to the cutoff, none below zero, [series, n].
        days: how far ahead.
    """
    whole, weeks = past.shape[1] // WEEK, -(-days // WEEK)
    if not whole:
        return np.zeros((len(past), days))
    weekly = past[:, past.shape[1] - whole * WEEK :].reshape(len(past), whole, WEEK).sum(axis=2)
    if whole < FEWEST_WEEKS:
        ahead = np.repeat(weekly.mean(axis=1, keepdims=True), weeks, axis=1)
    else:
        ahead = _weeks_ahead(weekly, weeks)
    shape = np.stack([np.resize(weekday_index(series), days) for series in past]) if len(past) else np.ones((0, days))
    expected: Floats = np.repeat(ahead / WEEK, WEEK, axis=1)[:, :days] * shape
    return expected


def _weeks_ahead(weekly: Floats, ahead: int) -> Floats:
    """Return the expected sums of weeks ahead, [series, ahead]."""
    mean = np.maximum(weekly.mean(axis=1, keepdims=True), 1e-9)
    offset = TINY * mean
    log = np.log(np.maximum(weekly, 0.0) + offset)
    series, n = log.shape
    season = _season(log, ahead)
    strengths = SEASONS if season is not None else SEASONS[:1]
    candidates, errors = [], []
    for strength in strengths:
        seasonal = np.zeros((series, n + ahead)) if season is None else strength * season
        rest = log - seasonal[:, :n]
        for pace, has_trend in (*((pace, False) for pace in PACES), *((pace, True) for pace in TRENDS)):
            level, slope = _smooth(rest, pace, has_trend)
            errors.append(_miss(rest, level, slope))
            steps = np.cumsum(DAMPING ** np.arange(1, ahead + 1))
            candidates.append(level[:, -1:] + slope[:, -1:] * steps + seasonal[:, n:])
    best = np.argmin(np.array(errors), axis=0)
    chosen = np.array(candidates)[best, np.arange(series)]
    chance = np.array(errors)[best, np.arange(series)][:, None] / len(LEADS)
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


def _season(log: Floats, ahead: int) -> Floats | None:
    """Return each week's season on the log scale, seen and ahead, [series, weeks + ahead]; None of a short log."""
    series, n = log.shape
    if n < SEASON_AFTER:
        return None
    around = _moving_mean(log, YEAR_WEEKS + 1)
    off = log - around
    smooth = _moving_mean(off, 3)
    jumps = log[:, 2:] - 2 * log[:, 1:-1] + log[:, :-2]
    chance = np.maximum((np.median(np.abs(jumps), axis=1, keepdims=True) / 0.6745) ** 2 / 6, 1e-12)
    sharp = off - smooth
    kept = sharp**2 / (sharp**2 + LARGEST_MISS**2 * chance)  # a peak that chance does not make stays sharp
    shape = smooth + kept * sharp
    found = np.zeros((series, n + ahead))
    place = np.arange(n + ahead)
    for week in place[YEAR_WEEKS:]:
        years = [week - YEAR_WEEKS * year for year in (1, 2) if 0 <= week - YEAR_WEEKS * year < n]
        found[:, week] = shape[:, years].mean(axis=1)
    found[:, :YEAR_WEEKS] = found[:, YEAR_WEEKS : 2 * YEAR_WEEKS] if n + ahead >= 2 * YEAR_WEEKS else 0.0
    return found


def _moving_mean(values: Floats, width: int) -> Floats:
    """Return the centred mean of so many weeks, of fewer at both ends."""
    n = values.shape[1]
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    place = np.arange(n)
    start, stop = np.maximum(place - width // 2, 0), np.minimum(place + width // 2 + 1, n)
    mean: Floats = (sums[:, stop] - sums[:, start]) / (stop - start)
    return mean
