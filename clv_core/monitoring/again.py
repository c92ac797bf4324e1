"""A better challenger is trained again from other random starts: were the settings better, or was it the start?

The same settings give another model from another start, and on the same customers one of the two is the better one. The
first comparison resamples customers and knows nothing of that luck, so a challenger that differs from the champion by
its start alone is now and then surely better. Only one that came out so is trained again, and only its holdout: nights
on which the champion stays cost what they did.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import pandas as pd

from clv_core import __version__
from clv_core.collection.stored.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.errors import Message
from clv_core.evaluation.backtest import run_origin
from clv_core.evaluation.bootstrap import Bootstrap
from clv_core.evaluation.tuned import SEEDS, STARTS
from clv_core.features.log import open_log
from clv_core.jobs import Progress, parts_of
from clv_core.monitoring.challenge import (
    CHALLENGER,
    CHAMPION,
    JUDGED,
    PROMOTED,
    STAYS,
    MetricPair,
    Outcome,
    predicted_by_both,
    surely_better,
)
from clv_core.training.fit import MODELS
from clv_core.training.states import state_folder
from clv_core.workspace import Workspace

RUNS: Final = tuple((CHALLENGER if not start else f"{CHALLENGER}#{start}", CHAMPION) for start in range(STARTS))
"""The challenger of each start beside the champion, which is one model with the luck of one start."""


def confirmed(
    workspace: Workspace, found: Outcome, dataset: Dataset, champion: Bundle, challenger: Bundle, progress: Progress
) -> Outcome:
    """Return what came of a retraining once the luck of random starts is counted too.

    Args:
        workspace: where the trainings keep their resumable state.
        found: of :func:`~clv_core.monitoring.challenge.compare`.
        dataset: what the challenger was trained on.
        champion: the model that speaks.
        challenger: the new one.
        progress: listener.
    """
    config = TrainConfig.from_json(challenger.record["config"])
    if found.outcome != PROMOTED or MODELS[config.model].baseline:
        return found
    rows = predicted_by_both(dataset, champion, challenger, progress)
    log, origin = open_log(dataset, **config.of_log()), date.fromisoformat(found.origin)
    frames = [rows]
    with state_folder(workspace, dataset.name, dataset.manifest.version, challenger.id, STARTS, __version__) as folder:
        for start, part in enumerate(parts_of(progress, [1] * (len(RUNS) - 1)), start=1):
            name = RUNS[start][0]
            own = replace(config, seed=(config.seed + start * config.ensemble) % SEEDS)
            made = run_origin(log, origin, own, [config.model], folder / name, part, "holdout").predictions
            frames.append(made[made["customer_id"].isin(rows["customer_id"])].assign(model=name)[rows.columns])
    figures = settled(Bootstrap.of(pd.concat(frames, ignore_index=True), JUDGED))
    if surely_better(figures):
        return replace(found, figures=tuple(figures), starts=STARTS)
    why = Message("retrain.start", {**found.why.params, "starts": STARTS})
    return replace(found, outcome=STAYS, why=why, figures=tuple(figures), starts=STARTS)


def settled(bootstrap: Bootstrap) -> list[MetricPair]:
    """Return the figures of both, the challenger's on average over its starts; those that do not exist are left out."""
    (origin,) = bootstrap.origins
    pairs = []
    for metric in JUDGED:
        every = [bootstrap.values.get((origin, name, metric)) for name in (CHAMPION, *(run[0] for run in RUNS))]
        known = [value for value in every if value is not None]
        if len(known) == len(every):
            advantage = bootstrap.advantage_of_settings(RUNS, metric)
            pairs.append(MetricPair(metric, known[0], sum(known[1:]) / STARTS, advantage))
    return pairs
