"""Picks: the products recommended to each customer, and why."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clv_core.strategy.recommend.blend import Blend, best
from clv_core.strategy.recommend.candidates import propose
from clv_core.strategy.recommend.history import PARTS, REASONS, History

WHY: Final = ("again", "seen", "together", "taste", "popular")
"""Bought before; looked at; bought together with something she bought; customers of her taste buy it; many buy it."""
NOTHING: Final = -1
_WHY_OF_PART: Final = np.array([WHY.index(REASONS[part]) for part in PARTS])


@dataclass(frozen=True, eq=False)
class Picks:
    """Products by place, the best first; -1 where a customer gets fewer.

    Args:
        product: number of the product, [n, top].
        score: of the blend, as a share of the customer's first, [n, top].
        why: place in ``WHY`` of what speaks for it most, [n, top].
        because: number of the product that it is bought together with, -1 where it is not, [n, top].
        days: on how many days the customer bought it before, [n, top].
    """

    product: NDArray[np.int32]
    score: NDArray[np.float32]
    why: NDArray[np.int8]
    because: NDArray[np.int32]
    days: NDArray[np.int32]

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Return the picks of several blocks of customers as one."""
        return cls(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(cls)))


def pick(
    history: History,
    rows: NDArray[np.int64],
    blend: Blend,
    aimed: NDArray[np.float64],
    top: int,
    *,
    without_bought: bool,
) -> Picks:
    """Return the picks of some customers.

    Args:
        history: the past.
        rows: numbers of customers, -1 for one without any line, [m].
        blend: weights.
        aimed: price level that is aimed at, [m].
        top: how many.
        without_bought: whether what a customer has bought is left out.
    """
    found = propose(history, rows, without_bought=without_bought)
    score = blend.score(found, aimed)
    place = best(score, found.product, top)
    value = np.take_along_axis(score, place, 1)
    # Fewer candidates than places: the last one is repeated by `best`, and what scores nothing is no advice.
    given = (value > 0) & (np.arange(top) < score.shape[1])
    product = np.where(given, np.take_along_axis(found.product, place, 1), NOTHING)
    shares = np.take_along_axis(blend.shares(found), place[..., None], 1)
    why = np.where(given, _WHY_OF_PART[shares.argmax(axis=2)], NOTHING)
    because = _because_of(history, rows, product)
    days = _days(history, rows, product)
    together = (why == WHY.index("together")) & (because == NOTHING)
    return Picks(
        product.astype(np.int32),
        np.where(given, value / np.maximum(value[:, :1], 1e-12), 0).astype(np.float32),
        np.where(together, WHY.index("popular"), why).astype(np.int8),
        because.astype(np.int32),
        days,
    )


def _because_of(history: History, rows: NDArray[np.int64], product: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which product that a customer bought speaks most for each pick by being bought together with it, [m, top].

    A product does not speak for itself; -1 where none does.
    """
    known = (product >= 0) & (rows >= 0)[:, None]
    row, place = np.nonzero(known)
    item = product[row, place]
    mine = history.long[rows[row]]
    near = (history.basket + history.together)[item]
    both = sparse.csr_array(mine.multiply(near))
    result = np.full(product.shape, NOTHING, np.int64)
    if both.nnz:
        line = np.repeat(np.arange(both.shape[0]), np.diff(both.indptr))
        order = np.lexsort((both.indices, -both.data, line))
        first = np.r_[True, np.diff(line[order]) > 0]
        winners = order[first]
        result[row[line[winners]], place[line[winners]]] = both.indices[winners]
    return result


def _days(history: History, rows: NDArray[np.int64], product: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return on how many days each pick was bought before, [m, top]."""
    found = sparse.csr_array(history.days[np.maximum(rows, 0)[:, None], np.maximum(product, 0)]).toarray()
    return np.where((product >= 0) & (rows >= 0)[:, None], found, 0).astype(np.int32)
