"""Phone numbers as people and spreadsheets write them: one number of a cell, and the texts that two numbers share.

A number on a suppression list and the same number in a customers table are rarely written alike: one names its country
and the other does not. :func:`phone_marks` says what a listed number is known by, :func:`phone_keys` what a customer's
is looked up by; two that may be the same number have one in common. Where a number names no country, the rest decides:
rather one customer too many is left alone.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any, Final

import pandas as pd

SHORTEST, LONGEST = 7, 15
"""Digits of a phone number; the longest is that of E.164."""
WHOLE: Final = 11
"""Digits from which a number may begin with its country's calling code, though no ``+`` is before it."""
_PLAIN: Final = re.compile(r"\+?[0-9 ]+")
_WHOLE: Final = re.compile(r"(\+?\d{6,15})\.0+")
_EXPONENT: Final = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
_SEVERAL: Final = re.compile(r"[;,|、\n]")
_EXTENSION: Final = re.compile(r"(转|轉|分机|分機|ext|extension|#|x(?=\s*\d))", re.IGNORECASE)
_NOTE: Final = re.compile(r"\([^()\d]*\)")
_NUMBER: Final = re.compile(r"[+\d\s().\-/\u2010-\u2015]+")
_CODE_DIGITS: Final = (1, 2, 3)
"""How long a country's calling code may be; none is the beginning of another."""


def first_number(text: str) -> str:
    """Return the first number of a cell, without its extension and notes; "" where a spreadsheet cut its digits off."""
    return next(iter(every_number(text)), "")


def every_number(text: str) -> list[str]:
    """Return all numbers of a cell, without their extensions and notes; none where a spreadsheet cut digits off."""
    if _PLAIN.fullmatch(text):
        return [text]
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("'")
    if whole := _WHOLE.fullmatch(plain):
        return [whole.group(1)]
    if _EXPONENT.fullmatch(plain):
        return []
    parts = [_EXTENSION.split(part)[0] for part in _SEVERAL.split(_NOTE.sub("", plain))]
    return [number.strip() for part in parts for number in _around_slash(part) if number.strip()]


def phone_marks(word: str) -> tuple[str, ...]:
    """Return what a word on a list is known by where it is a phone number, or several; () where it is none."""
    return tuple(dict.fromkeys(mark for number in every_number(word) for mark in _marks(number)))


def _marks(number: str) -> tuple[str, ...]:
    international, digits = _read(number)
    if not digits:
        return ()
    if international:
        return f"tel:+{digits}", f"tel:~{_national(digits)}"
    whole = (f"tel:~{_national(digits)}",) if len(digits) >= WHOLE and digits[0] != "0" else ()
    return f"tel:+{digits}", f"tel:{digits.lstrip('0')}", *whole


def phone_keys(texts: pd.Series[Any]) -> pd.DataFrame:
    """Return columns of marks that the customers' numbers are looked up by, three for each number of a cell, or "".

    Args:
        texts: cells as they are written, or numbers in E.164.
    """
    clean = texts.astype("str").fillna("")
    known = {text: [key for number in every_number(text) for key in _keys(number)] for text in set(clean)}
    width = max(map(len, known.values()), default=0) or 3
    padded = {text: (*keys, *[""] * (width - len(keys))) for text, keys in known.items()}
    return pd.DataFrame([padded[text] for text in clean], index=texts.index, columns=range(width), dtype="str")


def _around_slash(part: str) -> list[str]:
    """Return the numbers on both sides of a slash, or the one that it stands in, as in ``030/123456``."""
    sides = [len(re.sub(r"\D", "", side)) >= SHORTEST for side in part.split("/")]
    return [side for side, whole in zip(part.split("/"), sides, strict=True) if whole] if sides[0] else [part]


def _keys(number: str) -> tuple[str, str, str]:
    international, digits = _read(number)
    if not digits:
        return "", "", ""
    if international:
        return f"tel:+{digits}", f"tel:{_national(digits)}", ""
    rest = digits.lstrip("0")
    return f"tel:+{digits}", f"tel:{rest}", f"tel:~{rest}"


def _read(plain: str) -> tuple[bool, str]:
    """Return whether a number names its country, and its digits; "" where the text is no phone number."""
    if not _NUMBER.fullmatch(plain):
        return False, ""
    international = plain.startswith(("+", "00"))
    digits = re.sub(r"\D", "", plain.replace("(0)", "") if international else plain)
    digits = digits.removeprefix("00") if international else digits
    return international, digits if SHORTEST <= len(digits) <= LONGEST else ""


def _national(digits: str) -> str:
    """Return the digits behind the country's calling code, without zeros before them."""
    code = next((size for size in _CODE_DIGITS if digits[:size] in _calling_codes()), 0)
    return digits[code:].lstrip("0")


@cache
def _calling_codes() -> frozenset[str]:
    """Return all calling codes of countries."""
    import phonenumbers

    return frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
