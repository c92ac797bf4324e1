"""What is bought together, counted in the engine: by basket, and by customer.

The similarity of two products is the cosine of who bought them, n_ab / sqrt(n_a n_b), shrunk towards 0 where the two
met rarely: times n_ab / (n_ab + shrink).
Source: Sarwar, Karypis, Konstan, Riedl (2001), Item-based collaborative filtering; Bell and Koren (2007) for shrinkage.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clv_core.strategy.recommend.lines import YEAR_DAYS, Lines

SHRINK: Final = 10.0
FEWEST: Final = 3
"""Two products that met less often say nothing of each other."""
NEIGHBOURS: Final = 50
MOST_IN_UNIT: Final = 60
"""Products of a basket, or a customer's latest ones, that are paired: pairs grow with the square."""


def by_basket(lines: Lines, cutoff_day: int) -> sparse.csr_array:
    """Return how near products are by the baskets of the year before the cutoff; a day without order ids is one basket.

    Returns:
        Similarity in [0, 1), at most :data:`NEIGHBOURS` a row, [p, p]; the diagonal is empty.
    """
    table = lines.table
    rows = table.filter(table.bought, table.day < cutoff_day, table.day >= cutoff_day - YEAR_DAYS)
    units = rows.select("customer", "day", "order", "product").distinct()
    return _near(lines, units, ("customer", "day", "order"), units.product)


def by_customer(lines: Lines, cutoff_day: int) -> sparse.csr_array:
    """Return how near products are by who bought both among the latest products of each customer, [p, p]."""
    table = lines.table
    rows = table.filter(table.bought, table.day < cutoff_day)
    units = rows.group_by("customer", "product").agg(last=rows.day.max())
    return _near(lines, units, ("customer",), units["last"].desc())


def _near(lines: Lines, units: Any, keys: tuple[str, ...], first: Any) -> sparse.csr_array:
    """Return the nearest products of each, by the units (rows of ``keys``) that hold both."""
    import ibis

    place = ibis.row_number().over(group_by=keys, order_by=[first, units.product])
    few = units.mutate(place=place)
    few = few.filter(few.place < MOST_IN_UNIT).select(*keys, "product")
    few = lines.connection.create_table(f"units_of_{len(keys)}", few, temp=True, overwrite=True)
    counts = few.group_by("product").agg(units=few.count())
    frequent = counts.filter(counts.units >= FEWEST)
    left = few.semi_join(frequent, "product")
    right = left.view()
    met = left.join(right, [*keys, left["product"] < right["product"]], rname="{name}_b").select("product", "product_b")
    pairs = met.group_by("product", "product_b").agg(both=met.count())
    pairs = pairs.filter(pairs.both >= FEWEST).to_pyarrow()
    a, b, both = (pairs[name].to_numpy() for name in ("product", "product_b", "both"))
    known = counts.to_pyarrow()
    size = np.zeros(len(lines.product_ids))
    size[known["product"].to_numpy()] = known["units"].to_numpy()
    similarity = both / np.sqrt(size[a] * size[b]) * both / (both + SHRINK)
    return _nearest(np.r_[a, b], np.r_[b, a], np.r_[similarity, similarity], len(size))


def _nearest(
    row: NDArray[np.int64], column: NDArray[np.int64], similarity: NDArray[np.float64], products: int
) -> sparse.csr_array:
    order = np.lexsort((column, -similarity, row))
    row, column, similarity = row[order], column[order], similarity[order]
    place = np.arange(len(row)) - np.searchsorted(row, row)
    keep = place < NEIGHBOURS
    values = similarity[keep].astype(np.float32)
    return sparse.csr_array((values, (row[keep], column[keep])), shape=(products, products))
