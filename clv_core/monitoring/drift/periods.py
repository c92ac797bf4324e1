"""Weeks or months around a cutoff, and the record of one check of one of them.

Files, tables and the command line call a period a ``chunk``.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from clv_core.records import JsonObject, StoredRecord

WEEK, MONTH, AUTO = "week", "month", "auto"
KINDS: Final = (WEEK, MONTH)
MIN_PERIODS: Final = {WEEK: 4, MONTH: 6}
"""Periods before the cutoff that it takes to estimate how far one differs from another."""
MAX_PERIODS: Final = {WEEK: 104, MONTH: 36}
"""A reference goes back at most this many periods."""
LENGTH_DAYS: Final = {WEEK: 7.0, MONTH: 30.4}


@dataclass(frozen=True)
class Period:
    """One week or month.

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


@dataclass(frozen=True)
class Check:
    """One figure of one period against the reference.

    Args:
        chunk: number of the period.
        test: ``volume``, ``share``, ``level``, ``psi``, ``ks``, ``new``, ``lost`` (:mod:`.data_checks`), or ``sight``
            and, for the mean of predictions, ``level`` (:mod:`.feature_histograms`).
        subject: what is checked: a column, ``missing:purchase``, ``returns``, ``orders``, a feature.
        value: a value of the column, or the column of ``missing``; empty where the check is of the subject itself.
        found: the figure.
        usual: the figure before; for distances the distance that chance makes.
        low: lower limit; None where only one side counts.
        high: upper limit; None likewise.
        chance: p-value of the figure where nothing changed; None where it cannot be computed.
        alert: whether the figure is beyond its limits, and by enough to matter.
        params: more that the message needs.
        begin: ISO date of the period's first day.
        end: ISO date of the first midnight after it.
    """

    chunk: int
    test: str
    subject: str
    value: str
    found: float
    usual: float
    low: float | None
    high: float | None
    chance: float | None
    alert: bool
    params: JsonObject = field(default_factory=dict)
    begin: str = ""
    end: str = ""

    @property
    def rose(self) -> bool:
        """Whether the figure is above what is usual."""
        return self.found > self.usual


@dataclass(frozen=True)
class PastSeries(StoredRecord):
    """A figure of each period of the reference.

    Args:
        test: as of :class:`Check`.
        subject: the same.
        value: the same.
        begin: ISO date of each period's first day.
        figures: of each; None where there is none.
    """

    test: str
    subject: str
    value: str
    begin: list[str]
    figures: list[float | None]


def period_start(cutoff: date, kind: str, number: int) -> date:
    """Return the first day of period ``number``; a month that lacks the cutoff's day begins on its last."""
    if kind == WEEK:
        return cutoff + timedelta(days=7 * number)
    year, month = divmod(cutoff.year * 12 + cutoff.month - 1 + number, 12)
    return date(year, month + 1, min(cutoff.day, calendar.monthrange(year, month + 1)[1]))


def periods_before(cutoff: date, kind: str, first_day: date) -> list[Period]:
    """Return the complete periods from the log's first day to the cutoff, oldest first, at most :data:`MAX_PERIODS`."""
    starts = [period_start(cutoff, kind, number) for number in range(-MAX_PERIODS[kind], 1)]
    numbered = zip(range(-MAX_PERIODS[kind], 0), starts[:-1], starts[1:], strict=True)
    return [Period(number, begin, end) for number, begin, end in numbered if begin >= first_day]


def periods_after(cutoff: date, kind: str, end: date) -> list[Period]:
    """Return the complete periods from the cutoff to the log's end, oldest first."""
    periods: list[Period] = []
    while (until := period_start(cutoff, kind, len(periods) + 1)) <= end:
        periods.append(Period(len(periods), period_start(cutoff, kind, len(periods)), until))
    return periods


def periods_in(kind: str, days: int) -> int:
    """Return how many periods so many days hold, to the nearest and at least one."""
    return max(1, round(days / LENGTH_DAYS[kind]))


def default_kind(cutoff: date, first_day: date) -> str:
    """Return months where the log holds enough of them before the cutoff, else weeks."""
    return MONTH if len(periods_before(cutoff, MONTH, first_day)) >= MIN_PERIODS[MONTH] else WEEK
