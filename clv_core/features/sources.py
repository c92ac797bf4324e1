"""The rows that features aggregate: each relation cut at a cutoff, with the ``age`` of its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from clv_core.columns import CART, RATING_EVENT, RETURN, REVIEW, VIEW
from clv_core.features.relations import KINDS, OTHER

if TYPE_CHECKING:
    import ibis

Source = Callable[["dict[str, ibis.Table]", int, int], "ibis.Table"]


def _cut(table: ibis.Table, cutoff_day: int, horizon_days: int) -> ibis.Table:
    import ibis

    known = table.filter(table.day < cutoff_day)
    return known.mutate(age=cutoff_day - known.day, horizon=ibis.literal(horizon_days, "int32"))


def _relation(name: str) -> Source:
    return lambda tables, cutoff_day, horizon_days: _cut(tables[name], cutoff_day, horizon_days)


def _steps_of(kind: int) -> Source:
    def rows(tables: dict[str, ibis.Table], cutoff_day: int, horizon_days: int) -> ibis.Table:
        steps = tables["steps"]
        return _cut(steps.filter(steps.kind == kind), cutoff_day, horizon_days)

    return rows


def _categories(tables: dict[str, ibis.Table], cutoff_day: int, horizon_days: int) -> ibis.Table:
    days = _cut(tables["category_days"], cutoff_day, horizon_days)
    return days.group_by("customer", "category").aggregate(
        bought=days.bought.sum(), seen=days.seen.sum(), last_age=days.age.min()
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
