"""What files call the canonical columns, event types and contact fields, and what else in a file names a person.

Whatever the language, a name is either *sure* (it means this and nothing else) or *likely* (it usually does; a sure one
wins).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from clv_core.collection.vocabulary.language_files import fold as fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import CUSTOMER_ID, ORDER_STATUS

PRICE: Final = "price"
"""Not a canonical column: a name that may mean the price of one piece or of the line (``mapping/money`` decides)."""

CURRENCY: Final = "currency"
"""Not a canonical column: the currency of the amounts."""

_VOCABULARY: Final = load_vocabulary()

SURE_NAMES: Final = _VOCABULARY.index("columns.sure")
LIKELY_NAMES: Final = dict.fromkeys(_VOCABULARY.folded("row_types", "columns"), ORDER_STATUS) | _VOCABULARY.index(
    "columns.likely"
)
"""Folded name of a column -> canonical column."""
KIND_NAMES: Final = frozenset(map(fold, ("type", "kind", "类型", "類型")))
"""Names of columns of the kind of each row, where one of their words is of a sale."""
PREFERRED_NAMES: Final = {
    role: tuple(map(fold, _VOCABULARY.entries("columns.preferred", role)))
    for role in _VOCABULARY.keys("columns.preferred")
}
"""Canonical column -> names, of which the first that a file has is taken among equally good ones: when an order was
placed, not when it was paid or sent; what was paid, not what was charged; the order, not one payment of it."""
_TIERS: Final = ("name_or_id", "email", "phone", "person", "recipient")
CUSTOMER_RANKS: Final = {
    name: _TIERS.index(tier) + 1 for name, tier in _VOCABULARY.index("columns.customers", *_TIERS).items()
}
"""Folded name of a customer's column -> how much less surely it identifies the buyer than an id, which is 0, does."""
EVENT_NAMES: Final = {
    fold(" ".join(reversed(re.split("[ _]", name)))): event
    for event in _VOCABULARY.keys("events")
    for name in _VOCABULARY.entries("events", event)
    if len(re.split("[ _]", name)) == 2
} | _VOCABULARY.index("events")
"""Folded event name -> canonical event type; of two words in either order: Product Viewed, Viewed Product."""

MISSING: Final = _VOCABULARY.entries("values", "missing")
"""Texts for a missing value, in lower case, where an id, a time, a number or a type is expected."""
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
    """Return the pattern of names that end with words for "with taxes" or "without": Total incl. VAT, Prix TTC."""
    tax = f"(?:{_VOCABULARY.pattern('taxes', 'names')})"
    before, behind, alone = (_VOCABULARY.pattern("taxes", f"{side}{place}") for place in ("_before", "_behind", ""))
    return re.compile(rf"(?i)[\s_,(/-]+(?:(?:{before})[\s_.]+{tax}|{tax}[\s_.]+(?:{behind})|{alone})[.)]*\s*$")


WITH_TAX: Final = _tax_pattern("with")
WITHOUT_TAX: Final = _tax_pattern("without")


EMAIL, PHONE, MADID = "email", "phone", "madid"
FIRST_NAME, LAST_NAME = "first_name", "last_name"
CITY, STATE, ZIP, COUNTRY = "city", "state", "zip", "country"
GCLID, FBC = "gclid", "fbc"
"""Ids of the click on an advertisement: Google's, and Meta's (``fb.1.<time>.<fbclid>``)."""
ACQUIRED_ON, ACQUISITION_CHANNEL = "acquired_on", "acquisition_channel"
ACQUISITION_CAMPAIGN: Final = "acquisition_campaign"
CONSENT: Final = "consent"
ORIGINS: Final = (ACQUIRED_ON, ACQUISITION_CHANNEL, ACQUISITION_CAMPAIGN)
"""When and through what the customer was won; no model reads them."""
FIELDS: Final = (EMAIL, PHONE, MADID, FIRST_NAME, LAST_NAME, CITY, STATE, ZIP, COUNTRY, GCLID, FBC, *ORIGINS)
"""Contact fields, as columns of a customers table in addition to ``customer_id`` and ``consent``."""

PLACES: Final = (CITY, STATE, ZIP, COUNTRY)
IMPERSONAL: Final = (*PLACES, *ORIGINS)
"""Contact fields that identify nobody by themselves, and may be attributes too."""

_NAMES: Final = _VOCABULARY.index("contacts", *FIELDS, CONSENT)
"""Folded name -> field, the surest name of each first. Consent is that to e-mail: a column about text messages
alone (``accepts_sms_marketing``) is nobody's consent to anything else, and is taken only where the person names it."""
_RANKS: Final = {name: rank for rank, name in enumerate(_NAMES)}
_OF_CONSENT: Final = re.compile(_VOCABULARY.pattern("contacts", "consent_names"))

PERSONAL: Final = frozenset(_VOCABULARY.entries("personal", "words"))
"""Words in the name of a column that identifies a person. Latin words have no accents here; names of
other scripts are recognised by what they hold."""
TOGETHER: Final = tuple(map(frozenset, _VOCABULARY.entries("personal", "together")))
"""Pairs of words that do so together."""
NAME: Final = frozenset(_VOCABULARY.entries("personal", "name"))
WHOSE: Final = frozenset(_VOCABULARY.entries("personal", "beside_name"))
"""Words that may accompany one for a name, so that it is nobody's but a customer's."""
WITHIN: Final = re.compile(_VOCABULARY.pattern("personal", "within"))
"""What a name without blanks holds, in languages that write words together, and in other scripts."""


def contact_field(column: str) -> str | None:
    """Return the contact field, or ``consent``, that a column's name stands for; None where it is neither."""
    return _NAMES.get(fold(column))


def contact_columns(columns: Iterable[str]) -> dict[str, str]:
    """Return the contact field, or ``consent``, of each column that is one; of two for a field the surer name."""
    best: dict[str, str] = {}
    for column in columns:
        field = contact_field(column)
        if field is not None and (field not in best or _RANKS[fold(column)] < _RANKS[fold(best[field])]):
            best[field] = column
    return {column: field for field, column in best.items()}


def consent_like_columns(columns: Iterable[str]) -> list[str]:
    """Return the columns whose names are of consent, or of its withdrawal, without being ``consent``."""
    return [column for column in columns if contact_field(column) != CONSENT and _OF_CONSENT.search(fold(column))]


def id_column(columns: Sequence[str]) -> str | None:
    """Return the column that holds the customers' ids by its name, the surest name first; None where none does."""
    for is_id in (lambda name: name == CUSTOMER_ID, lambda name: SURE_NAMES.get(fold(name)) == CUSTOMER_ID, _likely_id):
        match = next((column for column in columns if is_id(column)), None)
        if match is not None:
            return match
    return None


def _likely_id(name: str) -> bool:
    return LIKELY_NAMES.get(fold(name)) == CUSTOMER_ID and contact_field(name) is None
