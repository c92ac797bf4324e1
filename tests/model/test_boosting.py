"""The boosting baseline on customers whose value follows known features."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.errors import ClvError
from clv_core.features.behaviour import FEATURES
from clv_core.features.snapshot import Snapshot
from clv_core.model.boosting import TWO_STAGE, BoostingModel
from tests.model.test_baselines import HORIZON, _snapshot


def planted(n: int, seed: int) -> tuple[Snapshot, np.ndarray]:
    """Return customers whose expected value is a product of two features, and that expectation."""
    base, rng = _snapshot(n, seed), np.random.default_rng(seed + 100)
    texts = {name: object for name, feature in FEATURES.items() if feature.scale == "category"}
    unknown = {name: None if name in texts else np.nan for name in FEATURES}
    features = pd.DataFrame(unknown, index=base.features.index).assign(**base.features).astype(texts)
    features["net_value"], features["tenure"] = rng.gamma(2, 50, n), rng.integers(1, 400, n).astype(float)
    expected = features["net_value"].to_numpy() * np.where(features["tenure"] < 200, 1.5, 0.3)
    p = np.where(features["tenure"] < 200, 0.6, 0.3)
    target = np.where(rng.random(n) < p, expected / p * rng.gamma(4, 0.25, n), 0.0)
    return Snapshot(features, base.windows, HORIZON, target, base.anchors), expected


def fit(train: Snapshot, **options: Any) -> BoostingModel:
    return BoostingModel.fit(train, **{"impute": "median", "constant": 0.0, "seed": 1, **options})


@pytest.mark.parametrize("kind", ["tweedie", "two_stage"])
def test_finds_value_chance_and_intervals_of_unseen_customers(kind: str) -> None:
    (fresh, expected), model = planted(6000, 7), fit(planted(6000, 0)[0], kind=kind)
    model = replace(model, levelled=False)  # the anchor knows nothing of what was planted
    found = model.predict(fresh)
    assert np.corrcoef(found.predicted_clv, expected)[0, 1] > 0.95
    assert found.predicted_clv.sum() == pytest.approx(fresh.target.sum(), rel=0.08)
    late = (fresh.features["tenure"] >= 200).to_numpy()
    assert found.p_purchase[late].mean() == pytest.approx(0.3, abs=0.03)
    assert found.p_purchase[~late].mean() == pytest.approx(0.6, abs=0.03)
    assert (fresh.target <= found.clv_p90).mean() == pytest.approx(0.9, abs=0.03)
    if kind == TWO_STAGE:  # the chance times the value if buying
        if_buying = model.value.rate(model.encoder.transform(fresh.features)) * model.money
        np.testing.assert_allclose(found.predicted_clv, found.p_purchase * if_buying, rtol=1e-9)
        bought = fresh.target > 0
        assert if_buying[bought].mean() == pytest.approx(fresh.target[bought].mean(), rel=0.08)


def test_another_seed_is_another_model_and_the_same_one_is_not() -> None:
    train = planted(1500, 0)[0]
    one, same, other = (fit(train, seed=seed).value.booster.model_to_string() for seed in (1, 1, 2))
    assert one == same != other


def test_two_stages_are_bounded_repeatable_and_come_back_from_their_state() -> None:
    train = planted(1500, 0)[0]
    train.target[0] = 1e9
    one, same = (fit(train, kind=TWO_STAGE) for _ in range(2))
    tensors, state = one.state()
    again = BoostingModel.from_state(tensors, json.loads(json.dumps(state)))
    for name, values in vars(one.predict(train)).items():
        np.testing.assert_array_equal(values, getattr(same.predict(train), name))
        np.testing.assert_array_equal(values, getattr(again.predict(train), name))
        assert values.min() >= 0 and values.max() <= 3e9


def test_two_stages_survive_windows_in_which_nobody_bought() -> None:
    train = planted(300, 0)[0]
    train.target[:] = 0.0
    assert fit(train, kind=TWO_STAGE).predict(train).predicted_clv.max() == 0


def test_a_machine_without_the_library_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ClvError) as error:
        fit(planted(300, 0)[0])
    assert error.value.code == "no_boosting" and "libgomp1" in error.value.message("en")
