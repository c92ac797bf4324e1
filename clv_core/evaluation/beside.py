"""What a model's holdout is read beside: the best simple model, both in one order of customers, and the level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.metrics import METRICS

BASELINES: Final = ("naive", "bgnbd")
"""Models that every training is measured beside; of equal ones the later is named."""
EXACT: Final = 0.005
"""A total that is off by less rounds to 0%."""

Level = Literal["exact", "high", "low"]


def best_baseline(baselines: Mapping[str, Mapping[str, float]], metric: str) -> str:
    """Return the id of the simple model that is best on a metric; "" where none was measured.

    Args:
        baselines: of a bundle's record: metrics by model.
        metric: id of ``METRICS``.
    """
    best = ""
    for name in BASELINES:
        if metric not in baselines.get(name, {}):
            continue
        ours, theirs = (np.array(baselines[one][metric]) for one in (name, best or name))
        if METRICS[metric].advantage(ours, theirs) >= 0:
            best = name
    return best


def rows_of(holdout: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return one model's rows of a holdout in the order of customers, the same for all of its models."""
    return holdout[holdout["model"] == model].sort_values(CUSTOMER_ID, ignore_index=True)


def level_of(bias: float) -> Level:
    """Return whether a total was met, overstated or understated.

    Args:
        bias: the total's error, a share of the actual one.
    """
    if abs(bias) < EXACT:
        return "exact"
    return "high" if bias > 0 else "low"
