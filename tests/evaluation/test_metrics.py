"""Each metric against scikit-learn, scipy, google/lifetime_value's published code, or paper and pencil."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from clv_core.evaluation.metrics import METRICS, evaluate, format_metric
from clv_core.evaluation.sample import Draw, Sample
from clv_core.model.predictions import Predictions

DESIGN = (
    "mse rmse mae mae_median bias spearman gini capture10 decile_mape auc brier accuracy precision recall f1 "
    "coverage80 width80 coverage80_top pit10 pit50 pit90"
).split()


def google_gini(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Normalized Gini as google/lifetime_value's metrics.py computes it, less its 1/n.

    Its areas are sums of right-hand heights, which gives a random order 1/n where ours, of trapezoids, gives 0.
    """

    def gain(by: np.ndarray) -> np.ndarray:
        return np.cumsum(actual[np.argsort(-by, kind="stable")]) / actual.sum()

    raw = [2 * gain(by).sum() / len(actual) - 1 for by in (actual, predicted)]
    return (raw[1] - 1 / len(actual)) / (raw[0] - 1 / len(actual))


def test_spearman_is_scipys_mean_over_random_orders_of_equal_predictions(ours: pd.DataFrame) -> None:
    actual, mean = (ours[name].to_numpy() for name in ("actual", "predicted_clv"))
    random, coarse = np.random.default_rng(0), np.round(mean, -1)
    orders = [np.lexsort((random.random(len(mean)), coarse)).argsort() for _ in range(300)]
    theirs = np.mean([stats.spearmanr(actual, order).statistic for order in orders])
    found = METRICS["spearman"].value(actual, ours.assign(predicted_clv=coarse))
    assert found == pytest.approx(theirs, rel=2e-3) and found < 0.99 * stats.spearmanr(actual, coarse).statistic
    unequal = mean + np.arange(len(mean)) * 1e-9
    found = METRICS["spearman"].value(actual, ours.assign(predicted_clv=unequal))
    assert found == pytest.approx(stats.spearmanr(actual, unequal).statistic, rel=1e-10)


def test_ids_of_the_design_are_there_in_its_order() -> None:
    assert [name for name in METRICS if name in DESIGN] == DESIGN


def test_errors_and_chances_equal_scikit_learn(ours: pd.DataFrame) -> None:
    found = evaluate(ours["actual"], ours, threshold=0.4)
    actual, mean, p = (ours[name].to_numpy() for name in ("actual", "predicted_clv", "p_purchase"))
    bought, expected = actual > 0, p >= 0.4
    theirs = {
        "mse": sk.mean_squared_error(actual, mean),
        "rmse": sk.root_mean_squared_error(actual, mean),
        "mae": sk.mean_absolute_error(actual, mean),
        "mae_median": sk.mean_absolute_error(actual, ours["clv_p50"]),
        "auc": sk.roc_auc_score(bought, p),
        "brier": sk.brier_score_loss(bought, p),
        "accuracy": sk.accuracy_score(bought, expected),
        "precision": sk.precision_score(bought, expected),
        "recall": sk.recall_score(bought, expected),
        "f1": sk.f1_score(bought, expected),
        "bias": mean.sum() / actual.sum() - 1,
    }
    assert {name: found[name] for name in theirs} == pytest.approx(theirs, rel=1e-10)


def test_gini_equals_google_s_without_ties() -> None:
    rng = np.random.default_rng(3)
    actual = np.where(rng.random(3000) < 0.6, 0, rng.lognormal(3, 1, 3000))
    predicted = rng.permutation(3000) + 400.5 * (actual > 20)
    found = METRICS["gini"].value(actual, _predictions(predicted))
    assert found == pytest.approx(google_gini(actual, predicted), abs=1e-12)


def test_gini_of_tied_predictions_is_the_mean_over_all_row_orders() -> None:
    rng = np.random.default_rng(4)
    actual, predicted = rng.gamma(0.5, 10, 200), rng.integers(0, 4, 200).astype(float)
    orders = [rng.permutation(200) for _ in range(3000)]
    mean = np.mean([google_gini(actual[order], predicted[order]) for order in orders])
    assert METRICS["gini"].value(actual, _predictions(predicted)) == pytest.approx(mean, abs=0.003)


def test_ranking_by_hand() -> None:
    actual = np.array([100.0, 0, 0, 0, 60, 40, 0, 0, 0, 0])
    found = evaluate(actual, _predictions(np.arange(10, 0, -1.0)))
    assert found["capture10"] == pytest.approx(0.5)
    # Area under the gain curve: 100 first (.95 from its middle on), 60 fifth, 40 sixth; perfect: 100, 60, 40.
    area = 0.5 * 0.95 + 0.3 * 0.55 + 0.2 * 0.45
    perfect = 0.5 * 0.95 + 0.3 * 0.85 + 0.2 * 0.75
    assert found["gini"] == pytest.approx((2 * area - 1) / (2 * perfect - 1))
    # Deciles of one customer each: 10 for 100, 6 for 60, 5 for 40; the other seven hold nothing.
    assert found["decile_mape"] == pytest.approx((0.9 + 0.9 + 0.875) / 3)


def test_perfect_and_constant_predictions() -> None:
    actual = np.random.default_rng(1).gamma(0.3, 50, 500)
    assert METRICS["gini"].value(actual, _predictions(actual)) == pytest.approx(1)
    assert METRICS["gini"].value(actual, _predictions(np.ones(500))) == pytest.approx(0)
    assert METRICS["capture10"].value(actual, _predictions(np.ones(500))) == pytest.approx(0.1)
    assert METRICS["decile_mape"].value(actual, _predictions(np.full(500, actual.mean()))) == pytest.approx(0)
    assert METRICS["gini"].value(actual, _predictions(-actual)) == pytest.approx(-1)


def test_negative_value_is_raw_in_errors_and_zero_in_rankings() -> None:
    predicted = _predictions(np.array([9.0, 4.0, 1.0, 0.0]))
    below, zero = np.array([10.0, 5.0, -5.0, 0.0]), np.array([10.0, 5.0, 0.0, 0.0])
    for name in ("gini", "capture10", "decile_mape", "coverage80", "coverage80_top", "pit10", "pit50", "pit90"):
        assert METRICS[name].value(below, predicted) == METRICS[name].value(zero, predicted)
    assert METRICS["mae"].value(below, predicted) == pytest.approx((1 + 1 + 6) / 4)
    assert METRICS["bias"].value(below, predicted) == pytest.approx(14 / 10 - 1)


def test_intervals_by_hand() -> None:
    low, high = np.array([0.0, 0, 5, 5]), np.array([0.0, 3, 9, 6])
    zero = np.zeros(4)
    found = evaluate(np.array([0.0, 4, 9, -1]), Predictions(zero, zero, low, zero, high))
    assert found["coverage80"] == pytest.approx((0.8 + 0 + 1 + 0.8) / 4)  # who bought nothing is inside by chance
    assert found["width80"] == (0 + 3 + 4 + 1) / 4


def zero_inflated(n: int, seed: int) -> tuple[np.ndarray, Predictions]:
    """Values of zero-inflated lognormals, and those distributions' own quantiles by scipy."""
    rng = np.random.default_rng(seed)
    p, mu, sigma = rng.beta(1, 2, n), rng.normal(3, 1, n), rng.uniform(0.3, 1.2, n)
    value = np.where(rng.random(n) < p, rng.lognormal(mu, sigma), 0.0)

    def quantile(q: float) -> np.ndarray:
        inside = np.clip((q - (1 - p)) / p, 1e-12, 1 - 1e-12)
        return np.where(q <= 1 - p, 0.0, stats.lognorm.ppf(inside, sigma, scale=np.exp(mu)))

    return value, Predictions(p, p * np.exp(mu + sigma**2 / 2), quantile(0.1), quantile(0.5), quantile(0.9))


@pytest.mark.parametrize(("name", "level", "column"), [("pit10", 0.1, "clv_p10"), ("pit90", 0.9, "clv_p90")])
def test_pit_is_the_mean_of_one_that_draws_at_random(name: str, level: float, column: str) -> None:
    """By its definition: u is drawn in [F(y-), F(y)] for each customer; here of distributions that are a bit off."""
    value, right = zero_inflated(2000, 9)
    wrong = Predictions(np.clip(1.2 * right.p_purchase, 0, 1), *(1.3 * part for part in _values(right)))
    rng = np.random.default_rng(10)
    below = []
    for _ in range(400):
        u_of_none = rng.random(len(value)) * (1 - wrong.p_purchase)
        below.append(np.mean(np.where(value > 0, value <= getattr(wrong, column), u_of_none < level)))
    assert METRICS[name].value(value, wrong) == pytest.approx(np.mean(below), abs=4 * np.std(below) / 20)
    assert abs(np.mean(below) - level) > 0.01


def test_pit_by_hand() -> None:
    p, zero = np.array([0.5, 0.2, 0.95, 1.0]), np.zeros(4)
    mean, high = np.full(4, 3.0), np.array([7.0, 0.0, 9.0, 9.0])
    # Two bought nothing: below .1 with .1/.5 and .1/.05 -> 1; one bought more than their 10% mark, one just reached it.
    found = evaluate(np.array([0.0, 5.0, -2.0, 2.0]), Predictions(p, mean, np.array([0.0, 0, 0, 2]), zero, high))
    assert found["pit10"] == pytest.approx((0.2 + 0 + 1 + 1) / 4)
    assert found["pit50"] == pytest.approx((1 + 0 + 1 + 0) / 4) and found["pit90"] == pytest.approx(3 / 4)


def test_coverage_of_the_top_fifth_is_that_of_its_rows() -> None:
    value, given_ = zero_inflated(1000, 11)
    top = np.argsort(-given_.predicted_clv)[:200]
    inside = (value >= given_.clv_p10) & (value <= given_.clv_p90)
    assert METRICS["coverage80_top"].value(value, given_) == pytest.approx(inside[top].mean())
    # Half of the top place is shared by equals, of whom one in four is covered.
    mean = np.array([9.0, *[5.0] * 4, *[1.0] * 5])
    covered = Predictions(mean / 10, mean, 0 * mean, mean, np.array([9.0, 9, 1, 1, 1, 0, 0, 0, 0, 0]))
    assert METRICS["coverage80_top"].value(np.full(10, 5.0), covered) == pytest.approx((1 + 0.25) / 2)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 5))
def test_row_order_changes_nothing(seed: int, n: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    actual = np.maximum(rng.normal(0, 10, n), -2).round()
    mean, p = rng.integers(0, levels, n).astype(float), rng.integers(0, levels, n) / 5
    order = rng.permutation(n)
    first = evaluate(actual, Predictions(p, mean, 0 * mean, mean, 2 * mean))
    mean, p = mean[order], p[order]
    again = evaluate(actual[order], Predictions(p, mean, 0 * mean, mean, 2 * mean))
    assert again == pytest.approx(first, rel=1e-9, abs=1e-9)


def test_weights_count_a_customer_as_often_as_repeated_rows(ours: pd.DataFrame) -> None:
    """Every metric on weights equals itself on a frame in which rows stand as often: what a resample is."""
    rng = np.random.default_rng(6)
    weights = rng.multinomial(len(ours), np.full(len(ours), 1 / len(ours)), size=3).astype(float)
    draw = Draw(Sample.of(ours["actual"], ours), weights)
    for row, counts in enumerate(weights):
        repeated = ours.iloc[np.repeat(np.arange(len(ours)), counts.astype(int))]
        expected = evaluate(repeated["actual"], repeated)
        found = {name: metric.compute(draw)[row] for name, metric in METRICS.items()}
        assert found == pytest.approx(expected, rel=1e-9)


def test_what_does_not_exist_is_left_out_and_never_nan() -> None:
    nobody = evaluate(np.zeros(5), _predictions(np.arange(5.0)))
    assert not {"gini", "capture10", "decile_mape", "auc", "bias", "spearman"} & set(nobody)
    assert np.isfinite(list(nobody.values())).all() and nobody["f1"] == 0
    assert set(evaluate(np.array([1.0]), _predictions(np.ones(1)))) >= {"mae", "brier", "bias"}


def test_advantage_knows_what_better_means() -> None:
    def of(metric: str, ours: float, theirs: float) -> float:
        return float(METRICS[metric].advantage(np.array(ours), np.array(theirs)))

    assert of("gini", 0.8, 0.7) > 0 and of("mae", 3, 2) < 0
    assert of("bias", -0.1, 0.3) == pytest.approx(0.2) and of("coverage80", 0.78, 0.9) == pytest.approx(0.08)


@pytest.mark.parametrize(
    ("metric", "value", "said"),
    [
        ("accuracy", 1 - 1 / 2500, "99.96%"),  # one customer of 2,500 did not come out as expected
        ("recall", 1 / 2500, "0.04%"),
        ("capture10", 1.0, "100.0%"),
        ("recall", 0.0, "0.0%"),
        ("bias", -0.2056, "−20.6%"),
        ("gini", 0.6638, "0.664"),
        ("mae", 8.87, "8.87 USD"),
    ],
)
def test_a_metric_is_said_in_its_unit_and_what_is_not_whole_not_as_whole(metric: str, value: float, said: str) -> None:
    assert format_metric(metric, value, "USD") == said


def _values(given_: Predictions) -> tuple[np.ndarray, ...]:
    return given_.predicted_clv, given_.clv_p10, given_.clv_p50, given_.clv_p90


def _predictions(mean: np.ndarray) -> Predictions:
    """Predictions of which only the mean matters."""
    return Predictions(np.full(len(mean), 0.5), mean, 0 * mean, mean, np.abs(mean))
