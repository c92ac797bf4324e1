"""Rolling origins: at each origin, train on what lies before it, predict, and compare with what came after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pandas as pd

from clv_core.config import TrainConfig
from clv_core.errors import NotEnoughData
from clv_core.evaluation.slices import customer_facts
from clv_core.evaluation.variants import on_the_same_customers, worth_of_never_buyers
from clv_core.features.log import EventLog
from clv_core.features.season import scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import Progress
from clv_core.training.fit import MODELS, Fitted
from clv_core.training.windows import training_cutoffs, training_snapshot


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
    """

    predictions: pd.DataFrame
    facts: pd.DataFrame


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
    train = training_data(log, cutoff, config, progress)
    snapshot = scoring_snapshot(log, cutoff, config.horizon_days, max_steps=config.max_steps_back)
    if snapshot.target is None:
        raise NotEnoughData(
            "origin_incomplete", origin=cutoff.isoformat(), horizon=config.horizon_days, end=log.end.isoformat()
        )
    fitted, frames = {}, []
    for model_id in models:
        settings = replace(config, model=model_id)
        fitted[model_id] = MODELS[model_id].fit(train, settings, folder / model_id, progress, stage)
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
) -> Backtest:
    """Run all models at each origin: once as they are, those that learn again for each seed and each variant.

    Args:
        log_of: returns the log that settings ask for.
        origins: cutoffs.
        settings: of :func:`~clv_core.evaluation.variants.variants_of`.
        models: ids of ``MODELS``.
        seeds: how many times models that learn are trained.
        folder: where the trainings keep their resumable state.
        progress: listener of stage ``backtest``.
    """
    frames, facts = [], []
    for origin in origins:
        plain: Origin | None = None
        for number, (place, (suffix, config)) in product(range(seeds), enumerate(settings.items())):
            again = number > 0 or suffix != ""
            wanted = [model for model in models if not (again and MODELS[model].baseline)]
            if not wanted:
                continue
            run = replace(config, seed=config.seed + number * config.ensemble)
            where = folder / f"{origin:%Y%m%d}-{number}-{place}"
            found = run_origin(log_of(run), origin, run, wanted, where, progress, "backtest")
            part = found.predictions
            if plain is None:
                plain = found
                facts.append(found.facts)
            elif suffix:
                one = plain.predictions[plain.predictions["model"] == models[0]]
                part = on_the_same_customers(part, one, plain.unknown)
            frames.append(part.assign(model=part["model"] + suffix + (f"#{number + 1}" if number else "")))
    return Backtest(pd.concat(frames, ignore_index=True), pd.concat(facts, ignore_index=True))


def rolling_origins(log: EventLog, horizon_days: int, count: int) -> list[date]:
    """Return up to ``count`` origins one horizon apart, the earliest first, the last with its horizon just complete.

    Each leaves at least one training cutoff whose label window ends before it.
    """
    origins = []
    for number in range(1, count + 1):
        origin = log.end - timedelta(days=number * horizon_days)
        if not training_cutoffs(log.first_day, origin, horizon_days, 1):
            break
        origins.append(origin)
    return sorted(origins)
