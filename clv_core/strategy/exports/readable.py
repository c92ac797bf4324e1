"""Numbers of a list as a person reads them: how many digits, whole counts, and the currency that amounts are in."""

from __future__ import annotations

import math
import re
from typing import Any, Final

import pandas as pd

CURRENCY: Final = "currency"
MONEY: Final = re.compile(
    r"(^|_)(clv|value|price|cost|costs|gain|spend|revenue|amount|budget|profit|predicted|actual|base|margin)(_|$)"
)
SHARE: Final = re.compile(r"^p_|(^|_)(probability|chance|share|rate|ratio)(_|$)")
"""Columns of amounts, and of probabilities and other shares, by their names."""
END: Final = re.compile(r"(^|_)(low|high)$")
"""Ends of an interval: they are of whatever the column before them is of."""


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with amounts to 2 decimals and probabilities to 4, as a person reads them; all else as it is.

    Amounts that are all below 1 keep three digits that say something.
    """
    places, said = {}, ""
    for name in frame.select_dtypes("float"):
        own = any(kind.search(str(name)) for kind in (MONEY, SHARE))
        said = said if END.search(str(name)) and not own else str(name)
        if SHARE.search(said):
            places[name] = 4
        elif MONEY.search(said):
            largest = float(frame[name].abs().max())
            places[name] = 2 if not 0 < largest < 1 else 2 - math.floor(math.log10(largest))
    return frame.round(places) if places else frame


def significant(frame: pd.DataFrame, digits: int = 6) -> pd.DataFrame:
    """Return a frame whose numbers keep so many digits that say something, for columns whose unit no name tells.

    Shares and amounts may stand in one column, and parts add up to a whole as they did.
    """
    floats = frame.select_dtypes("float")
    return frame.assign(**{str(name): floats[name].map(lambda value: float(f"{value:.{digits}g}")) for name in floats})


def counted(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose columns of whole numbers are integers, of which some may be missing; money stays as it is.

    A count that is missing for some (days since a purchase, of those who never bought) is else read as 4.0 and 4.00.
    """
    whole = {}
    for name in frame.select_dtypes("float"):
        known = frame[name].dropna()
        measured = any(kind.search(str(name)) for kind in (MONEY, SHARE, END))
        if len(known) and not measured and (known % 1 == 0).all():
            whole[name] = "Int64"
    return frame.astype(whole) if whole else frame


def with_currency(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return a table of amounts with the column ``currency`` at its end, so that the file says it wherever it goes.

    Args:
        frame: any columns; as it is where none is an amount, or one says the currency already.
        currency: of the log; nothing is said where it has no name.
    """
    known = not currency or CURRENCY in frame
    return frame if known or not any(_is_amount(frame, name) for name in frame) else frame.assign(currency=currency)


def _is_amount(frame: pd.DataFrame, name: Any) -> bool:
    """Say whether a column is of amounts; an interval's ends alone do not tell, they may be of anything."""
    said = MONEY.search(str(name)) and not SHARE.search(str(name))
    return bool(said) and pd.api.types.is_float_dtype(frame[name])
