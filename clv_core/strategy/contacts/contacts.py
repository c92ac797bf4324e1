"""Contact fields as the ad platforms want them: lower-case e-mail, E.164 phone, country code, SHA-256.

Source: the platforms' own help pages on customer lists (Google Ads Customer Match, Meta custom audiences, TikTok
customer file, Klaviyo and HubSpot imports).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

import pandas as pd

from clv_core.collection.values.email_texts import EMAIL_PATTERN, first_address, tidy
from clv_core.collection.values.id_texts import folded_texts
from clv_core.collection.values.phone_texts import WHOLE, one_number
from clv_core.collection.words.contact_fields import contact_columns, id_column
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Refused, UsageError
from clv_core.strategy.contacts.countries import country_code

COUNTRY_CODE: Final = "country_code"
MOBILE_CN: Final = "mobile_cn"
"""Columns of clean contacts: the country's ISO code; the 11 digits of a mobile number of the Chinese mainland."""
SHAPE: Final = 30
"""Characters of a cell whose shape is shown."""


def named(customers: pd.DataFrame) -> pd.DataFrame:
    """Return a customers frame with canonical column names, and ``customer_id`` as text.

    Args:
        customers: any frame with a customer id and contact columns, under our names or usual ones in either language.

    Raises:
        Refused: there is no id column, or an id stands twice.
    """
    found = [str(column) for column in customers.columns]
    own = id_column(found)
    if own is None:
        raise Refused("contacts_no_id", found=list(found))
    fields = contact_columns(column for column in found if column != own)
    names = {column: CUSTOMER_ID if column == own else fields.get(column) or _plain(column) for column in found}
    frame = customers.rename(columns=names)
    frame = frame.loc[:, ~frame.columns.duplicated()]
    frame = frame[frame[CUSTOMER_ID].notna()]
    frame = frame.assign(**{CUSTOMER_ID: folded_texts(frame[CUSTOMER_ID].astype("str"))})
    twice = frame[CUSTOMER_ID].duplicated()
    if twice.any():
        raise Refused("contacts_id_twice", rows=int(twice.sum()), customer=str(frame.loc[twice, CUSTOMER_ID].iloc[0]))
    return frame


def emails(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return e-mail addresses trimmed and in lower case, of several in a cell the first; "" where there is none.

    How they may be written says :mod:`clv_core.collection.values.email_texts`.
    """
    clean = tidy(texts)
    whole = clean.str.fullmatch(EMAIL_PATTERN)
    if whole.all():
        return clean
    known = {text: first_address(text) for text in set(clean[~whole])}
    return clean.where(whole, clean.map(known).fillna("").astype("str"))


def phones(texts: pd.Series[Any], countries: pd.Series[Any], region: str | None) -> pd.Series[Any]:
    """Return phone numbers in E.164 (``+442071838750``), of several in a cell the first; "" where none is valid.

    Args:
        texts: numbers as people write them.
        countries: ISO code of each customer's country, "" for unknown.
        region: country, as :func:`region_code` reads it, of numbers without a country code and a known country.

    Raises:
        UsageError: the region is no country whose numbers are known.
    """
    home = region_code(region) if region else ""
    numbers = [(text, country or home) for text, country in zip(_text(texts), countries, strict=True)]
    clean = {number: _phone(*number) for number in set(numbers)}
    return pd.Series([clean[number] for number in numbers], texts.index, dtype="str")


def region_code(region: str) -> str:
    """Return the ISO 3166 alpha-2 code of the country that phone numbers are read by.

    Args:
        region: code or name of a country, as :func:`~clv_core.strategy.contacts.countries.country_code` reads it.

    Raises:
        UsageError: it is no country whose numbers are known.
    """
    import phonenumbers

    code = country_code(region)
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise UsageError("contacts_region", region=region[:40])
    return code


def unread(given: pd.Series[Any], clean: pd.Series[Any]) -> dict[str, int]:
    """Return the shapes of cells that hold something but nothing that could be read, the most frequent first.

    A shape shows each letter as ``a`` and each digit as ``9``, so that it names nobody.

    Args:
        given: cells as they are written.
        clean: what :func:`emails` or :func:`phones` made of them.
    """
    texts = _text(given)
    shapes = texts[(texts != "") & (clean == "")].map(_shape)
    return {str(shape): int(count) for shape, count in shapes.value_counts().items()}


def lower(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return texts trimmed and in lower case, "" for missing."""
    return _text(texts).str.lower()


def sha256(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return the SHA-256 of each text's UTF-8 bytes as lower-case hex; "" stays ""."""
    return pd.Series(
        [hashlib.sha256(text.encode()).hexdigest() if text else "" for text in texts], texts.index, dtype="str"
    )


def mobiles_cn(numbers: pd.Series[Any]) -> pd.Series[Any]:
    """Return the 11 digits of mobile numbers of the Chinese mainland, "" for all others.

    Args:
        numbers: of :func:`phones`.
    """
    return numbers.where(numbers.str.fullmatch(r"\+861[3-9]\d{9}"), "").str.removeprefix("+86")


def md5(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return the MD5 of each text's UTF-8 bytes as lower-case hex, as some platforms want it; "" stays ""."""
    digests = (hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() if text else "" for text in texts)
    return pd.Series(list(digests), texts.index, dtype="str")


def _plain(name: str) -> str:
    """Return a name that is no contact field, apart from the id column's."""
    plain = "_".join(name.strip().lstrip("\ufeff").lower().split())
    return f"{plain} (source)" if plain == CUSTOMER_ID else plain


def _text(texts: pd.Series[Any]) -> pd.Series[Any]:
    return texts.astype("str").fillna("").str.strip()


def _shape(text: str) -> str:
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", text))[:SHAPE]


def _phone(text: str, region: str) -> str:
    import phonenumbers

    text = one_number(text)
    if not text:
        return ""
    abroad = f"+{text[2:]}" if text.startswith("00") else ""
    number = _valid(_with_plus(text, region), region) if region else None
    if number is None and (abroad or not region):  # 00 is what most of the world dials, also where its region does not
        number = _valid(abroad or text, region)
    return "" if number is None else str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _with_plus(text: str, region: str) -> str:
    """Return a number with the ``+`` that a spreadsheet took from it, where without it it would be another number.

    4915123456789 is a mobile number of Germany behind its calling code, and could be a fixed one of the area 04915.
    """
    import phonenumbers

    digits, code = re.sub(r"[\s().-]", "", text), str(phonenumbers.country_code_for_region(region))
    if not (digits.isdigit() and len(digits) >= WHOLE and digits.startswith(code)):
        return text
    whole, own = _valid(f"+{text}", region), _valid(text, region)
    kinds = [None if number is None else phonenumbers.number_type(number) for number in (whole, own)]
    mobile = phonenumbers.PhoneNumberType.MOBILE
    return f"+{text}" if kinds[0] == mobile and kinds[1] != mobile else text


def _valid(text: str, region: str) -> Any:
    """Return the number of a text, None where it is none that can be called."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None
