"""Contact fields of a customers table, what files call them, and what else in a file names a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, SURE_NAMES
from clv_core.collection.vocabulary.language_files import fold, load_vocabulary
from clv_core.columns import CUSTOMER_ID

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
"""Contact fields, as columns of a customers table beside ``customer_id`` and ``consent``."""

PLACES: Final = (CITY, STATE, ZIP, COUNTRY)
IMPERSONAL: Final = (*PLACES, *ORIGINS)
"""Contact fields that say nothing of one person alone, and may be attributes too."""

_VOCABULARY: Final = load_vocabulary()
_NAMES: Final = _VOCABULARY.index("contacts", *FIELDS, CONSENT)
"""Folded name -> field, the surest name of each first. Consent is that to e-mail: a column that speaks of text messages
alone (``accepts_sms_marketing``) is nobody's consent to anything else, and is taken only where the person says so."""
_RANKS: Final = {name: rank for rank, name in enumerate(_NAMES)}
_OF_CONSENT: Final = re.compile(_VOCABULARY.pattern("contacts", "consent_names"))

PERSONAL: Final = frozenset(_VOCABULARY.entries("personal", "words"))
"""Words in a column's name that say that it is of one person alone. Latin words stand here without accents; names of
other scripts are told by what they hold."""
TOGETHER: Final = tuple(map(frozenset, _VOCABULARY.entries("personal", "together")))
"""Words that say it together."""
NAME: Final = frozenset(_VOCABULARY.entries("personal", "name"))
WHOSE: Final = frozenset(_VOCABULARY.entries("personal", "beside_name"))
"""Words that may stand beside one for a name, so that it is nobody's but a customer's."""
WITHIN: Final = re.compile(_VOCABULARY.pattern("personal", "within"))
"""What a name without blanks holds, in languages that write words together, and in other scripts."""


def contact_field(column: str) -> str | None:
    """Return the contact field, or ``consent``, that a column's name says it is; None where it says neither."""
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
    """Return the columns whose names speak of consent, or of having withdrawn it, without being ``consent``."""
    return [column for column in columns if contact_field(column) != CONSENT and _OF_CONSENT.search(fold(column))]


def id_column(columns: Sequence[str]) -> str | None:
    """Return the column that holds the customers' ids by its name, the surest name first; None where none does."""
    for said in (lambda name: name == CUSTOMER_ID, lambda name: SURE_NAMES.get(fold(name)) == CUSTOMER_ID, _likely_id):
        found = next((column for column in columns if said(column)), None)
        if found is not None:
            return found
    return None


def _likely_id(name: str) -> bool:
    return LIKELY_NAMES.get(fold(name)) == CUSTOMER_ID and contact_field(name) is None
