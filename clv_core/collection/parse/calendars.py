"""Years that are counted from elsewhere, and short names of time zones: written as ours before a time is read.

Years of another calendar (2567, 1403, 113) are told by a sample: nearly all are far from any event's.

Short names of zones (CET, EDT, JST) are read by their offset, or by a place's clock where people write them all year
round. Some are used for several zones (``time_zones.toml``), and that is said.

Source: the arithmetic of the solar Hijri calendar is that of its cycles of 33 years, which holds for 1343 to 1472.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from clv_core.collection.engine import text
from clv_core.collection.parse.numbers import DIGITS
from clv_core.errors import Message

YEARS: Final = {
    "buddhist": r"(^|\D)(25[2-9]\d)(\D|$)",
    "minguo": r"^()(0[7-9]\d|1[0-4]\d)([/.年-] ?\d{1,2} ?[/.月-] ?\d{1,2}(?:\D|$))",
    "persian": r"^()(13[6-9]\d|14[0-3]\d)( ?[/.-] ?\d{1,2} ?[/.-] ?\d{1,2}(?:\D|$))",
}
"""What stands before, as and behind a year that no event of ours has, by the calendar in which events have it."""
BEFORE: Final = {"buddhist": -543, "minguo": 1911}
NEARLY_ALL: Final = 0.9
PERSIAN_DATE: Final = r"^(\d{4}) ?[/.-] ?(\d{1,2}) ?[/.-] ?(\d{1,2})"
NOWRUZ, NOWRUZ_YEAR = "DATE '2024-03-20'", "1403"
"""A first day of a Persian year, as it was celebrated."""

_ZONES: Final = tomllib.loads(Path(__file__).with_name("time_zones.toml").read_text(encoding="utf-8"))
NAMED: Final = r"^(.*\d(?: ?[AaPp][Mm])?) ?([A-Za-z]{2,5})$"
YEAR_LAST: Final = (
    r"^[A-Za-z]{3} ([A-Za-z]{3}) +(\d{1,2}) (\d\d:\d\d:\d\d)( [A-Za-z]{2,5}| [+-]\d{4}|) (\d{4})$",
    r"\2-\1-\5 \3\4",
)
"""Fri Mar 29 12:00:00 CST 2024, as programs print a time, and how it is written instead."""
DAYS: Final = (datetime(2024, 1, 15), datetime(2024, 7, 15))


def calendar_of(texts: Collection[str]) -> str:
    """Return the calendar of a sample's times, a key of :data:`YEARS`; empty where most are of ours.

    Args:
        texts: cells of a column, those that stand for nothing left out.
    """
    cells = [cell.translate(str.maketrans(*DIGITS)).strip() for cell in texts]
    counts = {calendar: sum(bool(re.search(year, cell)) for cell in cells) for calendar, year in YEARS.items()}
    calendar = max(counts, key=lambda name: counts[name])
    return calendar if counts[calendar] >= max(1, NEARLY_ALL * len(cells)) else ""


def to_common_era(column: str, calendar: str) -> str:
    """Return SQL that writes the dates of another calendar as ours; texts without such a date stay.

    Args:
        column: a text expression, in ASCII digits.
        calendar: of :func:`calendar_of`; empty changes nothing.
    """
    if not calendar:
        return column
    pattern = text(YEARS[calendar])
    if calendar in BEFORE:
        year = f"regexp_extract(t, {pattern}, 2)"
        rest = f"substr(t, strpos(t, {year}) + length({year}))"
        ours = f"concat(left(t, strpos(t, {year}) - 1), {year}::INT + {BEFORE[calendar]}, {rest})"
    else:
        year, month, day = (f"regexp_extract(t, {text(PERSIAN_DATE)}, {group})::INT" for group in (1, 2, 3))
        of_year = f"if({month} < 7, ({month} - 1) * 31, ({month} - 7) * 30 + 186) + {day}"
        days = f"({_persian_days(year)} - {_persian_days(NOWRUZ_YEAR)} + {of_year} - 1)::INT"
        ours = (
            f"CASE WHEN {month} BETWEEN 1 AND 12 AND {day} BETWEEN 1 AND if({month} < 7, 31, 30)"
            f" THEN strftime({NOWRUZ} + {days}, '%Y-%m-%d') || regexp_replace(t, {text(PERSIAN_DATE)}, '') ELSE t END"
        )
    return f"list_transform([{column}], lambda t: CASE WHEN regexp_matches(t, {pattern}) THEN {ours} ELSE t END)[1]"


def _persian_days(year: str) -> str:
    """Return SQL for the days before a Persian year, from any day on: eight of 33 years are leap years."""
    since = f"({year} + 1595)"
    return f"(365 * {since} + 8 * ({since} // 33) + ({since} % 33 + 3) // 4)"


def zone_of(short: str, timezone: str) -> str:
    """Return the zone or the offset that a short name stands for, "" where it is not known.

    Args:
        short: in capitals.
        timezone: of the log; where its clock is that of one of several zones of the name, it is that one.
    """
    several = _ZONES["shared"].get(short, ())
    same = (zone for zone in several if _clock(zone) == _clock(timezone))
    return str(_ZONES["zones"].get(short) or next(same, several[0] if several else ""))


def with_zones(column: str, timezone: str) -> str:
    """Return SQL that writes a short name behind a time as its offset, or as the zone's full name.

    Quick tests tell texts that have none.
    """
    zones = {short: zone_of(short, timezone) for short in (*_ZONES["zones"], *_ZONES["shared"])}
    cases = "".join(
        f" WHEN {text(short)} THEN {text(zone if zone[0] in '+-' else f' {zone}')}" for short, zone in zones.items()
    )
    short, rest = (f"regexp_extract(y, {text(NAMED)}, {group})" for group in (2, 1))
    named = f"coalesce({rest} || CASE upper({short}) {cases} END, y)"
    printed = f"regexp_replace({column}, {text(YEAR_LAST[0])}, {text(YEAR_LAST[1])})"
    turned = f"CASE WHEN {column}[4] = ' ' THEN {printed} ELSE {column} END"
    return (
        f"CASE WHEN {column}[-1] BETWEEN 'A' AND 'z' OR {column}[4] = ' '"
        f" THEN list_transform([{turned}], lambda y: {named})[1] ELSE {column} END"
    )


def shared_zone_warnings(texts: Collection[str], column: str, timezone: str) -> tuple[Message, ...]:
    """Return what is to be said of short names in a sample of times that stand for several zones.

    Args:
        texts: of the times.
        column: their column in the file.
        timezone: of the log.
    """
    found = (re.match(NAMED, cell.strip()) for cell in texts)
    shared = _ZONES["shared"]
    zones = {
        short: zone_of(short, timezone)
        for short in sorted({match.group(2).upper() for match in found if match} & set(shared))
    }
    return tuple(
        Message("warning.zone_of_several", {"column": column, "short": short, "zone": zone, "zones": shared[short]})
        for short, zone in zones.items()
        if _clock(zone) != _clock(timezone)
    )


def _clock(zone: str) -> list[object]:
    """Return how far from UTC a zone is in winter and in summer."""
    return [day.replace(tzinfo=ZoneInfo(zone)).utcoffset() for day in DAYS]
