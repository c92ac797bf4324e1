"""The origins of the accuracy benchmark, fixed in advance, and how one of them is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv_core.config import TrainConfig
from clv_core.features.log import open_log
from clv_core.features.season import scoring_snapshot
from clv_core.jobs import NoProgress
from clv_core.training.fit import MODELS, FitTask
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace
from tests.bench.logs import HORIZON_DAYS, attainable, plan, prepare

ATTAINABLE: Final = "attainable"
"""Stands among the models: the expectation under the true parameters, whose RMSE no model beats but by luck."""


@dataclass(frozen=True)
class Cell:
    """One origin of one log.

    Args:
        dataset: name of the log.
        cutoff: the origin.
        horizon_days: length of the predicted span.
        trained_days: horizon of the training windows, where the log is too short to learn the predicted one.
        counted: whether the cell counts in the share of wins (``regime`` and ``noise`` cannot be predicted).
        models: what runs there at most; empty is everything.
        seen: whether settings were chosen with this origin among those looked at: it is told apart, and does not count.
    """

    dataset: str
    cutoff: date
    horizon_days: int
    trained_days: int
    counted: bool = True
    models: tuple[str, ...] = ()
    seen: bool = False

    @property
    def id(self) -> str:
        """``cdnow 1997-12-31 182d``."""
        return f"{self.dataset} {self.cutoff.isoformat()} {self.horizon_days}d"


def _cell(
    dataset: str, cutoff: date, horizon_days: int, trained_days: int | None = None, *, seen: bool = False
) -> Cell:
    counted = dataset not in ("regime", "noise") and not seen
    return Cell(dataset, cutoff, horizon_days, trained_days or horizon_days, counted, seen=seen)


CELLS: Final = (
    _cell("cdnow", date(1997, 10, 1), 182, seen=True),
    _cell("cdnow", date(1997, 12, 31), 182),
    _cell("cdnow-sample", date(1997, 10, 1), 273, 91),
    _cell("completejourney", date(2017, 7, 3), 91, seen=True),
    _cell("completejourney", date(2017, 10, 2), 91),
    *(
        _cell(scenario, plan().cutoff, HORIZON_DAYS)
        for scenario in ("btyd", "browsing", "subscription", "regime", "noise")
    ),
    *(
        Cell(
            scenario,
            plan().cutoff,
            HORIZON_DAYS,
            HORIZON_DAYS,
            counted=False,
            models=("hybrid", "instant", "instant_tuned", "blend", "bgnbd"),
        )
        for scenario in ("btyd-2", "btyd-3")
    ),
)
"""CDNOW's sample is the published protocol, 39 + 39 weeks from the first of January 1997: no window of 39 weeks fits
before its cutoff, so models learn 91 days there and answer for 273. ``btyd-2`` is the scenario with seed 2."""


def run_cell(
    workspace: Workspace, cell: Cell, models: Sequence[str], seeds: int, folder: Path, **settings: str
) -> pd.DataFrame:
    """Return the predictions of all models and seeds, as ``backtest`` does, and ``largest``.

    That is the largest value that a customer ever had in a horizon before the cutoff.

    Args:
        workspace: the benchmark's.
        cell: log, origin, horizon.
        models: ids.
        seeds: how often models with a seed are trained; each run is a ``model`` of its own, ``hybrid#2``.
        folder: where runs keep their state.
        settings: of ``TrainConfig``, as texts.
    """
    config = TrainConfig.from_pairs(settings, horizon_days=cell.trained_days)
    log = open_log(prepare(workspace, cell.dataset))
    try:
        snapshot = scoring_snapshot(log, cell.cutoff, cell.trained_days, max_steps=config.max_steps_back)
        actual = log.snapshot(cell.cutoff, cell.horizon_days, max_steps=1).target
        if actual is None:
            raise SystemExit(f"{cell.id}: the log ends {log.end}, before the horizon does")
        frames, largest = [], 0.0
        for number in range(seeds):
            own = replace(config, seed=config.seed + number * config.ensemble)
            train = training_data(log, cell.cutoff, own, NoProgress())
            largest = max(largest, float(train.complete().target.max()))
            fitted: dict[str, Any] = {}
            for model in models:
                if (number and MODELS[model].baseline) or (cell.models and model not in cell.models):
                    continue
                name = model + (f"#{number + 1}" if number else "")
                settled = replace(own, model=model)
                task = FitTask(train, settled, folder / name, NoProgress(), "backtest")
                fitted[model] = MODELS[model].fit(task).model
                predictions = fitted[model].predict(snapshot, cell.horizon_days)
                frames.append(predictions.frame(snapshot.features.index, cell.cutoff, cell.horizon_days, name))
        truth = attainable(workspace, cell.dataset)
        if truth is not None and cell.cutoff + timedelta(days=cell.horizon_days) == log.end:
            mean = truth.reindex(snapshot.features.index).to_numpy()
            same = dict.fromkeys(("predicted_clv", "clv_p10", "clv_p50", "clv_p90"), mean)
            frames.append(frames[0].assign(model=ATTAINABLE, p_purchase=0.5, **same))
    finally:
        log.close()
    known = {"origin": cell.cutoff.isoformat(), "actual": actual, "largest": largest}
    return pd.concat([frame.assign(**known) for frame in frames], ignore_index=True)
