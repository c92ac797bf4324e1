"""Snapshots of the real CDNOW log, against lifetimes and against pandas."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from clv_core.features.log import EventLog

pytestmark = pytest.mark.first(3)

Opener = Callable[..., EventLog]
CUTOFF = date(1997, 12, 31)


@pytest.fixture
def log(opened: Opener, cdnow: pd.DataFrame) -> EventLog:
    return opened(cdnow)


def before(cdnow: pd.DataFrame) -> pd.DataFrame:
    return cdnow[cdnow["event_time"] < pd.Timestamp(CUTOFF)]


def purchase_days(cdnow: pd.DataFrame) -> pd.DataFrame:
    days = before(cdnow).groupby(["customer_id", "event_time"], as_index=False)["amount"].sum()
    return days[days["amount"] > 1e-9]


def test_the_log_has_all_customers_and_ends_at_the_midnight_after_its_last_day(log: EventLog) -> None:
    assert len(log.steps.customer_ids) == 23_570
    assert (log.first_day, log.end) == (date(1997, 1, 1), date(1998, 7, 1))
    assert log.steps.values[:, 0].sum(dtype=np.float64) == pytest.approx(2_500_315.63, abs=0.5)


@pytest.mark.filterwarnings("ignore")
def test_the_btyd_four_equal_those_of_lifetimes(log: EventLog, cdnow: pd.DataFrame, lifetimes: ModuleType) -> None:
    how = {"monetary_value_col": "amount", "observation_period_end": pd.Timestamp(CUTOFF)}
    summary = lifetimes.utils.summary_data_from_transaction_data
    theirs = summary(purchase_days(cdnow), "customer_id", "event_time", **how)
    ours = log.snapshot(CUTOFF, 182).features
    ours = ours[ours["T"].notna()]
    assert list(ours.index) == list(theirs.index)
    for name in ("frequency", "recency", "T"):
        np.testing.assert_array_equal(ours[name], theirs[name])
    np.testing.assert_allclose(ours["monetary_value"], theirs["monetary_value"], rtol=1e-9)


def test_the_target_is_the_sum_of_the_horizon(log: EventLog, cdnow: pd.DataFrame) -> None:
    inside = cdnow[(cdnow["event_time"] >= "1997-12-31") & (cdnow["event_time"] < "1998-07-01")]
    expected = inside.groupby("customer_id")["amount"].sum()
    snapshot = log.snapshot(CUTOFF, 182)
    np.testing.assert_allclose(snapshot.target, expected.reindex(snapshot.features.index).fillna(0), atol=1e-6)
    assert log.snapshot(CUTOFF, 183).target is None


def test_money_windows_baskets_and_rhythm_equal_pandas(log: EventLog, cdnow: pd.DataFrame) -> None:
    features = log.snapshot(CUTOFF, 182).features
    rows, days = before(cdnow), purchase_days(cdnow)
    age = (pd.Timestamp(CUTOFF) - rows["event_time"]).dt.days
    day_age = (pd.Timestamp(CUTOFF) - days["event_time"]).dt.days
    gaps = days.groupby("customer_id")["event_time"].diff().dt.days.groupby(days["customer_id"])
    orders = rows.groupby(["customer_id", "event_time"])["amount"].sum().groupby("customer_id")
    expected = {
        "net_value": rows.groupby("customer_id")["amount"].sum(),
        "gap_mean": gaps.mean(),
        "gap_sd": gaps.std(),
        "gap_last": gaps.last(),
        "days_since_last": day_age.groupby(days["customer_id"]).min(),
        "last_day_value": days.groupby("customer_id")["amount"].last(),
        "first_day_value": days.groupby("customer_id")["amount"].first(),
        "orders": orders.count(),
        "basket_value_mean": orders.mean(),
        "basket_value_max": orders.max(),
        "tenure": age.groupby(rows["customer_id"]).max(),
    }
    for window in (7, 30, 90, 180, 365):
        recent = rows[age <= window].groupby("customer_id")["amount"].sum()
        counted = days[day_age <= window].groupby("customer_id").size()
        expected[f"net_value_{window}d"] = recent.reindex(features.index).fillna(0)
        expected[f"purchase_days_{window}d"] = counted.reindex(features.index).fillna(0)
    expected["net_value_trend_90d"] = expected["net_value_90d"] / (
        rows[age <= 180].groupby("customer_id")["amount"].sum().reindex(features.index).replace(0, np.nan)
    )
    for name, values in expected.items():
        theirs = values.reindex(features.index).to_numpy(np.float64)
        np.testing.assert_allclose(features[name], theirs, rtol=1e-9, atol=1e-7, err_msg=name)


def test_the_anchor_follows_the_cutoff_and_the_horizon(log: EventLog) -> None:
    short, long = log.snapshot(CUTOFF, 30), log.snapshot(CUTOFF, 182)
    (anchor,) = long.anchors.values()
    np.testing.assert_allclose(long.features["anchor_value"], anchor.value(long.features, 182))
    assert (short.features["anchor_count"] <= long.features["anchor_count"]).all()
    never = long.features["T"].isna()
    assert never.sum() > 0
    assert (long.features.loc[never, ["anchor_count", "anchor_value", "p_alive", "frequency"]] == 0).all(axis=None)
    assert long.features["anchor_spend"].notna().all()


def test_windows_hold_the_last_steps_before_the_cutoff(log: EventLog, cdnow: pd.DataFrame) -> None:
    windows = log.snapshot(CUTOFF, 182, max_steps=5).windows
    steps = before(cdnow).drop_duplicates(["customer_id", "event_time"])
    counts = steps.groupby("customer_id").size().clip(upper=5)
    np.testing.assert_array_equal(windows.stop - windows.start, counts)
    last = steps.groupby("customer_id")["event_time"].max()
    np.testing.assert_array_equal(windows.steps.day[windows.stop - 1], (last - pd.Timestamp(0)).dt.days)
