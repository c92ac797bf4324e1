"""What shops call the statuses of their orders and the kinds of their rows: sold, not paid, paid back, on which side.

Besides the words themselves: columns that hold a status as yes or no, by a time, or by a deal's stage. In a column of
statuses, "refunded" describes the order that was sold. In a column of kinds, as tills, ledgers and event logs have it,
it describes what came back: its amount, often written as positive there, is taken off.
"""

from __future__ import annotations

import re
from typing import Final

from clv_core.collection.vocabulary.language_files import fold, load_vocabulary

CANCELLED: Final = "cancelled"
REFUNDED: Final = "refunded"
SOLD: Final = "sold"
MEANINGS: Final = (SOLD, CANCELLED, REFUNDED)

_VOCABULARY: Final = load_vocabulary()

STATE_NAMES: Final = {
    **_VOCABULARY.index("row_types", CANCELLED),
    **dict.fromkeys(_VOCABULARY.folded("row_types", "bills", SOLD), SOLD),
    **dict.fromkeys(_VOCABULARY.folded("row_types", "credits", REFUNDED), REFUNDED),
    **_VOCABULARY.index("statuses"),
}
"""Folded word of a status, or of a kind of document -> its meaning."""
ROW_TYPE_COLUMNS: Final = _VOCABULARY.folded("row_types", "columns")
PARTLY: Final = re.compile(_VOCABULARY.pattern("status_phrases", "partly"), re.IGNORECASE)
"""What is cancelled or paid back in part is a sale still."""
PHRASES: Final = tuple(
    (status, pattern)
    for status in (REFUNDED, CANCELLED, SOLD)
    for pattern in _VOCABULARY.entries("status_phrases", status)
)
"""Meaning of a longer text that holds one of these; the first that fits counts."""
REFUND_STATUS_WORDS: Final = _VOCABULARY.index("refund_statuses")
"""Meaning of the words of a column of refunds where it differs from that of an order: a request that was closed,
refused, or only made leaves the sale as it is."""

UNPAID_WORDS: Final = _VOCABULARY.folded("payment_statuses", "unpaid")
"""Words for a payment that did not come; of an order the same words mean that it is not done yet."""
PAID_WORDS: Final = _VOCABULARY.folded("payment_statuses", "paid")
"""Words for what was paid; next to it, "open" is what was not."""
TAKEN: Final = _VOCABULARY.folded("payment_statuses", "captured")
AUTHORIZED_WORDS: Final = _VOCABULARY.folded("payment_statuses", "authorized")
"""Words for a payment that was only promised, where others of the same column were taken."""
HELD: Final = re.compile(f"(?i){_VOCABULARY.pattern('payment_statuses', 'authorization')}")
"""The kind of a payment that is only promised: its capture is a row of its own."""

TEST_FLAGS: Final = _VOCABULARY.folded("flags", "test")
MAX_TEST_SHARE: Final = 0.2
"""Largest share of rows with a yes: with more, the column holds the groups of an experiment (a guess)."""
VOID_FLAGS: Final = dict.fromkeys(TEST_FLAGS, CANCELLED) | _VOCABULARY.index("flags", CANCELLED, REFUNDED)
"""Folded name of a yes-or-no column for orders that are no sale -> what yes means."""
YES: Final = _VOCABULARY.entries("values", "yes")
NO: Final = _VOCABULARY.entries("values", "no")
PAID_FLAGS: Final = _VOCABULARY.folded("flags", "paid")
"""Names of yes-or-no columns of sales: nobody paid where they hold no."""

DELETED_NAMES: Final = _VOCABULARY.folded("status_times", "deleted")
"""Columns of times that are filled where a row is deleted or expired, whatever its status was."""
VOID_TIME_NAMES: Final = dict.fromkeys(DELETED_NAMES, CANCELLED) | _VOCABULARY.index(
    "status_times", CANCELLED, REFUNDED
)
"""Folded name of a column of times that is filled only for orders that are no sale -> what it means."""
PAID_TIMES: Final = _VOCABULARY.folded("status_times", "paid")
"""Names of columns of times that are blank where nobody paid."""

STAGE_NAMES: Final = _VOCABULARY.folded("deals", "columns")
"""What a CRM calls the column of a deal's stage: only those that were won are sales."""
WON: Final = re.compile(rf"(?i)^(?:\d+\W*)?(?:closed?\W*)?(?:{_VOCABULARY.pattern('deals', 'won')})\b(?!\W*back)")


BILLS: Final = _VOCABULARY.folded("row_types", "bills")
"""What ledgers call the document of a sale."""
CREDITS: Final = _VOCABULARY.folded("row_types", "credits")
"""What they call the one that takes a sale back."""
PAYMENTS: Final = _VOCABULARY.folded("row_types", "payments")
"""What they call the money that comes in for a document."""
NEITHER: Final = _VOCABULARY.folded("row_types", "neither")
"""What may accompany nouns of sales and returns, and is neither by itself."""
ROW_TYPE_NOUNS: Final = _VOCABULARY.folded("row_types", "nouns")
"""Nouns for the kind of a row, whatever its column is called: no order is in the state of "sale"."""

PAID_STEPS: Final = _VOCABULARY.folded("order_steps", "paid")
"""Events of an order, or of its return, by which the money has come in, or was paid back."""
CANCELLED_STEPS: Final = _VOCABULARY.folded("order_steps", "cancelled")
"""It is given up, before it was paid or after."""
PLACED_STEPS: Final = _VOCABULARY.folded("order_steps", "placed") | CANCELLED_STEPS
"""No money may ever have come in."""

BOOKED: Final = tuple(map(tuple, _VOCABULARY.entries("sides", "booked")))
"""Words for the two sides of an account. A bank books a sale as a credit, a customer's account as a debit."""
PAID: Final = tuple(map(tuple, _VOCABULARY.entries("sides", "paid")))
"""Words for what the shop paid and what it was paid."""
OF_SERVICES: Final = ("(gc)", "(nc)")
"""What the names of a payment service's columns end with, whose credits are the shop's."""
MARK_NAMES: Final = _VOCABULARY.pattern("sides", "columns")
"""What the column is called that holds the side of an account, debit or credit, of the amount next to it."""
BOOKED_MARKS: Final = tuple(map(tuple, _VOCABULARY.entries("sides", "booked_marks")))
PAID_MARKS: Final = tuple(map(tuple, _VOCABULARY.entries("sides", "paid_marks")))
"""Words of such a column; those of the latter are for what came in."""
_STORED_VALUE: Final = _VOCABULARY.pattern("row_types", "stored_value")
_NO_PURCHASE: Final = _VOCABULARY.pattern("row_types", "no_purchase")


def is_no_sale(kind: str) -> bool:
    """Return whether a word of kinds of rows is certainly of no purchase, whatever amount it carries.

    Such are points and quotes, what people do, what becomes of an order, and documents that come with payments.
    """
    word = _spaced(kind)
    return not word or is_stored_value(kind) or bool(re.search(_NO_PURCHASE, word)) or fold(word) in NEITHER


def is_stored_value(kind: str) -> bool:
    """Say whether a word of kinds of rows is of points, top-ups or quotes."""
    return bool(re.search(_STORED_VALUE, _spaced(kind)))


def _spaced(kind: str) -> str:
    return re.sub(r"[\W_]+", " ", kind.casefold()).strip()
