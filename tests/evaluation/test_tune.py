"""Tuning: the objective against scikit-learn, a search that stops and goes on, and nothing of the last origin in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_tweedie_deviance

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.saved_evaluation import find_tuning, tune
from clv_core.errors import NotEnoughData, UsageError
from clv_core.evaluation.backtest import run_origin
from clv_core.evaluation.tune import SPACE, Search, Trial, best, compare_with_default, deviance, search
from clv_core.features.log import EventLog, open_log
from clv_core.jobs import NoProgress
from clv_core.training.windows import rolling_origins
from clv_core.workspace import Workspace
from tests.evaluation.conftest import Heard

pytestmark = pytest.mark.first(2)

QUICK = TrainConfig(
    horizon_days=60, model="hybrid", ensemble=1, steps=8, cutoffs=3, processes=1, device="cpu", max_windows=800
)
OUTSIDE: dict[str, Any] = {"learning_rate": 0.05, "weight_decay": 0.0, "dropout": 0.7, "batch_size": 128}
OUTSIDE |= {"mlp_width": 100, "mlp_layers": 5, "rnn": "rnn", "rnn_width": 48, "max_steps_back": 30}


@pytest.fixture(scope="module")
def past(small_workspace: Workspace) -> Iterator[EventLog]:
    """The log as it was before its last origin."""
    dataset = open_dataset(small_workspace, "shop")
    log = open_log(dataset, before=dataset.log_end - timedelta(days=60))
    yield log
    log.close()


def searched(log: EventLog, folder: Path, trials: int, config: TrainConfig = QUICK, origins: int = 1) -> Search:
    return search(log, config, trials=trials, origins=origins, folder=folder, progress=NoProgress())


def of(config: TrainConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in SPACE}


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


@pytest.mark.parametrize("default", [{}, OUTSIDE], ids=["usual", "outside of the usual ranges"])
def test_the_default_is_tried_first_and_other_settings_after_it(
    default: dict[str, Any], past: EventLog, tmp_path: Path
) -> None:
    config = replace(QUICK, **default)
    found = searched(past, tmp_path, 3, config, origins=2)
    assert [trial.number for trial in found.trials] == [0, 1, 2] and found.default == found.trials[0]
    assert dict(found.default.settings) == of(config)
    assert all(set(trial.settings) == set(SPACE) and np.isfinite(trial.loss) for trial in found.trials)
    assert best(found.trials).loss == min(trial.loss for trial in found.trials if trial.state == "complete")


@pytest.mark.parametrize(
    ("model", "unread"), [("mlp", {"rnn": "lstm", "rnn_width": 16}), ("rnn", {"mlp_layers": 1})], ids=["mlp", "rnn"]
)
def test_what_a_model_does_not_read_is_not_searched(
    model: str, unread: dict[str, Any], past: EventLog, tmp_path: Path
) -> None:
    config = replace(QUICK, model=model)
    found = searched(past, tmp_path / "search", 3, config)
    for trial in found.trials:
        assert set(unread) <= set(SPACE) - set(trial.settings) <= {*unread, "max_steps_back"}
    one, other = (
        run_origin(past, found.origins[0], config, [model], tmp_path / name, NoProgress(), "x").predictions
        for name, config in (("one", config), ("other", replace(config, **unread)))
    )
    np.testing.assert_allclose(one["predicted_clv"], other["predicted_clv"], rtol=1e-6)


def test_a_search_that_was_killed_in_the_middle_of_a_trial_goes_on(past: EventLog, tmp_path: Path) -> None:
    class Killing(NoProgress):
        def report(self, stage: str, done: float, total: float, **figures: float) -> None:
            if figures.get("trial") == 2:
                raise SystemExit

    with pytest.raises(SystemExit):
        search(past, QUICK, trials=4, origins=1, folder=tmp_path, progress=Killing())
    resumed, whole = searched(past, tmp_path, 4), searched(past, tmp_path / "again", 4)
    assert [(t.settings, t.loss) for t in resumed.trials] == [(t.settings, t.loss) for t in whole.trials]
    assert len({str(trial.settings) for trial in whole.trials}) == 4


def test_a_default_that_failed_is_tried_again(past: EventLog, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way of the networks' state")
    with pytest.raises(OSError):
        searched(past, tmp_path, 2)
    (tmp_path / "run").unlink()
    found = searched(past, tmp_path, 2)
    assert len(found.trials) == 2 and dict(found.default.settings) == of(QUICK)


def test_a_default_that_comes_late_and_is_behind_is_tried_to_the_end(past: EventLog, tmp_path: Path) -> None:
    config = replace(QUICK, model="mlp")
    before = searched(past, tmp_path, 5, config, origins=2)
    found = searched(past, tmp_path, 5, replace(config, learning_rate=0.9), origins=2)
    assert found.default == found.trials[-1] and (found.default.number, found.default.state) == (5, "complete")
    assert found.default.loss > max(trial.loss for trial in before.trials)


def test_origins_with_too_few_buyers_before_them_are_left_out(tmp_path: Path) -> None:
    """All 90 customers buy in the first month; of the next ones, until day 220, 5 do."""
    rows = [(f"c{n}", day) for n in range(90) for day in range(n % 30, 400, 30) if n < 5 or not 30 <= day < 220]
    frame = pd.DataFrame(rows, columns=["customer_id", "day"])
    frame["event_time"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(frame["day"], unit="D")
    frame.assign(amount=5 + frame["day"] % 7).to_csv(tmp_path / "log.csv", index=False)
    ingest(Workspace(tmp_path), tmp_path / "log.csv", "log", timezone="UTC")
    dataset, config = open_dataset(Workspace(tmp_path), "log"), replace(QUICK, model="mlp")
    log, young = open_log(dataset), open_log(dataset, before=date(2023, 8, 1))
    origins = rolling_origins(log.first_day, log.end, 60, 9)
    assert [(origin - log.first_day).days for origin in origins] == [100, 160, 220, 280, 340]
    assert searched(log, tmp_path / "log", 1, config, 9).origins == tuple(origins[3:])
    assert rolling_origins(young.first_day, young.end, 60, 9)
    with pytest.raises(NotEnoughData) as caught:
        searched(young, tmp_path / "young", 1, config, 9)
    assert caught.value.code == "too_few_buyers"


def test_a_model_without_settings_and_a_log_without_room_are_refused(
    past: EventLog, small_workspace: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="hybrid"):
        searched(past, tmp_path, 2, TrainConfig(horizon_days=60, model="bgnbd"))
    with pytest.raises(NotEnoughData, match="Shorten the forecast period") as caught:
        searched(past, tmp_path, 2, TrainConfig(horizon_days=400))
    needed = timedelta(days=caught.value.params["needed"])
    enough = [bool(rolling_origins(past.end - span, past.end, 400, 1)) for span in (needed - timedelta(days=1), needed)]
    assert enough == [False, True]
    # Nothing at all lies before the last horizon then; no date was given that could be changed.
    with pytest.raises(NotEnoughData, match="^0 days of data .* Shorten the forecast period"):
        tune(small_workspace, "shop", replace(QUICK, horizon_days=3000), trials=1, origins=1, progress=NoProgress())


def tuned(workspace: Workspace, **settings: Any) -> dict[str, Any]:
    config = replace(QUICK, model="mlp", **settings)
    return tune(workspace, "shop", config, trials=2, origins=1, progress=NoProgress()).to_json()


@pytest.fixture
def changed(small_workspace: Workspace, tmp_path: Path) -> tuple[Workspace, Workspace]:
    """The shop with other review texts, and the shop with other amounts after its last origin."""
    events = pd.read_csv(small_workspace.root.parent / "log" / "events.csv", dtype={"customer_id": str})
    after = pd.to_datetime(events["event_time"]) >= str(open_dataset(small_workspace, "shop").log_end - timedelta(60))
    rewritten, other = Workspace(tmp_path / "rewritten"), Workspace(tmp_path / "other")
    for workspace, frame in (
        (rewritten, events.assign(review_text=events["review_text"].str[::-1])),
        (other, events.assign(amount=events["amount"].where(~after, 3 * events["amount"]))),
    ):
        frame.to_csv(tmp_path / "events.csv", index=False)
        ingest(workspace, tmp_path / "events.csv", "shop", mapping={}, timezone="UTC", currency="EUR")
    return rewritten, other


def test_what_is_switched_off_and_the_last_horizon_decide_nothing(
    small_workspace: Workspace, changed: tuple[Workspace, Workspace]
) -> None:
    rewritten, other = changed
    whole, bare = tuned(small_workspace), tuned(small_workspace, attributes=False, review_text=False)
    assert bare == tuned(rewritten, attributes=False, review_text=False) and bare != whole
    assert tuned(other)["trials"] == whole["trials"]
    dataset = open_dataset(small_workspace, "shop")
    assert whole["origin"] == (dataset.log_end - timedelta(days=60)).isoformat() > whole["origins"][0]
    assert find_tuning(dataset, replace(QUICK, model="mlp")) is not None


def test_a_search_of_an_earlier_version_is_found_by_its_start_and_by_its_end(tmp_path: Path) -> None:
    earlier = {name: value for name, value in QUICK.to_json().items() if name != "delete_features"}
    (tmp_path / "tuning-0.json").write_text(json.dumps({"config": earlier, "settings": {"dropout": 0.25}}))
    dataset: Any = SimpleNamespace(made_folder=tmp_path)
    for config in (QUICK, replace(QUICK, dropout=0.25)):
        assert find_tuning(dataset, config) is not None
    assert find_tuning(dataset, replace(QUICK, dropout=0.3)) is None


def test_what_it_was_worth_is_judged_from_several_random_starts(small_workspace: Workspace, tmp_path: Path) -> None:
    """The same settings in all but name: what they differ by from one start to the next proves nothing of them."""
    log, heard = open_log(open_dataset(small_workspace, "shop")), Heard()
    config = replace(QUICK, model="mlp", ensemble=2)
    default = Trial(0, of(config), 1.0, "complete")
    renamed = Trial(1, {**default.settings, "rnn": "lstm"}, 0.9, "complete")  # which an MLP does not read
    origin = log.end - timedelta(days=60)
    found = compare_with_default(log, origin, config, Search((default, renamed), default, (origin,)), tmp_path, heard)
    log.close()
    seeds = heard.frame().groupby("part")["seed"].unique()
    assert [sorted(own) for own in seeds] == [[1, 2], [1, 2], [3, 4], [3, 4], [5, 6], [5, 6]]
    assert found.to_json()["starts"] == 3
    assert all(one.value == pytest.approx(0, abs=1e-9) for one in found.advantage.values())
    assert all(one.low < -1e-6 and one.high > 1e-6 for name, one in found.advantage.items()), "no range is a point"
