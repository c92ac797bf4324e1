"""Which column is one of states of orders, by its name and its words, and which of them no reading uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from clv_core.collection.infer.columns.proposal import different
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.infer.state_words import OF_PAYMENT, are_codes, are_words, meaning_by_column, meaning_of
from clv_core.collection.vocabulary.column_names import KIND_NAMES, LIKELY_NAMES, MISSING, SURE_NAMES, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.collection.vocabulary.order_statuses import (
    AUTHORIZED_WORDS,
    CANCELLED,
    PAID_FLAGS,
    PAID_WORDS,
    REFUNDED,
    ROW_TYPE_COLUMNS,
    SOLD,
    STAGE_NAMES,
    TAKEN,
    WON,
)
from clv_core.columns import EVENT_TYPE, ORDER_STATUS, REFUND_STATUS
from clv_core.errors import Message

_VOCABULARY: Final = load_vocabulary()

FEW_WORDS: Final = 8
SAID_OFF: Final = _VOCABULARY.folded("certain_statuses", "off")
"""Words that say of an order that it is none, whatever the name of their column is."""
TRIED: Final = _VOCABULARY.folded("certain_statuses", "tried")
"""Words beside "live" or "production" of orders that somebody only tried; of groups of an experiment beside others."""
OF_STATES: Final = re.compile(_VOCABULARY.pattern("state_columns", "columns"))
OF_OTHERS: Final = re.compile(_VOCABULARY.pattern("state_columns", "of_others"))
"""What the name of a column holds whose states are not those of orders."""
CODED: Final = re.compile(f"(?:{_VOCABULARY.pattern('state_columns', 'codes')})$")
"""What the name of a column ends with that holds the numbers of states."""
ABBREVIATION: Final = re.compile(r"[A-Z]{1,3}\d?")
"""One word of a column of kinds, as ledgers abbreviate their documents: SI, SC, SR."""


def choose_status_column(log: LogTable, chosen: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return ``chosen`` with the column whose words the person spoke of, or say that one of states is not used.

    Beside events "paid" may be of the visit, which an advertisement brought: it is no state before the person says so.

    Args:
        log: the file.
        chosen: canonical name -> source column.
    """
    found = dict(chosen)
    if ORDER_STATUS in log.answers.mapping or not log.rows:
        return found, ()
    if ORDER_STATUS in chosen:
        column = chosen[ORDER_STATUS]
        if EVENT_TYPE in chosen and fold(column) in PAID_FLAGS and not log.answers.states:
            del found[ORDER_STATUS]
            return found, (_unused(column, list(dict.fromkeys(log.filled(column)))),)
        return found, ()
    spoken = {fold(word) for word in log.answers.states}
    for column in log.rows[0]:
        if column in chosen.values() or any(key.startswith(f"{column}=") for key in log.answers.rows):
            continue
        words = [word for word in different(log.rows, column) if word.lower() not in MISSING]
        if not _named_so(column, words) or not (are_words(words) or are_codes(words)):
            continue
        if spoken & {fold(word) for word in words}:
            return found | {ORDER_STATUS: column}, ()
        return found, (_unused(column, words),)
    return found, ()


def _unused(column: str, words: list[str]) -> Message:
    first = next((word for word in words if meaning_of(word) not in (None, SOLD)), words[0])
    return Message("warning.status_unused", {"column": column, "states": words[:8], "first": first})


def are_abbreviations(words: list[str]) -> bool:
    """Say whether the words are a few abbreviations."""
    return 1 < len(set(words)) <= FEW_WORDS and all(map(ABBREVIATION.fullmatch, words))


def is_named_status(column: str) -> bool:
    """Say whether a column is called one of states, and not of those of something else than orders."""
    key = fold(column)
    return bool(OF_STATES.search(key) and not OF_OTHERS.search(key))


def _named_so(column: str, words: list[str]) -> bool:
    """Say whether a column is called one of states; where it only may be one, a word must be of no sale."""
    key = fold(column)
    if (
        SURE_NAMES.get(key) == ORDER_STATUS
        or (SURE_NAMES.get(CODED.sub("", key)) == ORDER_STATUS and are_codes(words))
        or key in ROW_TYPE_COLUMNS
        or (LIKELY_NAMES.get(key) == ORDER_STATUS and are_codes(words))
        or (key in KIND_NAMES and (are_abbreviations(words) or are_codes(words)))
    ):
        return True
    if LIKELY_NAMES.get(key) != ORDER_STATUS and not is_named_status(column):
        if len(words) > FEW_WORDS or OF_OTHERS.search(key):
            return False
        meanings = [meaning_of(word) for word in words]
        folded = set(map(fold, words))
        return all(meanings) and (REFUNDED in meanings or bool(folded & TRIED)) or bool(SAID_OFF & folded)
    of_payment = bool(OF_PAYMENT.search(column))
    return any(meaning_of(word, of_payment=of_payment) not in (None, SOLD) for word in words)


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


def read_states(log: LogTable, plan: ReadingPlan) -> tuple[OrderState, ...]:
    """Return the words of a file's columns of states and what each is taken for, the most frequent first."""
    found: list[OrderState] = []
    for canonical in (ORDER_STATUS, REFUND_STATUS):
        if canonical in plan.chosen:
            after = canonical == REFUND_STATUS
            found += words_of(log, plan.chosen[canonical], plan.clean(canonical), after_sale=after)
    return tuple(found)


def words_of(log: LogTable, column: str, words: str, *, after_sale: bool = False) -> tuple[OrderState, ...]:
    """Return the words of one column of states and what each is taken for, the most frequent first.

    What the person said of a word, spelling aside, outranks what it usually means.

    Args:
        log: the file.
        column: the source column.
        words: SQL for its text.
        after_sale: whether it speaks of refunds.
    """
    spoken = {fold(word) or word: meaning for word, meaning in log.answers.states.items()}
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
        usual = meaning_by_column(column, word, won=won) or meaning_of(
            word, after_sale=after_sale, of_payment=of_payment
        )
        usual = CANCELLED if taken and fold(word) in AUTHORIZED_WORDS else usual
        mine = spoken.get(fold(word) or word)
        found.append(OrderState(column, word, int(count), mine or usual or SOLD, bool(mine or usual), usual or ""))
    return tuple(found)


def void_words(states: Iterable[OrderState], column: str) -> dict[str, str]:
    """Return word -> ``cancelled`` or ``refunded`` for the words of a column that say so."""
    return {item.word: item.meaning for item in states if item.column == column and item.meaning != SOLD}


def unknown_states_warning(states: Iterable[OrderState]) -> tuple[Message, ...]:
    """Return a warning a column that names the states that nobody knows, and that are taken for sales."""
    unknown: dict[str, list[OrderState]] = {}
    every: dict[str, list[str]] = {}
    for item in states:
        every.setdefault(item.column, []).append(item.word)
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
                "seen": every[column],
            },
        )
        for column, items in unknown.items()
    )


def returns(states: Iterable[OrderState]) -> tuple[OrderState, ...]:
    """Return the words that name returns in a column of kinds: their rows are no orders that were paid back."""
    return tuple(one for one in states if one.meaning == REFUNDED and fold(one.column) in ROW_TYPE_COLUMNS)


def return_rows_warning(states: Iterable[OrderState]) -> tuple[Message, ...]:
    """Return what is to be said of a column whose words name returns."""
    found = returns(states)
    if not found:
        return ()
    words = [item.word[:40] for item in found[:MOST]]
    params = {"column": found[0].column, "words": words, "first": words[0], "rows": sum(one.rows for one in found)}
    return (Message("warning.return_rows", params),)
