"""Collaborative filtering: products that are bought by the same customers or in one basket, and factors by ALS.

The similarity of two products is the cosine of who bought them, n_ab / sqrt(n_a n_b), shrunk towards 0 where few did:
times n_ab / (n_ab + shrink).

Sources: Sarwar, Karypis, Konstan, Riedl (2001), Item-based collaborative filtering; Bell and Koren (2007) for
shrinkage; Hu, Koren, Volinsky (2008), Collaborative filtering for implicit feedback datasets, by ``implicit``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from clv_core.strategy.recommend.interactions import YEAR_DAYS, Interactions

SHRINK: Final = 10.0
"""Customers in common at which the cosine of two products counts half: a guess."""
MIN_COMMON: Final = 3
"""Pairs that were bought together less often have no similarity."""
NEIGHBOURS: Final = 50
"""Most similar products that are stored of each."""
MAX_PER_UNIT: Final = 60
"""Products of a basket, or a customer's latest ones, that are paired: pairs grow with the square."""
BLOCK_CELLS: Final = 4_000_000
"""So many cells of products by products are held at once."""

MIN_CATALOGUE, MIN_CUSTOMERS = 500, 200
"""Products and customers of a log that factors are fitted to; in a smaller one they would fit chance. Guesses."""
MIN_BUYERS: Final = 5
"""Buyers of a product that factors may propose: its factors are chance with fewer. A guess."""
PROPOSED: Final = 200
"""Products proposed to each customer by factors."""
FACTORS, REGULARIZATION, CONFIDENCE, ITERATIONS = 64, 1.0, 5.0, 10
"""Size, shrinkage, weight of log(1 + purchases), and sweeps of ALS: not tuned. How much its signal counts is chosen on
the log (:func:`.ranking.choose_blend`)."""
SEED: Final = 1  # any number: the same log gives the same result


def place_in_row(row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place, from 0, of each entry among those of its row; ``row`` is sorted, [k]."""
    return np.arange(len(row)) - np.searchsorted(row, row)


def basket_similarity(interactions: Interactions, cutoff_day: int) -> sparse.csr_array:
    """Return the similarity of products by the baskets of the year before the cutoff, [p, p].

    A customer's purchases of a day that have no order id are one basket.
    """
    table = interactions.table
    rows = table.filter(table.bought, table.day < cutoff_day, table.day >= cutoff_day - YEAR_DAYS)
    baskets = rows.group_by("customer", "day", "order").agg(
        products=rows["product"].collect(distinct=True, order_by=rows["product"])[:MAX_PER_UNIT]
    )
    lists = baskets.products.to_pyarrow().combine_chunks()
    products, starts = lists.values.to_numpy(), lists.offsets.to_numpy()
    shape = (len(lists), len(interactions.product_ids))
    return similarity(sparse.csr_array((np.ones(len(products), np.float32), products, starts), shape=shape))


def customer_similarity(last: sparse.csr_array) -> sparse.csr_array:
    """Return the similarity of products by the customers who bought both, [p, p].

    Args:
        last: days since each customer last bought each product, [n, p]; only the latest products count.
    """
    row = np.repeat(np.arange(last.shape[0]), np.diff(last.indptr))
    order = np.lexsort((last.indices, last.data, row))
    latest = order[place_in_row(row) < MAX_PER_UNIT]
    ones = np.ones(len(latest), np.float32)
    return similarity(sparse.csr_array((ones, (row[latest], last.indices[latest])), shape=last.shape))


def similarity(units: sparse.csr_array) -> sparse.csr_array:
    """Return the shrunk cosine of products, at most :data:`NEIGHBOURS` a row, the diagonal empty, [p, p].

    Args:
        units: 1 where a unit (a basket or a customer) has a product, [u, p].
    """
    size = np.asarray(units.sum(axis=0), np.float64)
    by_product = sparse.csr_array(units.T)
    step = max(1, BLOCK_CELLS // len(size))
    parts = []
    for begin in range(0, len(size), step):
        # The neighbours of `implicit` cut to the nearest before the shrinkage, and count no pair; this product does.
        common = sparse.coo_array(by_product[begin : begin + step] @ units)
        row, column, both = common.row.astype(np.int64) + begin, common.col, common.data.astype(np.float64)
        keep = (both >= MIN_COMMON) & (row != column)
        row, column, both = row[keep], column[keep], both[keep]
        value = both / np.sqrt(size[row] * size[column]) * both / (both + SHRINK)
        order = np.lexsort((column, -value, row))
        nearest = order[place_in_row(row[order]) < NEIGHBOURS]
        parts.append((value[nearest].astype(np.float32), row[nearest], column[nearest]))
    value, row, column = (np.concatenate(some) for some in zip(*parts, strict=True))
    return sparse.csr_array((value, (row, column)), shape=(len(size), len(size)))


@dataclass(frozen=True, eq=False)
class AlsFactors:
    """Factors whose product is how well a product fits a customer.

    Args:
        model: ``implicit.als.AlternatingLeastSquares`` of all customers and products.
        common: numbers of the products with at least :data:`MIN_BUYERS` buyers: only these are proposed, [q].
    """

    model: Any
    common: NDArray[np.int64]

    def propose(self, rows: NDArray[np.int64]) -> sparse.csr_array:
        """Return the best-fitting products of some customers with their fit, [m, p]; none for row -1."""
        shape = (len(rows), len(self.model.item_factors))
        customer = np.flatnonzero(rows >= 0)
        with threadpool_limits(1):
            product, fit = self.model.recommend(
                rows[customer], None, PROPOSED, filter_already_liked_items=False, items=self.common
            )
        fit = np.maximum(fit, 0.0)
        entries = (fit.ravel(), (np.repeat(customer, fit.shape[1]), product.ravel()))
        proposed = sparse.csr_array(entries, shape=shape)
        proposed.eliminate_zeros()
        return proposed

    def fit(self, rows: NDArray[np.int64], product: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the fit, >= 0, of each customer with one product, [m]; 0 for row -1."""
        fit = np.einsum("ij,ij->i", self.model.user_factors[np.maximum(rows, 0)], self.model.item_factors[product])
        return np.where(rows >= 0, np.maximum(fit, 0.0), 0.0).astype(np.float32)


def fit_als(bought: sparse.csr_array) -> AlsFactors | None:
    """Return the factors of who bought what how much, [n, p]; None where customers or products are few."""
    buyers = int((np.diff(bought.indptr) > 0).sum())
    if buyers < MIN_CUSTOMERS or len(np.unique(bought.indices)) < MIN_CATALOGUE:
        return None
    from implicit.als import AlternatingLeastSquares

    weights = sparse.csr_matrix(bought, dtype=np.float32)
    weights.data = np.float32(CONFIDENCE) * np.log1p(weights.data)
    with threadpool_limits(1):
        model = AlternatingLeastSquares(
            factors=min(FACTORS, weights.shape[1] // 8),
            regularization=REGULARIZATION,
            iterations=ITERATIONS,
            num_threads=1,
            random_state=SEED,
        )
        model.fit(weights, show_progress=False)
    common = np.flatnonzero(np.bincount(bought.indices, minlength=bought.shape[1]) >= MIN_BUYERS)
    return AlsFactors(model, common)
