"""Candidates: for some customers, the products that any signal proposes, with the strength of each signal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clv_core.strategy.recommend.collaborative import place_in_row
from clv_core.strategy.recommend.purchase_signals import SIGNALS, PurchaseSignals

PER_SIGNAL: Final = 50
"""Products that each signal proposes."""
MAX_EXCLUDED: Final = 150
"""So many more popular products are tried, so that those that a customer has bought leave enough."""
BLOCK_CELLS: Final = 4_000_000


@dataclass(frozen=True, eq=False)
class Candidates:
    """Proposed products of some customers, padded to the same length.

    Args:
        rows: numbers of the customers, -1 for those without a row in the log, [m].
        product: number of each candidate, -1 where there is none, [m, c].
        strength: of each signal: square root, as a share of the customer's strongest candidate, [m, c, signals].
        bought: whether the customer has bought it, [m, c].
        level: its price level, [m, c].
    """

    rows: NDArray[np.int64]
    product: NDArray[np.int64]
    strength: NDArray[np.float32]
    bought: NDArray[np.bool_]
    level: NDArray[np.float64]


def propose(signals: PurchaseSignals, rows: NDArray[np.int64], *, without_bought: bool) -> Candidates:
    """Return the candidates of some customers.

    Args:
        signals: the past.
        rows: numbers of customers, -1 for one without any row in the log, [m].
        without_bought: whether what a customer has bought is no candidate.
    """
    strengths = dict(signals.strengths(rows))
    own = np.zeros((len(rows), signals.days.shape[1]), bool)
    row = np.flatnonzero(rows >= 0)
    own[row] = signals.days[rows[row]].toarray() > 0
    excluded = own if without_bought else np.zeros_like(own)
    proposed = np.zeros(own.shape, bool)
    for strength in strengths.values():
        proposed[_best_of_all(strength, excluded) if strength.ndim == 1 else _best(strength, excluded)] = True
    row, product = np.nonzero(proposed)
    place = place_in_row(row)
    width = int(place.max(initial=0)) + 1
    products = np.full((len(rows), width), -1, np.int64)
    products[row, place] = product
    strength = np.zeros((len(rows), width, len(SIGNALS)), np.float32)
    for name, matrix in strengths.items():
        if name == "taste" and signals.als is not None:
            values = signals.als.fit(rows[row], product)
        else:
            values = matrix[product] if matrix.ndim == 1 else matrix.toarray()[row, product]
        strength[row, place, SIGNALS.index(name)] = np.sqrt(values)
    strength /= np.maximum(strength.max(axis=1, keepdims=True), 1e-9)
    bought = np.zeros(products.shape, bool)
    bought[row, place] = own[row, product]
    return Candidates(rows, products, strength, bought, signals.level[products])


def _best(strength: sparse.csr_array, excluded: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and product of the highest strengths above 0 of each row, but for those excluded."""
    row = np.repeat(np.arange(strength.shape[0], dtype=np.int64), np.diff(strength.indptr))
    keep = ~excluded[row, strength.indices] & (strength.data > 0)
    row, product, value = row[keep], strength.indices[keep].astype(np.int64), strength.data[keep]
    # One key is sorted several times as fast as three: rows differ by integers, values by less than one.
    order = np.argsort(row - value / (2.0 * value.max(initial=1e-12)), kind="stable")
    row, product = row[order], product[order]
    keep = place_in_row(row) < PER_SIGNAL
    return row[keep], product[keep]


def _best_of_all(
    strength: NDArray[np.float32], excluded: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and product of what is highest for everyone and not excluded, for each row."""
    first = np.argsort(-strength, kind="stable")[: PER_SIGNAL + MAX_EXCLUDED]
    first = first[strength[first] > 0]
    place = np.argsort(excluded[:, first], axis=1, kind="stable")[:, :PER_SIGNAL]
    row, product = np.repeat(np.arange(len(place)), place.shape[1]), first[place].ravel()
    keep = ~excluded[row, product]
    return row[keep], product[keep]


def blocks(customers: int, products: int) -> Iterator[slice]:
    """Yield slices of customers, so many at a time that a table of all products fits in memory."""
    step = max(1, BLOCK_CELLS // products)
    return (slice(begin, min(begin + step, customers)) for begin in range(0, customers, step))


def propose_in_blocks(signals: PurchaseSignals, rows: NDArray[np.int64], *, without_bought: bool) -> Candidates:
    """Return what :func:`propose` does, for any number of customers."""
    slices = blocks(len(rows), signals.days.shape[1])
    return joined([propose(signals, rows[part], without_bought=without_bought) for part in slices])


def joined(parts: list[Candidates]) -> Candidates:
    """Return candidates of several groups of customers as one."""
    width = max(part.product.shape[1] for part in parts)

    def join(name: str, empty: float) -> NDArray[Any]:
        values = [getattr(part, name) for part in parts]
        pads = [[(0, 0), (0, width - one.shape[1]), *[(0, 0)] * (one.ndim - 2)] for one in values]
        padded = [np.pad(one, pad, constant_values=empty) for one, pad in zip(values, pads, strict=True)]
        return np.concatenate(padded)

    rows = np.concatenate([part.rows for part in parts])
    return Candidates(rows, join("product", -1), join("strength", 0), join("bought", False), join("level", 0))
