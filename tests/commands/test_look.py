"""The command ``look``: values for everyone from a model that nobody trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.deployment.bundle import open_bundle
from clv_core.workspace import Workspace
from tests.commands.conftest import done, run
from tests.conftest import own_copy


@pytest.fixture(scope="module")
def workspace(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return own_copy(small_workspace, tmp_path_factory.mktemp("look"))


@pytest.fixture(scope="module")
def looked(workspace: Workspace) -> dict[str, Any]:
    return done(workspace, "look", "shop")


def test_a_first_look_gives_everyone_a_value_and_says_that_nothing_was_trained(
    workspace: Workspace, looked: dict[str, Any]
) -> None:
    assert (looked["customers"], looked["horizon_days"]) == (900, 90)
    assert looked["predicted_total"] > 0 and 0.1 < looked["top_decile_share"] < 1
    assert looked["trust"]["verdict"] == "caution" and looked["trust"]["reasons"][0]["code"] == "untrained"
    bundle = open_bundle(workspace, looked["model"])
    assert bundle.untrained and bundle.record.model == "instant" and bundle.holdout() is None
    assert bundle.record.pretrained["steps"] > 0


def test_its_scores_are_those_of_the_command_score(
    workspace: Workspace, looked: dict[str, Any], tmp_path: Path
) -> None:
    done(workspace, "score", "shop", "--model", looked["model"], "--out", tmp_path / "scores.parquet")
    total = pd.read_parquet(tmp_path / "scores.parquet")["predicted_clv"].sum()
    assert total == pytest.approx(looked["predicted_total"], abs=0.01)


def test_a_first_look_is_no_version_of_a_model(workspace: Workspace, looked: dict[str, Any]) -> None:
    assert looked["model"] and run(workspace, "models", "list")[1]["versions"] == []


def test_looking_again_at_the_same_data_replaces_the_look_unless_another_horizon_is_asked_for(
    workspace: Workspace, looked: dict[str, Any]
) -> None:
    again = done(workspace, "look", "shop")
    assert (again["model"], again["predicted_total"]) == (looked["model"], looked["predicted_total"])
    shorter = done(workspace, "look", "shop", "--horizon-days", 30)
    assert shorter["horizon_days"] == open_bundle(workspace, shorter["model"]).record.horizon_days == 30


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [(("nothing",), 4, "nothing"), (("shop", "--horizon-days", 0), 2, "1 to 3650")],
)
def test_what_cannot_be_looked_at_is_refused(
    workspace: Workspace, words: tuple[object, ...], code: int, named: str
) -> None:
    found, answer = run(workspace, "look", *words)
    assert found == code and named in answer["error"]["message"]
