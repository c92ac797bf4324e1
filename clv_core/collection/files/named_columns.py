"""Which encoding makes names of columns out of the bytes of a text's first lines.

Encodings with two bytes a letter read each other's texts as letters too, and a short text is too little to tell them by
how frequent these are: Korean column names become Chinese that nobody writes. Names that logs use are no accident.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, SURE_NAMES, fold

FIRST_LINES: Final = 5
"""The column names stand in one of these, behind a remark or two."""
BETWEEN: Final = re.compile(r'[,;\t|]|"')


def naming(lines: Iterable[bytes], encodings: Sequence[str]) -> tuple[str, int]:
    """Return the encoding that reads most known names of columns in one line, and how many; "" and 0 where none does.

    Args:
        lines: of a text, those that are not ASCII.
        encodings: that it could be in; of equals the first is returned.
    """
    first = list(islice(lines, FIRST_LINES))
    known = {one: _names(first, one) for one in dict.fromkeys(encodings) if one}
    best = max(known, key=lambda one: known[one], default="")
    return (best, known[best]) if best and known[best] else ("", 0)


def _names(lines: Iterable[bytes], encoding: str) -> int:
    """Return how many names that are not ASCII one of the lines holds, 0 where the encoding does not read them all."""
    try:
        texts = [line.decode(encoding) for line in lines]
    except UnicodeDecodeError:
        return 0
    return max((sum(map(_is_known, BETWEEN.split(text))) for text in texts), default=0)


def _is_known(cell: str) -> bool:
    key = fold(cell)
    return not key.isascii() and (key in SURE_NAMES or key in LIKELY_NAMES)
