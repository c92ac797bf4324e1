"""What tills, ledgers and event logs call the kind of a row: a sale, a void, a return, a payment, a side of an account.

In a column of statuses, "refunded" is said of the order that was sold. In a column of kinds it is said of what came
back: its amount, positive as it often stands there, is taken off.
"""

from __future__ import annotations

import re
from typing import Final

from clv_core.collection.vocabulary.language_files import fold, load_vocabulary

_VOCABULARY: Final = load_vocabulary()

BILLS: Final = _VOCABULARY.folded("row_types", "bills")
"""What ledgers call the document of a sale."""
CREDITS: Final = _VOCABULARY.folded("row_types", "credits")
"""What they call the one that takes a sale back."""
PAYMENTS: Final = _VOCABULARY.folded("row_types", "payments")
"""What they call the money that comes in for a document."""
NEITHER: Final = _VOCABULARY.folded("row_types", "neither")
"""What may stand beside nouns of sales and returns, and is neither by itself."""
ROW_TYPE_NOUNS: Final = _VOCABULARY.folded("row_types", "nouns")
"""Nouns that say what kind of row one is, whatever its column is called: no order is in the state of "sale"."""

PAID_STEPS: Final = _VOCABULARY.folded("order_steps", "paid")
"""Events of an order, or of its return, by which the money has come in, or gone back."""
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
"""What a column is called that says on which side of an account the amount beside it stands."""
BOOKED_MARKS: Final = tuple(map(tuple, _VOCABULARY.entries("sides", "booked_marks")))
PAID_MARKS: Final = tuple(map(tuple, _VOCABULARY.entries("sides", "paid_marks")))
"""Words of such a column; those of the latter say what came in."""
_STORED_VALUE: Final = _VOCABULARY.pattern("row_types", "stored_value")
_NO_PURCHASE: Final = _VOCABULARY.pattern("row_types", "no_purchase")


def is_no_sale(kind: str) -> bool:
    """Say whether a word of kinds of rows is of no purchase, as far as is known: whatever amount it carries.

    Such are points and quotes, what people do, what becomes of an order, and documents beside payments.
    """
    word = _spaced(kind)
    return not word or is_stored_value(kind) or bool(re.search(_NO_PURCHASE, word)) or fold(word) in NEITHER


def is_stored_value(kind: str) -> bool:
    """Say whether a word of kinds of rows is of points, top-ups or quotes."""
    return bool(re.search(_STORED_VALUE, _spaced(kind)))


def _spaced(kind: str) -> str:
    return re.sub(r"[\W_]+", " ", kind.casefold()).strip()
