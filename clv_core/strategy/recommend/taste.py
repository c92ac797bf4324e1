"""Taste: factors of customers and products by alternating least squares, where the catalogue is large.

Source: Hu, Koren, Volinsky (2008), Collaborative filtering for implicit feedback datasets; the library ``implicit``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

LARGE_CATALOGUE: Final = 500
FEWEST_CUSTOMERS: Final = 200
FEWEST_BUYERS: Final = 5
PROPOSED: Final = 200
FACTORS: Final = 64
REGULARIZATION: Final = 1.0
CONFIDENCE: Final = 5.0
ITERATIONS: Final = 10
SEED: Final = 1


@dataclass(frozen=True, eq=False)
class Taste:
    """Factors whose product says how well a product fits a customer.

    Args:
        customers: [n, k].
        products: [p, k].
        common: numbers of the products that enough customers bought: only these are proposed by taste, [q].
    """

    customers: NDArray[np.float32]
    products: NDArray[np.float32]
    common: NDArray[np.int64]

    def proposed(self, rows: NDArray[np.int64]) -> sparse.csr_array:
        """Return the best-fitting products of some customers (-1: unknown, nothing) with their fit, [m, p]."""
        with threadpool_limits(1):
            fits = self.customers[np.maximum(rows, 0)] @ self.products[self.common].T
        most = min(PROPOSED, fits.shape[1])
        best = np.argpartition(-fits, most - 1, axis=1)[:, :most]
        value = np.maximum(np.take_along_axis(fits, best, 1), 0.0)
        value[rows < 0] = 0.0
        row = np.repeat(np.arange(len(rows)), most)
        shape = (len(rows), len(self.products))
        found = sparse.csr_array((value.ravel(), (row, self.common[best].ravel())), shape=shape)
        found.eliminate_zeros()
        return found

    def at(self, rows: NDArray[np.int64], product: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the fit, >= 0, of each customer with one product, [m]."""
        found = np.einsum("ij,ij->i", self.customers[np.maximum(rows, 0)], self.products[product])
        return np.where(rows >= 0, np.maximum(found, 0.0), 0.0).astype(np.float32)


def fit_taste(bought: sparse.csr_array) -> Taste | None:
    """Return the factors of who bought what how much, [n, p]; None where customers or products are few."""
    buyers = int((np.diff(bought.indptr) > 0).sum())
    if buyers < FEWEST_CUSTOMERS or len(np.unique(bought.indices)) < LARGE_CATALOGUE:
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
    common = np.flatnonzero(np.bincount(bought.indices, minlength=bought.shape[1]) >= FEWEST_BUYERS)
    return Taste(np.asarray(model.user_factors, np.float32), np.asarray(model.item_factors, np.float32), common)
