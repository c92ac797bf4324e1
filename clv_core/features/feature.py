"""What a feature is: a name, a unit, a group, a scale, where it comes from, and one expression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

WINDOWS_DAYS: Final = (7, 30, 90, 180, 365)
"""Lengths of the recent windows: day ``cutoff - w`` up to the day before the cutoff."""

UNITS: Final = ("money", "count", "days", "share", "ratio", "items", "characters", "stars", "text")
SCALES: Final = ("log", "linear", "plain", "category")
"""How the encoder reads a feature: by its logarithm; as it is, standardised; as it is, untouched; as one-hot text."""

DERIVED: Final = "derived"
CALENDAR: Final = "calendar"
ANCHOR: Final = "anchor"


@dataclass(frozen=True)
class Feature:
    """One column of the feature table: a pure function of the events before a cutoff, and the cutoff.

    Args:
        name: column name; its texts are ``feature.<name>`` and ``feature.<name>.meaning`` in the catalogues, or those
            of ``family``.
        unit: one of :data:`UNITS`.
        group: the named group that SHAP explains it in; its text is ``feature_group.<group>``.
        scale: one of :data:`SCALES`.
        source: the relation that ``expr`` aggregates; or ``derived`` (``expr`` combines other features of the row),
            ``calendar`` (a function of the cutoff) or ``anchor`` (a method of the BTYD models fitted at the cutoff).
        expr: the expression; it is handed the relation's rows before the cutoff with their ``age`` in days (1 is the
            day before the cutoff) and the ``horizon`` in days.
        empty: the value of a customer without a row in the relation; None is unknown.
        family: for features that differ by a window only, the catalogue key they share; it may hold ``{days}``.
        days: the window's length.
    """

    name: str
    unit: str
    group: str
    scale: str
    source: str
    expr: Callable[..., Any]
    empty: float | None = None
    family: str = ""
    days: int | None = None

    def __post_init__(self) -> None:
        """Refuse a unit or scale that no other part knows."""
        if self.unit not in UNITS or self.scale not in SCALES:
            raise ValueError(f"{self.name}: unknown unit {self.unit!r} or scale {self.scale!r}")

    @property
    def text_key(self) -> str:
        """Its catalogue key behind ``feature.``."""
        return self.family or self.name


@dataclass(frozen=True)
class InWindow:
    """An expression of rows at one of several lengths of time; in memory all of them may be made together.

    Args:
        make: called with the relation's rows and a length in days: a number, or numbers below each other.
        lengths: in days.
        place: of the one that is meant.
    """

    make: Callable[[Any, Any], Any]
    lengths: tuple[int, ...]
    place: int

    def __call__(self, rows: Any) -> Any:
        """Return the expression at its own length."""
        return self.make(rows, self.lengths[self.place])


def windowed(family: str, unit: str, group: str, source: str, expr: Callable[[Any, Any], Any]) -> list[Feature]:
    """Return one feature for each of :data:`WINDOWS_DAYS`, named ``<family>_<days>d``, 0 where there is nothing.

    Args:
        family: the shared name.
        unit: as in :class:`Feature`.
        group: as in :class:`Feature`.
        source: as in :class:`Feature`.
        expr: called with the relation's rows and the condition that a row lies in the window.
    """
    return [
        Feature(
            f"{family}_{days}d",
            unit,
            group,
            "log",
            source,
            InWindow(_recent(expr), WINDOWS_DAYS, place),
            empty=0.0,
            family=f"{family}_window",
            days=days,
        )
        for place, days in enumerate(WINDOWS_DAYS)
    ]


TREND_DAYS: Final = (30, 90, 180)
"""Lengths that trends compare: the last w days against the w days before them."""


def trends(family: str, group: str, source: str, amount: Callable[[Any, Any], Any]) -> list[Feature]:
    """Return ``<family>_trend_<days>d``: the last w days' share of the last 2w days, unknown if empty.

    Args:
        family: the shared name.
        group: as in :class:`Feature`.
        source: as in :class:`Feature`.
        amount: called with the relation's rows and the condition that a row lies in the span; what is compared.
    """
    return [
        Feature(
            f"{family}_trend_{days}d",
            "share",
            group,
            "linear",
            source,
            InWindow(_trend(amount), TREND_DAYS, place),
            family=f"{family}_trend",
            days=days,
        )
        for place, days in enumerate(TREND_DAYS)
    ]


def counted(name: str, source: str, group: str) -> list[Feature]:
    """Return count, recent counts, trends and silence of one kind of event.

    Args:
        name: of the count, in the plural.
        source: rows with the ``lines`` of a day.
        group: as in :class:`Feature`.
    """
    return [
        Feature(name, "count", group, "log", source, _lines, empty=0),
        *windowed(name, "count", group, source, _lines),
        *trends(name, group, source, _lines),
        Feature(f"days_since_{name.rstrip('s')}", "days", group, "log", source, _silence),
    ]


@cache
def _recent(expr: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return ``expr`` of the last days; the same function for the same ``expr``, so that it is run once."""
    return lambda rows, days: expr(rows, rows.age <= days)


@cache
def _trend(amount: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return the share of the last days in twice as many; the same function for the same ``amount``."""

    def share(rows: Any, days: Any) -> Any:
        recent = amount(rows, rows.age <= days).fill_null(0).cast("float64")
        both = amount(rows, rows.age <= 2 * days).fill_null(0).cast("float64")
        return recent / both.nullif(0)

    return share


def _lines(steps: Any, where: Any = None) -> Any:
    return steps.lines.sum(where=where)


def _silence(steps: Any) -> Any:
    return steps.age.min()
