"""What each customer bought before a cutoff, as matrices, and the strength of each signal in it for a product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clv_core.strategy.recommend.collaborative import AlsFactors, basket_similarity, customer_similarity, fit_als
from clv_core.strategy.recommend.interactions import YEAR_DAYS, Interactions
from clv_core.strategy.recommend.price_levels import price_levels

SIGNALS: Final = ("often", "lately", "just_now", "seen", "basket", "together", "taste", "popular", "trending")
"""How often the customer bought it; with a long and with a short memory; saw it without buying; it is bought in one
basket with, and by the buyers of, what she bought; ALS; how many bought it ever, and lately."""
OWN_SIGNALS: Final = ("often", "lately", "just_now")
LONG_HALF_LIFE_DAYS: Final = 120.0
SHORT_HALF_LIFE_DAYS: Final = 30.0


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
