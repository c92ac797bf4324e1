"""Score every customer of a dataset as of a cutoff."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.errors import NotEnoughData, UsageError
from clv_core.features.log import open_log
from clv_core.features.season import scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import Progress
from clv_core.model.predictions import Predictions
from clv_core.workspace import Workspace

DISCOUNT_POINTS: Final = 12
DAYS_PER_YEAR: Final = 365.25


def score(
    bundle: Bundle,
    dataset: Dataset,
    *,
    cutoff: date | None = None,
    horizon_days: int | None = None,
    discount_rate: float = 0.0,
    margin_rate: float = 1.0,
    progress: Progress,
) -> pd.DataFrame:
    """Predict the value of all customers seen before the cutoff.

    Args:
        bundle: the trained model.
        dataset: the events; those at or after the cutoff are not read.
        cutoff: as of when; None is the log's end.
        horizon_days: how far ahead; None is the horizon that the model was trained on.
        discount_rate: yearly rate at which later value is discounted, 0.1 is 10%.
        margin_rate: share of net value that is margin, in (0, 1].
        progress: listener.

    Returns:
        One row a customer, columns of design section 4 (``score``), ordered by customer_id.
    """
    if not 0 < margin_rate <= 1 or not 0 <= discount_rate < 10:
        raise UsageError("bad_rates", margin_rate=margin_rate, discount_rate=discount_rate)
    config = TrainConfig.from_json(bundle.record["config"])
    horizon = horizon_days or config.horizon_days
    cutoff = cutoff or dataset.log_end
    progress.report("features", 0, 1)
    log = open_log(dataset, before=cutoff, **config.of_log())
    if cutoff <= log.first_day:
        raise NotEnoughData("cutoff_before_log", cutoff=cutoff.isoformat(), first=log.first_day.isoformat())
    snapshot = scoring_snapshot(log, cutoff, config.horizon_days, max_steps=config.max_steps_back)
    progress.report("scoring", 0, 1)
    predictions = bundle.model.predict(snapshot, horizon)
    factor = margin_rate * discount_factor(snapshot, horizon, discount_rate)
    predictions = scaled(predictions, factor)
    progress.report("scoring", 1, 1)
    return predictions.frame(snapshot.features.index, cutoff, horizon, bundle.id)


def scores_path(workspace: Workspace, bundle: Bundle, dataset: Dataset, cutoff: date | None = None) -> Path:
    """Return where the plain scores of a model as of a cutoff (default: log end) are kept."""
    as_of = cutoff or dataset.log_end
    return workspace.predictions / bundle.id / f"{dataset.name}-{dataset.manifest.version}-{as_of:%Y%m%d}.parquet"


def scaled(predictions: Predictions, factor: NDArray[np.float64]) -> Predictions:
    """Return the predictions with every value multiplied by ``factor`` [n]."""
    values = ("predicted_clv", "clv_p10", "clv_p50", "clv_p90")
    return replace(predictions, **{name: getattr(predictions, name) * factor for name in values})


def discount_factor(snapshot: Snapshot, horizon_days: int, yearly_rate: float) -> NDArray[np.float64]:
    """Return what share of each customer's value is left after discounting, [n] in (0, 1].

    Value is spread over the horizon as the anchor expects purchases to fall; customers who have never bought, evenly.
    """
    factor = np.ones(len(snapshot))
    if yearly_rate == 0:
        return factor
    edges = np.linspace(0, horizon_days, DISCOUNT_POINTS + 1)
    weights = (1 + yearly_rate) ** (-(edges[:-1] + edges[1:]) / 2 / DAYS_PER_YEAR)
    for day, anchor in snapshot.anchors.items():
        rows = np.flatnonzero(snapshot.cutoff_day == day)
        features = snapshot.features.iloc[rows]
        counts = np.column_stack([anchor.expected_count(features, edge) for edge in edges])
        parts = np.diff(counts, axis=1)
        total = parts.sum(axis=1)
        parts[total <= 1e-12] = 1.0
        factor[rows] = parts @ weights / parts.sum(axis=1)
    return factor
