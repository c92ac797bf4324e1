"""Columns of a log that name or reach a person, told by their names and by their values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from clv_core.collection.vocabulary.column_names import SURE_NAMES, fold
from clv_core.collection.vocabulary.contact_fields import (
    EMAIL,
    FIRST_NAME,
    LAST_NAME,
    MADID,
    NAME,
    PERSONAL,
    PHONE,
    TOGETHER,
    WHOSE,
    WITHIN,
    contact_field,
)
from clv_core.columns import CATEGORY, CHANNEL, COUNTRY, CUSTOMER_ID, EVENT_TYPE, ORDER_STATUS, PRODUCT_ID, REVIEW_TEXT

PERSONAL_FIELDS: Final = (EMAIL, PHONE, MADID, FIRST_NAME, LAST_NAME)
VALUES: Final = re.compile(
    r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+"  # an e-mail address
    r"|(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){4,7}"  # an IP address
    r"|\+\d[\d ()-]{7,18}|1[3-9]\d{9}"  # a phone number with its country, or a Chinese mobile number
)
LETTERS: Final = str.maketrans({"ß": "ss", "ı": "i", "đ": "d", "ł": "l", "ø": "o"})
"""Letters that have no form without their accent."""
OTHER_SCRIPT: Final = re.compile(r"[^\W\d_a-z]")
KNOWN: Final = (PRODUCT_ID, CATEGORY, CHANNEL, COUNTRY, ORDER_STATUS)
"""What is read from these columns is nobody's, whatever they are called, unless their values are contacts."""
MOSTLY: Final = 0.5


def personal_columns(
    columns: Sequence[str], chosen: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Return the columns, beside the customer id, whose texts say who a customer is or how to reach them.

    Free text (reviews) and event types are left out: what people write about themselves is not looked for.

    Args:
        columns: the file's columns.
        chosen: canonical name -> source column.
        rows: a sample as text.
    """
    customer = chosen[CUSTOMER_ID]
    spared = {customer, chosen.get(EVENT_TYPE), chosen.get(REVIEW_TEXT)}
    known = {chosen.get(canonical) for canonical in KNOWN}
    found = []
    for column in columns:
        pairs = [(str(row[column]).strip(), row[customer]) for row in rows if row[column] is not None]
        if column not in spared and ((column not in known and _named(column)) or _valued(pairs)):
            found.append(column)
    return tuple(found)


def _named(column: str) -> bool:
    plain = unicodedata.normalize("NFKC", column)
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower().translate(LETTERS)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", spaced) if not unicodedata.combining(sign))
    words = set(re.findall(r"[a-z]+[0-9]*", bare))
    name = bool(words & NAME) and words <= NAME | WHOSE and OTHER_SCRIPT.search(bare) is None
    same_as_id = SURE_NAMES.get(fold(column)) == CUSTOMER_ID
    known = contact_field(column) in PERSONAL_FIELDS
    told = bool(words & PERSONAL) or any(both <= words for both in TOGETHER)
    joined = (re.sub(r"[\s_./()-]+", "", text) for text in (bare, spaced))
    return known or same_as_id or name or told or any(WITHIN.search(text) for text in joined)


def _valued(pairs: Sequence[tuple[str, Any]]) -> bool:
    """Say whether most values look like contacts, or are the customer ids once more."""
    contacts = sum(VALUES.fullmatch(value) is not None for value, _ in pairs)
    ids = sum(customer is not None and value == str(customer).strip() for value, customer in pairs)
    return len(pairs) > 0 and max(contacts, ids) > MOSTLY * len(pairs)
