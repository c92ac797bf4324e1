"""Quoted cells of a text file: a quote that is opened and never closed must not swallow the lines after it.

No reader of CSV reports this by itself: two such quotes close each other, and the rows between them are one cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.read.dialect import Dialect

MAX_LINES_IN_A_CELL: Final = 500
"""A cell of more lines is one that a stray quote has left open: a long review has some ten (a guess)."""
MAX_ROWS_IN_A_CELL: Final = 3
"""Lines of a cell, one after the other, that would be complete rows: more are rows that a stray quote has swallowed."""
BLOCK: Final = 1 << 23
"""Bytes read at a time."""
MAX_ROW_BYTES: Final = 1 << 22
"""Longest row that may reach over a block's end: it bounds what is carried to the next block."""
MAX_LINE_BYTES: Final = MAX_ROW_BYTES // (MAX_ROWS_IN_A_CELL + 1)
"""Longest line of such a row."""
QUOTE, LINE_FEED, RETURN = b'"\n\r'


@dataclass(frozen=True)
class Reject:
    """A line that is no row of the table.

    Args:
        line: its number in the file, from 1.
        reason: catalogue key without ``reason.``.
        text: the line, cut to 1,000 characters.
        lines: how many lines it takes.
        is_wide: whether it has more cells than there are columns.
    """

    line: int
    reason: str
    text: str
    lines: int = 1
    is_wide: bool = False


class QuotedCells:
    """Follows the quoted cells of one dialect from line to line.

    Args:
        dialect: how cells are separated and quoted.
    """

    def __init__(self, dialect: Dialect) -> None:
        mark, self.quote = re.escape(dialect.delimiter.encode()), dialect.quote.encode()
        sign = re.escape(self.quote)
        # Possessive (*+): a pattern that goes back takes minutes for a line of a megabyte.
        inside = rb"(?:[^\\%s]|\\.)*+" % sign if dialect.escape == "\\" else rb"(?:[^%s]|%s%s)*+" % (sign, sign, sign)
        start, plain = rb"\x20*+%s" % sign, rb"[^\n%s]*+" % mark
        cell = rb"(?:%s%s%s%s|(?!%s)%s)" % (start, inside, sign, plain, start, plain)
        self._opens = re.compile(rb"(?:%s%s)*+%s%s\Z" % (cell, mark, start, inside), re.DOTALL)
        self._closes = re.compile(inside + sign, re.DOTALL)
        self._ends = re.compile(rb"[\x20\t\r]*+(?:\n|%s|\Z)" % mark)
        self._cells = re.compile(rb"%s(?:%s|\r?\n|\Z)" % (cell, mark), re.DOTALL)
        self.alone = re.compile(rb"(?:%s|\A)%s\r?\n?\Z" % (mark, sign))
        """A quote that is a cell by itself at the end of a line: it may open a cell, or close that of another line."""

    def state(self, line: bytes, is_open: bool) -> str:
        """Return ``open``, ``closed`` or ``broken``: what becomes of quoted cells at the end of a line.

        Args:
            line: with its line end.
            is_open: whether a quoted cell continues in it.
        """
        if self.quote not in line:
            return "open" if is_open else "closed"
        if not is_open:
            return "open" if self._opens.match(line) else "closed"
        close = self._closes.match(line)
        if not close:
            return "open"
        end = self._ends.match(line, close.end())
        if not end:
            return "broken"
        return "open" if self._opens.match(line, end.end()) else "closed"

    def count(self, line: bytes) -> int:
        """Return how many cells a line holds that is a row by itself, 0 for another."""
        count, at = 0, 0
        while at < len(line):
            cell = self._cells.match(line, at)
            if not cell or cell.end() == at:
                return 0
            count, at = count + 1, cell.end()
        return count


def quotes_hold(path: Path, dialect: Dialect) -> bool:
    """Return whether every quoted cell of a file ends where a cell can end, so that nothing can be swallowed.

    A quote that is a cell by itself at a line's end could close another's cell by chance; then the answer is no.

    Args:
        path: a UTF-8 file with LF or CRLF line ends.
        dialect: how its cells are separated and quoted.
    """
    plain = dialect.quote == dialect.escape == '"'
    return (plain and cells_close(path, dialect.delimiter)) or hold_by_lines(path, dialect)


def hold_by_lines(path: Path, dialect: Dialect) -> bool:
    """Return what :func:`quotes_hold` does, line by line."""
    cells, columns, state, size, rows = QuotedCells(dialect), len(dialect.columns), "closed", 0, 0
    with path.open("rb") as file:
        for line in file:
            was_open = state == "open"
            state = cells.state(line, was_open)
            size = size + len(line) if state == "open" else 0
            rows = rows + 1 if was_open and state == "open" and cells.count(line) == columns else 0
            is_stray = state == "broken" or size > MAX_ROW_BYTES or rows > MAX_ROWS_IN_A_CELL
            if is_stray or (cells.quote in line and cells.alone.search(line)):
                return False
    return state == "closed"


def cells_close(path: Path, delimiter: str) -> bool:
    """Return whether all quoted cells of a file open and close at a cell's ends, a few lines below at most.

    A quick look at bytes: True is proof that quotes hold, no is not proof of the opposite.

    Args:
        path: a UTF-8 file with LF or CRLF line ends, whose cells are quoted by ", doubled within a cell.
        delimiter: one character.
    """
    mark = delimiter.encode()
    rest = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            rest += block
            closed = _closed(rest, mark)
            if closed is None or len(rest) - closed > MAX_ROW_BYTES:
                return False
            rest = rest[closed:]
    return _closed(rest + b"\n", mark) == len(rest) + 1


def _closed(text: bytes, mark: bytes) -> int | None:
    """Return how many bytes of a text that begins with a row are complete rows; None where cells may not close."""
    lines = np.frombuffer(b"\n" + text, np.uint8)
    marks = np.flatnonzero((lines == QUOTE) | (lines == LINE_FEED))
    quoted = lines[marks] == QUOTE
    is_open = np.cumsum(quoted) % 2 == 1
    rows = int(np.flatnonzero(~quoted & ~is_open)[-1]) + 1
    marks, quoted, is_open = marks[:rows], quoted[:rows], is_open[:rows]
    lengths, heights = np.diff(marks[~quoted]), np.diff(np.flatnonzero(~is_open[~quoted]))  # of lines, and of rows
    if heights.max(initial=0) > MAX_ROWS_IN_A_CELL + 2 or lengths.max(initial=0) > MAX_LINE_BYTES:
        return None
    places = marks[quoted]
    before, behind = lines[places - 1], lines[places + 1]
    ends_line = behind == LINE_FEED
    returns = np.flatnonzero(behind == RETURN)
    ends_line[returns] = lines[places[returns] + 2] == LINE_FEED
    begins, ends = (before == LINE_FEED) | (before == mark[0]), ends_line | (behind == mark[0])
    if (begins & ends_line).any():  # a cell by itself: it may open or close a cell
        return None
    opens, closes = begins[::2], ends[1::2]
    twice = places[2::2] == places[1:-1:2] + 1  # a quote within a cell is doubled: one closes, the next opens at once
    opens[1:] |= twice
    closes[:-1] |= twice
    return int(marks[-1]) if opens.all() and closes.all() else None


def quotes_pair(path: Path, delimiter: str) -> bool:
    """Return whether all quoted cells of a file open and close on one line, at a cell's ends; a quick look at bytes.

    True is proof that nothing is swallowed; no is not proof of the opposite (a cell may hold line breaks).

    Args:
        path: a UTF-8 file whose cells are quoted by ", doubled within a cell.
        delimiter: one ASCII character.
    """
    ends = np.frombuffer(delimiter.encode() + b"\n\r", np.uint8)
    rest = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            block = rest + block
            cut = block.rfind(b"\n") + 1
            rest = block[cut:]
            if len(rest) > MAX_ROW_BYTES or not _pair(np.frombuffer(b"\n" + block[:cut], np.uint8), ends):
                return False
    return _pair(np.frombuffer(b"\n" + rest + b"\n", np.uint8), ends)


def _pair(lines: NDArray[np.uint8], ends: NDArray[np.uint8]) -> bool:
    """Return the same of complete lines with a line feed before and after them."""
    marks = np.flatnonzero((lines == QUOTE) | (lines == LINE_FEED))
    quoted = lines[marks] == QUOTE
    if (np.cumsum(quoted)[~quoted] % 2).any():
        return False
    places = marks[quoted]
    opens, closes = places[::2], places[1::2]
    starts, stops = np.isin(lines[opens - 1], ends), np.isin(lines[closes + 1], ends)
    # A quote within a cell is doubled: one closes, the next opens at once.
    starts[1:] |= opens[1:] == closes[:-1] + 1
    stops[:-1] |= opens[1:] == closes[:-1] + 1
    return bool(starts.all() and stops.all())


def close_quotes(path: Path, target: Path, dialect: Dialect) -> list[Reject]:
    """Copy ``path`` without the lines that open a quote and never close it; return these lines.

    A line that opens a cell which continues in the next lines is taken to be the culprit when the next line is a full
    row by itself, when the quote that would close the cell is within other text, when the cell would continue for
    hundreds of lines, or when the file ends.
    """
    cells, columns, rejects = QuotedCells(dialect), len(dialect.columns), []
    pending: list[tuple[int, bytes]] = []
    with path.open("rb") as source, target.open("wb") as out:
        lines: Iterator[tuple[int, bytes]] = enumerate(source, 1)
        again: list[tuple[int, bytes]] = []  # lines behind a rejected one, the next to be read last
        while (item := again.pop() if again else next(lines, None)) is not None or pending:
            if item is not None:
                line = item[1]
                state = cells.state(line, bool(pending))
                is_row = len(pending) == 1 and state == "open" and cells.count(line) == columns
                pending.append(item)
                if state == "closed":
                    out.writelines(text for _, text in pending)
                    pending = []
                    continue
                if len(pending) == 1 or not (is_row or state == "broken" or len(pending) > MAX_LINES_IN_A_CELL):
                    continue
            number, culprit = pending[0]
            rejects.append(Reject(number, "open_quote", culprit.decode("utf-8", "replace").rstrip("\r\n")[:1000]))
            again, pending = again + pending[:0:-1], []
    return rejects
