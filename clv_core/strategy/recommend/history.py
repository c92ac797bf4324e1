"""What each customer bought before a cutoff, and how strongly each part of the past speaks for each product.

``PARTS`` names the parts; :meth:`History.strengths` gives them for some customers and all products.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clv_core.strategy.recommend.grades import grades
from clv_core.strategy.recommend.lines import LONG, SHORT, YEAR_DAYS, Lines
from clv_core.strategy.recommend.taste import Taste, fit_taste
from clv_core.strategy.recommend.together import by_basket, by_customer

Floats = NDArray[np.float32]

PARTS: Final = ("often", "lately", "just_now", "seen", "basket", "together", "taste", "popular", "trending")
"""How often the customer bought it; with a long and with a short memory; looked at it without buying; what is bought in
one basket with, and by the buyers of, what she bought; what ALS says of her taste; how many bought it ever, and
lately."""
OWN: Final = ("often", "lately", "just_now")
REASONS: Final = {
    **dict.fromkeys(OWN, "again"),
    "seen": "seen",
    "basket": "together",
    "together": "together",
    "taste": "taste",
    "popular": "popular",
    "trending": "popular",
}


@dataclass(frozen=True, eq=False)
class History:
    """The past as of a cutoff; rows are customers, columns products.

    Args:
        days: on how many days bought, [n, p].
        last: days from the last purchase to the cutoff, plus 1, [n, p].
        long: days bought, each counted half after 120 days, [n, p].
        short: the same after 30 days, [n, p].
        seen: days looked at (any event but a purchase or return), half after 30 days, [n, p].
        spent: money of the last 365 days, [n].
        basket: nearness by basket, [p, p].
        together: nearness by customer, [p, p].
        grade: price level of the products, [p].
        taste: factors of customers and products; None where the catalogue is small.
    """

    days: sparse.csr_array
    last: sparse.csr_array
    long: sparse.csr_array
    short: sparse.csr_array
    seen: sparse.csr_array
    spent: NDArray[np.float64]
    basket: sparse.csr_array
    together: sparse.csr_array
    grade: NDArray[np.float64]
    taste: Taste | None = None

    @classmethod
    def at(cls, lines: Lines, cutoff_day: int) -> History:
        """Return what is known at a cutoff; nothing at or after it is read."""
        table = lines.table
        known = table.filter(table.day < cutoff_day)
        days = known.group_by("customer", "product", "bought", "day").agg(amount=known.amount.sum())
        age = cutoff_day - days.day
        pairs = days.group_by("customer", "product", "bought").agg(
            days=days.count(),
            last=age.min(),
            long=(0.5 ** (age / LONG)).sum().round(6),
            short=(0.5 ** (age / SHORT)).sum().round(6),
            spent=days.amount.sum(where=age <= YEAR_DAYS).round(4),
        )
        rows = pairs.order_by("customer", "product").to_pyarrow()
        column = {name: rows[name].to_numpy() for name in rows.column_names}
        shape = (len(lines.customer_ids), len(lines.product_ids))
        bought = column["bought"].astype(bool)

        def matrix(name: str, which: NDArray[np.bool_], more: float = 0.0) -> sparse.csr_array:
            values = column[name][which].astype(np.float32) + np.float32(more)
            return sparse.csr_array((values, (column["customer"][which], column["product"][which])), shape=shape)

        long, short = matrix("long", bought), matrix("short", bought)
        history = cls(
            days=matrix("days", bought),
            last=matrix("last", bought, 1.0),
            long=long,
            short=short,
            seen=matrix("short", ~bought),
            spent=np.bincount(column["customer"], np.nan_to_num(column["spent"]), minlength=shape[0]).astype(
                np.float64
            ),
            basket=by_basket(lines, cutoff_day),
            together=by_customer(lines, cutoff_day),
            grade=grades(lines.products(cutoff_day)),
        )
        return replace(history, taste=fit_taste(long + short))

    @cached_property
    def popular(self) -> Floats:
        """How many customers bought each product, [p]."""
        return np.bincount(self.days.indices, minlength=self.days.shape[1]).astype(np.float32)

    @cached_property
    def most_popular(self) -> dict[str, NDArray[np.int64]]:
        """The products by ``popular`` and by ``trending``, the highest first, [p] each."""
        return {name: np.argsort(-getattr(self, name), kind="stable") for name in ("popular", "trending")}

    @cached_property
    def trending(self) -> Floats:
        """How many did lately, each day counted half after 30 days, [p]."""
        return np.asarray(self.short.sum(axis=0), np.float32)

    def strengths(self, rows: NDArray[np.int64]) -> Iterator[tuple[str, Any]]:
        """Yield each part's strength for some customers and all products.

        Args:
            rows: numbers of customers, -1 for one without any line, [m].

        Yields:
            Name of ``PARTS`` and strengths >= 0: sparse [m, p], or [p] where all customers have the same; a part that
            the log does not have is left out.
        """
        pick = _picker(rows, self.days.shape[0])
        long = pick @ self.long
        for name in PARTS:
            if name in ("popular", "trending"):
                yield name, getattr(self, name)
            elif name == "taste":
                if self.taste is not None:
                    yield name, self.taste.proposed(rows)
            elif name in ("basket", "together"):
                yield name, long @ getattr(self, name)
            else:
                source = {"often": self.days, "lately": self.long, "just_now": self.short, "seen": self.seen}[name]
                if source.nnz:
                    yield name, pick @ source


def _picker(rows: NDArray[np.int64], customers: int) -> sparse.csr_array:
    """Return the matrix that takes these rows out of another; -1 takes an empty one."""
    known = np.flatnonzero(rows >= 0)
    ones = np.ones(len(known), np.float32)
    return sparse.csr_array((ones, (known, rows[known])), shape=(len(rows), customers))
