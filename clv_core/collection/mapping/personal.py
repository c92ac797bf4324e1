"""Columns of a log that name or reach a person, told by their names and by their values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from clv_core.collection.words.aliases import SURE_NAMES, fold
from clv_core.collection.words.contact_fields import EMAIL, FIRST_NAME, LAST_NAME, MADID, PHONE, contact_field
from clv_core.columns import CUSTOMER_ID, EVENT_TYPE, REVIEW_TEXT

PERSONAL_FIELDS: Final = (EMAIL, PHONE, MADID, FIRST_NAME, LAST_NAME)
WORDS: Final = frozenset(
    """email mail phone mobile cellphone telephone tel fax address addr street ip ipv4 ipv6 firstname lastname surname
    fullname username nickname wechat whatsapp passport ssn""".split()
)
WHOSE_NAME: Final = frozenset(
    """customer user client buyer shopper member visitor account contact recipient receiver consignee holder shipping
    billing ship bill full first last middle given family nick display""".split()
)
CHINESE: Final = re.compile(
    "邮箱|郵箱|邮件|郵件|手机|手機|电话|電話|姓名|地址|身份证|身份證|护照|微信|昵称|收货人|收件人|联系人|联系方式"
)
VALUES: Final = re.compile(
    r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+"  # an e-mail address
    r"|(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){4,7}"  # an IP address
    r"|\+\d[\d ()-]{7,18}|1[3-9]\d{9}"  # a phone number with its country, or a Chinese mobile number
)
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
    found = []
    for column in columns:
        pairs = [(str(row[column]).strip(), row[customer]) for row in rows if row[column] is not None]
        if column not in spared and (_named(column) or _valued(pairs)):
            found.append(column)
    return tuple(found)


def _named(column: str) -> bool:
    plain = unicodedata.normalize("NFKC", column)
    words = set(re.findall(r"[a-z]+[0-9]*", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower()))
    name = "name" in words and (words <= WHOSE_NAME | {"name"})
    same_as_id = SURE_NAMES.get(fold(column)) == CUSTOMER_ID
    known = contact_field(column) in PERSONAL_FIELDS
    return known or same_as_id or name or bool(words & WORDS) or CHINESE.search(plain) is not None


def _valued(pairs: Sequence[tuple[str, Any]]) -> bool:
    """Say whether most values look like contacts, or are the customer ids once more."""
    contacts = sum(VALUES.fullmatch(value) is not None for value, _ in pairs)
    ids = sum(customer is not None and value == str(customer).strip() for value, customer in pairs)
    return len(pairs) > 0 and max(contacts, ids) > MOSTLY * len(pairs)
