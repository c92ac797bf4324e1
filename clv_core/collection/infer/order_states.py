"""Columns of states of orders: which is one, what its words say of an order, and which of them no reading uses.

A column is told by its name and its words; a word says that an order was sold, that nobody paid, that it was paid back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from clv_core.collection.infer.columns.proposal import different
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, KIND_NAMES, LIKELY_NAMES, MISSING, SURE_NAMES, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.collection.vocabulary.order_statuses import (
    AUTHORIZED_WORDS,
    CANCELLED,
    MAX_TEST_SHARE,
    NO,
    PAID_FLAGS,
    PAID_WORDS,
    PARTLY,
    PHRASES,
    REFUND_STATUS_WORDS,
    REFUNDED,
    ROW_TYPE_COLUMNS,
    SOLD,
    STAGE_NAMES,
    STATE_NAMES,
    TAKEN,
    TEST_FLAGS,
    UNPAID_WORDS,
    VOID_FLAGS,
    WON,
    YES,
)
from clv_core.columns import EVENT_TYPE, ORDER_STATUS, REFUND_STATUS, RETURN
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


FEW: Final = 40
"""A column of states has no more of them than this, among the rows of a sample."""
LONGEST: Final = 60
CODE: Final = re.compile(r"-?\d{1,3}")
DATE_LIKE: Final = re.compile(r"\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}|\d\d:\d\d")


def are_words(values: list[str]) -> bool:
    """Say whether values are few different words, no numbers and no dates."""
    different = set(values)
    wordy = sum(any(map(str.isalpha, word)) and not DATE_LIKE.search(word) for word in different)
    short = all(len(word) <= LONGEST for word in different)
    return 0 < len(different) <= FEW and short and wordy == len(different)


def are_codes(values: list[str]) -> bool:
    """Say whether values are a few short numbers: states that only their shop's manual explains."""
    different = set(values)
    return 1 < len(different) <= FEW and all(CODE.fullmatch(value) for value in different)


def has_words_of_its_own(column: str, values: list[str]) -> bool:
    """Say whether a column's name gives its words a meaning: voided or paid, yes or no; a stage that is won."""
    key = fold(column)
    if not values or not (key in STAGE_NAMES or key in VOID_FLAGS or key in PAID_FLAGS):
        return False
    words = set(values)
    if key in STAGE_NAMES:
        return any(map(WON.search, words)) and are_words(values)
    if key in TEST_FLAGS and sum(value.lower() in YES for value in values) > MAX_TEST_SHARE * len(values):
        return False
    return (key in VOID_FLAGS or key in PAID_FLAGS) and {value.lower() for value in words} <= {*YES, *NO}


def meaning_by_column(column: str, word: str, *, won: bool) -> str | None:
    """Return what a word says because of its column's name, None where that gives it no meaning.

    Args:
        column: the source column.
        word: as it stands in the file.
        won: whether it is one of stages, some of which are won: all others are no sales.
    """
    key = fold(column)
    if won:
        return SOLD if WON.search(word) else CANCELLED
    yes, no = (SOLD, CANCELLED) if key in PAID_FLAGS else (VOID_FLAGS.get(key), SOLD)
    return {**dict.fromkeys(YES, yes), **dict.fromkeys(NO, no)}.get(word.lower()) if yes else None


REMARK: Final = re.compile(r"^\s*(?:[(（\[【][^)）\]】]*[)）\]】]\s*|wc-)")
"""What some systems write before a state: in brackets, (删除)等待付款, or whose it is, wc-cancelled."""
DELETED: Final = re.compile(rf"^\s*[(（\[【](?:{_VOCABULARY.pattern('status_phrases', 'deleted')})")
UNFINISHED: Final = re.compile(_VOCABULARY.pattern("status_phrases", "unfinished"))
"""An order that was deleted before it was sent was called off; a finished one was only taken off a list."""
OF_PAYMENT: Final = re.compile(f"(?i){_VOCABULARY.pattern('state_columns', 'of_payments')}")
"""What the name of a column of payments' states holds."""


def meaning_of(word: str, *, after_sale: bool = False, of_payment: bool = False) -> str | None:
    """Return what a word says of an order, None where it is not known.

    Args:
        word: as it stands in a file.
        after_sale: whether it is one of a column about refunds, where "closed" is said of the request.
        of_payment: whether it is one of a column about payments, where "open" means that nobody paid.
    """
    bare = REMARK.sub("", word) or word
    if DELETED.match(word) and UNFINISHED.match(bare):
        return None if after_sale else CANCELLED
    key = fold(bare)
    if of_payment and key in UNPAID_WORDS:
        return CANCELLED
    if after_sale and key in REFUND_STATUS_WORDS:
        return REFUND_STATUS_WORDS[key]
    if key in STATE_NAMES:
        found = STATE_NAMES[key]
        return found if found == REFUNDED or not after_sale else None
    if PARTLY.search(bare):
        return None
    said = next((state for state, pattern in PHRASES if re.search(pattern, bare.casefold().replace("_", " "))), None)
    return said if said == REFUNDED or not after_sale else None


OF_PARTS: Final = re.compile(rf"(?:{PARTLY.pattern})[a-z\u00c0-\u024f\u0400-\u04ff]*", re.IGNORECASE)
"""The word that says "in part", to its end where letters make words."""


def is_refund_in_part(word: str) -> bool:
    """Say whether a word of a state says that an order was paid back in part."""
    rest = OF_PARTS.sub("", word).strip(" _-")
    is_refund = meaning_of(rest) == REFUNDED or EVENT_NAMES.get(fold(rest)) == RETURN
    return rest != word.strip(" _-") and is_refund


def tells(values: list[str], *, surely: bool = False) -> bool:
    """Say whether a column's values are states of orders.

    Args:
        values: a sample.
        surely: whether its name says so: then one known state among few words is enough, else it takes most of them.
    """
    known = sum(meaning_of(value) is not None for value in values)
    return known > 0.5 * len(values) or (surely and known > 0 and are_words(values))
