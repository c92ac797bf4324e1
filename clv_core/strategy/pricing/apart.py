"""Whether categories answer prices differently, or only as far apart as the ends of a row of equal ones lie by chance.

Of fifteen categories that answer alike, the intervals of the strongest and the weakest are apart in every second log.
Source: Kramer (1956), Extension of multiple range tests to group means with unequal numbers of replications (with
Tukey's studentized range).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy

from clv_core.strategy.pricing.price_responses import SHARE


def differ_significantly(rows: pd.DataFrame) -> bool:
    """Say whether the strongest of these responses is surely another than the weakest.

    Args:
        rows: elasticity, error and products of two categories at least, of one tier.
    """
    elasticity, error = rows["elasticity"].to_numpy(float), rows["error"].to_numpy(float)
    ends = [int(elasticity.argmin()), int(elasticity.argmax())]
    gap, off = float(np.ptp(elasticity)), float(np.sqrt(np.mean(error[ends] ** 2)))
    freedom = max(int(rows["products"].iloc[ends].min()) - 1, 1)
    by_chance = float(scipy.stats.studentized_range.sf(gap / max(off, 1e-12), len(rows), freedom))
    return gap > 0 and by_chance < 1 - SHARE
