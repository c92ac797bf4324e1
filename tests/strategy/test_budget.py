"""The plan against HiGHS, against brute force, and against plans that know nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from clv_core.deployment.terms import Terms
from clv_core.errors import UsageError
from clv_core.strategy.experiments.treatment_effect import Experiment, Measured
from clv_core.strategy.plans.allocation import (
    allocate,
    gain_curve,
    marginal_return,
    max_useful_budget,
    total_gain,
)
from clv_core.strategy.plans.budget_plan import all_warnings, gain_warnings, make_plan, random_plan, uniform_plan
from clv_core.strategy.plans.offers import MONEY, Effect, Offer, with_measured_effects

Floats = NDArray[np.float64]
COSTS = np.array([0.2, 1.5, 4.0, 10.0])
KINDS = ("share", "money", "alike", "both", "random")


def gains_of(kind: str, n: int, seed: int) -> tuple[Floats, Floats]:
    """Gains as they come: shares of skewed values, money by tier (ties), the same offer four times, both, and noise."""
    rng = np.random.default_rng(seed)
    value = rng.lognormal(3, 1.3, n)
    tier = np.searchsorted(np.quantile(value, [0.4, 0.7, 0.9]), value)
    differs = rng.uniform(0.7, 1.3, (4, 4))[tier]
    if kind == "share":
        return value[:, None] * np.array([0.02, 0.06, 0.1, 0.16]) * differs - COSTS, COSTS
    if kind == "money":
        return np.array([0.5, 2.5, 6, 14]) * differs - COSTS, COSTS
    if kind == "alike":
        return np.repeat(value[:, None] * 0.1, 4, 1) - 2, np.full(4, 2.0)
    if kind == "both":
        flat = np.ones(n)
        return np.stack([value * 0.02 - COSTS[0], 1.2 * flat, value * 0.1 - COSTS[2], 3 * flat], 1), COSTS
    return rng.gamma(1, 1, (n, 4)) * COSTS, COSTS


def highs(gains: Floats, costs: Floats, capacities: Floats, budget: float) -> float:
    """The best value of the relaxation, which no plan can exceed, by HiGHS."""
    n, k = gains.shape
    spend = sparse.csr_matrix(np.tile(costs, n))
    places = sparse.kron(np.ones((1, n)), sparse.eye(k))
    single = sparse.kron(sparse.eye(n), np.ones((1, k)))
    above = np.concatenate([[budget], np.minimum(capacities, n), np.ones(n)])
    best = linprog(
        -np.maximum(gains, 0).ravel(), A_ub=sparse.vstack([spend, places, single]).tocsr(), b_ub=above, method="highs"
    )
    return float(-best.fun)


@pytest.mark.examples(3)
@pytest.mark.parametrize("tight", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_plan_is_within_a_thousandth_of_what_highs_finds(kind: str, tight: bool) -> None:
    n = 2000
    gains, costs = gains_of(kind, n, 3)
    capacities = np.array([0.3, 0.1, 0.1, 0.05]) * n if tight else np.full(4, np.inf)
    most = max_useful_budget(gains, costs, capacities)
    for part in (0.2, 0.6):
        budget = 2 * round(part * most / 2)  # where all cost 2, the relaxation would give half an offer
        found = allocate(gains, costs, capacities, budget)
        best = highs(gains, costs, capacities, budget)
        assert found.gain <= best * (1 + 1e-6) and best <= found.bound * (1 + 1e-6)
        assert found.gain >= best * (1 - 1e-3)
        check(found.offer, gains, costs, capacities, budget)


def check(offer: NDArray[np.int64], gains: Floats, costs: Floats, capacities: Floats, budget: float) -> None:
    given = np.flatnonzero(offer >= 0)
    assert costs[offer[given]].sum() <= budget * (1 + 1e-9)
    assert (np.bincount(offer[given], minlength=len(costs)) <= capacities).all()
    assert (gains[given, offer[given]] > 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_of_a_handful_of_customers_nothing_better_can_be_made(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gains, costs, capacities = rng.normal(1, 1, (6, 2)), np.array([1.0, 2.0]), np.array([3.0, 2.0])
    plans = np.array(list(product((-1, 0, 1), repeat=6)))
    padded = np.hstack([gains, np.zeros((6, 1))])
    value = padded[np.arange(6), plans].sum(axis=1)
    fits = (np.append(costs, 0)[plans].sum(axis=1) <= 5) & ((plans == 0).sum(1) <= 3) & ((plans == 1).sum(1) <= 2)
    found = allocate(gains, costs, capacities, 5.0)
    check(found.offer, gains, costs, capacities, 5.0)
    assert found.gain == pytest.approx(value[fits].max(), rel=0.05)
    assert found.gain <= value[fits].max() + 1e-9 <= found.bound + 2e-9


def test_what_costs_more_than_it_brings_is_never_given() -> None:
    gains = np.array([[-1.0, 0.0], [2.0, -3.0], [-np.inf, -np.inf]])
    found = allocate(gains, [1.0, 0.0], np.inf, 100.0)
    assert found.offer.tolist() == [-1, 0, -1] and found.gain == 2 and found.spent == 1
    assert found.shadow_price == 0 and found.bound == pytest.approx(2)


def test_without_money_or_places_or_customers_nothing_is_given() -> None:
    gains, costs = gains_of("share", 50, 1)
    assert (allocate(gains, costs, np.inf, 0.0).offer == -1).all()
    assert (allocate(gains, costs, np.zeros(4), 1e6).offer == -1).all()
    assert allocate(np.empty((0, 4)), costs, np.inf, 5.0).gain == 0
    free = allocate(np.ones((50, 1)), [0.0], [20.0], 0.0)
    assert free.customers.tolist() == [20]


def test_the_same_customers_get_the_same_plan() -> None:
    gains, costs = gains_of("money", 9000, 2)
    plans = [allocate(gains, costs, [900, 900, 900, 90], 4000.0).offer for _ in range(2)]
    assert (plans[0] == plans[1]).all()
    found = allocate(gains, costs, [900, 900, 900, 90], 4000.0)
    assert found.gain >= found.bound * 0.999  # prices of a sample are good enough


def test_the_curve_rises_and_flattens() -> None:
    gains, costs = gains_of("share", 3000, 4)
    most = max_useful_budget(gains, costs, np.inf)
    curve = gain_curve(gains, costs, np.inf, most)
    slopes = np.diff(curve.gain) / np.diff(curve.budget)
    assert curve.budget[0] == 0 and curve.budget[-1] == pytest.approx(most)
    assert (np.diff(curve.gain) >= 0).all()
    assert (np.diff(slopes) <= 0.02 * slopes[0]).all()
    assert curve.gain[-1] == pytest.approx(np.maximum(gains, 0).max(axis=1).sum(), rel=1e-6)


def test_the_curve_of_many_customers_is_that_of_a_sample_and_hardly_off() -> None:
    gains, costs = gains_of("share", 50_000, 7)
    capacities = [20_000.0, np.inf, 500.0, np.inf]
    curve = gain_curve(gains, costs, capacities, max_useful_budget(gains, costs, capacities))
    for point in (4, 10, 20):
        exact = allocate(gains, costs, capacities, float(curve.budget[point])).gain
        assert curve.gain[point] == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("places", [2.0, 12.0])
def test_the_curve_of_an_offer_with_few_places_ends_where_they_are_all_given(places: float) -> None:
    gains = np.random.default_rng(0).gamma(0.5, 30.0, (100_000, 1)) - 8.0
    best = np.sort(gains[:, 0])[::-1][: int(places)].sum()
    curve = gain_curve(gains, [8.0], [places], max_useful_budget(gains, [8.0], [places]))
    assert curve.budget[-1] == 8.0 * places and curve.gain[-1] == pytest.approx(best, rel=0.02)


def test_the_next_coin_goes_where_a_larger_budget_goes() -> None:
    gains, costs = gains_of("share", 3000, 5)
    found = allocate(gains, costs, np.inf, 500.0)
    coin = marginal_return(gains, costs, np.inf, found)
    assert coin is not None and coin[2] == pytest.approx(found.shadow_price, rel=0.05)
    more = allocate(gains, costs, np.inf, 600.0).gain - found.gain
    assert more / 100 == pytest.approx(coin[2], rel=0.15)
    assert (
        marginal_return(gains, costs, np.inf, allocate(gains, costs, np.inf, max_useful_budget(gains, costs, np.inf)))
        is None
    )


def test_the_curve_of_a_sample_is_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more customers than are looked at one by one, those that are stand for all."""
    gains, costs = gains_of("share", 900, 5)
    whole = gain_curve(gains, costs, 120, 150.0)
    for name, most in (("CURVE_SAMPLE", 300), ("FEW_CUSTOMERS", 200)):
        monkeypatch.setattr(f"clv_core.strategy.plans.allocation.{name}", most)
    some = gain_curve(gains, costs, 120, 150.0)
    np.testing.assert_array_equal(some.budget, whole.budget)
    np.testing.assert_allclose(some.gain[1:], whole.gain[1:], rtol=0.2)


def test_more_money_goes_to_no_offer_that_is_given_out() -> None:
    gains, costs, places = np.array([[10.0, 2.0], [9.0, 3.0], [8.0, 1.0]]), np.ones(2), np.array([1.0, np.inf])
    found = allocate(gains, costs, places, 1.0)
    assert found.offer.tolist() == [0, -1, -1]
    assert marginal_return(gains, costs, places, found) == (1, 1, 3.0), "nine are offered by the first, which is gone"


def test_the_plan_beats_uniform_and_random_plans_when_the_truth_comes_out() -> None:
    """Effects and values are known with error; what counts is the true gain."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        n = 4000
        true_value = rng.lognormal(3, 1.2, n) * (rng.random(n) < 0.5)
        predicted = 10 * rng.lognormal(0, 0.5, n) + 0.5 * true_value
        share, cost = np.array([0.02, 0.05, 0.1]), np.array([0.1, 0.8, 2.5])
        truth = true_value[:, None] * share * rng.uniform(0.6, 1.4, 3) - cost
        believed = predicted[:, None] * share - cost
        plan = total_gain(truth.T, allocate(believed, cost, np.inf, 600.0).offer)
        uniform = total_gain(truth.T, uniform_plan(believed, cost, np.inf, 600.0))
        chance = np.mean([total_gain(truth.T, random_plan(believed, cost, np.inf, 600.0, draw)) for draw in range(5)])
        assert plan > uniform and plan > chance


def test_plans_without_prediction_keep_the_limits() -> None:
    gains, costs = gains_of("share", 3000, 6)
    gains[:1000, 2] = -np.inf
    capacities = np.array([300.0, 200, 100, 50])
    for plan in (uniform_plan(gains, costs, capacities, 400.0), random_plan(gains, costs, capacities, 400.0, 1)):
        given = np.flatnonzero(plan >= 0)
        assert 0 < costs[plan[given]].sum() <= 400 * (1 + 1e-9)
        assert (np.bincount(plan[given], minlength=4) <= capacities).all()
        assert np.isfinite(gains[given, plan[given]]).all()


@pytest.mark.parametrize(("budget", "cost", "count"), [(0.3, 0.1, 3), (0.7, 0.1, 7), (3.5, 0.7, 5), (3.45, 0.7, 4)])
def test_an_even_plan_spends_a_budget_to_the_last_cent(budget: float, cost: float, count: int) -> None:
    gains, costs = np.ones((9, 1)), np.array([cost])
    assert (uniform_plan(gains, costs, np.inf, budget) >= 0).sum() == count
    assert allocate(gains, costs, np.inf, budget).customers.tolist() == [count]


def customers(n: int = 400) -> pd.DataFrame:
    value = np.linspace(200, 1, n)
    tier = np.repeat([1, 2], n // 2)
    return pd.DataFrame({"customer_id": [f"c{i}" for i in range(n)], "predicted_clv": value, "tier": tier})


def test_a_plan_keeps_measured_and_assumed_apart() -> None:
    measured = Offer("tried", 1.0, {1: Effect(6.0, MONEY, 4.0, 8.0)}, 50)
    assumed = Offer.parse("name=guess,cost=1,effect=3%,tiers=2")
    plan = make_plan(customers(), 2, [measured, assumed], 1000.0)
    basis = plan.evidence
    assert basis.measured == pytest.approx(50 * 5) and (basis.low, basis.high) == pytest.approx((150, 350))
    assert basis.measured + basis.assumed == pytest.approx(plan.allocation.gain)
    assert set(plan.customers.loc[plan.customers["offer"] == "tried", "evidence"]) == {"measured"}
    assert plan.table["customers"].sum() == len(plan.customers)
    assert plan.table["expected_gain"].sum() == pytest.approx(plan.allocation.gain)
    assert plan.gain_uniform <= plan.allocation.gain and plan.gain_random <= plan.allocation.gain


def test_an_offer_of_which_none_is_left_goes_to_nobody() -> None:
    """The better one is given out: three of the other are left, for the three who are worth most (200 to 199)."""
    gone, some = (
        Offer.parse(f"name={name},cost=1,effect={effect}%,capacity={left}")
        for name, effect, left in (("gone", 9, 0), ("some", 4, 3))
    )
    plan = make_plan(customers(), 2, [gone, some], 1000.0)
    assert plan.customers[["customer_id", "offer"]].to_numpy().tolist() == [
        ["c0", "some"],
        ["c1", "some"],
        ["c2", "some"],
    ]
    assert plan.allocation.spent == 3 and plan.gain_uniform <= plan.allocation.gain
    assert make_plan(customers(), 2, [gone], 1000.0).customers.empty


def test_tiers_measured_apart_are_off_apart_and_one_figure_for_all_is_off_for_all() -> None:
    one = Effect(5.0, MONEY, 3.0, 7.0)
    apart = Offer("o", 0.0, {1: one, 2: Effect(5.5, MONEY, 3.5, 7.5)})
    together, of_both = Offer("o", 0.0, {0: one}), Offer("o", 0.0, {1: one, 2: one})
    widths = [
        (basis.high - basis.low) / 2
        for basis in (make_plan(customers(), 2, [offer], 0.0).evidence for offer in (apart, together, of_both))
    ]
    assert widths == pytest.approx([np.sqrt(2) * 200 * 2, 400 * 2, 400 * 2])


WHOLE = Measured(0, 50, 80, 2.0, 1.0, 3.0, 0.5)
APART = (Measured(1, 40, 40, 8.0, 7.0, 9.0, 0.5), Measured(2, 40, 40, 1.0, 0.5, 1.5, 0.5))
ALIKE = (Measured(1, 40, 40, 2.5, 1.0, 4.0, 0.5), Measured(2, 40, 40, 1.0, -0.5, 2.5, 0.5))
UNKNOWN = (Measured(1, 10, 40, None, None, None, None), Measured(2, 15, 15, None, None, None, None))


@pytest.mark.parametrize(
    ("tiers", "margin_rate", "by_tier", "effects"),
    [
        (
            (*APART, replace(UNKNOWN[0], tier=3)),
            0.5,
            True,
            {1: Effect(4.0, MONEY, 3.5, 4.5), 2: Effect(0.5, MONEY, 0.25, 0.75)},
        ),
        (ALIKE, 1.0, True, {0: Effect(2.0, MONEY, 1.0, 3.0)}),
        (APART, 1.0, False, {0: Effect(2.0, MONEY, 1.0, 3.0)}),
        (UNKNOWN, 1.0, True, {0: Effect(2.0, MONEY)}),  # too small for any tier: an assumption
    ],
)
def test_an_experiment_replaces_every_assumed_effect_of_its_offer(
    tiers: tuple[Measured, ...], margin_rate: float, by_tier: bool, effects: dict[int, Effect]
) -> None:
    offer = Offer.parse("name=o,cost=1,effect=9%,capacity=5")
    found = with_measured_effects(offer, Experiment((WHOLE, *tiers), 60), margin_rate=margin_rate, by_tier=by_tier)
    assert dict(found.effects) == effects and found.capacity == 5 and found.measured == (tiers is not UNKNOWN)


def test_what_was_measured_in_some_tiers_is_no_measurement_of_others() -> None:
    """As it was seen: an offer tried on the two lowest tiers of four went to all customers as measured."""
    offer, everyone = Offer.parse("name=o,cost=1,effect=9%"), Measured(0, 80, 80, 2.0, 1.0, 3.0, 0.5)
    nobody = [Measured(1, 0, 0, None, None, None, None), Measured(2, 29, 90, None, None, None, None)]
    some = [Measured(3, 40, 40, 2.5, 1.0, 4.0, 0.5), Measured(4, 40, 40, 1.0, -0.5, 2.5, 0.5)]
    shown = Experiment((everyone, *nobody, *some), 60)
    people = customers().assign(tier=np.repeat([1, 2, 3, 4], 100))
    found = with_measured_effects(offer, shown)
    plan = make_plan(people, 4, [found], 1000.0)
    assert set(plan.customers["tier"]) == {3, 4} and set(plan.customers["evidence"]) == {"measured"}
    assert (plan.evidence.low, plan.evidence.high) == pytest.approx(
        (0.0, 400.0)
    )  # one figure: off for both tiers together
    names = ["Top", "High", "Middle", "Low"]
    said = all_warnings(plan, [found], names, Terms(90), {"o": shown})
    (one,) = [note for note in said if note.code == "warning.offer_untried"]
    assert one.params == {"offer": "o", "tiers": ["Top", "High"]} and "Top、High" in one.text("zh")
    carried = with_measured_effects(offer, shown, by_tier=False)
    plan = make_plan(people, 4, [carried], 1000.0)
    assert set(plan.customers["evidence"]) == {"assumed"} and plan.evidence.measured == 0
    assert "warning.offer_carried" in [
        note.code for note in all_warnings(plan, [carried], names, Terms(90), {"o": shown})
    ]
    assert Offer.parse(str(found)) == found  # as the report is told of it


def test_a_plan_that_an_even_spread_would_equal_says_so_and_another_does_not() -> None:
    said = []
    for effect in ("6(4;8)", "3%"):
        offer = Offer.parse(f"name=o,cost=1,effect={effect}")
        plan = make_plan(customers(), 2, [offer], 100.0)
        codes = [note.code for note in gain_warnings(plan, Terms(90))]
        assert ("warning.plan_even" in codes) == plan.even == (plan.gain_uniform >= plan.allocation.gain * (1 - 1e-9))
        said.append(plan.even)
    assert said == [True, False]


def test_a_budget_below_nothing_and_a_tier_that_is_not_there_are_refused() -> None:
    for budget in (-1.0, np.nan, np.inf):
        with pytest.raises(UsageError) as caught:
            allocate(np.ones((2, 1)), [1.0], np.inf, budget)
        assert caught.value.message("zh")
    with pytest.raises(UsageError) as caught:
        make_plan(customers(), 2, [Offer.parse("name=o,cost=1,effect=5%,tiers=3")], 10.0)
    assert caught.value.code == "offer_tier"
