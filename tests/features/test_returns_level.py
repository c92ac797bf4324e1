"""What comes back on later days is taken off what is expected: the level of shops with many returns."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.features.anchor import Anchor
from clv_core.features.log import open_log
from clv_core.features.snapshot import Snapshot
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

CUTOFF, HORIZON, BACK = date(2025, 1, 1), 90, 0.4


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    """Purchases of 1,500 customers who keep their rate over 15 months: no season, nobody leaves."""
    rng = np.random.default_rng(7)
    gap = rng.gamma(3, 20, 1500)
    begin = rng.uniform(0, 360, 1500)
    day = begin[:, None] + np.cumsum(np.column_stack([np.zeros(1500), rng.exponential(gap[:, None], (1500, 60))]), 1)
    who, order = (day < 456).nonzero()
    amount = (rng.lognormal(3, 0.3, 1500)[who] * rng.lognormal(0, 0.3, len(who))).round(2)
    time = pd.Timestamp("2024-01-01") + pd.to_timedelta(day[who, order], unit="D")
    return pd.DataFrame(
        {"customer_id": who.astype(str), "event_time": time, "amount": amount, "event_type": "purchase"}
    )


def returned(orders: pd.DataFrame, share: float, days: float = 7) -> pd.DataFrame:
    back = orders[np.random.default_rng(1).random(len(orders)) < share]
    return back.assign(event_time=back["event_time"] + pd.Timedelta(days=days), event_type="return")


def snapshot(events: pd.DataFrame, folder: Path) -> Snapshot:
    events.sort_values("event_time").to_csv(folder / "log.csv", index=False)
    ingest(Workspace(folder / "work"), folder / "log.csv", "shop", timezone="UTC")
    log = open_log(open_dataset(Workspace(folder / "work"), "shop"))
    return log.snapshot(CUTOFF, HORIZON, max_steps=10, label_days=HORIZON)


def test_the_anchor_s_total_is_the_realised_one_where_much_comes_back(orders: pd.DataFrame, tmp_path: Path) -> None:
    found = snapshot(pd.concat([orders, returned(orders, BACK)]), tmp_path)
    (anchor,) = found.anchors.values()
    assert found.target is not None
    assert anchor.kept == pytest.approx(1 - BACK, abs=0.03)
    # Without the share that is kept the total was 1.7 times the realised one.
    assert found.anchor_value.sum() == pytest.approx(found.target[found.bought].sum(), rel=0.12)


def test_where_nothing_comes_back_later_the_anchor_is_what_it_was(orders: pd.DataFrame, tmp_path: Path) -> None:
    """Same-day returns are in the order's value already."""
    same_day = returned(orders, 0.2, 0).assign(amount=lambda rows: (rows["amount"] / 2).round(2))
    found = snapshot(pd.concat([orders, same_day]), tmp_path)
    (anchor,) = found.anchors.values()
    assert anchor.kept == 1.0 and anchor == Anchor.fit(found.features.drop(columns="first_day_value"))


def test_one_order_of_a_million_that_came_back_says_nothing_of_others(orders: pd.DataFrame, tmp_path: Path) -> None:
    one = orders.head(1).assign(customer_id="9999", amount=1e6)
    back = one.assign(event_time=one["event_time"] + pd.Timedelta(days=3), event_type="return")
    found = snapshot(pd.concat([orders, one, back]), tmp_path)
    (anchor,) = found.anchors.values()
    assert 0.97 < anchor.kept < 1


def test_an_anchor_comes_back_from_its_json_and_earlier_ones_know_of_no_returns() -> None:
    rfm = pd.DataFrame({"frequency": [1.0, 2, 0], "recency": [5.0, 9, 0], "T": 20.0, "monetary_value": [10.0, 12, 0]})
    anchor = Anchor.fit(rfm.assign(first_day_value=10.0, net_value=[14.0, 34, 5], purchase_days=[2.0, 3, 1]))
    assert 0.5 < anchor.kept < 1 and Anchor.from_json(anchor.to_json()) == anchor
    earlier = {name: value for name, value in anchor.to_json().items() if name != "kept"}
    assert Anchor.from_json(earlier).kept == 1.0
    assert np.allclose(
        anchor.expected_spend(rfm), anchor.kept * anchor.spend.expected_spend(rfm["frequency"], rfm["monetary_value"])
    )
