"""E-mail addresses and phone numbers as people, address books and spreadsheets write them: in one form.

The same address must have the same form in a suppression list and in a customers table.

Addresses: a platform finds nobody by the hash of an address that holds a sign which cannot be seen. So width, case, and
what surrounds an address do not count.

Phone numbers: one names its country and the other does not. :func:`phone_marks` returns the keys of a listed number,
:func:`phone_keys` what a customer's is looked up by; two that may be the same number have one in common. Where a number
names no country, the rest decides: rather one customer too many is left alone.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any, Final

import pandas as pd

_LOCAL: Final = r"""[^@\s.<>()"',;:][^@\s<>()",;:]*"""
_LABEL: Final = r"[^\W_](?:[\w-]*[^\W_])?"
EMAIL_PATTERN: Final = rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL})+"
"""An address, which neither begins with a full stop nor holds the marks around and between addresses."""
_ADDRESS: Final = re.compile(EMAIL_PATTERN)
_BETWEEN: Final = re.compile(r"[;,|、\s]+")
_AROUND: Final = "<>()[]\"'“”‘’`"
_UNREAD: Final = re.compile(r"(?:\.|\+[^@]*)(?=[^@]*@(?:gmail|googlemail)\.com$)")
_GMAIL: Final = re.compile(r"@googlemail\.com$")
_NAMED: Final = re.compile(r"^.*?<(.*?)>.*$", re.DOTALL)


def tidy(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return cells in lower case, of one width, without signs that cannot be seen and blanks around; "" for missing."""
    clean = texts.astype("str").fillna("").str.strip().str.lower()
    odd = [text for text in set(clean) if not text.isascii()]
    if not odd:
        return clean
    cleaned = {text: _plain(text) for text in odd}
    return clean.map(lambda text: cleaned.get(text, text)).astype("str")


def first_address(text: str) -> str:
    """Return the address that a tidy cell begins with; "" where it begins with something else.

    What an address book puts around one does not count: a name before ``<``, quotes, ``mailto:``.
    """
    address = next(iter(_parts(_NAMED.sub(r"\1", text))), "")
    return address if _ADDRESS.fullmatch(address) else ""


def every_address(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return all addresses of some cells, under the index of their cell; cells without one are not in it."""
    clean = tidy(texts)
    is_address = clean.str.fullmatch(EMAIL_PATTERN)
    if is_address.all():
        return clean
    by_text = {text: addresses(text) for text in set(clean[~is_address]) if "@" in text}
    several = clean[~is_address].map(lambda text: by_text.get(text, ())).explode().dropna().astype("str")
    result: pd.Series[Any] = pd.concat([clean[is_address], several])
    return result


def addresses(text: str) -> tuple[str, ...]:
    """Return all addresses in a text, each once."""
    parts = _parts(re.sub("[<>]", " ", _plain(text.lower())))
    return tuple(dict.fromkeys(part for part in parts if _ADDRESS.fullmatch(part)))


def mailboxes(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return tidy addresses as keys of mailboxes: one of Gmail has the same letters without stops and tags.

    Source: support.google.com/mail/answer/7436150 (dots don't matter in Gmail addresses); answer/22370 (``+`` aliases).
    """
    return texts.str.replace(_UNREAD, "", regex=True).str.replace(_GMAIL, "@gmail.com", regex=True)


def mailbox(address: str) -> str:
    """Return what :func:`mailboxes` does of one address."""
    return _GMAIL.sub("@gmail.com", _UNREAD.sub("", address))


def _parts(text: str) -> list[str]:
    """Return the texts between the marks that part addresses, in order."""
    cells = [_bare(cell) for cell in _BETWEEN.split(text)]
    parts = [_bare(part) for cell in cells for part in (cell.split("/") if cell.count("@") > 1 else [cell])]
    return [part for part in parts if part]


def _bare(cell: str) -> str:
    """Return a word without the marks around an address."""
    word = cell.strip(_AROUND)
    if word.startswith("mailto:"):
        word = word.removeprefix("mailto:").partition("?")[0]
    return word.rstrip("." + _AROUND)


def _plain(text: str) -> str:
    """Return a text of one width without signs that cannot be seen."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Cf").strip()


SHORTEST, LONGEST = 7, 15
"""Digits of a phone number; the longest is that of E.164."""
WHOLE: Final = 11
"""Digits from which a number may begin with its country's calling code, though no ``+`` is before it."""
_PLAIN: Final = re.compile(r"\+?[0-9 ]+")
_WHOLE_FLOAT: Final = re.compile(r"(\+?\d{6,15})\.0+")
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
    if whole := _WHOLE_FLOAT.fullmatch(plain):
        return [whole.group(1)]
    if _EXPONENT.fullmatch(plain):
        return []
    parts = [_EXTENSION.split(part)[0] for part in _SEVERAL.split(_NOTE.sub("", plain))]
    return [number.strip() for part in parts for number in _around_slash(part) if number.strip()]


def phone_marks(word: str) -> tuple[str, ...]:
    """Return the keys of a word on a list where it is a phone number, or several; () where it is none."""
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
    by_text = {text: [key for number in every_number(text) for key in _keys(number)] for text in set(clean)}
    width = max(map(len, by_text.values()), default=0) or 3
    padded = {text: (*keys, *[""] * (width - len(keys))) for text, keys in by_text.items()}
    return pd.DataFrame([padded[text] for text in clean], index=texts.index, columns=range(width), dtype="str")


def _around_slash(part: str) -> list[str]:
    """Return the numbers on both sides of a slash, or the one that contains it, as in ``030/123456``."""
    sides = [len(re.sub(r"\D", "", side)) >= SHORTEST for side in part.split("/")]
    return [side for side, is_long in zip(part.split("/"), sides, strict=True) if is_long] if sides[0] else [part]


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
