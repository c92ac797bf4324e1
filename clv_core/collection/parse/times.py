"""Texts become times: each value's form is classified first, so that nothing is guessed by a column's average.

Forms: ``naive`` and ``zoned`` (ISO, without or with an offset, which follows: ``zoned +08:00``), ``compact`` (19970131,
19970131235959, 1997031), ``day_first``, ``month_first``, ``either`` and ``same`` (31/01/2024, 01/31/2024, 01/02/2024,
01/01/2024), ``year_first``, ``day_or_year``, ``month_or_year`` and ``any`` (99-03-12, 20-03-12, what fits all three),
``epoch_s`` to ``epoch_ns`` (:data:`EPOCHS`), ``excel`` (serial days), ``written`` (month names, Chinese), ``missing``,
``year_day`` (2024-13-05), ``unreadable``;
``otherwise`` where only the usual spellings were requested and a value has none of them.

Short names of time zones behind a time (CET, EDT, JST) are written as offsets or full names first: by their offset, or
by a place's clock where people write them all year round. Some are used for several zones (``time_zones.toml``), and
a warning says so.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from clv_core.collection.engine import text
from clv_core.collection.parse import time_texts
from clv_core.collection.parse.numbers import OTHERWISE
from clv_core.errors import Message

EARLIEST: Final = date(1980, 1, 1)
"""Older times are default values of databases and spreadsheets (0000, 1899-12-30, 1900, 1970-01-01), not events."""

LONGEST: Final = 300
"""Bytes of a text; a longer one is no time, and to search through millions of them takes minutes."""
ZONED: Final = "zoned"
EPOCHS: Final = {"epoch_s": "* 1e6", "epoch_ms": "* 1e3", "epoch_us": "", "epoch_ns": "/ 1e3"}
"""Units in which time is counted since 1970, and how they become microseconds."""
SINCE, UNTIL = 8e8, 4e9
"""Seconds since 1970, 1995 to 2096: what is counted from another year (2001 by Apple, 1601 by Windows, 1 by .NET) is
outside in every unit, and is no time."""


@dataclass(frozen=True)
class TimeReading:
    """How a column of times is read.

    Args:
        order: ``dmy``, ``mdy`` or ``ymd`` for dates such as 03/04/24; empty where none occur.
        timezone: where times without an offset belong.
        usual: whether no value is spelled otherwise than in the usual ways, so that the query need not know the others.
    """

    order: str = ""
    timezone: str = "UTC"
    usual: bool = False

    def value(self, column: str) -> str:
        """Return SQL for the UTC time of ``column`` (a text expression, missing values NULL), or NULL."""
        naive = self._from_zone
        digits, compact = time_texts.number(column), time_texts.compact(column)
        return (
            f"CASE WHEN strlen({column}) > {LONGEST} THEN NULL"
            f" WHEN {time_texts.plainest(column)} THEN {naive(f'try_cast({column} AS TIMESTAMP)')}"
            f" WHEN {time_texts.plain_iso(column)} THEN {naive(f'try_cast({column} AS TIMESTAMP)')}"
            f" WHEN {time_texts.plain_utc(column)} THEN try_cast({column} AS TIMESTAMP)"
            f" WHEN {time_texts.digits(column)} THEN CASE"
            f" WHEN strlen({column}) IN (7, 8, 12, 14) AND {compact} IS NOT NULL THEN {naive(compact)}"
            f"{_epochs(digits, 'make_timestamp(round({number} {factor})::BIGINT)')}"
            f" WHEN {digits} BETWEEN 20000 AND 90000"
            f" THEN {naive(f'make_timestamp(round(({digits} - 25569) * 86400)::BIGINT * 1000000)')} END"
            f" WHEN {time_texts.is_split(column)} THEN {naive(time_texts.split_time(column, self.order))}"
            f" ELSE {time_texts.with_offset(column) if self.usual else self._otherwise(column)} END"
        )

    def _otherwise(self, column: str) -> str:
        """Return SQL for the UTC time of a text that has none of the usual spellings."""
        return (
            f"CASE WHEN {time_texts.is_english(column)} THEN {self._from_zone(time_texts.english_time(column))}"
            f" ELSE list_transform([{with_zones(column, self.timezone)}], lambda z:"
            f" coalesce(list_transform([{time_texts.offset('z')}], lambda o: {self._instant('o')})[1],"
            f" list_transform([{time_texts.tidy('z')}], lambda t: {self._tidied('t')})[1]))[1] END"
        )

    def _tidied(self, column: str) -> str:
        """Return SQL for the UTC time of a text tidied by :func:`~clv_core.collection.parse.time_texts.tidy`."""
        shift = f"regexp_extract({column}, {text(time_texts.SHIFT)}, 1)"
        split, written = time_texts.split_time("b", self.order), time_texts.written_time("b")
        clock = f"CASE WHEN {time_texts.is_split('b')} THEN {split} ELSE {written} END"
        shifted = f"list_transform([{time_texts.unshifted(column)}], lambda b: {clock})[1]"
        return (
            f"CASE WHEN {time_texts.is_split(column)} THEN {self._from_zone(time_texts.split_time(column, self.order))}"
            f" ELSE coalesce({self._instant(column)},"
            f" CASE WHEN {shift} = '' THEN {self._from_zone(time_texts.written_time(column))}"
            f" ELSE {time_texts.in_zone(shifted, shift)} END) END"
        )

    def _instant(self, column: str) -> str:
        """Return SQL for the UTC time of an ISO text, with or without an offset or a zone's name; NULL for others."""
        # Without one it is not cast to TIMESTAMPTZ: DuckDB 1.5.6 reads it in the zone that a row before it has named.
        local = self._from_zone(f"try_cast({column} AS TIMESTAMP)")
        shifted = f"regexp_matches({column}, ':\\d\\d.*([+-]\\d\\d(:?\\d\\d)?|[Zz])$')"
        return f"coalesce(CASE WHEN NOT {shifted} THEN {local} END, timezone('UTC', try_cast({column} AS TIMESTAMPTZ)))"

    def _from_zone(self, time: str) -> str:
        return time if self.timezone == "UTC" else f"timezone('UTC', timezone({text(self.timezone)}, {time}))"


def form(column: str, *, usual: bool = False) -> str:
    """Return SQL for the form of ``column`` (a text expression, missing values NULL).

    Args:
        column: the expression.
        usual: whether only the usual spellings are classified, which is quick; all others are ``otherwise``.
    """
    digits = time_texts.number(column)
    turned = f"try_strptime(replace({column}[:10], '/', '-'), '%Y-%d-%m')"
    return (
        f"CASE WHEN {column} IS NULL THEN 'missing' WHEN strlen({column}) > {LONGEST} THEN 'unreadable'"
        f" WHEN {time_texts.plainest(column)} AND try_cast({column} AS TIMESTAMP) IS NOT NULL THEN 'naive'"
        f" WHEN {time_texts.plain_iso(column)} OR {time_texts.plain_utc(column)} THEN CASE"
        f" WHEN try_cast({column} AS TIMESTAMP) IS NULL THEN if({turned} IS NULL, 'unreadable', 'year_day')"
        f" WHEN {column}[-1] = 'Z' THEN 'zoned' ELSE 'naive' END"
        f" WHEN {time_texts.digits(column)} THEN CASE"
        f" WHEN strlen({column}) IN (7, 8, 12, 14) AND {time_texts.compact(column)} IS NOT NULL THEN 'compact'"
        f"{_epochs(digits, text('{epoch}'))}"
        f" WHEN {digits} BETWEEN 20000 AND 90000 THEN 'excel' ELSE 'unreadable' END"
        f" WHEN {time_texts.is_split(column)} THEN {_split_form(column)}"
        f" WHEN {time_texts.with_offset(column)} IS NOT NULL THEN {_zone_form(column)}"
        f" ELSE {text(OTHERWISE) if usual else _other_form(column)} END"
    )


def _epochs(digits: str, then: str) -> str:
    """Return the cases of a number by the unit in which it is counted since 1970.

    Args:
        digits: SQL of the number.
        then: the value of each case, with ``{epoch}``, ``{number}`` and ``{factor}``.
    """
    return "".join(
        f" WHEN {digits} BETWEEN {SINCE * 1000**power} AND {UNTIL * 1000**power}"
        f" THEN {then.format(epoch=epoch, number=digits, factor=factor)}"
        for power, (epoch, factor) in enumerate(EPOCHS.items())
    )


def _other_form(column: str) -> str:
    """Return SQL for the form of a text that has none of the usual spellings."""
    return (
        f"CASE WHEN {time_texts.is_english(column)}"
        f" THEN if({time_texts.english_time(column)} IS NULL, 'unreadable', 'written')"
        f" WHEN try_cast({time_texts.offset(column)} AS TIMESTAMPTZ) IS NOT NULL THEN {_zone_form(column)}"
        f" ELSE list_transform([{with_zones(column, 'UTC')}], lambda z:"
        f" list_transform([{time_texts.tidy('z')}], lambda t: {_tidied_form('t')})[1])[1] END"
    )


def _split_form(column: str) -> str:
    """Return SQL for the orders that fit, whatever day it is today.

    The year is not looked for before a dot: 05.04.24 is written where the day comes first.
    """
    times = ", ".join(f"'{order}': {time_texts.split_time(column, order)}" for order in time_texts.ORDERS)
    first = f"TIMESTAMP '{EARLIEST}'"
    year = f"(coalesce(s.ymd >= {first}, false) AND NOT regexp_matches({column}, '^\\d+\\.'))"
    day, month = (f"s.{order} IS NOT NULL AND (NOT {year} OR s.{order} >= {first})" for order in ("dmy", "mdy"))
    judged = (
        f"CASE WHEN {day} AND {month} THEN CASE WHEN {year} THEN 'any' WHEN s.dmy = s.mdy THEN 'same' ELSE 'either' END"
        f" WHEN {day} THEN CASE WHEN {year} THEN 'day_or_year' ELSE 'day_first' END"
        f" WHEN {month} THEN CASE WHEN {year} THEN 'month_or_year' ELSE 'month_first' END"
        f" WHEN {year} THEN 'year_first' ELSE 'unreadable' END"
    )
    return f"list_transform([{{{times}}}], lambda s: {judged})[1]"


def _zone_form(column: str) -> str:
    marked = f"regexp_matches({column}, '(Z|[A-Za-z]{{3,}}|[+-]\\d\\d(:?\\d\\d)?)$') AND strlen({column}) > 11"
    return f"CASE WHEN {marked} THEN {_zoned(column)} ELSE 'naive' END"


def _zoned(column: str) -> str:
    """Return SQL for the form of a time with an offset, which is part of it unless it is none."""
    matched = f"regexp_extract({column}, '([+-]\\d\\d):?(\\d\\d)?$', ['hours', 'minutes'])"
    offset = f"list_transform([{matched}], lambda o: o.hours || ':' || coalesce(nullif(o.minutes, ''), '00'))[1]"
    return f"concat('zoned', regexp_extract(' ' || {offset}, '^ .*[1-9].*'))"


def _tidied_form(column: str) -> str:
    shifted = f"regexp_extract({column}, {text(time_texts.SHIFT)}, 1) <> ''"
    bare = time_texts.unshifted(column)
    return (
        f"CASE WHEN {time_texts.is_split(bare)} THEN list_transform([{bare}], lambda b: {_split_form('b')})[1]"
        f" WHEN try_cast({column} AS TIMESTAMPTZ) IS NOT NULL THEN {_zone_form(column)}"
        f" WHEN {time_texts.written_time(time_texts.unshifted(column))} IS NOT NULL"
        f" THEN CASE WHEN {shifted} THEN {_zoned(column)} ELSE 'written' END ELSE 'unreadable' END"
    )


def in_range(time: str) -> str:
    """Return SQL for whether a UTC time can be an event's."""
    latest = date.today() + timedelta(days=2)
    return f"{time} >= TIMESTAMP '{EARLIEST}' AND {time} < TIMESTAMP '{latest}'"


_ZONES: Final = tomllib.loads(Path(__file__).with_name("time_zones.toml").read_text(encoding="utf-8"))
NAMED: Final = r"^(.*\d(?: ?[AaPp][Mm])?) ?([A-Za-z]{2,5})$"
NO_ZONES: Final = ("", "AM", "PM")
"""What most times end with where a zone's name would be: they need not be compared with all of them."""
YEAR_LAST: Final = (
    r"^[A-Za-z]{3} ([A-Za-z]{3}) +(\d{1,2}) (\d\d:\d\d:\d\d)( [A-Za-z]{2,5}| [+-]\d{4}|) (\d{4})$",
    r"\2-\1-\5 \3\4",
)
"""Fri Mar 29 12:00:00 CST 2024, as programs print a time, and how it is written instead."""
DAYS: Final = (datetime(2024, 1, 15), datetime(2024, 7, 15))


def zone_of(short: str, timezone: str) -> str:
    """Return the zone or the offset of a short name, "" for an unknown one.

    Args:
        short: in capitals.
        timezone: of the log; where its clock is that of one of several zones of the name, it is that one.
    """
    several = _ZONES["shared"].get(short, ())
    same = (zone for zone in several if _clock(zone) == _clock(timezone))
    return str(_ZONES["zones"].get(short) or next(same, several[0] if several else ""))


def with_zones(column: str, timezone: str) -> str:
    """Return SQL that writes a short name behind a time as its offset, or as the zone's full name.

    Quick tests recognise texts that have none.
    """
    zones = {short: zone_of(short, timezone) for short in (*_ZONES["zones"], *_ZONES["shared"])}
    cases = "".join(
        f" WHEN {text(short)} THEN {text(zone if zone[0] in '+-' else f' {zone}')}" for short, zone in zones.items()
    )
    short, rest = (f"regexp_extract(y, {text(NAMED)}, {group})" for group in (2, 1))
    named = f"coalesce({rest} || CASE upper({short}) {cases} END, y)"
    named = f"CASE WHEN upper({short}) IN ({', '.join(map(text, NO_ZONES))}) THEN y ELSE {named} END"
    printed = f"regexp_replace({column}, {text(YEAR_LAST[0])}, {text(YEAR_LAST[1])})"
    turned = f"CASE WHEN {column}[4] = ' ' THEN {printed} ELSE {column} END"
    return (
        f"CASE WHEN {column}[-1] BETWEEN 'A' AND 'z' OR {column}[4] = ' '"
        f" THEN list_transform([{turned}], lambda y: {named})[1] ELSE {column} END"
    )


def shared_zone_warnings(texts: Collection[str], column: str, timezone: str) -> tuple[Message, ...]:
    """Return warnings about short names in a sample of times that several zones share.

    Args:
        texts: of the times.
        column: their column in the file.
        timezone: of the log.
    """
    matches = (re.match(NAMED, cell.strip()) for cell in texts)
    shared = _ZONES["shared"]
    zones = {
        short: zone_of(short, timezone)
        for short in sorted({match.group(2).upper() for match in matches if match} & set(shared))
    }
    return tuple(
        Message("warning.zone_of_several", {"column": column, "short": short, "zone": zone, "zones": shared[short]})
        for short, zone in zones.items()
        if _clock(zone) != _clock(timezone)
    )


def zone_of_offsets(offsets: Collection[str]) -> tuple[str, bool]:
    """Return a time zone whose clock has some offsets, and whether it has them by season.

    One offset is that of all times: its zone is the offset itself (``Etc/GMT-1`` is ``+01:00``), or a place that keeps
    it where it has minutes. Two an hour apart are those of a place in winter and in summer.

    Args:
        offsets: such as ``+01:00``; times of UTC have ``+00:00``.

    Returns:
        The zone, "" where none matches; whether it is that of a place whose clock changes.
    """
    if len(offsets) > 1:
        both = " ".join(sorted(offsets, key=_minutes))
        return str(_ZONES["seasons"].get(both, "")), True
    (offset,) = offsets
    hours, rest = divmod(_minutes(offset), 60)
    if rest or not WEST <= hours <= EAST:
        return str(_ZONES["fixed"].get(offset, "")), False
    return (f"Etc/GMT{-hours:+d}" if hours else "UTC"), False


WEST, EAST = -12, 14
"""Hours from UTC of the zones that are called by their offset."""


def _minutes(offset: str) -> int:
    """Return how many minutes east of UTC an offset is."""
    return (-1 if offset[0] == "-" else 1) * (60 * int(offset[1:3]) + int(offset[-2:]))


def offsets_of(zone: str) -> set[str]:
    """Return the offsets of a zone's clock in winter and in summer, such as ``+01:00``."""
    offsets = (f"{day.replace(tzinfo=ZoneInfo(zone)):%z}" for day in DAYS)
    return {f"{offset[:3]}:{offset[3:5]}" for offset in offsets}


def _clock(zone: str) -> list[object]:
    """Return how far from UTC a zone is in winter and in summer."""
    return [day.replace(tzinfo=ZoneInfo(zone)).utcoffset() for day in DAYS]
