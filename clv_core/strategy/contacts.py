"""Contact fields as the ad platforms want them: lower-case e-mail, E.164 phone, country code, SHA-256, consent.

Source: the platforms' own help pages on customer lists (Google Ads Customer Match, Meta custom audiences, TikTok
customer file, Klaviyo and HubSpot imports).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any, Final

import pandas as pd

from clv_core.collection.contact_fields import CONSENT, contact_field, id_column
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import NeedsAnswer, Refused

COUNTRY_CODE: Final = "country_code"
CONSENT_WORDS: Final = frozenset(
    {
        "1",
        "true",
        "t",
        "yes",
        "y",
        "on",
        "granted",
        "subscribed",
        "opted in",
        "opt-in",
        "opt_in",
        "是",
        "同意",
        "已同意",
    }
)
EMAIL_PATTERN: Final = r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+"


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
        raise Refused("contacts_no_id", found=", ".join(found))
    names = {column: CUSTOMER_ID if column == own else contact_field(column) or _plain(column) for column in found}
    frame = customers.rename(columns=names)
    frame = frame.loc[:, ~frame.columns.duplicated()]
    frame = frame[frame[CUSTOMER_ID].notna()].assign(**{CUSTOMER_ID: lambda known: known[CUSTOMER_ID].astype("str")})
    twice = frame[CUSTOMER_ID].duplicated()
    if twice.any():
        raise Refused("contacts_id_twice", rows=int(twice.sum()), customer=str(frame.loc[twice, CUSTOMER_ID].iloc[0]))
    return frame


def consenting(customers: pd.DataFrame, assume_consent: bool) -> pd.Series[bool]:
    """Return who agreed to be contacted, by the ``consent`` column; an empty or unknown word is no consent.

    Args:
        customers: of :func:`named`.
        assume_consent: what holds where there is no such column at all.

    Raises:
        NeedsAnswer: there is no such column, and consent is not assumed.
    """
    if CONSENT not in customers:
        if not assume_consent:
            raise NeedsAnswer("contacts_no_consent")
        return pd.Series(True, index=customers.index)
    words = customers[CONSENT].astype("str").str.strip().str.lower()
    return words.isin(CONSENT_WORDS) | words.isin({"1.0"})


def emails(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return e-mail addresses trimmed and in lower case; "" where there is none or it cannot be one."""
    clean = _text(texts).str.lower()
    return clean.where(clean.str.fullmatch(EMAIL_PATTERN), "")


def phones(texts: pd.Series[Any], countries: pd.Series[Any], region: str | None) -> pd.Series[Any]:
    """Return phone numbers in E.164 (``+442071838750``); "" where there is none or it is not valid.

    Args:
        texts: numbers as people write them.
        countries: ISO code of each customer's country, "" for unknown.
        region: ISO code for numbers without a country code and without a known country.
    """
    home = (region or "").upper()
    numbers = [(text, country or home) for text, country in zip(_text(texts), countries, strict=True)]
    clean = {number: _phone(*number) for number in set(numbers)}
    return pd.Series([clean[number] for number in numbers], texts.index, dtype="str")


def country_codes(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return ISO 3166 alpha-2 codes of country codes or English or Chinese names; "" where unknown."""
    known = _territories()
    return _text(texts).str.lower().map(lambda name: known.get(name, "")).astype("str")


def lower(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return texts trimmed and in lower case, "" for missing."""
    return _text(texts).str.lower()


def sha256(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return the SHA-256 of each text's UTF-8 bytes as lower-case hex; "" stays ""."""
    return pd.Series(
        [hashlib.sha256(text.encode()).hexdigest() if text else "" for text in texts], texts.index, dtype="str"
    )


def _plain(name: str) -> str:
    """Return a name that is no contact field, apart from the id column's."""
    plain = "_".join(name.strip().lstrip("\ufeff").lower().split())
    return f"{plain} (source)" if plain == CUSTOMER_ID else plain


def _text(texts: pd.Series[Any]) -> pd.Series[Any]:
    return texts.astype("str").fillna("").str.strip()


def _phone(text: str, region: str) -> str:
    import phonenumbers

    if not text:
        return ""
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(maxsize=1)
def _territories() -> dict[str, str]:
    from babel import Locale

    known: dict[str, str] = {}
    for language in ("zh", "en"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                known[name.lower()] = known[code.lower()] = code
    return {**known, "uk": "GB", "usa": "US"}
