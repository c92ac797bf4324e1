"""Orders that a time or another state ended: cancelled_at is filled, paid_at is blank, a payment was voided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from clv_core.collection.engine import TextRow, V, name, text
from clv_core.collection.infer.columns.proposal import NUMBER, TIME, filled
from clv_core.collection.infer.columns.propose import fits_by_name
from clv_core.collection.infer.log_table import CENT, MARKS, MIN_RULE_SHARE, LogTable
from clv_core.collection.infer.order_states import OrderState, is_refund_in_part, void_words, words_of
from clv_core.collection.infer.plan.orders import ended
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.read.dialect import column_roles
from clv_core.collection.vocabulary.column_names import fold
from clv_core.collection.vocabulary.order_statuses import (
    CANCELLED,
    DELETED_NAMES,
    HELD,
    PAID_TIMES,
    REFUNDED,
    SOLD,
    VOID_TIME_NAMES,
)
from clv_core.columns import AMOUNT, EVENT_TIME, EVENT_TYPE, ORDER_ID, ORDER_STATUS, REFUND, REFUND_STATUS
from clv_core.errors import Message

MAX_VOID_SHARE: Final = 0.5
"""Share of rows that such a column may void; one that voids more hardly means it. A guess."""

MAX_VOID_DAYS: Final = 31
"""Median days to the time: orders are mostly cancelled sooner. A subscription that ends later was paid. A guess."""


def read_void_times(log: LogTable, column_of: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns of times that void an order by being filled, each with its meaning, and warnings.

    A column of states outranks them, but for a row that was deleted; an amount that was paid back outranks the time
    when it was. In a log of events a time belongs to its event, and nothing is read of it.

    Args:
        log: the file.
        column_of: canonical name -> source column.

    Returns:
        Source column -> ``cancelled`` or ``refunded``, and the warnings.
    """
    if EVENT_TYPE in column_of or log.answers.mapping.get(ORDER_STATUS) == "":
        return {}, ()
    ends = {
        column: meaning for column, meaning in log.answers.states.items() if column in log.columns and meaning != SOLD
    }
    warnings: list[Message] = []
    for column in log.columns:
        state = "" if column in log.answers.states else _state(column, log.rows, column_of)
        if not state or (fold(column) in PAID_TIMES and _is_blank_in_part(log, column, column_of)):
            continue
        filled, rows = log.fetch_one(f"SELECT count(*) FILTER ({ended(column)}), count(*) FROM {log.relation}")
        if not filled:
            ends[column] = state  # next month's file is read as this one
            continue
        unpaid = fold(column) in PAID_TIMES
        days = _days_until(log, column, column_of) if state == CANCELLED and not unpaid else 0.0
        is_usual = days <= MAX_VOID_DAYS and filled <= MAX_VOID_SHARE * rows
        params = {"column": column, "rows": int(filled)}
        if is_usual:
            ends[column] = state
            code = "warning.unpaid_by_time" if unpaid else "warning.ended_by_time"
            warnings.append(Message(code, {**params, "states": ORDER_STATUS}))
            if state == REFUNDED and (money := _paid_back_in_part(log, column, column_of)):
                warnings.append(Message("warning.refunded_in_part", {**params, "money": money}))
        elif filled <= MAX_VOID_SHARE * rows and not unpaid:
            warnings.append(Message("warning.ended_late", {**params, "days": days, "meaning": state}))
    return ends, tuple(warnings)


def _paid_back_in_part(log: LogTable, column: str, column_of: Mapping[str, str]) -> str:
    """Return a column of numbers that only refunded orders have and that are not their amounts, "" without one."""
    if AMOUNT not in column_of or REFUND in log.answers.mapping:
        return ""
    for item in log.proposals:
        if item.column in column_of.values() or item.money <= 0:
            continue
        rows_with_money = [row for row in log.rows if _nonzero([row], item.column)]
        numbers = filled(rows_with_money, item.column)
        are_numbers = all(map(NUMBER.fullmatch, numbers)) and not any(map(TIME.fullmatch, numbers))
        in_refunded = len(_nonzero(rows_with_money, column)) == len(rows_with_money)
        if are_numbers and in_refunded and any(row[item.column] != row[column_of[AMOUNT]] for row in rows_with_money):
            return item.column
    return ""


MIN_IN_PART: Final = 3
"""Rows of orders that were paid back in part, before the money is looked for. A guess."""
MAX_OFFERED: Final = 4
"""Columns of refunds that a warning offers."""


def refunds_in_part_warning(log: LogTable, plan: ReadingPlan, states: Sequence[OrderState]) -> tuple[Message, ...]:
    """Return warnings about states "refunded in part" without the amount of the refund.

    A column that is the amount everywhere else, and less there, is what is left; one that is filled there alone, and
    less than the amount, is what was paid back.

    Args:
        log: the file.
        plan: how it is read.
        states: the words of its columns of states.
    """
    words = [state for state in states if state.meaning == SOLD and is_refund_in_part(state.word)]
    words = [state for state in words if state.word not in log.answers.states]
    has_refund = {REFUND} & {*plan.column_of, *log.answers.mapping}
    if sum(state.rows for state in words) < MIN_IN_PART or has_refund or AMOUNT not in plan.column_of:
        return ()
    if log.fetch_one(f"SELECT count(*) FROM {plan.judged(log.relation)} WHERE {V}value < 0")[0]:
        return ()
    left, back, is_left = _money_of_refunds(log, plan.column_of, words)
    if is_left:
        return ()
    first = words[0]
    params = {"column": first.column, "word": first.word[:40], "rows": sum(state.rows for state in words)}
    if not left and not back:
        return (Message("warning.partly_refunded_unknown", params),)
    money = (left or back)[0]
    return (Message("warning.partly_refunded", {**params, "money": money, "left": left, "back": back}),)


def _money_of_refunds(
    log: LogTable, column_of: Mapping[str, str], words: Sequence[OrderState]
) -> tuple[list[str], list[str], bool]:
    """Return the columns of what is left of amounts, those of what was paid back, and whether the amount is the former.

    Args:
        log: the file.
        column_of: canonical name -> source column.
        words: those of states that say that an order was paid back in part.
    """
    left: list[str] = []
    back: list[str] = []
    is_left = False
    in_part = " OR ".join(f"trim({name(state.column)}) = {text(state.word)}" for state in words)
    for item in log.proposals:
        if item.column in column_of.values() or item.money <= 0:
            continue
        for decimal in MARKS:
            rows = log.numbers(
                decimal, {"a": column_of[AMOUNT], "b": item.column}, f"coalesce({in_part}, false) AS part"
            )
            parts, less, more, paid, equal, blank = log.fetch_one(
                f"SELECT count(*) FILTER (part), count(*) FILTER (part AND b > 0 AND b < a - {CENT}),"
                f" count(*) FILTER (part AND b > a + {CENT}), count(*) FILTER (NOT part),"
                f" count(*) FILTER (NOT part AND abs(a - b) < {CENT}),"
                f" count(*) FILTER (NOT part AND coalesce(b, 0) = 0) FROM {rows} WHERE a > 0"
            )
            if parts < MIN_IN_PART or not paid:
                continue
            is_amount, is_less = equal >= MIN_RULE_SHARE * paid, less >= MIN_RULE_SHARE * parts
            is_left = is_left or (is_amount and more >= MIN_RULE_SHARE * parts)
            if is_less and (is_amount or blank >= MIN_RULE_SHARE * paid):
                (left if is_amount else back).append(item.column)
                break
    return left[:MAX_OFFERED], back[:MAX_OFFERED], is_left


def _days_until(log: LogTable, column: str, column_of: Mapping[str, str]) -> float:
    """Return the median number of days from the events to the times of a column, 0 without both."""
    if EVENT_TIME not in column_of or fold(column) in DELETED_NAMES:
        return 0.0
    began, end = (f"try_cast({name(item)} AS TIMESTAMP)" for item in (column_of[EVENT_TIME], column))
    (days,) = log.fetch_one(f"SELECT median(date_diff('day', {began}, {end})) FROM {log.relation}")
    return float(days or 0)


def _state(column: str, rows: Sequence[TextRow], column_of: Mapping[str, str]) -> str:
    """Return what a filled cell of a column means for its order, "" where it is no such column or outranked."""
    key = fold(column)
    state = CANCELLED if key in PAID_TIMES else VOID_TIME_NAMES.get(key, "")
    if not state or column in column_of.values() or (ORDER_STATUS in column_of and key not in DELETED_NAMES):
        return ""
    if state == REFUNDED and ({REFUND, REFUND_STATUS} & set(column_of)):
        return ""
    return state if all(TIME.fullmatch(value) for value in _nonzero(rows, column)) else ""


def _is_blank_in_part(log: LogTable, column: str, column_of: Mapping[str, str]) -> bool:
    """Return whether a time is blank in some rows of an order and filled in others."""
    if ORDER_ID not in column_of:
        return False
    order, filled = name(column_of[ORDER_ID]), ended(column)
    orders = f"SELECT 1 FROM {log.relation} WHERE {order} IS NOT NULL GROUP BY {order}"
    return bool(
        log.fetch_one(f"SELECT count(*) FROM ({orders} HAVING bool_or({filled}) AND NOT bool_and({filled}))")[0]
    )


def _nonzero(rows: Sequence[TextRow], column: str) -> list[str]:
    return [value for value in filled(rows, column) if any(mark in "123456789" for mark in value)]


def read_other_statuses(log: LogTable, column_of: Mapping[str, str]) -> tuple[OrderState, ...]:
    """Return the words of all other columns of states that call orders no sales.

    They are looked for by name, so that next month's file, whose columns are read as those of the first, has them too.

    Args:
        log: the file.
        column_of: canonical name -> source column.
    """
    if ORDER_STATUS not in column_of:
        return ()
    other_states: tuple[OrderState, ...] = ()
    for item in log.proposals:
        kinds = EVENT_TYPE not in column_of and EVENT_TYPE in column_roles(item.column)
        if item.column in column_of.values() or not item.samples or not (kinds or fits_by_name(ORDER_STATUS, item)):
            continue
        states = words_of(log, item.column, f"trim({name(item.column)})")
        if kinds and not fits_by_name(ORDER_STATUS, item):
            states = tuple(state if state.word in log.answers.states else _payment_kind(state) for state in states)
        off, rows = void_words(states, item.column), sum(state.rows for state in states)
        if off and sum(state.rows for state in states if state.word in off) <= MAX_VOID_SHARE * rows:
            other_states += states
    return other_states


def status_column_warnings(
    notes: Sequence[Message], column_of: Mapping[str, str], other_states: Sequence[OrderState]
) -> tuple[Message, ...]:
    """Return the warnings, with all columns of states as used where there are several.

    Args:
        notes: warnings so far.
        column_of: canonical name -> source column.
        other_states: words of the other columns.
    """
    if not other_states:
        return tuple(notes)
    left = [
        note for note in notes if (note.code, note.params.get("canonical")) != ("warning.one_of_several", ORDER_STATUS)
    ]
    columns = dict.fromkeys(item.column for item in other_states)
    warnings = (
        Message("warning.second_states", {"column": column_of[ORDER_STATUS], "other": other}) for other in columns
    )
    return (*left, *warnings)


def _payment_kind(state: OrderState) -> OrderState:
    """Return the state of a payment type: an authorisation is no payment yet, any other is no evidence against one."""
    usual = CANCELLED if HELD.search(state.word) else SOLD
    return replace(state, meaning=usual, known=True, usual=usual)
