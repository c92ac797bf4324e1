"""``look`` and ``pretrain`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.cli import main
from clv_core.deployment.bundle import open_bundle
from clv_core.errors import UsageError
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    code = main(arguments)
    return code, json.loads(capsys.readouterr().out.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def looked(small_workspace: Workspace) -> dict[str, object]:
    found = pipeline.look(small_workspace, "shop", progress=NoProgress())
    return {"id": found.bundle.id, "total": found.predicted_total, "customers": found.customers}


def test_a_first_look_gives_everyone_a_value_and_says_that_nothing_was_trained(
    small_workspace: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, found = run(capsys, "look", "shop", "--workspace", str(small_workspace.root))
    assert code == 0
    assert found["customers"] == 900 and found["predicted_total"] > 0 and 0.1 < found["top_decile_share"] < 1
    assert found["horizon_days"] == 90
    assert found["trust"]["verdict"] == "caution"
    assert found["trust"]["reasons"][0]["code"] == "untrained"


def test_its_scores_are_those_of_the_command_score(
    small_workspace: Workspace, looked: dict[str, object], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "scores.parquet"
    code, _ = run(
        capsys,
        "score",
        "shop",
        "--model",
        str(looked["id"]),
        "--out",
        str(out),
        "--workspace",
        str(small_workspace.root),
    )
    assert code == 0
    assert pd.read_parquet(out)["predicted_clv"].sum() == pytest.approx(looked["total"])


def test_looking_again_at_the_same_data_replaces_the_look(
    small_workspace: Workspace, looked: dict[str, object]
) -> None:
    again = pipeline.look(small_workspace, "shop", progress=NoProgress())
    assert again.bundle.id == looked["id"] and again.predicted_total == looked["total"]


def test_a_look_is_a_model_like_any_other_and_knows_what_it_is(
    small_workspace: Workspace, looked: dict[str, object]
) -> None:
    bundle = open_bundle(small_workspace, str(looked["id"]))
    assert bundle.untrained and bundle.record["model"] == "instant" and bundle.holdout() is None
    assert bundle.record["pretrained"]["steps"] > 0


def test_a_horizon_can_be_asked_for(small_workspace: Workspace) -> None:
    found = pipeline.look(small_workspace, "shop", horizon_days=30, progress=NoProgress())
    assert found.bundle.record["horizon_days"] == 30


def test_an_unknown_dataset_is_refused(small_workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = run(capsys, "look", "nothing", "--workspace", str(small_workspace.root))
    assert code != 0 and "nothing" in found["error"]["message"]


@pytest.mark.parametrize("budget", [("--steps", "0"), ("--minutes", "-1")])
def test_pretraining_without_a_budget_is_refused(
    budget: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, found = run(capsys, "pretrain", *budget, "--out", str(tmp_path))
    assert code == 2 and found["error"]["code"] == "setting_bounds"
    assert not list(tmp_path.iterdir())


def test_a_horizon_of_no_day_is_refused(small_workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="between 1 and 3650"):
        pipeline.look(small_workspace, "shop", horizon_days=0, progress=NoProgress())
