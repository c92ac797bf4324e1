"""What a column of dates such as 20-03-12 shows beside its forms: the place of its days, and each order's span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import duckdb

from clv_core.collection.engine import one
from clv_core.collection.values import times

SHORT_YEARS: Final = r"^(\d{1,2})[/.-]\d{1,2}[/.-](\d{1,2})(?:\D|$)"
"""Three parts of one or two digits, of which the first and the last may be day and year."""
EARLY_DAY: Final = 3
LATE_DAY: Final = 28
MORE: Final = 1.5
"""Times as many different values as the place of the years has, from which on a place with early and late ones holds
days: years that do so span a generation, with only a few days in it."""


@dataclass(frozen=True)
class ColumnDates:
    """A column of dates, to be asked about.

    Args:
        connection: the engine.
        cells: query of its texts as ``x``.
    """

    connection: duckdb.DuckDBPyConnection
    cells: str

    def place_of_days(self) -> Literal["first", "last", ""]:
        """Return which place of dates with short years holds the days of whole months; empty where none does."""
        parts = ", ".join(f"regexp_extract(x, '{SHORT_YEARS}', {place}) AS p{place}" for place in (1, 2))
        figures = ", ".join(
            f"coalesce(min(p{place}), 0), coalesce(max(p{place}), 0), count(DISTINCT p{place})" for place in (1, 2)
        )
        numbers = ", ".join(f"try_cast(p{place} AS INT) AS p{place}" for place in (1, 2))
        found = one(
            self.connection, f"SELECT {figures} FROM (SELECT {numbers} FROM (SELECT {parts} FROM ({self.cells})))"
        )
        first, last = found[:3], found[3:]
        if _are_days(first, last):
            return "first"
        return "last" if _are_days(last, first) else ""

    def days(self, order: str) -> list[str]:
        """Return the first and the last day that the column has where it is read in an order."""
        time = times.TimeReading(order).value("x")
        first, last = one(self.connection, f"SELECT min({time})::DATE, max({time})::DATE FROM ({self.cells})")
        return [str(first), str(last)]


def _are_days(here: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Say whether the smallest, the largest and the number of different values are those of days, beside years."""
    low, high, different = here
    return low <= EARLY_DAY and high >= LATE_DAY and different >= MORE * other[2]
