"""More columns of states, such as those of payments beside those of orders: any can say that a row is no sale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name
from clv_core.collection.mapping.columns.proposed import Proposal
from clv_core.collection.mapping.proposals.by_name import says
from clv_core.collection.mapping.states.meanings import OF_PAYMENT, meaning_of
from clv_core.collection.mapping.states.naming import named_of_states
from clv_core.collection.mapping.states.reading import OrderState, no_sales, words_of
from clv_core.collection.read.source import Source
from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, SURE_NAMES, fold
from clv_core.collection.vocabulary.order_statuses import CANCELLED, HELD, REFUNDED, SOLD
from clv_core.columns import EVENT_TYPE, ORDER_STATUS
from clv_core.errors import Message

OFF: Final = (CANCELLED, REFUNDED)
MOST: Final = 0.5
"""Share of rows that another column may call no sale; one that does so of more hardly means it."""


def read_others(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    said: Mapping[str, str],
) -> tuple[OrderState, ...]:
    """Return the words of all other columns of states that call orders no sales.

    They are looked for by name, so that next month's file, whose columns are read as those of the first, has them too.

    Args:
        connection: the engine.
        source: the file.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        said: word -> meaning, as the person said.
    """
    if ORDER_STATUS not in chosen:
        return ()
    found: tuple[OrderState, ...] = ()
    for item in proposals:
        kinds = EVENT_TYPE not in chosen and _of_kinds(item.column)
        if item.column in chosen.values() or not item.samples or not (kinds or says(ORDER_STATUS, item)):
            continue
        states = words_of(connection, source, item.column, f"trim({name(item.column)})", said)
        if kinds and not says(ORDER_STATUS, item):
            states = tuple(state if state.word in said else _promised(state) for state in states)
        off, rows = no_sales(states, item.column), sum(state.rows for state in states)
        if off and sum(state.rows for state in states if state.word in off) <= MOST * rows:
            found += states
    return found


def others_unused(
    rows: Sequence[Mapping[str, Any]], proposals: Sequence[Proposal], chosen: Mapping[str, str]
) -> tuple[Message, ...]:
    """Return a warning for each column of states that no name makes one and that calls off what the known one does not.

    Args:
        rows: the first rows as text.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
    """
    if ORDER_STATUS not in chosen:
        return ()
    status, found = chosen[ORDER_STATUS], []
    known = _meanings(rows, status)
    for item in proposals:
        other = item.column
        if other in chosen.values() or says(ORDER_STATUS, item) or not named_of_states(other):
            continue
        told = _meanings(rows, other)
        off = [row[other] for row in rows if told[row[other]] in OFF and known[row[status]] not in OFF]
        if off and len(off) <= MOST * len(rows) and all(told[word] for word in told if word and word.strip()):
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
