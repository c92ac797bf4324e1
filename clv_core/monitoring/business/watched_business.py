"""The watch on the business: each day's figures against what was expected of them, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.store import Dataset
from clv_core.errors import Message
from clv_core.jobs import Progress
from clv_core.monitoring.business.daily_figures import CUSTOMERS, DailyFigures
from clv_core.monitoring.business.detector import Detector
from clv_core.monitoring.business.expectations import WATCHED_AFTER, Expectations, watched
from clv_core.monitoring.business.findings import Finding
from clv_core.monitoring.business.incidents import find
from clv_core.records import JsonObject
from clv_core.strategy.forecast import WEEK

Floats = NDArray[np.float64]
BAND: Final = 1.2816
"""Quantile of a normal law beyond which 10% lie on either side."""
SEASON_KNOWN: Final = 65 * WEEK
"""Days of a log from which on Forecast's function by day knows a season."""


@dataclass(frozen=True, eq=False)
class Course:
    """A figure by day, against what was expected of it as of the week before.

    Args:
        name: ``revenue``, ``orders``, ``active``, ``new``, ``returning``, ``events:<kind>`` or ``channel:<name>``.
        days: midnights, [n].
        actual: what came, [n].
        expected: what was expected, [n].
        low: lower end of what comes with 80% probability, [n].
        high: its upper end, [n].
    """

    name: str
    days: pd.DatetimeIndex
    actual: Floats
    expected: Floats
    low: Floats
    high: Floats

    def label(self) -> Message:
        """Return the figure's name in each language."""
        kind, _, name = self.name.partition(":")
        return Message(f"watch.series.{kind}", {"name": name} if name else {})


@dataclass(frozen=True, eq=False)
class Watch:
    """What the watch on the business saw.

    Args:
        as_of: last day of the log.
        currency: of the log.
        courses: by figure, revenue first.
        findings: the worst first.
        unwatched: what is not watched, and why.
    """

    as_of: date
    currency: str
    courses: tuple[Course, ...]
    findings: tuple[Finding, ...]
    unwatched: tuple[Message, ...]


def business_watch(dataset: Dataset, progress: Progress) -> Watch:
    """Return what is wrong with a shop's business, and its figures by day against what was expected.

    Args:
        dataset: the log; no model is needed.
        progress: is told of the two steps, reading and watching.
    """
    progress.report("watch", 0, 2)
    figures = DailyFigures.of(dataset)
    progress.report("watch", 1, 2)
    watch = watch_figures(figures, dataset.manifest.currency)
    progress.report("watch", 2, 2)
    return watch


def watch_figures(figures: DailyFigures, currency: str) -> Watch:
    """Return the watch on figures by day."""
    needed = WATCHED_AFTER + 2 * WEEK
    if figures.days < needed:
        short = Message("watch.unwatched.short", {"days": figures.days, "needed": needed})
        return Watch(figures.date_of(figures.days - 1), currency, (), (), (short,))
    series, rare, small = watched(figures)
    made = Expectations(series, -figures.start.weekday() % WEEK)
    findings = find(figures, made, Detector(made).run(), currency)
    courses = (_course(figures, made, place) for place, one in enumerate(series) if not one.is_part)
    return Watch(
        figures.date_of(figures.days - 1), currency, tuple(courses), tuple(findings), _unwatched(figures, rare, small)
    )


def _course(figures: DailyFigures, made: Expectations, place: int) -> Course:
    """Return a figure's days, each against the newest cohort that was made before it."""
    start = made.monday + WATCHED_AFTER
    expected = np.concatenate(
        [made.cohorts[place, cohort, :WEEK] for cohort in range(made.cohort_of(start), made.cohorts.shape[1])]
    )[: made.days - start]
    per = np.where(made.per[place, start:] > 0, made.per[place, start:], np.nan)
    band = BAND * made.bands[place, start:]
    return Course(
        made.series[place].name,
        pd.date_range(figures.date_of(start), periods=made.days - start),
        made.actual[place, start:] / per,
        expected,
        expected * np.maximum(1 - band / 2, 0.0) ** 2,
        expected * (1 + band / 2) ** 2,
    )


def _unwatched(figures: DailyFigures, rare: Sequence[str], small: Sequence[str]) -> tuple[Message, ...]:
    """Return what is not watched, and why."""
    found = []
    if figures.days < SEASON_KNOWN:
        day = figures.date_of(SEASON_KNOWN).isoformat()
        found.append(Message("watch.unwatched.season", {"day": day}))
    if not figures.named(CUSTOMERS):
        found.append(Message("watch.unwatched.no_channels"))
    if small:
        found.append(Message("watch.unwatched.other_channels", {"channels": list(small)}))
    if names := [name.partition(":")[2] or name for name in rare]:
        found.append(Message("watch.unwatched.rare", {"names": names}))
    return tuple(found)


def watch_json(watch: Watch) -> JsonObject:
    """Return the watch as JSON: texts in English, days as ISO dates, unknown money as null."""

    def amount(value: float) -> float | None:
        return round(float(value), 2) if np.isfinite(value) else None

    return {
        "as_of": watch.as_of.isoformat(),
        "currency": watch.currency,
        "findings": [
            {
                "kind": found.kind,
                "series": found.series,
                "first_day": found.first_day.isoformat(),
                "last_day": None if found.last_day is None else found.last_day.isoformat(),
                "found_on": found.found_on.isoformat(),
                "size": amount(found.size),
                "low": amount(found.low),
                "high": amount(found.high),
                "days": found.days,
                "facts": found.facts,
                "message": found.message().text(),
                "money": None if (money := found.money()) is None else money.text(),
            }
            for found in watch.findings
        ],
        "courses": [
            {
                "name": course.name,
                "days": [day.date().isoformat() for day in course.days],
                "actual": [amount(value) for value in course.actual],
                "expected": [amount(value) for value in course.expected],
                "low": [amount(value) for value in course.low],
                "high": [amount(value) for value in course.high],
            }
            for course in watch.courses
        ],
        "unwatched": [message.to_json() for message in watch.unwatched],
    }
