"""What campaigns taught is what a meta-analysis says; lists go by it; the cheapest test detects what it is for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.power import NormalIndPower

from clv_core.strategy.campaigns.learned_effects import (
    TierUplift,
    cheapest_test,
    learned_effects,
    random_effects,
    whom_next,
)


def tier(segment: str, effect: float, error: float = 1.0, predicted: float = 100.0, control: int = 100) -> TierUplift:
    return TierUplift(segment, 900, control, effect, error, predicted)


@pytest.mark.parametrize("effect", [[1.0, 4.0, 9.0], [-3.0, 3.0, 2.0]])
def test_effects_together_are_those_of_dersimonian_and_laird(effect: list[float]) -> None:
    error = np.array([1.0, 0.5, 2.0])
    found, theirs = random_effects(effect, error), combine_effects(np.array(effect), error**2, method_re="chi2")
    assert found.between**2 == pytest.approx(theirs.tau2)
    assert found.mean == pytest.approx(theirs.mean_effect_re)
    assert found.error == pytest.approx(theirs.sd_eff_w_re)


def test_effects_that_chance_explains_are_one() -> None:
    found = random_effects([2.0, 2.1, 1.9], [1.0, 0.5, 2.0])
    mean = np.average([2.0, 2.1, 1.9], weights=[1.0, 4.0, 0.25])
    assert (found.between, found.effect.tolist()) == (0, pytest.approx([mean] * 3))
    assert found.effect_error == pytest.approx([5.25**-0.5] * 3)
    one = random_effects([5.0], [1.0])
    assert (one.mean, one.error, one.between) == (5.0, 1.0, 0.0)


def test_shrunken_effects_are_nearer_the_truth_than_measured_ones() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(3, 1, (500, 5))
    error = np.full(5, 1.5)
    measured = truth + error * rng.normal(size=truth.shape)
    shrunk = [random_effects(row, error) for row in measured]
    ours = np.array([one.effect for one in shrunk])
    assert ((ours - truth) ** 2).mean() < 0.6 * ((measured - truth) ** 2).mean()
    inside = np.abs(ours - truth) <= 1.645 * np.array([one.effect_error for one in shrunk])
    assert inside.mean() > 0.8, "five tiers say little of how much tiers differ"


def test_tiers_that_differ_by_chance_alone_have_one_share_of_their_value() -> None:
    campaign = [tier("1", 21.0, 4.0, 200.0), tier("2", 9.5, 2.0, 100.0), tier("3", 1.0, 0.4, 10.0)]
    found = learned_effects([campaign], margin_rate=0.5)
    shares = [found[name].value / (0.5 * value) for name, value in (("1", 200), ("2", 100), ("3", 10))]
    assert shares == pytest.approx([shares[0]] * 3)
    assert shares[0] == pytest.approx(np.average([0.105, 0.095, 0.1], weights=[50**2, 50**2, 25**2]))


def test_a_tier_that_surely_differs_keeps_its_own_effect() -> None:
    campaign = [tier("1", -20.0, 1.0, 200.0), tier("2", 30.0, 1.0, 100.0), tier("3", 1.0, 0.2, 10.0)]
    found = learned_effects([campaign, campaign])
    assert found["1"].value == pytest.approx(-20, abs=0.5)
    assert found["2"].value == pytest.approx(30, abs=0.5)
    low, high = found["2"].low, found["2"].high
    assert low is not None and high is not None and high - low == pytest.approx(2 * 1.645 / 2**0.5, rel=0.05)


def test_groups_that_are_too_small_teach_nothing() -> None:
    assert learned_effects([[tier("1", 5.0, control=29)]]) == {}
    assert learned_effects([]) == {}


def test_the_next_list_goes_by_what_it_brings_and_then_by_value() -> None:
    effects = learned_effects([[tier("1", -20.0, 0.1), tier("2", 30.0, 0.1), tier("3", 1.0, 0.1)]])
    people = pd.DataFrame(
        {"customer_id": list("abcde"), "tier": [1, 2, 2, 3, 4], "predicted_clv": [9.0, 7.0, 8.0, 2.0, 1.0]}
    )
    found = whom_next(people, effects, cost=0.5)
    assert found["customer_id"].tolist() == ["c", "b", "d"], "tier 1 loses, of tier 4 nothing is known"
    assert found["expected_gain"].tolist() == pytest.approx([29.5, 29.5, 0.5], abs=0.1)
    assert whom_next(people, effects, 0.5, most=1)["customer_id"].tolist() == ["c"]
    assert whom_next(people, effects, cost=100.0).empty


@pytest.mark.parametrize("customers", [2000, 20_000])
def test_the_cheapest_test_has_the_power_that_is_asked(customers: int) -> None:
    test = cheapest_test("2", customers, std=40.0, cost=2.0, margin_rate=0.4)
    assert test is not None and test.effect == pytest.approx(5.0)
    power = NormalIndPower().power(5.0 / 40.0, test.listed, 0.1, ratio=test.control / test.listed)
    assert power == pytest.approx(0.8, abs=0.005)
    fewer = NormalIndPower().power(5.0 / 40.0, test.listed - 5, 0.1, ratio=(test.control + 5) / (test.listed - 5))
    assert fewer < 0.8
    assert (test.listed + test.control, test.cost) == (customers, 2.0 * test.listed)


def test_a_tier_with_too_few_customers_has_no_test() -> None:
    assert cheapest_test("1", 500, std=40.0, cost=2.0, margin_rate=0.4) is None
