"""Intervals of sums: against scipy, against simulated customers, and out of time on simulated logs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from clv_core.evaluation.levels import FIFTHS, SharedError, customer_variance, fifth_of, log_likelihood, sum_intervals
from tests.bench.sums import coverage, trials


def customers(n: int, seed: int, level: float = 1.0, sigma: float = 0.8) -> pd.DataFrame:
    """Zero-inflated lognormals whose mean and chance are known exactly; what came true is ``level`` times as much."""
    rng = np.random.default_rng(seed)
    p, mean = rng.uniform(0.05, 0.8, n), rng.lognormal(3, 0.8, n)
    value = np.where(rng.random(n) < p, mean / p * rng.lognormal(-(sigma**2) / 2, sigma, n), 0.0)
    return pd.DataFrame({"p_purchase": p, "predicted_clv": mean, "actual": level * value})


def certain(s: float, g: float, dispersion: float = 2.0) -> SharedError:
    """Both spreads known."""
    return SharedError(np.array([s**2]), np.full((1, FIFTHS), g**2), np.ones(1), dispersion, 1)


def width(now: pd.DataFrame, past: list[pd.DataFrame], fifth: int | None = None) -> float:
    """Return how wide the interval of a fifth's sum, or of all, is in logarithms, after what came of ``past``."""
    shared = SharedError.of(past)
    assert shared is not None and shared.origins == len(past)
    part = np.zeros(len(now)) if fifth is None else np.where(fifth_of(now["predicted_clv"].to_numpy()) == fifth, 0, -1)
    found = sum_intervals(now, part, 1, shared)
    return float(np.log(found.high[0] / found.low[0]))


def test_the_likelihood_is_that_of_a_normal_distribution() -> None:
    rng = np.random.default_rng(0)
    misses, luck, squared = rng.normal(0, 0.3, 5), rng.uniform(0.001, 0.1, 5), rng.uniform(0.001, 0.5, (40, 6))
    luck[2] = np.inf  # a fifth that says nothing
    known = [0, 1, 3, 4]
    covariances = [np.diag((luck + row[1:])[known]) + row[0] for row in squared]
    expected = np.array([stats.multivariate_normal.logpdf(misses[known], cov=cov) for cov in covariances])
    found = log_likelihood(misses, luck, squared)
    np.testing.assert_allclose(found - found[3], expected - expected[3], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("g", [0.05, 0.3, 1.2])
def test_with_known_spreads_the_interval_is_that_of_simulated_errors(g: float) -> None:
    """A fifth that may be far off lifts the upper end further than it lowers the lower one."""
    scored = customers(500, 1)
    own = np.array([1.0, 1.0, 1.0, 1.0, 0.2]) * g
    shared = SharedError(np.array([0.2**2]), own[None] ** 2, np.ones(1), 2.0, 1)
    found = sum_intervals(scored, np.zeros(500), 1, shared)
    total = scored["predicted_clv"].sum()
    luck = np.log1p(customer_variance(scored, 2.0).sum() / total**2)
    parts = scored["predicted_clv"].groupby(fifth_of(scored["predicted_clv"].to_numpy())).sum().to_numpy()
    rng = np.random.default_rng(5)
    off = parts @ np.exp(own[:, None] * rng.standard_normal((FIFTHS, 400_000)))
    off *= np.exp(rng.normal(-luck / 2, np.sqrt(luck + 0.2**2), 400_000))
    assert [found.low[0], found.high[0]] == pytest.approx(np.quantile(off, [0.1, 0.9]), rel=0.005)
    assert found.value[0] == pytest.approx(total)


def test_of_equal_customers_who_share_one_error_the_interval_is_a_lognormal_s() -> None:
    scored = pd.DataFrame({"p_purchase": 0.5, "predicted_clv": np.full(500, 3.0)})
    found = sum_intervals(scored, np.zeros(500), 1, certain(0.2, 0.3))
    luck = np.log1p(customer_variance(scored, 2.0).sum() / 1500**2)
    ends = stats.lognorm.ppf([0.1, 0.9], np.sqrt(luck + 0.2**2 + 0.3**2), scale=1500 * np.exp(-luck / 2))
    assert [found.low[0], found.high[0]] == pytest.approx(ends, rel=1e-3)


def test_without_shared_errors_the_interval_is_that_of_independent_customers() -> None:
    sigma, n = 0.8, 400
    scored = customers(n, 2, sigma=sigma)
    shared = certain(0, 0, dispersion=float(np.exp(sigma**2)))
    found = sum_intervals(scored, np.zeros(n), 1, shared)
    rng = np.random.default_rng(3)
    p, mean = scored["p_purchase"].to_numpy(), scored["predicted_clv"].to_numpy()
    bought = rng.random((4000, n)) < p
    sums = np.where(bought, mean / p * rng.lognormal(-(sigma**2) / 2, sigma, (4000, n)), 0.0).sum(axis=1)
    low, high = np.quantile(sums, [0.1, 0.9])
    assert found.low[0] == pytest.approx(low, rel=0.03) and found.high[0] == pytest.approx(high, rel=0.03)


def test_the_dispersion_of_lognormal_buyers_is_found() -> None:
    found = SharedError.of([customers(40_000, seed, level=1.3, sigma=0.7) for seed in range(6)])
    assert found is not None and found.dispersion == pytest.approx(np.exp(0.7**2), rel=0.06)


def test_worse_misses_widen_and_more_origins_narrow() -> None:
    now = customers(20_000, 6)

    def after(*levels: float) -> float:
        return width(now, [customers(20_000, 7 + number, level) for number, level in enumerate(levels)])

    assert after(1.0) < after(1.2) < after(1.5) < after(3.0)
    assert after(1.0) > 1.3 * after(1.0, 1.02, 0.98, 1.0)
    assert after(1.3) == pytest.approx(after(1 / 1.3), rel=0.3)  # the direction of a miss does not count


def test_the_luck_of_few_customers_is_not_taken_for_errors_that_all_share() -> None:
    """A sum of twenty customers is off by half on the log scale, most often downwards, at a level that is right."""
    now, past = customers(20_000, 1), [customers(100, 100 + seed, sigma=1.0) for seed in range(20)]
    misses = [np.log(max(frame["actual"].sum(), 1) / frame["predicted_clv"].sum()) for frame in past]
    assert np.mean(misses) < -0.05
    assert width(now, past) < 0.35


def test_fifths_that_hold_next_to_nothing_do_not_widen_the_total() -> None:
    """Their own sums become unsure; the total, which they hardly touch, does not."""
    now, past = customers(20_000, 21), customers(20_000, 22)
    lowest, low = (fifth_of(frame["predicted_clv"].to_numpy()) == 0 for frame in (now, past))
    now["predicted_clv"] = now["predicted_clv"].mask(lowest, now["predicted_clv"] / 100)
    past["predicted_clv"] = past["predicted_clv"].mask(low, past["predicted_clv"] / 100)
    off = past.assign(actual=past["actual"].mask(low, past["actual"] / 10))
    right = past.assign(actual=past["actual"].mask(low, past["actual"] / 100))
    assert width(now, [off] * 3) < 1.3 * width(now, [right] * 3)
    assert width(now, [off] * 3, 0) > 3 * width(now, [right] * 3, 0)


def test_one_origin_whose_lower_fifths_were_off_alike_says_little_of_the_total() -> None:
    """Three fifths that hold 4% of the value came to six times as much: that is their own error, not the level's."""
    now, past = customers(3000, 31), customers(3000, 32)
    small, low = (fifth_of(frame["predicted_clv"].to_numpy()) < 3 for frame in (now, past))
    right = past.assign(actual=past["actual"].mask(low, past["actual"] / past["predicted_clv"] * 0.4))
    now, right = (
        frame.assign(predicted_clv=frame["predicted_clv"].mask(rows, 0.4))
        for frame, rows in ((now, small), (right, low))
    )
    off = right.assign(actual=right["actual"].mask(low, 6 * right["actual"]))
    assert off["actual"].sum() < 1.3 * right["actual"].sum()
    assert width(now, [off]) < 1.5 * width(now, [right]) < 1


def test_a_total_is_surer_than_its_parts_and_not_their_sum() -> None:
    scored = customers(3000, 9)
    shared = SharedError.of([customers(3000, 10)])
    assert shared is not None
    parts = sum_intervals(scored, np.arange(3000) % 30, 30, shared)
    whole = sum_intervals(scored, np.zeros(3000), 1, shared)
    assert whole.value[0] == pytest.approx(parts.value.sum())
    assert (whole.high[0] - whole.low[0]) < 0.8 * (parts.high - parts.low).sum()
    assert (parts.low <= parts.value).all() and (parts.high >= parts.value).all()


def test_nobody_and_few_customers() -> None:
    scored = customers(100, 11).assign(p_purchase=0.05)
    where = np.full(100, -1)
    where[:3], where[3:] = 0, 1
    shared = certain(0.1, 0.1)
    found = sum_intervals(scored, where, 3, shared)
    assert found.low[0] == 0 and found.high[0] > 0 and found.low[1] > 0
    assert (found.value[2], found.low[2], found.high[2]) == (0, 0, 0)
    rest = sum_intervals(scored, np.where(where == 1, 0, -1), 1, shared)
    assert (rest.low[0], rest.high[0]) == pytest.approx((found.low[1], found.high[1]), rel=1e-9)


def test_without_anything_to_learn_from_nothing_is_claimed() -> None:
    nothing = customers(50, 12).assign(actual=0.0)
    assert SharedError.of([]) is None and SharedError.of([nothing, nothing[:0]]) is None


@pytest.mark.parametrize("distinct", [1, 2, 3, 7, 10, 10_000])
def test_a_fifth_goes_by_the_mean_rank_among_equals(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    for size in [*range(60), 997, 1000]:
        predicted = rng.integers(0, distinct, size) / 7
        by_rank = np.ceil(FIFTHS * pd.Series(predicted).rank(pct=True).to_numpy() - 1e-9).astype(int) - 1
        assert fifth_of(predicted).tolist() == by_rank.tolist()


@pytest.mark.slow
def test_out_of_time_on_simulated_logs_four_in_five_sums_are_inside(tmp_path: Path) -> None:
    """Seeds 31 to 34, 1,000 customers, fifths by predicted value; the intervals know two earlier origins."""
    sums = trials(tmp_path, range(31, 35), customers=1000)
    found = coverage(sums[sums["known"] == 2])
    assert found["sums"] == 20
    assert 0.7 <= found["covered"] <= 0.95
    assert found["covered_without_shared_error"] < found["covered"]
