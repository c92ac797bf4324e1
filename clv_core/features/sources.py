"""The rows that features aggregate: each relation cut at a cutoff, with the ``age`` of its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from clv_core.columns import CART, RATING_EVENT, RETURN, REVIEW, VIEW
from clv_core.features.expressions import aggregate
from clv_core.features.relations import KINDS, OTHER


class Tables(Protocol):
    """Relations by name."""

    def __getitem__(self, name: str, /) -> Any:
        """Return a relation."""


Source = Callable[[Tables, int, int], Any]


def _cut(table: Any, cutoff_day: int, horizon_days: int) -> Any:
    known = table.filter(table.day < cutoff_day)
    return known.mutate(age=cutoff_day - known.day, horizon=horizon_days)


def _relation(name: str) -> Source:
    return lambda tables, cutoff_day, horizon_days: _cut(tables[name], cutoff_day, horizon_days)


def _steps_of(kind: int) -> Source:
    def rows(tables: Tables, cutoff_day: int, horizon_days: int) -> Any:
        steps = tables["steps"]
        return _cut(steps.filter(steps.kind == kind), cutoff_day, horizon_days)

    return rows


def _categories(tables: Tables, cutoff_day: int, horizon_days: int) -> Any:
    return aggregate(
        _cut(tables["category_days"], cutoff_day, horizon_days),
        ("customer", "category"),
        lambda days: {"bought": days.bought.sum(), "seen": days.seen.sum(), "last_age": days.age.min()},
    )


STEP_KINDS: Final = {
    "views": KINDS[VIEW],
    "carts": KINDS[CART],
    "returns": KINDS[RETURN],
    "rating_events": KINDS[RATING_EVENT],
    "review_events": KINDS[REVIEW],
    "others": OTHER,
}

SOURCES: Final[dict[str, Source]] = {
    "steps": _relation("steps"),
    "money_days": _relation("money_days"),
    "purchase_days": _relation("purchase_days"),
    "baskets": _relation("baskets"),
    "rating_days": _relation("rating_days"),
    "review_days": _relation("review_days"),
    "channel_days": _relation("channel_days"),
    "country_days": _relation("country_days"),
    **{name: _steps_of(kind) for name, kind in STEP_KINDS.items()},
    "categories": _categories,
}
"""Each source by name: from the relations, the cutoff in days since 1970-01-01 and the horizon to its rows."""
