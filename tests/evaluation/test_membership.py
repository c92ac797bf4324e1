"""What losses tell of who was in a training, against scipy, a bootstrap and counting."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from clv_core.evaluation.membership import Memory


@pytest.mark.parametrize(("shift", "tied"), [(0.0, False), (0.4, False), (1.0, True)])
def test_the_area_is_that_of_mann_and_whitney_and_its_interval_that_of_a_bootstrap(shift: float, tied: bool) -> None:
    rng = np.random.default_rng(7)
    members, others = rng.normal(0, 1, 500), rng.normal(shift, 1.5, 180)
    if tied:
        members, others = members.round(), others.round()
    found = Memory.of(members, others)
    assert found.auc == pytest.approx(1 - stats.mannwhitneyu(members, others).statistic / (500 * 180))
    areas = []
    for _ in range(1000):
        one, two = rng.choice(members, 500), rng.choice(others, 180)
        areas.append(1 - stats.mannwhitneyu(one, two).statistic / (500 * 180))
    assert (found.low, found.high) == pytest.approx(np.quantile(areas, [0.025, 0.975]), abs=0.01)


def test_the_interval_holds_the_true_area_nineteen_times_in_twenty() -> None:
    rng, holds = np.random.default_rng(1), 0
    true = stats.norm.cdf(0.5 / np.sqrt(2))  # of normals half a standard deviation apart
    for _ in range(400):
        found = Memory.of(rng.normal(0, 1, 300), rng.normal(0.5, 1, 100))
        holds += found.low <= true <= found.high
    assert holds / 400 == pytest.approx(0.95, abs=0.035)


def test_members_are_found_below_the_loss_that_one_other_in_a_hundred_reaches() -> None:
    others = np.arange(200.0)
    assert Memory.of(np.array([0.0, 1.0, 1.5, 2.0, 3.0]), others).tpr_at_1pct == 0.6
    assert Memory.of(np.array([5.0, 1.0]), others[:99]).tpr_at_1pct is None
    assert Memory.of(np.full(50, -1.0), others).tpr_at_1pct == 1.0


@pytest.mark.parametrize(("shift", "outcome"), [(0.0, "none"), (0.25, "some"), (2.0, "clear")])
def test_what_is_said_follows_the_interval(shift: float, outcome: str) -> None:
    rng = np.random.default_rng(3)
    found = Memory.of(rng.normal(0, 1, 2000), rng.normal(shift, 1, 1000))
    assert found.outcome == outcome and 0 <= found.low <= found.auc <= found.high <= 1
