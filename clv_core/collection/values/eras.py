"""Years that are counted from elsewhere, written as ours before a time is read.

An era that stands beside its year (令和5年, 民國113年) is told in each cell. Years that are written as ours
(2567, 1403), or of three digits (113), are told by a sample: nearly all are far from any event's.

Source: the arithmetic of the solar Hijri calendar is that of its cycles of 33 years, which holds for 1343 to 1472.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from clv_core.collection.engine import text
from clv_core.collection.values.numbers import DIGITS

ERAS: Final = {"令和": 2018, "平成": 1988, "昭和": 1925, "中華民國": 1911, "中华民国": 1911, "民國": 1911, "民国": 1911}
"""Japanese eras and that of Taiwan, and the year before their first."""
ERA: Final = rf"^({'|'.join(ERAS)}) ?(\d{{1,3}}|元) ?年(.*)$"

BUDDHIST: Final = "buddhist"
MINGUO: Final = "minguo"
PERSIAN: Final = "persian"
YEARS: Final = {
    BUDDHIST: r"(^|\D)(25[2-9]\d)(\D|$)",
    MINGUO: r"^()(0[7-9]\d|1[0-4]\d)([/.年-] ?\d{1,2} ?[/.月-] ?\d{1,2}(?:\D|$))",
    PERSIAN: r"^()(13[6-9]\d|14[0-3]\d)( ?[/.-] ?\d{1,2} ?[/.-] ?\d{1,2}(?:\D|$))",
}
"""What stands before, as and behind a year that no event of ours has, by the calendar in which events have it."""
NEARLY_ALL: Final = 0.9
BEFORE: Final = {BUDDHIST: -543, MINGUO: 1911}
IN_ASCII: Final = str.maketrans(*DIGITS)
PERSIAN_DATE: Final = r"^(\d{4}) ?[/.-] ?(\d{1,2}) ?[/.-] ?(\d{1,2})"
NOWRUZ: Final = "DATE '2024-03-20'"
NOWRUZ_YEAR: Final = 1403
"""A first day of a Persian year, as it was celebrated."""


def calendar_of(texts: Collection[str]) -> str:
    """Return the calendar of a sample's times, a key of :data:`YEARS`; empty where most are of ours.

    Args:
        texts: cells of a column, those that stand for nothing left out.
    """
    cells = [cell.translate(IN_ASCII).strip() for cell in texts]
    told = {calendar: sum(bool(re.search(year, cell)) for cell in cells) for calendar, year in YEARS.items()}
    calendar = max(told, key=lambda one: told[one])
    return calendar if told[calendar] >= max(1, NEARLY_ALL * len(cells)) else ""


def in_our_years(column: str, calendar: str) -> str:
    """Return SQL that writes the dates of another calendar as ours; texts without such a date stay.

    Args:
        column: a text expression, in ASCII digits.
        calendar: of :func:`calendar_of`; empty changes nothing.
    """
    if not calendar:
        return column
    pattern = text(YEARS[calendar])
    if calendar == PERSIAN:
        year, month, day = (f"regexp_extract(t, {text(PERSIAN_DATE)}, {group})::INT" for group in (1, 2, 3))
        days = f"({_persian_days(year)} - {_persian_days(str(NOWRUZ_YEAR))} + {_day_of_year(month, day)} - 1)::INT"
        ours = f"strftime({NOWRUZ} + {days}, '%Y-%m-%d') || regexp_replace(t, {text(PERSIAN_DATE)}, '')"
        possible = f"{month} BETWEEN 1 AND 12 AND {day} BETWEEN 1 AND if({month} < 7, 31, 30)"
        said = f"CASE WHEN {possible} THEN {ours} ELSE t END"
    else:
        year = f"regexp_extract(t, {pattern}, 2)"
        rest = f"substr(t, strpos(t, {year}) + length({year}))"
        said = f"concat(left(t, strpos(t, {year}) - 1), {year}::INT + {BEFORE[calendar]}, {rest})"
    return f"list_transform([{column}], lambda t: CASE WHEN regexp_matches(t, {pattern}) THEN {said} ELSE t END)[1]"


def _persian_days(year: str) -> str:
    """Return SQL for the days before a Persian year, from any day on: eight of 33 years are leap years."""
    since = f"({year} + 1595)"
    return f"(365 * {since} + 8 * ({since} // 33) + ({since} % 33 + 3) // 4)"


def _day_of_year(month: str, day: str) -> str:
    return f"if({month} < 7, ({month} - 1) * 31, ({month} - 7) * 30 + 186) + {day}"


def common_era(column: str) -> str:
    """Return SQL that writes the year of an era as one of ours: 令和5年1月1日 and 民國112年1月1日 are of 2023."""
    before = "".join(f" WHEN starts_with({column}, {text(era)}) THEN {year}" for era, year in ERAS.items())
    year, rest = (f"regexp_extract({column}, {text(ERA)}, {group})" for group in (2, 3))
    written = f"concat(CASE{before} END + coalesce(try_cast({year} AS INT), 1), '年', {rest})"
    return f"CASE WHEN regexp_matches({column}, {text(ERA)}) THEN {written} ELSE {column} END"
