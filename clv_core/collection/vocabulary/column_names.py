"""What logs call the canonical columns and event types, whatever their language.

A name is either *sure* (it means this and nothing else) or *likely* (it usually does; a sure one wins).
"""

from __future__ import annotations

import re
from typing import Final

from clv_core.collection.vocabulary.language_files import fold as fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import ORDER_STATUS

PRICE: Final = "price"
"""Not a canonical column: a name that may mean the price of one piece or of the line (``mapping/money`` decides)."""

CURRENCY: Final = "currency"
"""Not a canonical column: says what the amounts are in."""

_VOCABULARY: Final = load_vocabulary()

SURE_NAMES: Final = _VOCABULARY.index("columns.sure")
LIKELY_NAMES: Final = dict.fromkeys(_VOCABULARY.folded("row_types", "columns"), ORDER_STATUS) | _VOCABULARY.index(
    "columns.likely"
)
"""Folded name of a column -> canonical column."""
KIND_NAMES: Final = frozenset(map(fold, ("type", "kind", "类型", "類型")))
"""Names of columns that say of each row what it is, where one of their words is of a sale."""
PREFERRED_NAMES: Final = {
    role: tuple(map(fold, _VOCABULARY.entries("columns.preferred", role)))
    for role in _VOCABULARY.keys("columns.preferred")
}
"""Canonical column -> names, of which the first that a file has is taken among equally good ones: when an order was
placed, not when it was paid or sent; what was paid, not what was asked for; the order, not one payment of it."""
_TIERS: Final = ("name_or_id", "email", "phone", "person", "recipient")
CUSTOMER_RANKS: Final = {
    name: _TIERS.index(tier) + 1 for name, tier in _VOCABULARY.index("columns.customers", *_TIERS).items()
}
"""Folded name of a customer's column -> how much less surely it says who bought than an id, which is 0, does."""
EVENT_NAMES: Final = {
    fold(" ".join(reversed(re.split("[ _]", name)))): event
    for event in _VOCABULARY.keys("events")
    for name in _VOCABULARY.entries("events", event)
    if len(re.split("[ _]", name)) == 2
} | _VOCABULARY.index("events")
"""Folded event name -> canonical event type; of two words in either order: Product Viewed, Viewed Product."""

MISSING: Final = _VOCABULARY.entries("values", "missing")
"""Texts that stand for nothing, in lower case, where an id, a time, a number or a type is expected."""
GUESTS: Final = _VOCABULARY.entries("values", "guests")
"""What shops write where an id would be, in lower case."""
MEANS_OF_PAYMENT: Final = _VOCABULARY.folded("values", "means_of_payment")
"""Folded words for what people pay with."""
TOTALS: Final = rf"({_VOCABULARY.pattern('values', 'totals')})(\PL.*)?"
"""What rows of totals are called, alone or before what they are the totals of: Summe 01.2023. A pattern of RE2."""


def folded(column: str) -> str:
    """Return SQL that folds a text column as :func:`fold` does, but for its form."""
    return f"replace(regexp_replace(lower({column}), '[\\s\\pP\\pS]+', '', 'g'), 'ı', 'i')"


def _tax_pattern(side: str) -> re.Pattern[str]:
    """Return what tells a name that ends with words for "with taxes" or "without taxes": Total incl. VAT, Prix TTC."""
    tax = f"(?:{_VOCABULARY.pattern('taxes', 'names')})"
    before, behind, alone = (_VOCABULARY.pattern("taxes", f"{side}{place}") for place in ("_before", "_behind", ""))
    return re.compile(rf"(?i)[\s_,(/-]+(?:(?:{before})[\s_.]+{tax}|{tax}[\s_.]+(?:{behind})|{alone})[.)]*\s*$")


WITH_TAX: Final = _tax_pattern("with")
WITHOUT_TAX: Final = _tax_pattern("without")
