"""Measure a model and the baselines on a holdout: train before the last horizon and predict it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from clv_core.config import TrainConfig
from clv_core.errors import Message, NotEnoughData
from clv_core.evaluation.backtest import Origin, run_origin
from clv_core.evaluation.baseline_comparison import BASELINES
from clv_core.evaluation.change import find_change
from clv_core.evaluation.evidence import Evidence, Figures, HoldoutFacts, LogFacts, gather
from clv_core.evaluation.metrics import evaluate
from clv_core.features import EventLog
from clv_core.jobs import Progress


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
        return run_origin(log, origin, config, models, folder, progress, "holdout"), []
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
    held = None if origin is None else gather(origin.predictions, config.model).held
    change = find_change(log, config.horizon_days)
    evidence = Evidence(config.horizon_days, held, LogFacts.of(log), change, currency=currency)
    if origin is None:
        return Figures({}, {}, None, evidence)
    by_model = {
        str(name): evaluate(frame["actual"].to_numpy(), frame) for name, frame in origin.predictions.groupby("model")
    }
    ours = origin.predictions[origin.predictions["model"] == config.model]
    return Figures(
        metrics=by_model[config.model],
        baselines={name: by_model[name] for name in BASELINES if name in by_model},
        holdout=HoldoutFacts(origin.cutoff, len(ours), int((ours["actual"] > 0).sum()), origin.train_windows),
        evidence=evidence,
    )
