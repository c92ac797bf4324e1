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
from clv_core.errors import NeedsAnswer, Refused, UsageError

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
OTHER_NAMES: Final = {
    "usa": "US",
    "united states of america": "US",
    "great britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "holland": "NL",
    "czech republic": "CZ",
    "ivory coast": "CI",
    "south korea": "KR",
    "republic of korea": "KR",
    "russian federation": "RU",
    "viet nam": "VN",
    "hong kong": "HK",
    "macao": "MO",
    "macau": "MO",
    "turkey": "TR",
    "中国香港": "HK",
    "香港": "HK",
    "中国澳门": "MO",
    "澳门": "MO",
    "中国台湾": "TW",
    "英格兰": "GB",
}
"""Usual names of countries and their parts that CLDR, the source of all others, does not have."""
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
        region: code or name of a country, as :func:`country_codes` reads it.

    Raises:
        UsageError: it is no country whose numbers are known.
    """
    import phonenumbers

    code = _territories().get(_folded(region), "")
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise UsageError("contacts_region", region=region[:40])
    return code


def country_codes(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return ISO 3166 alpha-2 codes of countries; "" where unknown.

    Args:
        texts: codes of two or three letters, or names in English, Chinese or a language of the country itself.
    """
    known, clean = _territories(), _text(texts)
    found = {text: known.get(_folded(text), "") for text in set(clean)}
    return clean.map(found).astype("str")


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


def _folded(name: str) -> str:
    """Return a country as it is looked up: in lower case, without full stops and a leading article."""
    return " ".join(name.replace(".", "").lower().split()).removeprefix("the ")


@lru_cache(maxsize=1)
def _territories() -> dict[str, str]:
    """Return the alpha-2 code of each country by its codes and names, folded; of two of one name English decides."""
    from babel.core import get_global
    from babel.languages import get_official_languages
    from babel.localedata import exists

    codes = [code for code in _names_in("en") if len(code) == 2 and code.isalpha() and code != "ZZ"]
    known = {str(old).lower(): str(new[0]) for old, new in get_global("territory_aliases").items() if len(new) == 1}
    for code in codes:
        own = [language for language in get_official_languages(code, de_facto=True) if exists(language)]
        known |= {_folded(_names_in(language).get(code, code)): code for language in own}
    for language in ("zh", "en"):
        known |= {_folded(name): code for code, name in _names_in(language).items() if code in codes}
    return {**known, **{code.lower(): code for code in codes}, **OTHER_NAMES}


def _names_in(language: str) -> dict[str, str]:
    from babel import Locale

    return {str(code): str(name) for code, name in Locale.parse(language).territories.items()}
