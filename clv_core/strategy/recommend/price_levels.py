"""Price levels: how expensive a product is within its category, and how expensive a customer buys.

A product's level is the rank of its usual price among the products of its category, 0 (cheapest) to 1. A customer's
own level is the mean level of what she bought. The target level is above it for high-value customers and below it for
low-value ones: that step is a rule, not a measurement.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]

MIDDLE: Final = 0.5
MIN_IN_CATEGORY: Final = 3
SHRINK_DAYS: Final = 5.0
"""So many purchases at the middle level are added to each customer's own."""
STEP: Final = 0.15
"""How far the highest tier's target is above its own level, and the lowest tier's below."""
WIDTH: Final = 0.25


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


def target_levels(own: Floats, tier: NDArray[np.int64], tiers: int) -> Floats:
    """Return the target level, 0 to 1, [n].

    Args:
        own: level at which each customer buys, [n].
        tier: 1 is the highest, [n].
        tiers: how many there are.
    """
    place = (np.asarray(tier, np.float64) - 1) / max(tiers - 1, 1)
    return np.clip(own + STEP * (1 - 2 * place), 0, 1)


def price_fit(level: Floats, target: Floats) -> Floats:
    """Return how well a price level fits the target, in (0, 1]; arrays that broadcast."""
    return np.asarray(np.exp(-0.5 * ((level - target) / WIDTH) ** 2))
