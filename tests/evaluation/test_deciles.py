"""Tables behind the charts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

from clv_core.evaluation.deciles import Thresholds, decile_table, gain_curve, gain_curves, top_share
from clv_core.evaluation.metrics import METRICS
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME


def test_deciles_equal_pandas_qcut_without_ties() -> None:
    rng = np.random.default_rng(0)
    predicted, actual = rng.permutation(1000).astype(float), rng.gamma(0.3, 30, 1000)
    table = decile_table(actual, predicted)
    by = pd.DataFrame({"a": actual, "p": predicted}).groupby(10 - pd.qcut(predicted, 10, labels=False)).agg("mean")
    np.testing.assert_allclose(table["actual_mean"], by["a"])
    np.testing.assert_allclose(table["predicted_mean"], by["p"])
    assert table["decile"].tolist() == list(range(1, 11)) and table["share_of_value"].sum() == pytest.approx(1)


def test_ties_lose_no_decile_and_row_order_changes_nothing(ours: pd.DataFrame) -> None:
    coarse = (ours["predicted_clv"] > 10).to_numpy().astype(float)
    order = np.random.default_rng(1).permutation(len(ours))
    table = decile_table(ours["actual"], coarse, baseline=ours["clv_p50"])
    again = decile_table(ours["actual"].to_numpy()[order], coarse[order], baseline=ours["clv_p50"].to_numpy()[order])
    pd.testing.assert_frame_equal(table, again)
    assert len(table) == 10
    assert table["actual_sum"].sum() == pytest.approx(ours["actual"].clip(lower=0).sum())
    assert table["baseline_mean"].mean() == pytest.approx(ours["clv_p50"].mean())


def test_decile_mape_is_read_off_the_table(ours: pd.DataFrame) -> None:
    table = decile_table(ours["actual"], ours["predicted_clv"])
    error = ((table["predicted_mean"] - table["actual_mean"]).abs() / table["actual_mean"]).mean()
    assert METRICS["decile_mape"].value(ours["actual"], ours) == pytest.approx(error)


def test_gain_curve_holds_the_gini_and_the_capture(ours: pd.DataFrame) -> None:
    curves = gain_curves(ours["actual"], {"bgnbd": ours["predicted_clv"]})
    areas = {name: np.trapezoid(c["share_of_value"], c["share_of_customers"]) for name, c in curves.items()}
    gini = (2 * areas["bgnbd"] - 1) / (2 * areas["actual"] - 1)
    assert METRICS["gini"].value(ours["actual"], ours) == pytest.approx(gini, abs=0.002)
    at_tenth = curves["bgnbd"].set_index(curves["bgnbd"]["share_of_customers"].round(3)).at[0.1, "share_of_value"]
    assert METRICS["capture10"].value(ours["actual"], ours) == pytest.approx(at_tenth)
    assert (curves["actual"]["share_of_value"] >= curves["bgnbd"]["share_of_value"] - 1e-12).all()
    assert curves["bgnbd"].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, pytest.approx(1)]]


def test_equal_predictions_and_no_value_give_the_diagonal() -> None:
    for actual, predicted in ((np.arange(9.0), np.ones(9)), (np.zeros(9), np.arange(9.0))):
        curve = gain_curve(actual, predicted, points=11)
        np.testing.assert_allclose(curve["share_of_value"], curve["share_of_customers"], atol=1e-12)


@pytest.mark.parametrize("threshold", [0.0, 0.13, 0.5, 0.77, 1.0])
def test_thresholds_equal_scikit_learn(ours: pd.DataFrame, threshold: float) -> None:
    bought, p = ours["actual"] > 0, ours["p_purchase"]
    found = Thresholds.of(bought, p).at(threshold).iloc[0]
    expected = p >= threshold
    precision, recall, f1, _ = sk.precision_recall_fscore_support(bought, expected, average="binary", zero_division=0)
    theirs = {"expected": expected.sum(), "accuracy": sk.accuracy_score(bought, expected), "f1": f1}
    assert found[["expected", "accuracy", "f1"]].to_dict() == pytest.approx(theirs)
    assert (found["precision"], found["recall"]) == pytest.approx((precision, recall))


def test_recall_falls_as_the_threshold_rises_over_a_million_customers() -> None:
    rng = np.random.default_rng(2)
    p = rng.random(1_000_000)
    thresholds = Thresholds.of(rng.random(1_000_000) < p, p)
    table = thresholds.at(np.linspace(0, 1, 101))
    assert table["recall"].is_monotonic_decreasing and len(Thresholds.of([True, False], [0.9, 0.2]).table()) == 101


def test_the_top_tenth_holds_what_pandas_adds_up_and_losses_count_as_nothing() -> None:
    values = pd.Series(np.random.default_rng(0).gamma(0.3, 30, 1000)) - 1
    expected = values.nlargest(100).sum() / values.clip(lower=0).sum()
    assert top_share(values) == pytest.approx(expected)
    assert top_share([3.0, 1.0]) == 0.75 and top_share([0.0, -1.0]) == 0.0 and top_share([]) == 0.0


@pytest.mark.parametrize("customers", [11, 104, 2461, 2469, 2470])
def test_the_top_tenth_holds_what_the_first_tier_of_a_tenth_holds(customers: int) -> None:
    values = np.random.default_rng(customers).gamma(0.3, 30, customers)
    first = values[DEFAULT_SCHEME.tier_of(values) == 1]
    assert top_share(values) == pytest.approx(first.sum() / values.sum())
