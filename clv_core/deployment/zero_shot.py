"""Zero-shot predictions: the pre-trained network is saved as a bundle of a dataset, without training, and scores it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from clv_core.collection import recommended_horizon
from clv_core.collection.privacy import without_objected
from clv_core.collection.store import Dataset, open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle, list_bundles, save_bundle
from clv_core.deployment.model_record import ModelRecord
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_scores import Scored, score
from clv_core.deployment.scoring_warnings import signals_of
from clv_core.evaluation import Evidence, Figures, LogFacts, find_change, top_share
from clv_core.features import open_log
from clv_core.jobs import Progress
from clv_core.model import Law
from clv_core.model.instant import InstantModel, load_network, shipped_record
from clv_core.training import Cost, Fitted, peak_memory_mb
from clv_core.workspace import Workspace

MODEL: Final = "instant"


@dataclass(frozen=True)
class ZeroShotResult:
    """Summary of the zero-shot scores of a dataset.

    Args:
        scored: the dataset by the untrained model.
        customers: how many are predicted.
        predicted_total: sum of their predicted value, in the log's currency.
        top_share: share of it of the tenth with the highest values; 0 where all values are 0.
        seconds: duration.
    """

    scored: Scored
    customers: int
    predicted_total: float
    top_share: float
    seconds: float


def zero_shot(
    workspace: Workspace, name: str, *, horizon_days: int | None = None, progress: Progress
) -> ZeroShotResult:
    """Predict a dataset's customers by the network that ships with the program, and save the scores.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        horizon_days: length of the predicted span; None is the recommended one.
        progress: listener.

    Raises:
        NotEnoughData: the log holds no event, or every purchase has an amount of 0.
    """
    started = time.monotonic()
    dataset = without_objected(workspace, open_dataset(workspace, name))
    dataset.check_value()
    scored = Scored.of(workspace, dataset, _bundle(workspace, dataset, horizon_days, progress))
    values = score(scored, progress=progress)["predicted_clv"].to_numpy(np.float64)
    return ZeroShotResult(scored, len(values), float(values.sum()), top_share(values), time.monotonic() - started)


def _bundle(workspace: Workspace, dataset: Dataset, horizon_days: int | None, progress: Progress) -> Bundle:
    """Save the untrained network as a bundle of a dataset; the verdict is from the log alone.

    It is no version until a user keeps it. Those of earlier data that were not kept are removed.
    """
    horizon = recommended_horizon(dataset).days if horizon_days is None else horizon_days
    config = TrainConfig(horizon_days=horizon, model=MODEL, attributes=False, review_text=False)
    progress.report("features", 0, 1)
    started = time.monotonic()
    log = open_log(dataset, **config.of_log())
    try:
        evidence = Evidence(horizon, None, LogFacts.of(log), find_change(log, horizon), untrained=True)
        end = log.end
    finally:
        log.close()
    fitted = Fitted(InstantModel(horizon, (load_network(),), law=Law(math.inf)), [])
    cost = Cost(time.monotonic() - started, peak_memory_mb())
    record = replace(
        ModelRecord.of(dataset, config, end, Figures({}, {}, None, evidence), (), (cost, cost)),
        signals=signals_of(fitted.model, dataset, config),
        untrained=True,
        pretrained=shipped_record(),
    )
    bundle = save_bundle(workspace, f"{dataset.name}-first-look-{end:%Y%m%d}", fitted, record, None)
    _remove_outdated(workspace, bundle)
    return bundle


def _remove_outdated(workspace: Workspace, latest: Bundle) -> None:
    """Remove first looks at other versions of the same dataset that are no version of a model."""
    registry, dataset = Registry(workspace), latest.record.dataset
    looks = [bundle for bundle in list_bundles(workspace, dataset.name) if bundle.untrained]
    outdated = [bundle.id for bundle in looks if bundle.record.dataset != dataset and registry.find(bundle.id) is None]
    registry.forget(outdated)
