"""How far the errors of a category's tiers go together: what moves one response often moves the others too.

Each error is by how much leaving out a product moves a response (:mod:`clv_core.strategy.pricing.poisson`). The same
product is left out of each tier, so that their moves, product by product, tell what the tiers share. In a dense log of
groceries nearly all of it is shared, in a sparse one hardly anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.columns import CATEGORY
from clv_core.strategy.pricing.poisson import Estimate, Floats
from clv_core.strategy.segments import TIER

OTHER: Final = "other"
COLUMNS: Final = (CATEGORY, TIER, OTHER)


def shared_errors(category: str, measured: Mapping[str, Mapping[int, Estimate]]) -> list[dict[str, Any]]:
    """Return one row a pair of tiers: category, tier, other, and the correlation of the errors of each response.

    Args:
        category: whose responses.
        measured: estimates by tier, by the name of the response.
    """
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for response, found in measured.items():
        for one, two in combinations(sorted(found), 2):
            row = rows.setdefault((one, two), {CATEGORY: category, TIER: one, OTHER: two})
            both = found[one].error * found[two].error
            row[response] = float(found[one].moves @ found[two].moves) / both if both > 0 else 0.0
    return list(rows.values())


def correlation(together: pd.DataFrame, category: str, response: str, tiers: list[int]) -> Floats:
    """Return the correlations of the errors of a category's responses, [k, k].

    Args:
        together: rows of :func:`shared_errors`, of all categories.
        category: one of them.
        response: name of the response.
        tiers: what each response was measured on; the same response may be asked for several times, [k].
    """
    mine = together[together[CATEGORY] == category]
    known = {(one, two): value for one, two, value in zip(mine[TIER], mine[OTHER], mine[response], strict=True)}
    pairs = [[1.0 if one == two else known[min(one, two), max(one, two)] for two in tiers] for one in tiers]
    return np.asarray(pairs, np.float64)
