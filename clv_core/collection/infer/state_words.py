"""What a column's values are, and what a word of a column of states says: that nobody paid, that it was paid back."""

from __future__ import annotations

import re
from typing import Final

from clv_core.collection.vocabulary.column_names import EVENT_NAMES, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.collection.vocabulary.order_statuses import (
    CANCELLED,
    MAX_TEST_SHARE,
    NO,
    PAID_FLAGS,
    PARTLY,
    PHRASES,
    REFUND_STATUS_WORDS,
    REFUNDED,
    SOLD,
    STAGE_NAMES,
    STATE_NAMES,
    TEST_FLAGS,
    UNPAID_WORDS,
    VOID_FLAGS,
    WON,
    YES,
)
from clv_core.columns import RETURN

_VOCABULARY: Final = load_vocabulary()

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
