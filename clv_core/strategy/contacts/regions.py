"""The country of phone numbers that name none: its names for people, and what the numbers themselves say of it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import pandas as pd

from clv_core.collection.values.phone_texts import one_number
from clv_core.i18n import BABEL_LOCALES

MAINLAND_CHINA: Final = "CN"
LOOKED_AT: Final = 500
"""Numbers are enough to see what all of them are."""
PLAINLY: Final = 0.9
"""Share of numbers that have to be Chinese mobiles; of as many, North America's 1 415 555 0100 is not to be told apart
from one."""
_MOBILE: Final = re.compile(r"1[3-9]\d{9}")


def proposed_region(texts: pd.Series[Any]) -> str:
    """Return the country that phone numbers without a country's calling code are plainly from; "" where none is plain.

    Mobile numbers of the Chinese mainland are known by their form, 1 and 10 digits of which the first is 3 to 9. Where
    nearly all of them could as well be numbers of North America, written with its calling code 1, nothing is proposed.

    Args:
        texts: cells of a phone column, as people write them.
    """
    import phonenumbers

    cells = texts.dropna().astype("str").str.strip()
    numbers = [one_number(cell) for cell in cells[cells != ""].head(LOOKED_AT)]
    plain = [re.sub(r"\D", "", number) for number in numbers if number and not named_country(number)]
    mobiles = [digits for digits in plain if _MOBILE.fullmatch(digits)]
    if not mobiles or len(mobiles) < PLAINLY * len(plain):
        return ""
    american = sum(phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}")) for digits in mobiles)
    return MAINLAND_CHINA if american < PLAINLY * len(mobiles) else ""


def named_country(number: str) -> bool:
    """Say whether a phone number begins with ``+`` or ``00``, and so with its country's calling code."""
    return number.strip().startswith(("+", "00", "\uff0b"))


@lru_cache(maxsize=4)
def region_names(language: str) -> dict[str, str]:
    """Return the countries whose phone numbers can be read, by ISO 3166 alpha-2 code, with their names; by the code."""
    import phonenumbers
    from babel import Locale

    names = Locale.parse(BABEL_LOCALES[language]).territories
    return {code: str(names[code]) for code in sorted(phonenumbers.SUPPORTED_REGIONS) if code in names}
