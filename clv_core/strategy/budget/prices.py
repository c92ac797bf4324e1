"""Prices of money and places: the Lagrange multipliers of a budget and of the offers' capacities.

    D(coin, place) = sum_i max(0, max_j gain_ij - coin cost_j - place_j) + coin budget + sum_j place_j capacity_j

bounds every allocation from above, for all prices >= 0. ``coin`` is found by bisection on what would be spent, and for
each coin price the places' by exact line search: along a set X of offers, D is lowest where as many customers prefer X
as X has places. D is L-natural-convex in the places' prices, so that no set X leads lower only at the minimum; single
offers alone would get stuck where two offers are alike.
Source: Everett (1963), Generalized Lagrange multiplier method; Murota (2003), Discrete convex analysis, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SAMPLE: Final = 4000
"""Customers that prices are made from where there are more than twice as many."""
HALVINGS: Final = 50
ROUGH_HALVINGS: Final = 24
"""Of a price whose plan is only drawn: its gain is right to 3 in 10,000."""
SWEEPS: Final = 6
ALL_SETS: Final = 5
"""Up to so many offers with a capacity, all their sets are tried; of more only single ones, pairs, and all."""
JITTER: Final = 1e-7


@dataclass(frozen=True, eq=False)
class Prices:
    """What the last unit of each scarce thing is worth, in money.

    Args:
        coin: gain by one more unit of budget; 0 where the budget is not used up.
        place: gain by one more place of each offer, [k].
    """

    coin: float
    place: Floats


def find_prices(gain: Floats, cost: Floats, capacity: Floats, budget: float, halvings: int = HALVINGS) -> Prices:
    """Return prices at which about as much is asked for as there is; of many customers, from a sample of them.

    Args:
        gain: expected gain after cost of each offer and customer, [k, n]; -inf where it must not be given.
        cost: per customer, [k].
        capacity: places, may be infinite, [k].
        budget: money.
        halvings: of the range of the coin price.
    """
    customers = gain.shape[1]
    if customers <= 2 * SAMPLE:
        return _bisect(gain, cost, capacity, budget, halvings)
    # Evenly spread over all gains, so that the sample spends as all would; those who gain nothing are all alike.
    order = np.argsort(gain.max(axis=0))
    picked = order[np.linspace(0, customers - 1, SAMPLE).round().astype(np.int64)]
    part = SAMPLE / customers
    return _bisect(gain[:, picked], cost, capacity * part, budget * part, halvings)


def bound(gain: Floats, cost: Floats, capacity: Floats, budget: float, prices: Prices) -> float:
    """Return what no allocation can exceed: D at these prices."""
    surplus = np.maximum(reduced(gain, cost, prices).max(axis=0), 0).sum()
    limited = np.isfinite(capacity)
    return float(surplus + prices.coin * budget + prices.place[limited] @ capacity[limited])


def reduced(gain: Floats, cost: Floats, prices: Prices) -> Floats:
    """Return gains less what the offers cost at these prices, [k, n]."""
    return np.asarray(gain - (prices.coin * cost + prices.place)[:, None])


def jittered(gain: Floats) -> Floats:
    """Return gains of which hardly any two are alike: 1 + 1e-7 u times as large, u evenly spread over customers."""
    offers, customers = gain.shape
    even = np.arange(1, customers + 1) * 0.6180339887498949 + np.arange(offers)[:, None] * 0.41421356237309515
    even -= np.floor(even)  # what % 1 leaves, in a fifth of its time
    return np.asarray(gain * (1 + JITTER * even))


def _dearest(gain: Floats, cost: Floats) -> float:
    """A coin price above which nothing that costs is bought."""
    best = gain.max(axis=1, initial=0.0)
    costly = cost > 0
    return float((best[costly] / cost[costly]).max(initial=0.0)) * 1.01


def _bisect(gain: Floats, cost: Floats, capacity: Floats, budget: float, halvings: int) -> Prices:
    """Halve the range of the coin price; each price is tried with the places' prices that go with it."""
    sets = _sets(capacity, gain.shape[1])
    place = np.zeros(len(cost))

    def spent(coin: float) -> float:
        nonlocal place
        paid = gain - coin * cost[:, None]
        place = _clear(paid, capacity, place, sets)
        asked = paid - place[:, None]
        choice = asked.argmax(axis=0)
        return float(cost[choice[asked.max(axis=0) > 0]].sum())

    if not gain.size or spent(0.0) <= budget:
        return Prices(0.0, place)
    low, high = 0.0, _dearest(gain, cost)
    for _ in range(halvings):
        middle = (low + high) / 2
        low, high = (middle, high) if spent(middle) > budget else (low, middle)
    spent(high)
    return Prices(high, place)


def _sets(capacity: Floats, customers: int) -> list[tuple[int, ...]]:
    """Sets of offers whose places may run out, the large ones first."""
    scarce = [int(row) for row in np.flatnonzero(capacity < customers)]
    few = len(scarce) <= ALL_SETS
    sizes = range(len(scarce), 0, -1) if few else (len(scarce), 2, 1)
    return [found for size in sizes for found in combinations(scarce, size)]


def _clear(paid: Floats, capacity: Floats, place: Floats, sets: list[tuple[int, ...]]) -> Floats:
    """Return places' prices at which no more is asked for than there is.

    Args:
        paid: gains less the price of their costs, [k, n].
        capacity: [k].
        place: prices to begin with, [k].
        sets: of :func:`_sets`.
    """
    place = place.copy()
    for _ in range(SWEEPS if len(sets) > 1 else len(sets)):
        before = place.copy()
        for some in sets:
            inside = list(some)
            asked = paid - place[:, None]
            outside = np.delete(asked, inside, axis=0).max(axis=0, initial=0.0)
            surplus = asked[inside].max(axis=0) - np.maximum(outside, 0)
            places = int(capacity[inside].sum())
            step = np.partition(surplus, -places - 1)[-places - 1] if places < len(surplus) else -np.inf
            place[inside] += max(float(step), -float(place[inside].min()))
        if np.abs(place - before).max(initial=0.0) <= 1e-12 * max(float(np.abs(place).max(initial=0.0)), 1e-300):
            break
    return place
