"""Names and places as Meta matches them: lower case, letters only, postal codes without blanks, states as codes.

Source: Meta, customer information parameters (developers.facebook.com/docs/marketing-api/conversions-api/parameters/
customer-information-parameters): "lowercase only with no punctuation", of cities and states also no special characters
and no spaces, letters beyond a-z in UTF-8; of the United States the state's two letters and five digits of the zip.
"""

from __future__ import annotations

import unicodedata
from typing import Any, Final

import pandas as pd

UNITED_STATES: Final = "US"
STATES: Final = {
    name: code
    for name, code in (
        pair.split()
        for pair in """alabama al|alaska ak|arizona az|arkansas ar|california ca|colorado co|connecticut ct|delaware de
        |districtofcolumbia dc|washingtondc dc|florida fl|georgia ga|hawaii hi|idaho id|illinois il|indiana in|iowa ia
        |kansas ks|kentucky ky|louisiana la|maine me|maryland md|massachusetts ma|michigan mi|minnesota mn
        |mississippi ms|missouri mo|montana mt|nebraska ne|nevada nv|newhampshire nh|newjersey nj|newmexico nm
        |newyork ny|northcarolina nc|northdakota nd|ohio oh|oklahoma ok|oregon or|pennsylvania pa|rhodeisland ri
        |southcarolina sc|southdakota sd|tennessee tn|texas tx|utah ut|vermont vt|virginia va|washington wa
        |westvirginia wv|wisconsin wi|wyoming wy|americansamoa as|guam gu|northernmarianaislands mp|puertorico pr
        |usvirginislands vi|virginislands vi""".split("|")
    )
}
"""Two letters of each state of the United States by its name as :func:`letters` gives it. Source: ANSI INCITS 38."""


def letters(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return texts in lower case with nothing but letters, of any script, and the marks that belong to them."""
    known = {text: _letters(text) for text in set(texts)}
    return texts.map(known).astype("str")


def states(texts: pd.Series[Any], countries: pd.Series[Any]) -> pd.Series[Any]:
    """Return states in lower case, letters only, those of the United States by their two letters.

    Args:
        texts: as people write them.
        countries: ISO code of each customer's country, "" for unknown.
    """
    plain = letters(texts)
    coded = plain.map(STATES).fillna(plain)
    return plain.where(countries != UNITED_STATES, coded).astype("str")


def zips(texts: pd.Series[Any], countries: pd.Series[Any]) -> pd.Series[Any]:
    """Return postal codes in lower case without blanks and dashes, of the United States the first five digits."""
    plain = texts.astype("str").fillna("").str.lower().str.replace(r"[\s\-\u2010-\u2015]", "", regex=True)
    return plain.where(countries != UNITED_STATES, plain.str[:5]).astype("str")


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFC", text.lower())
    return "".join(sign for sign in plain if unicodedata.category(sign)[0] in "LM")
