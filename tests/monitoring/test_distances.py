"""How far a chunk may differ: held against random draws, scipy, and the formulas' sources."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import stats

from clv_core.monitoring.drift.distances import (
    by_chance,
    dispersion,
    forecast,
    ks,
    ks_chance,
    ks_limit,
    psi,
    psi_chance,
    psi_limit,
)
from clv_core.monitoring.drift.periods import MONTH, WEEK, period_start, periods_after, periods_before, periods_in


@pytest.mark.examples(2)
@pytest.mark.parametrize("chunks", [6, 12, 52])
def test_a_series_that_only_varies_by_chance_is_beyond_its_limits_as_often_as_asked(chunks: int) -> None:
    random = np.random.default_rng(chunks)
    beyond = []
    for _ in range(1500):
        y = random.normal(5, 0.3, chunks + 2)
        variance = np.full(chunks, 0.09)
        coming = forecast(y[:chunks], variance, np.array([0, 1]), np.full(2, 0.09))
        low, high = coming.limits(0.05)
        outside = (y[chunks:] < low) | (y[chunks:] > high)
        assert np.array_equal(outside, coming.p_value(y[chunks:]) < 0.05)
        beyond.append(outside.mean())
    assert 0.005 < np.mean(beyond) < 0.055


def test_a_series_that_varies_more_than_by_counting_has_wider_limits_and_few_false_alarms() -> None:
    random = np.random.default_rng(1)
    beyond = []
    for _ in range(1500):
        y = random.normal(0, 0.3, 13)
        coming = forecast(y[:12], np.full(12, 0.01), np.array([0]), np.full(1, 0.01))
        beyond.append(coming.p_value(y[12:])[0] < 0.05)
    assert np.mean(beyond) < 0.08


def test_limits_widen_with_the_distance_of_a_series_that_wanders() -> None:
    y = np.cumsum(np.random.default_rng(2).normal(0, 1, 40))
    spread = forecast(y, np.full(40, 0.01), np.arange(60), np.full(60, 0.01)).scale
    assert (np.diff(spread) >= 0).all() and spread[30] > 1.3 * spread[0] and spread[59] > spread[40]


def test_the_stability_index_is_its_formula_and_chi_squared_by_chance() -> None:
    found, usual = np.array([30.0, 50, 20]), np.array([400.0, 400, 200])
    p, q = (found + 0.5) / 101.5, (usual + 0.5) / 1001.5
    assert psi(found, usual) == pytest.approx(float(((p - q) * np.log(p / q)).sum()))
    random = np.random.default_rng(3)
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    draws = [(random.multinomial(2000, shares), random.multinomial(9000, shares)) for _ in range(4000)]
    indices = np.array([psi(one.astype(float), other.astype(float)) for one, other in draws])
    one, other = (part.astype(float) for part in draws[0])
    assert indices.mean() == pytest.approx(by_chance(one, other), rel=0.05)
    limit = psi_limit(0.01, one, other, 1.0)
    assert psi_chance(limit, one, other, 1.0) == pytest.approx(0.01)
    assert (indices > limit).mean() == pytest.approx(0.01, abs=0.005)


def test_the_distance_of_distributions_is_scipys_and_its_limit_that_of_kolmogorov() -> None:
    random = np.random.default_rng(4)
    one, other = random.normal(size=400), random.normal(0.2, 1, size=3000)
    distance, scaled = ks(one, other)
    reference = stats.ks_2samp(one, other, method="asymp")
    assert distance == pytest.approx(reference.statistic)
    assert ks_chance(scaled, 1.0) == pytest.approx(reference.pvalue, rel=0.1)
    assert ks_chance(scaled, 4.0) > ks_chance(scaled, 1.0)
    limit = ks_limit(0.001, 400, 3000, 2.0)
    assert ks_chance(limit * np.sqrt(400 * 3000 / 3400), 2.0) == pytest.approx(0.001)


def test_a_dispersion_is_at_least_one_and_more_where_few_chunks_tell_it() -> None:
    assert dispersion(np.full(100, 0.5)) >= 1
    assert dispersion(np.full(5, 2.0)) > dispersion(np.full(50, 2.0)) > 2


def test_chunks_meet_at_the_cutoff_and_months_keep_its_day() -> None:
    cutoff = date(1997, 10, 31)
    before, after = periods_before(cutoff, MONTH, date(1997, 1, 1)), periods_after(cutoff, MONTH, date(1998, 4, 1))
    assert [chunk.begin.isoformat() for chunk in after] == [
        "1997-10-31", "1997-11-30", "1997-12-31", "1998-01-31", "1998-02-28",
    ]  # fmt: skip
    assert after[-1].end == date(1998, 3, 31) and before[-1].end == cutoff and before[0].begin >= date(1997, 1, 1)
    both = [*before, *after]
    assert all(
        one.end == other.begin and one.number + 1 == other.number for one, other in zip(both, both[1:], strict=False)
    )
    assert period_start(cutoff, WEEK, -2) == date(1997, 10, 17)
    assert [periods_in(WEEK, 182), periods_in(MONTH, 182), periods_in(MONTH, 7)] == [26, 6, 1]
