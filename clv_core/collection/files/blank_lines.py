"""Blank lines between the rows of a text file: no rows, but they count when a row's line number is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.files.dialect import Dialect
from clv_core.collection.files.grammar import grammar

BLOCK: Final = 1 << 23
LONGEST_ROW: Final = 1 << 22
SUSPECT: Final = re.compile(rb"\n[ \t\r\x0b\x0c]*+\n")


def blank_lines(path: Path, dialect: Dialect) -> NDArray[np.int64]:
    """Return the numbers (from 1) of lines that are blank and lie in no quoted cell, as int64 [n].

    Rows are skipped a stretch at a time, so that no Python code runs for a row.

    Args:
        path: a UTF-8 file with LF or CRLF line ends.
        dialect: how its cells are separated and quoted.
    """
    found = [np.empty(0, np.int64)]
    if not _any(path):
        return found[0]
    marks = grammar(dialect.delimiter, dialect.quote, dialect.escape, len(dialect.columns), strict=False)
    number, buffer, start = 1, b"", 0
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            buffer, start = buffer[start:], 0
            buffer += block or (b"\n" if buffer else b"")
            while True:
                skipped = marks.rows.match(buffer, start)
                end = skipped.end() if skipped else start
                number, start = number + buffer.count(b"\n", start, end), end
                gap = marks.blank.match(buffer, start)
                if gap:
                    lines = buffer.count(b"\n", start, gap.end())
                    found.append(np.arange(number, number + lines, dtype=np.int64))
                    number, start = number + lines, gap.end()
                elif len(buffer) - start > LONGEST_ROW or (not block and start < len(buffer)):
                    # A quote that is never closed: its line is taken for a row by itself.
                    number, start = number + 1, buffer.find(b"\n", start) + 1 or len(buffer)
                else:
                    break
            if not block:
                return np.concatenate(found)


def _any(path: Path) -> bool:
    """Say quickly whether any line of the file could be blank."""
    rest = b"\n"
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            block = rest + block
            if SUSPECT.search(block):
                return True
            rest = block[block.rfind(b"\n") :]
    return False
