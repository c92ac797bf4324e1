"""Orders that a time or another state ended: cancelled_at is filled, paid_at is blank, a payment was voided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from clv_core.collection.engine import TextRow, V, name, text
from clv_core.collection.infer.columns.proposal import NUMBER, TIME, filled
from clv_core.collection.infer.columns.propose import says
from clv_core.collection.infer.log_table import CENT, MARKS, NEARLY_ALL, LogTable
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

MOST: Final = 0.5
"""Share of rows that such a column may call no sale; one that does so of more hardly means it."""

LATE: Final = 31
"""Days: half of all orders that are called off are so sooner. A subscription that ends later was paid all the same."""


def read_void_times(log: LogTable, chosen: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns of times that void an order by being filled, each with what it says, and warnings.

    A column of states outranks them, but for a row that was deleted; an amount that was paid back outranks the time
    when it was. In a log of events a time belongs to its event, and nothing is read of it.

    Args:
        log: the file.
        chosen: canonical name -> source column.

    Returns:
        Source column -> ``cancelled`` or ``refunded``, and the warnings.
    """
    if EVENT_TYPE in chosen or log.answers.mapping.get(ORDER_STATUS) == "":
        return {}, ()
    ends = {column: said for column, said in log.answers.states.items() if column in log.columns and said != SOLD}
    warnings: list[Message] = []
    for column in log.columns:
        state = "" if column in log.answers.states else _state(column, log.rows, chosen)
        if not state or (fold(column) in PAID_TIMES and _is_blank_in_part(log, column, chosen)):
            continue
        filled, rows = log.one(f"SELECT count(*) FILTER ({ended(column)}), count(*) FROM {log.relation}")
        if not filled:
            ends[column] = state  # next month's file is read as this one
            continue
        unpaid = fold(column) in PAID_TIMES
        days = _days_until(log, column, chosen) if state == CANCELLED and not unpaid else 0.0
        is_usual = days <= LATE and filled <= MOST * rows
        params = {"column": column, "rows": int(filled)}
        if is_usual:
            ends[column] = state
            code = "warning.unpaid_by_time" if unpaid else "warning.ended_by_time"
            warnings.append(Message(code, {**params, "states": ORDER_STATUS}))
            if state == REFUNDED and (money := _paid_back_in_part(log, column, chosen)):
                warnings.append(Message("warning.refunded_in_part", {**params, "money": money}))
        elif filled <= MOST * rows and not unpaid:
            warnings.append(Message("warning.ended_late", {**params, "days": days, "meaning": state}))
    return ends, tuple(warnings)


def _paid_back_in_part(log: LogTable, column: str, chosen: Mapping[str, str]) -> str:
    """Return a column of numbers that stand in refunded orders alone and are not their amounts, "" without one."""
    if AMOUNT not in chosen or REFUND in log.answers.mapping:
        return ""
    for item in log.proposals:
        if item.column in chosen.values() or item.money <= 0:
            continue
        told = [row for row in log.rows if _nonzero([row], item.column)]
        numbers = filled(told, item.column)
        are_numbers = all(map(NUMBER.fullmatch, numbers)) and not any(map(TIME.fullmatch, numbers))
        in_refunded = len(_nonzero(told, column)) == len(told)
        if are_numbers and in_refunded and any(row[item.column] != row[chosen[AMOUNT]] for row in told):
            return item.column
    return ""


MIN_IN_PART: Final = 3
"""Rows of orders that were paid back in part, before the money is looked for."""
MAX_OFFERED: Final = 4


def refunds_in_part_warning(log: LogTable, plan: ReadingPlan, states: Sequence[OrderState]) -> tuple[Message, ...]:
    """Return what is to be said of states that say "refunded in part" where nothing says how much.

    A column that is the amount everywhere else, and less there, is what is left; one that is filled there alone, and
    less than the amount, is what was paid back.

    Args:
        log: the file.
        plan: how it is read.
        states: the words of its columns of states.
    """
    words = [one for one in states if one.meaning == SOLD and is_refund_in_part(one.word)]
    words = [one for one in words if one.word not in log.answers.states]
    told = {REFUND} & {*plan.chosen, *log.answers.mapping}
    if sum(one.rows for one in words) < MIN_IN_PART or told or AMOUNT not in plan.chosen:
        return ()
    if log.one(f"SELECT count(*) FROM {plan.judged(log.relation)} WHERE {V}value < 0")[0]:
        return ()
    left, back, is_left = _money_of_refunds(log, plan.chosen, words)
    if is_left:
        return ()
    first = words[0]
    params = {"column": first.column, "word": first.word[:40], "rows": sum(one.rows for one in words)}
    if not left and not back:
        return (Message("warning.partly_refunded_unknown", params),)
    money = (left or back)[0]
    return (Message("warning.partly_refunded", {**params, "money": money, "left": left, "back": back}),)


def _money_of_refunds(
    log: LogTable, chosen: Mapping[str, str], words: Sequence[OrderState]
) -> tuple[list[str], list[str], bool]:
    """Return the columns of what is left of amounts, those of what was paid back, and whether the amount is the former.

    Args:
        log: the file.
        chosen: canonical name -> source column.
        words: those of states that say that an order was paid back in part.
    """
    left: list[str] = []
    back: list[str] = []
    is_left = False
    said = " OR ".join(f"trim({name(one.column)}) = {text(one.word)}" for one in words)
    for item in log.proposals:
        if item.column in chosen.values() or item.money <= 0:
            continue
        for decimal in MARKS:
            rows = log.numbers(decimal, {"a": chosen[AMOUNT], "b": item.column}, f"coalesce({said}, false) AS part")
            parts, less, more, paid, equal, blank = log.one(
                f"SELECT count(*) FILTER (part), count(*) FILTER (part AND b > 0 AND b < a - {CENT}),"
                f" count(*) FILTER (part AND b > a + {CENT}), count(*) FILTER (NOT part),"
                f" count(*) FILTER (NOT part AND abs(a - b) < {CENT}),"
                f" count(*) FILTER (NOT part AND coalesce(b, 0) = 0) FROM {rows} WHERE a > 0"
            )
            if parts < MIN_IN_PART or not paid:
                continue
            is_amount, is_less = equal >= NEARLY_ALL * paid, less >= NEARLY_ALL * parts
            is_left = is_left or (is_amount and more >= NEARLY_ALL * parts)
            if is_less and (is_amount or blank >= NEARLY_ALL * paid):
                (left if is_amount else back).append(item.column)
                break
    return left[:MAX_OFFERED], back[:MAX_OFFERED], is_left


def _days_until(log: LogTable, column: str, chosen: Mapping[str, str]) -> float:
    """Return the median number of days from the events to the times of a column, 0 where it is not known."""
    if EVENT_TIME not in chosen or fold(column) in DELETED_NAMES:
        return 0.0
    began, end = (f"try_cast({name(item)} AS TIMESTAMP)" for item in (chosen[EVENT_TIME], column))
    (days,) = log.one(f"SELECT median(date_diff('day', {began}, {end})) FROM {log.relation}")
    return float(days or 0)


def _state(column: str, rows: Sequence[TextRow], chosen: Mapping[str, str]) -> str:
    """Return what a column says of orders where it is filled, "" where it is no such column or another outranks it."""
    key = fold(column)
    state = CANCELLED if key in PAID_TIMES else VOID_TIME_NAMES.get(key, "")
    if not state or column in chosen.values() or (ORDER_STATUS in chosen and key not in DELETED_NAMES):
        return ""
    if state == REFUNDED and ({REFUND, REFUND_STATUS} & set(chosen)):
        return ""
    return state if all(TIME.fullmatch(value) for value in _nonzero(rows, column)) else ""


def _is_blank_in_part(log: LogTable, column: str, chosen: Mapping[str, str]) -> bool:
    """Say whether a time is blank in some rows of an order and filled in others."""
    if ORDER_ID not in chosen:
        return False
    order, filled = name(chosen[ORDER_ID]), ended(column)
    orders = f"SELECT 1 FROM {log.relation} WHERE {order} IS NOT NULL GROUP BY {order}"
    return bool(log.one(f"SELECT count(*) FROM ({orders} HAVING bool_or({filled}) AND NOT bool_and({filled}))")[0])


def _nonzero(rows: Sequence[TextRow], column: str) -> list[str]:
    return [value for value in filled(rows, column) if any(mark in "123456789" for mark in value)]


def read_other_statuses(log: LogTable, chosen: Mapping[str, str]) -> tuple[OrderState, ...]:
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
        kinds = EVENT_TYPE not in chosen and EVENT_TYPE in column_roles(item.column)
        if item.column in chosen.values() or not item.samples or not (kinds or says(ORDER_STATUS, item)):
            continue
        states = words_of(log, item.column, f"trim({name(item.column)})")
        if kinds and not says(ORDER_STATUS, item):
            states = tuple(state if state.word in log.answers.states else _promised(state) for state in states)
        off, rows = void_words(states, item.column), sum(state.rows for state in states)
        if off and sum(state.rows for state in states if state.word in off) <= MOST * rows:
            found += states
    return found


def status_column_warnings(
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


def _promised(state: OrderState) -> OrderState:
    """Return a word of a column of kinds of payments: an authorisation is none yet, of others nothing is said."""
    usual = CANCELLED if HELD.search(state.word) else SOLD
    return replace(state, meaning=usual, known=True, usual=usual)
