"""Uplifts are those of a regression; looked at daily they fail as rarely as is said; two at a time are told apart."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import optimize, stats

from clv_core.strategy.campaigns.uplift import (
    EARLY_ERROR,
    SECONDARY_CONFIDENCE,
    assignment_covariates,
    early_uplift,
    is_confounded,
    mixture_half_width,
    planned_error,
    uplift,
)


def campaign(seed: int, customers: int = 2000, effect: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes with two covariates that explain most of them, and who got the list."""
    rng = np.random.default_rng(seed)
    known = rng.gamma(1, 10, (customers, 2))
    listed = rng.random(customers) < 0.8
    return known @ [0.5, 1.5] + rng.normal(0, 5, customers) + effect * listed, listed, known


def test_the_uplift_is_the_coefficient_of_a_regression_on_all_covariates() -> None:
    outcome, listed, known = campaign(1, effect=3.0)
    fitted = sm.OLS(outcome, np.column_stack([listed, np.ones(len(listed)), known])).fit()
    found = uplift(outcome, listed, known)
    assert found.effect == pytest.approx(fitted.params[0])
    assert found.error == pytest.approx(fitted.bse[0], rel=0.05)
    assert found.low == pytest.approx(fitted.conf_int(0.1)[0][0], rel=0.05)
    plain = uplift(outcome, listed, np.empty((len(listed), 0)))
    theirs = stats.ttest_ind(outcome[listed], outcome[~listed], equal_var=True).confidence_interval(0.9)
    assert plain.low == pytest.approx(theirs.low, rel=0.02)


@pytest.mark.parametrize("spread", [0.8, 1.0, 1.3])
def test_intervals_beside_a_small_control_group_of_skewed_amounts_hold_the_truth(spread: float) -> None:
    held = []
    for seed in range(500):
        rng = np.random.default_rng(seed)
        outcome = np.where(rng.random(1500) < 0.3, rng.lognormal(3, 1, 1500), 0.0)
        listed = np.arange(1500) < 1300
        mean = 0.3 * np.exp(3.5)
        found = uplift(np.where(listed, mean + spread * (outcome - mean), outcome), listed, np.empty((1500, 0)))
        held.append(found.low <= 0 <= found.high)
    assert 0.86 <= np.mean(held) <= 0.96


def test_secondary_outcomes_have_intervals_that_hold_together() -> None:
    outcome, listed, known = campaign(2)
    wide, usual = uplift(outcome, listed, known, SECONDARY_CONFIDENCE), uplift(outcome, listed, known)
    assert SECONDARY_CONFIDENCE == 0.95, "two at 5% are 10% together"
    share = (wide.high - wide.low) / (usual.high - usual.low)
    assert share == pytest.approx(stats.norm.ppf(0.975) / stats.norm.ppf(0.95), rel=0.01)


def test_the_band_is_narrowest_where_it_was_planned() -> None:
    def width(r: float) -> float:
        return float(np.sqrt((9 + r) * np.log((9 + r) / (r * 0.04**2))))

    best = optimize.minimize_scalar(width, bounds=(1e-3, 30), method="bounded")
    assert mixture_half_width(9, 9, 0.04) == pytest.approx(best.fun, rel=1e-6)
    assert mixture_half_width(9, 1, 0.04) > best.fun
    assert mixture_half_width(0, 0, 0.04) == 0


def test_a_random_walk_leaves_the_band_as_rarely_as_is_said() -> None:
    steps = np.random.default_rng(3).normal(size=(4000, 300)).cumsum(axis=1)
    band = np.array([mixture_half_width(day, 100, 0.1) for day in range(1, 301)])
    usual = 1.645 * np.sqrt(np.arange(1, 301))
    assert (np.abs(steps) > band).any(axis=1).mean() <= 0.1
    assert (np.abs(steps) > usual).any(axis=1).mean() > 0.4, "what daily looks at usual intervals do"


@pytest.mark.parametrize("between_customers", [0.0, 1.0])
def test_daily_looks_and_the_due_date_together_fail_within_the_bound(between_customers: float) -> None:
    failed_early = failed = failed_usual = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rate = np.exp(between_customers * rng.normal(size=(400, 1)))
        past, spent = (rng.poisson(0.1 * rate, (400, 30)) * rng.gamma(2, 10, (400, 30)) for _ in range(2))
        listed = rng.random(400) < 0.7
        total, known = spent.cumsum(axis=1), past.sum(axis=1)[:, None]
        planned = planned_error(known[:, 0], listed)
        looks = [early_uplift(total[:, day], listed, known, planned) for day in range(29)]
        usual = [uplift(total[:, day], listed, known) for day in range(30)]
        early = any(not look.low <= 0 <= look.high for look in looks)
        failed_early += early
        failed += early or not usual[-1].low <= 0 <= usual[-1].high
        failed_usual += any(not look.low <= 0 <= look.high for look in usual)
    assert failed_early <= 200 * EARLY_ERROR + 8  # two standard deviations more
    assert failed <= 200 * 0.14 + 8
    assert failed_usual > 200 * 0.2


def test_two_campaigns_of_one_time_are_told_apart() -> None:
    rng = np.random.default_rng(5)
    outcome, listed, known = campaign(5, 4000, effect=2.0)
    other = np.where(rng.random(4000) < 0.6, (rng.random(4000) < 0.5).astype(int), -1)
    outcome = outcome + 8.0 * (other == 1)
    covariates = np.column_stack([known, assignment_covariates([other], 4000)])
    assert not is_confounded(listed, other)
    apart, mixed = uplift(outcome, listed, covariates), uplift(outcome, listed, known)
    assert apart.low < 2 < apart.high
    assert apart.error < mixed.error, "what the other brought is no noise of this one"


def test_a_campaign_that_takes_only_the_list_of_another_is_confounded_with_it() -> None:
    rng = np.random.default_rng(6)
    _, listed, _ = campaign(6)
    other = np.where(listed, (rng.random(2000) < 0.8).astype(int), -1)
    assert is_confounded(listed, other)
    assert not is_confounded(listed, np.full(2000, -1)), "nobody is in it"
    by_chance = [
        is_confounded(listed, (np.random.default_rng(seed).random(2000) < 0.8).astype(int)) for seed in range(300)
    ]
    assert np.mean(by_chance) <= 0.03
