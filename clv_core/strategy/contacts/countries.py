"""Countries by the codes and names that shops and people write: ISO 3166 alpha-2."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

import pandas as pd

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
    found = {text: country_code(text) for text in set(clean)}
    return clean.map(found).astype("str")


def country_code(text: str) -> str:
    """Return the code of one country; "" where unknown. See :func:`country_codes`.

    A shop may write the code behind the name, as in "United States (US)".
    """
    known = _territories()
    name, _, code = text.strip().rstrip(")").rpartition(" (")
    return known.get(_folded(text), "") or (known.get(_folded(name), "") if len(code) in (2, 3) else "")


def _folded(name: str) -> str:
    """Return a country as it is looked up: lower case, no accents, full stops and leading article, one apostrophe."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("’", "'").replace("ı", "i"))
    latin = "".join(sign for sign in plain if not "\u0300" <= sign <= "\u036f")
    words = re.sub(r"\s+", " ", unicodedata.normalize("NFC", latin).replace(".", "")).strip()
    return words.removeprefix("the ")


@lru_cache(maxsize=1)
def _territories() -> dict[str, str]:
    """Return the alpha-2 code of each country by its codes and names, folded; of two of one name English decides."""
    from babel.core import get_global
    from babel.languages import get_official_languages
    from babel.localedata import exists

    codes = [code for code in _names_in("en") if len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES]
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
