"""A quote that is opened and never closed must not swallow the lines after it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.files.grammar import Grammar, grammar

MAX_LINES_IN_A_CELL: Final = 500
BLOCK: Final = 1 << 23
LONGEST_ROW: Final = 1 << 22
QUOTE, LINE_FEED = b'"\n'


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


def quotes_hold(path: Path, delimiter: str, quote: str, escape: str, columns: int) -> bool:
    """Say whether every quoted cell of a file ends where a cell can end, so that nothing can be swallowed.

    A quote that stands alone at a line's end could close another's cell by chance; then the answer is no.

    Args:
        path: a UTF-8 file with LF or CRLF line ends.
        delimiter: one character.
        quote: one character.
        escape: what stands before a quote inside quotes.
        columns: cells of a row.
    """
    marks = grammar(delimiter, quote, escape, columns, strict=True)
    alone = re.compile(rb"(?:%s|\n)%s\r?\n" % (re.escape(delimiter.encode()), re.escape(quote.encode())))
    buffer, start = b"", 0
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            buffer, start = buffer[start:], 0
            buffer += block or (b"\n" if buffer else b"")
            while True:
                before = start
                for pattern in (marks.rows, marks.blank):
                    found = pattern.match(buffer, start)
                    start = found.end() if found else start
                if start == before:
                    break
            if alone.search(buffer, 0, start) or len(buffer) - start > LONGEST_ROW:
                return False
            if not block:
                return start == len(buffer)


def quotes_pair(path: Path, delimiter: str) -> bool:
    """Say whether all quoted cells of a file open and close on one line, at a cell's ends; a quick look at bytes.

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
            if len(rest) > LONGEST_ROW or not _pair(np.frombuffer(b"\n" + block[:cut], np.uint8), ends):
                return False
    return _pair(np.frombuffer(b"\n" + rest + b"\n", np.uint8), ends)


def _pair(lines: NDArray[np.uint8], ends: NDArray[np.uint8]) -> bool:
    """Say the same of whole lines with a line feed before and after them."""
    marks = np.flatnonzero((lines == QUOTE) | (lines == LINE_FEED))
    quoted = lines[marks] == QUOTE
    so_far = np.cumsum(quoted)
    if (so_far[~quoted] % 2).any():
        return False
    places = marks[quoted]
    opens, closes = places[::2], places[1::2]
    starts, stops = np.isin(lines[opens - 1], ends), np.isin(lines[closes + 1], ends)
    # A quote within a cell stands twice: one closes, the next opens at once.
    starts[1:] |= opens[1:] == closes[:-1] + 1
    stops[:-1] |= opens[1:] == closes[:-1] + 1
    return bool(starts.all() and stops.all())


def close_quotes(path: Path, target: Path, delimiter: str, quote: str, escape: str, columns: int) -> list[Reject]:
    """Copy ``path`` without the lines that open a quote and never close it; return these lines.

    A line that opens a cell which goes on in the next lines is taken to be the culprit when the next line is a whole
    row by itself, when the quote that would close the cell stands within other text, when the cell would go on for
    hundreds of lines, or when the file ends.
    """
    marks = grammar(delimiter, quote, escape, columns, strict=False)
    rejects: list[Reject] = []
    held: list[bytes] = []
    start = 0
    with path.open("rb") as source, target.open("wb") as out:

        def give_up() -> None:
            """Reject the line that opened the quote and read the held ones after it again."""
            nonlocal held
            line = held[0].decode("utf-8", "replace").rstrip("\r\n")
            rejects.append(Reject(start, "open_quote", line[:1000]))
            again, held = held[1:], []
            for offset, line_after in enumerate(again, start + 1):
                take(line_after, offset)

        def take(line: bytes, number: int) -> None:
            nonlocal start, held
            if not held:
                if quote.encode() in line and marks.opens.match(line):
                    held, start = [line], number
                else:
                    out.write(line)
                return
            state = _inside(line, marks)
            whole = len(held) == 1 and state == "goes on" and _cells(line, marks) == columns
            held.append(line)
            if whole or state == "broken" or len(held) > MAX_LINES_IN_A_CELL:
                give_up()
            elif state == "closed":
                out.writelines(held)
                held = []

        for number, line in enumerate(source, 1):
            take(line, number)
        while held:
            give_up()
    return rejects


def _inside(line: bytes, marks: Grammar) -> str:
    """Return what becomes of an open quoted cell on the next line: ``goes on``, ``closed`` or ``broken``."""
    found = marks.closes.match(line)
    if not found:
        return "goes on"
    end = marks.ends.match(line, found.end())
    if not end:
        return "broken"
    return "goes on" if marks.opens.match(line, end.end()) else "closed"


def _cells(line: bytes, marks: Grammar) -> int:
    """Count the cells of a line that is a row by itself."""
    count, at = 0, 0
    while at < len(line):
        found = marks.cells.match(line, at)
        if not found or found.end() == at:
            return 0
        count, at = count + 1, found.end()
    return count
