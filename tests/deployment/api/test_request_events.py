"""What is sent is read by the rules of reading a log: the same rows, in a file and in a request."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.collection.infer.plan.cells import UNPRICED
from clv_core.collection.ingest import ingest
from clv_core.collection.parse.times import EARLIEST
from clv_core.deployment.api.request_events import FIELDS, next_midnight, read_customer
from clv_core.errors import NotEnoughData, Refused
from clv_core.workspace import Workspace

NAMED = [
    {"event_type": "purchase", "amount": 20.0},
    {"event_type": "purchase", "amount": -20.0},
    {"event_type": "purchase", "amount": None},
    {"event_type": "order", "amount": None, "quantity": 2.0},
    {"event_type": "return", "amount": 7.0},
    {"event_type": "return", "amount": -7.0},
    {"event_type": "return", "amount": None},
    {"event_type": "purchase", "amount": 3.0, "quantity": -1.0},
    {"event_type": "view", "amount": None},
    {"event_type": "wishlist", "amount": None},
]
PRICED = [
    {"unit_price": 5.0, "quantity": 2.0, "discount": 2.0},
    {"unit_price": 5.0, "quantity": -2.0, "discount": 2.0},
    {"unit_price": -5.0, "quantity": 2.0, "discount": 0.0},
    {"unit_price": 5.0, "quantity": 0.0, "discount": None},
    {"unit_price": None, "quantity": 2.0, "discount": 1.0},
]
NAMED_AND_PRICED = [{"event_type": name, **row} for name in ("purchase", "return", "view") for row in PRICED]
PLAIN = [
    {"amount": 20.0, "quantity": 1.0},
    {"amount": 20.0, "quantity": -1.0},
    {"amount": -20.0, "quantity": None},
    {"amount": None, "quantity": 2.0},
]


def in_a_log(rows: list[dict[str, Any]], tmp_path: Path) -> list[tuple[str, str, float | None]]:
    """Return time, type and amount of rows as the dataset holds them, beside enough plain ones for a log."""
    plain = {name: {"event_type": "purchase", "unit_price": 4.0, "amount": 4.0, "quantity": 1.0}.get(name, 0.0)
             for row in rows for name in row}  # fmt: skip
    times = [f"2024-01-{1 + at % 28:02d} 10:{at:02d}:00" for at in range(len(rows))]
    frame = pd.DataFrame({"customer_id": "one", "event_time": times}).join(pd.DataFrame(rows))
    others = [{"customer_id": f"c{at}", "event_time": f"2024-02-{1 + at:02d} 11:00:00", **plain} for at in range(20)]
    pd.concat([frame, pd.DataFrame(others)]).to_csv(tmp_path / "log.csv", index=False)
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, tmp_path / "log.csv", "log")
    kept = pd.concat(map(pd.read_parquet, workspace.datasets.rglob("events*.parquet")))
    kept = kept[kept["customer_id"] == "one"].sort_values("event_time")
    amounts = [None if pd.isna(amount) else float(amount) for amount in kept["amount"]]
    return list(zip(kept["event_time"].astype(str), kept["event_type"], amounts, strict=True))


@pytest.mark.examples(2)
@pytest.mark.parametrize("rows", [NAMED, PRICED, NAMED_AND_PRICED, PLAIN])
def test_what_is_sent_is_read_as_the_log_reads_it(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    events = [{**row, "event_time": datetime(2024, 1, 1 + at % 28, 10, at)} for at, row in enumerate(rows)]
    one = read_customer({"customer_id": "one", "events": events}, "UTC", date(2025, 1, 1), "all")  # type: ignore[typeddict-item]
    said = [dict(zip(FIELDS, event, strict=True)) for event in one.events]
    times = [str(pd.Timestamp(second, unit="s")) for second in one.seconds]
    told = [(time, event["event_type"], event["amount"]) for time, event in zip(times, said, strict=True)]
    assert sorted(told) == sorted(in_a_log(rows, tmp_path))


def test_a_purchase_without_an_amount_is_behaviour_and_one_without_a_name_does_not_count() -> None:
    moment = datetime(2024, 1, 1)
    events: list[Any] = [{"event_time": moment, "event_type": "purchase"}, {"event_time": moment}]
    seen = {"event_time": moment, "event_type": "view"}
    one = read_customer({"customer_id": "one", "events": [*events, seen]}, "UTC", date(2024, 2, 1), "all")
    assert [event[FIELDS.index("event_type")] for event in one.events] == [UNPRICED, "view"]


@pytest.mark.parametrize("event_types", ["all", "unrated", "purchases"])
def test_who_has_nothing_but_purchases_without_an_amount_is_the_same_error_whatever_the_model_reads(
    event_types: str,
) -> None:
    events: list[Any] = [{"event_time": datetime(2024, 1, 1), "event_type": "purchase"}]
    with pytest.raises(NotEnoughData) as error:
        read_customer({"customer_id": "one", "events": events}, "UTC", date(2024, 2, 1), event_types)
    assert error.value.code == "service_no_event"


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("Asia/Shanghai", datetime(2024, 3, 1, 15, 59), date(2024, 3, 2)),  # 23:59 there
        ("Asia/Shanghai", datetime(2024, 3, 1, 16, 0), date(2024, 3, 3)),  # midnight there
        ("America/New_York", datetime(2024, 3, 2, 4, 59), date(2024, 3, 2)),  # the evening before, there
        ("Europe/Berlin", datetime(2024, 7, 1, 22, 30), date(2024, 7, 3)),
        ("UTC", datetime(2024, 3, 1, 23, 59), date(2024, 3, 2)),
    ],
)
def test_the_day_begins_where_the_log_is(zone: str, moment: datetime, day: date) -> None:
    assert next_midnight(moment.replace(tzinfo=UTC), zone) == day


def test_times_that_the_log_takes_for_slips_are_refused() -> None:
    early, first = ({"event_time": datetime(year, 1, 1), "amount": 5.0} for year in (1970, EARLIEST.year))
    read_customer({"customer_id": "one", "events": [first]}, "UTC", date(2024, 2, 1), "all")  # type: ignore[typeddict-item]
    with pytest.raises(Refused):
        read_customer({"customer_id": "one", "events": [early]}, "UTC", date(2024, 2, 1), "all")  # type: ignore[typeddict-item]
