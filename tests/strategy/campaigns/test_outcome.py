"""What a campaign brought is what pandas and statsmodels say of the log, and waits for the days that it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from clv_core.collection.ingest import ingest
from clv_core.collection.store import Dataset, open_dataset
from clv_core.strategy.campaigns import Campaign, Outcome
from clv_core.strategy.campaigns.outcome import measure_campaigns, traits_on
from clv_core.workspace import Workspace

CUSTOMERS = 600
START = date(2024, 7, 1)
IDS = [f"c{number:03d}" for number in range(CUSTOMERS)]
CAMPAIGN = Campaign("Summer", START.isoformat(), 30, 0.3, "campaign shop Summer", cost=0.5, margin_rate=0.4)


def shop_log() -> pd.DataFrame:
    """Half a year before the start and 40 days after; those of an even number are in the list and buy for 8 more."""
    rng = np.random.default_rng(7)
    rate = rng.gamma(2, 0.01, CUSTOMERS)
    rows = [(name, START - timedelta(days=180), 10.0, "purchase") for name in IDS]
    for number, name in enumerate(IDS):
        for day in range(-179, 40):
            if rng.random() < rate[number]:
                rows.append((name, START + timedelta(days=day), round(rng.gamma(4, 5), 2), "purchase"))
                if rng.random() < 0.1:
                    rows.append((name, START + timedelta(days=day), -5.0, "return"))
        if number % 2 == 0:
            rows.append((name, START + timedelta(days=int(rng.integers(0, 30))), 8.0, "purchase"))
    rows.append((IDS[0], START + timedelta(days=39), 1.0, "purchase"))
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount", "event_type"])
    return frame.assign(event_time=pd.to_datetime(frame["day"]) + pd.Timedelta(hours=12)).drop(columns="day")


LOG = shop_log()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with the log up to the due date, and one that ends halfway."""
    folder = tmp_path_factory.mktemp("outcomes")
    workspace = Workspace(folder / "workspace")
    for name, days in (("whole", 40), ("half", 16)):
        LOG[LOG["event_time"] < pd.Timestamp(START + timedelta(days=days))].to_csv(folder / f"{name}.csv", index=False)
        ingest(workspace, folder / f"{name}.csv", name, currency="EUR")
    return workspace


def members(joined: str = CAMPAIGN.started) -> pd.DataFrame:
    number = np.arange(CUSTOMERS)
    return pd.DataFrame(
        {
            "customer_id": IDS,
            "group": np.where(number % 2 == 0, "list", "control"),
            "joined": joined,
            "segment": np.where(number < 200, "1", "2"),
            "predicted_clv": np.nan,
        }
    )


def measure(dataset: Dataset, rows: pd.DataFrame | None = None, campaign: Campaign = CAMPAIGN) -> Outcome:
    return measure_campaigns(dataset, [campaign], [members() if rows is None else rows])[0]


def spent(low: int, high: int, amounts: pd.DataFrame = LOG) -> np.ndarray:
    since = (amounts["event_time"].dt.normalize() - pd.Timestamp(START)).dt.days
    inside = amounts[(since >= low) & (since < high)]
    return inside.groupby("customer_id")["amount"].sum().reindex(IDS, fill_value=0.0).to_numpy()


def coefficient(outcome: np.ndarray, rows: np.ndarray | slice = slice(None)) -> float:
    listed = (np.arange(CUSTOMERS) % 2 == 0)[rows]
    known = np.column_stack([listed, np.ones(len(listed)), spent(-365, 0)[rows]])
    return float(sm.OLS(outcome[rows], known).fit().params[0])


def test_on_the_due_date_it_is_the_regression_of_the_log_on_groups_and_past_spending(home: Workspace) -> None:
    found = measure(open_dataset(home, "whole"))
    assert (found.state, found.due, found.listed, found.control) == ("due", date(2024, 7, 31), 300, 300)
    assert found.uplift is not None and found.uplift.effect == pytest.approx(coefficient(spent(0, 30)))
    assert found.uplift.low < 8 < found.uplift.high
    refunds = -spent(0, 30, LOG.assign(amount=LOG["amount"].where(LOG["event_type"] == "return", 0.0)))
    assert found.secondary["refunds"].effect == pytest.approx(coefficient(refunds), abs=1e-6)
    bought = spent(0, 30, LOG.assign(amount=(LOG["event_type"] == "purchase").astype(float))) > 0
    assert found.secondary["buyers"].effect == pytest.approx(coefficient(bought.astype(float)))
    tiers = {one.segment: one for one in found.by_segment}
    assert tiers["1"].effect == pytest.approx(coefficient(spent(0, 30), np.arange(CUSTOMERS) < 200), rel=0.05)
    assert (tiers["2"].listed, tiers["2"].control) == (200, 200)


def test_effects_by_trait_are_of_what_customers_were_when_they_joined(home: Workspace) -> None:
    days = LOG["event_time"].dt.normalize()
    orders, first = LOG[LOG["event_type"] == "purchase"], days.groupby(LOG["customer_id"]).min().reindex(IDS)

    def lately(day: date) -> np.ndarray:
        since = (pd.Timestamp(day) - orders["event_time"].dt.normalize()).dt.days
        return np.isin(IDS, orders.loc[(since > 0) & (since <= 90), "customer_id"])

    dataset, number = open_dataset(home, "whole"), np.arange(CUSTOMERS)
    active = lately(START)
    assert min(active.mean(), 1 - active.mean()) > 0.1 and (pd.Timestamp(START) - first).dt.days.min() > 90
    for trait, segment in product(("active", "lapsed"), ("1", "2")):
        rows = np.flatnonzero((active == (trait == "active")) & ((number < 200) == (segment == "1")))
        cells = [one for one in measure(dataset).by_trait if (one.segment, one.trait) == (segment, trait)]
        sizes = int((rows % 2 == 0).sum()), int((rows % 2 == 1).sum())
        assert [(one.listed, one.control) for one in cells] == ([sizes] if min(sizes) >= 30 else [])
        for one in cells:
            assert one.effect == pytest.approx(coefficient(spent(0, 30), rows), abs=0.5 * one.error)
    assert len(measure(dataset).by_trait) >= 3
    end = dataset.log_end
    assert traits_on(dataset, pd.Series(IDS), end).tolist() == np.where(lately(end), "active", "lapsed").tolist()
    early = START - timedelta(days=100)
    assert set(traits_on(dataset, pd.Series(IDS), early)) == {"new"}


def test_its_money_is_of_all_who_got_the_list(home: Workspace) -> None:
    found = measure(open_dataset(home, "whole"))
    assert found.uplift is not None and found.margin is not None and found.gain is not None
    assert found.cost == 150
    assert found.margin.value == pytest.approx(300 * 0.4 * found.uplift.effect)
    assert found.gain.low == pytest.approx(300 * (0.4 * found.uplift.low - 0.5))
    assert found.returned == pytest.approx(found.margin.value / 150)
    assert found.verdict == "pays"
    assert measure(open_dataset(home, "whole"), campaign=replace(CAMPAIGN, cost=50.0)).verdict == "loses"
    assert measure(open_dataset(home, "whole"), campaign=replace(CAMPAIGN, cost=3.2)).verdict == "unsure"


def test_before_the_due_date_it_says_when_and_has_a_wider_interval(home: Workspace) -> None:
    found = measure(open_dataset(home, "half"))
    assert (found.state, found.due, found.days) == ("early", date(2024, 7, 31), 16)
    assert found.uplift is not None and found.uplift.effect == pytest.approx(coefficient(spent(0, 16)))
    assert found.uplift.high - found.uplift.low > 1.5 * 2 * 1.645 * found.uplift.error
    assert (found.secondary, found.by_segment) == ({}, ())


def test_what_comes_later_changes_nothing(home: Workspace) -> None:
    long = measure(open_dataset(home, "whole"), campaign=replace(CAMPAIGN, window_days=10))
    short = measure(open_dataset(home, "half"), campaign=replace(CAMPAIGN, window_days=10))
    assert (long.uplift, long.secondary, long.state) == (short.uplift, short.secondary, "due")


def test_before_the_log_has_its_first_day_nothing_is_said(home: Workspace) -> None:
    found = measure(open_dataset(home, "half"), members("2024-08-01"), replace(CAMPAIGN, started="2024-08-01"))
    assert (found.state, found.uplift, found.due, found.verdict) == ("waiting", None, date(2024, 8, 31), "waiting")


def test_later_ones_count_from_their_own_day_and_are_waited_for(home: Workspace) -> None:
    rows = members()
    rows.loc[500:, "joined"] = "2024-07-09"
    rows.loc[590:, "joined"] = "2024-08-05"
    found = measure(open_dataset(home, "whole"), rows)
    assert (found.state, found.due, found.left_out) == ("due", date(2024, 8, 8), {"joined_late": 10})
    own = np.where(np.arange(CUSTOMERS) < 500, spent(0, 30), spent(8, 38))[:590]
    listed = (np.arange(590) % 2 == 0).astype(float)
    before = np.where(np.arange(CUSTOMERS) < 500, spent(-365, 0), spent(-365, 8))[:590]
    theirs = sm.OLS(own, np.column_stack([listed, np.ones(590), before])).fit().params[0]
    assert found.uplift is not None and found.uplift.effect == pytest.approx(theirs)


def test_who_is_not_in_the_log_is_in_neither_group(home: Workspace) -> None:
    rows = members()
    rows.loc[:19, "customer_id"] = [f"stranger{number}" for number in range(20)]
    found = measure(open_dataset(home, "whole"), rows)
    assert (found.listed, found.control, found.left_out) == (290, 290, {"not_in_log": 20})


def test_a_declined_and_a_tiny_campaign_have_no_figure(home: Workspace) -> None:
    dataset = open_dataset(home, "whole")
    declined = measure(dataset, members().assign(group="list"), replace(CAMPAIGN, share=0.0))
    assert (declined.state, declined.uplift, declined.listed) == ("declined", None, 600)
    tiny = measure(dataset, members()[:50])
    assert (tiny.state, tiny.uplift) == ("too_few", None)


def test_of_campaigns_of_one_time_the_independent_are_told_apart(home: Workspace) -> None:
    dataset, rng = open_dataset(home, "whole"), np.random.default_rng(8)
    by_chance = members("2024-07-05").assign(group=np.where(rng.random(CUSTOMERS) < 0.5, "list", "control"))
    follows = members("2024-07-05")[::2].assign(group="list")
    earlier = members("2024-04-01")
    second, third, fourth = (
        replace(CAMPAIGN, name=name, started=day)
        for name, day in (("Second", "2024-07-05"), ("Third", "2024-07-05"), ("Spring", "2024-04-01"))
    )
    found = measure_campaigns(dataset, [CAMPAIGN, second, third, fourth], [members(), by_chance, follows, earlier])
    assert (found[0].told_apart, found[0].confounded_with) == (("Second",), ("Third",))
    assert (found[0].verdict, found[0].by_segment) == ("confounded", ())
    assert found[3].told_apart == found[3].confounded_with == ()
    alone = measure_campaigns(dataset, [CAMPAIGN, second], [members(), by_chance])[0]
    status = np.where(by_chance["group"] == "list", 1.0, 0.0)
    listed = np.arange(CUSTOMERS) % 2 == 0
    known = np.column_stack([listed, np.ones(CUSTOMERS), spent(-365, 0), status])
    theirs = sm.OLS(spent(0, 30), known).fit().params[0]
    assert alone.uplift is not None and alone.uplift.effect == pytest.approx(theirs)
    assert alone.verdict == "pays"
