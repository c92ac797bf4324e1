"""What campaigns taught is what a meta-analysis says; lists go by it; the cheapest test detects what it is for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy
import statsmodels.formula.api as smf
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.power import NormalIndPower

from clv_core.strategy.campaigns import learned_effects as chapter
from clv_core.strategy.campaigns.learned_effects import (
    TierUplift,
    cheapest_test,
    crossed_effects,
    learned_effects,
    learned_trait_effects,
    random_effects,
    trait_of,
    traits_p_value,
    whom_next,
)

CELLS = pd.DataFrame(
    {"tier": list("1112233"), "trait": ["new", "active", "lapsed", "new", "active", "active", "lapsed"]}
)
"""Tiers and traits that were measured: not all of them."""


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


def test_a_customer_is_new_or_known_and_active_or_lapsed() -> None:
    found = trait_of([5, 90, 91, 400, 91], [True, False, True, False, False])
    assert found.tolist() == ["new", "new", "active", "lapsed", "lapsed"]


def test_effects_of_tiers_and_traits_are_those_of_the_mixed_model_equations(monkeypatch: pytest.MonkeyPatch) -> None:
    effect, error = np.array([3.0, 1.0, -2.0, 4.0, 0.5, 1.5, -1.0]), np.array([1.0, 0.5, 2.0, 1.0, 0.7, 1.2, 0.9])
    monkeypatch.setattr(chapter, "SPREADS", (0.8,))
    found, found_error = crossed_effects(effect, error, CELLS["tier"], CELLS["trait"])
    # Henderson's equations: the mean free, each tier, trait and cell a ridge of its variance.
    design = np.column_stack([np.ones(7), pd.get_dummies(CELLS["tier"]), pd.get_dummies(CELLS["trait"]), np.eye(7)])
    ridge = np.r_[0.0, np.full(design.shape[1] - 1, (0.8 * np.median(error)) ** -2)]
    inverse = np.linalg.inv(design.T @ (design / error[:, None] ** 2) + np.diag(ridge))
    assert found == pytest.approx(design @ (inverse @ (design.T @ (effect / error**2))))
    assert found_error == pytest.approx(np.sqrt(np.diag(design @ inverse @ design.T)))


def test_effects_of_tiers_and_traits_are_nearer_the_truth_and_their_intervals_hold_it() -> None:
    rng = np.random.default_rng(2)
    held, ours, theirs = [], 0.0, 0.0
    for _ in range(300):
        tier, trait = (rng.normal(0, 1, 3)[pd.factorize(CELLS[name])[0]] for name in ("tier", "trait"))
        truth, error = 2 + tier + trait, rng.uniform(0.5, 2, 7)
        measured = truth + error * rng.normal(size=7)
        found, found_error = crossed_effects(measured, error, CELLS["tier"], CELLS["trait"])
        held += (np.abs(found - truth) <= 1.645 * found_error).tolist()
        ours, theirs = ours + ((found - truth) ** 2).sum(), theirs + ((measured - truth) ** 2).sum()
    assert ours < 0.7 * theirs
    assert 0.87 <= np.mean(held) <= 0.93


def test_whether_traits_differ_is_what_a_regression_on_tiers_and_traits_says() -> None:
    effect, error = np.array([3.0, 1.0, -2.0, 4.0, 0.5, 1.5, -1.0]), np.array([1.0, 0.5, 2.0, 1.0, 0.7, 1.2, 0.9])
    rows = CELLS.assign(effect=effect)
    few, all_of_them = (
        smf.wls(text, rows, weights=error**-2.0).fit() for text in ("effect ~ tier", "effect ~ tier + trait")
    )
    statistic = few.ssr - all_of_them.ssr
    assert traits_p_value(effect, error, CELLS["tier"], CELLS["trait"]) == pytest.approx(
        scipy.stats.chi2.sf(statistic, 2)
    )
    assert traits_p_value([1.0, 5.0], [1.0, 1.0], ["1", "2"], ["new", "active"]) == 1, "tiers or traits: nobody knows"


def test_traits_count_only_where_they_differ_beyond_chance() -> None:
    def campaign(new: float, active: float) -> list[TierUplift]:
        return [
            replace(tier(number, effect, 2.0, value), trait=trait)
            for number, value in (("1", 200.0), ("2", 100.0))
            for trait, effect in (("new", new * value), ("active", active * value))
        ]

    assert learned_trait_effects([campaign(0.10, 0.11)]) == ()
    assert learned_trait_effects([campaign(0.3, -0.1)[:1]]) == learned_trait_effects([]) == ()
    found = learned_trait_effects([campaign(0.3, -0.1), campaign(0.3, -0.1)], margin_rate=0.5)
    assert [(cell.segment, cell.trait) for cell in found] == [
        ("1", "new"),
        ("1", "active"),
        ("2", "new"),
        ("2", "active"),
    ]
    assert [cell.effect.value for cell in found] == pytest.approx([30, -10, 15, -5], abs=1)
    assert {(cell.listed, cell.control) for cell in found} == {(1800, 200)}
    effects = learned_effects([[tier("1", 20.0, 1.0, 200.0), tier("2", 10.0, 1.0, 100.0)]], margin_rate=0.5)
    people = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "tier": [1, 1, 2, 2, 1],
            "trait": ["new", "active", "new", "active", "lapsed"],
            "predicted_clv": [9.0, 8.0, 7.0, 6.0, 5.0],
        }
    )
    listed = whom_next(people, effects, 0.5, by_trait=found)
    assert listed["customer_id"].tolist() == ["a", "c", "e"], "of lapsed ones only the tier is known"
    assert listed["expected_gain"].iloc[2] == pytest.approx(effects["1"].value - 0.5)


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
