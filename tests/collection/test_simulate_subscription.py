"""Scenario ``subscription``: what it promises is measured on the log that it writes."""

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.simulate import Simulation, SimulationPlan, simulate

PLAN = SimulationPlan(customers=20_000, days=730, seed=3)
CUTOFF = pd.Timestamp(PLAN.cutoff)


@pytest.fixture(scope="module")
def made() -> Simulation:
    return simulate("subscription", PLAN)


@pytest.fixture(scope="module")
def payments(made: Simulation) -> pd.DataFrame:
    paid = made.events[made.events["event_type"] == "purchase"].copy()
    paid["day"] = paid["event_time"].dt.normalize()
    paid["gap"] = paid.groupby("customer_id")["day"].diff().dt.days
    return paid


def test_expected_value_is_unbiased_by_status_and_among_the_best_customers(made: Simulation) -> None:
    truth = made.truth.assign(
        tenth=pd.qcut(made.truth["expected_value"].rank(method="first"), 10, labels=False).clip(5)
    )
    for _, part in [*truth.groupby("status_at_cutoff"), *truth.groupby("tenth")]:
        error = (part["actual_value"] - part["expected_value"]).std() / np.sqrt(len(part))
        assert part["actual_value"].mean() == pytest.approx(part["expected_value"].mean(), abs=4 * error + 0.05)


def test_truth_is_what_was_paid_in_the_horizon_by_those_seen_before(made: Simulation) -> None:
    later = made.events[made.events["event_time"] >= CUTOFF].groupby("customer_id")["amount"].sum()
    actual = later.reindex(made.truth["customer_id"], fill_value=0.0)
    np.testing.assert_allclose(made.truth["actual_value"], actual, atol=0.006)
    before = made.events[made.events["event_time"] < CUTOFF]
    assert set(before["customer_id"]) == set(made.truth["customer_id"])


def test_few_pay_most_of_them_soon_and_renewals_come_on_their_day(made: Simulation, payments: pd.DataFrame) -> None:
    assert 0.02 < payments["customer_id"].nunique() / PLAN.customers < 0.05
    joined = made.events.groupby("customer_id")["event_time"].min().dt.normalize()
    first = payments.groupby("customer_id")["day"].min()
    delay = (first - joined[first.index]).dt.days
    assert 0.3 < (delay == 0).mean() < 0.6 and (delay <= 30).mean() > 0.75 and delay.max() > 180
    renewals = payments.dropna(subset=["gap"])
    on_time = renewals["gap"].between(25, 35) | renewals["gap"].between(360, 370)
    assert on_time.mean() > 0.9
    assert payments.groupby("customer_id")["gap"].apply(lambda gaps: ((gaps > 40) & (gaps < 350)).any()).sum() > 20


def test_views_end_before_a_cancellation_and_most_free_users_are_never_seen_again(
    made: Simulation, payments: pd.DataFrame
) -> None:
    events = made.events.assign(day=made.events["event_time"].dt.normalize())
    life = events.groupby("customer_id")["day"].agg(lambda days: (days.max() - days.min()).days)
    free = life.drop(payments["customer_id"].unique())
    assert (free < 30).mean() > 0.7
    monthly = payments[payments["product_id"] == "monthly"]
    views = events[events["event_type"] == "view"].merge(monthly, on="customer_id", suffixes=("", "_paid"))
    days = (views["day"] - views["day_paid"]).dt.days
    following = monthly.groupby("customer_id")["day"].shift(-1)
    cancelled = monthly[following.isna() & (monthly["day"] < pd.Timestamp(PLAN.end) - pd.Timedelta(days=40))]
    renewed = monthly[following.notna()]

    def late_views(paid: pd.DataFrame) -> float:
        late = views.loc[(days >= 20) & (days < 30), ["customer_id", "day_paid"]]
        return len(late.merge(paid, left_on=["customer_id", "day_paid"], right_on=["customer_id", "day"])) / len(paid)

    assert late_views(cancelled) < 0.6 * late_views(renewed)
