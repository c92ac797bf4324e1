"""Years that are counted from elsewhere are read as ours, by dates that are known."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.customers import Roles, read_customers
from clv_core.collection.ingest import ingest
from clv_core.collection.stored.manifest import Manifest
from clv_core.collection.stored.store import open_dataset
from clv_core.collection.values.eras import calendar_of
from clv_core.errors import Refused
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

DAYS = [date(2023, 12, 28) + timedelta(days=step) for step in range(0, 420, 7)] + [date(2024, 2, 29)]
THAI_MONTHS = "ม.ค. ก.พ. มี.ค. เม.ย. พ.ค. มิ.ย. ก.ค. ส.ค. ก.ย. ต.ค. พ.ย. ธ.ค.".split()
THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
NOWRUZ = {1402: date(2023, 3, 21), 1403: date(2024, 3, 20), 1404: date(2025, 3, 21)}
"""First days of Persian years, as they were celebrated."""


def persian(day: date) -> str:
    year = max(one for one, first in NOWRUZ.items() if first <= day)
    left = (day - NOWRUZ[year]).days
    month, rest = divmod(left, 31) if left < 186 else (6 + (left - 186) // 30, (left - 186) % 30)
    return f"{year}/{month + 1:02}/{rest + 1:02}"


SPELT = {
    "buddhist": lambda day: f"{day:%d/%m}/{day.year + 543}",
    "buddhist, iso": lambda day: f"{day.year + 543}-{day:%m-%d} 10:11:12",
    "buddhist, with an offset": lambda day: f"{day.year + 543}-{day:%m-%d}T10:11:12Z",
    "buddhist, month by name": lambda day: f"{day.day} {THAI_MONTHS[day.month - 1]} {day.year + 543} 10:11",
    "buddhist, thai digits": lambda day: f"{day:%d/%m}/{day.year + 543}".translate(THAI_DIGITS),
    "minguo": lambda day: f"{day.year - 1911}/{day:%m/%d}",
    "minguo, with a clock": lambda day: f"{day.year - 1911}-{day:%m-%d} 下午 3:22",
    "minguo, in words": lambda day: f"民國{day.year - 1911}年{day.month}月{day.day}日",
    "minguo, in few words": lambda day: f"{day.year - 1911}年{day.month}月{day.day}日",
    "persian": persian,
    "persian, with a clock": lambda day: f"{persian(day).replace('/', '-')} 10:11:12",
}


def read(folder: Path, times: list[str]) -> tuple[Manifest, list[date]]:
    file = folder / "log.csv"
    rows = [f"c{place % 9},{time},{place + 1}" for place, time in enumerate(times)]
    file.write_text("\n".join(["customer_id,order_time,amount", *rows]), encoding="utf-8")
    manifest = ingest(Workspace(folder / "workspace"), file, "shop")
    kept = pd.read_parquet(open_dataset(Workspace(folder / "workspace"), "shop").events_path)
    return manifest, [moment.date() for moment in kept.sort_values("amount")["event_time"]]


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", SPELT)
def test_dates_of_another_calendar_are_the_days_that_they_were(tmp_path: Path, name: str) -> None:
    manifest, found = read(tmp_path, [SPELT[name](day) for day in DAYS])
    assert found == DAYS and manifest.rows_set_aside == 0
    said = {one["code"] for one in manifest.warnings} & {
        f"warning.years_{one}" for one in ("buddhist", "minguo", "persian")
    }
    assert said == (set() if name == "minguo, in words" else {f"warning.years_{name.partition(',')[0]}"})


def test_a_day_that_the_other_calendar_has_not_is_set_aside_and_ours_stay(tmp_path: Path) -> None:
    manifest, found = read(tmp_path, [persian(day) for day in DAYS] + ["1403/07/31", "1403/13/01", "2024-05-05"])
    assert found == [*DAYS, date(2024, 5, 5)] and manifest.rows_set_aside == 2


@pytest.mark.parametrize(
    ("cells", "calendar"),
    [
        (["2024-01-31", "2024-02-01"], ""),
        (["97/01/31", "98/02/01"], ""),
        (["20240131", "1706659200", "45322"], ""),
        (["31/01/2024 25:67"], ""),
        ([], ""),
        (["2567-01-31"] * 9 + ["?"], "buddhist"),
        (["2567-01-31"] * 8 + ["2024-01-31"] * 2, ""),
        (["1400/01/01"], "persian"),
        (["113/1/31"], "minguo"),
    ],
)
def test_a_calendar_is_told_where_nearly_all_years_are_its_own(cells: list[str], calendar: str) -> None:
    assert calendar_of(cells) == calendar


def test_years_that_no_calendar_has_are_refused_as_before(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        read(tmp_path, [f"{day.year + 1000}-{day:%m-%d}" for day in DAYS])


def test_a_customers_table_has_its_dates_read_so_too(tmp_path: Path) -> None:
    read(tmp_path, [SPELT["buddhist"](day) for day in DAYS])
    file = tmp_path / "people.csv"
    rows = [f"c{place},{'ab'[place % 2]},{place + 1:02}/02/2567" for place in range(9)]
    file.write_text("\n".join(["customer_id,plan,since", *rows]), encoding="utf-8")
    dataset = open_dataset(Workspace(tmp_path / "workspace"), "shop")
    roles = Roles(dated={"plan": "since"}, date_order="dmy")
    reading = read_customers(file, dataset, roles, tmp_path, NoProgress())
    found = pd.read_parquet(reading.table)["since"].tolist()
    assert found == [date(2024, 2, place + 1) for place in range(9)]
    assert "warning.years_buddhist" in {message.code for message in reading.warnings}
