"""Orders that a time ended: cancelled_at, deleted_at, refunded_at is filled, or paid_at is blank.

Tables of shops' own databases seldom have a column of states; what became of an order stands in times.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.mapping.columns.proposed import TIME
from clv_core.collection.mapping.orders.refund_amounts import told_partly
from clv_core.collection.mapping.plan.orders import ended
from clv_core.collection.mapping.states.naming import OF_REFUNDS
from clv_core.collection.read.source import Source
from clv_core.collection.vocabulary.column_names import fold
from clv_core.collection.vocabulary.order_statuses import (
    CANCELLED,
    DELETED_NAMES,
    PAID_TIMES,
    REFUNDED,
    SOLD,
    VOID_TIME_NAMES,
)
from clv_core.columns import EVENT_TIME, EVENT_TYPE, ORDER_ID, ORDER_STATUS, REFUND, REFUND_STATUS
from clv_core.errors import Message

MOST: Final = 0.5
"""Share of rows that such a column may call no sale; one that does so of more hardly means it."""

LATE: Final = 31
"""Days: half of all orders that are called off are so sooner. A subscription that ends later was paid all the same."""

Ends = dict[str, tuple[bool, str]]


def read_ends(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    rows: Sequence[Mapping[str, Any]],
    chosen: Mapping[str, str],
    mapping: Mapping[str, str],
    said: Mapping[str, str],
) -> tuple[Ends, tuple[Message, ...]]:
    """Return the columns whose times ended orders, each with whether being filled does so and what it then says.

    A column of states outranks them, but for a row that was deleted; an amount that was paid back outranks the time
    when it was. In a log of events a time belongs to its event, and nothing is read of it.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        chosen: canonical name -> source column.
        mapping: what the person said of columns; a status that was said not to be one holds for these too.
        said: column -> what its being filled says of an order, as the person said, among their words of states.
    """
    ends: Ends = {}
    if EVENT_TYPE in chosen or mapping.get(ORDER_STATUS) == "":
        return ends, ()
    notes: list[Message] = []
    for column in source.columns:
        if column in said:
            ends |= {column: (True, said[column])} if said[column] != SOLD else {}
            continue
        state = _state(column, rows, chosen)
        unpaid = not state and _tells_payment(connection, source, column, rows, chosen)
        if not state and not unpaid:
            continue
        if state == REFUNDED and (other := told_partly(rows, column)):
            notes.append(Message("warning.refunds_partly", {"column": column, "other": other}))
            continue
        end = (not unpaid, state or CANCELLED)
        many, all_rows = one(
            connection,
            f"SELECT count(*) FILTER ({ended(column, when_filled=end[0])}), count(*) FROM {source.relation()}",
        )
        days = _days_until(connection, source, column, chosen) if state == CANCELLED else 0.0
        if many > MOST * all_rows or days > LATE:
            if state and 0 < many <= MOST * all_rows:
                params = {"column": column, "rows": int(many), "days": days, "meaning": state}
                notes.append(Message("warning.ended_late", params))
            continue
        ends[column] = end
        if many:
            params = {"column": column, "rows": int(many), "states": ORDER_STATUS}
            notes.append(Message("warning.unpaid_by_time" if unpaid else "warning.ended_by_time", params))
    return ends, tuple(notes)


def _days_until(connection: duckdb.DuckDBPyConnection, source: Source, column: str, chosen: Mapping[str, str]) -> float:
    """Return the median number of days from the events to the times of a column, 0 where it is not known."""
    if EVENT_TIME not in chosen or fold(column) in DELETED_NAMES:
        return 0.0
    began, end = (f"try_cast({name(item)} AS TIMESTAMP)" for item in (chosen[EVENT_TIME], column))
    (days,) = one(connection, f"SELECT median(date_diff('day', {began}, {end})) FROM {source.relation()}")
    return float(days or 0)


def without_used(notes: Sequence[Message], used: Collection[str]) -> tuple[Message, ...]:
    """Return what is to be said, without columns of refunds that were called unused and are used after all.

    Args:
        notes: what was to be said so far.
        used: source columns whose times or words tell of orders.
    """
    left: list[Message] = []
    for note in notes:
        if note.code == "warning.refund_columns_unused":
            columns = [column for column in note.params["columns"] if column not in used]
            if columns:
                left.append(Message(note.code, {**note.params, "columns": columns, "first": columns[0]}))
        else:
            left.append(note)
    return tuple(left)


def _state(column: str, rows: Sequence[Mapping[str, Any]], chosen: Mapping[str, str]) -> str:
    """Return what a column says of orders where it is filled, "" where it is no such column or another outranks it."""
    key = fold(column)
    state = VOID_TIME_NAMES.get(key, "")
    if not state or column in chosen.values() or (ORDER_STATUS in chosen and key not in DELETED_NAMES):
        return ""
    if state == REFUNDED and ({REFUND, REFUND_STATUS} & set(chosen) or _tells_refunds(rows)):
        return ""
    return state if all(TIME.fullmatch(value) for value in _times(rows, column)) else ""


def _tells_refunds(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a column that is none of times tells of refunds: how much, perhaps, was paid back."""
    columns = [column for column in (rows[0] if rows else ()) if OF_REFUNDS.search(fold(column))]
    return any(fold(column) not in VOID_TIME_NAMES and _times(rows, column) for column in columns)


def _tells_payment(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    column: str,
    rows: Sequence[Mapping[str, Any]],
    chosen: Mapping[str, str],
) -> bool:
    """Say whether a column has the times when orders were paid, and is blank in all rows of those that never were."""
    if fold(column) not in PAID_TIMES or column in chosen.values() or ORDER_STATUS in chosen:
        return False
    values = _times(rows, column)
    if not values or not all(TIME.fullmatch(value) for value in values) or EVENT_TIME not in chosen:
        return False
    if ORDER_ID not in chosen:
        return True
    blank, paid = ended(column, when_filled=False), ended(column, when_filled=True)
    return not one(
        connection,
        f"SELECT count(*) FROM (SELECT 1 FROM {source.relation()} WHERE {name(chosen[ORDER_ID])} IS NOT NULL"
        f" GROUP BY {name(chosen[ORDER_ID])} HAVING bool_or({blank}) AND bool_or({paid}))",
    )[0]


def _times(rows: Sequence[Mapping[str, Any]], column: str) -> list[str]:
    return [value for value in filled(rows, column) if any(mark in "123456789" for mark in value)]
