"""How far a run of many trainings is: one bar from its beginning to its end, and whose losses are whose."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.evaluation.backtest import BacktestPlan, run_origins
from clv_core.evaluation.folds import cross_validate
from clv_core.features.log import EventLog, open_log
from clv_core.workspace import Workspace
from tests.evaluation.conftest import Heard

CONFIG = TrainConfig(
    horizon_days=60, model="mlp", ensemble=1, steps=8, cutoffs=2, processes=1, device="cpu", max_windows=800
)
ORIGINS = [date(2024, 2, 25), date(2024, 4, 25)]


@pytest.fixture
def log(small_workspace: Workspace) -> EventLog:
    return open_log(open_dataset(small_workspace, "shop"))


def test_the_bar_of_a_backtest_never_goes_back_and_ends_at_its_end(log: EventLog, tmp_path: Path) -> None:
    heard = Heard()
    run_origins(
        lambda _: log, ORIGINS, {"": CONFIG}, BacktestPlan(("mlp", "ziln_mlp", "naive"), seeds=2), tmp_path, heard
    )
    seen = heard.frame()
    assert seen["share"].is_monotonic_increasing and seen["share"].between(0, 1).all()
    trained = seen[seen["stage"] == "backtest"]
    assert trained["part"].nunique() == len(ORIGINS) * 2 * 2  # each training's losses have a number of their own
    assert trained["share"].iloc[-1] == pytest.approx(1)


def test_the_bar_of_folds_never_goes_back(log: EventLog, tmp_path: Path) -> None:
    heard = Heard()
    cross_validate(log, ORIGINS[-1], CONFIG, 3, tmp_path, heard)
    seen = heard.frame().query("stage == 'folds'")
    assert seen["share"].is_monotonic_increasing and seen["share"].iloc[-1] == 1
    assert seen["part"].nunique() == 3
