"""Confirm a better challenger over random starts: were its settings better, or was it the luck of one start?

The same settings give another model from another start, and on the same customers one of the two is the better one. The
first comparison resamples customers and does not include that luck, so a challenger that differs from the champion only
by its start is now and then surely better. Only one that came out better is trained again, and only its holdout: runs
in which the champion stays cost no more. It is a module of its own because it trains: reports read outcomes by
:mod:`.retraining` without loading networks.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import pandas as pd

from clv_core import __version__
from clv_core.collection.store import Dataset
from clv_core.deployment import Bundle
from clv_core.errors import Message
from clv_core.evaluation import SEEDS, STARTS, Bootstrap, run_origin
from clv_core.features import open_log
from clv_core.jobs import Progress, parts_of
from clv_core.monitoring.retraining import (
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
from clv_core.training import MODELS, state_folder
from clv_core.workspace import Workspace

STARTED: Final = (CHALLENGER, *(f"{CHALLENGER}#{start}" for start in range(1, STARTS)))
"""Names of the challenger's models, one a start."""


def confirm_over_seeds(
    workspace: Workspace, outcome: Outcome, dataset: Dataset, champion: Bundle, challenger: Bundle, progress: Progress
) -> Outcome:
    """Return the outcome of a retraining with the luck of random starts included.

    Args:
        workspace: where trainings save their resumable state.
        outcome: of :func:`~clv_core.monitoring.retraining.compare`.
        dataset: what the challenger was trained on.
        champion: the current champion.
        challenger: the new model.
        progress: listener.
    """
    config = challenger.record.train_config
    if outcome.outcome != PROMOTED or MODELS[config.model].baseline:
        return outcome
    rows = predicted_by_both(dataset, champion, challenger, progress)
    log, origin = open_log(dataset, **config.of_log()), date.fromisoformat(outcome.origin)
    frames = [rows]
    with state_folder(workspace, dataset.name, dataset.manifest.version, challenger.id, STARTS, __version__) as folder:
        for start, part in enumerate(parts_of(progress, [1] * (STARTS - 1)), start=1):
            name = STARTED[start]
            seeded = replace(config, seed=(config.seed + start * config.ensemble) % SEEDS)
            made = run_origin(log, origin, seeded, [config.model], folder / name, part, "holdout").predictions
            frames.append(made[made["customer_id"].isin(rows["customer_id"])].assign(model=name)[rows.columns])
    figures = tuple(mean_pairs(Bootstrap.of(pd.concat(frames, ignore_index=True), JUDGED)))
    outcome = replace(outcome, figures=figures, starts=STARTS)
    if surely_better(figures):
        return outcome
    return replace(outcome, outcome=STAYS, why=Message("retrain.start", {**outcome.why.params, "starts": STARTS}))


def mean_pairs(bootstrap: Bootstrap) -> list[MetricPair]:
    """Return the metrics of both, the challenger's averaged over its starts; metrics that do not exist are left out."""
    (origin,) = bootstrap.origins
    pairs = []
    for metric in JUDGED:
        champion, *started = (bootstrap.values.get((origin, name, metric)) for name in (CHAMPION, *STARTED))
        values = [value for value in started if value is not None]
        if champion is not None and len(values) == STARTS:
            advantage = bootstrap.advantage_of_settings([(name, CHAMPION) for name in STARTED], metric)
            pairs.append(MetricPair(metric, champion, sum(values) / STARTS, advantage))
    return pairs
