"""Times and days that can be read in several ways: orders of parts, other calendars, zones, months by name, slips."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from babel.dates import format_date, format_datetime

from clv_core.collection.infer.columns.proposal import TIME
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.parse import time_texts, times
from clv_core.collection.parse.times import zone_of
from clv_core.collection.store.version_store import Manifest, open_dataset
from clv_core.errors import NeedsAnswer, Refused
from clv_core.workspace import Workspace
from tests.collection.small_logs import put, read_lines, warnings
from tests.collection.test_values import ask

pytestmark = pytest.mark.first(12)

START = datetime(2022, 3, 1, 9, 30, tzinfo=UTC)

MOMENTS = [START + timedelta(hours=31 * step) for step in range(240)]


def log(path: Path, moments: list[datetime], written: Callable[[datetime], str]) -> Path:
    rows = [f"K{place % 20},{written(moment)},{place + 1}.50" for place, moment in enumerate(moments)]
    return put(path.parent, ["customer_id,order_date,amount", *rows], path.name)


def read(tmp_path: Path, written: Callable[[datetime], str], moments: list[datetime] = MOMENTS) -> Manifest:
    return ingest(Workspace(tmp_path / "ws"), log(tmp_path / "a.csv", moments, written), "shop")


def days(folder: Path) -> list[date]:
    events = pd.read_parquet(open_dataset(Workspace(folder / "ws"), "shop").events_path)
    return sorted(events["event_time"].dt.date)


@pytest.mark.parametrize(
    "since", [datetime(2001, 1, 1, tzinfo=UTC), datetime(1601, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]
)
@pytest.mark.parametrize("per_second", [1, 1_000, 10**6, 10**7])
def test_times_counted_since_another_year_than_1970_are_refused(
    tmp_path: Path, since: datetime, per_second: int
) -> None:
    with pytest.raises(Refused):
        read(tmp_path, lambda moment: str(int((moment - since).total_seconds()) * per_second))


@pytest.mark.parametrize(
    "written", ["{0.day:02}/{0.month:02}/2567", "2567-{0:%m-%d}", "113/{0:%m/%d}", "1403-{0:%m-%d}"]
)
def test_years_of_another_calendar_are_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(Refused):
        read(tmp_path, written.format)


def far_dates(folder: Path, days: list[date]) -> dict[str, dict[str, object]]:
    rows = [f"o{number},c{number % 30},{day},{10 + number % 7}.50" for number, day in enumerate(days)]
    said = read_lines(folder, ["order_id,customer_id,date,amount", *rows])[2]
    return {code: params for code, params in said.items() if code.startswith("far")}


USUAL = [date(2022, 1, 1) + timedelta(days=number) for number in range(300)]


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("far", "rows", "gap"),
    [
        ([date(2024, 10, 27)], 1, 731),
        ([date(2024, 10, 27), date(2025, 10, 27)], 2, 731),
        ([date(2002, 1, 1)], 1, 7305),
    ],
)
def test_rows_far_from_all_others_are_named(tmp_path: Path, far: list[date], rows: int, gap: int) -> None:
    found = far_dates(tmp_path, [*USUAL, *far])["far_dates"]
    assert (found["rows"], found["days"]) == (rows, gap)


@pytest.mark.parametrize(
    "days",
    [
        [*USUAL, *(date(2023, 1, 1) + timedelta(days=number) for number in range(20))],
        [date(2022, 1, 1) + timedelta(days=number * number) for number in range(30)],
    ],
    ids=["closed for weeks", "sparse"],
)
def test_a_shop_that_closes_for_weeks_and_opens_again_has_no_mistyped_dates(tmp_path: Path, days: list[date]) -> None:
    assert far_dates(tmp_path, days) == {}


@pytest.mark.parametrize("kept", [True, False])
def test_dates_that_a_spreadsheet_turned_are_refused(tmp_path: Path, kept: bool) -> None:
    """Opened where months come first, 03/05/2024 is 5 March, and is saved as 2024-03-05; 13/05/2024 stays a text."""

    with pytest.raises(Refused) as refused:
        read(tmp_path, lambda day: f"{day:%d/%m/%Y}" if kept and day.day > 12 else f"{day:%Y}-{day:%d}-{day:%m}")
    assert refused.value.code == "year_dates_contradict"


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


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("order", "form"), FORMATS.values(), ids=FORMATS)
def test_the_name_of_its_zone_moves_a_time(order: str, form: str, name: str) -> None:
    found = ask(times.TimeReading(order).value("x"), [f"{at.strftime(form)} {name}" for at in INSTANTS])
    assert found == [utc(at, NAMES[name]) for at in INSTANTS]


def read_time(value: str, order: str = "", zone: str = "UTC") -> object:
    return ask(times.TimeReading(order, zone).value("x"), [value], zone)[0]


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
    orders = {"dmy": moments, "mdy": [date(2024, moment.day, moment.month) for moment in moments]}
    spans = {order: [f"{min(days):%Y-%m-%d}", f"{max(days):%Y-%m-%d}"] for order, days in orders.items()}
    assert asked.value.params["spans"] == spans


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
    rows = [f"K{place % 20},2021-05-{place % 20 + 1:02},{moment:%Y-%m-%d},5.00" for place, moment in enumerate(MOMENTS)]
    path = put(tmp_path, ["customer_id,created_at,date,amount", *rows])
    with pytest.raises(NeedsAnswer, match='--map "event_time=date"'):
        ingest(Workspace(tmp_path / "ws"), path, "shop")
    ingest(Workspace(tmp_path / "ws"), path, "shop", mapping={"event_time": "date"})
    assert days(tmp_path) == [moment.date() for moment in MOMENTS]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("2022061", datetime(2022, 3, 2)), ("03/02/2022 05:06AM", datetime(2022, 3, 2, 5, 6)), ("2022-13-04", None)],
)
def test_days_of_the_year_and_clocks_without_a_blank(value: str, wanted: datetime | None) -> None:
    assert ask(times.TimeReading("mdy").value("x"), [value]) == [wanted]


@pytest.mark.parametrize("whole", [True, False])
def test_two_forms_of_dates_that_both_hold_all_days_are_not(tmp_path: Path, whole: bool) -> None:
    turned = iter(range(len(MOMENTS)))
    read(tmp_path, lambda moment: f"{moment:%d/%m/%Y}" if next(turned) % 2 and not whole else f"{moment:%Y-%m-%d}")
    assert days(tmp_path) == [moment.date() for moment in MOMENTS]


def test_a_name_of_several_zones_is_that_of_the_log() -> None:
    assert read_time("29.03.2024 12:00 CST", "dmy") == datetime(2024, 3, 29, 17)
    assert read_time("29.03.2024 12:00 CST", "dmy", "Asia/Taipei") == datetime(2024, 3, 29, 4)
    assert read_time("2024-07-29 12:00:00 IST", zone="Europe/Dublin") == datetime(2024, 7, 29, 11)
    assert zone_of("BST", "UTC") == "Europe/London" and zone_of("BST", "Asia/Dhaka") == "Asia/Dhaka"
    assert zone_of("XYZ", "UTC") == ""


@pytest.mark.parametrize(("zone", "told"), [("UTC", ["CST"]), ("Asia/Shanghai", [])])
def test_a_name_of_several_zones_is_said_unless_the_log_settles_it(tmp_path: Path, zone: str, told: list[str]) -> None:
    clocks = [datetime(2024, 1, 20, 1, 30) + timedelta(hours=31 * at) for at in range(60)]
    lines = [f"c{at % 9},{clock:%d.%m.%Y %H:%M} CST,{at + 1}.50" for at, clock in enumerate(clocks)]
    manifest, events, said = read_lines(tmp_path, ["customer_id,date,amount", *lines], timezone=zone)
    of = [one.params["short"] for one in manifest.warnings if one.code == "warning.zone_of_several"]
    own = "America/Chicago" if zone == "UTC" else zone
    assert of == told and events["event_time"].tolist() == [utc(clock, own) for clock in clocks]
    assert "read_as_dmy" in said


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
