"""The chance of an order within any days, against BG/NBD, against draws of customers who leave, and in itself."""

from __future__ import annotations

import numpy as np
import pytest

from clv_core.btyd import BGNBD
from clv_core.collection.store.version_store import open_dataset
from clv_core.features.log import open_log
from clv_core.features.season import scoring_snapshot
from clv_core.model.horizon import PurchaseSurvival, by_luck
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(4)

COUNTS = BGNBD(r=0.7, alpha=60.0, a=0.8, b=2.5)
H = 182
DAYS = (1, 2, 7, 14, 30, 91, 150, 181, 182, 183, 250, 365, 730, 3650)


def buyers(n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frequency, recency and T."""
    rng = np.random.default_rng(1)
    frequency, age = rng.poisson(2, n).astype(float), rng.uniform(1, 900, n)
    return frequency, np.where(frequency > 0, age * rng.uniform(0.05, 1, n), 0.0), age


def times_of(frequency: np.ndarray, age: np.ndarray, horizon_days: float = H) -> PurchaseSurvival:
    return PurchaseSurvival(COUNTS.alpha + age, COUNTS.r + frequency, horizon_days)


@pytest.mark.parametrize("days", DAYS)
def test_what_bgnbd_says_of_one_horizon_becomes_what_it_says_of_another(days: int) -> None:
    frequency, recency, age = buyers()
    trained = COUNTS.p_purchase(H, frequency, recency, age)
    found = times_of(frequency, age).within(trained, days)
    np.testing.assert_allclose(found, COUNTS.p_purchase(days, frequency, recency, age), rtol=1e-9)


def test_as_many_customers_buy_within_any_days_as_is_said() -> None:
    """Customers who have left or not, with rates of their own, drawn: the world that the chances are of."""
    rng, n = np.random.default_rng(3), 40_000
    frequency, age = rng.poisson(2, n).astype(float), rng.uniform(30, 900, n)
    there = rng.random(n) < rng.beta(0.5, 0.5, n)
    rate = rng.gamma(COUNTS.r + frequency) / (COUNTS.alpha + age)
    first = np.where(there, rng.exponential(1 / rate), np.inf)
    surely = -np.expm1(-(COUNTS.r + frequency) * np.log1p(H / (COUNTS.alpha + age)))
    trained = 0.5 * surely
    times = times_of(frequency, age)
    for days in (14, 30, 91, 182, 365, 730):
        said = times.within(trained, days)
        error = np.sqrt((said * (1 - said)).sum())
        assert abs((first < days).sum() - said.sum()) < 4 * error
        if days != H:  # by luck alone they would be far too few before it, and too many after it
            assert abs((first < days).sum() - by_luck(trained, days / H).sum()) > 8 * error


@pytest.mark.parametrize("days", [14, 91, 400])
def test_it_is_one_law_from_whichever_horizon_it_is_seen(days: int) -> None:
    frequency, _, age = buyers()
    p = np.random.default_rng(2).uniform(0, 1, len(age))
    age[:20] = np.nan
    there = times_of(frequency, age).within(p, days)
    again = times_of(frequency, age, days)
    for other in (1, 30, 182, 730):
        np.testing.assert_allclose(again.within(there, other), times_of(frequency, age).within(p, other), rtol=1e-7)


def test_the_day_of_a_chance_is_where_it_is_reached() -> None:
    frequency, _, age = buyers()
    p = np.random.default_rng(5).uniform(0, 1, len(age))
    age[:20] = np.nan
    times = times_of(frequency, age)
    days = times.day_of(p, 0.5)
    for row in range(len(p)):
        if p[row] >= 0.5:
            assert days[row] <= H * (1 + 1e-9)
            assert times.within(p, float(days[row]))[row] == pytest.approx(0.5, rel=1e-6)
        else:
            assert days[row] > H


def test_each_customer_goes_by_the_anchor_of_the_own_cutoff(small_workspace: Workspace) -> None:
    log = open_log(open_dataset(small_workspace, "shop"))
    snapshot = scoring_snapshot(log, log.end, 90, max_steps=8)
    times = PurchaseSurvival.of(snapshot, 90)
    (anchor,) = snapshot.anchors.values()
    features = snapshot.features[["frequency", "recency", "T", "monetary_value"]]
    bought = features["T"].notna().to_numpy()
    assert (np.isnan(times.age) == ~bought).all()
    found = times.within(anchor.p_purchase(features, 90), 30)
    np.testing.assert_allclose(found[bought], anchor.p_purchase(features, 30)[bought], rtol=1e-9)
    np.testing.assert_allclose(times.within(np.full(len(bought), 0.75), 45)[~bought], 0.5)
