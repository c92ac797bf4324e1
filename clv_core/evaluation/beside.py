"""What a model's holdout is read beside: the best simple model, both in one order of customers, and the level."""

from __future__ import annotations

from collections.abc import Mapping
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

SPAN: Final = "holdout"
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


def advantage_of(holdout: pd.DataFrame, model: str, other: str, metric: str) -> Estimate | None:
    """Return by how much a model is better than a simple one on the span held out, with its 95% interval.

    None where nothing can be said: one of them is not there, the figure does not exist, or it is the total, of which
    one span says nothing sure (:data:`~clv_core.evaluation.scoreboard.FEWEST_LEVELS`).

    Args:
        holdout: predictions and what came, rows of all models, told apart by ``model``.
        model: id of the model in question.
        other: id of the simple model; "" for none.
        metric: id of ``METRICS``.
    """
    both = holdout[holdout["model"].isin([model, other])].assign(origin=SPAN)
    if METRICS[metric].better == "zero" or both["model"].nunique() < len((model, other)):
        return None
    bootstrap = Bootstrap.of(both, (metric,), resamples=RESAMPLES)
    known = all((SPAN, name, metric) in bootstrap.values for name in (model, other))
    return bootstrap.advantage(model, other, metric) if known else None


def standing_of(advantage: Estimate | None) -> Standing:
    """Return whether a model is surely ahead or behind, whether that may be chance, or that nothing can be said."""
    if advantage is None:
        return "beside"
    return "ahead" if advantage.low > 0 else "behind" if advantage.high < 0 else "level_with"


def rows_of(holdout: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return one model's rows of a holdout in the order of customers, the same for all of its models."""
    return holdout[holdout["model"] == model].sort_values(CUSTOMER_ID, ignore_index=True)


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
