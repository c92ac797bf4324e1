"""The behaviour scenarios: what they promise is measured on the log they write."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from clv_core import columns
from clv_core.collection.simulate import Simulation, SimulationPlan, simulate
from clv_core.collection.simulate.shop import season
from clv_core.collection.simulate.shop_scenarios import CAMPAIGN, CAMPAIGN_DAYS, voucher_date
from clv_core.collection.simulate.simulation import START

PLAN = SimulationPlan(customers=8_000, days=730, seed=3)
CUTOFF = pd.Timestamp(PLAN.cutoff)


@pytest.fixture(scope="module")
def made() -> Simulation:
    return simulate("browsing", PLAN)


@pytest.fixture(scope="module")
def changed() -> Simulation:
    return simulate("regime", PLAN)


def count(events: pd.DataFrame, kind: str, customers: pd.Series) -> pd.Series:
    rows = events[events["event_type"] == kind]
    return rows.groupby("customer_id").size().reindex(customers, fill_value=0)


def mean_error(rows: pd.DataFrame) -> float:
    return float((rows["actual_value"] - rows["expected_value"]).std() / np.sqrt(len(rows)))


@pytest.fixture(scope="module")
def store() -> Simulation:
    return simulate("store", PLAN)


@pytest.mark.parametrize("scenario", ["browsing", "regime", "store"])
def test_expected_value_is_unbiased_within_every_fifth_of_customers(
    scenario: str, request: pytest.FixtureRequest
) -> None:
    truth = request.getfixturevalue({"browsing": "made", "regime": "changed"}.get(scenario, scenario)).truth
    ranked = truth.sort_values("expected_value", kind="stable")
    for part in np.array_split(np.arange(len(ranked)), 5):
        rows = ranked.iloc[part]
        assert rows["actual_value"].mean() == pytest.approx(
            rows["expected_value"].mean(), abs=4 * mean_error(rows) + 0.05
        )
    assert spearmanr(truth["expected_value"], truth["actual_value"]).statistic > 0.35


def test_truth_equals_the_net_value_of_the_log_in_the_horizon(made: Simulation) -> None:
    later = made.events[(made.events["event_time"] >= CUTOFF) & made.events["amount"].notna()]
    actual = later.groupby("customer_id")["amount"].sum().reindex(made.truth["customer_id"], fill_value=0.0)
    np.testing.assert_allclose(made.truth["actual_value"], actual, atol=0.006)
    before = made.events[made.events["event_time"] < CUTOFF]
    assert set(before["customer_id"]) == set(made.truth["customer_id"])


def test_views_and_carts_tell_what_purchases_do_not(made: Simulation) -> None:
    """Among customers without any purchase so far, recent views and carts separate the value to come."""
    history = made.events[made.events["event_time"] < CUTOFF]
    recent = history[history["event_time"] >= CUTOFF - pd.Timedelta(days=60)]
    truth = made.truth.set_index("customer_id")
    never = truth.index[count(history, columns.PURCHASE, truth.index) == 0]
    for kind in (columns.VIEW, columns.CART):
        seen = count(recent, kind, never).to_numpy() > 0
        value, rest = truth.loc[never[seen], "expected_value"], truth.loc[never[~seen], "expected_value"]
        error = np.hypot(value.std() / np.sqrt(len(value)), rest.std() / np.sqrt(len(rest)))
        assert value.mean() - rest.mean() > 4 * error


def test_every_purchase_follows_a_view_and_a_cart_of_its_session(made: Simulation) -> None:
    by_kind = {kind: made.events[made.events["event_type"] == kind] for kind in columns.EVENT_TYPES}
    bought = by_kind[columns.PURCHASE].drop_duplicates(["session_id", "product_id"])
    for kind in (columns.VIEW, columns.CART):
        first = by_kind[kind].groupby(["session_id", "product_id"])["event_time"].min().rename("seen").reset_index()
        joined = bought.merge(first, on=["session_id", "product_id"], how="left")
        assert (joined["seen"] < joined["event_time"]).all()


def test_bad_ratings_raise_the_chance_to_leave(made: Simulation) -> None:
    history = made.events[(made.events["event_time"] < CUTOFF) & made.events["rating"].notna()]
    last = history.groupby("customer_id")["rating"].last()
    gone = (made.truth.set_index("customer_id")["mood_at_cutoff"] == "gone").loc[last.index]
    assert gone[last <= 2].mean() > gone[last >= 4].mean() + 0.2


def test_log_is_rich_and_consistent(made: Simulation) -> None:
    events = made.events
    assert list(events.columns) == [column.name for column in columns.COLUMNS]
    assert 10 <= len(events) / PLAN.customers <= 25
    assert not events.duplicated().any()
    assert events["event_time"].is_monotonic_increasing and events["event_time"].max() < pd.Timestamp(PLAN.end)
    paid = events[events["event_type"] == columns.PURCHASE]
    value = paid["quantity"] * paid["unit_price"] - paid["discount"]
    np.testing.assert_allclose(paid["amount"], value, atol=0.006)
    assert (paid["amount"] > 0).all() and 0.1 < (paid["discount"] > 0).mean() < 0.5
    back = events[events["event_type"] == columns.RETURN]
    assert (back["amount"] < 0).all() and set(back["order_id"]) <= set(paid["order_id"])
    assert events.loc[~events["event_type"].isin(columns.MONEY_TYPES), "amount"].isna().all()
    reviews = events[events["event_type"] == columns.REVIEW]["review_text"]
    chinese = reviews.str.contains(r"[\u4e00-\u9fff]")
    assert reviews.notna().all() and 0.1 < chinese.mean() < 0.5
    assert events["rating"].dropna().isin([1, 2, 3, 4, 5]).all()


def test_december_is_the_peak_of_the_season() -> None:
    days = np.arange(365)
    peak = np.datetime64(START) + np.timedelta64(int(np.argmax(season(days))), "D")
    assert np.datetime64("2023-11-25") < peak < np.datetime64("2023-12-15")


def test_regime_changes_level_only_after_the_cutoff(made: Simulation, changed: Simulation) -> None:
    def paid(simulation: Simulation, after: bool) -> pd.DataFrame:
        rows = simulation.events[simulation.events["event_type"] == columns.PURCHASE]
        return rows[(rows["event_time"] >= CUTOFF) == after]

    assert paid(changed, False)["amount"].sum() == pytest.approx(paid(made, False)["amount"].sum(), rel=0.1)
    assert paid(changed, True)["amount"].sum() < 0.5 * paid(made, True)["amount"].sum()
    assert paid(changed, True)["unit_price"].mean() < 0.8 * paid(made, True)["unit_price"].mean()


def test_in_noise_the_past_does_not_rank_the_future() -> None:
    plan = SimulationPlan(customers=8_000, days=455, seed=5)
    made = simulate("noise", plan)
    history = made.events[made.events["event_time"] < pd.Timestamp(plan.cutoff)]
    past = history.groupby("customer_id")["amount"].sum().reindex(made.truth["customer_id"], fill_value=0.0)
    bound = 4 / np.sqrt(plan.customers)
    assert abs(spearmanr(past, made.truth["actual_value"]).statistic) < bound
    views = count(history, columns.VIEW, made.truth["customer_id"])
    assert abs(spearmanr(views, made.truth["actual_value"]).statistic) < bound
    assert made.truth["expected_value"].nunique() == 1
    error = made.truth["actual_value"].std() / np.sqrt(plan.customers)
    assert made.truth["actual_value"].mean() == pytest.approx(made.truth["expected_value"].iloc[0], abs=4 * error)


def test_more_of_those_who_got_the_voucher_of_the_store_order_within_a_month(store: Simulation) -> None:
    sent = pd.Timestamp(voucher_date(PLAN))
    before = store.events[store.events["event_time"] < sent]
    groups = store.truth.dropna(subset="voucher").set_index("customer_id")["voucher"].astype(bool)
    assert set(groups.index) <= set(before["customer_id"])
    month = store.events[store.events["event_time"].between(sent, sent + pd.Timedelta(days=30), inclusive="left")]
    ordered = pd.Series(
        groups.index.isin(month.loc[month["event_type"] == columns.PURCHASE, "customer_id"]), groups.index
    )
    got, did_not = ordered[groups], ordered[~groups]
    error = np.hypot(got.std() / np.sqrt(len(got)), did_not.std() / np.sqrt(len(did_not)))
    assert got.mean() - did_not.mean() > 3 * error
    earlier = before.groupby("customer_id")["amount"].sum().reindex(groups.index, fill_value=0.0)
    assert earlier[groups].mean() == pytest.approx(earlier[~groups].mean(), rel=0.15)  # by chance alone


def test_the_campaign_of_the_store_brings_new_customers_only_after_the_cutoff(store: Simulation) -> None:
    came = store.events[store.events["channel"] == CAMPAIGN]
    assert came["event_time"].min() >= CUTOFF + pd.Timedelta(days=CAMPAIGN_DAYS)
    first = store.events.groupby("customer_id")["event_time"].min()
    new = first[first >= CUTOFF + pd.Timedelta(days=CAMPAIGN_DAYS)].index
    assert set(came["customer_id"]) <= set(new) and len(set(came["customer_id"])) / len(new) == pytest.approx(
        0.4, abs=0.1
    )
