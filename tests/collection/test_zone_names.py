"""Times with a short name of a zone behind them, in any order of day and month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pytest

from clv_core.collection.engine import text
from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import open_dataset
from clv_core.collection.values import times
from clv_core.collection.values.zone_names import zone_of
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

FORMATS = {
    "dotted": ("dmy", "%d.%m.%Y %H:%M"),
    "slashed": ("dmy", "%d/%m/%Y %H:%M:%S"),
    "american": ("mdy", "%m/%d/%Y %I:%M:%S %p"),
    "short year": ("dmy", "%d.%m.%y %H:%M"),
    "iso": ("", "%Y-%m-%d %H:%M:%S"),
    "iso without seconds": ("", "%Y-%m-%d %H:%M"),
    "chinese": ("", "%Y年%m月%d日 %H:%M"),
    "months by name": ("", "%d %b %Y %H:%M"),
}
NAMES = {
    **{"CET": "Europe/Berlin", "CEST": timedelta(hours=2), "EDT": timedelta(hours=-4), "EST": "America/New_York"},
    **{"PT": "America/Los_Angeles", "JST": "Asia/Tokyo", "KST": "Asia/Seoul", "MSK": "Europe/Moscow"},
    **{"AEST": timedelta(hours=10), "UTC": timedelta(0), "GMT": timedelta(0), "UTC+8": timedelta(hours=8)},
    **{"GMT+05:30": timedelta(hours=5.5), "UTC-3": timedelta(hours=-3), "+0100": timedelta(hours=1)},
    "-03:00": timedelta(hours=-3),
}
INSTANTS = [datetime(2024, 3, 29, 0, 30), datetime(2024, 7, 5, 23, 15), datetime(2023, 12, 31, 12, 0)]


def utc(clock: datetime, zone: str | timedelta) -> datetime:
    if isinstance(zone, timedelta):
        return clock - zone
    return clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


def read(value: str, order: str = "", zone: str = "UTC") -> datetime:
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = {text(zone)}")
        row = connection.execute(f"SELECT {times.TimeReading(order, zone).value('x')} FROM (SELECT ? AS x)", [value])
        return row.fetchone()[0]


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("order", "form"), FORMATS.values(), ids=FORMATS)
def test_the_name_of_its_zone_moves_a_time(order: str, form: str, name: str) -> None:
    found = [read(f"{at.strftime(form)} {name}", order) for at in INSTANTS]
    assert found == [utc(at, NAMES[name]) for at in INSTANTS]


def test_as_programs_print_a_time() -> None:
    assert read("Fri Mar 29 12:00:00 KST 2024") == datetime(2024, 3, 29, 3)
    assert read("Wed Oct 10 20:19:24 +0000 2018") == datetime(2018, 10, 10, 20, 19, 24)
    assert read("Mon Jan  1 09:00:00 2024", zone="Asia/Tokyo") == datetime(2024, 1, 1)


def test_a_name_of_several_zones_is_that_of_the_log() -> None:
    assert read("29.03.2024 12:00 CST", "dmy") == datetime(2024, 3, 29, 17)
    assert read("29.03.2024 12:00 CST", "dmy", "Asia/Taipei") == datetime(2024, 3, 29, 4)
    assert read("2024-07-29 12:00:00 IST", zone="Europe/Dublin") == datetime(2024, 7, 29, 11)
    assert zone_of("BST", "UTC") == "Europe/London" and zone_of("BST", "Asia/Dhaka") == "Asia/Dhaka"
    assert zone_of("XYZ", "UTC") == ""


@pytest.mark.parametrize(("zone", "told"), [("UTC", ["CST"]), ("Asia/Shanghai", [])])
def test_a_name_of_several_zones_is_said_unless_the_log_settles_it(tmp_path: Path, zone: str, told: list[str]) -> None:
    start = datetime(2024, 1, 20, 1, 30)
    clocks = [start + timedelta(hours=31 * at) for at in range(60)]
    lines = [f"c{at % 9},{clock:%d.%m.%Y %H:%M} CST,{at + 1}.50" for at, clock in enumerate(clocks)]
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,date,amount", *lines]) + "\n")
    workspace = Workspace(tmp_path / "ws")
    manifest = ingest(workspace, tmp_path / "log.csv", "log", timezone=zone)
    of = [one["params"]["short"] for one in manifest.warnings if one["code"] == "warning.zone_of_several"]
    events = pd.read_parquet(open_dataset(workspace, "log").events_path)
    own = "Asia/Shanghai" if zone == "Asia/Shanghai" else "America/Chicago"
    assert of == told and events["event_time"].tolist() == [utc(clock, own) for clock in clocks]
    codes = {one["code"] for one in manifest.warnings}
    assert "warning.read_as_dmy" in codes
