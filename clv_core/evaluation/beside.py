"""What a model's holdout is read beside: the best simple model, both in one order of customers, and the level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.bootstrap import Bootstrap, Estimate
from clv_core.evaluation.metrics import METRICS

BASELINES: Final = ("naive", "bgnbd")
"""Models that every training is measured beside; of equal ones the later is named."""
EXACT: Final = 0.005
"""A total that is off by less rounds to 0%."""

ROWS: Final = (CUSTOMER_ID, "p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90", "actual")
"""What is asked of a model's rows of a holdout."""

SPAN: Final = "holdout"
OURS, THEIRS = "ours", "theirs"
RESAMPLES: Final = 200

Level = Literal["exact", "high", "low", "none"]
Standing = Literal["ahead", "behind", "level_with", "beside"]


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


def advantages_of(ours: pd.DataFrame, theirs: pd.DataFrame, metrics: Sequence[str]) -> dict[str, Estimate]:
    """Return by how much a model is better than a simple one on the span held out, with its 95% interval, by metric.

    A metric is left out where nothing can be said: one of them is not there, the figure does not exist, or it is the
    total, of which one span says nothing sure (:data:`~clv_core.evaluation.scoreboard.FEWEST_LEVELS`).

    Args:
        ours: predictions of the model in question and what came, as :func:`in_order` returns them.
        theirs: the same of the simple model, of the same customers; empty for none.
        metrics: ids of ``METRICS``.
    """
    asked = tuple(metric for metric in metrics if METRICS[metric].better != "zero")
    if not asked or ours.empty or len(ours) != len(theirs):
        return {}
    # Rows are the same customers in the same order: their places are as good as their names, and far cheaper.
    both = pd.concat([ours.assign(model=OURS), theirs.assign(model=THEIRS)], ignore_index=True)
    both[CUSTOMER_ID] = np.tile(np.arange(len(ours)), 2)
    found = Bootstrap.of(both.assign(origin=SPAN), asked, resamples=RESAMPLES)
    known = [metric for metric in asked if all((SPAN, name, metric) in found.values for name in (OURS, THEIRS))]
    return {metric: found.advantage(OURS, THEIRS, metric) for metric in known}


def standing_of(advantage: Estimate | None) -> Standing:
    """Return whether a model is surely ahead or behind, whether that may be chance, or that nothing can be said."""
    if advantage is None:
        return "beside"
    return "ahead" if advantage.low > 0 else "behind" if advantage.high < 0 else "level_with"


def in_order(holdout: pd.DataFrame) -> pd.DataFrame:
    """Return one model's rows of a holdout in the order of customers, the same for all of its models."""
    if holdout[CUSTOMER_ID].is_monotonic_increasing:
        return holdout.reset_index(drop=True)
    return holdout.sort_values(CUSTOMER_ID, ignore_index=True)


def level_of(bias: float | None) -> Level:
    """Return whether a total was met, overstated or understated, or that there was none to be met.

    Args:
        bias: the total's error, a share of the actual one; None where that was not above 0.
    """
    if bias is None:
        return "none"
    if abs(bias) < EXACT:
        return "exact"
    return "high" if bias > 0 else "low"
