"""What every model of ``MODELS`` must do: fit, predict, come back from a bundle, and never say anything absurd."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import MODEL_IDS, OWN, TrainConfig
from clv_core.errors import UsageError
from clv_core.evaluation.metrics import evaluate
from clv_core.evaluation.model_scoreboard import NAMES
from clv_core.features.log import EventLog, open_log
from clv_core.features.season import scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import NoProgress
from clv_core.model.blend import BlendModel
from clv_core.training.cost import FROM_SCRATCH, SECONDS_A_WINDOW
from clv_core.training.fit import MODELS, FitTask, Fitted
from clv_core.training.single_networks import LEARNING_RATE, LEARNING_RATE_SMALL, Tuning
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace
from tests.conftest import SMALL
from tests.training.one_law import violations
from tests.training.own_models import CODE

FIGURES = ("p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90")


@pytest.fixture(scope="module")
def log(small_workspace: Workspace) -> EventLog:
    return open_log(open_dataset(small_workspace, "shop"))


@pytest.fixture(scope="module")
def train(log: EventLog) -> Snapshot:
    return training_data(log, log.end - timedelta(days=90), SMALL, NoProgress())


@pytest.fixture(scope="module")
def latest(log: EventLog) -> Snapshot:
    return scoring_snapshot(log, log.end - timedelta(days=90), 90, max_steps=40)


@pytest.fixture(scope="module", params=list(MODELS))
def fitted(request: pytest.FixtureRequest, train: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    steps = 4 * SMALL.steps if request.param == "ziln_mlp" else SMALL.steps  # it starts from no anchor
    config = dataclasses.replace(SMALL, model=request.param, code=CODE, steps=steps)
    return MODELS[request.param].fit(FitTask(train, config, tmp_path_factory.mktemp("run"), NoProgress(), "training"))


def test_every_model_has_an_id_that_settings_accept_a_proper_name_and_a_time() -> None:
    assert set(MODELS) == {*MODEL_IDS, OWN} <= set(NAMES)
    assert set(MODELS) <= {*SECONDS_A_WINDOW, *FROM_SCRATCH}


@pytest.mark.examples(2)
def test_predictions_are_finite_ordered_and_bounded(fitted: Fitted, train: Snapshot, latest: Snapshot) -> None:
    found = fitted.model.predict(latest)
    assert len(found) == len(latest)
    assert all(np.isfinite(getattr(found, name)).all() for name in FIGURES)
    assert (found.clv_p10 <= found.clv_p50 + 1e-9).all() and (found.clv_p50 <= found.clv_p90 + 1e-9).all()
    assert found.predicted_clv.min() >= 0
    assert max(found.predicted_clv.max(), found.clv_p90.max()) <= 3 * train.target.max() * (1 + 1e-6)


def test_ranks_better_than_chance_and_chances_tell_who_buys(fitted: Fitted, latest: Snapshot) -> None:
    figures = evaluate(latest.target, fitted.model.predict(latest))
    assert figures["gini"] > 0.2 and figures["auc"] > 0.6


@pytest.mark.examples(3)
def test_state_survives_a_bundle_s_files(
    fitted: Fitted, latest: Snapshot, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tensors, state = fitted.model.state()
    save_file(tensors, tmp_path / "weights.safetensors")
    text = json.dumps(state, allow_nan=False)
    entry = MODELS[request.node.callspec.params["fitted"]]
    again = entry.load(load_file(tmp_path / "weights.safetensors"), json.loads(text))
    for name in FIGURES:
        np.testing.assert_array_equal(getattr(again.predict(latest), name), getattr(fitted.model.predict(latest), name))


def test_a_longer_horizon_is_worth_more(fitted: Fitted, latest: Snapshot) -> None:
    short, own, long = (fitted.model.predict(latest, days) for days in (30, None, 180))
    for one, other in ((short, own), (own, long)):
        assert (one.predicted_clv <= other.predicted_clv + 1e-6).all()
        assert (one.p_purchase <= other.p_purchase + 1e-6).all()


def test_chance_mean_and_ranges_are_those_of_one_law_at_any_horizon(fitted: Fitted, latest: Snapshot) -> None:
    some = latest.take(np.arange(0, len(latest), 8))
    assert violations(fitted.model, some, (30, 90, 730), (0.0, 0.1)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["btyd", "browsing", "subscription", "regime", "noise"])
def test_every_model_keeps_to_one_law_on_logs_of_all_kinds(scenario: str, tmp_path: Path) -> None:
    events, _ = simulate(scenario, SimulationPlan(1500, 540, 3, 90)).write(tmp_path / "source")
    ingest(Workspace(tmp_path), events, "log", mapping={}, timezone="UTC", currency="EUR", progress=NoProgress())
    opened = open_log(open_dataset(Workspace(tmp_path), "log"))
    windows = training_data(opened, opened.end, SMALL, NoProgress())
    snapshot = scoring_snapshot(opened, opened.end, 90, max_steps=40)
    some = snapshot.take(np.arange(0, len(snapshot), max(1, len(snapshot) // 150)))
    for model in MODELS:
        config = dataclasses.replace(SMALL, model=model, code=CODE)
        task = FitTask(windows, config, tmp_path / model, NoProgress(), "training")
        assert violations(MODELS[model].fit(task).model, some) == {}, model


@pytest.mark.examples(2)
@pytest.mark.parametrize("model", ["paretonbd", "lightgbm", "ziln_mlp"])
def test_the_same_seed_gives_the_same_predictions(
    model: str, train: Snapshot, latest: Snapshot, tmp_path: Path
) -> None:
    config = dataclasses.replace(SMALL, model=model)
    one, other = (
        MODELS[model].fit(FitTask(train, config, tmp_path / name, NoProgress(), "training")).model.predict(latest)
        for name in ("a", "b")
    )
    np.testing.assert_array_equal(one.predicted_clv, other.predicted_clv)


def another(item: dataclasses.Field[Any], value: Any) -> Any:
    """Return an allowed value of a setting that is not ``value``."""
    if item.metadata["choices"]:
        return next(choice for choice in item.metadata["choices"] if choice not in (value, "delete"))
    if isinstance(value, bool) or isinstance(value, str):
        return "orders" if isinstance(value, str) else not value
    low, high = item.metadata["low"] or 0, item.metadata["high"] or 10
    return next(number for number in (2, 3, low, high) if low <= number <= high and number != value)


@pytest.mark.slow
@pytest.mark.parametrize("model", list(MODELS))
def test_a_setting_that_a_model_does_not_read_changes_nothing(
    model: str, log: EventLog, latest: Snapshot, tmp_path: Path
) -> None:
    config = dataclasses.replace(SMALL, model=model, code=CODE, ensemble=1, steps=5)
    ignored = [item for item in dataclasses.fields(config) if item.name in config.ignored()]
    changed = {item.name: another(item, getattr(config, item.name)) for item in ignored}
    predicted = []
    for name, settings in (("one", config), ("other", dataclasses.replace(config, **changed))):
        windows = training_data(log, log.end - timedelta(days=90), settings, NoProgress())
        fitted = MODELS[model].fit(FitTask(windows, settings, tmp_path / name, NoProgress(), "training"))
        predicted.append(fitted.model.predict(latest).predicted_clv)
    np.testing.assert_allclose(predicted[0], predicted[1], rtol=1e-6)


def test_windows_that_lack_a_chosen_feature_are_deleted_and_customers_are_not(
    train: Snapshot, latest: Snapshot, tmp_path: Path
) -> None:
    settings = {"model": "lightgbm", "impute": "delete", "delete_features": "gap_mean, rating_mean"}
    config = dataclasses.replace(SMALL, **settings)
    fitted = MODELS["lightgbm"].fit(FitTask(train, config, tmp_path, NoProgress(), "training"))
    missing = train.features["gap_mean"].isna() | train.features["rating_mean"].isna()
    assert 0 < fitted.deleted == missing.sum() < len(train)
    rest, filled = train.take(np.flatnonzero(~missing)), dataclasses.replace(config, impute="median")
    whole = MODELS["lightgbm"].fit(FitTask(rest, filled, tmp_path, NoProgress(), "training"))
    found = fitted.model.predict(latest)
    assert len(found) == len(latest) and latest.features["rating_mean"].isna().any()
    np.testing.assert_array_equal(found.predicted_clv, whole.model.predict(latest).predicted_clv)
    with pytest.raises(UsageError) as error:
        wrong = dataclasses.replace(config, delete_features="rating")
        MODELS["lightgbm"].fit(FitTask(train, wrong, tmp_path, NoProgress(), "training"))
    assert "rating_mean" in error.value.message("en")


@pytest.mark.slow
def test_a_log_of_few_buying_windows_is_learned_slowly_however_many_customers_it_has(
    cdnow_file: Path, tmp_path: Path
) -> None:
    """How fast the pre-trained network learns from a log depends on how much there is to learn from."""
    workspace = Workspace(tmp_path)
    ingest(workspace, cdnow_file, "cdnow", duplicates="keep", progress=NoProgress())
    log = open_log(open_dataset(workspace, "cdnow"))
    config = TrainConfig(horizon_days=91, cutoffs=5, partial_windows=False)
    whole = training_data(log, date(1997, 12, 31), config, NoProgress())
    assert whole.target is not None
    few = whole.take(np.arange(0, len(whole), 9))
    assert few.features.index.nunique() > 1000
    rates = [Tuning(one, config).config.learning_rate for one in (whole, few)]
    assert rates == [LEARNING_RATE, LEARNING_RATE_SMALL]


@pytest.fixture(scope="module")
def long_train(log: EventLog) -> Snapshot:
    """Return windows of which some end before the latest complete cutoff."""
    return training_data(log, log.end - timedelta(days=90), dataclasses.replace(SMALL, cutoffs=12), NoProgress())


def test_a_blend_expects_the_weighted_mean_of_its_members(
    long_train: Snapshot, latest: Snapshot, tmp_path: Path
) -> None:
    config = dataclasses.replace(SMALL, model="blend")
    blend = MODELS["blend"].fit(FitTask(long_train, config, tmp_path, NoProgress(), "training")).model
    assert isinstance(blend, BlendModel) and blend.weights is not None and blend.simple is not None
    simple = np.where(latest.bought, latest.anchor_value, blend.simple.never_value)
    members = {
        "hybrid": blend.deep.read(latest).mean,
        "instant_tuned": blend.instant.read(latest).mean,
        "bgnbd": simple,
    }
    assert set(members) == set(blend.weights) and sum(blend.weights.values()) == pytest.approx(1)
    together = sum(blend.weights[name] * values for name, values in members.items())
    np.testing.assert_allclose(blend.read(latest).mean, together, rtol=1e-9)
    found = blend.predict(latest).predicted_clv[latest.bought]
    assert found.sum() == pytest.approx(latest.anchor_value[latest.bought].sum(), rel=0.05)


@pytest.mark.slow
def test_early_stopping_chooses_the_steps_and_then_learns_from_all_windows(
    long_train: Snapshot, tmp_path: Path
) -> None:
    config = dataclasses.replace(SMALL, model="hybrid", early_stopping=True, steps=50)
    fitted = MODELS["hybrid"].fit(FitTask(long_train, config, tmp_path, NoProgress(), "training"))
    assert fitted.early_stopped and 1 <= fitted.steps <= 50
    assert not any("validation" in entry for entry in fitted.history)
    whole = MODELS["hybrid"].fit(
        FitTask(
            long_train, dataclasses.replace(config, early_stopping=False), tmp_path / "whole", NoProgress(), "training"
        )
    )
    assert fitted.model.encoder == whole.model.encoder  # type: ignore[attr-defined]


class Heard(NoProgress):
    """Keeps what is reported of the network that later windows judge: its loss and theirs, by step."""

    def __init__(self) -> None:
        self.loss: dict[float, float] = {}
        self.later: dict[float, float] = {}

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:
        if "validation" in figures:
            self.loss[figures["step"]], self.later[figures["step"]] = figures["loss"], figures["validation"]


def test_early_stopping_goes_by_the_windows_that_are_not_learned_from(long_train: Snapshot, tmp_path: Path) -> None:
    """At the latest cutoff whoever usually buys does not, and the others do: what is learned last is wrong there."""
    complete = long_train.complete()
    latest, bought = complete.cutoff_day == complete.cutoff_day.max(), complete.target > 0
    windows = dataclasses.replace(complete, target=np.where(latest, np.where(bought, 0.0, 50.0), complete.target))
    config = dataclasses.replace(SMALL, model="mlp", early_stopping=True, steps=75, ensemble=1)
    heard = Heard()
    fitted = MODELS["mlp"].fit(FitTask(windows, config, tmp_path, heard, "training"))
    assert list(heard.later) == [25, 50, 75] and min(heard.loss, key=heard.loss.__getitem__) == 75
    assert fitted.steps == min(heard.later, key=heard.later.__getitem__) < 75
