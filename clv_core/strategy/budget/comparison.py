"""Plans that need no prediction, to hold a plan against: the same offer for evenly picked customers, and chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clv_core.strategy.budget.budget import worth_of
from clv_core.strategy.budget.filling import NOBODY

Offers = npt.NDArray[np.int64]


def uniform_plan(gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike | None, budget: float) -> Offers:
    """Return the best plan of one offer for customers picked evenly, as far as the budget reaches.

    Args:
        gains: expected gain after cost, money, [n, k]; -inf where an offer must not be given.
        costs: [k].
        capacities: [k] or None.
        budget: money.

    Returns:
        Number of each customer's offer, -1 for none, [n]; nobody gets anything where each single offer loses money.
    """
    gain, cost = np.asarray(gains, float), np.asarray(costs, float)
    places = np.full(len(cost), np.inf) if capacities is None else np.asarray(capacities, float)
    best, top = np.full(len(gain), NOBODY), 0.0
    for one, price in enumerate(cost.tolist()):
        able = np.flatnonzero(np.isfinite(gain[:, one]))
        count = int(min(len(able), places[one], budget * (1 + 1e-12) / price if price > 0 else np.inf))
        if not count:
            continue
        offer = np.full(len(gain), NOBODY)
        offer[able[np.linspace(0, len(able) - 1, count).round().astype(np.int64)]] = one
        reached = worth_of(gain.T, offer)
        if reached > top:
            best, top = offer, reached
    return best


def random_plan(
    gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike | None, budget: float, seed: int
) -> Offers:
    """Return a plan of offers drawn by chance for customers drawn by chance, until the budget is spent.

    Args:
        gains: as :func:`uniform_plan` takes them, [n, k]; only where an offer may be given counts.
        costs: [k].
        capacities: [k] or None.
        budget: money.
        seed: of the draw.
    """
    gain, cost = np.asarray(gains, float), np.asarray(costs, float)
    rng = np.random.default_rng(seed)
    customers = rng.permutation(len(gain))
    drawn = np.ascontiguousarray(rng.random(gain.shape).T)
    for one in range(len(cost)):
        drawn[one, ~np.isfinite(gain[:, one])[customers]] = -1.0
    choice = np.where(drawn.max(axis=0, initial=-1.0) >= 0, drawn.argmax(axis=0), NOBODY)
    if capacities is not None:
        for one, places in enumerate(np.asarray(capacities, float).tolist()):
            mine = np.flatnonzero(choice == one)
            choice[mine[int(min(places, len(mine))) :]] = NOBODY
    paid = np.where(choice == NOBODY, 0.0, cost[choice])
    choice[np.cumsum(paid) > budget * (1 + 1e-12)] = NOBODY
    offer = np.full(len(gain), NOBODY)
    offer[customers] = choice
    return offer
