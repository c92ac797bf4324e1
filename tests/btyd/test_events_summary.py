"""Tables of purchases against lifetimes and against pandas' own calendar."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from clv_core import calibration_holdout, summary_from_events
from tests.btyd.test_btyd_lifetimes import purchases

NAMED = {"customer": "id", "time": "date", "amount": "value"}


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return purchases("cdnow_master")


@pytest.mark.filterwarnings("ignore")
def test_calibration_and_holdout_are_those_of_lifetimes(cdnow: pd.DataFrame, lifetimes: ModuleType) -> None:
    """But for the mean of the holdout: theirs is of rows, ours of days with a purchase, as everywhere else."""
    theirs = lifetimes.utils.calibration_and_holdout_data(
        cdnow, "id", "date", "1997-09-30", monetary_value_col="value", observation_period_end="1998-06-30"
    )
    ours = calibration_holdout(cdnow, "1997-09-30", end="1998-06-30", **NAMED)
    means = theirs.pop("monetary_value_holdout"), ours.pop("monetary_value_holdout")
    pd.testing.assert_frame_equal(ours[theirs.columns], theirs, check_names=False, check_dtype=False)
    rows = cdnow[(cdnow["date"] > "1997-09-30") & (cdnow["date"] <= "1998-06-30")]
    total = rows.groupby("id")["value"].sum().reindex(ours.index).fillna(0)
    np.testing.assert_allclose(means[1] * ours["frequency_holdout"], total, atol=1e-9)
    assert (means[0] <= means[1] + 1e-9).all()


def test_weeks_of_the_papers_are_days_over_seven(cdnow: pd.DataFrame) -> None:
    by_day, by_week = (summary_from_events(cdnow, unit=unit, **NAMED) for unit in ("day", "week"))
    assert (by_day["frequency"] == by_week["frequency"]).all()
    np.testing.assert_allclose(by_week[["recency", "T"]], by_day[["recency", "T"]] / 7)


@pytest.mark.parametrize(("grain", "code"), [("week", "W"), ("month", "M")])
def test_opportunities_are_weeks_and_months_of_the_calendar(cdnow: pd.DataFrame, grain: str, code: str) -> None:
    ours = summary_from_events(cdnow, unit=grain, grain=grain, end="1998-06-30", **NAMED)
    period = cdnow["date"].dt.to_period(code)
    by = period.groupby(cdnow["id"])
    ordinal = period.apply(lambda one: one.ordinal).groupby(cdnow["id"])
    last = pd.Period("1998-06-30", code).ordinal
    np.testing.assert_array_equal(ours["frequency"], by.nunique() - 1)
    np.testing.assert_allclose(ours["recency"], ordinal.max() - ordinal.min())
    np.testing.assert_allclose(ours["T"], last - ordinal.min())


def test_frames_of_every_library_give_the_same(cdnow: pd.DataFrame) -> None:
    some = cdnow.head(3_000).reset_index(drop=True)
    expected = summary_from_events(some, **NAMED)
    for table in (pl.from_pandas(some), pa.Table.from_pandas(some)):
        pd.testing.assert_frame_equal(summary_from_events(table, **NAMED), expected)


def test_a_time_with_a_zone_is_a_day_of_that_zone() -> None:
    """Half past midnight in Tokyo is the day before in London; both purchases of "a" are on one day in Tokyo."""
    times = pd.to_datetime(["2024-03-01 15:30", "2024-03-02 08:00", "2024-03-05 00:00"], utc=True)
    events = pd.DataFrame({"customer_id": ["a", "a", "b"], "event_time": times})
    tokyo = events.assign(event_time=events["event_time"].dt.tz_convert("Asia/Tokyo"))
    assert summary_from_events(tokyo).loc["a"].tolist() == [0.0, 0.0, 3.0]
    assert summary_from_events(events).loc["a"].tolist() == [1.0, 1.0, 4.0]
    assert summary_from_events(tokyo, end=pd.Timestamp("2024-03-10", tz="Asia/Tokyo"))["T"].tolist() == [8.0, 5.0]
    polars = pl.from_pandas(tokyo)
    pd.testing.assert_frame_equal(summary_from_events(polars), summary_from_events(tokyo), check_index_type=False)


def test_customers_of_a_category_that_is_not_bought_by_are_none() -> None:
    events = pd.DataFrame(
        {"customer_id": pd.Categorical(["a", "b"], ["a", "b", "c"]), "event_time": ["2024-01-01"] * 2}
    )
    assert list(summary_from_events(events).index) == ["a", "b"]
