"""The protocol of all models of counts: published figures, simulation, and what must hold of any."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import integrate, optimize, stats

from clv_core import BGBB, BGNBD, MBGNBD, ParetoNBD
from clv_core.btyd.fitting import Rows
from clv_core.btyd.purchase_model import PurchaseModel

MODELS: dict[type[PurchaseModel], tuple[float, ...]] = {
    BGNBD: (0.243, 4.414, 0.793, 2.426),
    MBGNBD: (0.525, 6.183, 0.891, 1.614),
    ParetoNBD: (0.553, 10.578, 0.606, 11.669),
    BGBB: (1.204, 0.750, 0.657, 2.783),
}
"""At their published parameters."""
KINDS = list(MODELS)
CUSTOMERS = np.array([[0.0, 0, 38], [2, 30, 38], [2, 5, 38], [7, 37, 39], [26, 31, 31]]).T


def made(kind: type[PurchaseModel]) -> PurchaseModel:
    return kind(*MODELS[kind])


@pytest.mark.parametrize("kind", KINDS[:3])
def test_cdnow_gives_the_published_parameters(kind: type[PurchaseModel], sample: pd.DataFrame) -> None:
    """Fader, Hardie, Lee 2005 (BG/NBD; Pareto/NBD, table 2); MBG/NBD: BTYDplus, to which lifetimes is held as well."""
    model = kind.fit(sample["frequency"], sample["recency"], sample["T"])
    assert [getattr(model, name) for name in kind.NAMES] == pytest.approx(MODELS[kind], abs=1.5e-3)


def test_bgbb_gives_the_published_figures_of_donors(donors: pd.DataFrame) -> None:
    """Fader, Hardie, Shang 2010: parameters, log-likelihood, table 6; sums of Hardie's workbook BGBB_2011-01-20."""
    rows, weights = (donors["frequency"], donors["recency"], donors["periods"]), donors["weights"]
    model = BGBB.fit(*rows, weights)
    assert [getattr(model, name) for name in BGBB.NAMES] == pytest.approx(MODELS[BGBB], abs=1e-3)
    assert model.log_likelihood(*rows, weights) == pytest.approx(-33225.6, abs=0.05)
    next_year = (model.delta + 6) / (model.gamma + model.delta + 6)
    assert model.p_alive([0, 2, 6], [0, 4, 6], [6, 6, 6]) * next_year == pytest.approx([0.11, 0.59, 0.93], abs=5e-3)
    assert model.expected_purchases(5, *rows) @ weights == pytest.approx(12884.2, abs=0.1)
    assert weights.sum() * model.p_purchases([0, 6], 6) == pytest.approx([3454.9, 1253.1], abs=0.1)


def test_published_probabilities_of_n_purchases() -> None:
    """BTYD's manual for R (bgnbd.pmf): 10 in 2 weeks, none in 39, 11 to 20 in 30."""
    model = made(BGNBD)
    assert model.p_purchases(10, 2) == pytest.approx(1.07869e-07, rel=1e-5)
    assert model.p_purchases(0, 39) == pytest.approx(0.5737864, abs=1e-7)
    published = [0.0019995214, 0.0015170236, 0.0011633150, 0.0009003148, 0.0007023638]
    published += [0.0005517902, 0.0004361913, 0.0003467171, 0.0002769613, 0.0002222260]
    assert model.p_purchases(range(11, 21), 30) == pytest.approx(published, rel=1e-6)


def test_published_expectations(sample: pd.DataFrame) -> None:
    """New customers by weeks: Hardie's BG/NBD workbook; a customer in a year: BTYD's walkthrough (Pareto/NBD)."""
    weeks = [0.1429, 1.0, 3.00, 31.8571, 32.00, 78.00]
    model = BGNBD.fit(sample["frequency"], sample["recency"], sample["T"])
    assert model.expected_purchases(weeks) == pytest.approx([0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576], abs=5e-4)
    assert made(ParetoNBD).expected_purchases(52, 26, 30.86, 31) == pytest.approx(25.46, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_of_all_counts_sum_to_one_and_their_mean_is_expected(kind: type[PurchaseModel]) -> None:
    model, counts = made(kind), np.arange(3_000)
    for customer in ((0.0, 0.0, 0.0), *CUSTOMERS.T):
        probability = model.p_purchases(counts[: 27 if kind is BGBB else None], 26, *customer)
        assert (probability >= 0).all() and probability.sum() == pytest.approx(1, abs=2e-5)
        assert probability @ counts[: len(probability)] == pytest.approx(
            model.expected_purchases(26, *customer), rel=2e-3
        )
        assert probability[0] == pytest.approx(1 - model.p_purchase(26, *customer), abs=1e-9)


def simulated(model: PurchaseModel, random: np.random.Generator, age: int, n: int) -> tuple[np.ndarray, ...]:
    """Return purchases of new customers as the model's assumptions say: x and t_x by ``age``, and those of 20 more."""
    last_day, horizon = age, 20
    if isinstance(model, BGBB):
        buys, leaves = random.beta(model.alpha, model.beta, n), random.beta(model.gamma, model.delta, n)
        there = random.geometric(leaves) - 1
        day = np.arange(1, age + horizon + 1)[:, None]
        bought = (random.random((age + horizon, n)) < buys) & (day <= there)
        times = np.where(bought, day, np.inf)
    else:
        rate = random.gamma(model.r, 1 / model.alpha, n)
        times = random.exponential(1 / np.maximum(rate, 1e-12), (400, n)).cumsum(axis=0)
        if isinstance(model, ParetoNBD):
            times[times > random.exponential(1 / random.gamma(model.s, 1 / model.beta, n))] = np.inf
        else:
            stays = random.geometric(np.maximum(random.beta(model.a, model.b, n), 1e-9)) - model.FIRST
            times[np.arange(400)[:, None] >= stays] = np.inf
    before = times <= last_day
    x, last = before.sum(axis=0), np.where(before, times, 0.0).max(axis=0)
    return x, last, ((times > last_day) & (times <= last_day + horizon)).sum(axis=0)


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_equal_simulated_customers(kind: type[PurchaseModel]) -> None:
    """Of 100,000 who behave as assumed, by what they did before: means and chances within four standard errors."""
    model, n, age = made(kind), 100_000, 30
    x, last, later = simulated(model, np.random.default_rng(0), age, n)
    expected, some = (
        model.expected_purchases(20, x, last, np.full(n, age)),
        model.p_purchase(20, x, last, np.full(n, age)),
    )
    two = model.p_purchases(2, 20, x, last, np.full(n, age))
    seen = np.digitize(x, [1, 2, 5]) * 3 + np.digitize(last, [10, 22])
    groups, sizes = np.unique(seen, return_counts=True)
    for group in groups[sizes > 500]:
        who = seen == group
        for predicted, came in ((expected, later), (some, later > 0), (two, later == 2)):
            error = came[who].std() / np.sqrt(who.sum())
            assert abs(predicted[who].mean() - came[who].mean()) < 4 * error + 1e-3
    assert model.expected_purchases(age) == pytest.approx(x.mean(), abs=4 * x.std() / n**0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_equals_finite_differences(kind: type[PurchaseModel]) -> None:
    rows = Rows.of(*CUSTOMERS, np.array([3.0, 1, 2, 1, 1]))
    log_likelihood = kind._summed(rows)
    at = np.array(MODELS[kind])
    ours = log_likelihood(at)[1]
    np.testing.assert_allclose(
        ours, optimize.approx_fprime(at, lambda p: log_likelihood(p)[0], 1e-7), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("kind", KINDS)
def test_weights_stand_for_as_many_rows(kind: type[PurchaseModel]) -> None:
    often = [40, 30, 20, 10, 5]
    by_weight, by_row = kind.fit(*CUSTOMERS, often), kind.fit(*np.repeat(CUSTOMERS, often, axis=1))
    assert by_weight.to_json() == pytest.approx(by_row.to_json(), rel=1e-6)
    errors = by_row.standard_errors(*np.repeat(CUSTOMERS, often, axis=1))
    assert by_row.standard_errors(*CUSTOMERS, often) == pytest.approx(errors, rel=1e-6)
    assert by_row.log_likelihood(*CUSTOMERS, [1, 0, 0, 0, 0]) == pytest.approx(by_row.log_likelihood(0, 0, 38))


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD, ParetoNBD])
def test_a_fit_that_begins_on_a_coarse_table_ends_at_the_same_maximum(
    kind: type[PurchaseModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(2)
    T = random.integers(20, 540, 9_000).astype(float)
    x, last, _ = simulated(made(kind), random, 540, 9_000)
    keep = last <= T
    customers = x[keep], last[keep], T[keep]
    monkeypatch.setattr("clv_core.btyd.fitting.MANY_ROWS", 100)
    fast = kind.fit(*customers)
    monkeypatch.setattr("clv_core.btyd.fitting.MANY_ROWS", 10**9)
    slow = kind.fit(*customers)
    assert fast.to_json() == pytest.approx(slow.to_json(), rel=1e-5)
    assert fast.log_likelihood(*customers) >= slow.log_likelihood(*customers) - 1e-7


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_arrays_and_columns_of_every_library_give_the_same(kind: type[PurchaseModel]) -> None:
    model, expected = made(kind), made(kind).expected_purchases(39, *CUSTOMERS)
    assert isinstance(expected, np.ndarray)
    for column in (list, pd.Series, pl.Series, pa.array, lambda values: pa.chunked_array([values])):
        np.testing.assert_array_equal(model.expected_purchases(39, *map(column, CUSTOMERS)), expected)
    nullable = [pd.Series(values.astype(int), dtype="Int64") for values in CUSTOMERS]
    np.testing.assert_array_equal(model.expected_purchases(39, *nullable), expected)
    one = model.expected_purchases(39, 2, 30, 38)
    assert isinstance(one, float) and one == pytest.approx(expected[1], rel=1e-12)
    horizons = model.expected_purchases([39, 20], 2, 30, 38)
    assert horizons[0] == pytest.approx(one, rel=1e-12) and horizons[1] < one
    many = np.tile(CUSTOMERS, 40)
    np.testing.assert_allclose(model.expected_purchases(39, *many), np.tile(expected, 40), rtol=1e-12)
    np.testing.assert_allclose(model.expected_purchases(np.full(200, 39), *many), np.tile(expected, 40), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_parameter_and_prediction_intervals_hold_the_truth_as_often_as_they_say(kind: type[PurchaseModel]) -> None:
    """40 simulated logs, 90% intervals: of 160 parameters, of which four always go together, and 40 expectations."""
    truth, held, expected = made(kind), [], []
    for seed in range(40):
        x, last, _ = simulated(truth, np.random.default_rng(seed), 30, 1_500)
        customers = x, last, np.full(1_500, 30)
        model = kind.fit(*customers)
        ends = model.parameter_intervals(*customers, level=0.9)
        held += [ends.loc[name, "low"] <= getattr(truth, name) <= ends.loc[name, "high"] for name in kind.NAMES]
        asked, covariance = (20, 2, 25, 30), model.covariance(*customers)
        low, high = model.interval("expected_purchases", *asked, covariance=covariance, level=0.9)
        expected.append(low[0] <= truth.expected_purchases(*asked) <= high[0])
    assert 0.75 <= np.mean(held) <= 0.97 and 0.72 <= np.mean(expected) <= 1


def test_an_interval_of_a_probability_stays_within_0_and_1_and_is_none_where_nothing_is_uncertain() -> None:
    customers = np.tile(CUSTOMERS, 30)
    model = BGNBD.fit(*customers)
    low, high = model.interval("p_alive", *CUSTOMERS, covariance=model.covariance(*customers), level=0.999)
    assert (low >= 0).all() and (high <= 1).all() and (low <= high).all()
    assert low[0] == high[0] == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_discounted_purchases_are_those_of_each_step_over_its_discount(kind: type[PurchaseModel]) -> None:
    model = made(kind)
    until = [model.expected_purchases(4 * k, *CUSTOMERS) for k in range(13)]
    worth = sum((after - before) / 1.02**k for k, (before, after) in enumerate(pairwise(until), 1))
    np.testing.assert_allclose(model.discounted_purchases(12, *CUSTOMERS, step=4, rate=0.02), worth, rtol=1e-10)
    plain = model.discounted_purchases(12, *CUSTOMERS, step=4, rate=0)
    np.testing.assert_allclose(plain, model.expected_purchases(48, *CUSTOMERS), rtol=1e-10)


def test_a_path_of_p_alive_is_what_was_known_at_each_time() -> None:
    model = made(ParetoNBD)
    path = model.alive_path([0, 30, 10], [0, 5, 10, 29, 30, 80])
    assert path == pytest.approx(model.p_alive([0, 0, 1, 1, 2, 2], [0, 0, 10, 10, 30, 30], [0, 5, 10, 29, 30, 80]))


def test_pareto_probabilities_equal_the_integral_that_defines_them() -> None:
    r, alpha, s, beta = MODELS[ParetoNBD]
    x, age, t = 2, 38.86, 39.0

    def came(u: float, n: int) -> float:
        return float(stats.nbinom.pmf(n, r + x, (alpha + age) / (alpha + age + u)))

    alive = made(ParetoNBD).p_alive(x, 30.43, age)
    for n in (0, 1, 5, 40):
        stays = ((beta + age) / (beta + age + t)) ** s
        left = integrate.quad(lambda u, n=n: s * (beta + age) ** s / (beta + age + u) ** (s + 1) * came(u, n), 0, t)[0]
        expected = alive * (stays * came(t, n) + left) + (1 - alive) * (n == 0)
        assert made(ParetoNBD).p_purchases(n, t, x, 30.43, age) == pytest.approx(expected, rel=1e-8)
