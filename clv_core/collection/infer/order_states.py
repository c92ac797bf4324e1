"""Columns of states of orders: which is one, what its words say of an order, and which of them no reading uses.

A column is identified by its name and its words; a word means that an order was sold, cancelled or refunded.
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

MAX_UNNAMED_WORDS: Final = 8
"""Different words of a column that is a status by its words alone, or has abbreviations. A guess."""
SURELY_VOID: Final = _VOCABULARY.folded("certain_statuses", "off")
"""Words that void an order, whatever the name of their column is."""
TRIED: Final = _VOCABULARY.folded("certain_statuses", "tried")
"""Words of test orders next to "live" or "production"; next to other words, of groups of an experiment."""
OF_STATES: Final = re.compile(_VOCABULARY.pattern("state_columns", "columns"))
OF_OTHERS: Final = re.compile(_VOCABULARY.pattern("state_columns", "of_others"))
"""What the name of a column holds whose states are not those of orders."""
CODED: Final = re.compile(f"(?:{_VOCABULARY.pattern('state_columns', 'codes')})$")
"""What the name of a column ends with that holds the numbers of states."""
ABBREVIATION: Final = re.compile(r"[A-Z]{1,3}\d?")
"""One word of a column of kinds, as ledgers abbreviate their documents: SI, SC, SR."""


def choose_status_column(log: LogTable, column_of: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return ``column_of`` with the status column whose words were answered, or a warning that one is not used.

    In a log of events "paid" may be of the visit, which an advertisement brought: it is no state without an answer.

    Args:
        log: the file.
        column_of: canonical name -> source column.
    """
    result = dict(column_of)
    if ORDER_STATUS in log.answers.mapping or not log.rows:
        return result, ()
    if ORDER_STATUS in column_of:
        column = column_of[ORDER_STATUS]
        if EVENT_TYPE in column_of and fold(column) in PAID_FLAGS and not log.answers.states:
            del result[ORDER_STATUS]
            return result, (_unused(column, list(dict.fromkeys(log.filled(column)))),)
        return result, ()
    answered = {fold(word) for word in log.answers.states}
    for column in log.rows[0]:
        if column in column_of.values() or any(key.startswith(f"{column}=") for key in log.answers.rows):
            continue
        words = [word for word in different(log.rows, column) if word.lower() not in MISSING]
        if not _is_status_column(column, words) or not (are_words(words) or are_codes(words)):
            continue
        if answered & {fold(word) for word in words}:
            return result | {ORDER_STATUS: column}, ()
        return result, (_unused(column, words),)
    return result, ()


def _unused(column: str, words: list[str]) -> Message:
    first = next((word for word in words if meaning_of(word) not in (None, SOLD)), words[0])
    return Message("warning.status_unused", {"column": column, "states": words[:8], "first": first})


def are_abbreviations(words: list[str]) -> bool:
    """Return whether the words are a few abbreviations."""
    return 1 < len(set(words)) <= MAX_UNNAMED_WORDS and all(map(ABBREVIATION.fullmatch, words))


def is_named_status(column: str) -> bool:
    """Return whether a column is called one of states, and not of those of something else than orders."""
    key = fold(column)
    return bool(OF_STATES.search(key) and not OF_OTHERS.search(key))


def _is_status_column(column: str, words: list[str]) -> bool:
    """Return whether a column is called one of states; where it only may be one, a word must be of no sale."""
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
        if len(words) > MAX_UNNAMED_WORDS or OF_OTHERS.search(key):
            return False
        meanings = [meaning_of(word) for word in words]
        folded = set(map(fold, words))
        return all(meanings) and (REFUNDED in meanings or bool(folded & TRIED)) or bool(SURELY_VOID & folded)
    of_payment = bool(OF_PAYMENT.search(column))
    return any(meaning_of(word, of_payment=of_payment) not in (None, SOLD) for word in words)


MAX_NAMED_STATES: Final = 20
"""As many states that are not in the vocabulary are named in a warning."""
MAX_STATES: Final = 1_000
"""The most frequent states are read; a column with more is hardly one of states."""


@dataclass(frozen=True)
class OrderState:
    """One word of a column of states.

    Args:
        column: the source column.
        word: as in the file.
        rows: how many rows carry it.
        meaning: ``sold``, ``cancelled`` or ``refunded``: what it is taken for.
        known: whether it was answered or is in the vocabulary; other words are taken for sales.
        usual: its meaning in the vocabulary; empty without one.
    """

    column: str
    word: str
    rows: int
    meaning: str
    known: bool
    usual: str


def read_states(log: LogTable, plan: ReadingPlan) -> tuple[OrderState, ...]:
    """Return the words of a file's columns of states and what each is taken for, the most frequent first."""
    states: list[OrderState] = []
    for canonical in (ORDER_STATUS, REFUND_STATUS):
        if canonical in plan.column_of:
            after = canonical == REFUND_STATUS
            states += words_of(log, plan.column_of[canonical], plan.clean(canonical), after_sale=after)
    return tuple(states)


def words_of(log: LogTable, column: str, words: str, *, after_sale: bool = False) -> tuple[OrderState, ...]:
    """Return the words of one column of states and what each is taken for, the most frequent first.

    An answer about a word, in any spelling, outranks its usual meaning.

    Args:
        log: the file.
        column: the source column.
        words: SQL for its text.
        after_sale: whether it is about refunds.
    """
    answered = {fold(word) or word: meaning for word, meaning in log.answers.states.items()}
    of_payment = bool(OF_PAYMENT.search(column))
    rows = log.fetch(
        f"SELECT {words} AS word, count(*) FROM {log.relation} GROUP BY 1 HAVING word IS NOT NULL"
        f" ORDER BY count(*) DESC, word LIMIT {MAX_STATES}"
    )
    states: list[OrderState] = []
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
        mine = answered.get(fold(word) or word)
        states.append(OrderState(column, word, int(count), mine or usual or SOLD, bool(mine or usual), usual or ""))
    return tuple(states)


def void_words(states: Iterable[OrderState], column: str) -> dict[str, str]:
    """Return word -> ``cancelled`` or ``refunded`` for the words of a column that void orders."""
    return {item.word: item.meaning for item in states if item.column == column and item.meaning != SOLD}


def unknown_states_warning(states: Iterable[OrderState]) -> tuple[Message, ...]:
    """Return a warning for each column with the states that are in no vocabulary, and are taken for sales."""
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
                "states": [f"{item.word[:40]} ({item.rows:,})" for item in items[:MAX_NAMED_STATES]],
                "first": items[0].word[:40],
                "words": [item.word for item in items[:MAX_NAMED_STATES]],
                "seen": every[column],
            },
        )
        for column, items in unknown.items()
    )


def returns(states: Iterable[OrderState]) -> tuple[OrderState, ...]:
    """Return the words that name returns in a column of kinds: their rows are no orders that were paid back."""
    return tuple(state for state in states if state.meaning == REFUNDED and fold(state.column) in ROW_TYPE_COLUMNS)


def return_rows_warning(states: Iterable[OrderState]) -> tuple[Message, ...]:
    """Return a warning about a column whose words name returns."""
    return_states = returns(states)
    if not return_states:
        return ()
    words = [item.word[:40] for item in return_states[:MAX_NAMED_STATES]]
    params = {
        "column": return_states[0].column,
        "words": words,
        "first": words[0],
        "rows": sum(state.rows for state in return_states),
    }
    return (Message("warning.return_rows", params),)


MAX_STATUSES: Final = 40
"""A column of states has no more of them than this, among the rows of a sample."""
MAX_WORD_LENGTH: Final = 60
"""Characters of a state; longer texts are remarks. A guess."""
CODE: Final = re.compile(r"-?\d{1,3}")
DATE_LIKE: Final = re.compile(r"\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}|\d\d:\d\d")


def are_words(values: list[str]) -> bool:
    """Return whether values are few different words, no numbers and no dates."""
    different = set(values)
    wordy = sum(any(map(str.isalpha, word)) and not DATE_LIKE.search(word) for word in different)
    short = all(len(word) <= MAX_WORD_LENGTH for word in different)
    return 0 < len(different) <= MAX_STATUSES and short and wordy == len(different)


def are_codes(values: list[str]) -> bool:
    """Return whether values are a few short numbers: states that only their shop's manual explains."""
    different = set(values)
    return 1 < len(different) <= MAX_STATUSES and all(CODE.fullmatch(value) for value in different)


def is_flag_or_stage(column: str, values: list[str]) -> bool:
    """Return whether a column is a flag of voided or paid orders, or one of sales stages, by its name and words."""
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
    """Return the meaning of a word in a column of flags or stages, None in any other column.

    Args:
        column: the source column.
        word: as in the file.
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
    """Return the meaning of a word for an order, None where it is not in the vocabulary.

    Args:
        word: as in a file.
        after_sale: whether it is one of a column about refunds, where "closed" is about the request.
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
        meaning = STATE_NAMES[key]
        return meaning if meaning == REFUNDED or not after_sale else None
    if PARTLY.search(bare):
        return None
    phrase = next((state for state, pattern in PHRASES if re.search(pattern, bare.casefold().replace("_", " "))), None)
    return phrase if phrase == REFUNDED or not after_sale else None


OF_PARTS: Final = re.compile(rf"(?:{PARTLY.pattern})[a-z\u00c0-\u024f\u0400-\u04ff]*", re.IGNORECASE)
"""The word for "in part", to its end in scripts of letters."""


def is_refund_in_part(word: str) -> bool:
    """Return whether a state means that an order was paid back in part."""
    rest = OF_PARTS.sub("", word).strip(" _-")
    is_refund = meaning_of(rest) == REFUNDED or EVENT_NAMES.get(fold(rest)) == RETURN
    return rest != word.strip(" _-") and is_refund


def are_statuses(values: list[str], *, surely: bool = False) -> bool:
    """Return whether a column's values are states of orders.

    Args:
        values: a sample.
        surely: whether its name is certain: then one state of the vocabulary among few words is enough, else it takes
            most of them.
    """
    recognised = sum(meaning_of(value) is not None for value in values)
    return recognised > 0.5 * len(values) or (surely and recognised > 0 and are_words(values))
