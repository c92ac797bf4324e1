"""What is said of the next order of drawn customers, regular ones and those of chance, against when it came."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv_core.btyd.bgnbd import BGNBD
from clv_core.i18n import translate
from clv_core.strategy.customer.next_order import NextOrder, Rhythm, Timeline, next_order

pytestmark = pytest.mark.first(2)

CUTOFF = date(2024, 1, 1)
HORIZON = 182
COUNTS = BGNBD(r=2.0, alpha=60.0, a=0.5, b=3.0)
RHYTHM = Rhythm(COUNTS)
LEFT = 0.1


def said_of(ages: list[int], chance: float, horizon_days: int = HORIZON) -> NextOrder:
    """Return what is said of somebody who bought so many days before the cutoff."""
    days = pd.to_datetime([CUTOFF - timedelta(days=age) for age in sorted(ages, reverse=True)])
    history = Timeline(pd.DataFrame({"day": days, "purchased": True}), pd.DataFrame())
    return next_order(history, chance, horizon_days, CUTOFF, RHYTHM)


def shares(found: list[NextOrder], came: list[int | None]) -> list[float]:
    """Return how often an order had come by the early, the expected and the late day."""
    held = []
    for name in ("early", "expected", "late"):
        days = [(getattr(one, name) - CUTOFF).days for one in found]
        held.append(float(np.mean([at is not None and at <= day for at, day in zip(came, days, strict=True)])))
    return held


def regular(people: int) -> tuple[list[NextOrder], list[int | None]]:
    """Return what is said of customers who order every so many days, give or take, and when they did; a few left."""
    rng = np.random.default_rng(7)
    found, came = [], []
    for _ in range(people):
        usual = rng.uniform(20, 60)
        gaps = np.maximum(1, rng.normal(usual, 0.1 * usual, rng.integers(5, 11)).round()).astype(int)
        since = int(rng.integers(0, gaps[-1])) + 1
        if since > gaps[-1]:
            continue
        ages = [since, *(since + np.cumsum(gaps[-2::-1])).tolist()]
        said = said_of(ages, 1 - LEFT)
        if said.regular:
            found.append(said)
            came.append(None if rng.random() < LEFT else int(gaps[-1]) - since)
    return found, came


@pytest.mark.slow
def test_orders_of_regular_customers_come_when_it_is_said() -> None:
    found, came = regular(3000)
    assert len(found) > 2000
    assert shares(found, came) == pytest.approx([0.25, 0.5, 0.75], abs=0.05)
    off = [abs((one.expected - CUTOFF).days - at) for one, at in zip(found, came, strict=True) if at is not None]
    assert np.median(off) <= 3  # the pauses themselves differ by four days, one with the other


@pytest.mark.slow
def test_orders_of_customers_of_chance_come_when_it_is_said_and_few_of_them_look_regular() -> None:
    rng = np.random.default_rng(8)
    found, came, looked, people = [], [], 0, 3000
    for _ in range(people):
        age = int(rng.integers(150, 600))
        rate = rng.gamma(COUNTS.r) / COUNTS.alpha
        at = np.unique(np.append(np.arange(age)[rng.random(age) < rate], age)).tolist()
        ages = [max(1, day) for day in at]
        whole = -np.expm1(-(COUNTS.r + len(ages) - 1) * np.log1p(HORIZON / (COUNTS.alpha + age)))
        said = said_of(sorted(set(ages)), 0.9 * float(whole))
        looked += said.regular
        if said.late is not None and not said.regular:
            found.append(said)
            first = int(rng.geometric(-np.expm1(-rate))) - 1
            came.append(None if rng.random() < LEFT else first)
    assert len(found) > 1000 and looked < 0.015 * people
    assert shares(found, came) == pytest.approx([0.25, 0.5, 0.75], abs=0.05)


def test_the_next_order_of_a_regular_customer_is_a_pause_after_the_last() -> None:
    found = said_of([12, 42, 72, 102, 132, 162], 0.95)
    assert found.regular and found.expected == CUTOFF + timedelta(days=18)
    assert found.early is not None and found.late is not None
    assert found.early >= CUTOFF + timedelta(days=17) and found.late <= CUTOFF + timedelta(days=19)
    about = {"gap": 30.0, "expected": str(found.expected), "early": str(found.early), "late": str(found.late)}
    for language in ("en", "zh"):
        assert found.message().text(language) == translate("card.next.regular.surer", language, **about)
        assert "30" in found.message().text(language)
    assert found.to_json()["regular"] is True
    assert said_of([12, 42, 72, 102, 132, 162], 0.6).message().code == "card.next.regular"


@pytest.mark.parametrize(
    ("ages", "horizon_days", "why"),
    [
        ([12, 42, 72, 102], HORIZON, "three pauses are few"),
        ([12, 42, 112, 122, 172, 182], HORIZON, "pauses differ"),
        ([60, 90, 120, 150, 180, 210], HORIZON, "long overdue"),
        ([2, 32, 62, 92, 122, 152], 14, "due after the horizon"),
    ],
)
def test_nobody_else_is_called_regular(ages: list[int], horizon_days: int, why: str) -> None:
    found = said_of(ages, 0.9, horizon_days)
    assert not found.regular, why
    assert found.message().code == "card.next.surer"
