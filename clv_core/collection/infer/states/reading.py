"""The words of a file's columns of states, and what each of them is taken for; those that name rows of returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.states.words import OF_PAYMENT, meaning_of, of_name
from clv_core.collection.vocabulary.column_names import MISSING, fold
from clv_core.collection.vocabulary.order_statuses import (
    AUTHORIZED_WORDS,
    CANCELLED,
    PAID_WORDS,
    REFUNDED,
    ROW_TYPE_COLUMNS,
    SOLD,
    STAGE_NAMES,
    TAKEN,
    WON,
)
from clv_core.columns import ORDER_STATUS, REFUND_STATUS
from clv_core.errors import Message

MOST: Final = 20
"""States that are not known are named up to this many."""
MOST_READ: Final = 1_000
"""The most frequent states are read; a column with more is hardly one of states."""


@dataclass(frozen=True)
class OrderState:
    """One word of a column of states.

    Args:
        column: the source column.
        word: as it stands in the file.
        rows: how many rows carry it.
        meaning: ``sold``, ``cancelled`` or ``refunded``: what it is taken for.
        known: whether the person said so or it is a usual word; others are taken for sales.
        usual: what it says by itself; empty where it is not known.
    """

    column: str
    word: str
    rows: int
    meaning: str
    known: bool
    usual: str


def read_states(
    log: LogTable,
    chosen: Mapping[str, str],
    texts: Mapping[str, str],
) -> tuple[OrderState, ...]:
    """Return the words of a file's columns of states and what each is taken for, the most frequent first.

    Args:
        log: the file.
        chosen: canonical name -> source column.
        texts: canonical name -> SQL for its text.
    """
    found: list[OrderState] = []
    for canonical in (ORDER_STATUS, REFUND_STATUS):
        if canonical in chosen:
            after = canonical == REFUND_STATUS
            found += words_of(log, chosen[canonical], texts[canonical], log.answers.states, after_sale=after)
    return tuple(found)


def words_of(
    log: LogTable,
    column: str,
    words: str,
    said: Mapping[str, str],
    *,
    after_sale: bool = False,
) -> tuple[OrderState, ...]:
    """Return the words of one column of states and what each is taken for, the most frequent first.

    Args:
        log: the file.
        column: the source column.
        words: SQL for its text.
        said: word -> meaning, as the person said; spelling aside, it outranks the usual one.
        after_sale: whether it speaks of refunds.
    """
    spoken = {fold(word) or word: meaning for word, meaning in said.items()}
    of_payment = bool(OF_PAYMENT.search(column))
    rows = log.fetch(
        f"SELECT {words} AS word, count(*) FROM {log.relation} GROUP BY 1 HAVING word IS NOT NULL"
        f" ORDER BY count(*) DESC, word LIMIT {MOST_READ}"
    )
    found: list[OrderState] = []
    won = fold(column) in STAGE_NAMES and any(WON.search(str(word)) for word, _ in rows)
    taken = any(fold(word) in TAKEN for word, _ in rows if word)
    of_payment = of_payment or any(fold(word) in PAID_WORDS for word, _ in rows)
    for word, count in rows:
        if word.lower() in MISSING:
            continue
        usual = of_name(column, word, won=won) or meaning_of(word, after_sale=after_sale, of_payment=of_payment)
        usual = CANCELLED if taken and fold(word) in AUTHORIZED_WORDS else usual
        mine = spoken.get(fold(word) or word)
        found.append(OrderState(column, word, int(count), mine or usual or SOLD, bool(mine or usual), usual or ""))
    return tuple(found)


def no_sales(states: Iterable[OrderState], column: str) -> dict[str, str]:
    """Return word -> ``cancelled`` or ``refunded`` for the words of a column that say so."""
    return {item.word: item.meaning for item in states if item.column == column and item.meaning != SOLD}


def strange(states: Iterable[OrderState]) -> tuple[Message, ...]:
    """Return a warning a column that names the states that nobody knows, and that are taken for sales."""
    unknown: dict[str, list[OrderState]] = {}
    for item in states:
        if not item.known:
            unknown.setdefault(item.column, []).append(item)
    return tuple(
        Message(
            "warning.unknown_states",
            {
                "column": column,
                "states": [f"{item.word[:40]} ({item.rows:,})" for item in items[:MOST]],
                "first": items[0].word[:40],
                "words": [item.word for item in items[:MOST]],
            },
        )
        for column, items in unknown.items()
    )


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
