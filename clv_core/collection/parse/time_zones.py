"""Short names of time zones behind a time (CET, EDT, JST), written as offsets or full names before the time is read.

They are read by their offset, or by a place's clock where people write them all year round. Some are used for several
zones (``time_zones.toml``), and that is said.
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
from clv_core.errors import Message

_ZONES: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
NAMED: Final = r"^(.*\d(?: ?[AaPp][Mm])?) ?([A-Za-z]{2,5})$"
YEAR_LAST: Final = (
    r"^[A-Za-z]{3} ([A-Za-z]{3}) +(\d{1,2}) (\d\d:\d\d:\d\d)( [A-Za-z]{2,5}| [+-]\d{4}|) (\d{4})$",
    r"\2-\1-\5 \3\4",
)
"""Fri Mar 29 12:00:00 CST 2024, as programs print a time, and how it is written instead."""
DAYS: Final = (datetime(2024, 1, 15), datetime(2024, 7, 15))


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
