"""A snapshot in parts of customers is the snapshot in one piece."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv_core.errors import NotEnoughData
from clv_core.features import relation_cache
from clv_core.features.last_year import LastYear
from clv_core.features.log import EventLog
from clv_core.features.relations import day_of
from clv_core.features.season import last_year, scoring_parts, scoring_snapshot
from clv_core.features.snapshot import Snapshot

pytestmark = pytest.mark.first(3)

Opener = Callable[..., EventLog]
CUTOFF = date(2024, 4, 1)


def steps_of(snapshot: Snapshot, name: str) -> np.ndarray:
    """Return one kind of column of the steps that the windows hold, window after window."""
    windows = snapshot.windows
    column = getattr(windows.steps, name)
    return np.concatenate([column[start:stop] for start, stop in zip(windows.start, windows.stop, strict=True)])


@pytest.mark.examples(2)
@pytest.mark.parametrize("rows_a_shard", [1_000, 10**9], ids=["many shards", "one shard"])
@pytest.mark.parametrize("cutoff", [date(2023, 1, 20), CUTOFF])
def test_parts_hold_the_bits_of_the_whole(
    opened: Opener, shop: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, rows_a_shard: int, cutoff: date
) -> None:
    monkeypatch.setattr(relation_cache, "SHARD_ROWS", rows_a_shard)
    log = opened(shop)
    assert log.signals
    whole = scoring_snapshot(log, cutoff, 60, max_steps=10)
    parts = list(scoring_parts(log, cutoff, 60, max_steps=10, customers_at_once=37))
    assert [len(part) for part in parts[:-1]] == [37] * (len(parts) - 1) and len(parts) > 5
    pd.testing.assert_frame_equal(pd.concat([part.features for part in parts]), whole.features, check_exact=True)
    for name in ("day", "gap_days", "values", "codes"):
        found = np.concatenate([steps_of(part, name) for part in parts])
        assert found.tobytes() == steps_of(whole, name).tobytes()
    assert {day: one.to_json() for part in parts for day, one in part.anchors.items()} == {
        day: one.to_json() for day, one in whole.anchors.items()
    }


def test_of_many_customers_some_parts_are_read_evenly_among_all(opened: Opener, shop: pd.DataFrame) -> None:
    log = opened(shop)
    how = {"max_steps": 10, "customers_at_once": 16}
    whole = scoring_snapshot(log, CUTOFF, 60, max_steps=10)
    some = list(scoring_parts(log, CUTOFF, 60, **how, most=64))
    assert len(some) == 4 and len(whole) > 64 and [len(part) for part in some[:-1]] == [16] * 3
    places = [whole.features.index.get_loc(part.features.index[0]) // 16 for part in some]
    last = (len(whole) - 1) // 16
    assert places == [0, last // 3, last * 2 // 3, last]
    found = pd.concat([part.features for part in some])
    pd.testing.assert_frame_equal(found, whole.features.loc[found.index], check_exact=True)
    everybody = list(scoring_parts(log, CUTOFF, 60, **how, most=len(whole)))
    assert sum(map(len, everybody)) == len(whole)


def test_only_the_steps_of_a_part_are_read(opened: Opener, shop: pd.DataFrame) -> None:
    log = opened(shop)
    parts = list(log.parts(CUTOFF, 60, customers_at_once=37))
    held = [len(part.windows.steps.day) for part in parts]
    assert sum(held) == len(log.steps.day) and max(held) < sum(held) / 3


def test_history_is_the_part_of_the_snapshot_that_last_year_needs(opened: Opener, shop: pd.DataFrame) -> None:
    log = opened(shop)
    for cutoff in (date(2024, 1, 1), CUTOFF):
        whole = log.snapshot(cutoff, 60)
        history, target, anchor = log.history(cutoff, 60)
        columns = whole.features[list(history)].reset_index(drop=True)
        pd.testing.assert_frame_equal(history, columns, check_exact=True)
        assert (target is None) == (whole.target is None)
        assert target is None or target.tobytes() == whole.target.tobytes()
        assert anchor == whole.anchors[day_of(cutoff)]
    assert last_year(log, CUTOFF, 60) == LastYear()


def test_nobody_before_the_cutoff_is_said_so(opened: Opener, shop: pd.DataFrame) -> None:
    log = opened(shop)
    with pytest.raises(NotEnoughData) as error:
        next(log.parts(date(2022, 1, 1), 60, customers_at_once=10))
    assert error.value.code == "no_customer_before"
