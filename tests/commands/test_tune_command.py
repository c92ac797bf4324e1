"""``tune`` by the command line: which model it takes, and that what it prints trains what it judged."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import date
from typing import Any, Final

import pytest

from clv_core import pipeline
from clv_core.cli import build_parser
from clv_core.commands import Context
from clv_core.commands.training import config_from
from clv_core.config import TrainConfig
from clv_core.errors import UsageError
from clv_core.evaluation.tune import SPACE, Search, Trial
from clv_core.evaluation.tuned import Tuning
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

FOUND: Final[dict[str, Any]] = {"learning_rate": 0.0043217, "rnn": "lstm", "batch_size": 256}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """Return what searches are asked for; each finds ``FOUND`` at once."""
    configs: list[TrainConfig] = []

    def found(workspace: Workspace, name: str, config: TrainConfig, **options: Any) -> Tuning:
        configs.append(config)
        default = Trial(0, {key: getattr(config, key) for key in SPACE}, 1.0, "complete")
        better = Trial(1, {**default.settings, **FOUND}, 0.9, "complete")
        return Tuning(Search((default, better), default, (date(2023, 5, 1),)), "2023-07-01", {})

    monkeypatch.setattr(pipeline, "tune", found)
    return configs


def options_of(*words: str) -> argparse.Namespace:
    return build_parser().parse_args([*words])


def test_what_it_prints_trains_what_it_judged(small_workspace: Workspace, asked: list[TrainConfig]) -> None:
    context = Context(small_workspace, "en", NoProgress())
    given = ("--model", "mlp", "--seed", "4", "--set", "attributes=false", "--set", "ensemble=2")
    asked_for = options_of("tune", "shop", "--horizon-days", "60", *given)
    result = asked_for.run(asked_for, context)
    options = options_of("train", "shop", *result["train_with"].split())
    assert config_from(options, options.model) == replace(asked[0], **FOUND)
    assert (asked[0].model, asked[0].attributes) == ("mlp", False)


def test_without_a_model_it_takes_the_one_that_is_trained(
    small_workspace: Workspace, asked: list[TrainConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, options = Context(small_workspace, "en", NoProgress()), options_of("tune", "shop", "--horizon-days", "60")
    with pytest.raises(UsageError, match="--model: blend") as refused:  # 900 customers
        options.run(options, context)
    assert refused.value.params["model"] == "instant_tuned" and asked == []
    monkeypatch.setattr(pipeline, "default_model", lambda workspace, name: "blend")
    assert "--model blend" in options.run(options, context)["train_with"]
    assert asked[0].model == "blend"
