"""The relations that every feature and every sequence is made from.

    lines          the log's rows: customer and texts as numbers, days since 1970, money as exact decimals
    steps          customer x day x event type: what was done that day
    money_days     customer x day: net value, money paid, money returned (purchases and returns, net first)
    purchase_days  the days of money_days with a net value above zero, numbered, with the gap to the day before
    baskets        customer x day x order: what was in it; a day without order ids is one basket
    category_days  customer x category x day: lines bought, lines seen
    rating_days, review_days    customer x day
    channel_days, country_days  customer x day: the first and the last one as ``moment * TEXT_CODES + code``

A cutoff is a midnight, so a row of any of them lies wholly before or wholly after it: ``day < cutoff`` cannot leak.
Sums are exact: money and quantities are added up as decimals, days as integers, because a sum of floats depends on
the order of its rows, and with several threads on chance.

Each is a function of another one, for tables of an engine (:mod:`clv_core.features.warehouse`) as for rows in memory
(:mod:`clv_core.features.event_store`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final, Protocol

from clv_core.columns import CART, EVENT_TYPES, MONEY_TYPES, PURCHASE, RATING_EVENT, RETURN, REVIEW, VIEW
from clv_core.features.columnar.column import EXACT
from clv_core.features.expressions import aggregate, once, succession

EPOCH: Final = date(1970, 1, 1)
DAY_SECONDS: Final = 86_400
"""Seconds of a day."""
KINDS: Final = {name: code for code, name in enumerate(EVENT_TYPES)}
"""Codes of the event types with a meaning of their own."""

OTHER: Final = len(EVENT_TYPES)
"""Kind of all other event types."""

TEXT_CODES: Final = 2**30
"""More than any vocabulary holds: ``second since 1970 * TEXT_CODES + code`` orders texts by time, then by code."""


def day_of(day: date) -> int:
    """Return ``day`` in days since 1970-01-01."""
    return (day - EPOCH).days


def code_of(moment: Any) -> Any:
    """Return the code in a moment; engines have remainders below zero of moments before 1970."""
    return (moment % TEXT_CODES + TEXT_CODES) % TEXT_CODES


def _steps(lines: Any) -> Any:
    return aggregate(
        lines,
        ("customer", "day", "type"),
        lambda rows: {
            "kind": rows.kind.min(),
            "second": rows.second.min(),
            "lines": rows.count().cast("int32"),
            "amount": rows.amount.sum(),
            "quantity": rows.quantity.sum(),
            "discount": rows.discount.sum(),
            "rating": rows.rating.sum(),
            "ratings": rows.rating.count().cast("int32"),
            "review_length": rows.review_length.sum().cast("int64"),
            "category": rows.category.min(),
        },
    )


def _money_days(steps: Any) -> Any:
    def sums(rows: Any) -> dict[str, Any]:
        bought, returned = rows.kind == KINDS[PURCHASE], rows.kind == KINDS[RETURN]
        return {
            "net": rows.amount.sum().fill_null(0).cast(EXACT),
            "paid": rows.amount.sum(where=bought).fill_null(0).cast(EXACT),
            "returned": (0 - rows.amount.sum(where=returned)).fill_null(0).cast(EXACT),
        }

    return aggregate(steps.filter(steps.kind.isin([KINDS[name] for name in MONEY_TYPES])), ("customer", "day"), sums)


def _purchase_days(money_days: Any) -> Any:
    days = succession(money_days.filter(money_days.net > 0))
    return days.select("customer", "day", "net", "number", "gap")


def _baskets(lines: Any) -> Any:
    baskets = aggregate(
        lines.filter(lines.kind == KINDS[PURCHASE]),
        ("customer", "day", "order"),
        lambda rows: {
            "value": rows.amount.sum().fill_null(0).cast(EXACT),
            "quantity": rows.quantity.sum(),
            "discount": rows.discount.sum(),
            "lines": rows.count().cast("int32"),
        },
    )
    return baskets.select("customer", "day", "value", "quantity", "discount", "lines")


def _category_days(lines: Any) -> Any:
    return aggregate(
        lines.filter(lines.category.notnull()),
        ("customer", "category", "day"),
        lambda rows: {
            "bought": rows.count(where=rows.kind == KINDS[PURCHASE]).cast("int32"),
            "seen": rows.count().cast("int32"),
        },
    )


def _rating_days(lines: Any) -> Any:
    return aggregate(
        lines.filter(lines.rating.notnull()),
        ("customer", "day"),
        lambda rows: {"total": rows.rating.sum(), "ratings": rows.count().cast("int32"), "lowest": rows.rating.min()},
    )


def _review_days(lines: Any) -> Any:
    return aggregate(
        lines.filter((lines.kind == KINDS[REVIEW]) | (lines.review_length > 0)),
        ("customer", "day"),
        lambda rows: {
            "reviews": rows.count().cast("int32"),
            "length": rows.review_length.sum().fill_null(0).cast("int64"),
        },
    )


def _text_days(column: str) -> Callable[[Any], Any]:
    def moments(rows: Any) -> Any:
        return (rows.day.cast("int64") * DAY_SECONDS + rows.second) * TEXT_CODES + rows[column]

    return lambda lines: aggregate(
        lines.filter(lines[column].notnull()),
        ("customer", "day"),
        lambda rows: {"first": once(rows, moments).min(), "last": once(rows, moments).max()},
    )


RELATIONS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "steps": ("lines", _steps),
    "money_days": ("steps", _money_days),
    "purchase_days": ("money_days", _purchase_days),
    "baskets": ("lines", _baskets),
    "category_days": ("lines", _category_days),
    "rating_days": ("lines", _rating_days),
    "review_days": ("lines", _review_days),
    "channel_days": ("lines", _text_days("channel")),
    "country_days": ("lines", _text_days("country")),
}
"""Each relation by name: the one that it is made from, which comes before it, and how."""


class Tables(Protocol):
    """Relations by name."""

    def __getitem__(self, name: str, /) -> Any:
        """Return a relation."""


Source = Callable[[Tables, int, int], Any]


def _cut(table: Any, cutoff_day: int, horizon_days: int) -> Any:
    past = table.filter(table.day < cutoff_day)
    return past.mutate(age=cutoff_day - past.day, horizon=horizon_days)


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


def _channels(tables: Tables, cutoff_day: int, horizon_days: int) -> Any:
    days = _cut(tables["channel_days"], cutoff_day, horizon_days)
    return aggregate(
        days.mutate(channel=code_of(days["last"])),
        ("customer", "channel"),
        lambda rows: {"days": rows.count().cast("int32"), "last_age": rows.age.min()},
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
    "category_days": _relation("category_days"),
    "categories": _categories,
    "channels": _channels,
}
"""Each source by name: from the relations, the cutoff in days since 1970-01-01 and the horizon to its rows."""
