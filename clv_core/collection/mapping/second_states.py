"""A second column of states, such as those of payments beside those of orders: either can say that it is no sale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import name
from clv_core.collection.files.source import Source
from clv_core.collection.mapping.order_states import OrderState, no_sales, words_of
from clv_core.collection.mapping.proposal import Proposal, says
from clv_core.columns import ORDER_STATUS
from clv_core.errors import Message

MOST: Final = 0.5
"""Share of rows that a second column may call no sale; one that does so of more hardly means it."""


def read_second(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    said: Mapping[str, str],
) -> tuple[OrderState, ...]:
    """Return the words of the first other column of states that calls orders no sales; none where there is none.

    It is looked for by name, so that next month's file, whose columns are read as those of the first, has it too.

    Args:
        connection: the engine.
        source: the file.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        said: word -> meaning, as the person said.
    """
    if ORDER_STATUS not in chosen:
        return ()
    for item in proposals:
        if item.column in chosen.values() or not item.samples or not says(ORDER_STATUS, item):
            continue
        states = words_of(connection, source, item.column, f"trim({name(item.column)})", said)
        off, rows = no_sales(states, item.column), sum(state.rows for state in states)
        if off and sum(state.rows for state in states if state.word in off) <= MOST * rows:
            return states
    return ()


def both_used(notes: Sequence[Message], chosen: Mapping[str, str], second: Sequence[OrderState]) -> tuple[Message, ...]:
    """Return what is to be said, with both columns of states as used where a second one is.

    Args:
        notes: what was to be said so far.
        chosen: canonical name -> source column.
        second: words of the second column.
    """
    if not second:
        return tuple(notes)
    left = [
        note for note in notes if (note.code, note.params.get("canonical")) != ("warning.one_of_several", ORDER_STATUS)
    ]
    return (*left, Message("warning.second_states", {"column": chosen[ORDER_STATUS], "other": second[0].column}))
