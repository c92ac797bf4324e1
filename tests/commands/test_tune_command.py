"""``tune`` by the command line: which model it takes, and that what it prints trains what it judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from clv_core import deployment, pipeline
from clv_core.config import TrainConfig
from clv_core.errors import ClvError
from clv_core.evaluation.tune import SPACE, Search, Trial, Tuning
from clv_core.workspace import Workspace
from tests.commands.conftest import done, run

FOUND = {"learning_rate": 0.0043217, "rnn": "lstm", "batch_size": 256}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """Return what searches and trainings are asked for; each search finds ``FOUND`` at once, no training begins."""
    configs: list[TrainConfig] = []

    def tune(workspace: Workspace, name: str, config: TrainConfig, **_: Any) -> Tuning:
        configs.append(config)
        default = Trial(0, {key: getattr(config, key) for key in SPACE}, 1.0, "complete")
        better = Trial(1, {**default.settings, **FOUND}, 0.9, "complete")
        return Tuning(Search((default, better), default, (date(2023, 5, 1),)), "2023-07-01", {})

    def train(workspace: Workspace, name: str, config: TrainConfig, **_: Any) -> None:
        configs.append(config)
        raise ClvError("unexpected", kind="stop")

    monkeypatch.setattr(deployment, "tune", tune)
    monkeypatch.setattr(pipeline, "train", train)
    return configs


def test_what_it_prints_trains_what_it_judged(small_workspace: Workspace, asked: list[TrainConfig]) -> None:
    words = "tune shop --horizon-days 60 --model mlp --seed 4 --set attributes=false --set ensemble=2"
    answer = done(small_workspace, *words.split())
    run(small_workspace, "train", "shop", *answer["train_with"].split())
    judged, trained = asked
    assert trained == replace(judged, **FOUND) and (judged.model, judged.attributes) == ("mlp", False)


def test_without_a_model_it_takes_the_one_that_is_trained(
    small_workspace: Workspace, asked: list[TrainConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("tune", "shop", "--horizon-days", 60)
    code, answer = run(small_workspace, *words)  # 900 customers
    assert code == 2 and "--model with: blend" in answer["error"]["message"] and asked == []
    assert answer["error"]["params"]["model"] == "instant_tuned"
    monkeypatch.setattr(pipeline, "default_model", lambda workspace, name: "blend")
    assert "--model blend" in done(small_workspace, *words)["train_with"]
    assert asked[0].model == "blend"
