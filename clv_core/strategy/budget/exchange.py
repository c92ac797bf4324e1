"""The last step of a plan: up to three customers change their offers together, where that uses what is left better.

With few customers, what is left of a budget can be more than a rounding error, and no single change fits it. Of each
kind of change (from one offer, or none, to another) the customers who mind least at the prices are looked at.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.strategy.budget.filling import NOBODY, Offers
from clv_core.strategy.budget.prices import Floats

EACH: Final = 2
MOST_MOVES: Final = 48
ROUNDS: Final = 12


def exchange(
    gain: Floats, wanted: Floats, cost: Floats, capacity: Floats, budget: float, offer: Offers, enough: float
) -> Offers:
    """Return the plan, improved by changes of up to three customers at once.

    Args:
        gain: [k, n]; -inf where an offer must not be given.
        wanted: gains less prices, [k, n].
        cost: [k].
        capacity: [k].
        budget: money.
        offer: a plan within the limits, -1 for none, [n].
        enough: gain at which no further change is looked for.
    """
    offer = offer.copy()
    # A row of zeros stands for no offer; -1 finds it from both ends.
    gains, wish = (np.vstack([rows, np.zeros(rows.shape[1])]) for rows in (gain, wanted))
    costs = np.append(cost, 0.0)
    for _ in range(ROUNDS):
        rows = np.arange(len(offer))
        if gains[offer, rows].sum() >= enough:
            break
        room = np.append(capacity - np.bincount(offer[offer != NOBODY], minlength=len(cost)), np.inf)
        left = budget * (1 + 1e-12) - float(costs[offer].sum())
        who, goes = _moves(wish, offer)
        if not len(who):
            break
        more = gains[goes, who] - gains[offer[who], who]
        extra = costs[goes] - costs[offer[who]]
        change = np.zeros((len(who), len(costs)))
        np.add.at(change, (np.arange(len(who)), goes), 1)
        np.add.at(change, (np.arange(len(who)), offer[who]), -1)
        best = _best(who, more, extra, change, room, left)
        if not best:
            break
        offer[who[best]] = np.where(goes[best] == len(cost), NOBODY, goes[best])
    return offer


def _moves(wish: Floats, offer: Offers) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Customers and where they could go, those who mind least of each kind."""
    none = len(wish) - 1
    found: list[tuple[float, int, int]] = []
    for start in range(none + 1):
        mine = np.flatnonzero(offer == (NOBODY if start == none else start))
        for end in range(none + 1):
            if end == start or not len(mine):
                continue
            minds = wish[start, mine] - wish[end, mine]
            first = np.argsort(minds, kind="stable")[:EACH] if len(minds) > EACH else np.arange(len(minds))
            found += [(float(minds[one]), int(mine[one]), end) for one in first if np.isfinite(minds[one])]
    found = sorted(found)[:MOST_MOVES]
    return np.array([who for _, who, _ in found], np.int64), np.array([end for *_, end in found], np.int64)


def _best(who: NDArray[np.int64], more: Floats, extra: Floats, change: Floats, room: Floats, left: float) -> list[int]:
    """The one, two or three moves of different customers that fit and bring most; none where nothing is gained."""
    count = len(who)
    index = np.arange(count + 1)  # the last one is no move at all
    a, b, c = (part.ravel() for part in np.meshgrid(index, index, index, indexing="ij"))
    keep = (a <= b) & (b <= c) & (a < count)
    a, b, c = a[keep], b[keep], c[keep]
    person = np.append(who, -1)
    same = (person[a] == person[b]) | ((person[b] == person[c]) & (b < count)) | (person[a] == person[c])
    more, extra, change = np.append(more, 0.0), np.append(extra, 0.0), np.vstack([change, np.zeros(len(room))])
    total = np.where(same, -np.inf, more[a] + more[b] + more[c])
    total[extra[a] + extra[b] + extra[c] > left] = -np.inf
    total[(change[a] + change[b] + change[c] > room).any(axis=1)] = -np.inf
    top = int(total.argmax())
    if total[top] <= 1e-9 * float(np.abs(more).max()):
        return []
    return [int(one) for one in (a[top], b[top], c[top]) if one < count]
