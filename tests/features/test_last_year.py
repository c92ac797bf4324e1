"""What the year before a cutoff tells of the calendar, held against shops whose calendar is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv_core.features.last_year import EVEN, PART_DAYS, PARTS, YEAR_DAYS, LastYear
from clv_core.features.log import EventLog
from clv_core.features.season import last_year

Opener = Callable[..., EventLog]
BEGIN = date(2021, 1, 1)
CUTOFF = BEGIN + timedelta(days=3 * YEAR_DAYS)


def busy(day: np.ndarray, depth: float) -> np.ndarray:
    """The pace of a shop in the course of a year: quiet in its first half after a cutoff, busy in the second."""
    return 1 - depth * np.sin(2 * np.pi * day / YEAR_DAYS)


def shop(depth: float, last: date = CUTOFF, customers: int = 900) -> pd.DataFrame:
    """Customers who buy by luck, ten times a year, as the calendar says; all are there from the first weeks on."""
    draw, days = np.random.default_rng(11), (last - BEGIN).days
    rate = draw.gamma(2, 1, (customers, 1)) / 2 * 10 / YEAR_DAYS
    bought = draw.uniform(size=(customers, days)) < rate * busy(np.arange(days), depth)
    bought[:, 0] = True
    who, day = np.nonzero(bought)
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:04}" for number in who],
            "event_time": pd.Timestamp(BEGIN) + pd.to_timedelta(day, unit="D") + pd.Timedelta("10h"),
            "event_type": "purchase",
            "amount": draw.gamma(3, 10, len(who)).round(2),
        }
    )


@pytest.mark.parametrize("depth", [0.0, 0.6])
def test_the_pace_is_half_the_way_to_what_the_calendar_does(opened: Opener, depth: float) -> None:
    told = last_year(opened(shop(depth)), CUTOFF, 182)
    true = busy(np.arange(YEAR_DAYS), depth).reshape(PARTS, PART_DAYS).mean(1)
    np.testing.assert_allclose(np.log(told.pace), 0.5 * np.log(true), atol=0.06)


def test_a_part_of_the_horizon_comes_nearer_to_what_truly_comes_in_it(opened: Opener) -> None:
    told = last_year(opened(shop(0.6)), CUTOFF, 182)
    for days in (30, 60, 300):
        true = busy(np.arange(days), 0.6).sum() / busy(np.arange(182), 0.6).sum()
        even, paced = days / 182, told.even_days(days, 182) / 182
        assert abs(np.log(paced / true)) < 0.7 * abs(np.log(even / true))


def test_even_days_never_fall_keep_the_whole_and_go_round_with_the_year() -> None:
    draw = np.random.default_rng(2)
    for _ in range(20):
        told = LastYear(pace=tuple(draw.lognormal(0, 0.6, PARTS)))
        whole = int(draw.integers(20, 500))
        days = np.arange(0, 1100)
        passed = np.array([told.even_days(int(day), whole) for day in days])
        assert passed[0] == 0 and passed[whole] == whole and (np.diff(passed) > 0).all()
        year = told.even_days(YEAR_DAYS, whole)
        np.testing.assert_allclose(passed[YEAR_DAYS:728] - passed[:YEAR_DAYS], year, rtol=1e-12)
        back = [told.days(even, whole) for even in passed.tolist()]
        np.testing.assert_allclose(back, days, rtol=1e-9, atol=1e-9)
    assert LastYear().even_days(30, 182) == LastYear().days(30, 182) == 30


def test_a_log_without_a_year_and_a_half_before_the_cutoff_tells_nothing(opened: Opener) -> None:
    early = BEGIN + timedelta(days=YEAR_DAYS + 181)
    log = opened(shop(0.6, early + timedelta(days=1)))
    assert last_year(log, early, 182) == LastYear()
    later = last_year(log, early + timedelta(days=1), 182)
    assert later.pace != EVEN and later.residual != 0
    assert last_year(log, early + timedelta(days=1), YEAR_DAYS + 1).residual == 0


@pytest.mark.parametrize("factor", [0.5, 1.6])
def test_the_residual_is_what_last_year_brought_over_what_was_expected_of_it(opened: Opener, factor: float) -> None:
    """Whoever had bought a year ago then spent ``factor`` times as much a purchase as ever before."""
    events, then = shop(0.0, customers=400), CUTOFF - timedelta(days=YEAR_DAYS)
    plain = last_year(opened(events), CUTOFF, 182).residual
    after = (events["event_time"] >= pd.Timestamp(then)).to_numpy()
    events.loc[after, "amount"] *= factor
    assert abs(plain) < 0.1 and last_year(opened(events), CUTOFF, 182).residual == pytest.approx(plain + np.log(factor))


@pytest.mark.parametrize(("buyers", "told"), [(99, False), (100, True)])
def test_a_handful_of_buyers_among_many_customers_tells_no_residual(opened: Opener, buyers: int, told: bool) -> None:
    """All 300 customers were there a year ago; only some bought in the horizon after that, and those a lot."""
    events, then = shop(0.0, customers=300), pd.Timestamp(CUTOFF - timedelta(days=YEAR_DAYS))
    within = events["event_time"].between(then, then + pd.Timedelta("182D"), inclusive="left")
    lucky = events.loc[within, "customer_id"].drop_duplicates().iloc[:buyers]
    assert len(lucky) == buyers and events.loc[~within, "customer_id"].nunique() == 300
    kept = events[~within | events["customer_id"].isin(lucky)]
    assert (last_year(opened(kept), CUTOFF, 182).residual != 0) == told


def test_who_only_looked_a_year_ago_and_bought_since_is_no_buyer_of_that_year(opened: Opener) -> None:
    events, then = shop(0.0, customers=400), pd.Timestamp(CUTOFF - timedelta(days=YEAR_DAYS))
    looked = pd.DataFrame({"customer_id": [f"v{at:03}" for at in range(300)], "event_type": "view"})
    bought = looked.assign(event_type="purchase", event_time=then + pd.Timedelta("9D"), amount=50.0)
    more = pd.concat([events, looked.assign(event_time=then - pd.Timedelta("3D")), bought])
    found, alone = (last_year(opened(frame), CUTOFF, 182).residual for frame in (more, events))
    assert found == pytest.approx(alone)


def test_few_orders_tell_no_pace(opened: Opener) -> None:
    few = shop(0.6, customers=12).groupby("customer_id").head(4)
    assert last_year(opened(few), CUTOFF, 182) == LastYear()


def test_nothing_after_the_cutoff_is_told(opened: Opener) -> None:
    before = CUTOFF - timedelta(days=200)
    events = shop(0.6)
    past = events[events["event_time"] < pd.Timestamp(before)]
    assert last_year(opened(events), before, 91) == last_year(opened(past, end=before), before, 91)


def test_what_is_told_survives_json() -> None:
    told = LastYear(0.25, tuple(np.linspace(0.5, 2, PARTS)))
    assert LastYear.from_json(told.to_json()) == told
