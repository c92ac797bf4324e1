"""The grammar of delimited text, as patterns over bytes that never go back: a gigabyte takes some ten seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

BLANKS: Final = " \t\r\x0b\x0c"
"""Characters that a blank line may hold."""


@dataclass(frozen=True)
class Grammar:
    """Patterns of one dialect.

    Args:
        rows: a stretch of whole rows, line ends included; a quoted cell must end where a cell can end.
        blank: a stretch of blank lines.
        opens: a line that opens a quoted cell and does not close it.
        closes: what may follow within a quoted cell, up to the quote that closes it.
        ends: what may follow that quote: the next delimiter or the line's end.
        cells: one cell, for counting.
    """

    rows: re.Pattern[bytes]
    blank: re.Pattern[bytes]
    opens: re.Pattern[bytes]
    closes: re.Pattern[bytes]
    ends: re.Pattern[bytes]
    cells: re.Pattern[bytes]


def grammar(delimiter: str, quote: str, escape: str, columns: int, *, strict: bool) -> Grammar:
    """Return the patterns of a dialect.

    Args:
        delimiter: one character.
        quote: one character, or empty.
        escape: what stands before a quote inside quotes: a backslash, or the quote itself.
        columns: cells of a row; it tells a row of empty cells from a blank line where a blank is the delimiter.
        strict: whether text between a closing quote and the cell's end ends the stretch of rows.
    """
    mark, sign = re.escape(delimiter.encode()), re.escape(quote.encode())
    plain = rb"[^\n%s]*+" % mark
    inside, start, cell = plain, rb"(?!)", plain
    if quote:
        inside = rb"(?:[^\\%s]|\\.)*+" % sign if escape == "\\" else rb"(?:[^%s]|%s%s)*+" % (sign, sign, sign)
        start = rb"\x20*+%s" % sign
        tail = rb"[\x20\t\r]*+" if strict and delimiter not in BLANKS else rb"\r?" if strict else plain
        cell = rb"(?:%s%s%s%s|(?!%s)%s)" % (start, inside, sign, tail, start, plain)
    spaces = b"".join(re.escape(blank.encode()) for blank in BLANKS if blank != delimiter)
    nothing = rb"[%s]*+\n" % spaces
    if delimiter in BLANKS:
        # Blanks that make a row of empty cells are a row; fewer or more are nothing.
        full = rb"(?:[%s]*+%s){%d}[%s]*+\n" % (spaces, mark, columns - 1, spaces)
        nothing = rb"(?!%s)[%s%s]*+\n" % (full, spaces, mark)
    row = rb"%s(?:%s%s)*+" % (cell, mark, cell)
    return Grammar(
        rows=re.compile(rb"(?:(?!%s)%s\n)*+" % (nothing, row), re.DOTALL),
        blank=re.compile(rb"(?:%s)++" % nothing),
        opens=re.compile(rb"(?:%s%s)*+%s%s\Z" % (cell, mark, start, inside), re.DOTALL),
        closes=re.compile(inside + sign, re.DOTALL),
        ends=re.compile(rb"[\x20\t\r]*+(?:\n|%s|\Z)" % mark),
        cells=re.compile(rb"%s(?:%s|\r?\n|\Z)" % (cell, mark), re.DOTALL),
    )
