"""Who bought: an id that comes back, an e-mail where it is blank, the guests who share one; and what names a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from clv_core.collection.engine import TextRow, name, text
from clv_core.collection.infer.columns.proposal import filled
from clv_core.collection.infer.log_table import SEARCHED_ROWS, LogTable
from clv_core.collection.parse.cell_texts import cell_text
from clv_core.collection.vocabulary.column_names import (
    CUSTOMER_RANKS,
    EMAIL,
    FIRST_NAME,
    GUESTS,
    LAST_NAME,
    MADID,
    NAME,
    PERSONAL,
    PHONE,
    SURE_NAMES,
    TOGETHER,
    WHOSE,
    WITHIN,
    contact_field,
    fold,
)
from clv_core.columns import (
    CATEGORY,
    CHANNEL,
    COUNTRY,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    ORDER_STATUS,
    PRODUCT_ID,
    REVIEW_TEXT,
    Kind,
)
from clv_core.errors import Message, NeedsAnswer

MIN_ORDERS: Final = 20
"""Orders, before an id that never returns is strange. A guess."""
ALL_NEW, SOME_RETURN = 0.99, 0.98
"""Ids per order: from here on nobody returns, and up to there somebody does. Guesses."""


def ask_customer(log: LogTable, column_of: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Ask who the customer is where each order has another id, and another column of customers has ids that return.

    Args:
        log: the file.
        column_of: canonical name -> source column.

    Raises:
        NeedsAnswer: there is such a column.
    """
    column = column_of[CUSTOMER_ID]
    named = [item for item in log.proposals if item.canonical == CUSTOMER_ID and item.samples]
    order = name(column_of[EVENT_TIME if EVENT_TYPE in column_of or ORDER_ID not in column_of else ORDER_ID])
    for other in (item.column for item in named if item.column != column and CUSTOMER_ID not in log.answers.mapping):
        current, people = name(column), name(other)
        ids, orders, back, blank = log.fetch_one(
            f"SELECT count(DISTINCT {current}), count(DISTINCT ({current}, {order})), count(DISTINCT {people}),"
            f" count(*) FILTER ({people} IS NULL) FROM {log.first(SEARCHED_ROWS)} WHERE {current} IS NOT NULL"
        )
        if orders >= MIN_ORDERS and ids >= ALL_NEW * orders and back <= SOME_RETURN * orders and not blank:
            params = {"column": column, "other": other, "ids": ids, "orders": orders, "people": back}
            raise NeedsAnswer("customer_once", canonical=CUSTOMER_ID, **params)
    return dict(column_of), ()


EMAIL_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
MIN_EMAIL_SHARE: Final = 0.9
"""Share of addresses in a column of e-mails: a few are mistyped. A guess."""


def email_columns(rows: Sequence[TextRow], columns: Sequence[str], customer_column: str) -> list[str]:
    """Return the columns, other than the customer's, of e-mail addresses."""
    return [column for column in columns if column != customer_column and are_emails(filled(rows, column))]


def are_emails(values: Sequence[str]) -> bool:
    """Return whether most values are e-mail addresses."""
    addresses = sum(bool(EMAIL_ADDRESS.fullmatch(value)) for value in values)
    return bool(values) and addresses >= MIN_EMAIL_SHARE * len(values)


MIN_BLANK_IDS: Final = 3
"""Rows without an id and with an e-mail, before these are read."""


def use_emails_for_blank_ids(log: LogTable, column_of: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with the e-mail as the customer, where it identifies the same people and ids are missing.

    Each id must have one e-mail of its own, so that nobody is joined or parted. Logs of events are left as they are:
    there a row without an id is a visitor. The file is queried only where its first rows lack an id.

    Args:
        log: the file.
        column_of: canonical name -> source column.
    """
    result = dict(column_of)
    ids = column_of[CUSTOMER_ID]
    if CUSTOMER_ID in log.answers.mapping or EVENT_TYPE in column_of or all(row[ids] is not None for row in log.rows):
        return result, ()
    key = cell_text(name(ids), Kind.TEXT)
    for column in email_columns(log.rows, log.columns, ids):
        email = f"lower({cell_text(name(column), Kind.TEXT)})"
        blank, nameless, pairs, distinct_ids, people = log.fetch_one(
            f"SELECT count(*) FILTER (i IS NULL AND e IS NOT NULL), count(*) FILTER (i IS NOT NULL AND e IS NULL),"
            f" count(DISTINCT (i, e)) FILTER (i IS NOT NULL), count(DISTINCT i), count(DISTINCT e) FILTER"
            f" (i IS NOT NULL) FROM (SELECT {key} AS i, {email} AS e FROM {log.relation})"
        )
        if blank >= MIN_BLANK_IDS and not nameless and pairs == distinct_ids == people > 1:
            result[CUSTOMER_ID] = column
            return result, (Message("warning.customer_by_email", {"column": ids, "other": column, "rows": blank}),)
    return result, ()


MIN_GUEST_EMAILS: Final = 3
"""E-mails that an id such as 0 must have, before it is one of guests. A guess."""
NO_NUMBER: Final = ("0", "0.0", "-1")


def find_guests(log: LogTable, column_of: Mapping[str, str]) -> tuple[tuple[str, ...], str, tuple[Message, ...]]:
    """Return the ids that many people share because they are guests, the column of their e-mails, and what to say.

    The file is queried only where its first rows have such an id.

    Args:
        log: the file.
        column_of: canonical name -> source column.

    Returns:
        The ids in lower case, and the column ("" where there is none: then rows of guests name nobody).
    """
    column = column_of[CUSTOMER_ID]
    if not {value.lower() for value in log.filled(column)} & {*GUESTS, *NO_NUMBER}:
        return (), "", ()
    emails = email_columns(log.rows, log.columns, column)
    words = ", ".join(text(word) for word in (*GUESTS, *(NO_NUMBER if emails else ())))
    email = name(emails[0]) if emails else "NULL::VARCHAR"
    rows = log.fetch(
        f"SELECT lower(trim({name(column)})) AS id, count(*), count(DISTINCT lower(trim({email}))) FROM"
        f" {log.relation} WHERE lower(trim({name(column)})) IN ({words}) GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    pooled = [row for row in rows if row[0] not in NO_NUMBER or row[2] >= MIN_GUEST_EMAILS]
    if not pooled:
        return (), "", ()
    params = {"column": column, "ids": [row[0] for row in pooled], "rows": sum(row[1] for row in pooled)}
    ids = tuple(str(row[0]) for row in pooled)
    if not emails:
        return ids, "", (Message("warning.guests_nameless", params),)
    more = {"other": emails[0], "people": sum(row[2] for row in pooled)}
    return ids, emails[0], (Message("warning.guests_by_email", {**params, **more}),)


MASK: Final = re.compile(r".*(?:[*＊•●]{2}|\w[*＊]|[*＊]\w).*")
"""Values whose letters or digits an export replaces by stars: 138****1234, 张*三, J***n."""
MIN_MASKED_SHARE: Final = 0.5
"""Share of values with stars in a masked column. A guess."""
UNIT: Final = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")
FULL_NAME: Final = re.compile(r"[^\W\d_][\w.'’-]* [\w.'’ -]*[^\W\d_][\w.'’-]*")
MIN_NAME_SHARE: Final = 0.8
"""Share of values in two words or more in a column of full names. A guess."""
PLAIN, PERSON = 1, 4
"""Ranks of a column that may hold ids or names, such as ``customer``, and of one of people's names."""


def masked(values: Sequence[str]) -> bool:
    """Return whether most values have stars in place of letters or digits, so that different people look the same."""
    return bool(values) and sum(bool(MASK.fullmatch(value)) for value in values) > MIN_MASKED_SHARE * len(values)


def are_full_names(values: Sequence[str]) -> bool:
    """Return whether values are names of people, in two words or more."""
    return bool(values) and sum(bool(FULL_NAME.fullmatch(value)) for value in values) >= MIN_NAME_SHARE * len(values)


def rank(column: str, values: Sequence[str]) -> int:
    """Return how much weaker than an id, which is 0, a column identifies customers.

    Args:
        column: the source column.
        values: some of its values.
    """
    key = fold(column) if fold(column) in CUSTOMER_RANKS else fold(UNIT.sub("", column).rpartition(".")[2])
    base_rank = CUSTOMER_RANKS.get(key, 0)
    return PERSON if base_rank == PLAIN and are_full_names(values) else base_rank


PERSONAL_FIELDS: Final = (EMAIL, PHONE, MADID, FIRST_NAME, LAST_NAME)
VALUES: Final = re.compile(
    r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+"  # an e-mail address
    r"|(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){4,7}"  # an IP address
    r"|\+\d[\d ()-]{7,18}|1[3-9]\d{9}"  # a phone number with its country, or a Chinese mobile number
)
LETTERS: Final = str.maketrans({"ß": "ss", "ı": "i", "đ": "d", "ł": "l", "ø": "o"})
"""Letters that have no form without their accent."""
OTHER_SCRIPT: Final = re.compile(r"[^\W\d_a-z]")
NOT_PERSONAL: Final = (PRODUCT_ID, CATEGORY, CHANNEL, COUNTRY, ORDER_STATUS)
"""Columns that are not personal, whatever their names, unless their values are contacts."""
MIN_CONTACT_SHARE: Final = 0.5
"""Share of values that are contacts or ids, above which a column is personal. A guess."""


def personal_columns(columns: Sequence[str], column_of: Mapping[str, str], rows: Sequence[TextRow]) -> tuple[str, ...]:
    """Return the columns, besides the customer id, whose texts identify a customer or are a contact.

    Free text (reviews) and event types are left out: what people write about themselves is not looked for.

    Args:
        columns: the file's columns.
        column_of: canonical name -> source column.
        rows: a sample as text.
    """
    customer = column_of[CUSTOMER_ID]
    spared = {customer, column_of.get(EVENT_TYPE), column_of.get(REVIEW_TEXT)}
    exempt = {column_of.get(canonical) for canonical in NOT_PERSONAL}
    personal = []
    for column in columns:
        pairs = [(str(row[column]).strip(), row[customer]) for row in rows if row[column] is not None]
        if column not in spared and ((column not in exempt and _names_person(column)) or _holds_contacts(pairs)):
            personal.append(column)
    return tuple(personal)


def _names_person(column: str) -> bool:
    plain = unicodedata.normalize("NFKC", column)
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower().translate(LETTERS)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", spaced) if not unicodedata.combining(sign))
    words = set(re.findall(r"[a-z]+[0-9]*", bare))
    name = bool(words & NAME) and words <= NAME | WHOSE and OTHER_SCRIPT.search(bare) is None
    same_as_id = SURE_NAMES.get(fold(column)) == CUSTOMER_ID
    is_contact = contact_field(column) in PERSONAL_FIELDS
    is_personal = bool(words & PERSONAL) or any(both <= words for both in TOGETHER)
    joined = (re.sub(r"[\s_./()-]+", "", text) for text in (bare, spaced))
    return is_contact or same_as_id or name or is_personal or any(WITHIN.search(text) for text in joined)


def _holds_contacts(pairs: Sequence[tuple[str, Any]]) -> bool:
    """Return whether most values look like contacts, or are the customer ids once more."""
    contacts = sum(VALUES.fullmatch(value) is not None for value, _ in pairs)
    ids = sum(customer is not None and value == str(customer).strip() for value, customer in pairs)
    return len(pairs) > 0 and max(contacts, ids) > MIN_CONTACT_SHARE * len(pairs)
