"""The steps that join packages: training a model, and training a challenger. All others belong to one package each.

ingest -> train (features, model, training, evaluation) -> score -> explain, segment, card, plan, export
       -> monitor (drift, realised value), retrain -> ingest the next log
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from clv_core import __version__
from clv_core.errors import Message
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    from clv_core.collection.store import Dataset
    from clv_core.config import TrainConfig
    from clv_core.deployment import Bundle
    from clv_core.features import EventLog
    from clv_core.monitoring import Outcome


def train(
    workspace: Workspace, name: str, config: TrainConfig, *, cutoff: date | None = None, progress: Progress
) -> Bundle:
    """Train a model on a dataset, save it as a bundle and register it.

    The last horizon before the end is held out first, to measure the model and the baselines; then the model is
    refitted with cutoffs up to the end. With ``cutoff``, the log is read as if it ended there.
    A killed run of the same data and settings resumes from its last state.

    Raises:
        UsageError: an own model breaks its contract.
        Refused: another process trains the same, or an own model may not be loaded here.
        NotEnoughData: the log is too short, too few customers buy, or all that they buy is worth 0.
    """
    from clv_core.collection.privacy import without_objected
    from clv_core.collection.store import open_dataset
    from clv_core.config import OWN
    from clv_core.features import open_log
    from clv_core.training import own_class, state_folder

    started = time.monotonic()
    if config.model == OWN:
        own_class(config.code)
    dataset = without_objected(workspace, open_dataset(workspace, name))
    dataset.check_value()
    progress.report("features", 0, 1)
    log = open_log(dataset, before=cutoff, **config.of_log())
    decides = (dataset.manifest.version, log.end.isoformat(), config.to_json(), __version__)
    with state_folder(workspace, dataset.name, *decides) as folder:
        bundle = _measure_and_fit(workspace, dataset, log, config, folder, progress, started)
    progress.report("saving", 1, 1)
    return bundle


def _measure_and_fit(
    workspace: Workspace,
    dataset: Dataset,
    log: EventLog,
    config: TrainConfig,
    folder: Path,
    progress: Progress,
    started: float,
) -> Bundle:
    """Measure, fit, save and register a model (see :func:`train`)."""
    from clv_core.deployment import ModelRecord, save_bundle, signals_of
    from clv_core.deployment.registry import Registry
    from clv_core.deployment.spark import sample_of
    from clv_core.evaluation import figures, measure, silence_of
    from clv_core.model import BlendModel
    from clv_core.monitoring.drift import Reference
    from clv_core.training import MODELS, Cost, FitTask, estimate, peak_memory_mb, training_data

    cost = estimate(config, log.first_day, log.end, len(log.steps.customer_ids), len(log.steps.day))
    origin, warnings = measure(log, config, folder / "holdout", progress)
    windows = training_data(log, log.end, config, progress)
    fitted = MODELS[config.model].fit(FitTask(windows, config, folder / "refit", progress, "training"))
    if fitted.deleted:
        params = {"deleted": fitted.deleted, "windows": len(windows), "names": ", ".join(config.features_to_check)}
        warnings.append(Message("warning.windows_deleted", params))
    if config.early_stopping and not fitted.early_stopped:
        warnings.append(Message("warning.no_validation_window", {"steps": fitted.steps}))
    measured = figures(origin, log, config, dataset.manifest.currency)
    silence = silence_of(fitted.model, log, config.horizon_days, config.max_steps_back)
    measured = replace(measured, evidence=replace(measured.evidence, silence=silence))
    costs = cost, Cost(time.monotonic() - started, peak_memory_mb())
    record = replace(
        ModelRecord.of(dataset, config, log.end, measured, warnings, costs),
        signals=signals_of(fitted.model, dataset, config),
        weights=dict(fitted.model.weights or {}) if isinstance(fitted.model, BlendModel) else {},
        sampled=sample_of(dataset),
        memory=None if origin is None else origin.memory,
    )
    stem = f"{dataset.name}-{config.model}-{log.end:%Y%m%d}"
    reference = Reference.of(log, fitted.model, config, log.end, progress)
    progress.report("saving", 0, 1)
    holdout = None if origin is None else origin.predictions
    bundle = save_bundle(workspace, stem, fitted, record, holdout, reference.save)
    Registry(workspace).register(bundle)
    return bundle


def default_model(workspace: Workspace, name: str) -> str:
    """Return the model that is trained on a dataset by default."""
    from clv_core.collection.privacy import without_objected
    from clv_core.collection.store import open_dataset
    from clv_core.training import cost as choice

    return choice.default_model(without_objected(workspace, open_dataset(workspace, name)).manifest.customers)


def retrain(
    workspace: Workspace, name: str, model_id: str, *, promote: bool = True, every_days: int = 0, progress: Progress
) -> Outcome:
    """Train a challenger on all of a dataset, compare it with the champion, and promote it only if it is better.

    A better one is trained again from other random starts first (:mod:`clv_core.monitoring.retraining_seeds`). Where
    another champion was made meanwhile, the comparison is out of date, and nothing is promoted.

    Args:
        workspace: where both are.
        name: the dataset, as it has grown.
        model_id: the model whose settings are used; the new one is compared with the champion of its name, else it.
        promote: whether a better one is promoted; if not, it is left for somebody who may.
        every_days: by how many days the log must have grown since the last challenger; 0 is always enough.
        progress: listener.
    """
    from clv_core.collection.privacy import without_objected
    from clv_core.collection.store import open_dataset
    from clv_core.deployment import open_bundle
    from clv_core.deployment.registry import Registry
    from clv_core.monitoring import confirm_over_seeds, retraining

    dataset, registry = without_objected(workspace, open_dataset(workspace, name)), Registry(workspace)
    version = registry.find(model_id)
    current = None if version is None else registry.champion(version.name)
    champion = open_bundle(workspace, model_id if current is None else current.bundle)
    outcome = retraining.early(champion, dataset)
    if outcome is None and current is not None and every_days:
        outcome = retraining.resting(current, registry.versions(current.name), dataset, every_days)
    if outcome is not None:
        return outcome
    config = retraining.settings_of(open_bundle(workspace, model_id), default_model(workspace, name))
    challenger = train(workspace, name, config, progress=progress)
    outcome = retraining.compare(dataset, champion, challenger, progress)
    outcome = confirm_over_seeds(workspace, outcome, dataset, champion, challenger, progress)
    return retraining.apply_outcome(registry, outcome, promote)
