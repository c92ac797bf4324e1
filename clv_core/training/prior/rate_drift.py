"""How a customer's own rate moves: moods that come and go, rests, seasons of her own, and slowing down with age."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clv_core.training.prior.seasonality import WEEK_DAYS, YEAR_DAYS, year_day
from clv_core.training.prior.shop_traits import Traits

Floats = NDArray[np.float64]


def own_level(
    traits: Traits, begin: Floats, arrival: Floats, random: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return the factors on each customer's rate by week, each [n, w].

    Args:
        traits: of the shop.
        begin: first day of each week, in days after the cutoff, [w].
        arrival: day on which each customer came, in days after the cutoff, [n].
        random: source of chance.

    Returns:
        The mood, which views may tell; the intent, which carts may tell; and what age and a season of her own do.
    """
    n, weeks = len(arrival), len(begin)
    mood = np.ones((n, weeks))
    if traits.mood_deviation:
        mood *= _moved(n, weeks, traits.mood_days, traits.mood_deviation, random)
    if traits.rest_share:
        mood *= _awake(n, weeks, traits, random) / (1 - traits.rest_share)
    age = np.maximum(begin - arrival[:, None], 0) / traits.horizon_days
    other = (1 + age) ** -traits.slow_down
    if traits.seasonal_share:
        own = random.uniform(size=n) < traits.seasonal_share
        turn = np.where(own, random.uniform(0, YEAR_DAYS, n), 0.0)
        distance = np.abs(year_day(traits.cutoff_day + begin[None, :] - turn[:, None]) - YEAR_DAYS / 2)
        other[own] *= (distance[own] < YEAR_DAYS / 8) * 4.0
    if traits.intent_deviation:
        return mood, _moved(n, weeks, traits.mood_days, traits.intent_deviation, random), other
    return mood, np.ones_like(mood), other


def _moved(n: int, weeks: int, days: float, deviation: float, random: np.random.Generator) -> Floats:
    """Return factors of mean 1 whose logs are walks of that deviation, [n, weeks]."""
    factor: Floats = np.exp(_walk(n, weeks, days, random) * deviation - deviation**2 / 2)
    return factor


def _walk(n: int, weeks: int, days: float, random: np.random.Generator) -> Floats:
    """Return stationary walks of deviation 1 that forget half in about ``days``, [n, weeks]."""
    kept = 0.5 ** (WEEK_DAYS / days)
    step = np.sqrt(1 - kept**2)
    walk = random.standard_normal((weeks, n))
    for week in range(1, weeks):
        walk[week] = kept * walk[week - 1] + step * walk[week]
    return walk.T


def _awake(n: int, weeks: int, traits: Traits, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return whether each customer is awake in each week, [n, weeks]."""
    odds = traits.rest_share / (1 - traits.rest_share)
    wakes = min(0.9, WEEK_DAYS / traits.rest_days, 0.9 / odds)
    rests = wakes * odds
    chance = random.uniform(size=(weeks, n))
    awake = np.empty((weeks, n), bool)
    awake[0] = chance[0] >= traits.rest_share
    for week in range(1, weeks):
        awake[week] = np.where(awake[week - 1], chance[week] >= rests, chance[week] < wakes)
    return awake.T
