"""The loop, step by step: what the command line and the pages call.

    ingest -> train (features, model, training, evaluation) -> score -> explain, segment, card, plan, export
           -> monitor (drift, realised value), retrain -> ingest the next log

The steps that join several rooms are written here. The others live in their rooms and are imported from here when they
are first used, so that whoever needs one step does not load the rest.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clv_core import __version__
from clv_core.errors import Message, NotEnoughData
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    from clv_core.collection.stored.dataset import Dataset
    from clv_core.config import TrainConfig
    from clv_core.deployment.bundle import Bundle
    from clv_core.deployment.embedding import embed as embed
    from clv_core.deployment.lifecycle import rename as rename
    from clv_core.deployment.saved_scores import score as score
    from clv_core.deployment.saved_scores import score_file as score_file
    from clv_core.deployment.saved_scores import scores as scores
    from clv_core.deployment.spark.sampling import sample_folder as sample_folder
    from clv_core.deployment.spark.spark_scoring import score_folder as score_folder
    from clv_core.deployment.table_file import write_table as write_table
    from clv_core.deployment.zero_shot import zero_shot as zero_shot
    from clv_core.evaluation.backtest import Backtest
    from clv_core.evaluation.trust import Trust
    from clv_core.evaluation.tuned import Tuning
    from clv_core.features.log import EventLog
    from clv_core.monitoring.monitor import monitor as monitor
    from clv_core.monitoring.notifications.notify import notify as notify
    from clv_core.monitoring.retraining import Outcome
    from clv_core.preprocessing.append import append as append
    from clv_core.preprocessing.customers import add_customers as add_customers
    from clv_core.preprocessing.customers import remove_customers as remove_customers
    from clv_core.strategy.activation import export as export
    from clv_core.strategy.activation import plan as plan
    from clv_core.strategy.activation import segment as segment
    from clv_core.strategy.customer.customer_card import load_card as load_card
    from clv_core.strategy.dataset_deletion import delete as delete
    from clv_core.strategy.experiments.measurement import measure_experiment as measure_experiment
    from clv_core.strategy.explanation_files import explain as explain
    from clv_core.strategy.recommend_and_price import price as price
    from clv_core.strategy.recommend_and_price import recommend as recommend

STEPS: Final = {
    "sample_folder": "clv_core.deployment.spark.sampling",
    "score_folder": "clv_core.deployment.spark.spark_scoring",
    "embed": "clv_core.deployment.embedding",
    **dict.fromkeys(("score", "score_file", "scores"), "clv_core.deployment.saved_scores"),
    "zero_shot": "clv_core.deployment.zero_shot",
    "rename": "clv_core.deployment.lifecycle",
    "write_table": "clv_core.deployment.table_file",
    "notify": "clv_core.monitoring.notifications.notify",
    "monitor": "clv_core.monitoring.monitor",
    "append": "clv_core.preprocessing.append",
    **dict.fromkeys(("add_customers", "remove_customers"), "clv_core.preprocessing.customers"),
    **dict.fromkeys(("export", "plan", "segment"), "clv_core.strategy.activation"),
    "load_card": "clv_core.strategy.customer.customer_card",
    "measure_experiment": "clv_core.strategy.experiments.measurement",
    "delete": "clv_core.strategy.dataset_deletion",
    "explain": "clv_core.strategy.explanation_files",
    **dict.fromkeys(("price", "recommend"), "clv_core.strategy.recommend_and_price"),
}
"""Steps that live in their rooms, and where."""


def __getattr__(name: str) -> Any:
    if name not in STEPS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(STEPS[name]), name)


def train(
    workspace: Workspace, name: str, config: TrainConfig, *, cutoff: date | None = None, progress: Progress
) -> Bundle:
    """Train a model on a dataset and keep it as a bundle.

    The last horizon before the end is held out first, to measure the model and the baselines; then the model is
    refitted with cutoffs up to the end. With ``cutoff``, the log is treated as if it ended there: nothing later
    is read.
    A run of the same data and settings that was killed goes on from its last state.

    Raises:
        Refused: the same run is going on.
        NotEnoughData: the log is too short, too few people buy, or all that they buy is worth 0.
    """
    from clv_core.collection.stored.store import open_dataset
    from clv_core.features.log import open_log
    from clv_core.training.states import state_folder

    started = time.monotonic()
    dataset = open_dataset(workspace, name)
    dataset.check_value()
    progress.report("features", 0, 1)
    log = open_log(dataset, before=cutoff, **config.of_log())
    decides = (dataset.manifest.version, log.end.isoformat(), config.to_json(), __version__)
    with state_folder(workspace, dataset.name, *decides) as folder:
        bundle = _trained(workspace, dataset, log, config, folder, progress, started)
    progress.report("saving", 1, 1)
    return bundle


def _trained(
    workspace: Workspace,
    dataset: Dataset,
    log: EventLog,
    config: TrainConfig,
    folder: Path,
    progress: Progress,
    started: float,
) -> Bundle:
    """Measure, fit, keep and register a model (see :func:`train`)."""
    from clv_core.deployment.bundle import save_bundle
    from clv_core.deployment.registry import Registry
    from clv_core.deployment.scoring_warnings import signals_record
    from clv_core.deployment.spark.sampling import sampling_note
    from clv_core.evaluation.backtest import training_data
    from clv_core.evaluation.holdout import figures, measure
    from clv_core.monitoring.drift.drift_reference import Reference
    from clv_core.training.cost import Cost, estimate
    from clv_core.training.fit import MODELS
    from clv_core.training.memory import peak_memory_mb

    cost = estimate(config, log.first_day, log.end, len(log.steps.customer_ids), len(log.steps.day))
    origin, warnings = measure(log, config, folder / "holdout", progress)
    fitted = MODELS[config.model].fit(
        training_data(log, log.end, config, progress), config, folder / "refit", progress, "training"
    )
    if config.early_stopping and not fitted.early_stopped:
        warnings.append(Message("warning.no_validation_window", {"steps": fitted.steps}))
    record = {
        "model": config.model,
        "dataset": {"name": dataset.name, "version": dataset.manifest.version},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": __version__,
        "cutoff": log.end.isoformat(),
        "horizon_days": config.horizon_days,
        "currency": dataset.manifest.currency,
        "config": config.to_json(),
        **figures(origin, log, config, dataset.manifest.currency),
        "signals": signals_record(fitted.model, dataset, config),
        **sampling_note(dataset),
        "warnings": [warning.coded() for warning in warnings],
        "estimate": cost.to_json(),
        "actual": Cost(time.monotonic() - started, peak_memory_mb()).to_json(),
    }
    stem = f"{dataset.name}-{config.model}-{log.end:%Y%m%d}"
    reference = Reference.of(dataset, log, fitted.model, config, log.end, progress)
    progress.report("saving", 0, 1)
    held = None if origin is None else origin.predictions
    bundle = save_bundle(workspace, stem, fitted, record, held, reference.save)
    Registry(workspace).register(bundle)
    return bundle


def default_model(workspace: Workspace, name: str) -> str:
    """Return the model that is trained on a dataset where nobody names one."""
    from clv_core.collection.stored.store import open_dataset
    from clv_core.training import choice

    return choice.default_model(open_dataset(workspace, name).manifest.customers)


def retrain(
    workspace: Workspace, name: str, model_id: str, *, promote: bool = True, every_days: int = 0, progress: Progress
) -> Outcome:
    """Train a challenger on all of a dataset, hold it against the champion, and promote it only if it is better.

    One that is better is trained again from other random starts first (:mod:`clv_core.monitoring.retraining_seeds`).
    Where another champion was made meanwhile, the challenger was held against the wrong one: it is left as it is.

    Args:
        workspace: where both are.
        name: the dataset, as it has grown.
        model_id: the model whose settings are used; it, or the champion of its name, is what the new one has to beat.
        promote: whether a better one is promoted; if not, it is left for somebody who may.
        every_days: by how many days the log must have grown since the last challenger; 0 is always enough.
        progress: listener.
    """
    from clv_core.collection.stored.store import open_dataset
    from clv_core.deployment.bundle import open_bundle
    from clv_core.deployment.registry import ChampionConflict, Registry
    from clv_core.monitoring import retraining
    from clv_core.monitoring.retraining_seeds import confirm_over_seeds

    dataset, registry = open_dataset(workspace, name), Registry(workspace)
    known = registry.find(model_id)
    speaking = None if known is None else registry.champion(known.name)
    champion = open_bundle(workspace, model_id if speaking is None else speaking.bundle)
    found = retraining.early(champion, dataset)
    if found is None and speaking is not None and every_days:
        found = retraining.resting(speaking, registry.versions(speaking.name), dataset, every_days)
    if found is not None:
        return found
    config = retraining.settings_of(open_bundle(workspace, model_id), default_model(workspace, name))
    challenger = train(workspace, name, config, progress=progress)
    found = retraining.compare(dataset, champion, challenger, progress)
    found = confirm_over_seeds(workspace, found, dataset, champion, challenger, progress)
    version = registry.find(challenger.id)
    if found.outcome != retraining.PROMOTED or version is None or version.role == "champion":
        return found
    if not promote:
        return replace(found, outcome=retraining.BETTER, why=Message("retrain.better", found.why.params))
    try:
        registry.promote(version.name, version.number, instead_of=champion.id)
    except ChampionConflict as error:
        return replace(found, outcome=retraining.STAYS, why=Message("retrain.overtaken", error.params))
    return found


def trust(workspace: Workspace, model_id: str) -> Trust:
    """Return whether a model may be trusted, by its training and the comparison on rolling origins made since."""
    from clv_core.deployment.bundle import open_bundle
    from clv_core.deployment.saved_evaluation import trust_of

    return trust_of(workspace, open_bundle(workspace, model_id))


def backtest(
    workspace: Workspace,
    name: str,
    config: TrainConfig,
    *,
    origins: Sequence[date] = (),
    count: int | None = None,
    models: Sequence[str],
    seeds: int = 1,
    variants: Sequence[str] = (),
    folds: int = 0,
    progress: Progress,
) -> Backtest:
    """Return the predictions of all ``models`` at each origin, beside what came true and who the customers were.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        config: horizon and settings, the same for all origins.
        origins: cutoffs; empty takes the last ones that the log allows, one horizon apart.
        count: at most how many where none is named, the usual number where None; those with too little before them are
            left out.
        models: ids of ``MODELS``.
        seeds: how many times models that have a seed are trained; each run is a ``model`` of its own, ``hybrid#2``.
        variants: ``key=value`` of settings to change, one at a time; each is a ``model`` of its own for the models that
            learn, ``hybrid[review_text=false]``.
        folds: where not 0, the first model also predicts the last origin's customers in as many folds, each by a model
            that has not seen them (:mod:`clv_core.evaluation.folds`).
        progress: listener.
    """
    from clv_core.collection.stored.store import open_dataset
    from clv_core.evaluation.backtest import run_origins
    from clv_core.evaluation.folds import cross_validate
    from clv_core.evaluation.origins import MOST_ORIGINS, rolling_origins
    from clv_core.evaluation.variants import variants_of
    from clv_core.features.log import open_log
    from clv_core.training.states import state_folder

    dataset = open_dataset(workspace, name)
    dataset.check_value()
    settings = variants_of(config, variants)
    log = open_log(dataset, before=None, **config.of_log())
    chosen = sorted(origins) or rolling_origins(log.first_day, log.end, config.horizon_days, count or MOST_ORIGINS)
    if not chosen:
        days = (log.end - log.first_day).days
        raise NotEnoughData("no_origin", horizon=config.horizon_days, days=days, longest=max(0, (days - 28) // 2))
    asked = [one.to_json() for one in settings.values()]
    logs = {str(config.of_log()): log}

    def log_of(one: TrainConfig) -> EventLog:
        key = str(one.of_log())
        if key not in logs:
            logs[key] = open_log(dataset, before=None, **one.of_log())
        return logs[key]

    with state_folder(workspace, dataset.name, dataset.manifest.version, "backtest", asked, __version__) as folder:
        found = run_origins(log_of, chosen, settings, models, seeds, folder, progress, strict=bool(origins))
        if folds:
            first = replace(config, model=models[0])
            unseen = cross_validate(log, chosen[-1], first, folds, folder / "folds", progress)
            found = replace(found, unseen=unseen)
    return found


def tune(
    workspace: Workspace, name: str, config: TrainConfig, *, trials: int, origins: int, progress: Progress
) -> Tuning:
    """Search for settings that predict a dataset better than the default, and keep what was found.

    The search reads nothing at or after the last origin, one horizon before the log's end; there the best settings are
    held against the default. A search that was stopped goes on.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        config: model, horizon, and all settings that are not searched.
        trials: how many settings are tried, the default among them.
        origins: how many earlier origins judge each.
        progress: listener.
    """
    from clv_core.collection.stored.store import open_dataset
    from clv_core.deployment.saved_evaluation import save_tuning
    from clv_core.evaluation.tune import search, too_short
    from clv_core.evaluation.tuned import judge
    from clv_core.features.log import open_log
    from clv_core.training.states import state_folder

    dataset = open_dataset(workspace, name)
    dataset.check_value()
    origin = dataset.log_end - timedelta(days=config.horizon_days)
    decides = (dataset.version, "tune", origins, config.to_json(), __version__)
    progress.report("features", 0, 1)
    with state_folder(workspace, dataset.name, *decides) as folder:
        try:
            past = open_log(dataset, before=origin, **config.of_log())
        except NotEnoughData as error:
            if error.code != "log_empty_before":
                raise
            raise too_short(config.horizon_days, 0) from error  # what was asked for is a horizon, no date
        found = search(past, config, trials=trials, origins=origins, folder=folder, progress=progress)
        past.close()
        log = open_log(dataset, **config.of_log())
        tuning = judge(log, origin, config, found, folder / "last", progress)
        log.close()
        save_tuning(dataset, config, tuning)
    return tuning
