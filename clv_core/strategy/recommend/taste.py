"""Taste: factors of customers and products by alternating least squares, where the catalogue is large.

Source: Hu, Koren, Volinsky (2008), Collaborative filtering for implicit feedback datasets; the library ``implicit``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

LARGE_CATALOGUE: Final = 500
FEWEST_CUSTOMERS: Final = 200
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
    """

    customers: NDArray[np.float32]
    products: NDArray[np.float32]

    def strength(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the fit of some customers (-1: unknown, 0 everywhere) with all products, >= 0, [m, p]."""
        found = self.customers[np.maximum(rows, 0)] @ self.products.T
        found[rows < 0] = 0.0
        return np.maximum(found, 0.0, out=found)


def fit_taste(bought: sparse.csr_array) -> Taste | None:
    """Return the factors of who bought what how much, [n, p]; None where customers or products are few."""
    buyers = int((np.diff(bought.indptr) > 0).sum())
    if buyers < FEWEST_CUSTOMERS or len(np.unique(bought.indices)) < LARGE_CATALOGUE:
        return None
    from implicit.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

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
    return Taste(np.asarray(model.user_factors, np.float32), np.asarray(model.item_factors, np.float32))
