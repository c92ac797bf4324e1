"""Columns of a list as a person reads them: headers and words in a language, digits, and the currency of amounts."""

from __future__ import annotations

import math
import re
from typing import Any, Final

import pandas as pd

from clv_core.i18n import DEFAULT_LANGUAGE, has, translate
from clv_core.strategy.plans.budget_plan import EVIDENCE

IDS: Final = ("", DEFAULT_LANGUAGE)
"""Languages whose headers are the columns' ids: none, as for programs, and English, whose words the ids are."""
CURRENCY: Final = "currency"
MONEY: Final = re.compile(
    r"(^|_)(clv|value|price|cost|costs|gain|spend|revenue|amount|budget|profit|predicted|actual|base|margin)(_|$)"
)
SHARE: Final = re.compile(r"^p_|(^|_)(probability|chance|share|rate|ratio|uplift)(_|$)")
"""Columns of amounts, and of probabilities and other shares, by their names."""
END: Final = re.compile(r"(^|_)(low|high)$")
"""Ends of an interval: they are of what the column before them is of."""


def for_people(frame: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return a list with rounded numbers, integer counts, and the words and headers of a language; "" for ids."""
    return headed(_with_words(counted(rounded(frame)), language), language)


def headed(frame: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return a list with its columns called in a language; a column that has no name there keeps its id."""
    if language in IDS:
        return frame
    return frame.rename(columns={name: header(str(name), language) for name in frame.columns})


def header(name: str, language: str) -> str:
    """Return what a column, or a fact about a list, is called; its id where it has no name in the language."""
    key = f"header.{name}"
    return translate(key, language) if language not in IDS and has(key, language) else name


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with amounts to 2 decimals and probabilities to 4, as a person reads them; all else as it is.

    Amounts that are all below 1 keep three significant digits.
    """
    places, measure = {}, ""
    for name in frame.select_dtypes("float"):
        has_unit = any(kind.search(str(name)) for kind in (MONEY, SHARE))
        measure = measure if END.search(str(name)) and not has_unit else str(name)
        if SHARE.search(measure):
            places[name] = 4
        elif MONEY.search(measure):
            largest = float(frame[name].abs().max())
            places[name] = 2 if not 0 < largest < 1 else 2 - math.floor(math.log10(largest))
    return frame.round(places) if places else frame


def significant(frame: pd.DataFrame, digits: int = 6) -> pd.DataFrame:
    """Return a frame whose numbers keep so many significant digits, for columns that mix shares and amounts."""
    floats = frame.select_dtypes("float")
    return frame.assign(**{str(name): floats[name].map(lambda value: float(f"{value:.{digits}g}")) for name in floats})


def counted(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose columns of counts are nullable integers; amounts and shares stay as they are.

    A count that is missing for some (days since a purchase, of those who never bought) would else be written 4.0.
    """
    counts = {}
    for name in frame.select_dtypes("float"):
        values = frame[name].dropna()
        is_measure = any(kind.search(str(name)) for kind in (MONEY, SHARE, END))
        if len(values) and not is_measure and (values % 1 == 0).all():
            counts[name] = "Int64"
    return frame.astype(counts) if counts else frame


def with_currency(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return a table of amounts with the column ``currency`` at its end.

    Args:
        frame: any columns; unchanged where none is an amount, or the column is there already.
        currency: of the amounts; "" adds nothing.
    """
    if not currency or CURRENCY in frame or not any(_is_amount(frame, name) for name in frame):
        return frame
    return frame.assign(currency=currency)


def _is_amount(frame: pd.DataFrame, name: Any) -> bool:
    """Return whether a column is of amounts; names of an interval's ends alone do not tell."""
    is_named_so = MONEY.search(str(name)) and not SHARE.search(str(name))
    return bool(is_named_so) and pd.api.types.is_float_dtype(frame[name])


def _with_words(frame: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return a list with yes and no for true and false, and the kinds of evidence, as words of a language."""
    if EVIDENCE in frame and language not in IDS:
        kinds = {kind: translate(f"budget.evidence.{kind}", language) for kind in ("assumed", "measured")}
        frame = frame.assign(**{EVIDENCE: frame[EVIDENCE].map(lambda kind: kinds.get(kind, kind))})
    words = {
        flag: translate(f"about.{'yes' if flag else 'no'}", language or DEFAULT_LANGUAGE) for flag in (True, False)
    }
    flags = [name for name in frame.columns if pd.api.types.infer_dtype(frame[name], skipna=True) == "boolean"]
    return frame.assign(**{str(name): frame[name].astype("object").map(words) for name in flags}) if flags else frame
