"""Rows of returns that only their kind tells: their amounts are positive, and taken off."""

from __future__ import annotations

from collections.abc import Iterable

from clv_core.collection.mapping.states.reading import MOST, OrderState
from clv_core.collection.vocabulary.column_names import fold
from clv_core.collection.vocabulary.order_statuses import REFUNDED, ROW_TYPE_COLUMNS
from clv_core.errors import Message


def returns(states: Iterable[OrderState]) -> tuple[OrderState, ...]:
    """Return the words that name returns in a column of kinds: their rows are no orders that were paid back."""
    return tuple(one for one in states if one.meaning == REFUNDED and fold(one.column) in ROW_TYPE_COLUMNS)


def told_returns(states: Iterable[OrderState]) -> tuple[Message, ...]:
    """Return what is to be said of a column whose words name returns."""
    found = returns(states)
    if not found:
        return ()
    words = [item.word[:40] for item in found[:MOST]]
    params = {"column": found[0].column, "words": words, "first": words[0], "rows": sum(one.rows for one in found)}
    return (Message("warning.return_rows", params),)
