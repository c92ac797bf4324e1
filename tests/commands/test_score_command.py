"""The command ``score``: what it says of the day that a model is asked as of."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from clv_core import pipeline
from clv_core.cli import main
from clv_core.collection.stored.store import open_dataset
from clv_core.config import TrainConfig
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(1)

HORIZON = 30


@pytest.fixture(scope="module")
def trained(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str, date]:
    """A model of a log that goes on for 100 days after what it learned from; its id and cutoff."""
    workspace = Workspace(tmp_path_factory.mktemp("late") / "workspace")
    workspace.root.mkdir()
    (workspace.root / "datasets").symlink_to(small_workspace.datasets)
    cutoff = open_dataset(workspace, "shop").log_end - timedelta(days=100)
    config = TrainConfig(horizon_days=HORIZON, model="naive")
    return workspace, pipeline.train(workspace, "shop", config, cutoff=cutoff, progress=NoProgress()).id, cutoff


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("days", "code"),
    [(-1, "before_cutoff"), (0, None), (HORIZON, None), (HORIZON + 1, "service_late"), (None, "service_late")],
)
def test_a_day_that_a_model_is_too_old_for_or_has_seen_beyond_is_warned_of(
    days: int | None,
    code: str | None,
    trained: tuple[Workspace, str, date],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    workspace, model, cutoff = trained
    words = [] if days is None else ["--cutoff", (cutoff + timedelta(days=days)).isoformat()]
    out = str(tmp_path / "scores.csv")
    assert main(["score", "shop", "--model", model, "--out", out, *words, "--workspace", str(workspace.root)]) == 0
    captured = capsys.readouterr()
    found: list[dict[str, Any]] = json.loads(captured.out.splitlines()[-1])["warnings"]
    assert [one["code"] for one in found] == ([code] if code else [])
    assert all(one["message"] in captured.err for one in found)
    assert all(one["params"]["days"] == abs(100 if days is None else days) for one in found)
