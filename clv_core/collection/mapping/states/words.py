"""What a column's values are: words, codes, or words that its name gives a meaning (voided, yes; a stage, won)."""

from __future__ import annotations

import re
from typing import Final

from clv_core.collection.vocabulary.column_names import fold
from clv_core.collection.vocabulary.order_statuses import (
    BALANCE_IMPACT_NAMES,
    BALANCE_IMPACT_WORDS,
    CANCELLED,
    MAX_TEST_SHARE,
    NO,
    PAID_FLAGS,
    SOLD,
    STAGE_NAMES,
    TEST_FLAGS,
    VOID_FLAGS,
    WON,
    YES,
)

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


def are_own_words(column: str, values: list[str]) -> bool:
    """Say whether a column's name gives its words a meaning: voided or paid, yes or no; a stage that is won."""
    key, words = fold(column), set(values)
    if not words:
        return False
    if key in STAGE_NAMES:
        return any(map(WON.search, words)) and are_words(values)
    if key in BALANCE_IMPACT_NAMES:
        return set(map(fold, words)) <= set(BALANCE_IMPACT_WORDS)
    if key in TEST_FLAGS and sum(value.lower() in YES for value in values) > MAX_TEST_SHARE * len(values):
        return False
    return (key in VOID_FLAGS or key in PAID_FLAGS) and {value.lower() for value in words} <= {*YES, *NO}


def of_name(column: str, word: str, *, won: bool) -> str | None:
    """Return what a word says because of its column's name, None where that gives it no meaning.

    Args:
        column: the source column.
        word: as it stands in the file.
        won: whether it is one of stages, some of which are won: all others are no sales.
    """
    key = fold(column)
    if won:
        return SOLD if WON.search(word) else CANCELLED
    if key in BALANCE_IMPACT_NAMES:
        return BALANCE_IMPACT_WORDS.get(fold(word))
    yes, no = (SOLD, CANCELLED) if key in PAID_FLAGS else (VOID_FLAGS.get(key), SOLD)
    return {**dict.fromkeys(YES, yes), **dict.fromkeys(NO, no)}.get(word.lower()) if yes else None
