"""What a segment was predicted to bring, and what it brought: predictions as of a cutoff whose horizon has passed.

Three kinds of predictions can be held against the log: those of the holdout (the measured model never saw the span),
scores that were kept and whose horizon the log has passed since, by a model trained on nothing after their cutoff, and
none other: a model that has seen the span would be praised for its memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_evaluation import origin_predictions
from clv_core.deployment.saved_scores import saved_score_files
from clv_core.evaluation.levels import SharedError
from clv_core.evaluation.sums import Summands
from clv_core.strategy.history import net_value, purchase_history, with_history
from clv_core.strategy.schemes.segmentation import Placed
from clv_core.strategy.segments import figures
from clv_core.workspace import Workspace

HOLDOUT, KEPT = "holdout", "kept"
ACTUAL: Final = "actual"


@dataclass(frozen=True)
class Past:
    """Predictions whose horizon has passed.

    Args:
        kind: ``holdout`` or ``kept``.
        cutoff: as of when.
        horizon_days: how far ahead.
        path: of kept scores; None for the holdout.
    """

    kind: str
    cutoff: date
    horizon_days: int
    path: Path | None = None


def past_predictions(workspace: Workspace, bundle: Bundle, dataset: Dataset) -> list[Past]:
    """Return what can be held against the log, the latest cutoff first."""
    horizon = int(bundle.record["horizon_days"])
    found = []
    if bundle.record["holdout"] and bundle.has_holdout:
        found.append(Past(HOLDOUT, date.fromisoformat(bundle.record["holdout"]["cutoff"]), horizon))
    trained = date.fromisoformat(bundle.record["cutoff"])
    for cutoff, path in saved_score_files(workspace, bundle.id, dataset.name):
        if trained <= cutoff <= dataset.log_end - timedelta(days=horizon):
            found.append(Past(KEPT, cutoff, horizon, path))
    return sorted(found, key=lambda one: one.cutoff, reverse=True)


def read_past(past: Past, bundle: Bundle, dataset: Dataset) -> pd.DataFrame:
    """Return the customers of past predictions with scores, the history of that day, and ``actual``.

    ``actual`` is net value in the horizon, in the log's currency.
    """
    scored = bundle.holdout(bundle.record["model"]) if past.path is None else None
    if scored is None:
        scored = pd.read_parquet(str(past.path))
        came = net_value(dataset, past.cutoff, past.cutoff + timedelta(days=past.horizon_days))
        scored = scored.assign(**{ACTUAL: came.reindex(scored[CUSTOMER_ID]).fillna(0.0).to_numpy()})
    return with_history(scored, purchase_history(dataset, past.cutoff), past.cutoff)


def error_of_others(workspace: Workspace, bundle: Bundle, past: Past) -> SharedError | None:
    """Return what other origins than this one say of shared errors: what is judged must not judge itself."""
    others = {
        day: frame for day, frame in origin_predictions(workspace, bundle).items() if day != past.cutoff.isoformat()
    }
    return SharedError.of(list(others.values()))


def realised(customers: pd.DataFrame, placed: Placed, shared: SharedError | None) -> pd.DataFrame:
    """Return what each segment was predicted to bring, and what it brought.

    Args:
        customers: of :func:`read_past`, [n].
        placed: where they were.
        shared: of :func:`error_of_others`.

    Returns:
        One row a segment: customers, predicted, low and high (80% interval, NaN where no other origin is known),
        actual, ratio (actual over predicted, NaN where nothing was predicted), buyers_predicted, buyers_actual.
    """
    members, where = placed.members()
    rows = figures(customers, members, where, placed.count, None if shared is None else Summands.of(customers, shared))
    actual = customers[ACTUAL].to_numpy(float)
    came, bought = (
        np.bincount(where, amounts[members], minlength=placed.count) for amounts in (actual, (actual > 0).astype(float))
    )
    predicted = rows["value_sum"].to_numpy()
    return pd.DataFrame(
        {
            "customers": rows["customers"],
            "predicted": predicted,
            "low": rows["value_sum_low"],
            "high": rows["value_sum_high"],
            "actual": came,
            "ratio": np.divide(came, predicted, out=np.full(len(came), np.nan), where=predicted > 0),
            "buyers_predicted": rows["buyers_expected"],
            "buyers_actual": bought,
        }
    )
