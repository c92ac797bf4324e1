"""Compare a model's holdout with the best simple model on the same customers, in ranking and in total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.bootstrap import Bootstrap, Estimate, resampled
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


def both_figures(
    ours: Mapping[str, float], theirs: Mapping[str, float], metrics: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Return the figures of a model and of a simple one by metric, where both were measured."""
    return {metric: (ours[metric], theirs[metric]) for metric in metrics if metric in ours and metric in theirs}


def advantages_of(
    ours: pd.DataFrame, theirs: pd.DataFrame, figures: Mapping[str, tuple[float, float]]
) -> dict[str, Estimate]:
    """Return by how much a model is better than a simple one on the span held out, with its 95% interval, by metric.

    A metric is left out where nothing can be said: one of them is not there, the figure does not exist, or it is the
    total, of which one span says nothing sure (:data:`~clv_core.evaluation.model_scoreboard.FEWEST_LEVELS`).

    Args:
        ours: predictions of the model in question and what came, as :func:`in_order` returns them.
        theirs: the same of the simple model, of the same customers; empty for none.
        figures: of both on all these customers, as they were measured, by id of ``METRICS``: only those who are
            resampled are looked at again.
    """
    asked = {metric: pair for metric, pair in figures.items() if METRICS[metric].better != "zero"}
    if not asked or ours.empty or len(ours) != len(theirs):
        return {}
    # Rows are the same customers in the same order: their places are as good as their names, and far cheaper.
    chosen = resampled(len(ours))
    numbers = [column for column in ROWS if column != CUSTOMER_ID]
    both = pd.concat([rows[numbers].iloc[chosen] for rows in (ours, theirs)], ignore_index=True)
    both[CUSTOMER_ID] = np.tile(np.arange(len(chosen)), 2)
    both["model"] = np.repeat([OURS, THEIRS], len(chosen))
    found = Bootstrap.of(both.assign(origin=SPAN), tuple(asked), resamples=RESAMPLES)
    keys = [(SPAN, name, metric) for metric in asked for name in (OURS, THEIRS)]
    measured = dict(zip(keys, (value for pair in asked.values() for value in pair), strict=True))
    scale = float(np.sqrt(len(chosen) / len(ours)))
    whole = replace(found, values={key: measured[key] for key in found.values}, scale=scale)
    known = [metric for metric in asked if all((SPAN, name, metric) in found.values for name in (OURS, THEIRS))]
    return {metric: whole.advantage(OURS, THEIRS, metric) for metric in known}


def standing_of(advantage: Estimate | None) -> Standing:
    """Return whether a model is surely ahead or behind, whether that may be chance, or that nothing can be said."""
    if advantage is None:
        return "beside"
    return "ahead" if advantage.low > 0 else "behind" if advantage.high < 0 else "level_with"


def in_order(holdout: pd.DataFrame) -> pd.DataFrame:
    """Return one model's rows of a holdout in the order of customers, the same for all of its models."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = pa.array(holdout[CUSTOMER_ID])  # pandas would make a text of each to compare them
    if pc.all(pc.less_equal(ids[:-1], ids[1:]), min_count=0).as_py():
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
