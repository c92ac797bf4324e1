"""Orders that a time or another state ended: cancelled_at is filled, paid_at is blank, a payment was voided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from clv_core.collection.engine import name
from clv_core.collection.infer.columns.by_name import says
from clv_core.collection.infer.columns.proposal import TIME, filled
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.order_states import OF_REFUNDS, OrderState, named_of_states, no_sales, words_of
from clv_core.collection.infer.orders.refunds import told_partly
from clv_core.collection.infer.plan.orders import ended
from clv_core.collection.infer.state_words import OF_PAYMENT, meaning_of
from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, SURE_NAMES, fold
from clv_core.collection.vocabulary.order_statuses import (
    CANCELLED,
    DELETED_NAMES,
    HELD,
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


def read_ends(log: LogTable, chosen: Mapping[str, str]) -> tuple[Ends, tuple[Message, ...]]:
    """Return the columns whose times ended orders, each with whether being filled does so and what it then says.

    A column of states outranks them, but for a row that was deleted; an amount that was paid back outranks the time
    when it was. In a log of events a time belongs to its event, and nothing is read of it.

    Args:
        log: the file.
        chosen: canonical name -> source column.
    """
    ends: Ends = {}
    if EVENT_TYPE in chosen or log.answers.mapping.get(ORDER_STATUS) == "":
        return ends, ()
    notes: list[Message] = []
    for column in log.columns:
        if column in log.answers.states:
            ends |= {column: (True, log.answers.states[column])} if log.answers.states[column] != SOLD else {}
            continue
        state = _state(column, log.rows, chosen)
        unpaid = not state and _tells_payment(log, column, chosen)
        if not state and not unpaid:
            continue
        if state == REFUNDED and (other := told_partly(log.rows, column)):
            notes.append(Message("warning.refunds_partly", {"column": column, "other": other}))
            continue
        end = (not unpaid, state or CANCELLED)
        many, all_rows = log.one(
            f"SELECT count(*) FILTER ({ended(column, when_filled=end[0])}), count(*) FROM {log.relation}",
        )
        days = _days_until(log, column, chosen) if state == CANCELLED else 0.0
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


def _days_until(log: LogTable, column: str, chosen: Mapping[str, str]) -> float:
    """Return the median number of days from the events to the times of a column, 0 where it is not known."""
    if EVENT_TIME not in chosen or fold(column) in DELETED_NAMES:
        return 0.0
    began, end = (f"try_cast({name(item)} AS TIMESTAMP)" for item in (chosen[EVENT_TIME], column))
    (days,) = log.one(f"SELECT median(date_diff('day', {began}, {end})) FROM {log.relation}")
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
    log: LogTable,
    column: str,
    chosen: Mapping[str, str],
) -> bool:
    """Say whether a column has the times when orders were paid, and is blank in all rows of those that never were."""
    if fold(column) not in PAID_TIMES or column in chosen.values() or ORDER_STATUS in chosen:
        return False
    values = _times(log.rows, column)
    if not values or not all(TIME.fullmatch(value) for value in values) or EVENT_TIME not in chosen:
        return False
    if ORDER_ID not in chosen:
        return True
    blank, paid = ended(column, when_filled=False), ended(column, when_filled=True)
    return not log.one(
        f"SELECT count(*) FROM (SELECT 1 FROM {log.relation} WHERE {name(chosen[ORDER_ID])} IS NOT NULL"
        f" GROUP BY {name(chosen[ORDER_ID])} HAVING bool_or({blank}) AND bool_or({paid}))",
    )[0]


def _times(rows: Sequence[Mapping[str, Any]], column: str) -> list[str]:
    return [value for value in filled(rows, column) if any(mark in "123456789" for mark in value)]


OFF: Final = (CANCELLED, REFUNDED)


def read_others(log: LogTable, chosen: Mapping[str, str]) -> tuple[OrderState, ...]:
    """Return the words of all other columns of states that call orders no sales.

    They are looked for by name, so that next month's file, whose columns are read as those of the first, has them too.

    Args:
        log: the file.
        chosen: canonical name -> source column.
    """
    if ORDER_STATUS not in chosen:
        return ()
    found: tuple[OrderState, ...] = ()
    for item in log.proposals:
        kinds = EVENT_TYPE not in chosen and _of_kinds(item.column)
        if item.column in chosen.values() or not item.samples or not (kinds or says(ORDER_STATUS, item)):
            continue
        states = words_of(log, item.column, f"trim({name(item.column)})", log.answers.states)
        if kinds and not says(ORDER_STATUS, item):
            states = tuple(state if state.word in log.answers.states else _promised(state) for state in states)
        off, rows = no_sales(states, item.column), sum(state.rows for state in states)
        if off and sum(state.rows for state in states if state.word in off) <= MOST * rows:
            found += states
    return found


def others_unused(log: LogTable, chosen: Mapping[str, str]) -> tuple[Message, ...]:
    """Return a warning for each column of states that no name makes one and that calls off what the known one does not.

    Args:
        log: the file.
        chosen: canonical name -> source column.
    """
    if ORDER_STATUS not in chosen:
        return ()
    status, found = chosen[ORDER_STATUS], []
    known = _meanings(log.rows, status)
    for item in log.proposals:
        other = item.column
        if other in chosen.values() or says(ORDER_STATUS, item) or not named_of_states(other):
            continue
        told = _meanings(log.rows, other)
        off = [row[other] for row in log.rows if told[row[other]] in OFF and known[row[status]] not in OFF]
        if off and len(off) <= MOST * len(log.rows) and all(told[word] for word in told if word and word.strip()):
            params = {"column": other, "status": status, "states": list(dict.fromkeys(map(str.strip, off)))[:8]}
            found.append(Message("warning.other_status_unused", params))
    return tuple(found)


def _meanings(rows: Sequence[Mapping[str, Any]], column: str) -> dict[Any, str | None]:
    of_payment = bool(OF_PAYMENT.search(column))
    return {word: meaning_of(str(word or "").strip(), of_payment=of_payment) for word in {row[column] for row in rows}}


def others_used(
    notes: Sequence[Message], chosen: Mapping[str, str], others: Sequence[OrderState]
) -> tuple[Message, ...]:
    """Return what is to be said, with all columns of states as used where there are several.

    Args:
        notes: what was to be said so far.
        chosen: canonical name -> source column.
        others: words of the other columns.
    """
    if not others:
        return tuple(notes)
    left = [
        note for note in notes if (note.code, note.params.get("canonical")) != ("warning.one_of_several", ORDER_STATUS)
    ]
    columns = dict.fromkeys(item.column for item in others)
    said = (Message("warning.second_states", {"column": chosen[ORDER_STATUS], "other": other}) for other in columns)
    return (*left, *said)


def _of_kinds(column: str) -> bool:
    key = fold(column)
    return EVENT_TYPE in (SURE_NAMES.get(key), LIKELY_NAMES.get(key))


def _promised(state: OrderState) -> OrderState:
    """Return a word of a column of kinds of payments: an authorisation is none yet, of others nothing is said."""
    usual = CANCELLED if HELD.search(state.word) else SOLD
    return replace(state, meaning=usual, known=True, usual=usual)
