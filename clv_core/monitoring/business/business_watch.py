"""The watch on the business: each day's figures against what was expected of them, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.store import Dataset
from clv_core.errors import Message
from clv_core.jobs import Progress
from clv_core.monitoring.business.daily_figures import ACTIVE, EVENTS, NEW, ORDERS, RETURNING, REVENUE, DailyFigures
from clv_core.monitoring.business.findings import Finding
from clv_core.records import JsonObject
from clv_core.strategy.forecast import WEEK, days_ahead

Floats = NDArray[np.float64]
LEAST_DAYS: Final = 26 * WEEK


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
    if figures.days < LEAST_DAYS:
        short = Message("watch.unwatched.short", {"days": figures.days, "needed": LEAST_DAYS})
        return Watch(figures.date_of(figures.days - 1), currency, (), (), (short,))
    names = [REVENUE, ORDERS, ACTIVE, NEW, RETURNING, *(EVENTS + kind for kind in figures.named(EVENTS))]
    actual = np.stack([figures.values[name] for name in names])
    past = np.maximum(actual, 0.0)
    start = LEAST_DAYS
    expected = np.zeros_like(actual)
    for origin in range(start, figures.days, WEEK):
        ahead = days_ahead(past[:, :origin], min(WEEK, figures.days - origin))
        expected[:, origin : origin + WEEK] = ahead
    days = pd.date_range(figures.date_of(start), periods=figures.days - start)
    courses = []
    for name, came, e in zip(names, actual[:, start:], expected[:, start:], strict=True):
        spread = float(np.std(came - e) / max(e.mean(), 1e-9))
        courses.append(Course(name, days, came, e, e * np.exp(-1.28 * spread), e * np.exp(1.28 * spread)))
    return Watch(figures.date_of(figures.days - 1), currency, tuple(courses), (), ())


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
