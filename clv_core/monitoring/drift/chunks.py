"""Chunks of time around a cutoff: weeks or months that begin at it and go both ways."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

WEEK, MONTH, AUTO = "week", "month", "auto"
KINDS: Final = (WEEK, MONTH)
FEWEST: Final = {WEEK: 4, MONTH: 6}
"""So many chunks before the cutoff are needed to know how far one differs from another."""
LENGTH_DAYS: Final = {WEEK: 7.0, MONTH: 30.4}
MOST: Final = {WEEK: 104, MONTH: 36}
"""A reference goes back at most this many chunks."""


@dataclass(frozen=True)
class Chunk:
    """One chunk.

    Args:
        number: 0 is the first at or after the cutoff, -1 the last before it.
        begin: its first day.
        end: the first midnight after it.
    """

    number: int
    begin: date
    end: date

    @property
    def days(self) -> int:
        """Its length."""
        return (self.end - self.begin).days


def edge(cutoff: date, kind: str, number: int) -> date:
    """Return where the chunk ``number`` begins; a month that lacks the cutoff's day begins on its last."""
    if kind == WEEK:
        return cutoff + timedelta(days=7 * number)
    months = cutoff.year * 12 + cutoff.month - 1 + number
    year, month = divmod(months, 12)
    return date(year, month + 1, min(cutoff.day, calendar.monthrange(year, month + 1)[1]))


def chunks_before(cutoff: date, kind: str, first_day: date) -> list[Chunk]:
    """Return the whole chunks from the log's first day to the cutoff, the earliest first, at most :data:`MOST`."""
    found = []
    for number in range(-1, -MOST[kind] - 1, -1):
        begin = edge(cutoff, kind, number)
        if begin < first_day:
            break
        found.append(Chunk(number, begin, edge(cutoff, kind, number + 1)))
    return found[::-1]


def chunks_after(cutoff: date, kind: str, end: date) -> list[Chunk]:
    """Return the whole chunks from the cutoff to the log's end."""
    found: list[Chunk] = []
    while (until := edge(cutoff, kind, len(found) + 1)) <= end:
        found.append(Chunk(len(found), edge(cutoff, kind, len(found)), until))
    return found


def in_span(kind: str, days: int) -> int:
    """Return how many chunks so many days hold, to the nearest and at least one."""
    return max(1, round(days / LENGTH_DAYS[kind]))


def usual_kind(cutoff: date, first_day: date) -> str:
    """Return months where the log holds enough of them before the cutoff, else weeks."""
    return MONTH if len(chunks_before(cutoff, MONTH, first_day)) >= FEWEST[MONTH] else WEEK
