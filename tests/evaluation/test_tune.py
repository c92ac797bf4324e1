"""Tuning: the objective against scikit-learn, a search that stops and goes on, and nothing of the last origin in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import mean_tweedie_deviance

from clv_core import pipeline
from clv_core.collection.stored.store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.kept_tuning import find_tuning
from clv_core.errors import NotEnoughData, UsageError
from clv_core.evaluation import backtest, tune
from clv_core.evaluation.backtest import run_origin
from clv_core.evaluation.origins import rolling_origins
from clv_core.evaluation.tune import SPACE, best, deviance, search
from clv_core.evaluation.tuned import Tuning, judge
from clv_core.features.log import EventLog, open_log
from clv_core.jobs import NoProgress
from clv_core.model.inputs import InputEncoder
from clv_core.workspace import Workspace

pytestmark = pytest.mark.slow

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
    found = search(past, QUICK, trials=3, origins=2, folder=tmp_path, progress=NoProgress())
    trials = found.trials
    assert [trial.number for trial in trials] == [0, 1, 2] and found.default == trials[0]
    assert dict(trials[0].settings) == {name: getattr(QUICK, name) for name in SPACE}
    assert all(set(trial.settings) == set(SPACE) and np.isfinite(trial.loss) for trial in trials)
    assert best(trials).loss == min(trial.loss for trial in trials if trial.state == "complete")


@pytest.mark.parametrize("model", ["mlp", "rnn"])
def test_what_a_model_does_not_read_is_not_searched(
    model: str, past: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = InputEncoder.fit
    # The unit of money is the mean of the purchases that any window covers; nothing else of a step reaches an MLP.
    monkeypatch.setattr(InputEncoder, "fit", lambda *parts: replace(fitted(*parts), money=20.0))
    config = replace(QUICK, model=model)
    found = search(past, config, trials=3, origins=1, folder=tmp_path / "search", progress=NoProgress())
    unread = set(SPACE) - set(found.default.settings)
    assert unread == set(tune.UNREAD[model]) and all(not unread & set(one.settings) for one in found.trials)
    other: dict[str, Any] = {"rnn": "lstm", "rnn_width": 16, "mlp_layers": 1, "max_steps_back": 2}
    changed = replace(config, **{name: other[name] for name in unread})
    said = [
        run_origin(past, found.origins[0], one, [model], tmp_path / f"{place}", NoProgress(), "x").predictions
        for place, one in enumerate((config, changed))
    ]
    np.testing.assert_allclose(said[0]["predicted_clv"], said[1]["predicted_clv"], rtol=1e-6)


def test_a_search_that_was_killed_in_the_middle_of_a_trial_goes_on(
    past: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured, calls = tune._measured, []

    def killed(*arguments: Any) -> float:
        calls.append(1)
        if len(calls) == 4:  # the reference, two whole trials, then the third one is cut off
            raise SystemExit
        return measured(*arguments)

    monkeypatch.setattr(tune, "_measured", killed)
    with pytest.raises(SystemExit):
        search(past, QUICK, trials=4, origins=1, folder=tmp_path, progress=NoProgress())
    resumed = search(past, QUICK, trials=4, origins=1, folder=tmp_path, progress=NoProgress())
    whole = search(past, QUICK, trials=4, origins=1, folder=tmp_path / "again", progress=NoProgress())
    assert [(t.settings, t.loss) for t in resumed.trials] == [(t.settings, t.loss) for t in whole.trials]
    assert len({json.dumps(dict(trial.settings)) for trial in whole.trials}) == 4


def by_rate(log: EventLog, origin: date, config: TrainConfig, folder: Path) -> float:
    """Measure at once: the slower a network learns, the better."""
    return 1.0 if config.model == tune.REFERENCE else config.learning_rate


OUTSIDE = replace(
    QUICK,
    learning_rate=0.05,
    weight_decay=0.0,
    dropout=0.7,
    batch_size=128,
    mlp_width=100,
    mlp_layers=5,
    rnn="rnn",
    rnn_width=48,
    max_steps_back=30,
)


def test_a_default_outside_of_what_is_usually_searched_is_tried_too(
    past: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune, "_measured", by_rate)
    found = search(past, OUTSIDE, trials=14, origins=1, folder=tmp_path, progress=NoProgress())
    assert dict(found.trials[0].settings) == {name: getattr(OUTSIDE, name) for name in SPACE}
    assert found.default == found.trials[0] and len(found.trials) == 14
    for trial in found.trials:
        replace(OUTSIDE, **trial.settings)  # raises where a setting is out of its bounds


def test_a_default_that_failed_is_tried_again_and_known_by_its_settings(
    past: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(log: EventLog, origin: date, config: TrainConfig, folder: Path) -> float:
        if config.model != tune.REFERENCE:
            raise MemoryError
        return 1.0

    monkeypatch.setattr(tune, "_measured", failing)
    with pytest.raises(MemoryError):
        search(past, QUICK, trials=3, origins=1, folder=tmp_path, progress=NoProgress())
    monkeypatch.setattr(tune, "_measured", by_rate)
    found = search(past, QUICK, trials=3, origins=1, folder=tmp_path, progress=NoProgress())
    assert len(found.trials) == 3
    assert (found.default.loss, found.default.settings["learning_rate"]) == (QUICK.learning_rate, QUICK.learning_rate)


def test_a_default_that_comes_late_and_is_behind_is_tried_to_the_end(
    past: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune, "_measured", by_rate)
    search(past, QUICK, trials=8, origins=2, folder=tmp_path, progress=NoProgress())
    late = replace(QUICK, learning_rate=8e-3)
    found = search(past, late, trials=8, origins=2, folder=tmp_path, progress=NoProgress())
    assert found.default == found.trials[-1] and (found.default.number, found.default.loss) == (8, 8e-3)


def test_origins_with_too_little_before_them_are_left_out(
    past: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = rolling_origins(past.first_day, past.end, QUICK.horizon_days, 3)

    def young(log: EventLog, origin: date, config: TrainConfig, folder: Path) -> float:
        if origin == first:
            raise NotEnoughData("too_few_buyers", buyers=12, needed=30, horizon=60)
        return by_rate(log, origin, config, folder)

    monkeypatch.setattr(tune, "_measured", young)
    found = search(past, QUICK, trials=2, origins=3, folder=tmp_path, progress=NoProgress())
    assert found.origins == tuple(others) and len(others) == 2

    def empty(*arguments: Any) -> float:
        raise NotEnoughData("too_few_buyers", buyers=12, needed=30, horizon=60)

    monkeypatch.setattr(tune, "_measured", empty)
    with pytest.raises(NotEnoughData, match="12"):
        search(past, QUICK, trials=2, origins=3, folder=tmp_path / "empty", progress=NoProgress())


def test_a_model_without_settings_and_a_log_without_room_are_told_so(past: EventLog, tmp_path: Path) -> None:
    config = TrainConfig(horizon_days=60, model="bgnbd")
    with pytest.raises(UsageError, match="hybrid"):
        search(past, config, trials=2, origins=1, folder=tmp_path, progress=NoProgress())
    with pytest.raises(NotEnoughData, match="shorter horizon") as caught:
        search(past, TrainConfig(horizon_days=400), trials=2, origins=1, folder=tmp_path, progress=NoProgress())
    needed = timedelta(days=caught.value.params["needed"])
    enough = [bool(rolling_origins(past.end - span, past.end, 400, 1)) for span in (needed - timedelta(days=1), needed)]
    assert enough == [False, True]


def test_a_horizon_longer_than_the_log_is_refused_as_a_horizon(small_workspace: Workspace) -> None:
    """Nothing at all lies before the last horizon then; no date was given that could be changed."""
    config = replace(QUICK, horizon_days=3000, model="hybrid")
    with pytest.raises(NotEnoughData, match="has 0 days, .* Choose a shorter horizon"):
        pipeline.tune(small_workspace, "shop", config, trials=1, origins=1, progress=NoProgress())


def test_what_is_switched_off_is_read_neither_by_the_search_nor_by_the_judgement(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[EventLog] = []

    def searched(log: EventLog, *arguments: Any, **named: Any) -> tune.Search:
        seen.append(log)
        return search(log, *arguments, **named)

    def judged(log: EventLog, *arguments: Any) -> Tuning:
        seen.append(log)
        return judge(log, *arguments)

    monkeypatch.setattr(tune, "_measured", by_rate)
    monkeypatch.setattr(pipeline, "search", searched)
    monkeypatch.setattr(pipeline, "judge", judged)
    assert open_log(open_dataset(small_workspace, "shop")).signals
    bare = replace(QUICK, attributes=False, review_text=False)
    pipeline.tune(small_workspace, "shop", bare, trials=1, origins=1, progress=NoProgress())
    assert [log.signals for log in seen] == [(), ()]


def test_the_last_horizon_decides_nothing(small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(log: EventLog, *arguments: Any, **named: Any) -> tune.Search:
        seen.append(log.end)
        return search(log, *arguments, **named)

    monkeypatch.setattr(pipeline, "search", watched)
    found = pipeline.tune(small_workspace, "shop", QUICK, trials=2, origins=1, progress=NoProgress())
    end = open_dataset(small_workspace, "shop").log_end
    assert seen == [end - timedelta(days=60)] and found.origin == seen[0].isoformat()
    kept = find_tuning(small_workspace, open_dataset(small_workspace, "shop"), QUICK)
    assert kept is not None
    assert kept["settings"] == found.settings and len(kept["trials"]) == 2
    assert len(kept["origins"]) == 1 and kept["origins"][0] < kept["origin"]
    assert set(found.advantage) in (set(), {"gini", "spearman", "mae", "rmse", "decile_mape", "bias"})


def test_what_it_was_worth_is_judged_from_several_random_starts(
    small_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same settings in all but name: what they differ by from one start to the next proves nothing of them."""
    log = open_log(open_dataset(small_workspace, "shop"))
    config = replace(QUICK, model="mlp", ensemble=2)
    default = tune.Trial(0, {name: getattr(config, name) for name in SPACE}, 1.0, "complete")
    renamed = tune.Trial(1, {**default.settings, "rnn": "lstm"}, 0.9, "complete")  # which an MLP does not read
    origin = log.end - timedelta(days=60)
    seeds: list[int] = []

    def watched(log: EventLog, cutoff: date, settings: TrainConfig, *rest: Any) -> Any:
        seeds.append(settings.seed)
        return run_origin(log, cutoff, settings, *rest)

    monkeypatch.setattr(backtest, "run_origin", watched)
    found = judge(log, origin, config, tune.Search((default, renamed), default, (origin,)), tmp_path, NoProgress())
    log.close()
    assert seeds == [1, 1, 3, 3, 5, 5], "members of one ensemble take the seeds between"
    assert found.to_json()["starts"] == 3
    assert all(one.value == pytest.approx(0, abs=1e-9) for one in found.advantage.values())
    assert all(one.low < -1e-6 and one.high > 1e-6 for name, one in found.advantage.items()), "no range is a point"
