"""New data against the reference: nothing is said of a shop that stays as it is, and each change is named at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.columns import CATEGORY
from clv_core.monitoring.alerts import Alert, alerts_of
from clv_core.monitoring.drift import periods as profiling
from clv_core.monitoring.drift.data_checks import check_data
from clv_core.monitoring.drift.periods import (
    MONTH,
    WEEK,
    Check,
    Profile,
    periods_after,
    periods_before,
    periods_in,
    profile,
)
from pages.ui.monitor.drift import nearness
from tests.monitoring import steady_shop
from tests.monitoring.steady_shop import Change, changed_from, day_after, steady_log, stored

pytestmark = pytest.mark.first(5)

CUTOFF = day_after(360)
CUSTOMERS = 3000
HORIZON_DAYS = 180


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    return steady_log(CUSTOMERS, 400, seed=11)


@pytest.fixture(scope="module")
def known(events: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    dataset = stored(events, tmp_path_factory.mktemp("known"))
    return profile(dataset, periods_before(CUTOFF, MONTH, dataset.log_start))


def checked(known: Profile, events: pd.DataFrame, folder: Path) -> list[Check]:
    dataset = stored(events, folder)
    new = profile(dataset, periods_after(CUTOFF, MONTH, dataset.log_end))
    assert len(new.periods) == 1
    return check_data(known, new, periods_in(MONTH, HORIZON_DAYS))


def found(known: Profile, events: pd.DataFrame, folder: Path) -> list[Alert]:
    return alerts_of(checked(known, events, folder))


def test_a_shop_that_stays_as_it_is_raises_no_alert(known: Profile, events: pd.DataFrame, tmp_path: Path) -> None:
    assert found(known, events, tmp_path) == []


def test_limits_are_wider_the_more_periods_share_their_false_alarms(
    known: Profile, events: pd.DataFrame, tmp_path: Path
) -> None:
    """Student's t of an alpha that is shared by 400 periods against one of 2, where the limit is no smallest change."""
    dataset = stored(events, tmp_path)
    new = profile(dataset, periods_after(CUTOFF, MONTH, dataset.log_end))
    few, many = ({(one.test, one.subject, one.value): one for one in check_data(known, new, n)} for n in (2, 400))
    wider = [(few[key].high, one.high) for key, one in many.items() if one.test == "volume"]
    assert len(wider) > 4 and all(low < high for low, high in wider if low and high)


def test_volumes_are_what_pandas_counts_by_the_day(known: Profile, events: pd.DataFrame, tmp_path: Path) -> None:
    silent = changed_from(events, CUTOFF, lambda late: late[late["event_type"] != "return"])
    checks, (chunk,) = checked(known, silent, tmp_path), periods_after(CUTOFF, MONTH, day_after(400))
    found = {one.value or one.subject: one.found for one in checks if one.test == "volume"}
    day = silent["event_time"].dt.normalize()
    rows = silent[(day >= pd.Timestamp(chunk.begin)) & (day < pd.Timestamp(chunk.end))]
    counted = rows["event_type"].value_counts().to_dict() | {"return": 0, "customers": rows["customer_id"].nunique()}
    assert found == pytest.approx({name: count / chunk.days for name, count in counted.items()}, abs=1e-6)


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("change", "codes", "said"),
    [
        (steady_shop.dearer, {"price_amount_rose"}, "purchase values rose"),
        (steady_shop.another_channel, {"new_channel"}, "“kiosk”"),
        (steady_shop.without_ratings, {"lost_event_type"}, "no more “Rating” events"),
        (steady_shop.twice_the_returns, {"returns_rose"}, "returns are 1"),
        (steady_shop.gaps_in_categories, {"gaps_purchase_rose", "gaps_other_rose"}, "“Category” is empty in 1"),
        (
            steady_shop.half_of_it,
            {f"events_fell:{name}" for name in ("view", "cart", "purchase", "rating", "return")} | {"customers_fell"},
            "fewer active customers",
        ),
    ],
)
def test_each_change_is_found_in_the_first_chunk_and_named(
    known: Profile, events: pd.DataFrame, tmp_path: Path, change: Change, codes: set[str], said: str
) -> None:
    alerts = found(known, changed_from(events, CUTOFF, change), tmp_path)
    assert {alert.begin for alert in alerts} == {CUTOFF.isoformat()}
    named = {alert.code + (f":{alert.params['value']}" if "events_" in alert.code else "") for alert in alerts}
    assert named == codes
    assert any(said in alert.text("en") for alert in alerts)
    assert all(alert.text("zh") != alert.text("en") for alert in alerts)


def test_limits_are_where_alerts_begin(known: Profile, events: pd.DataFrame, tmp_path: Path) -> None:
    """A gap in seven of a thousand rows is no chance where there was none, and no alert: it is inside the limits."""

    def some_gaps(late: pd.DataFrame) -> pd.DataFrame:
        return late.assign(category=late["category"].where(np.arange(len(late)) % 140 != 0))

    for change in (some_gaps, steady_shop.gaps_in_categories, steady_shop.dearer):
        checks = checked(known, changed_from(events, CUTOFF, change), tmp_path / change.__name__)
        limited = [one for one in checks if one.low is not None and one.high is not None]
        assert limited and all(one.alert == (nearness(one) >= 1) for one in limited)
        gaps = [one for one in limited if one.subject == "missing:other" and one.value == CATEGORY]
        assert [one.alert for one in gaps] == [change is steady_shop.gaps_in_categories]
        if change is some_gaps:
            assert gaps[0].found == pytest.approx(1 / 140, rel=0.5) and gaps[0].chance < 1e-6 and gaps[0].high == 0.01


def test_weeks_of_other_shops_raise_no_alert(tmp_path: Path) -> None:
    raised = []
    for seed in range(2):
        dataset = stored(steady_log(500, 300, seed), tmp_path / str(seed))
        cutoff = day_after(200)
        before, after = periods_before(cutoff, WEEK, dataset.log_start), periods_after(cutoff, WEEK, dataset.log_end)
        checks = check_data(profile(dataset, before), profile(dataset, after), periods_in(WEEK, 98))
        assert {check.chunk for check in checks} == set(range(14))
        raised += [check for check in checks if check.alert]
    assert raised == []


def test_counts_are_those_of_an_independent_group_by(known: Profile, events: pd.DataFrame) -> None:
    edges = [pd.Timestamp(chunk.begin) for chunk in known.periods] + [pd.Timestamp(CUTOFF)]
    numbers = [chunk.number for chunk in known.periods]
    late = events[(events["event_time"] >= edges[0]) & (events["event_time"] < edges[-1])]
    chunk = pd.cut(late["event_time"], edges, right=False, labels=numbers).astype(int)
    rows, customers = known.table("channel")
    expected = late.groupby([chunk, "channel"]).agg(rows=("channel", "size"), who=("customer_id", "nunique")).unstack()
    assert np.array_equal(rows[list(expected["rows"])].to_numpy(), expected["rows"].to_numpy())
    assert np.array_equal(customers[list(expected["who"])].to_numpy(), expected["who"].to_numpy())
    assert np.array_equal(customers[""].to_numpy(), late.groupby(chunk)["customer_id"].nunique().to_numpy())
    bought = late[late["event_type"] == "purchase"]
    days = bought.assign(day=bought["event_time"].dt.date).groupby(chunk[bought.index])
    orders, buyers = known.table("orders")
    pairs = days.apply(lambda part: len(part[["customer_id", "day"]].drop_duplicates()))
    assert np.array_equal(orders[""].to_numpy(), pairs.to_numpy())
    assert np.array_equal(buyers[""].to_numpy(), days["customer_id"].nunique().to_numpy())
    gaps, _ = known.table("missing:purchase")
    assert gaps["rating"].sum() == gaps[""].sum() == len(bought) and gaps["category"].sum() == 0


def test_a_chunk_in_which_nothing_came_at_all_is_an_alert(events: pd.DataFrame, tmp_path: Path) -> None:
    times = events["event_time"]
    silent = events[(times < pd.Timestamp(CUTOFF)) | (times >= pd.Timestamp(CUTOFF) + pd.Timedelta(days=7))]
    dataset = stored(silent[silent["event_time"] < pd.Timestamp(CUTOFF) + pd.Timedelta(days=9)], tmp_path)
    before = profile(dataset, periods_before(CUTOFF, WEEK, dataset.log_start))
    after = profile(dataset, periods_after(CUTOFF, WEEK, dataset.log_end))
    assert len(after.periods) == 1 and after.counts.empty and after.prices.empty
    alerts = alerts_of(check_data(before, after, periods_in(WEEK, HORIZON_DAYS)))
    assert {"events_fell", "customers_fell"} <= {alert.code for alert in alerts}


def test_values_are_not_called_lost_where_there_are_too_many_to_be_counted(
    known: Profile, events: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = events[CATEGORY].nunique()
    grown = changed_from(events, CUTOFF, lambda late: pd.concat([late, late.head(1).assign(category="Lamps")]))
    late = grown[grown["event_time"] >= pd.Timestamp(CUTOFF)]
    assert late[CATEGORY].nunique() == kinds + 1 and set(events[CATEGORY]) < set(late[CATEGORY])
    monkeypatch.setattr(profiling, "MAX_VALUES", kinds)
    assert found(known, grown, tmp_path) == []
