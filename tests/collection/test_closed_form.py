"""The ``btyd`` scenario against the papers' formulas, and the lifetimes package's own code."""

import types

import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1

from clv_core.collection.simulate import Simulation, SimulationPlan, simulate
from clv_core.collection.simulate.closed_form import (
    ACQUISITION_SHARE,
    COUNTS,
    SPEND,
    alive,
    expected_purchases,
    expected_spend,
)

PLAN = SimulationPlan(customers=30_000, days=455, seed=1)


@pytest.fixture(scope="module")
def made() -> Simulation:
    return simulate("btyd", PLAN)


@pytest.fixture(scope="module")
def history(made: Simulation) -> pd.DataFrame:
    events = made.events[made.events["event_time"] < pd.Timestamp(PLAN.cutoff)]
    by_customer = events.groupby("customer_id")["event_time"]
    table = pd.DataFrame({"purchases": by_customer.size(), "first": by_customer.min(), "last": by_customer.max()})
    table["mean_value"] = events.groupby("customer_id")["amount"].mean()
    table["T"] = (pd.Timestamp(PLAN.cutoff) - table["first"]).dt.days / 7
    table["recency"] = (table["last"] - table["first"]).dt.days / 7
    return table.loc[made.truth["customer_id"]]


def test_mean_repeat_purchases_are_those_of_the_paper(made: Simulation) -> None:
    """Equation 9 of Fader, Hardie and Lee (2005), averaged over the customers' own ages at the log's end."""
    r, alpha, a, b = COUNTS.values()
    repeats = made.events.groupby("customer_id").size() - 1
    first = made.events.groupby("customer_id")["event_time"].min()
    t = ((pd.Timestamp(PLAN.end) - first).dt.days - 0.5).to_numpy() / 7
    paper = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t)))
    error = repeats.std() / np.sqrt(len(repeats))
    assert repeats.mean() == pytest.approx(paper.mean(), abs=4 * error)
    assert error / paper.mean() < 0.02


def test_mean_spend_is_that_of_the_gamma_gamma_model(made: Simulation) -> None:
    first = made.events.drop_duplicates("customer_id")["amount"]
    assert first.mean() == pytest.approx(SPEND["p"] * SPEND["gamma"] / (SPEND["q"] - 1), rel=0.015)


def test_conditional_expectation_equals_that_of_lifetimes(history: pd.DataFrame, lifetimes: types.ModuleType) -> None:
    fitter = lifetimes.BetaGeoFitter()
    fitter.params_ = pd.Series(COUNTS)
    x, recency, age = (history["purchases"] - 1).to_numpy(float), history["recency"].to_numpy(), history["T"].to_numpy()
    ours = expected_purchases(26.0, x, recency, age, **COUNTS)
    theirs = fitter.conditional_expected_number_of_purchases_up_to_time(26.0, x, recency, age)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    np.testing.assert_allclose(
        alive(x, recency, age, **COUNTS), fitter.conditional_probability_alive(x, recency, age), rtol=1e-9
    )


def test_conditional_expectation_is_finite_for_heavy_buyers() -> None:
    x = np.array([0.0, 1.0, 500.0, 5000.0])
    values = expected_purchases(26.0, x, np.array([0.0, 1.0, 38.0, 39.0]), np.full(4, 39.0), **COUNTS)
    assert np.isfinite(values).all() and (values >= 0).all()
    assert values[3] > values[2] > values[1]


def test_conditional_spend_equals_that_of_lifetimes(history: pd.DataFrame, lifetimes: types.ModuleType) -> None:
    fitter = lifetimes.GammaGammaFitter()
    fitter.params_ = pd.Series({"p": SPEND["p"], "q": SPEND["q"], "v": SPEND["gamma"]})
    n, mean = history["purchases"].to_numpy(float), history["mean_value"].to_numpy()
    theirs = fitter.conditional_expected_average_profit(n, mean)
    np.testing.assert_allclose(expected_spend(n, mean, **SPEND), theirs, rtol=1e-9)


def test_truth_can_be_recomputed_from_the_log(made: Simulation, history: pd.DataFrame) -> None:
    """Up to the cut of times to days, the attainable value follows from events.csv alone."""
    n = history["purchases"].to_numpy(float)
    count = expected_purchases(26.0, n - 1, history["recency"].to_numpy(), history["T"].to_numpy(), **COUNTS)
    value = count * expected_spend(n, history["mean_value"].to_numpy(), **SPEND)
    truth = made.truth["attainable_value"].to_numpy()
    assert np.corrcoef(value, truth)[0, 1] > 0.9995
    assert value.sum() == pytest.approx(truth.sum(), rel=0.01)
    later = made.events[made.events["event_time"] >= pd.Timestamp(PLAN.cutoff)]
    actual = later.groupby("customer_id")["amount"].sum().reindex(made.truth["customer_id"], fill_value=0.0)
    np.testing.assert_allclose(made.truth["actual_value"], actual, atol=0.006)


def test_expectations_are_unbiased_within_every_fifth_of_customers(made: Simulation) -> None:
    for column in ("expected_value", "attainable_value"):
        ranked = made.truth.sort_values(column, kind="stable")
        for part in np.array_split(np.arange(len(ranked)), 5):
            rows = ranked.iloc[part]
            error = (rows["actual_value"] - rows[column]).std() / np.sqrt(len(rows))
            assert rows["actual_value"].mean() == pytest.approx(rows[column].mean(), abs=4 * error + 0.01)


def test_all_customers_are_acquired_early_and_seen_before_the_cutoff(made: Simulation) -> None:
    first = made.events.groupby("customer_id")["event_time"].min()
    days = (first - made.events["event_time"].min()).dt.days
    assert len(first) == PLAN.customers == len(made.truth)
    assert days.max() == pytest.approx(ACQUISITION_SHARE * PLAN.cutoff_day, abs=1)
    assert set(made.events["event_type"]) == {"purchase"}
    assert (made.events["event_time"].max() + pd.Timedelta(days=1)).date() == PLAN.end
