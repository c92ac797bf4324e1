"""Whether an amount is that of a row or of the whole order that the row belongs to.

Shop systems export an order of three products as three rows, with what the order came to in the first one, or in each:
added up as they stand, the first would lose rows, and the second would count the money three times.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import duckdb

from clv_core.collection.mapping.orders import refunds_of_rows
from clv_core.collection.mapping.orders.equal_parts import equal_parts
from clv_core.collection.mapping.orders.evidence import evidence
from clv_core.collection.mapping.orders.parts import part_column, unlike_orders
from clv_core.collection.mapping.plan.orders import BY_ID, BY_TIME, Orders
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.read.source import Source
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, ORDER_ID, ORDER_STATUS, PRODUCT_ID
from clv_core.errors import Message, NeedsAnswer

NEARLY_ALL: Final = 0.95
FEWEST_LATER: Final = 3
"""Rows without an amount that follow one of their order with an amount, before that is taken for a rule."""
FEWEST_ORDERS: Final = 20
FEWEST_AMOUNTS: Final = 10
"""Different amounts among them: in a shop with one price, rows of an order may well be equal."""
FEWEST_ASKED: Final = 3
"""Orders, and different amounts among them, that are worth a question."""
CLOCK: Final = re.compile(r"(?!.*\b00:00(:00(\.0*)?)?\b).*\d:\d\d.*|1\d{9}(\d{3}){0,3}(\.\d+)?")
"""A time with a time of day that is not midnight, or an epoch."""


def of_orders(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    rows: list[dict[str, Any]],
    plan: ReadingPlan,
    mapping: Mapping[str, str],
) -> tuple[Orders, tuple[Message, ...]]:
    """Return ``plan.orders`` with whether the amounts are those of whole orders, and what is to be said of it.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        plan: how it is read, each row for itself.
        mapping: what the person said of columns: with no order, each row's amount is its own; with one, a file of few
            orders that cannot prove it is believed.

    Raises:
        NeedsAnswer: much speaks for whole orders and nothing proves it, or their rows cannot be told.
    """
    chosen = plan.chosen
    if AMOUNT not in chosen or mapping.get(ORDER_ID) == "":
        return plan.orders, ()
    if EVENT_TYPE in chosen:
        return _of_events(connection, source, rows, plan)
    amount, order = chosen[AMOUNT], chosen.get(ORDER_ID)
    if order is None:
        return _by_time(connection, source, rows, plan)
    if not _in_first_rows(rows, order, amount):
        found = evidence(connection, source, plan, _named(plan, BY_ID).key)
        known = PRODUCT_ID in chosen and found.suggests(FEWEST_ORDERS, FEWEST_AMOUNTS)
        if not found.proves and not known:
            if not found.suggests(FEWEST_ASKED, FEWEST_ASKED):
                return plan.orders, ()
            if not mapping.get(ORDER_ID):
                raise NeedsAnswer("amount_of_what", column=amount, order=order, orders=found.orders, same=found.same)
    return _whole(connection, source, plan, BY_ID)


def _of_events(
    connection: duckdb.DuckDBPyConnection, source: Source, rows: list[dict[str, Any]], plan: ReadingPlan
) -> tuple[Orders, tuple[Message, ...]]:
    """Do the same for events, one row a product of a purchase, without a question: most logs tell of rows."""
    chosen = plan.chosen
    by = BY_ID if ORDER_ID in chosen else BY_TIME
    if by == BY_TIME and not _has_clock(rows, plan):
        return plan.orders, ()
    found = evidence(connection, source, plan, _named(plan, by).key)
    many = found.suggests(FEWEST_ORDERS, FEWEST_AMOUNTS)
    if not many or not (found.proves or PRODUCT_ID in chosen):
        return plan.orders, ()
    return _whole(connection, source, plan, by)


def _by_time(
    connection: duckdb.DuckDBPyConnection, source: Source, rows: list[dict[str, Any]], plan: ReadingPlan
) -> tuple[Orders, tuple[Message, ...]]:
    """Do the same where no column names the order: its rows are of one customer, at one instant."""
    chosen = plan.chosen
    found = evidence(connection, source, plan, _named(plan, BY_TIME).key)
    many = found.suggests(FEWEST_ORDERS, FEWEST_AMOUNTS)
    if not _has_clock(rows, plan):
        if found.proves and many:
            params = {"column": chosen[AMOUNT], "orders": found.orders, "found": list(source.columns[:40])}
            raise NeedsAnswer("order_unnamed", canonical=ORDER_ID, **params)
        return plan.orders, ()
    proven = found.proves and found.suggests(FEWEST_ASKED, FEWEST_ASKED)
    if not proven and not (PRODUCT_ID in chosen and many):
        return plan.orders, ()
    return _whole(connection, source, plan, BY_TIME)


def _named(plan: ReadingPlan, by: tuple[str, ...]) -> Orders:
    """Return the orders as some columns name them."""
    by = (*by, ORDER_STATUS) if plan.orders.returns else by  # a return may have the number of its sale
    return replace(plan.orders, by=by, events=EVENT_TYPE in plan.chosen)


def _whole(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan, by: tuple[str, ...]
) -> tuple[Orders, tuple[Message, ...]]:
    """Return the orders as whole ones, paid in parts where a column says so; those that are neither are counted."""
    orders, chosen = _named(plan, by), plan.chosen
    part = part_column(connection, source, plan, orders.key)
    alike = None if part else equal_parts(connection, source, plan, orders.key)
    part = alike.column if alike and alike.proven else part
    of_rows = refunds_of_rows.of_rows(connection, source, plan, orders.key)
    orders = replace(orders, whole=True, part=part, refunds_of_rows=of_rows)
    if by == BY_ID:
        notes = [Message("warning.whole_orders", {"order": chosen[ORDER_ID], "column": chosen[AMOUNT]})]
    else:
        params = {"customer": chosen[CUSTOMER_ID], "time": chosen[EVENT_TIME], "column": chosen[AMOUNT]}
        notes = [Message("warning.whole_orders_by_time", params)]
    if orders.part:
        notes.append(Message("warning.order_parts", {"part": orders.part, "column": plan.chosen[AMOUNT]}))
    elif alike:
        told = {"part": alike.column, "column": plan.chosen[AMOUNT], "orders": alike.orders}
        notes.append(Message("warning.equal_parts", told))
    unlike = unlike_orders(connection, source, plan, orders)
    if unlike:
        notes.append(Message("warning.orders_unlike", {"orders": unlike, "column": plan.chosen[AMOUNT]}))
    return orders, tuple(notes)


def _in_first_rows(rows: list[dict[str, Any]], order: str, amount: str) -> bool:
    """Say whether rows without an amount follow one of the same order that has one."""
    headed: set[str] = set()
    blank = later = 0
    for row in rows:
        if row[amount] is not None and str(row[amount]).strip():
            headed.add(row[order])
        else:
            blank += 1
            later += row[order] is not None and row[order] in headed
    return blank >= FEWEST_LATER and later >= NEARLY_ALL * blank


def _has_clock(rows: list[dict[str, Any]], plan: ReadingPlan) -> bool:
    """Say whether most times have a time of day."""
    times = [str(row[plan.chosen[EVENT_TIME]]) for row in rows if row[plan.chosen[EVENT_TIME]] is not None]
    return bool(plan.clock) or sum(bool(CLOCK.fullmatch(time)) for time in times) > 0.5 * len(times)
