"""A break of behaviour is found where there is one, and nothing else is taken for one."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.evaluation.change import Change, PurchaseDays, Ratio, change_at, find_change, span_at
from clv_core.evaluation.evidence import LogFacts
from tests.features import conftest

pytestmark = pytest.mark.first(5)

DAYS = 730
log_of = conftest.opened


def shop(
    seed: int = 0, rate: float = 1.0, price: float = 1.0, breaks: int = DAYS - 182, peak: float = 1.0, days: int = DAYS
) -> PurchaseDays:
    """Customers who arrive all the time, buy at rates of their own and leave; from day ``breaks`` on other rates."""
    rng, n = np.random.default_rng(seed), 1_500
    own, first = rng.gamma(0.7, 1 / 28, n), (rng.random(n) * days * 0.95).astype(np.int64)
    stays = rng.exponential(400, n)
    day = np.arange(days)
    season = np.where(day % 365 >= 330, peak, 1.0) * np.where(day >= breaks, rate, 1.0)
    there = (day > first[:, None]) & (day < (first + stays)[:, None])
    buys = there & (rng.random((n, days)) < own[:, None] * season)
    buys[np.arange(n), first] = True
    customer, when = np.nonzero(buys)
    net = rng.lognormal(3.0, 0.8, len(customer)) * np.where(when >= breaks, price, 1.0)
    return PurchaseDays(customer, when, net)


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("kind", "purchases", "orders"),
    [({"rate": 0.4}, True, False), ({"price": 0.5}, False, True), ({"rate": 0.4, "price": 0.5}, True, True)],
)
def test_a_break_is_dated_and_named(kind: dict[str, float], purchases: bool, orders: bool) -> None:
    found = change_at(shop(**kind), 0, DAYS, 182)
    assert isinstance(found, Change) and found.since == (date(1970, 1, 1) + timedelta(days=DAYS - 182)).isoformat()
    assert (found.purchases_changed, found.order_value_changed) == (purchases, orders)
    assert found.purchases == pytest.approx(kind.get("rate", 1.0), abs=0.12)
    assert found.order_value == pytest.approx(kind.get("price", 1.0), abs=0.12)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("horizon", [60, 182])
def test_growth_ageing_and_small_drifts_are_no_break(seed: int, horizon: int) -> None:
    assert change_at(shop(seed), 0, DAYS, horizon) is None
    assert change_at(shop(seed, rate=0.85, price=1.1), 0, DAYS, horizon) is None


@pytest.mark.examples(2)
@pytest.mark.parametrize("days", [364, 391, 730, 760])
def test_a_yearly_peak_is_no_break_in_it_or_after_it(days: int) -> None:
    assert change_at(shop(days=days, breaks=10**6, peak=2.5), 0, days, 60) is None


def test_what_comes_after_the_end_is_not_looked_at() -> None:
    bought = shop(rate=0.2, breaks=DAYS - 90)
    early = bought.day < DAYS - 90
    cut = PurchaseDays(bought.customer[early], bought.day[early], bought.net[early])
    for horizon in (60, 120):
        assert change_at(bought, 0, DAYS - 90, horizon) == change_at(cut, 0, DAYS - 90, horizon)


def test_a_log_too_short_for_two_spans_before_says_nothing() -> None:
    assert change_at(shop(rate=0.1, days=200, breaks=140), 0, 200, 120) is None


def test_the_error_of_a_ratio_is_that_of_resampled_customers() -> None:
    rng = np.random.default_rng(0)
    above, below = rng.gamma(0.5, 2.0, 800), rng.gamma(1.0, 1.0, 800)
    draws = rng.integers(0, 800, (2_000, 800))
    resampled = np.log(above[draws].sum(1) / below[draws].sum(1))
    ratio = Ratio.of(above, below)
    assert ratio.log == pytest.approx(np.log(above.sum() / below.sum()))
    assert ratio.error == pytest.approx(resampled.std(), rel=0.08)


def test_purchase_days_and_the_btyd_four_are_those_of_the_events(log_of: conftest.Opener) -> None:
    simulation = simulate("browsing", SimulationPlan(300, 400, 3, 90))
    events = simulation.events
    log = log_of(events)
    bought = PurchaseDays.of(log.steps)
    money = events[events["event_type"].isin(["purchase", "return"])]
    net = money.groupby(["customer_id", money["event_time"].dt.normalize()])["amount"].sum()
    net = net[net > 1e-9]
    assert len(bought.day) == len(net)
    np.testing.assert_allclose(bought.net, net.to_numpy(), rtol=1e-5)
    cutoff = (simulation.plan.cutoff - date(1970, 1, 1)).days
    snapshot = log.snapshot(simulation.plan.cutoff, 90)
    known = snapshot.features.dropna(subset=["T"])
    rfm = bought.rfm(cutoff).set_axis(log.steps.customer_ids[bought.rfm(cutoff).index]).loc[known.index]
    for name in ("frequency", "recency", "T"):
        np.testing.assert_array_equal(rfm[name], known[name])
    np.testing.assert_allclose(rfm["monetary_value"], known["monetary_value"], rtol=1e-5)
    span = span_at(bought, cutoff, 90)
    assert span is not None and span.customers == len(known)


def test_facts_are_counts_of_the_events(log_of: conftest.Opener) -> None:
    events = simulate("browsing", SimulationPlan(400, 300, 4, 90)).events
    last = events.loc[events["event_type"] == "purchase", "event_time"].max().normalize()
    quiet = pd.concat([events, events.head(1).assign(event_time=last + pd.Timedelta(days=45), event_type="view")])
    facts = LogFacts.of(log_of(quiet))
    bought = events[events["event_type"] == "purchase"]
    days = bought.groupby("customer_id")["event_time"].agg(lambda times: times.dt.normalize().nunique())
    counted = (facts.customers, facts.buyers, facts.loyal, facts.quiet_days)
    assert counted == (events["customer_id"].nunique(), len(days), int((days >= 3).sum()), 45)
    paid = bought.groupby("customer_id")["amount"].sum()
    assert facts.top_share == pytest.approx(paid.max() / paid.sum(), rel=1e-5)
    slip = bought.tail(1).assign(event_time=last, amount=9.9e10)
    assert LogFacts.of(log_of(pd.concat([events, slip]))).top_share > 0.999


def test_few_customers_make_no_break_of_luck(log_of: conftest.Opener) -> None:
    small = simulate("browsing", SimulationPlan(900, 540, 1, 90)).events
    assert find_change(log_of(small), 300) is None


def test_the_scenario_regime_is_found_and_its_past_is_calm(log_of: conftest.Opener) -> None:
    simulation = simulate("regime", SimulationPlan(3_000, 730, 1, 182))
    found = find_change(log_of(simulation.events), 182)
    assert found is not None and found.since == simulation.plan.cutoff.isoformat()
    assert found.purchases_changed and found.purchases < 0.7 and found.order_value < 0.95
    assert find_change(log_of(simulation.events, before=simulation.plan.cutoff), 182) is None
