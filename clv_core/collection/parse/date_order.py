"""The order of the parts of a column's dates, and the zone of its times, by the forms of all values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

import duckdb

from clv_core.collection.engine import one
from clv_core.collection.parse import time_texts
from clv_core.collection.parse.times import EPOCHS, ZONED, TimeReading, zone_of_offsets
from clv_core.errors import Message, NeedsAnswer

NO_TIMES: Final = ("missing", "unreadable", "year_day")
FITS: Final = {
    "day_first": ("dmy",),
    "month_first": ("mdy",),
    "year_first": ("ymd",),
    "either": ("dmy", "mdy"),
    "same": ("dmy", "mdy"),
    "day_or_year": ("dmy", "ymd"),
    "month_or_year": ("mdy", "ymd"),
    "any": ("dmy", "mdy", "ymd"),
}
"""Form of a date such as 03/04/24 -> the orders that it can be read in."""
SHORT_YEARS: Final = r"^(\d{1,2})[/.-]\d{1,2}[/.-](\d{1,2})(?:\D|$)"
"""Three parts of one or two digits, of which the first and the last may be day and year."""
MIN_OFFSET_SHARE: Final = 0.01
"""Share of the times that have an offset, before it is one of their place's."""
EARLY_DAY: Final = 3
"""Days of full months begin at or before it (a guess)."""
LATE_DAY: Final = 28
"""And end at or after it: the shortest month has so many."""
MORE: Final = 1.5
"""Times as many different values as the place of the years has, from which on a place with early and late ones holds
days: years that do so span a generation, with only a few days in it."""


@dataclass(frozen=True)
class ColumnDates:
    """A column of dates whose order may need an answer.

    Args:
        connection: the engine.
        cells: query of its texts as ``x``.
    """

    connection: duckdb.DuckDBPyConnection
    cells: str

    def place_of_days(self) -> Literal["first", "last", ""]:
        """Return which place of dates with short years holds the days of entire months; empty where none does.

        From the inside: the cells, their first and last parts, these as numbers, and extremes and different values of
        each part.
        """
        parts = ", ".join(f"regexp_extract(x, '{SHORT_YEARS}', {place}) AS p{place}" for place in (1, 2))
        figures = ", ".join(
            f"coalesce(min(p{place}), 0), coalesce(max(p{place}), 0), count(DISTINCT p{place})" for place in (1, 2)
        )
        numbers = ", ".join(f"try_cast(p{place} AS INT) AS p{place}" for place in (1, 2))
        counts = one(
            self.connection, f"SELECT {figures} FROM (SELECT {numbers} FROM (SELECT {parts} FROM ({self.cells})))"
        )
        first, last = counts[:3], counts[3:]
        if _are_days(first, last):
            return "first"
        return "last" if _are_days(last, first) else ""

    def days(self, order: str) -> list[str]:
        """Return the first and the last day that the column has where it is read in an order."""
        time = TimeReading(order).value("x")
        first, last = one(self.connection, f"SELECT min({time})::DATE, max({time})::DATE FROM ({self.cells})")
        return [str(first), str(last)]


def _are_days(position: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Return whether the smallest, the largest and the number of different values are those of days, not of years."""
    low, high, different = position
    return low <= EARLY_DAY and high >= LATE_DAY and different >= MORE * other[2]


def decide(
    forms: dict[str, int],
    column: str,
    date_order: str | None,
    timezone: str,
    *,
    usual: bool = False,
    evidence: ColumnDates | None = None,
) -> tuple[TimeReading, tuple[Message, ...]]:
    """Return how the column is read, given how many values there are of each form, and the warnings.

    Args:
        forms: values by form.
        column: the column's name in the file.
        date_order: the person's answer: ``dmy``, ``mdy``, ``ymd`` or None.
        timezone: where times without an offset belong.
        usual: whether every value has one of the usual spellings.
        evidence: what else the column shows of the order of its dates.

    Raises:
        NeedsAnswer: dates fit several orders equally, or no one order fits them all.
    """
    count = forms.get
    order, warnings = _order(forms, column, date_order, evidence)
    notes = list(warnings)
    units = EPOCHS.keys() & forms.keys()
    if len(units) > 1 or 0 < sum(forms[unit] for unit in units) < _readable(forms):
        listed = [f"{kind} {rows:,}" for kind, rows in sorted(forms.items()) if kind != "missing"]
        notes.append(Message("warning.epoch_mixed", {"column": column, "forms": listed}))
    if count("excel"):
        notes.append(Message("warning.excel_dates", {"column": column, "rows": count("excel")}))
    offsets = Counter({kind[len(ZONED) :]: rows for kind, rows in forms.items() if kind.startswith(ZONED)})
    east = Counter({offset: rows for offset, rows in offsets.items() if offset})
    if offsets and count("naive"):
        params = {"column": column, "rows": count("naive"), "timezone": timezone}
        notes.append(Message("warning.times_without_zone", params))
    if timezone == "UTC" and 2 * east.total() > _readable(forms):
        notes.append(_days_of_utc(column, offsets, timezone))
    return TimeReading(order, timezone, usual=usual), tuple(notes)


def _days_of_utc(column: str, offsets: Counter[str], timezone: str) -> Message:
    """Return warnings about days of UTC in times with an offset: which zone has the local ones.

    Args:
        column: of the times.
        offsets: offset of times, "" for those of UTC -> how many there are.
        timezone: of the log.
    """
    rows = {offset.strip() or "+00:00": count for offset, count in offsets.items()}
    total = sum(rows.values())
    most = max((offset for offset in rows if offset != "+00:00"), key=lambda offset: rows[offset])
    usual = [offset for offset, count in rows.items() if count >= MIN_OFFSET_SHARE * total]
    params = {"column": column, "rows": total - rows.get("+00:00", 0), "offset": most, "timezone": timezone}
    zone, changes = zone_of_offsets(usual)
    if zone and changes:
        return Message("warning.days_of_utc_place", {**params, "offsets": usual, "zone": zone})
    zone = zone or zone_of_offsets([most])[0]
    if zone:
        return Message("warning.days_of_utc_fixed", {**params, "zone": zone})
    return Message("warning.days_of_utc", params)


def _order(
    forms: dict[str, int], column: str, answer: str | None, evidence: ColumnDates | None
) -> tuple[str, tuple[Message, ...]]:
    """Return the one order that fits all dates such as 03/04/24, and on what proof; empty where there are none."""
    split = {kind: rows for kind, rows in forms.items() if kind in FITS}
    if answer or not split:
        return answer or "", ()
    rows = sum(split.values())
    suffix = "_year" if any("ymd" in FITS[kind] for kind in split) else ""
    left = [order for order in time_texts.ORDERS if all(order in FITS[kind] for kind in split)]
    fitting = {kind: set(FITS[kind]) for kind in split}
    if "ymd" in left and len(left) > 1 and evidence is not None and (place := evidence.place_of_days()):
        left = ["ymd"] if place == "last" else [order for order in left if order != "ymd"]
        fitting = {kind: fits & set(left) for kind, fits in fitting.items()}
    if not left:
        only = {kind: split.get(kind, 0) for kind in ("day_first", "month_first", "year_first")}
        raise NeedsAnswer(f"dates_contradict{suffix}", column=column, rows=rows, **only)
    if split.keys() == {"same"}:
        return left[0], ()
    if len(left) > 1:
        spans = {order: evidence.days(order) for order in left} if evidence is not None else {}
        raise NeedsAnswer(f"dates_ambiguous{suffix}", column=column, rows=rows - split.get("same", 0), spans=spans)
    proof = sum(count for kind, count in split.items() if fitting[kind] == {left[0]})
    if not proof:
        return left[0], (Message("warning.read_as_all_fit", {"column": column, "order": left[0], "rows": rows}),)
    return left[0], (Message(f"warning.read_as_{left[0]}", {"column": column, "proof": proof, "rows": rows}),)


def _readable(forms: dict[str, int]) -> int:
    return sum(rows for kind, rows in forms.items() if kind not in NO_TIMES)
