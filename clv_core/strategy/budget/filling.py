"""From what customers prefer at given prices to a plan within the limits, and what is left over, given greedily."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.strategy.budget.prices import Floats

NOBODY: Final = -1
CANDIDATES: Final = 4096
ROUNDS: Final = 200
PASSES: Final = 12

Offers = NDArray[np.int64]


def fit(choice: Offers, wanted: Floats, cost: Floats, capacity: Floats, budget: float) -> Offers:
    """Return the choice without those who are too many: of each offer, then of all, those who gain least go.

    Args:
        choice: offer of each customer or -1, [n].
        wanted: gains less prices, [k, n].
        cost: [k].
        capacity: [k].
        budget: money.
    """
    offer = np.array(choice, np.int64)
    for one in range(len(cost)):
        mine = np.flatnonzero(offer == one)
        if len(mine) > capacity[one]:
            offer[mine[_after(-wanted[one, mine], int(capacity[one]))]] = NOBODY
    given = np.flatnonzero(offer != NOBODY)
    paid = cost[offer[given]]
    if paid.sum() > budget:
        order = np.argsort(-wanted[offer[given], given], kind="stable")
        order = order[paid[order] > 0]
        dear = np.cumsum(paid[order]) > budget * (1 + 1e-12)
        offer[given[order[dear]]] = NOBODY
    return offer


def _after(values: Floats, count: int) -> NDArray[np.bool_]:
    """Return who is not among the ``count`` lowest values, of equal ones the first, [n]; nobody is sorted for it."""
    if not count:
        return np.ones(len(values), bool)
    last = np.partition(values, count - 1)[count - 1]
    after: NDArray[np.bool_] = values > last
    ties = np.flatnonzero(values == last)
    after[ties[len(ties) - (len(values) - count - np.count_nonzero(after)) :]] = True
    return after


def fill(gain: Floats, cost: Floats, capacity: Floats, budget: float, offer: Offers) -> Offers:
    """Return the plan with more: changes of single customers that fit, the highest gain per coin first.

    Args:
        gain: [k, n]; -inf where an offer must not be given.
        cost: [k].
        capacity: [k].
        budget: money.
        offer: a plan within the limits, -1 for none, [n].
    """
    offer = offer.copy()
    if not len(cost):
        return offer
    for _ in range(PASSES):
        given = offer[offer != NOBODY]
        room = capacity - np.bincount(given, minlength=len(cost))
        left = budget * (1 + 1e-12) - float(cost[given].sum())
        rate = _rates(gain, cost, room, left, offer).max(axis=0)
        open_to = np.flatnonzero(rate > 0)
        if not len(open_to):
            break
        if len(open_to) > CANDIDATES:
            open_to = open_to[np.argpartition(-rate[open_to], CANDIDATES)[:CANDIDATES]]
        offer[open_to] = _rounds(gain[:, open_to], cost, room, left, offer[open_to])
    return offer


def _rounds(gain: Floats, cost: Floats, room: Floats, left: float, offer: Offers) -> Offers:
    """In each round the offer with the best change takes all whose rate no other offer beats."""
    offer, room = offer.copy(), room.copy()
    for _ in range(ROUNDS):
        rates = _rates(gain, cost, room, left, offer)
        best = rates.max(axis=1)
        one = int(best.argmax())
        if best[one] <= 0:
            break
        floor = max(float(np.delete(best, one).max(initial=0.0)), 0.0)
        able = np.flatnonzero((rates[one] >= floor) & (rates[one] > 0))
        able = able[np.argsort(-rates[one, able], kind="stable")][: int(room[one])]
        extra = cost[one] - _paid(cost, offer[able])
        able = able[np.cumsum(np.maximum(extra, 0)) <= left]
        left -= float((cost[one] - _paid(cost, offer[able])).sum())
        left_offers = offer[able][offer[able] != NOBODY]
        room += np.bincount(left_offers, minlength=len(cost))
        room[one] -= len(able)
        offer[able] = one
    return offer


def _rates(gain: Floats, cost: Floats, room: Floats, left: float, offer: Offers) -> Floats:
    """Gain per coin of giving each customer each other offer, [k, n]; -inf where it does not fit."""
    columns = np.arange(gain.shape[1])
    more = gain - np.where(offer == NOBODY, 0.0, gain[offer, columns])
    extra = cost[:, None] - _paid(cost, offer)
    able = (more > 0) & (extra <= left) & (room > 0)[:, None]
    tiny = 1e-9 * (float(cost.max(initial=0.0)) or 1.0)
    return np.asarray(np.where(able, more / np.maximum(extra, tiny), -np.inf))


def _paid(cost: Floats, offer: Offers) -> Floats:
    return np.asarray(np.where(offer == NOBODY, 0.0, cost[offer]))
