"""E-mail addresses as people, address books and spreadsheets write them: the addresses of a cell, in one form.

An address on a suppression list and the same address in a customers table must be found alike, and a platform finds
nobody by the hash of an address that holds a sign which cannot be seen. So width, case, and what stands around an
address do not count here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import pandas as pd

_LOCAL: Final = r"""[^@\s.<>()"',;:][^@\s<>()",;:]*"""
_LABEL: Final = r"[^\W_](?:[\w-]*[^\W_])?"
EMAIL_PATTERN: Final = rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL})+"
"""An address, which neither begins with a full stop nor holds what stands around and between addresses."""
_WHOLE: Final = re.compile(EMAIL_PATTERN)
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
    known = {text: _plain(text) for text in odd}
    return clean.map(lambda text: known.get(text, text)).astype("str")


def first_address(text: str) -> str:
    """Return the address that a tidy cell begins with; "" where it begins with something else.

    What an address book puts around one does not count: a name before ``<``, quotes, ``mailto:``.
    """
    found = next(iter(_parts(_NAMED.sub(r"\1", text))), "")
    return found if _WHOLE.fullmatch(found) else ""


def every_address(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return all addresses of some cells, under the index of their cell; cells without one are not in it."""
    clean = tidy(texts)
    whole = clean.str.fullmatch(EMAIL_PATTERN)
    if whole.all():
        return clean
    known = {text: addresses(text) for text in set(clean[~whole]) if "@" in text}
    several = clean[~whole].map(lambda text: known.get(text, ())).explode().dropna().astype("str")
    found: pd.Series[Any] = pd.concat([clean[whole], several])
    return found


def addresses(text: str) -> tuple[str, ...]:
    """Return all addresses that stand in a text, each once."""
    parts = _parts(re.sub("[<>]", " ", _plain(text.lower())))
    return tuple(dict.fromkeys(part for part in parts if _WHOLE.fullmatch(part)))


def mailboxes(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return tidy addresses as what tells mailboxes apart: one of Gmail has the same letters without stops and tags.

    Source: support.google.com/mail/answer/7436150 (dots don't matter in Gmail addresses); answer/22370 (``+`` aliases).
    """
    return texts.str.replace(_UNREAD, "", regex=True).str.replace(_GMAIL, "@gmail.com", regex=True)


def mailbox(address: str) -> str:
    """Return what :func:`mailboxes` does of one address."""
    return _GMAIL.sub("@gmail.com", _UNREAD.sub("", address))


def _parts(text: str) -> list[str]:
    """Return what stands between the marks that part addresses, in order."""
    cells = [_bare(cell) for cell in _BETWEEN.split(text)]
    parts = [_bare(part) for cell in cells for part in (cell.split("/") if cell.count("@") > 1 else [cell])]
    return [part for part in parts if part]


def _bare(cell: str) -> str:
    """Return a word without what stands around an address."""
    word = cell.strip(_AROUND)
    if word.startswith("mailto:"):
        word = word.removeprefix("mailto:").partition("?")[0]
    return word.rstrip("." + _AROUND)


def _plain(text: str) -> str:
    """Return a text of one width without signs that cannot be seen."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Cf").strip()
