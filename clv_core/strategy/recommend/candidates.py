"""Candidates: for some customers, the products that any part of the past speaks for, with the strength of each part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clv_core.strategy.recommend.history import PARTS, History

FROM_EACH: Final = 50
"""Products that each part proposes."""
MOST_EXCLUDED: Final = 150
"""So many more popular products are looked at, so that those that a customer has bought leave enough."""
CELLS_AT_ONCE: Final = 4_000_000


@dataclass(frozen=True, eq=False)
class Candidates:
    """Proposed products of some customers, padded to the same length.

    Args:
        rows: numbers of the customers, -1 for those without a line, [m].
        product: number of each candidate, -1 where there is none, [m, c].
        strength: of each part: square root, as a share of the customer's strongest candidate, [m, c, parts].
        bought: whether the customer has bought it, [m, c].
        grade: its price level, [m, c].
    """

    rows: NDArray[np.int64]
    product: NDArray[np.int64]
    strength: NDArray[np.float32]
    bought: NDArray[np.bool_]
    grade: NDArray[np.float64]


def propose(history: History, rows: NDArray[np.int64], *, without_bought: bool) -> Candidates:
    """Return the candidates of some customers.

    Args:
        history: the past.
        rows: numbers of customers, -1 for one without any line, [m].
        without_bought: whether what a customer has bought is no candidate.
    """
    parts = dict(history.strengths(rows))
    known = rows >= 0
    own = np.zeros((len(rows), history.days.shape[1]), bool)
    mine = history.days[np.maximum(rows, 0)]
    row = np.repeat(np.arange(len(rows)), np.diff(mine.indptr))
    own[row[known[row]], mine.indices[known[row]]] = True
    mask = np.zeros(own.shape, bool)
    excluded = own if without_bought else np.zeros_like(own)
    for name, strength in parts.items():
        if name in history.most_popular:
            row, product = _first(history.most_popular[name], strength, excluded)
        else:
            row, product = _highest(strength, excluded)
        mask[row, product] = True
    row, product = np.nonzero(mask)
    start = np.searchsorted(row, np.arange(len(rows)))
    place = np.arange(len(row)) - start[row]
    width = int(place.max(initial=0)) + 1
    products = np.full((len(rows), width), -1, np.int64)
    products[row, place] = product
    strengths = np.zeros((len(rows), width, len(PARTS)), np.float32)
    for name, strength in parts.items():
        if name == "taste" and history.taste is not None:
            values = history.taste.at(rows[row], product)
        else:
            values = strength[product] if strength.ndim == 1 else strength.toarray()[row, product]
        strengths[row, place, PARTS.index(name)] = np.sqrt(values)
    strengths /= np.maximum(strengths.max(axis=1, keepdims=True), 1e-9)
    bought = np.zeros(products.shape, bool)
    bought[row, place] = own[row, product]
    return Candidates(rows, products, strengths, bought, history.grade[products])


def _highest(strength: sparse.csr_array, excluded: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and product of the highest strengths above 0 of each row, but for those excluded."""
    row = np.repeat(np.arange(strength.shape[0], dtype=np.int64), np.diff(strength.indptr))
    keep = ~excluded[row, strength.indices] & (strength.data > 0)
    row, product, value = row[keep], strength.indices[keep].astype(np.int64), strength.data[keep]
    # One key is sorted several times as fast as three: rows are whole numbers apart, values less than one.
    order = np.argsort(row - value / (2.0 * value.max(initial=1e-12)), kind="stable")
    row, product = row[order], product[order]
    keep = np.arange(len(row)) - np.searchsorted(row, row) < FROM_EACH
    return row[keep], product[keep]


def _first(
    order: NDArray[np.int64], strength: NDArray[np.float32], excluded: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and product of the first of ``order`` that are not excluded, for each row."""
    first = order[: FROM_EACH + MOST_EXCLUDED]
    first = first[strength[first] > 0]
    place = np.argsort(excluded[:, first], axis=1, kind="stable")[:, :FROM_EACH]
    row, product = np.repeat(np.arange(len(place)), place.shape[1]), first[place].ravel()
    keep = ~excluded[row, product]
    return row[keep], product[keep]


def blocks(history: History, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the numbers of customers, so many at a time that a table of all products fits in memory."""
    size = max(1, CELLS_AT_ONCE // history.days.shape[1])
    for begin in range(0, len(rows), size):
        yield rows[begin : begin + size]


def joined(parts: list[Candidates]) -> Candidates:
    """Return candidates of several blocks as one."""
    width = max(part.product.shape[1] for part in parts)

    def wider(values: NDArray[Any], empty: float) -> NDArray[Any]:
        room = [(0, 0), (0, width - values.shape[1]), *[(0, 0)] * (values.ndim - 2)]
        return np.asarray(np.pad(values, room, constant_values=empty))

    return Candidates(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([wider(part.product, -1) for part in parts]).astype(np.int64),
        np.concatenate([wider(part.strength, 0) for part in parts]).astype(np.float32),
        np.concatenate([wider(part.bought, False) for part in parts]).astype(bool),
        np.concatenate([wider(part.grade, 0) for part in parts]).astype(np.float64),
    )
