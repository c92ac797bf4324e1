"""Texts become times and numbers as Python reads the same texts, one by one."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv_core.collection.engine import text
from clv_core.collection.parse import numbers, times

ZONE = "Europe/Berlin"


def ask(expression: str, values: list[str], zone: str = "UTC") -> list[object]:
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = {text(zone)}")
        rows = ", ".join(f"({i}, {text(value)})" for i, value in enumerate(values))
        found = connection.execute(f"SELECT {expression} FROM (VALUES {rows}) v(i, x) ORDER BY i").fetchall()
    return [row[0] for row in found]


@pytest.mark.slow
@given(st.lists(st.datetimes(datetime(1980, 1, 2), datetime(2037, 1, 1)), min_size=1, max_size=20))
@settings(max_examples=25, deadline=None)
def test_times_in_every_form_are_the_same_instant(moments: list[datetime]) -> None:
    seconds = [moment.replace(microsecond=0, tzinfo=UTC) for moment in moments]
    forms = {
        "dmy": [f"{t:%d/%m/%Y %H:%M:%S}" for t in seconds] + [f"{t.day}.{t.month}.{t:%Y %H:%M:%S}" for t in seconds],
        "mdy": [f"{t:%m/%d/%Y %I:%M:%S %p}" for t in seconds] + [f"{t:%m-%d-%Y %H:%M:%S}" for t in seconds],
        "": [f"{t:%Y-%m-%d %H:%M:%S}" for t in seconds] + [f"{t:%Y-%m-%dT%H:%M:%SZ}" for t in seconds],
    }
    forms[""] += [t.astimezone(ZoneInfo("Asia/Kolkata")).isoformat() for t in seconds]
    forms[""] += [f"{t:%Y%m%d%H%M%S}" for t in seconds] + [f"{t:%Y年%m月%d日 %H:%M:%S}" for t in seconds]
    forms[""] += [str(int(t.timestamp() * 1000)) for t in seconds if t.timestamp() >= 8e8]
    for order, values in forms.items():
        parts = len(values) // len(seconds)
        wanted = [t.replace(tzinfo=None) for _ in range(parts) for t in seconds]
        if order == "":
            wanted = [t.replace(tzinfo=None) for _ in range(5) for t in seconds]
            wanted += [t.replace(tzinfo=None) for t in seconds if t.timestamp() >= 8e8]
        assert ask(times.TimeReading(order).value("x"), values) == wanted


def test_times_without_an_offset_belong_to_the_zone() -> None:
    values = ["2024-01-15 10:00:00", "2024-07-15 10:00", "15/07/2024 10:00", "20240715", "2024-07-15T10:00:00Z"]
    read = ask(times.TimeReading("dmy", ZONE).value("x"), values, ZONE)
    own = [datetime(2024, 1, 15, 10), *[datetime(2024, 7, 15, 10)] * 2, datetime(2024, 7, 15)]
    wanted = [t.replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC).replace(tzinfo=None) for t in own]
    assert read == [*wanted, datetime(2024, 7, 15, 10)]


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("15-JAN-2024", datetime(2024, 1, 15)), ("15-Jan-24", datetime(2024, 1, 15)),
        ("15-JAN-2024 10:11:12 -0100", datetime(2024, 1, 15, 11, 11, 12)),
    ],
)  # fmt: skip
def test_a_year_behind_a_dash_is_no_offset(value: str, wanted: datetime) -> None:
    assert ask(times.TimeReading().value("x"), [value]) == [wanted]
    assert ask(times.form("x"), [value]) == ["zoned -01:00" if wanted.hour else "written"]


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    "value",
    [
        "2024-03-05 23:30:00.0000000 +01:00", "2024-03-05 23:30:00 +01:00", "2024-03-05T23:30:00 +01",
        "2024-03-05T22:30Z",
        "2024-03-06T06:30+08", "2024-03-06 06:30 +0800", "2024-03-06 06:30+08:00", "2024-03-05 22:30 UTC",
        "20240305T223000Z", "20240305T233000+0100", "Tue Mar 05 2024 23:30:00 GMT+0100 (CET)", "5 Mar 2024 23:30 +0100",
        "2024-03-05 11:30 PM +01:00",
    ],
)  # fmt: skip
def test_offsets_are_told_with_a_blank_before_them_and_without_seconds(value: str) -> None:
    assert ask(times.TimeReading("", ZONE).value("x"), [value], ZONE) == [datetime(2024, 3, 5, 22, 30)]
    assert str(ask(times.form("x"), [value], ZONE)[0]).startswith("zoned")


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("value", "hour", "minute"),
    [
        ("2024年1月5日 8时", 8, 0), ("2024年1月5日 8点整", 8, 0), ("2024年1月5日 20时5分", 20, 5),
        ("2024年1月5日 晚上8:10", 20, 10), ("2024/1/5 晚上11点", 23, 0), ("2024-1-5 凌晨1:05", 1, 5),
        ("45296,25", 6, 0), ("45296.25", 6, 0),
    ],
)  # fmt: skip
def test_clocks_of_chinese_and_of_european_spreadsheets(value: str, hour: int, minute: int) -> None:
    assert ask(times.TimeReading().value("x"), [value]) == [datetime(2024, 1, 5, hour, minute)]
    assert ask(times.form("x"), [value, "2024年1月5日 晚上12:10"])[1:] == ["unreadable"]


@pytest.mark.examples(4)
@pytest.mark.parametrize(
    ("value", "day", "hour"),
    [
        ("Jan-05-24", 5, 0), ("Jan-05-2024", 5, 0), ("2024-01-05 02", 5, 2),
        ("05-Jan-24 11.00.00.000000 AM", 5, 11), ("05-JAN-24 11.00.00 PM", 5, 23), ("05/01/2024 às 11:00", 5, 11),
        ("5 de enero de 2024 11:00 hs.", 5, 11), ("5 de janeiro de 2024 às 11:00", 5, 11), ("5 janv. 2024", 5, 0),
        ("5. Januar 2024 11:00 Uhr", 5, 11), ("5 января 2024 г. 11:00", 5, 11), ("05/01/2024 11:00 Uhr", 5, 11),
        ("2024년 01월 05일 11:00", 5, 11), ("2024년 1월 5일 오후 3시 00분", 5, 15), ("2024年1月5日(金) 11:00", 5, 11),
        ("2024年1月5日 11時00分", 5, 11), ("2024年1月5日 午後3時", 5, 15),
    ],
)  # fmt: skip
def test_dates_as_other_languages_and_systems_write_them(value: str, day: int, hour: int) -> None:
    assert ask(times.TimeReading("dmy").value("x"), [value]) == [datetime(2024, 1, day, hour)]
    assert ask(times.form("x"), [value, "5 de blau de 2024", "令和6年1月5日"])[1:] == ["unreadable"] * 2


def test_a_zone_that_one_row_names_is_not_that_of_the_next() -> None:
    cells = ["2024-01-05 09:05:00 America/New_York", "2024-1-6 9:05", "5 Jan 2024 10:11:12 US/Eastern", "2024.1.7 9:05"]
    utc = [datetime(2024, 1, 5, 14, 5), datetime(2024, 1, 6, 0, 5), datetime(2024, 1, 7, 0, 5)]
    found = ask(times.TimeReading(timezone="Asia/Tokyo").value("x"), cells)
    assert [found[0], found[1], found[3]] == utc


@pytest.mark.examples(6)
@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("13/02/2024", "day_first"), ("02/13/2024", "month_first"), ("01/02/2024", "either"), ("02/02/2024", "same"),
        ("20-03-30", "day_or_year"), ("20-03-12", "day_or_year"), ("11-01-05", "any"), ("31.1.24", "day_first"),
        ("1.2.3", "unreadable"), ("2024-02-30", "unreadable"), ("2024-06-30 23:59:60Z", "unreadable"),
        ("1704067200", "epoch_s"), ("1704067200000", "epoch_ms"), ("45292.5", "excel"), ("19970131", "compact"),
        ("745", "unreadable"), ("9", "unreadable"), ("0829", "unreadable"), ("1332", "unreadable"),
        ("2024-03-10 02:30:00 America/New_York", "zoned"),
        ("2024-03-10 02:30+08", "zoned +08:00"), ("2024-03-10T02:30:00+0530", "zoned +05:30"),
        ("2024-03-10T02:30:00+00:00", "zoned"), ("2024-03-10T02:30:00Z", "zoned"), ("12 Feb 2024", "written"),
    ],
)  # fmt: skip
def test_forms_of_time(value: str, form: str) -> None:
    assert ask(times.form("x"), [value]) == [form]


def test_serial_days_are_those_of_excel() -> None:
    """39448 is 1 January 2008 in Microsoft's documentation of DATEVALUE and TODAY; 0.5 is noon."""
    found = ask(times.TimeReading().value("x"), ["39448", "39448.5", "45351", "45352.25"])
    assert found == [datetime(2008, 1, 1), datetime(2008, 1, 1, 12), datetime(2024, 2, 29), datetime(2024, 3, 1, 6)]


@pytest.mark.slow
@given(st.lists(st.decimals(-(10**7), 10**7, places=2, allow_nan=False), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None)
def test_amounts_in_every_spelling_are_the_same_number(amounts: list[object]) -> None:
    plain = [f"{amount:.2f}" for amount in amounts]
    english = [f"{amount:,.2f}" for amount in amounts]
    german = [value.translate(str.maketrans(",.", ".,")) for value in english]
    french = [value.replace(",", "\u202f").replace(".", ",") for value in english]
    books = [f"({value[1:]})" if value.startswith("-") else f"€ {value}" for value in english]
    wide = [value.translate(str.maketrans("0123456789.,-", "０１２３４５６７８９．，－")) for value in english]
    wanted = [float(value) for value in plain]
    for spelled in (plain, english, german, french, books, wide):
        for decimal in ("point", "comma"):
            assert ask(numbers.NumberReading(decimal).value("x"), spelled) == wanted


def test_pieces_are_counted_without_their_word() -> None:
    wanted = {"2件": 2, "3 个": 3, "1 pc": 1, "4 pcs.": 4, "5 Stk": 5, "件": None}
    assert ask(numbers.NumberReading().value("x"), list(wanted)) == list(wanted.values())


def test_a_dash_behind_the_decimal_mark_says_no_cents_and_is_no_minus() -> None:
    values = ["CHF 20.-", "35.–", "12,-", "7.--", "9,—", "1'200.- Fr.", "-5.-", "(8.-)", "20-", "20.50-"]
    wanted = [20, 35, 12, 7, 9, 1200, -5, -8, -20, -20.5]
    assert ask(numbers.NumberReading().value("x"), values) == wanted
    assert ask(numbers.form("x"), ["CHF 20.-", "12,-"]) == ["integer", "integer"]


@given(st.lists(st.one_of(st.text(max_size=10), st.floats().map(str)), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_whatever_is_no_number_is_null_and_nothing_is_infinite(values: list[str]) -> None:
    values = [value.replace("\0", "") for value in values]
    for read in ask(numbers.NumberReading().value("x"), values):
        assert read is None or (isinstance(read, float) and math.isfinite(read))
