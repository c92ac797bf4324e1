"""Contact fields as the ad platforms want them: lower-case e-mail, E.164 phone, country code, SHA-256.

Source: the platforms' own help pages on customer lists (Google Ads Customer Match, Meta custom audiences, TikTok
customer file, Klaviyo and HubSpot imports).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv_core.collection.parse import EMAIL_PATTERN, WHOLE, first_address, first_number, folded_texts, tidy
from clv_core.collection.read import read_text_table
from clv_core.collection.vocabulary import COUNTRY, EMAIL, FIELDS, PHONE, contact_columns, id_column
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import NotFound, Refused
from clv_core.strategy.audiences.countries import country_codes, region_code

COUNTRY_CODE: Final = "country_code"
MOBILE_CN: Final = "mobile_cn"
"""Columns of clean contacts: the country's ISO code; the 11 digits of a mobile number of the Chinese mainland."""
MAX_SHAPE: Final = 30
"""Characters of a cell whose shape is shown."""


@dataclass(frozen=True)
class Contacts:
    """Contact fields of customers, and who must not be contacted.

    Args:
        customers: customer_id and contact fields, under our names or usual ones; platform formats need it.
        region: country of phone numbers without a country code, by its code or name; None for the format's own.
        assume_consent: whether all may be contacted where the frame has no consent column.
        suppressed: customer ids, e-mail addresses and phone numbers that must not be in any list.
        ids_as_email: whether customer ids that are e-mail addresses are used as such.
        control: ids of the control group of the campaign that a list is of: nobody in it may be reached.
    """

    customers: pd.DataFrame | None = None
    region: str | None = None
    assume_consent: bool = False
    suppressed: Collection[str] = ()
    ids_as_email: bool = True
    control: Collection[str] = ()


def read_contacts(path: Path, key: bytes | None = None) -> pd.DataFrame:
    """Return the rows of a customers file as text, under the file's own column names.

    Args:
        path: CSV, workbook, JSON Lines or Parquet, in any encoding and dialect that a log may have.
        key: of a dataset whose ids are pseudonyms; the file's ids become the same.

    Raises:
        NotFound: there is no such file.
        Refused: it holds no table, or lines that are no rows of it, so that nobody is lost without notice.
    """
    if not path.is_file():
        raise NotFound("contacts_missing", file=path.name)
    frame, rejects = read_text_table(path, key)
    if rejects:
        raise Refused(
            "contacts_bad_lines", file=path.name, rows=len(rejects), line=min(reject.line for reject in rejects)
        )
    return frame


def canonical_contacts(customers: pd.DataFrame) -> pd.DataFrame:
    """Return a customers frame with canonical column names, and ``customer_id`` as text.

    Args:
        customers: any frame with a customer id and contact columns, under our names or usual ones in either language.

    Raises:
        Refused: there is no id column, or an id is in two rows.
    """
    columns = [str(column) for column in customers.columns]
    ids = id_column(columns)
    if ids is None:
        raise Refused("contacts_no_id", found=columns)
    fields = contact_columns(column for column in columns if column != ids)
    names = {column: CUSTOMER_ID if column == ids else fields.get(column) or _other_name(column) for column in columns}
    frame = customers.rename(columns=names)
    frame = frame.loc[:, ~frame.columns.duplicated()]
    frame = frame[frame[CUSTOMER_ID].notna()]
    frame = frame.assign(**{CUSTOMER_ID: folded_texts(frame[CUSTOMER_ID].astype("str"))})
    repeated = frame[CUSTOMER_ID].duplicated()
    if repeated.any():
        first = str(frame.loc[repeated, CUSTOMER_ID].iloc[0])
        raise Refused("contacts_id_twice", rows=int(repeated.sum()), customer=first)
    return frame


def clean_contacts(customers: pd.DataFrame, region: str | None) -> pd.DataFrame:
    """Return the customers with all contact fields, ``country_code`` and ``mobile_cn``; "" for unknown.

    E-mail and phone are in the platforms' form, "" where they cannot be one; other fields keep their bytes.
    ``customers`` are of :func:`canonical_contacts`; a phone number that names no country is of ``region``.

    Raises:
        UsageError: the region is no country with a calling code.
    """
    empty = pd.Series("", index=customers.index, dtype="str")
    fields = {name: customers[name].astype("str").fillna("") if name in customers else empty for name in FIELDS}
    country = country_codes(fields[COUNTRY])
    numbers = phones(fields[PHONE], country, region)
    clean = {COUNTRY_CODE: country, EMAIL: emails(fields[EMAIL]), PHONE: numbers, MOBILE_CN: mobiles_cn(numbers)}
    return customers.assign(**{**fields, **clean})


def emails(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return e-mail addresses trimmed and in lower case, of several in a cell the first; "" where there is none.

    :mod:`clv_core.collection.parse.contact_texts` has the forms in which they may be written.
    """
    clean = tidy(texts)
    valid = clean.str.fullmatch(EMAIL_PATTERN)
    if valid.all():
        return clean
    firsts = {text: first_address(text) for text in set(clean[~valid])}
    return clean.where(valid, clean.map(firsts).fillna("").astype("str"))


def phones(texts: pd.Series[Any], countries: pd.Series[Any], region: str | None) -> pd.Series[Any]:
    """Return phone numbers in E.164 (``+442071838750``), of several in a cell the first; "" where none is valid.

    Args:
        texts: numbers as people write them.
        countries: ISO code of each customer's country, "" for unknown.
        region: country, as :func:`region_code` reads it, of numbers without a country code if the
            customer's country is missing.

    Raises:
        UsageError: the region is no country with a calling code.
    """
    home = region_code(region) if region else ""
    numbers = [(text, country or home) for text, country in zip(_stripped(texts), countries, strict=True)]
    clean = {number: _phone(*number) for number in set(numbers)}
    return pd.Series([clean[number] for number in numbers], texts.index, dtype="str")


def mobiles_cn(numbers: pd.Series[Any]) -> pd.Series[Any]:
    """Return the 11 digits of mobile numbers of the Chinese mainland, "" for all others.

    ``numbers`` are of :func:`phones`.
    """
    return numbers.where(numbers.str.fullmatch(r"\+861[3-9]\d{9}"), "").str.removeprefix("+86")


def unread(cells: pd.Series[Any], clean: pd.Series[Any]) -> dict[str, int]:
    """Return the shapes of cells that hold something but nothing that could be read, the most frequent first.

    A shape shows each letter as ``a`` and each digit as ``9``, so that it names nobody.
    ``clean`` is what :func:`emails` or :func:`phones` made of the cells.
    """
    texts = _stripped(cells)
    shapes = texts[(texts != "") & (clean == "")].map(_shape)
    return {str(shape): int(count) for shape, count in shapes.value_counts().items()}


def lower(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return texts trimmed and in lower case, "" for missing."""
    return _stripped(texts).str.lower()


def sha256(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return the SHA-256 of each text's UTF-8 bytes as lower-case hex; "" stays ""."""
    digests = [hashlib.sha256(text.encode()).hexdigest() if text else "" for text in texts]
    return pd.Series(digests, texts.index, dtype="str")


def md5(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return the MD5 of each text's UTF-8 bytes as lower-case hex, as some platforms want it; "" stays ""."""
    digests = [hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() if text else "" for text in texts]
    return pd.Series(digests, texts.index, dtype="str")


def _other_name(name: str) -> str:
    """Return the name of a column that is no contact field, never the id column's."""
    folded = "_".join(name.strip().lstrip("\ufeff").lower().split())
    return f"{folded} (source)" if folded == CUSTOMER_ID else folded


def _stripped(texts: pd.Series[Any]) -> pd.Series[Any]:
    return texts.astype("str").fillna("").str.strip()


def _shape(text: str) -> str:
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", text))[:MAX_SHAPE]


def _phone(text: str, region: str) -> str:
    import phonenumbers

    text = first_number(text)
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
    numbers = _valid(f"+{text}", region), _valid(text, region)
    international, national = (None if number is None else phonenumbers.number_type(number) for number in numbers)
    mobile = phonenumbers.PhoneNumberType.MOBILE
    return f"+{text}" if international == mobile and national != mobile else text


def _valid(text: str, region: str) -> Any:
    """Return the number of a text, None where it is none that can be called."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None
