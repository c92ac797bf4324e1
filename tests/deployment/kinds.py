"""A model of each kind that is scored away from ``score``, quickly fitted; nothing is measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from clv_core.collection.store.version_store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle, save_bundle
from clv_core.deployment.model_record import ModelRecord
from clv_core.deployment.scoring_warnings import signals_of
from clv_core.evaluation.evidence import Evidence, Figures
from clv_core.features.log import open_log
from clv_core.jobs import NoProgress
from clv_core.model.blend import BlendModel, SimpleMembers
from clv_core.model.boosting import BoostingModel
from clv_core.model.deep import DeepModel
from clv_core.model.instant.model import InstantModel, load_network
from clv_core.training.cost import Cost
from clv_core.training.fit import MODELS, FitTask, Fitted, Model
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace

CONFIG: Final = TrainConfig(horizon_days=60, ensemble=2, steps=30, cutoffs=3, processes=1, device="cpu")
KINDS: Final = ("bgnbd", "paretonbd", "lightgbm", "hybrid", "blend")


def keep_kinds(workspace: Workspace, dataset: Dataset, folder: Path) -> Iterator[Bundle]:
    """Yield a bundle of each of :data:`KINDS`, kept as ``train`` keeps them, before the next one is kept."""
    log = open_log(dataset)
    fitted: dict[str, Model] = {}
    for kind in KINDS[:-1]:
        config = replace(CONFIG, model=kind)
        data = training_data(log, log.end, config, NoProgress())
        fitted[kind] = MODELS[kind].fit(FitTask(data, config, folder / kind, NoProgress(), "training")).model
    log.close()
    assert isinstance(fitted["hybrid"], DeepModel)  # what a blend is, but for the tuning:
    boosting = fitted["lightgbm"]
    assert isinstance(boosting, BoostingModel) and boosting.encoder == fitted["hybrid"].encoder.table
    weights = {"hybrid": 0.32, "instant_tuned": 0.32, "lightgbm": 0.32, "bgnbd": 0.04}  # as earlier versions weighed
    simple = SimpleMembers(boosting.money, 1.0, weights, boosting.value)
    fitted["blend"] = BlendModel(fitted["hybrid"], InstantModel(60, (load_network(),), 500.0), simple)
    for kind in KINDS:
        yield kept(workspace, dataset, replace(CONFIG, model=kind), fitted[kind])


def kept(workspace: Workspace, dataset: Dataset, config: TrainConfig, model: Model) -> Bundle:
    """Return the bundle of a fitted model, kept as ``train`` keeps it."""
    figures = Figures({}, {}, None, Evidence(config.horizon_days))
    record = ModelRecord.of(dataset, config, dataset.log_end, figures, (), (Cost(1, 100), Cost(1, 100)))
    record = replace(record, signals=signals_of(model, dataset, config), created="2026-01-01T00:00:00+00:00")
    return save_bundle(workspace, f"{dataset.name}-{config.model}", Fitted(model, []), record, None)
