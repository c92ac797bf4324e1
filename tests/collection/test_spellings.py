"""A query that knows the usual spellings alone reads what it knows as Python does, and leaves nothing else unread."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from clv_core.collection.infer.profile import SAMPLE_ROWS
from clv_core.collection.parse import numbers, time_texts, times
from clv_core.collection.parse.numbers import OTHERWISE, are_usual
from tests.collection.small_logs import day, paid, read, write
from tests.collection.test_values import ask

pytestmark = pytest.mark.first(2)

USUAL_NUMBERS = ["0", "12", "-7", "+3", "12.5", "-0.25", "1234.5678", "1e3", "1.5E-2", "5.", ".5", "1" * 20]
OTHER_NUMBERS = ["1,234.50", "12,5", "€ 5", "5-", "(5.00)", "１２", "1 000", "5k", "nan", "inf", "x"]
USUAL_TIMES = ["2024-01-31", "2024-01-31 10:11:12", "2024-01-31T10:11:12.123456", "2024-01-31T10:11:12"]
OTHER_TIMES = ["31 Jan 2024", "2024年1月31日", "2024-01-31T10:00+08:00", "2024-01-31 10:11", "Jan 31, 2024", "711"]


@pytest.mark.examples(4)
@pytest.mark.parametrize("value", USUAL_NUMBERS)
def test_a_usual_number_is_what_python_reads(value: str) -> None:
    assert ask(numbers.NumberReading(usual=True).value("x"), [value]) == [float(value)]
    assert ask(numbers.form("x", usual=True), [value]) == ask(numbers.form("x"), [value]) != [OTHERWISE]
    assert are_usual([value, None], numbers.USUAL)


def test_a_number_that_is_none_after_all_is_told_to_be_one() -> None:
    assert are_usual(["1e999"], numbers.USUAL)
    assert ask(numbers.form("x", usual=True), ["1e999"]) == [OTHERWISE]


@pytest.mark.parametrize("value", OTHER_NUMBERS)
def test_any_other_number_is_told_to_be_one(value: str) -> None:
    assert ask(numbers.form("x", usual=True), [value]) == [OTHERWISE]
    assert not are_usual(["1", value], numbers.USUAL)


@pytest.mark.examples(3)
@pytest.mark.parametrize("value", USUAL_TIMES)
def test_a_usual_time_is_what_python_reads(value: str) -> None:
    assert ask(times.TimeReading(usual=True).value("x"), [value]) == [datetime.fromisoformat(value)]
    assert ask(times.form("x", usual=True), [value]) == ask(times.form("x"), [value]) == ["naive"]
    assert are_usual([value, None], time_texts.USUAL)


@pytest.mark.parametrize(
    "value", ["2024-01-31 10:11:12 +0800", "2024-01-31T10:11:12.5-03:30", "2024-01-31 10:11:12+00:00"]
)
def test_a_time_with_an_offset_is_a_usual_one(value: str) -> None:
    utc = datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
    assert ask(times.TimeReading(usual=True, timezone="Asia/Tokyo").value("x"), [value]) == [utc]
    assert ask(times.TimeReading(timezone="Asia/Tokyo").value("x"), [value]) == [utc]
    assert ask(times.form("x", usual=True), [value]) == ask(times.form("x"), [value]) != [OTHERWISE]
    assert are_usual([value, None], time_texts.USUAL)


@pytest.mark.parametrize("value", OTHER_TIMES)
def test_any_other_time_is_told_to_be_one(value: str) -> None:
    assert ask(times.form("x", usual=True), [value]) == [OTHERWISE]
    assert not are_usual(["2024-01-31", value], time_texts.USUAL)


def test_what_is_spelled_otherwise_far_below_the_sample_is_read_all_the_same(tmp_path: Path) -> None:
    odd = SAMPLE_ROWS + 40

    def row(at: int) -> list[object]:
        when = f"{day(at)}T08:00:00+08:00" if at == odd else day(at)
        return [f"c{at % 7}", when, f'"€ 1,{at % 900 + 100:03}.50"' if at == odd + 1 else paid(at)]

    _, events, _ = read(write(tmp_path, "customer_id,time,amount", row, rows=odd + 10))
    assert len(events) == odd + 10
    assert str(events["event_time"][odd]) == f"{day(odd)} 00:00:00"
    assert events["amount"][odd + 1] == 1000 + (odd + 1) % 900 + 100 + 0.5 and events["amount"][odd] == paid(odd)
