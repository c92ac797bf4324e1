"""Every model of ``MODELS`` over any horizon and rate: nothing falls when the horizon grows, nothing is absurd."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import MODEL_IDS, OWN, TrainConfig
from clv_core.features.log import EventLog, open_log
from clv_core.features.season import scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import NoProgress
from clv_core.model.horizon import Horizon, largest_allowed
from clv_core.training.fit import MODELS, FitTask, Model
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace
from tests.training.own_models import CODE

pytestmark = pytest.mark.first(3)

TRAINED = 90
QUICK = TrainConfig(
    horizon_days=TRAINED, ensemble=2, steps=8, cutoffs=2, max_windows=4000, processes=1, device="cpu", rnn_width=8
)
VARIANTS = {
    **{name: {"model": name} for name in MODEL_IDS},
    OWN: {"model": OWN, "code": CODE},
    "lightgbm, two stages": {"model": "lightgbm", "boosting": "two_stage"},
    "hybrid, tweedie": {"model": "hybrid", "head": "tweedie"},
    "hybrid, point": {"model": "hybrid", "head": "point"},
}
DAYS = (1, 30, 89, 90, 91, 365, 730, 17_532)
MONEY = ("predicted_clv", "clv_p10", "clv_p50", "clv_p90")

Fitting = Callable[[str], tuple[Model, Snapshot]]


def fitter(log: EventLog, folder: Path) -> Fitting:
    """Return what fits a variant on a log once and says whom it is to predict."""
    snapshot = scoring_snapshot(log, log.end, TRAINED, max_steps=QUICK.max_steps_back)
    train = training_data(log, log.end, QUICK, NoProgress())
    known: dict[str, Model] = {}

    def fit(variant: str) -> tuple[Model, Snapshot]:
        if variant not in known:
            config = TrainConfig.from_json({**QUICK.to_json(), **VARIANTS[variant]})
            place = folder / variant
            place.mkdir()
            known[variant] = MODELS[config.model].fit(FitTask(train, config, place, NoProgress(), "training")).model
        return known[variant], snapshot

    return fit


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, small_workspace: Workspace) -> Fitting:
    return fitter(open_log(open_dataset(small_workspace, "shop")), tmp_path_factory.mktemp("usual"))


@pytest.mark.examples(11)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rate", [0.0, 0.1, 5.0])
def test_nothing_falls_when_the_horizon_grows(usual: Fitting, variant: str, rate: float) -> None:
    model, snapshot = usual(variant)
    found = [model.predict(snapshot, Horizon(days, rate)) for days in DAYS]
    figures = ("p_purchase", *MONEY) if rate < 1 else ("p_purchase", "predicted_clv")  # ranges keep a buyer's scatter
    for name, (shorter, longer) in product(figures, pairwise(zip(DAYS, found, strict=True))):
        low, high = getattr(shorter[1], name), getattr(longer[1], name)
        fallen = f"{name} falls: {shorter[0]} to {longer[0]} days"
        assert (low - high).max() <= 1e-5 * low.max(), fallen  # the networks count in single precision
    assert found[-1].predicted_clv.sum() > found[0].predicted_clv.sum()


@pytest.mark.examples(4)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_higher_rate_never_counts_more_and_none_is_a_number_of_days(usual: Fitting, variant: str) -> None:
    model, snapshot = usual(variant)
    found = [model.predict(snapshot, Horizon(365, rate)) for rate in (0.5, 0.1, 0.0)]
    for name, (higher, lower) in product(MONEY, pairwise(found)):
        assert (getattr(lower, name) >= getattr(higher, name) * (1 - 1e-9)).all()
    assert (found[0].predicted_clv >= found[2].predicted_clv / 1.5 * (1 - 1e-6)).all()
    own, none, hardly = (model.predict(snapshot, at) for at in (None, Horizon(TRAINED), Horizon(TRAINED, 1e-9)))
    for name in ("p_purchase", *MONEY):
        np.testing.assert_array_equal(getattr(none, name), getattr(own, name))
        np.testing.assert_allclose(getattr(hardly, name), getattr(own, name), rtol=1e-6)


def test_the_bound_is_three_times_the_largest_value_and_grows_with_spans_longer_than_the_trained_one() -> None:
    assert largest_allowed(100.0, 90, 90) == largest_allowed(100.0, 90, 30) == 300.0
    assert largest_allowed(100.0, 90, 360) == 1200.0
    assert largest_allowed(-5.0, 90, 90) == 0.0


WILD = ["one whale", "one who buys 10,000 times", "equal amounts", "sixty buyers", "more returns than purchases"]


def events(kind: str) -> pd.DataFrame:
    """Return a log of 400 days that no shop has, but a file may."""
    rng = np.random.default_rng(5)
    people = 60 if kind == "sixty buyers" else 220
    counts = rng.integers(1, 7, people)
    who = np.repeat([f"c{number:03d}" for number in range(people)], counts)
    day, amount = rng.integers(0, 400, len(who)), rng.gamma(2, 20, len(who)).round(2)
    if kind == "equal amounts":
        amount[:] = 10.0
    if kind == "one whale":
        amount[rng.integers(0, len(amount))] = 1e9
    if kind == "one who buys 10,000 times":
        who = np.append(who, np.full(10_000, "often"))
        day, amount = np.append(day, rng.integers(0, 400, 10_000)), np.append(amount, rng.gamma(2, 20, 10_000).round(2))
    if kind == "more returns than purchases":
        amount *= np.where(np.arange(len(amount)) % 2, -3, 1)
    times = pd.Timestamp("2023-01-01") + pd.to_timedelta(day * 86_400 + rng.integers(0, 86_400, len(day)), unit="s")
    return pd.DataFrame({"customer_id": who, "event_time": times, "amount": amount})


@pytest.fixture(scope="module", params=WILD)
def wild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Fitting:
    folder = tmp_path_factory.mktemp("wild")
    events(request.param).to_csv(folder / "events.csv", index=False)
    ingest(Workspace(folder), folder / "events.csv", "wild", timezone="UTC", currency="EUR", max_amount=1e12)
    return fitter(open_log(open_dataset(Workspace(folder), "wild")), folder)


@pytest.mark.slow
@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant != OWN])
def test_the_largest_prediction_is_at_most_three_times_what_such_a_span_ever_held(wild: Fitting, variant: str) -> None:
    model, snapshot = wild(variant)
    largest = getattr(model, "largest", getattr(model, "largest_", None))
    assert largest is not None
    for days, rate in product((30, TRAINED, 365, 3650), (0.0, 0.1)):
        found = model.predict(snapshot, Horizon(days, rate))
        top = largest_allowed(largest, TRAINED, days)
        assert max(getattr(found, name).max() for name in MONEY) <= top * (1 + 1e-12)
        assert all(getattr(found, name).min() >= 0 for name in MONEY)
