"""Countries by the codes and names that shops and people write (ISO 3166 alpha-2), and those of phone numbers."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

import pandas as pd

from clv_core.collection.parse import first_number
from clv_core.errors import UsageError
from clv_core.i18n import BABEL_LOCALES

MAINLAND_CHINA: Final = "CN"
SAMPLED_NUMBERS: Final = 500
"""Phone numbers that are enough to tell the country of all."""
MIN_SHARE: Final = 0.9
"""Share of numbers that have to be Chinese mobiles; where as many could be numbers of North America, such as
1 415 555 0100, the two cannot be distinguished."""
CHINESE_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
NO_COUNTRIES: Final = frozenset(("EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"))
"""Codes of two letters in CLDR that are unions, the unknown, or there for tests."""
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
    "america": "US",
    "uae": "AE",
    "korea": "KR",
    "korea, republic of": "KR",
    "republic of ireland": "IE",
    "iran, islamic republic of": "IR",
    "bolivia, plurinational state of": "BO",
    "venezuela, bolivarian republic of": "VE",
    "tanzania, united republic of": "TZ",
    "moldova, republic of": "MD",
    "taiwan, province of china": "TW",
    "macedonia": "MK",
    "bosnia": "BA",
    "swaziland": "SZ",
    "burma": "MM",
    "palestine": "PS",
    "hong kong sar": "HK",
    "macao sar": "MO",
    "macau sar": "MO",
    "prc": "CN",
    "people's republic of china": "CN",
    "mainland china": "CN",
    "中华人民共和国": "CN",
    "中国大陆": "CN",
    "中国香港": "HK",
    "香港": "HK",
    "中国澳门": "MO",
    "澳门": "MO",
    "中国台湾": "TW",
    "台湾省": "TW",
    "大韩民国": "KR",
    "英格兰": "GB",
}
"""Usual names of countries and their parts that CLDR, the source of all others, does not have."""


def country_codes(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return ISO 3166 alpha-2 codes of countries; "" where unknown.

    Args:
        texts: codes of two or three letters, or names in English, Chinese or a language of the country itself.
    """
    clean = texts.astype("str").fillna("").str.strip()
    return clean.map({text: country_code(text) for text in set(clean)}).astype("str")


def country_code(text: str) -> str:
    """Return the code of one country; "" where unknown. See :func:`country_codes`.

    A shop may write the code behind the name, as in "United States (US)".
    """
    codes = _territories()
    name, _, code = text.strip().rstrip(")").rpartition(" (")
    return codes.get(_folded(text), "") or (codes.get(_folded(name), "") if len(code) in (2, 3) else "")


def region_code(region: str) -> str:
    """Return the ISO 3166 alpha-2 code of the country that phone numbers are read by.

    Raises:
        UsageError: it is no country with a calling code.
    """
    import phonenumbers

    code = country_code(region)
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise UsageError("contacts_region", region=region[:40])
    return code


@lru_cache(maxsize=4)
def region_names(language: str) -> dict[str, str]:
    """Return the countries whose phone numbers can be read, by ISO 3166 alpha-2 code, with their names; by the code."""
    import phonenumbers
    from babel import Locale

    names = Locale.parse(BABEL_LOCALES[language]).territories
    return {code: str(names[code]) for code in sorted(phonenumbers.SUPPORTED_REGIONS) if code in names}


def proposed_region(texts: pd.Series[Any]) -> str:
    """Return the country of nearly all phone numbers that name none; "" where their form does not tell it.

    Mobile numbers of the Chinese mainland are recognised by their form, 1 and 10 digits, the first of them 3 to 9. If
    nearly all of them could as well be numbers of North America, written with its calling code 1, nothing is proposed.

    Args:
        texts: cells of a phone column, as people write them.
    """
    import phonenumbers

    cells = texts.dropna().astype("str").str.strip()
    numbers = [first_number(cell) for cell in cells[cells != ""].head(SAMPLED_NUMBERS)]
    national = [re.sub(r"\D", "", number) for number in numbers if number and not has_calling_code(number)]
    mobiles = [digits for digits in national if CHINESE_MOBILE.fullmatch(digits)]
    if not mobiles or len(mobiles) < MIN_SHARE * len(national):
        return ""
    american = sum(phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}")) for digits in mobiles)
    return MAINLAND_CHINA if american < MIN_SHARE * len(mobiles) else ""


def has_calling_code(number: str) -> bool:
    """Return whether a phone number begins with ``+`` or ``00``, and so with its country's calling code."""
    return number.strip().startswith(("+", "00", "\uff0b"))


def _folded(name: str) -> str:
    """Return a country as it is looked up: lower case, no accents, full stops and leading article, one apostrophe."""
    decomposed = unicodedata.normalize("NFKD", name.lower().replace("’", "'").replace("ı", "i"))
    latin = "".join(sign for sign in decomposed if not "\u0300" <= sign <= "\u036f")
    words = re.sub(r"\s+", " ", unicodedata.normalize("NFC", latin).replace(".", "")).strip()
    return words.removeprefix("the ")


@lru_cache(maxsize=1)
def _territories() -> dict[str, str]:
    """Return the alpha-2 code of each country by its codes and names, folded; English decides who of two has a name."""
    from babel.core import get_global
    from babel.languages import get_official_languages
    from babel.localedata import exists

    codes = [code for code in _names_in("en") if len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES]
    names = {str(old).lower(): str(new[0]) for old, new in get_global("territory_aliases").items() if len(new) == 1}
    for code in codes:
        languages = [language for language in get_official_languages(code, de_facto=True) if exists(language)]
        names |= {_folded(_names_in(language).get(code, code)): code for language in languages}
    for language in ("zh", "en"):
        names |= {_folded(name): code for code, name in _names_in(language).items() if code in codes}
    return {**names, **{code.lower(): code for code in codes}, **OTHER_NAMES}


def _names_in(language: str) -> dict[str, str]:
    from babel import Locale

    return {str(code): str(name) for code, name in Locale.parse(language).territories.items()}
