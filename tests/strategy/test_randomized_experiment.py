"""Drawn groups stay, are by chance, and show the effects that they are said to show."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.power import NormalIndPower

from clv_core.errors import UsageError
from clv_core.strategy.experiments.randomized_experiment import (
    assign_groups,
    detectable_effect,
    in_control_group,
    read_experiment,
    required_sample_size,
    residual_std,
)
from clv_core.strategy.experiments.treatment_effect import difference

IDS = [f"C{number:05d}" for number in range(20_000)]


def test_a_customer_stays_in_its_group_whoever_else_is_in_the_list() -> None:
    whole = pd.Series(in_control_group(IDS, 0.2, "voucher"), index=IDS)
    some = IDS[5000:100:-7]
    assert (in_control_group(some, 0.2, "voucher") == whole[some]).all()
    marks = [int(hashlib.sha256(f"voucher\n{one}".encode()).hexdigest()[:13], 16) for one in IDS]
    assert whole.tolist() == [mark < 0.2 * 16**13 for mark in marks]
    wider = pd.Series(in_control_group(IDS, 0.3, "voucher"), index=IDS)
    assert wider[whole].all(), "a larger share only adds to the group"


def test_groups_are_as_large_as_asked_and_draws_have_nothing_to_do_with_each_other() -> None:
    first, second = in_control_group(IDS, 0.2, "voucher 2025-01-01"), in_control_group(IDS, 0.2, "voucher 2025-02-01")
    assert stats.binomtest(int(first.sum()), len(IDS), 0.2).pvalue > 0.01
    assert stats.chi2_contingency(pd.crosstab(first, second))[1] > 0.01
    number = np.arange(len(IDS))
    assert stats.ks_2samp(number[first], number[~first]).pvalue > 0.01


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 20.0])
def test_a_share_that_leaves_no_group_is_refused(share: float) -> None:
    with pytest.raises(UsageError):
        in_control_group(IDS, share, "voucher")


def test_the_file_is_the_one_that_is_read_afterwards(tmp_path: Path) -> None:
    drawn = assign_groups(pd.Series(IDS[:500]), 0.2, "voucher", "2025-01-02")
    drawn.to_csv(tmp_path / "groups.csv", index=False, encoding="utf-8-sig")
    again = read_experiment(tmp_path / "groups.csv")
    assert again["customer_id"].tolist() == IDS[:500]
    assert (again["treated"] == (drawn["group"] == "offer")).all()
    assert set(again["date"].dt.strftime("%Y-%m-%d")) == {"2025-01-02"}


@pytest.mark.parametrize(("treated", "control"), [(400, 100), (1000, 1000), (90, 30)])
def test_the_smallest_effect_is_that_of_statsmodels(treated: int, control: int) -> None:
    theirs = NormalIndPower().solve_power(nobs1=treated, ratio=control / treated, alpha=0.1, power=0.8)
    assert detectable_effect(treated, control, 7.0) == pytest.approx(7.0 * theirs, rel=1e-3)
    needed = required_sample_size(7.0 * theirs, 7.0, control / (treated + control))
    assert needed == pytest.approx(treated + control, abs=1 + 2e-3 * needed)


def test_it_is_shown_four_times_in_five() -> None:
    rng = np.random.default_rng(4)
    known = rng.gamma(2, 10, (600, 500))
    treated = np.broadcast_to(np.arange(500) < 400, known.shape)
    outcome = 0.8 * known + rng.normal(0, 12, known.shape)
    tier = np.ones(500, int)
    spread = residual_std(outcome[0], known[0], tier, tier)
    assert spread == pytest.approx(12, rel=0.1)
    found = difference(outcome + detectable_effect(400, 100, 12.0) * treated, treated, known)
    assert 0.75 <= (found.low > 0).mean() <= 0.85


def test_what_is_left_counts_tiers_as_the_list_has_them() -> None:
    rng = np.random.default_rng(5)
    tier = np.repeat([1, 2], [1000, 4000])
    outcome = rng.normal(0, np.where(tier == 1, 50.0, 2.0))
    known = np.zeros(5000)
    assert residual_std(outcome, known, tier, np.ones(30, int)) == pytest.approx(outcome[:1000].std())
    both = residual_std(outcome, known, tier, np.array([1, 2, 2, 2]))
    assert both == pytest.approx(np.sqrt((outcome[:1000].var() + 3 * outcome[1000:].var()) / 4))
    assert np.isnan(residual_std(outcome, known, tier, np.array([3])))
