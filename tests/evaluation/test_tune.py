"""Tuning: the objective against scikit-learn, a search that stops and goes on, and nothing of the last origin in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mean_tweedie_deviance

from clv_core import pipeline
from clv_core.collection.store import open_dataset
from clv_core.config import TrainConfig
from clv_core.errors import NotEnoughData, UsageError
from clv_core.evaluation import tune
from clv_core.evaluation.tune import SPACE, best, deviance, search
from clv_core.features.log import EventLog, open_log
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

QUICK = TrainConfig(horizon_days=60, ensemble=1, steps=8, cutoffs=3, processes=1, device="cpu", max_windows=800)


@pytest.fixture(scope="module")
def past(small_workspace: Workspace) -> Iterator[EventLog]:
    """The log as it was before its last origin."""
    dataset = open_dataset(small_workspace, "shop")
    log = open_log(dataset, before=dataset.log_end - timedelta(days=60))
    yield log
    log.close()


def test_deviance_is_the_tweedie_deviance_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    actual, mean = np.where(rng.random(500) < 0.6, 0, rng.lognormal(3, 1, 500)), rng.lognormal(2, 1, 500)
    assert deviance(actual, mean) == pytest.approx(mean_tweedie_deviance(actual, mean, power=1.5), rel=1e-12)


def test_deviance_survives_what_scikit_learn_refuses_and_prefers_the_truth() -> None:
    rng = np.random.default_rng(4)
    truth = rng.lognormal(2, 1, 5000)
    actual = np.where(rng.random(5000) < 0.5, -1.0, 2 * truth)
    assert np.isfinite(deviance(actual, np.zeros(5000)))
    assert deviance(actual, truth) < min(deviance(actual, 1.3 * truth), deviance(actual, np.full(5000, truth.mean())))


def test_every_searched_setting_is_a_setting_and_the_default_is_tried_first(past: EventLog, tmp_path: Path) -> None:
    trials = search(past, QUICK, trials=3, origins=2, folder=tmp_path, progress=NoProgress())
    assert [trial.number for trial in trials] == [0, 1, 2]
    assert dict(trials[0].settings) == {name: getattr(QUICK, name) for name in SPACE}
    assert all(set(trial.settings) == set(SPACE) and np.isfinite(trial.loss) for trial in trials)
    assert best(trials).loss == min(trial.loss for trial in trials if trial.state == "complete")


def test_a_search_that_was_killed_in_the_middle_of_a_trial_goes_on(
    past: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured, calls = tune._measured, []

    def killed(*arguments: object) -> float:
        calls.append(1)
        if len(calls) == 4:  # the reference, two whole trials, then the third one is cut off
            raise SystemExit
        return measured(*arguments)

    monkeypatch.setattr(tune, "_measured", killed)
    with pytest.raises(SystemExit):
        search(past, QUICK, trials=4, origins=1, folder=tmp_path, progress=NoProgress())
    resumed = search(past, QUICK, trials=4, origins=1, folder=tmp_path, progress=NoProgress())
    whole = search(past, QUICK, trials=4, origins=1, folder=tmp_path / "again", progress=NoProgress())
    assert [(dict(t.settings), t.loss) for t in resumed] == [(dict(t.settings), t.loss) for t in whole]
    assert len({json.dumps(dict(trial.settings)) for trial in whole}) == 4


def test_a_model_without_settings_and_a_log_without_room_are_told_so(past: EventLog, tmp_path: Path) -> None:
    config = TrainConfig(horizon_days=60, model="bgnbd")
    with pytest.raises(UsageError, match="hybrid"):
        search(past, config, trials=2, origins=1, folder=tmp_path, progress=NoProgress())
    with pytest.raises(NotEnoughData, match="shorter horizon"):
        search(past, TrainConfig(horizon_days=400), trials=2, origins=1, folder=tmp_path, progress=NoProgress())


def test_the_last_horizon_decides_nothing(small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(log: EventLog, *arguments: object, **named: object) -> list[tune.Trial]:
        seen.append(log.end)
        return search(log, *arguments, **named)

    monkeypatch.setattr(pipeline, "search", watched)
    found = pipeline.tune(small_workspace, "shop", QUICK, trials=2, origins=1, progress=NoProgress())
    end = open_dataset(small_workspace, "shop").log_end
    assert seen == [end - timedelta(days=60)] and found.origin == seen[0].isoformat()
    kept = json.loads((small_workspace.root / "tuning" / "shop-60d.json").read_text(encoding="utf-8"))
    assert kept["settings"] == found.settings and len(kept["trials"]) == 2
    assert set(found.advantage) in (set(), {"gini", "spearman", "mae", "rmse", "decile_mape", "bias"})
