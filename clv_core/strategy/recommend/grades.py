"""Price levels: how dear a product is within its category, and how dear a customer buys.

A product's grade is the rank of its usual price among the products of its category, 0 (cheapest) to 1 (dearest). A
customer's own level is the mean grade of what she bought. The level that is aimed at lies above it for high-value
customers and below it for low-value ones: that step is a rule, not a measurement.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]

MIDDLE: Final = 0.5
FEWEST_IN_CATEGORY: Final = 3
SHRINK_DAYS: Final = 5.0
"""So many purchases at the middle level are added to each customer's own."""
STEP: Final = 0.15
"""The highest tier is aimed so far above its own level, the lowest so far below."""
WIDTH: Final = 0.25


def grades(products: pd.DataFrame) -> Floats:
    """Return the grade of each product, the middle where its price or the prices around it are unknown, [p].

    Args:
        products: category and price, one row a product.
    """
    priced = products["price"].where(products["price"] > 0)
    known = priced.groupby(products["category"]).transform("count")
    rank = priced.groupby(products["category"]).rank(method="average")
    found = (rank - 0.5) / known.where(known >= FEWEST_IN_CATEGORY)
    return found.fillna(MIDDLE).to_numpy(np.float64)


def own_levels(days: sparse.csr_array, grade: Floats) -> Floats:
    """Return the level at which each customer buys, 0 to 1, [n].

    Args:
        days: on how many days each customer bought each product, [n, p].
        grade: of the products, [p].
    """
    bought = np.asarray(days.sum(axis=1), np.float64)
    return np.asarray((days @ grade + SHRINK_DAYS * MIDDLE) / (bought + SHRINK_DAYS))


def aimed_levels(own: Floats, tier: NDArray[np.int64], tiers: int) -> Floats:
    """Return the level that is aimed at, 0 to 1, [n].

    Args:
        own: level at which each customer buys, [n].
        tier: 1 is the highest, [n].
        tiers: how many there are.
    """
    place = (np.asarray(tier, np.float64) - 1) / max(tiers - 1, 1)
    return np.clip(own + STEP * (1 - 2 * place), 0, 1)


def fit(grade: Floats, aimed: Floats) -> Floats:
    """Return how well a grade fits the level that is aimed at, in (0, 1]; arrays that broadcast."""
    return np.asarray(np.exp(-0.5 * ((grade - aimed) / WIDTH) ** 2))
