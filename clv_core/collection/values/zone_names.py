"""Short names of time zones behind a time: CET, EDT, JST. Some are used for several zones, and that is said.

Names that no other zone has are read by their offset, or by a place's clock where people write them all year round.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from clv_core.collection.engine import text
from clv_core.errors import Message

ONE: Final[Mapping[str, str]] = {
    **{"CET": "Europe/Paris", "MEZ": "Europe/Berlin", "CEST": "+02:00", "MESZ": "+02:00", "WEST": "+01:00"},
    **{"EET": "Europe/Athens", "EEST": "+03:00", "WET": "Europe/Lisbon", "MSK": "+03:00", "TRT": "+03:00"},
    **{"ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles"},
    **{"EST": "America/New_York", "EDT": "-04:00", "CDT": "-05:00", "MDT": "-06:00", "PST": "America/Los_Angeles"},
    **{"PDT": "-07:00", "AKST": "-09:00", "AKDT": "-08:00", "HST": "-10:00", "ADT": "-03:00", "BRT": "-03:00"},
    **{"MST": "America/Phoenix", "ART": "-03:00", "SAST": "+02:00", "WAT": "+01:00", "CAT": "+02:00", "EAT": "+03:00"},
    **{"PKT": "+05:00", "NPT": "+05:45", "ICT": "+07:00", "WIB": "+07:00", "WITA": "+08:00", "WIT": "+09:00"},
    **{"SGT": "+08:00", "HKT": "+08:00", "MYT": "+08:00", "PHT": "+08:00", "AWST": "+08:00", "JST": "+09:00"},
    **{"KST": "+09:00", "AEST": "+10:00", "AEDT": "+11:00", "ACST": "+09:30", "ACDT": "+10:30", "NZST": "+12:00"},
    "NZDT": "+13:00",
}
SEVERAL: Final[Mapping[str, tuple[str, ...]]] = {
    "CST": ("America/Chicago", "Asia/Shanghai"),
    "IST": ("Asia/Kolkata", "Asia/Jerusalem", "Europe/Dublin"),
    "BST": ("Europe/London", "Asia/Dhaka"),
    "AST": ("America/Halifax", "Asia/Riyadh"),
    "GST": ("Asia/Dubai", "Atlantic/South_Georgia"),
}
"""Zones that a name is used for, the likeliest first."""
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
    several = SEVERAL.get(short, ())
    same = (zone for zone in several if _clock(zone) == _clock(timezone))
    return ONE.get(short) or next(same, several[0] if several else "")


def with_zones(column: str, timezone: str) -> str:
    """Return SQL that writes a short name behind a time as its offset, or as the zone's full name.

    Quick tests tell texts that have none.
    """
    cases = "".join(f" WHEN {text(short)} THEN {text(_behind(short, timezone))}" for short in (*ONE, *SEVERAL))
    short, rest = (f"regexp_extract(y, {text(NAMED)}, {group})" for group in (2, 1))
    named = f"coalesce({rest} || CASE upper({short}) {cases} END, y)"
    printed = f"regexp_replace({column}, {text(YEAR_LAST[0])}, {text(YEAR_LAST[1])})"
    turned = f"CASE WHEN {column}[4] = ' ' THEN {printed} ELSE {column} END"
    return (
        f"CASE WHEN {column}[-1] BETWEEN 'A' AND 'z' OR {column}[4] = ' '"
        f" THEN list_transform([{turned}], lambda y: {named})[1] ELSE {column} END"
    )


def _behind(short: str, timezone: str) -> str:
    """Return what is written behind a time for a short name: an offset, or a blank and a name."""
    zone = zone_of(short, timezone)
    return zone if zone[0] in "+-" else f" {zone}"


def told_zones(texts: Collection[str], column: str, timezone: str) -> tuple[Message, ...]:
    """Return what is to be said of short names in a sample of times that stand for several zones.

    Args:
        texts: of the times.
        column: their column in the file.
        timezone: of the log.
    """
    found = (re.match(NAMED, cell.strip()) for cell in texts)
    shorts = sorted({match.group(2).upper() for match in found if match} & set(SEVERAL))
    zones = {short: zone_of(short, timezone) for short in shorts}
    return tuple(
        Message(
            "warning.zone_of_several", {"column": column, "short": short, "zone": zone, "zones": list(SEVERAL[short])}
        )
        for short, zone in zones.items()
        if _clock(zone) != _clock(timezone)
    )


def _clock(zone: str) -> list[object]:
    """Return how far from UTC a zone is in winter and in summer."""
    return [day.replace(tzinfo=ZoneInfo(zone)).utcoffset() for day in DAYS]
