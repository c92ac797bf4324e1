"""Ids of customers as they are compared: what spreadsheets, keyboards and mail programs make of one id is one id.

Full-width letters and digits become plain ones, accents are composed, invisible marks are left out, a whole number
written as 17850.0 is 17850, and an e-mail address has no case. Where a log writes the same ids in two ways (K1001 and
k1001, 00001001 and 1001), :func:`unified` tells that they are one.

Only the letters of ASCII are folded, so that engines and Python agree on every text.
"""

from __future__ import annotations

import re
import string
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from clv_core.collection.engine import text

if TYPE_CHECKING:
    import pandas as pd

CAPITALS: Final = string.ascii_uppercase
SMALL: Final = string.ascii_lowercase
FOLDING: Final = str.maketrans(CAPITALS, SMALL)

MERGE: Final = "merge"
SEPARATE: Final = "separate"

WIDE: Final = "".join(
    sign
    for sign in map(chr, range(0xFF01, 0xFFEF))
    if len(plain := unicodedata.normalize("NFKC", sign)) == 1 and plain not in "{}"
)
"""Signs of full or half width. Braces are left out: the SQL is put into templates of ``str.format``."""
BLANKS: Final = "\u00a0\u2007\u202f\u3000"
INVISIBLE: Final = "".join(
    chr(code)
    for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2064))
    for code in range(first, last + 1)
)
NO_SIGNS: Final = INVISIBLE + "\ufeff\u00ad"
WRITTEN: Final = (WIDE + BLANKS + NO_SIGNS, unicodedata.normalize("NFKC", WIDE) + " " * len(BLANKS))
"""Signs that are written otherwise, or not at all: one for one, those without a counterpart are left out."""
PLAIN: Final = {ord(sign): (WRITTEN[1][at] if at < len(WRITTEN[1]) else None) for at, sign in enumerate(WRITTEN[0])}

WHOLE: Final = r"^(\d+)\.0+$"
"""A whole number as data frames and spreadsheets write it once its column has a blank cell."""
PADDED: Final = r"^([^0-9]*)0+(.)"


def folded(word: str) -> str:
    """Return an id as all its spellings are."""
    if not word.isascii():
        word = unicodedata.normalize("NFC", word.translate(PLAIN)).strip(" ")
    return word.translate(FOLDING) if "@" in word else re.sub(WHOLE, r"\1", word, flags=re.ASCII)


def folded_sql(column: str, *, whole_floats: bool = True) -> str:
    """Return SQL for :func:`folded` of a text expression; ``lower`` is far faster, and does the same to ASCII.

    Args:
        column: the expression.
        whole_floats: whether 17850.0 is 17850.
    """
    whole = f"regexp_replace({{}}, {text(WHOLE)}, '\\1')" if whole_floats else "{}"
    plain = f"trim(nfc_normalize(translate({column}, {text(WRITTEN[0])}, {text(WRITTEN[1])})), ' ')"
    mail = f"translate(w, '{CAPITALS}', '{SMALL}')"
    wide = (
        f"list_transform([{plain}], lambda w: CASE WHEN contains(w, '@') THEN {mail} ELSE {whole.format('w')} END)[1]"
    )
    return (
        f"CASE WHEN strlen({column}) <> length({column}) THEN {wide} WHEN contains({column}, '@') THEN lower({column})"
        f" WHEN ends_with({column}, '0') AND contains({column}, '.') THEN {whole.format(column)}"
        f" ELSE {column} END"
    )


def folded_texts(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return :func:`folded` of each text; missing ones stay so."""
    other = texts.str.contains(r"@|\.0+$|[^\x00-\x7f]", regex=True).fillna(False).astype(bool)
    return texts.where(~other, texts[other].map(folded).reindex(texts.index)) if other.any() else texts


def unified(word: str) -> str:
    """Return an id without its capitals, blanks and padding zeros: 00001001 is 1001, and K 01001 is k1001."""
    return re.sub(PADDED, r"\1\2", re.sub(WHOLE, r"\1", folded(word)).translate(FOLDING).replace(" ", ""))


def odd_signs(word: str) -> str:
    """Return the signs of an id that :func:`folded` replaces or omits, and accents that stand alone."""
    return "".join(sign for sign in word if ord(sign) in PLAIN or unicodedata.combining(sign))


def similar_mark(word: str) -> str:
    """Return by what all similar spellings of an id are known in a list that holds no ids."""
    return f"similar {unified(word)}"


def similar_mark_sql(column: str) -> str:
    """Return SQL for :func:`similar_mark` of a text expression."""
    return f"concat('similar ', {unified_sql(folded_sql(column))})"


def unified_sql(column: str) -> str:
    """Return SQL for :func:`unified` of an expression that is :func:`folded_sql` already."""
    small = f"translate(regexp_replace({column}, {text(WHOLE)}, '\\1'), '{CAPITALS} ', '{SMALL}')"
    return f"regexp_replace({small}, {text(PADDED)}, '\\1\\2')"
