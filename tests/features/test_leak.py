"""What happens at or after a cutoff, and the order of rows, changes no bit of what is known at the cutoff."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv_core.features.behaviour import FEATURES
from clv_core.features.log import EventLog
from clv_core.features.snapshot import Snapshot
from tests.features.conftest import LATER

pytestmark = pytest.mark.first(3)

Opener = Callable[..., EventLog]
Alter = Callable[[pd.DataFrame, date], pd.DataFrame]
CUTOFF = date(2023, 12, 15)


def bits(snapshot: Snapshot) -> dict[str, bytes | list[object]]:
    """Return everything that a model may read of a snapshot, bit for bit."""
    known: dict[str, bytes | list[object]] = {"customers": list(snapshot.features.index)}
    for name in FEATURES:
        column = snapshot.features[name]
        known[name] = column.tolist() if FEATURES[name].scale == "category" else column.to_numpy(np.float64).tobytes()
    windows = snapshot.windows
    rows = np.concatenate([np.arange(a, b) for a, b in zip(windows.start, windows.stop, strict=True)])
    steps = windows.steps
    known["lengths"] = (windows.stop - windows.start).tobytes()
    for name in ("day", "gap_days", "values"):
        known[f"step {name}"] = getattr(steps, name)[rows].tobytes()
    for position, texts in enumerate(steps.vocabularies):
        known[f"step text {position}"] = [texts[code] if code >= 0 else None for code in steps.codes[rows, position]]
    (anchor,) = snapshot.anchors.values()
    known["anchor"] = [anchor.to_json()]
    return known


def differences(one: Snapshot, other: Snapshot) -> list[str]:
    first, second = bits(one), bits(other)
    return [name for name in first if first[name] != second[name]]


@pytest.mark.examples(2)
@pytest.mark.parametrize("alter", LATER)
def test_rows_at_or_after_the_cutoff_change_nothing(opened: Opener, shop: pd.DataFrame, alter: Alter) -> None:
    snapshot = opened(shop).snapshot(CUTOFF, 90)
    assert len(snapshot) > 300
    assert differences(snapshot, opened(alter(shop, CUTOFF)).snapshot(CUTOFF, 90)) == []


def test_the_order_of_rows_changes_nothing(opened: Opener, shop: pd.DataFrame) -> None:
    snapshot = opened(shop).snapshot(CUTOFF, 90)
    for seed in (1, 2, 3):
        shuffled = opened(shop.sample(frac=1, random_state=seed)).snapshot(CUTOFF, 90)
        assert differences(snapshot, shuffled) == []
        assert snapshot.target is not None and shuffled.target is not None
        assert snapshot.target.tobytes() == shuffled.target.tobytes()


def test_a_bound_hides_later_rows_from_steps_and_targets(opened: Opener, shop: pd.DataFrame) -> None:
    bounded = opened(shop, before=CUTOFF)
    assert bounded.end == CUTOFF
    assert bounded.steps.day.max() < np.datetime64(CUTOFF).astype(int)
    snapshot = bounded.snapshot(CUTOFF, 90)
    assert snapshot.target is None
    assert differences(snapshot, opened(shop).snapshot(CUTOFF, 90)) == []


def test_a_row_just_before_the_cutoff_is_seen(opened: Opener, shop: pd.DataFrame) -> None:
    extra = shop[shop["event_type"] == "purchase"].head(1).assign(event_time=pd.Timestamp(CUTOFF) - pd.Timedelta("1us"))
    snapshot, more = (opened(frame).snapshot(CUTOFF, 90) for frame in (shop, pd.concat([shop, extra])))
    customer = extra["customer_id"].iloc[0]
    gained = more.features.loc[customer, "net_value_7d"] - snapshot.features.loc[customer, "net_value_7d"]
    assert gained == pytest.approx(extra["amount"].iloc[0])


def test_one_thread_and_many_give_the_same_bits(opened: Opener, shop: pd.DataFrame) -> None:
    one, many = opened(shop), opened(shop)
    one.connection.raw_sql("set threads = 1")
    many.connection.raw_sql("set threads = 8")
    assert differences(one.snapshot(CUTOFF, 90), many.snapshot(CUTOFF, 90)) == []
