"""Backtest models at past cutoffs: train before each, predict, and compare with actual values.

The holdout of a training is one of them: the last horizon of the log, for a model and its baselines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core import __version__
from clv_core.collection.privacy import without_objected
from clv_core.collection.store import open_dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.config import READS, TrainConfig
from clv_core.errors import Message, NotEnoughData, UsageError
from clv_core.evaluation.change import find_change
from clv_core.evaluation.evidence import Evidence, Figures, HoldoutFacts, LogFacts, gather
from clv_core.evaluation.folds import cross_validate
from clv_core.evaluation.membership import Memory
from clv_core.evaluation.metrics import evaluate
from clv_core.evaluation.model_scoreboard import BASELINES
from clv_core.evaluation.slices import customer_facts
from clv_core.features import EventLog, Snapshot, complete_snapshot, open_log
from clv_core.jobs import Progress, parts_of
from clv_core.training import (
    MODELS,
    MOST_ORIGINS,
    FitTask,
    Fitted,
    keep_apart,
    losses_in_and_out,
    rolling_origins,
    state_folder,
    training_data,
)
from clv_core.workspace import Workspace

FIXED: Final = ("horizon_days", "model")
"""Settings that a variant cannot change: another horizon is another question, and models have rows anyway."""
FIGURES: Final = ("p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90")


def variants_of(config: TrainConfig, pairs: Sequence[str]) -> dict[str, TrainConfig]:
    """Return the settings of each variant by what is put after the models' ids, the plain ones first, under "".

    Args:
        config: the plain settings.
        pairs: one ``key=value`` a variant, such as ``review_text=false``.

    Raises:
        UsageError: no pair, an unknown key, a value that it cannot have, or a setting that cannot vary.
    """
    configs = {"": config}
    for text in pairs:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise UsageError("setting_pair", text=text)
        if key in FIXED:
            raise UsageError("variant_fixed", setting=key)
        other_settings = {name: old for name, old in config.to_json().items() if name != key}
        configs[f"[{key}={value}]"] = TrainConfig.from_pairs({key: value}, **other_settings)
    return configs


def worth_of_never_buyers(train: Snapshot) -> dict[str, float]:
    """Return what is predicted for a customer without any event: what never-buyers were worth in training.

    Returns:
        :data:`FIGURES` by name; 0 where all had bought.
    """
    train = train.complete()
    assert train.target is not None
    value = np.maximum(train.target, 0.0)[train.features["T"].isna().to_numpy()]
    if not len(value):
        return dict.fromkeys(FIGURES, 0.0)
    quantiles = (float(quantile) for quantile in np.quantile(value, (0.1, 0.5, 0.9)))
    return dict(zip(FIGURES, (float((value > 0).mean()), float(value.mean()), *quantiles), strict=True))


def on_the_same_customers(predictions: pd.DataFrame, plain: pd.DataFrame, unknown: dict[str, float]) -> pd.DataFrame:
    """Return a variant's predictions for the customers of the plain run, in their order and with their values.

    Args:
        predictions: of the variant at one origin, rows of all its models, in column ``model``.
        plain: of one model of the plain run at the same origin, one row a customer.
        unknown: of :func:`worth_of_never_buyers`, for customers whom the variant does not know.
    """
    frames = []
    for model, frame in predictions.groupby("model", sort=False):
        aligned = frame.set_index(CUSTOMER_ID)[list(FIGURES)].reindex(plain[CUSTOMER_ID]).fillna(unknown)
        figures = {name: aligned[name].to_numpy() for name in FIGURES}
        frames.append(plain.assign(model=model, **figures))
    return pd.concat(frames, ignore_index=True)


LEARNING_TAKES: Final = 8.0
BASELINE_TAKES: Final = 0.5
"""How long the fits of a model that learns, and of one that does not, take relative to making the training windows,
roughly: they only weigh the bar of progress."""


@dataclass(frozen=True)
class Origin:
    """What one origin gave.

    Args:
        cutoff: the origin.
        predictions: ``score``'s columns, ``origin`` and ``actual``; rows of all models, in column ``model``.
        fitted: the fitted models by id.
        train_windows: training rows used.
        facts: what slices ask of the customers (:func:`~clv_core.evaluation.slices.customer_facts`).
        unknown: what is predicted for a customer who is not among them.
        memory: how well the first model's loss tells who was in its training; None where that was not tried.
    """

    cutoff: date
    predictions: pd.DataFrame
    fitted: dict[str, Fitted]
    train_windows: int
    facts: pd.DataFrame
    unknown: dict[str, float]
    memory: Memory | None = None


@dataclass(frozen=True)
class BacktestPlan:
    """What a backtest compares, and where.

    Args:
        models: ids of ``MODELS``.
        origins: cutoffs; empty takes the last ones that the log allows, one horizon apart.
        count: at most how many where ``origins`` is empty, ``MOST_ORIGINS`` where None; those with too little before
            them are left out.
        seeds: how many times models that have a seed are trained; each run is a ``model`` of its own, ``hybrid#2``.
        variants: ``key=value`` of settings to change, one at a time; each is a ``model`` of its own for the models that
            learn, ``hybrid[review_text=false]``.
        folds: where not 0, the first model also predicts the last origin's customers in as many folds, each by a model
            that has not seen them (:mod:`clv_core.evaluation.folds`).
    """

    models: Sequence[str]
    origins: Sequence[date] = ()
    count: int | None = None
    seeds: int = 1
    variants: Sequence[str] = ()
    folds: int = 0


@dataclass(frozen=True)
class Backtest:
    """What all origins gave together.

    Args:
        predictions: ``score``'s columns, ``origin`` and ``actual``; the second run of a model is
            ``hybrid#2``, a variant of it ``hybrid[review_text=false]``.
        facts: what slices ask of the customers of each origin.
        unseen: of :func:`~clv_core.evaluation.folds.cross_validate` at the last origin; None without folds.
    """

    predictions: pd.DataFrame
    facts: pd.DataFrame
    unseen: pd.DataFrame | None = None


def run_origin(
    log: EventLog,
    cutoff: date,
    config: TrainConfig,
    models: Sequence[str],
    folder: Path,
    progress: Progress,
    stage: str,
    *,
    tries_memory: bool = False,
) -> Origin:
    """Train ``models`` on what lies before ``cutoff`` and predict the horizon after it.

    With ``tries_memory``, a few customers are kept apart from all of them (:func:`~clv_core.training.keep_apart`), and
    the first model's loss is compared between those in and out of its training.

    Raises:
        NotEnoughData: no label window ends before ``cutoff``, or the horizon after it is not complete.
    """
    weights = [BASELINE_TAKES if MODELS[model_id].baseline else LEARNING_TAKES for model_id in models]
    reading, *fitting = parts_of(progress, [1, *weights])
    train = training_data(log, cutoff, config, reading)
    apart = keep_apart(train, replace(config, model=models[0])) if tries_memory else None
    train = train if apart is None else apart.rest
    snapshot = complete_snapshot(log, cutoff, config)
    fitted, frames = {}, []
    for model_id, part in zip(models, fitting, strict=True):
        settings = replace(config.measured, model=model_id)
        fitted[model_id] = MODELS[model_id].fit(FitTask(train, settings, folder / model_id, part, stage))
        answers = fitted[model_id].model.predict(snapshot, config.horizon_days)
        frame = answers.frame(snapshot.features.index, cutoff, config.horizon_days, model_id)
        frames.append(frame.assign(origin=cutoff.isoformat(), actual=snapshot.target))
    facts = customer_facts(snapshot, cutoff.isoformat())
    predictions, unknown = pd.concat(frames, ignore_index=True), worth_of_never_buyers(train)
    memory = None
    if apart is not None:
        memory = Memory.of(*losses_in_and_out(fitted[models[0]].model, apart, config))
    return Origin(cutoff, predictions, fitted, len(train), facts, unknown, memory)


def run_origins(
    log_of: Callable[[TrainConfig], EventLog],
    origins: Sequence[date],
    settings: Mapping[str, TrainConfig],
    plan: BacktestPlan,
    folder: Path,
    progress: Progress,
) -> Backtest:
    """Run all models at each origin: once as they are, those that learn again for each seed and each variant.

    Args:
        log_of: returns the log that settings ask for.
        origins: cutoffs, the earliest first.
        settings: of :func:`~clv_core.evaluation.backtest.variants_of`.
        plan: models and seeds. Of origins that it names, one with too little before it stops the run; else it is left
            out, unless it is the last.
        folder: where the trainings keep their resumable state.
        progress: listener of stage ``backtest``.
    """

    def run_all(origin: date, progress: Progress) -> Backtest:
        frames: list[pd.DataFrame] = []
        plain: Origin | None = None
        runs = [*product(range(plan.seeds), enumerate(settings.items()))]
        listeners = parts_of(progress, [1] * len(runs))
        for (number, (place, (suffix, config))), listener in zip(runs, listeners, strict=True):
            again = number > 0 or suffix != ""
            wanted = [model for model in plan.models if not (again and MODELS[model].baseline)]
            if not wanted:
                continue
            run = replace(config, seed=config.seed + number * config.ensemble)
            where = folder / f"{origin:%Y%m%d}-{number}-{place}"
            outcome = run_origin(log_of(run), origin, run, wanted, where, listener, "backtest")
            part = outcome.predictions
            if plain is None:
                plain = outcome
            elif suffix:
                reference = plain.predictions[plain.predictions["model"] == plan.models[0]]
                part = on_the_same_customers(part, reference, plain.unknown)
            frames.append(part.assign(model=part["model"] + suffix + (f"#{number + 1}" if number else "")))
        assert plain is not None
        return Backtest(pd.concat(frames, ignore_index=True), plain.facts)

    backtests: list[Backtest] = []
    for origin, part in zip(origins, parts_of(progress, [1] * len(origins)), strict=True):
        try:
            backtests.append(run_all(origin, part))
        except NotEnoughData:
            if plan.origins or origin == origins[-1]:
                raise
    tables = ([getattr(each, name) for each in backtests] for name in ("predictions", "facts"))
    return Backtest(*(pd.concat(table, ignore_index=True) for table in tables))


def backtest(
    workspace: Workspace, name: str, config: TrainConfig, plan: BacktestPlan, *, progress: Progress
) -> Backtest:
    """Return the predictions of all models at each origin, with the actual values and facts on the customers.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        config: horizon and settings, the same for all origins.
        plan: models, origins, seeds, variants and folds.
        progress: listener.
    """
    dataset = without_objected(workspace, open_dataset(workspace, name))
    dataset.check_value()
    settings = variants_of(config, plan.variants)
    log = open_log(dataset, before=None, **config.of_log())
    most = plan.count or MOST_ORIGINS
    origins = sorted(plan.origins) or rolling_origins(log.first_day, log.end, config.horizon_days, most)
    if not origins:
        days = (log.end - log.first_day).days
        raise NotEnoughData("no_origin", horizon=config.horizon_days, days=days, longest=max(0, (days - 28) // 2))
    configs = [variant.to_json() for variant in settings.values()]
    logs = {str(config.of_log()): log}

    def log_of(variant: TrainConfig) -> EventLog:
        key = str(variant.of_log())
        if key not in logs:
            logs[key] = open_log(dataset, before=None, **variant.of_log())
        return logs[key]

    with state_folder(workspace, dataset.name, dataset.manifest.version, "backtest", configs, __version__) as folder:
        result = run_origins(log_of, origins, settings, plan, folder, progress)
        if plan.folds:
            first = replace(config, model=plan.models[0])
            unseen = cross_validate(log, origins[-1], first, plan.folds, folder / "folds", progress)
            result = replace(result, unseen=unseen)
    return result


def measure(
    log: EventLog, config: TrainConfig, folder: Path, progress: Progress
) -> tuple[Origin | None, list[Message]]:
    """Hold out the last horizon of the log.

    Args:
        log: the events; its end is the end of the holdout.
        config: model, horizon and settings.
        folder: where the trainings keep their resumable state.
        progress: listener.

    Returns:
        What the origin gave, or None and a warning where the log is too short to train before it.
    """
    models = (config.model, *(name for name in BASELINES if name != config.model))
    origin = log.end - timedelta(days=config.horizon_days)
    try:
        return run_origin(log, origin, config, models, folder, progress, "holdout", tries_memory=True), []
    except NotEnoughData as error:
        return None, [Message("warning.no_holdout", {"horizon": config.horizon_days, "code": error.code})]


def figures(origin: Origin | None, log: EventLog, config: TrainConfig, currency: str) -> Figures:
    """Return how good a model is.

    Args:
        origin: the holdout; None where the log is too short for one.
        log: the events, up to the end of the holdout.
        config: model, horizon and settings.
        currency: of the log; "" where it has no name.
    """
    holdout = None if origin is None else gather(origin.predictions, config.model).held
    change = find_change(log, config.horizon_days)
    evidence = Evidence(config.horizon_days, holdout, LogFacts.of(log), change, currency=currency)
    if origin is None:
        return Figures({}, {}, None, evidence)
    by_model = {
        str(name): evaluate(frame["actual"].to_numpy(), frame) for name, frame in origin.predictions.groupby("model")
    }
    ours = origin.predictions[origin.predictions["model"] == config.model]
    buyers, fewer = int((ours["actual"] > 0).sum()), config.measured.ensemble
    networks = fewer if "ensemble" in READS[config.model] and fewer < config.ensemble else 0
    return Figures(
        metrics=by_model[config.model],
        baselines={name: by_model[name] for name in BASELINES if name in by_model},
        holdout=HoldoutFacts(origin.cutoff, len(ours), buyers, origin.train_windows, networks),
        evidence=evidence,
    )
