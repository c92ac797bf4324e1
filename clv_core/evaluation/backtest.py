"""Rolling origins: at each origin, train on what lies before it, predict, and compare with what came after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Final

import pandas as pd

from clv_core.config import TrainConfig
from clv_core.errors import NotEnoughData
from clv_core.evaluation.slices import customer_facts
from clv_core.evaluation.variants import on_the_same_customers, worth_of_never_buyers
from clv_core.features.log import EventLog
from clv_core.features.season import scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import Progress, parts_of
from clv_core.training.fit import MODELS, Fitted
from clv_core.training.windows import training_snapshot

LEARNING_TAKES: Final = 8.0
BASELINE_TAKES: Final = 0.5
"""How long a model that learns, and one that does not, take beside the making of training windows, about."""


@dataclass(frozen=True)
class Origin:
    """What one origin gave.

    Args:
        cutoff: the origin.
        predictions: ``score``'s columns, ``origin`` and ``actual``; rows of all models, told apart by ``model``.
        fitted: the fitted models by id.
        train_windows: training rows used.
        facts: what slices ask of the customers (:func:`~clv_core.evaluation.slices.customer_facts`).
        unknown: what is predicted for a customer who is not among them.
    """

    cutoff: date
    predictions: pd.DataFrame
    fitted: dict[str, Fitted]
    train_windows: int
    facts: pd.DataFrame
    unknown: dict[str, float]


@dataclass(frozen=True)
class Backtest:
    """What all origins gave together.

    Args:
        predictions: ``score``'s columns, ``origin`` and ``actual``; the second run of a model is
            ``hybrid#2``, a variant of it ``hybrid[review_text=false]``.
        facts: what slices ask of the customers of each origin.
        unseen: of :func:`~clv_core.evaluation.folds.cross_validate` at the last origin; None where nobody asked.
    """

    predictions: pd.DataFrame
    facts: pd.DataFrame
    unseen: pd.DataFrame | None = None


def training_data(log: EventLog, end: date, config: TrainConfig, progress: Progress) -> Snapshot:
    """Return the training snapshot of all cutoffs before ``end``; nothing at or after it is read."""
    return training_snapshot(
        log,
        end,
        config.horizon_days,
        cutoffs=config.cutoffs,
        partial=config.partial_windows,
        max_windows=config.max_windows,
        max_steps=config.max_steps_back,
        seed=config.seed,
        progress=progress,
    )


def complete_snapshot(log: EventLog, cutoff: date, config: TrainConfig) -> Snapshot:
    """Return the snapshot to predict at ``cutoff``, with what came true.

    Raises:
        NotEnoughData: the horizon after it is not complete.
    """
    snapshot = scoring_snapshot(log, cutoff, config.horizon_days, max_steps=config.max_steps_back)
    if snapshot.target is None:
        raise NotEnoughData(
            "origin_incomplete", origin=cutoff.isoformat(), horizon=config.horizon_days, end=log.end.isoformat()
        )
    return snapshot


def run_origin(
    log: EventLog,
    cutoff: date,
    config: TrainConfig,
    models: Sequence[str],
    folder: Path,
    progress: Progress,
    stage: str,
) -> Origin:
    """Train ``models`` on what lies before ``cutoff`` and predict the horizon after it.

    Raises:
        NotEnoughData: no label window ends before ``cutoff``, or the horizon after it is not complete.
    """
    weights = [BASELINE_TAKES if MODELS[model_id].baseline else LEARNING_TAKES for model_id in models]
    reading, *fitting = parts_of(progress, [1, *weights])
    train = training_data(log, cutoff, config, reading)
    snapshot = complete_snapshot(log, cutoff, config)
    fitted, frames = {}, []
    for model_id, part in zip(models, fitting, strict=True):
        settings = replace(config, model=model_id)
        fitted[model_id] = MODELS[model_id].fit(train, settings, folder / model_id, part, stage)
        answers = fitted[model_id].model.predict(snapshot, config.horizon_days)
        frame = answers.frame(snapshot.features.index, cutoff, config.horizon_days, model_id)
        frames.append(frame.assign(origin=cutoff.isoformat(), actual=snapshot.target))
    facts = customer_facts(snapshot, cutoff.isoformat())
    predictions, unknown = pd.concat(frames, ignore_index=True), worth_of_never_buyers(train)
    return Origin(cutoff, predictions, fitted, len(train), facts, unknown)


def run_origins(
    log_of: Callable[[TrainConfig], EventLog],
    origins: Sequence[date],
    settings: Mapping[str, TrainConfig],
    models: Sequence[str],
    seeds: int,
    folder: Path,
    progress: Progress,
    *,
    strict: bool = True,
) -> Backtest:
    """Run all models at each origin: once as they are, those that learn again for each seed and each variant.

    Args:
        log_of: returns the log that settings ask for.
        origins: cutoffs, the earliest first.
        settings: of :func:`~clv_core.evaluation.variants.variants_of`.
        models: ids of ``MODELS``.
        seeds: how many times models that learn are trained.
        folder: where the trainings keep their resumable state.
        progress: listener of stage ``backtest``.
        strict: whether an origin with too little before it stops the run; else it is left out, unless it is the last.
    """
    found: list[Backtest] = []
    for origin, part in zip(origins, parts_of(progress, [1] * len(origins)), strict=True):
        try:
            found.append(_run_all(log_of, origin, settings, models, seeds, folder, part))
        except NotEnoughData:
            if strict or origin == origins[-1]:
                raise
    tables = ([getattr(one, name) for one in found] for name in ("predictions", "facts"))
    return Backtest(*(pd.concat(table, ignore_index=True) for table in tables))


def _run_all(
    log_of: Callable[[TrainConfig], EventLog],
    origin: date,
    settings: Mapping[str, TrainConfig],
    models: Sequence[str],
    seeds: int,
    folder: Path,
    progress: Progress,
) -> Backtest:
    """Run all models, seeds and variants at one origin (see :func:`run_origins`)."""
    frames: list[pd.DataFrame] = []
    plain: Origin | None = None
    runs = [*product(range(seeds), enumerate(settings.items()))]
    for (number, (place, (suffix, config))), listener in zip(runs, parts_of(progress, [1] * len(runs)), strict=True):
        again = number > 0 or suffix != ""
        wanted = [model for model in models if not (again and MODELS[model].baseline)]
        if not wanted:
            continue
        run = replace(config, seed=config.seed + number * config.ensemble)
        where = folder / f"{origin:%Y%m%d}-{number}-{place}"
        found = run_origin(log_of(run), origin, run, wanted, where, listener, "backtest")
        part = found.predictions
        if plain is None:
            plain = found
        elif suffix:
            one = plain.predictions[plain.predictions["model"] == models[0]]
            part = on_the_same_customers(part, one, plain.unknown)
        frames.append(part.assign(model=part["model"] + suffix + (f"#{number + 1}" if number else "")))
    assert plain is not None
    return Backtest(pd.concat(frames, ignore_index=True), plain.facts)
