"""Times and days that can be read in several ways: orders of parts, other calendars, zones, months by name, slips."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pytest
from babel.dates import format_date, format_datetime

from clv_core.collection.customers import Roles, read_customers
from clv_core.collection.engine import text
from clv_core.collection.infer.columns.proposed import TIME
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.parse import time_texts, times
from clv_core.collection.parse.calendars import calendar_of, zone_of
from clv_core.collection.store.version_store import Manifest, open_dataset
from clv_core.errors import NeedsAnswer, Refused
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.collection.shop_export_parts import at, number
from tests.collection.shop_exports import Order, _write, orders
from tests.collection.small_logs import warnings
from tests.collection.test_values import ask

pytestmark = pytest.mark.first(12)

START = datetime(2022, 3, 1, 9, 30, tzinfo=UTC)

MOMENTS = [START + timedelta(hours=31 * step) for step in range(240)]

AGES = {"apple": (datetime(2001, 1, 1, tzinfo=UTC), 1), "ticks": (datetime(1, 1, 1, tzinfo=UTC), 10**7)}

AGES |= {"filetime": (datetime(1601, 1, 1, tzinfo=UTC), 10**7), "webkit": (datetime(1601, 1, 1, tzinfo=UTC), 10**6)}


def log(path: Path, moments: list[datetime], written: Callable[[datetime], str], *, head: str = "order_date") -> Path:
    rows = [f"K{place % 20},{written(moment)},{place + 1}.50" for place, moment in enumerate(moments)]
    path.write_text("\n".join([f"customer_id,{head},amount", *rows]) + "\n", encoding="utf-8")
    return path


def read(tmp_path: Path, written: Callable[[datetime], str], moments: list[datetime] = MOMENTS) -> Manifest:
    return ingest(Workspace(tmp_path / "ws"), log(tmp_path / "a.csv", moments, written), "shop")


def days(tmp_path: Path) -> list[date]:
    events = pd.read_parquet(open_dataset(Workspace(tmp_path / "ws"), "shop").events_path)
    return sorted(events["event_time"].dt.date)


@pytest.mark.examples(3)
@pytest.mark.parametrize("epoch", AGES)
def test_numbers_since_other_years_than_1970_are_read_by_those(tmp_path: Path, epoch: str) -> None:
    since, a_second = AGES[epoch]
    made = read(tmp_path, lambda moment: str(int((moment - since).total_seconds()) * a_second))
    assert f"epoch_{epoch}" in warnings(made)
    assert days(tmp_path) == [moment.date() for moment in MOMENTS]


def test_seconds_that_may_be_of_1995_or_of_this_year_are_refused() -> None:
    now = int((datetime.now(UTC) - datetime(2001, 1, 1, tzinfo=UTC)).total_seconds())
    forms = ask(times.form("x"), [str(now - 9_000), "1700000000", "700000000"])
    assert forms == ["epoch_s_or_apple", "epoch_s", "apple"]
    with pytest.raises(Refused) as refused:
        times.decide({"epoch_s_or_apple": 9}, "t", None, "UTC")
    assert refused.value.code == "epoch_unclear"
    assert times.decide({"epoch_s_or_apple": 9, "apple": 3}, "t", None, "UTC")[0].apple
    assert not times.decide({"epoch_s_or_apple": 9, "epoch_s": 3}, "t", None, "UTC")[0].apple


WEEKS = [date(2023, 12, 28) + timedelta(days=step) for step in range(0, 420, 7)] + [date(2024, 2, 29)]

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
    "minguo, in few words": lambda day: f"{day.year - 1911}年{day.month}月{day.day}日",
    "persian": persian,
    "persian, with a clock": lambda day: f"{persian(day).replace('/', '-')} 10:11:12",
}


def read_calendar(folder: Path, times: list[str]) -> tuple[Manifest, list[date]]:
    file = folder / "log.csv"
    rows = [f"c{place % 9},{time},{place + 1}" for place, time in enumerate(times)]
    file.write_text("\n".join(["customer_id,order_time,amount", *rows]), encoding="utf-8")
    manifest = ingest(Workspace(folder / "workspace"), file, "shop")
    kept = pd.read_parquet(open_dataset(Workspace(folder / "workspace"), "shop").events_path)
    return manifest, [moment.date() for moment in kept.sort_values("amount")["event_time"]]


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", SPELT)
def test_dates_of_another_calendar_are_the_days_that_they_were(tmp_path: Path, name: str) -> None:
    manifest, found = read_calendar(tmp_path, [SPELT[name](day) for day in WEEKS])
    assert found == WEEKS and manifest.rows_set_aside == 0
    said = {one["code"] for one in manifest.warnings} & {
        f"warning.years_{one}" for one in ("buddhist", "minguo", "persian")
    }
    assert said == ({f"warning.years_{name.partition(',')[0]}"})


def test_a_day_that_the_other_calendar_has_not_is_set_aside_and_ours_stay(tmp_path: Path) -> None:
    days = [*map(persian, WEEKS), "1403/07/31", "1403/13/01", "2024-05-05"]
    manifest, found = read_calendar(tmp_path, days)
    assert found == [*WEEKS, date(2024, 5, 5)] and manifest.rows_set_aside == 2


def far_dates(folder: Path, days: list[date]) -> dict[str, dict[str, object]]:
    rows = [f"o{number},c{number % 30},{day},{10 + number % 7}.50" for number, day in enumerate(days)]
    path = folder / "log.csv"
    path.write_text("\n".join(["order_id,customer_id,date,amount", *rows]), encoding="utf-8")
    manifest = ingest(Workspace(folder / "workspace"), path, "shop", timezone="UTC", currency="EUR")
    return {item["code"]: item["params"] for item in manifest.warnings if item["code"].startswith("warning.far")}


USUAL = [date(2022, 1, 1) + timedelta(days=number) for number in range(300)]


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("far", "code", "rows", "gap"),
    [
        ([date(2024, 10, 27)], "warning.far_dates", 1, 731),
        ([date(2024, 10, 27), date(2025, 10, 27)], "warning.far_dates", 2, 731),
        ([date(2002, 1, 1)], "warning.far_dates", 1, 7305),
    ],
)
def test_rows_far_from_all_others_are_named(tmp_path: Path, far: list[date], code: str, rows: int, gap: int) -> None:
    found = far_dates(tmp_path, [*USUAL, *far])
    assert list(found) == [code] and (found[code]["rows"], found[code]["days"]) == (rows, gap)


def test_a_shop_that_closes_for_weeks_and_opens_again_has_no_mistyped_dates(tmp_path: Path) -> None:
    later = [date(2023, 1, 1) + timedelta(days=number) for number in range(20)]
    assert far_dates(tmp_path, [*USUAL, *later]) == {}


def stored_days(folder: Path) -> list[date]:
    events = pd.read_parquet(open_dataset(Workspace(folder / "ws"), "shop").events_path)
    return sorted(events["event_time"].dt.date)


def warned_of(folder: Path, cells: Callable[[Order], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    file, made = folder / "log.csv", orders()
    plain = [{"customer_id": one.customer, "order_date": at(one), "amount": one.total} for one in made]
    _write(file, list(plain[0]), [{**row, **cells(one)} for row, one in zip(plain, made, strict=True)])
    found = ingest(Workspace(folder / "ws"), file, "shop").warnings
    return {item["code"].removeprefix("warning."): item["params"] for item in found}


def test_dates_that_a_spreadsheet_turned_are_turned_back(tmp_path: Path) -> None:
    """Opened where months come first, 03/05/2024 is 5 March, and is saved as 2024-03-05; 13/05/2024 stays a text."""

    def written(one: Order) -> dict[str, Any]:
        kept = one.time.day > 12
        return {"order_date": at(one, "%d/%m/%Y") if kept else f"{one.time:%Y}-{one.time:%d}-{one.time:%m}"}

    found, made = warned_of(tmp_path, written)["swapped_dates"], orders()
    assert found["written"] == sum(one.time.day > 12 for one in made)
    assert found["rows"] == len(made) - found["written"]
    assert stored_days(tmp_path) == sorted(one.time.date() for one in made)


def test_dates_of_year_day_and_month_are_read_as_such(tmp_path: Path) -> None:
    found = warned_of(tmp_path, lambda one: {"order_date": at(one, "%Y-%d-%m")})["read_as_ydm"]
    made = orders()
    assert (found["rows"], found["proof"]) == (len(made), sum(one.time.day > 12 for one in made))
    assert stored_days(tmp_path) == sorted(one.time.date() for one in made)


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


def read_time(value: str, order: str = "", zone: str = "UTC") -> datetime:
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = {text(zone)}")
        row = connection.execute(f"SELECT {times.TimeReading(order, zone).value('x')} FROM (SELECT ? AS x)", [value])
        return row.fetchone()[0]


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("order", "form"), FORMATS.values(), ids=FORMATS)
def test_the_name_of_its_zone_moves_a_time(order: str, form: str, name: str) -> None:
    found = [read_time(f"{at.strftime(form)} {name}", order) for at in INSTANTS]
    assert found == [utc(at, NAMES[name]) for at in INSTANTS]


def test_as_programs_print_a_time() -> None:
    assert read_time("Fri Mar 29 12:00:00 KST 2024") == datetime(2024, 3, 29, 3)
    assert read_time("Wed Oct 10 20:19:24 +0000 2018") == datetime(2018, 10, 10, 20, 19, 24)
    assert read_time("Mon Jan  1 09:00:00 2024", zone="Asia/Tokyo") == datetime(2024, 1, 1)


LANGUAGES = (
    *("en_US", "en_GB", "de_DE", "de_AT", "fr_FR", "es_ES", "es_MX", "it_IT", "pt_BR", "pt_PT", "nl_NL", "sv_SE"),
    *("da_DK", "nb_NO", "fi_FI", "pl_PL", "cs_CZ", "sk_SK", "hu_HU", "ro_RO", "tr_TR", "ru_RU", "uk_UA", "el_GR"),
    *("id_ID", "ms_MY", "vi_VN", "ar_EG"),
)  # fmt: skip

CELL = time_texts.plain("x")

DIRECTIONS = dict.fromkeys(map(ord, time_texts.DIRECTIONS))

DATES = [datetime(2023, month, day, 16, 5) for month in range(1, 13) for day in (3, 21)]


@pytest.mark.examples(4)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("style", ["medium", "long", "full"])
def test_dates_of_every_month_are_read_in_the_language_that_they_are_written_in(language: str, style: str) -> None:
    written = [format_date(day, style, language) for day in DATES]
    midnights = [day.replace(hour=0, minute=0) for day in DATES]
    assert ask(times.TimeReading("mdy" if language == "en_US" else "dmy").value(CELL), written) == midnights
    assert all(TIME.fullmatch(unicodedata.normalize("NFKC", day).translate(DIRECTIONS)) for day in written)


@pytest.mark.examples(3)
@pytest.mark.parametrize("language", ["de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "pl_PL", "cs_CZ", "ru_RU", "fi_FI"])
def test_a_clock_behind_such_a_date_is_read_too(language: str) -> None:
    written = [format_datetime(day, "d MMM y", locale=language) + " " + f"{day:%H:%M}" for day in DATES]
    assert ask(times.TimeReading().value("x"), written) == DATES


@pytest.mark.examples(3)
@pytest.mark.parametrize(("written", "order"), [("%d-%m-%y", "dmy"), ("%d/%m/%y", "dmy"), ("%y-%m-%d", "ymd")])
def test_whole_months_show_which_part_of_a_short_date_is_the_day(tmp_path: Path, written: str, order: str) -> None:
    made = read(tmp_path, lambda moment: moment.strftime(written))
    assert f"read_as_{order}" in warnings(made) and days(tmp_path) == [moment.date() for moment in MOMENTS]


def test_a_short_date_is_not_decided_by_what_day_it_is_today(tmp_path: Path) -> None:
    """20-03-27 to 20-03-30 may be 20 March 2027 to 2030: that these are still to come proves nothing next year."""
    moments = [datetime(2020, 3, 24 + step, tzinfo=UTC) for step in range(7)]
    with pytest.raises(NeedsAnswer) as asked:
        read(tmp_path, lambda moment: moment.strftime("%y-%m-%d"), moments)
    assert asked.value.code == "dates_ambiguous_year"
    assert asked.value.params["spans"] == {"dmy": ["2024-03-20", "2030-03-20"], "ymd": ["2020-03-24", "2020-03-30"]}


def test_a_question_of_order_says_the_days_of_each(tmp_path: Path) -> None:
    moments = [datetime(2024, 1 + step % 5, 2 + step % 7, tzinfo=UTC) for step in range(30)]
    with pytest.raises(NeedsAnswer) as asked:
        read(tmp_path, lambda moment: moment.strftime("%d/%m/%Y"), moments)
    other = sorted(date(2024, moment.day, moment.month) for moment in moments)
    assert asked.value.params["spans"] == {
        "dmy": [str(min(moments).date()), str(max(moments).date())],
        "mdy": [str(other[0]), str(other[-1])],
    }


def later(tmp_path: Path, written: str) -> Path:
    """Write a second file, whose days are all below 13, of the months behind the first."""
    moments = [datetime(2023, month, day, tzinfo=UTC) for month in range(4, 12) for day in range(1, 13, 2)]
    return log(tmp_path / "b.csv", moments, lambda moment: moment.strftime(written))


@pytest.mark.parametrize("together", [True, False])
def test_a_later_file_in_another_order_is_read_so_that_it_joins_the_log(tmp_path: Path, together: bool) -> None:
    """The first is written day first until March 2023; month first the second begins behind it, and overlaps else."""
    workspace = Workspace(tmp_path / "ws")
    moments = [datetime(2022, 3, 1, tzinfo=UTC) + timedelta(hours=20 * step) for step in range(470)]
    first = log(tmp_path / "a.csv", moments, lambda moment: moment.strftime("%d/%m/%Y"))
    second = later(tmp_path, "%m/%d/%Y")
    if together:
        made = ingest(workspace, [first, second], "shop")
    else:
        ingest(workspace, first, "shop")
        made = append(workspace, "shop", second)
    assert "dates_in_other_order" in warnings(made)
    assert made.log_end == "2023-11-12"
    assert days(tmp_path)[len(moments)] == date(2023, 4, 1)


def test_a_date_of_the_customer_is_not_the_time_of_her_orders(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"K{place % 20},2021-05-{place % 20 + 1:02},{moment:%Y-%m-%d},5.00" for place, moment in enumerate(MOMENTS)]
    path.write_text("\n".join(["customer_id,created_at,date,amount", *rows]) + "\n", encoding="utf-8")
    made = ingest(Workspace(tmp_path / "ws"), path, "shop")
    assert "customer_date" in warnings(made) and days(tmp_path) == [moment.date() for moment in MOMENTS]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("2022061", datetime(2022, 3, 2)), ("03/02/2022 05:06AM", datetime(2022, 3, 2, 5, 6)), ("2022-13-04", None)],
)
def test_days_of_the_year_and_clocks_without_a_blank(value: str, wanted: datetime | None) -> None:
    assert ask(times.TimeReading("mdy").value("x"), [value]) == [wanted]


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
        read_calendar(tmp_path, [f"{day.year + 1000}-{day:%m-%d}" for day in WEEKS])


def test_a_customers_table_has_its_dates_read_so_too(tmp_path: Path) -> None:
    read_calendar(tmp_path, [SPELT["buddhist"](day) for day in WEEKS])
    file = tmp_path / "people.csv"
    rows = [f"c{place},{'ab'[place % 2]},{place + 1:02}/02/2567" for place in range(9)]
    file.write_text("\n".join(["customer_id,plan,since", *rows]), encoding="utf-8")
    dataset = open_dataset(Workspace(tmp_path / "workspace"), "shop")
    roles = Roles(dated={"plan": "since"}, date_order="dmy")
    reading = read_customers(file, dataset, roles, tmp_path, NoProgress())
    found = pd.read_parquet(reading.table)["since"].tolist()
    assert found == [date(2024, 2, place + 1) for place in range(9)]
    assert "warning.years_buddhist" in {message.code for message in reading.warnings}


def test_sparse_rows_are_not_far(tmp_path: Path) -> None:
    assert far_dates(tmp_path, [date(2022, 1, 1) + timedelta(days=number * number) for number in range(30)]) == {}


def test_two_orders_of_dates_that_begin_with_the_year_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        warned_of(tmp_path, lambda one: {"order_date": at(one, "%Y-%d-%m" if one.number % 2 else "%Y-%m-%d")})
    assert refused.value.code == "year_dates_contradict"


@pytest.mark.parametrize("whole", [True, False])
def test_two_forms_of_dates_that_both_hold_all_days_are_not(tmp_path: Path, whole: bool) -> None:
    def written(one: Order) -> dict[str, Any]:
        return {"order_date": at(one, "%Y-%m-%d") if whole or one.number % 2 else at(one, "%d/%m/%Y")}

    assert "swapped_dates" not in warned_of(tmp_path, written)


@pytest.mark.examples(3)
@pytest.mark.parametrize("form", ["{:08}", "CU{}", "+49 170 55500{:02}", "{0}-1{0}", "17055500{:02}"])
def test_ids_in_one_spelling_are_not(tmp_path: Path, form: str) -> None:
    said = warned_of(tmp_path, lambda one: {"customer_id": form.format(number(one) + 10)})
    assert "ids_merged" not in said


def test_a_name_of_several_zones_is_that_of_the_log() -> None:
    assert read_time("29.03.2024 12:00 CST", "dmy") == datetime(2024, 3, 29, 17)
    assert read_time("29.03.2024 12:00 CST", "dmy", "Asia/Taipei") == datetime(2024, 3, 29, 4)
    assert read_time("2024-07-29 12:00:00 IST", zone="Europe/Dublin") == datetime(2024, 7, 29, 11)
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


@pytest.mark.parametrize(
    "value",
    [
        "3.1.2023 klo 16.05", "3. 1. 2023 16:05", "2023.01.03. 16:05", "2023. 1. 3. 오후 4:05", "03/01/2023 16h05",
        "03-01-2023 16.05", "January 3rd, 2023 4:05 PM", "03-янв-2023 16:05", "3 tháng 1, 2023 16:05",
        "3 sty 2023, 16:05", "3. Jan. 2023, 16:05 Uhr", "3 jan. 2023 kl. 16.05", "mar. 3 janv. 2023 à 16:05",
        "2023-Jan-03 16:05", "3 Januari 2023 pukul 16.05",
    ],
)  # fmt: skip
def test_marks_and_words_of_other_countries_between_the_parts(value: str) -> None:
    assert ask(times.TimeReading("dmy").value("x"), [value]) == [datetime(2023, 1, 3, 16, 5)]
    assert TIME.fullmatch(value)


@pytest.mark.examples(3)
@pytest.mark.parametrize("value", ["3 blau 2023", "2023. blau 3.", "31 lutego 2023", "marraskuu", "tiistai 3 ja 2023"])
def test_what_is_no_month_is_no_time(value: str) -> None:
    assert ask(times.form("x"), [value]) == ["unreadable"]
