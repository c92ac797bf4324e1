"""How far a run of many trainings is: one bar from its beginning to its end, and whose losses are whose."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.stored.store import open_dataset
from clv_core.config import TrainConfig
from clv_core.evaluation import backtest
from clv_core.evaluation.folds import cross_validate
from clv_core.features.log import EventLog, open_log
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import NoProgress, Progress
from clv_core.model.predictions import Predictions
from clv_core.training.fit import MODELS, Fitted, ModelEntry
from clv_core.workspace import Workspace

CONFIG = TrainConfig(horizon_days=60, model="hybrid", cutoffs=2)
ORIGINS = [date(2024, 2, 25), date(2024, 4, 25)]
SEEDS = 2


class Heard(NoProgress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:
        self.rows.append({"stage": stage, "share": done / total, **figures})

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows)


class Flat:
    """A model that knows nothing."""

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        flat = np.ones(len(snapshot))
        return Predictions(flat, flat, 0 * flat, flat, flat)


def stepwise(train: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str) -> Fitted:
    for step in range(1, 6):
        progress.report(stage, step, 5, seed=config.seed, step=step, loss=1 / step)
    return Fitted(Flat(), [])  # type: ignore[arg-type]


@pytest.fixture
def log(small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> EventLog:
    for name in ("hybrid", "rnn"):
        monkeypatch.setitem(MODELS, name, ModelEntry(stepwise, None))  # type: ignore[arg-type]
    return open_log(open_dataset(small_workspace, "shop"))


def test_the_bar_of_a_backtest_never_goes_back_and_ends_at_its_end(log: EventLog, tmp_path: Path) -> None:
    heard, models = Heard(), ("hybrid", "rnn", "naive")
    backtest.run_origins(lambda _: log, ORIGINS, {"": CONFIG}, models, SEEDS, tmp_path, heard)
    seen = heard.frame()
    assert seen["share"].is_monotonic_increasing and seen["share"].between(0, 1).all()
    trained = seen[seen["stage"] == "backtest"]
    assert trained["part"].nunique() == len(ORIGINS) * SEEDS * 2  # each training's losses have a number of their own
    assert (trained.groupby("part").size() == 5).all()
    assert trained["share"].iloc[-1] == pytest.approx(1)


def test_the_bar_of_folds_never_goes_back(log: EventLog, tmp_path: Path) -> None:
    heard = Heard()
    cross_validate(log, ORIGINS[-1], CONFIG, 3, tmp_path, heard)
    seen = heard.frame().query("stage == 'folds'")
    assert seen["share"].is_monotonic_increasing and seen["share"].iloc[-1] == 1
    assert seen["part"].nunique() == 3
