"""What the train page offers, against the rules of training itself."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clv_core.cli import build_parser
from clv_core.collection.store import open_dataset
from clv_core.commands.train import config_from
from clv_core.config import TrainConfig
from clv_core.training.windows import training_cutoffs
from clv_core.workspace import Workspace
from pages.ui import state
from pages.ui.train import forms, training


def test_longest_measurable_horizon_is_the_last_that_leaves_a_cutoff(with_dataset: Path) -> None:
    dataset = open_dataset(Workspace(with_dataset), "shop")
    allowed = training.horizons(dataset)
    first, end = dataset.log_start, dataset.log_end

    def fits(days: int) -> bool:
        return bool(training_cutoffs(first, end - timedelta(days=days), days, 1))

    assert allowed.days == (end - first).days
    assert fits(allowed.measurable) and not fits(allowed.measurable + 1)
    assert training_cutoffs(first, end, allowed.longest, 1)
    assert not training_cutoffs(first, end, allowed.longest + 1, 1)


def test_cost_grows_with_the_work(with_dataset: Path) -> None:
    dataset = open_dataset(Workspace(with_dataset), "shop")
    small = training.expected_cost(dataset, TrainConfig(horizon_days=90, steps=400))
    large = training.expected_cost(dataset, TrainConfig(horizon_days=90, steps=4000, rnn_width=128))
    assert 0 < small.seconds < large.seconds


def test_command_that_is_started_says_the_settings_that_were_chosen(
    with_dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(state, "start_job", lambda command, label: started.append(command))
    values: dict[str, Any] = {item.name: item.default for item in fields(TrainConfig) if item.name != "horizon_days"}
    values |= {"model": "mlp", "seed": 5, "steps": 900, "rnn": "lstm", "dropout": 0.25, "early_stopping": True}
    training.start(open_dataset(Workspace(with_dataset), "shop"), TrainConfig(horizon_days=60, **values))
    options = build_parser().parse_args(started[0])
    assert config_from(options, options.model) == TrainConfig(horizon_days=60, **values)


def test_defaults_are_not_repeated_in_the_command() -> None:
    values = {item.name: item.default for item in fields(TrainConfig)}
    assert forms.changed(TrainConfig, values) == {}
    assert forms.changed(TrainConfig, {**values, "steps": 500}) == {"steps": 500}
