"""Score every customer of a dataset as of a cutoff."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import MARK, Terms
from clv_core.errors import NotEnoughData
from clv_core.features.log import open_log
from clv_core.features.season import scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

KEPT: Final = 8
"""Sets of scores for other horizons, rates and margins that are kept of a model."""


def score(
    bundle: Bundle,
    dataset: Dataset,
    *,
    cutoff: date | None = None,
    horizon_days: int | str | None = None,
    discount_rate: float = 0.0,
    margin_rate: float = 1.0,
    progress: Progress,
) -> pd.DataFrame:
    """Predict the value of all customers seen before the cutoff.

    Args:
        bundle: the trained model.
        dataset: the events; those at or after the cutoff are not read.
        cutoff: as of when; None is the log's end.
        horizon_days: how far ahead, in days or ``lifetime``; None is the horizon that the model was trained on.
        discount_rate: yearly rate at which later value is discounted, 0.1 is 10%.
        margin_rate: share of net value that is margin, in (0, 1].
        progress: listener.

    Returns:
        One row a customer, columns of design section 4 (``score``), ordered by customer_id.
    """
    terms = Terms.of(horizon_days, bundle.record["horizon_days"], discount_rate, margin_rate)
    snapshot = snapshot_of(bundle, dataset, cutoff, progress)
    progress.report("scoring", 0, 1)
    frame = score_snapshot(bundle, snapshot, cutoff or dataset.log_end, terms)
    progress.report("scoring", 1, 1)
    return frame


def snapshot_of(bundle: Bundle, dataset: Dataset, cutoff: date | None, progress: Progress) -> Snapshot:
    """Return the customers of a dataset as the model wants to see them; the same for all terms.

    Raises:
        NotEnoughData: the log begins after the cutoff.
    """
    config = TrainConfig.from_json(bundle.record["config"])
    cutoff = cutoff or dataset.log_end
    progress.report("features", 0, 1)
    log = open_log(dataset, before=cutoff, **config.of_log())
    if cutoff <= log.first_day:
        raise NotEnoughData("cutoff_before_log", cutoff=cutoff.isoformat(), first=log.first_day.isoformat())
    return scoring_snapshot(log, cutoff, config.horizon_days, max_steps=config.max_steps_back)


def score_snapshot(bundle: Bundle, snapshot: Snapshot, cutoff: date, terms: Terms) -> pd.DataFrame:
    """Return the scores of a snapshot: ``predicted_clv`` and its quantiles discounted, and of them the margin.

    A chance to buy knows no discount: it is asked for by itself where there is one.
    """
    model = bundle.model
    predictions = model.predict(snapshot, terms.horizon)
    if terms.discount_rate:
        predictions = replace(predictions, p_purchase=model.predict(snapshot, terms.horizon_days).p_purchase)
    if terms.margin_rate != 1:
        values = ("predicted_clv", "clv_p10", "clv_p50", "clv_p90")
        margins = {name: getattr(predictions, name) * terms.margin_rate for name in values}
        predictions = replace(predictions, **margins)
    return predictions.frame(snapshot.features.index, cutoff, terms.horizon_days, bundle.id)


def scores_path(
    workspace: Workspace, bundle: Bundle, dataset: Dataset, cutoff: date | None = None, terms: Terms | None = None
) -> Path:
    """Return where the scores of a model as of a cutoff (default: log end) are kept.

    Args:
        workspace: where.
        bundle: the model.
        dataset: who is scored.
        cutoff: as of when.
        terms: what they speak of; None is the trained horizon without discount or margin.
    """
    as_of = cutoff or dataset.log_end
    mark = "" if terms is None or terms.plain(bundle.record["horizon_days"]) else f"-{terms.mark}"
    return workspace.predictions / bundle.id / f"{dataset.name}-{dataset.manifest.version}-{as_of:%Y%m%d}{mark}.parquet"


def let_go(folder: Path) -> None:
    """Remove a model's scores for other terms than the plain ones, but for those that were made last."""
    other = [path for path in folder.glob("*.parquet") if re.search(rf"-\d{{8}}-{MARK}\.parquet$", path.name)]
    for path in sorted(other, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
        path.unlink(missing_ok=True)
