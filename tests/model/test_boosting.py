"""The boosting baseline on customers whose value follows known features."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest

from clv_core.errors import ClvError
from clv_core.features.behaviour import FEATURES
from clv_core.features.snapshot import Snapshot
from clv_core.model import boosting
from clv_core.model.boosting import BoostingModel
from tests.model.test_baselines import HORIZON, _snapshot


def planted(n: int, seed: int) -> tuple[Snapshot, np.ndarray]:
    """Return customers whose expected value is a product of two features, and that expectation."""
    base, rng = _snapshot(n, seed), np.random.default_rng(seed + 100)
    unknown = {name: None if feature.scale == "category" else np.nan for name, feature in FEATURES.items()}
    features = pd.DataFrame(unknown, index=base.features.index).assign(**base.features)
    for name, feature in FEATURES.items():
        if feature.scale == "category":
            features[name] = features[name].astype(object)
    features["net_value"], features["tenure"] = rng.gamma(2, 50, n), rng.integers(1, 400, n).astype(float)
    expected = features["net_value"].to_numpy() * np.where(features["tenure"] < 200, 1.5, 0.3)
    p = np.where(features["tenure"] < 200, 0.6, 0.3)
    target = np.where(rng.random(n) < p, expected / p * rng.gamma(4, 0.25, n), 0.0)
    return Snapshot(features, base.windows, HORIZON, target, base.anchors), expected


@pytest.fixture(scope="module")
def fitted() -> BoostingModel:
    return BoostingModel.fit(planted(6000, 0)[0], impute="median", constant=0.0, seed=1, rounds=120)


def test_finds_the_expected_value_and_the_chance_of_unseen_customers(fitted: BoostingModel) -> None:
    fresh, expected = planted(6000, 7)
    found = fitted.predict(fresh)
    assert np.corrcoef(found.predicted_clv, expected)[0, 1] > 0.95
    assert found.predicted_clv.sum() == pytest.approx(fresh.target.sum(), rel=0.08)
    late = (fresh.features["tenure"] >= 200).to_numpy()
    assert found.p_purchase[late].mean() == pytest.approx(0.3, abs=0.03)
    assert found.p_purchase[~late].mean() == pytest.approx(0.6, abs=0.03)


def test_intervals_hold_among_unseen_customers_what_they_promise(fitted: BoostingModel) -> None:
    fresh, _ = planted(6000, 8)
    found = fitted.predict(fresh)
    assert (fresh.target <= found.clv_p90).mean() == pytest.approx(0.9, abs=0.03)


def test_another_seed_is_another_model_and_the_same_one_is_not() -> None:
    train = planted(1500, 0)[0]
    one, same, other = (
        BoostingModel.fit(train, impute="median", constant=0.0, seed=seed, rounds=20).value.model_to_string()
        for seed in (1, 1, 2)
    )
    assert one == same != other


@pytest.fixture(scope="module")
def two_stage() -> BoostingModel:
    return BoostingModel.fit(
        planted(6000, 0)[0], impute="median", constant=0.0, seed=1, kind=boosting.TWO_STAGE, rounds=120
    )


def test_two_stages_multiply_the_chance_by_the_value_if_buying(two_stage: BoostingModel) -> None:
    fresh, expected = planted(6000, 7)
    found, rows = two_stage.predict(fresh), two_stage.encoder.transform(fresh.features)
    if_buying = two_stage.value.predict(rows, num_threads=1) * two_stage.money
    np.testing.assert_allclose(found.predicted_clv, found.p_purchase * if_buying, rtol=1e-9)
    bought = fresh.target > 0
    assert if_buying[bought].mean() == pytest.approx(fresh.target[bought].mean(), rel=0.08)
    assert np.corrcoef(found.predicted_clv, expected)[0, 1] > 0.95
    assert (fresh.target <= found.clv_p90).mean() == pytest.approx(0.9, abs=0.03)


def test_two_stages_are_bounded_repeatable_and_come_back_from_their_state(two_stage: BoostingModel) -> None:
    train = planted(1500, 0)[0]
    train.target[0] = 1e9
    one, same = (
        BoostingModel.fit(train, impute="median", constant=0.0, seed=1, kind=boosting.TWO_STAGE, rounds=20)
        for _ in range(2)
    )
    tensors, state = one.state()
    again = BoostingModel.from_state(tensors, json.loads(json.dumps(state)))
    for name in ("p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90"):
        values = getattr(one.predict(train), name)
        np.testing.assert_array_equal(values, getattr(same.predict(train), name))
        np.testing.assert_array_equal(values, getattr(again.predict(train), name))
        assert values.min() >= 0 and values.max() <= 3e9


def test_two_stages_survive_windows_in_which_nobody_bought() -> None:
    train = planted(300, 0)[0]
    train.target[:] = 0.0
    model = BoostingModel.fit(train, impute="median", constant=0.0, seed=1, kind=boosting.TWO_STAGE, rounds=5)
    assert model.predict(train).predicted_clv.max() == 0


def test_a_machine_without_it_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ClvError) as error:
        boosting._library()
    assert error.value.code == "no_boosting" and "libgomp1" in error.value.message("en")
