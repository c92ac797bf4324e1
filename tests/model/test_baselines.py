"""The baselines on hand-made snapshots: each figure can be worked out on paper."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.btyd import ParetoNBD
from clv_core.config import TrainConfig
from clv_core.errors import Refused
from clv_core.features.anchor import Anchor
from clv_core.features.sequences import Steps, Windows
from clv_core.features.snapshot import Snapshot, concat
from clv_core.jobs import NoProgress
from clv_core.model.baselines import BGNBDModel, NaiveModel, ParetoNBDModel
from clv_core.model.earlier_quantiles import ResidualQuantiles
from clv_core.model.predictions import COLUMNS, Predictions
from clv_core.training.fit import MODELS, FitTask

DAY, HORIZON = 10_000, 90


def _snapshot(n: int = 400, seed: int = 0, target: bool = True, days: tuple[int, ...] = (DAY,)) -> Snapshot:
    """Customers of whom every fifth has never bought; spend follows the past with noise."""
    rng = np.random.default_rng(seed)
    frequency = rng.poisson(1.5, n).astype(float)
    age = rng.integers(40, 300, n).astype(float)
    recency = np.ceil(np.where(frequency > 0, rng.random(n) * age, 0.0))
    monetary = np.where(frequency > 0, rng.gamma(4, 10, n), np.nan)
    ids = pd.Index([f"c{i:04d}" for i in range(n)], name="customer_id")
    features = pd.DataFrame({"frequency": frequency, "recency": recency, "T": age, "monetary_value": monetary}, ids)
    features["net_value"] = np.nan_to_num(monetary, nan=40) * (frequency + 1)
    features["purchase_days"] = frequency + 1
    never = np.arange(n) % 5 == 4
    features.loc[never, ["recency", "T", "monetary_value"]] = np.nan
    features.loc[never, ["frequency", "net_value", "purchase_days"]] = 0.0
    cutoff = np.resize(np.array(days, np.int32), n)
    anchors = {day: Anchor.fit(features[cutoff == day]) for day in days}
    for day, anchor in anchors.items():
        rows = cutoff == day
        features.loc[rows, "anchor_count"] = anchor.expected_count(features[rows], HORIZON)
        features.loc[rows, "anchor_spend"] = anchor.expected_spend(features[rows])
    bought = rng.random(n) < np.where(never, 0.1, 0.4)
    values = np.where(bought, rng.gamma(2, 20, n), np.where(rng.random(n) < 0.02, -15.0, 0.0))
    none = (np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros((0, 6), np.float32), np.zeros((0, 2), np.int32))
    steps = Steps(features.index.to_numpy(dtype=object), np.zeros(n + 1, np.int64), *none, ((), ()))
    windows = Windows(steps, np.zeros(n, np.int64), np.zeros(n, np.int64), cutoff)
    return Snapshot(features, windows, HORIZON, values if target else None, anchors)


def test_naive_goes_on_at_the_rate_since_the_first_purchase() -> None:
    train, snapshot = _snapshot(), _snapshot(seed=1, target=False)
    found = NaiveModel().fit(train).predict(snapshot)
    rows = snapshot.features
    expected = rows["net_value"] / rows["T"].clip(lower=30) * HORIZON
    bought = rows["T"].notna().to_numpy()
    top = 3 * train.target.max()
    np.testing.assert_allclose(found.predicted_clv[bought], np.minimum(expected[bought], top), rtol=1e-12)


def test_naive_chance_is_the_share_of_buyers_among_alike() -> None:
    train = _snapshot(4000)
    found = NaiveModel().fit(train).predict(train)
    alike = (train.features["frequency"] == 1).to_numpy()
    assert found.p_purchase[alike] == pytest.approx((train.target[alike] > 0).mean(), abs=0.001)


def test_bgnbd_is_count_times_spend_and_its_chance_the_model_s_own() -> None:
    train, snapshot = _snapshot(), _snapshot(seed=1, target=False)
    found = BGNBDModel().fit(train).predict(snapshot)
    bought = snapshot.features["T"].notna().to_numpy()
    anchor = snapshot.anchors[DAY]
    np.testing.assert_allclose(found.predicted_clv[bought], anchor.value(snapshot.features, HORIZON)[bought])
    np.testing.assert_allclose(found.p_purchase[bought], anchor.p_purchase(snapshot.features, HORIZON)[bought])


def test_each_row_is_predicted_by_the_anchor_of_its_own_cutoff() -> None:
    snapshot = _snapshot(days=(DAY, DAY + 30))
    found = BGNBDModel().fit(snapshot).predict(snapshot, 30)
    for day, anchor in snapshot.anchors.items():
        rows = (snapshot.cutoff_day == day) & snapshot.features["T"].notna().to_numpy()
        np.testing.assert_allclose(found.predicted_clv[rows], anchor.value(snapshot.features, 30)[rows], rtol=1e-9)


def test_paretonbd_is_count_times_spend_of_a_fit_on_all_buyers_before_the_cutoff() -> None:
    train, snapshot = _snapshot(), _snapshot(seed=1, target=False)
    bought = snapshot.features["T"].notna().to_numpy()
    buyers = snapshot.features[bought]
    rfm = [buyers[name] for name in ("frequency", "recency", "T")]
    counts, found = ParetoNBD.fit(*rfm), ParetoNBDModel().fit(train).predict(snapshot)
    value = counts.expected_purchases(HORIZON, *rfm) * buyers["anchor_spend"]
    np.testing.assert_allclose(found.predicted_clv[bought], value, rtol=1e-9)
    np.testing.assert_allclose(found.p_purchase[bought], counts.p_purchase(HORIZON, *rfm), rtol=1e-9)


def test_paretonbd_settled_on_all_customers_says_the_same_of_each_alone() -> None:
    model, snapshot = ParetoNBDModel().fit(_snapshot()), _snapshot(seed=1, target=False)
    whole = model.predict(snapshot).predicted_clv
    settled = model.settled(snapshot)
    alone = [settled.predict(snapshot.take(np.array([row]))).predicted_clv[0] for row in range(20)]
    np.testing.assert_allclose(alone, whole[:20], rtol=1e-9)
    assert model.counts_ == {} and set(settled.counts_) == {DAY}


@pytest.mark.parametrize("model", ["naive", "bgnbd"])
def test_what_came_in_a_part_of_the_horizon_is_not_taken_for_the_whole(model: str, tmp_path: Path) -> None:
    """A fifth of the horizon has passed of as many windows again, and nobody bought in it."""
    whole, snapshot = _snapshot(), _snapshot(seed=1, target=False)
    part = replace(_snapshot(seed=2), target=np.zeros(400), exposure=np.full(400, 0.2))
    task = FitTask(concat([whole, part]), TrainConfig(model=model), tmp_path, NoProgress(), "training")
    found = MODELS[model].fit(task).model.predict(snapshot)
    past = np.maximum(whole.target[whole.features["T"].isna()], 0)
    never = snapshot.features["T"].isna().to_numpy()
    np.testing.assert_allclose(found.predicted_clv[never], past.mean())
    np.testing.assert_allclose(found.p_purchase[never], (past > 0).mean())


@pytest.mark.parametrize("model", [NaiveModel, BGNBDModel, ParetoNBDModel])
class TestEach:
    def test_never_buyers_get_what_never_buyers_were_worth(self, model: type[NaiveModel]) -> None:
        train, snapshot = _snapshot(), _snapshot(seed=1, target=False)
        found = model().fit(train).predict(snapshot)
        never = train.features["T"].isna().to_numpy()
        past = np.maximum(train.target[never], 0)
        np.testing.assert_allclose(found.predicted_clv[snapshot.features["T"].isna()], past.mean())
        np.testing.assert_allclose(found.p_purchase[snapshot.features["T"].isna()], (past > 0).mean())

    @pytest.mark.parametrize("days", [30, HORIZON, 730])
    def test_ranges_are_above_nothing_exactly_where_chances_are(self, model: type[NaiveModel], days: int) -> None:
        train = _snapshot(2000)
        found = model().fit(train).predict(train, days)
        for q, values in ((0.1, found.clv_p10), (0.5, found.clv_p50), (0.9, found.clv_p90)):
            worth = found.predicted_clv > 0
            np.testing.assert_array_equal(values[worth] > 0, q > 1 - found.p_purchase[worth])
        assert (found.clv_p10 <= found.clv_p50).all() and (found.clv_p50 <= found.clv_p90).all()
        assert (found.clv_p90 > 0).any() and (found.clv_p50 == 0).any()

    def test_state_brings_back_the_same_predictions(self, model: type[NaiveModel]) -> None:
        fitted, snapshot = model().fit(_snapshot()), _snapshot(seed=1, target=False)
        arrays, state = fitted.state()
        again = model.from_state(arrays, json.loads(json.dumps(state))).predict(snapshot)
        for name, values in vars(fitted.predict(snapshot)).items():
            np.testing.assert_array_equal(getattr(again, name), values)

    def test_does_not_fit_without_targets(self, model: type[NaiveModel]) -> None:
        with pytest.raises(ValueError, match="horizon has passed"):
            model().fit(_snapshot(target=False))

    def test_never_exceeds_three_times_what_was_ever_seen(self, model: type[NaiveModel]) -> None:
        train = _snapshot()
        whale = train.features.assign(net_value=1e9, monetary_value=1e9, anchor_spend=1e9)
        big = Snapshot(whale, train.windows, HORIZON, None, train.anchors)
        found = model().fit(train).predict(big)
        assert max(found.predicted_clv.max(), found.clv_p90.max()) <= 3 * train.target.max()


def test_residual_quantiles_equal_numpy_s_within_a_decile() -> None:
    rng = np.random.default_rng(2)
    predicted = np.concatenate([np.zeros(50), rng.gamma(1, 30, 2000)])
    actual = np.concatenate([rng.gamma(1, 2, 50), predicted[50:] * rng.gamma(2, 0.5, 2000)])
    fitted = ResidualQuantiles.fit(predicted, actual)
    found = np.stack([fitted.predict(predicted, q) for q in (0.1, 0.5, 0.9)], axis=1)
    top = predicted > np.quantile(predicted[predicted > 0], 0.9)
    expected = np.quantile(actual[top] / predicted[top], (0.1, 0.5, 0.9))
    np.testing.assert_allclose(found[top] / predicted[top, None], [expected] * top.sum(), rtol=1e-2)
    np.testing.assert_allclose(found[:50], [np.quantile(actual[:50], (0.1, 0.5, 0.9))] * 50)


def test_residual_quantiles_survive_constant_and_missing_predictions() -> None:
    for predicted in (np.full(20, 7.0), np.zeros(20), np.zeros(0)):
        fitted = ResidualQuantiles.fit(predicted, np.arange(len(predicted), dtype=float))
        found = np.stack([fitted.predict(np.array([0.0, 3.0]), q) for q in (-1.0, 0.0, 0.001, 0.5, 0.9995, 1.0)])
        assert np.isfinite(found).all() and (np.diff(found, axis=0) >= 0).all() and (found[:2] == 0).all()


def test_frame_has_the_columns_of_score() -> None:
    one = np.ones(2)
    frame = Predictions(one / 2, one, 0 * one, one, 2 * one).frame(["007", "b"], date(1998, 1, 1), 90, "naive")
    assert list(frame.columns) == list(COLUMNS)
    assert frame["customer_id"].tolist() == ["007", "b"] and set(frame["as_of"]) == {"1998-01-01"}


def test_predictions_refuse_nan_and_impossible_chances() -> None:
    one = np.ones(2)
    for chance, mean in ((one * np.nan, one), (one * 1.5, one), (one, one * np.inf)):
        with pytest.raises(Refused, match="p_purchase|predicted_clv"):
            Predictions(chance, mean, one, one, one)
    with pytest.raises(ValueError, match="predicted_clv"):
        Predictions(one, np.ones(3), one, one, one)
