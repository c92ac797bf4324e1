"""From what each customer bought before a cutoff to the products that may be recommended to her.

:class:`PurchaseSignals` has it as matrices, and the strength of each signal in it for a product. Price levels
(:func:`price_levels`) are how expensive a product is within its category: the rank of its usual price among the
products of its category, 0 (cheapest) to 1. A customer's own level is the mean level of what she bought. The target
level is above it for high-value customers and below it for low-value ones: that step is a rule, not a measurement.
Candidates (:func:`propose`) are, for some customers, the products that any signal proposes, with the strength of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from clv_core.strategy.recommend.collaborative import (
    AlsFactors,
    basket_similarity,
    customer_similarity,
    fit_als,
    place_in_row,
)
from clv_core.strategy.recommend.interactions import YEAR_DAYS, Interactions

Floats = NDArray[np.float64]

SIGNALS: Final = ("often", "lately", "just_now", "seen", "basket", "together", "taste", "popular", "trending")
"""How often the customer bought it; with a long and with a short memory; saw it without buying; it is bought in one
basket with, and by the buyers of, what she bought; ALS; how many bought it ever, and lately."""
OWN_SIGNALS: Final = ("often", "lately", "just_now")
LONG_HALF_LIFE_DAYS, SHORT_HALF_LIFE_DAYS = 120.0, 30.0
"""Of the long and the short memory: a season and a month, guesses; weights of both are chosen on the log."""
MIDDLE: Final = 0.5
"""Price level of products and customers without prices to compare."""
MIN_IN_CATEGORY: Final = 3
"""Priced products of a category from which their ranks are levels; a guess."""
SHRINK_DAYS: Final = 5.0
"""So many purchases at the middle level are added to each customer's own."""
STEP: Final = 0.15
"""How far the highest tier's target is above its own level, and the lowest tier's below: a rule, not a measurement."""
WIDTH: Final = 0.25
"""Distance of price levels at which a product fits by exp(-1/2) = 61%: a quarter of its category; a guess."""
PER_SIGNAL: Final = 50
"""Products that each signal proposes."""
MAX_EXCLUDED: Final = 150
"""So many more popular products are tried, so that those that a customer has bought leave enough."""
BLOCK_CELLS: Final = 4_000_000
"""Customers by products in memory at a time."""


@dataclass(frozen=True, eq=False)
class PurchaseSignals:
    """The past as of a cutoff; rows are customers, columns products.

    Args:
        days: on how many days bought, [n, p].
        last: days from the last purchase to the cutoff, plus 1, [n, p].
        long: days bought, each counted half after 120 days, [n, p].
        short: the same after 30 days, [n, p].
        seen: days seen (any event but a purchase or return), half after 30 days, [n, p].
        spent: money of the last 365 days, [n].
        basket: similarity of products by basket, [p, p].
        together: similarity of products by customer, [p, p].
        level: price level of the products, [p].
        als: factors of customers and products; None where the catalogue is small.
    """

    days: sparse.csr_array
    last: sparse.csr_array
    long: sparse.csr_array
    short: sparse.csr_array
    seen: sparse.csr_array
    spent: NDArray[np.float64]
    basket: sparse.csr_array
    together: sparse.csr_array
    level: NDArray[np.float64]
    als: AlsFactors | None

    @classmethod
    def at(cls, interactions: Interactions, cutoff_day: int) -> PurchaseSignals:
        """Return the past at a cutoff, in days since 1970; nothing at or after it is read."""
        table = interactions.table
        past = table.filter(table.day < cutoff_day)
        days = past.group_by("customer", "product", "bought", "day").agg(amount=past.amount.sum())
        age = cutoff_day - days.day
        pairs = days.group_by("customer", "product", "bought").agg(
            days=days.count(),
            last=age.min(),
            long=(0.5 ** (age / LONG_HALF_LIFE_DAYS)).sum().round(6),
            short=(0.5 ** (age / SHORT_HALF_LIFE_DAYS)).sum().round(6),
            spent=days.amount.sum(where=age <= YEAR_DAYS).round(4),
        )
        rows = pairs.order_by("customer", "product").to_pyarrow()
        column = {name: rows[name].to_numpy() for name in rows.column_names}
        shape = (len(interactions.customer_ids), len(interactions.product_ids))

        def matrix(name: str, *, bought: bool, plus: float = 0.0) -> sparse.csr_array:
            which = column["bought"] == bought
            values = column[name][which].astype(np.float32) + np.float32(plus)
            return sparse.csr_array((values, (column["customer"][which], column["product"][which])), shape=shape)

        last, long = matrix("last", bought=True, plus=1.0), matrix("long", bought=True)
        short = matrix("short", bought=True)
        return cls(
            days=matrix("days", bought=True),
            last=last,
            long=long,
            short=short,
            seen=matrix("short", bought=False),
            spent=np.bincount(column["customer"], np.nan_to_num(column["spent"]), shape[0]).astype(np.float64),
            basket=basket_similarity(interactions, cutoff_day),
            together=customer_similarity(last),
            level=price_levels(interactions.products(cutoff_day)),
            als=fit_als(long + short),
        )

    @cached_property
    def popular(self) -> NDArray[np.float32]:
        """How many customers bought each product, [p]."""
        return np.bincount(self.days.indices, minlength=self.days.shape[1]).astype(np.float32)

    @cached_property
    def trending(self) -> NDArray[np.float32]:
        """How many did lately, each day counted half after 30 days, [p]."""
        return np.asarray(self.short.sum(axis=0), np.float32)

    def strengths(self, rows: NDArray[np.int64]) -> Iterator[tuple[str, Any]]:
        """Yield each signal's strength for some customers and all products.

        Args:
            rows: numbers of customers, -1 for one without any row in the log, [m].

        Yields:
            Name of :data:`SIGNALS` and strengths >= 0: sparse [m, p], or [p] where all customers have the same; a
            signal that the log does not have is left out.
        """
        present = np.flatnonzero(rows >= 0)
        ones = np.ones(len(present), np.float32)
        select = sparse.csr_array((ones, (present, rows[present])), shape=(len(rows), self.days.shape[0]))
        for name, matrix in zip(SIGNALS, (self.days, self.long, self.short, self.seen), strict=False):
            if matrix.nnz:
                yield name, select @ matrix
        long = select @ self.long
        yield "basket", long @ self.basket
        yield "together", long @ self.together
        if self.als is not None:
            yield "taste", self.als.propose(rows)
        yield "popular", self.popular
        yield "trending", self.trending


def price_levels(products: pd.DataFrame) -> Floats:
    """Return the price level of each product, the middle where its category has too few prices, [p].

    Args:
        products: category and price, one row a product.
    """
    priced = products["price"].where(products["price"] > 0).groupby(products["category"])
    count = priced.transform("count")
    level = (priced.rank(method="average") - 0.5) / count.where(count >= MIN_IN_CATEGORY)
    return level.fillna(MIDDLE).to_numpy(np.float64)


def own_levels(days: sparse.csr_array, level: Floats) -> Floats:
    """Return the level at which each customer buys, 0 to 1, [n].

    Args:
        days: on how many days each customer bought each product, [n, p].
        level: of the products, [p].
    """
    bought = np.asarray(days.sum(axis=1), np.float64)
    return np.asarray((days @ level + SHRINK_DAYS * MIDDLE) / (bought + SHRINK_DAYS))


def target_levels(level: Floats, tier: NDArray[np.int64], tiers: int) -> Floats:
    """Return the target level, 0 to 1, [n].

    Args:
        level: at which each customer buys, [n].
        tier: 1 is the highest, [n].
        tiers: how many there are.
    """
    place = (np.asarray(tier, np.float64) - 1) / max(tiers - 1, 1)
    return np.clip(level + STEP * (1 - 2 * place), 0, 1)


def price_fit(level: Floats, target: Floats) -> Floats:
    """Return how well a price level fits the target, in (0, 1]; arrays that broadcast."""
    return np.asarray(np.exp(-0.5 * ((level - target) / WIDTH) ** 2))


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
    bought_before = np.zeros((len(rows), signals.days.shape[1]), bool)
    row = np.flatnonzero(rows >= 0)
    bought_before[row] = signals.days[rows[row]].toarray() > 0
    excluded = bought_before if without_bought else np.zeros_like(bought_before)
    proposed = np.zeros(bought_before.shape, bool)
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
    bought[row, place] = bought_before[row, product]
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
        pads = [[(0, 0), (0, width - array.shape[1]), *[(0, 0)] * (array.ndim - 2)] for array in values]
        padded = [np.pad(array, pad, constant_values=empty) for array, pad in zip(values, pads, strict=True)]
        return np.concatenate(padded)

    rows = np.concatenate([part.rows for part in parts])
    return Candidates(rows, join("product", -1), join("strength", 0), join("bought", False), join("level", 0))
