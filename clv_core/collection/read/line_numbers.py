"""Lines of a text file that are no rows, and the line numbers that an editor shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from clv_core.collection.engine import name
from clv_core.collection.read.dialect import BLANKS, Dialect
from clv_core.collection.read.encoding import BLOCK
from clv_core.collection.read.quotes import QuotedCells, Reject
from clv_core.collection.read.source import Source

REASONS: Final = {
    "TOO MANY COLUMNS": "ragged",
    "MISSING COLUMNS": "ragged",
    "UNQUOTED VALUE": "open_quote",
    "LINE SIZE OVER MAXIMUM": "long_line",
    "INVALID ENCODING": "bad_bytes",
}


def recorded_rejects(connection: duckdb.DuckDBPyConnection, source: Source) -> list[Reject]:
    """Return all lines that are no rows, in file order, once a relation with ``record=True`` has been read."""
    rejects: list[Reject] = []
    if source.dialect is not None:
        # Innermost: one error for each line. Next: its text, and the line breaks before it. Outer: both counted in
        # lines.
        rows = connection.execute(
            "SELECT position, kind, length(before) - length(replace(before, chr(10), '')), left(row, 1000),"
            " length(row) - length(replace(row, chr(10), '')) FROM (SELECT *, trim(whole, chr(13) || chr(10)) AS row,"
            " left(whole, length(whole) - length(ltrim(whole, chr(13) || chr(10)))) AS before FROM"
            " (SELECT line_byte_position AS position, min(error_type::VARCHAR) AS kind,"
            " coalesce(any_value(csv_line), '') AS whole FROM reject_errors GROUP BY line_byte_position))"
            " ORDER BY position"
        ).fetchall()
        lines = _line_numbers(source.path, [int(row[0]) - 1 for row in rows])  # positions are counted from 1
        for line, (_, kind, blank, cells, breaks) in zip(lines, rows, strict=True):
            if cells.strip(BLANKS):
                reason, is_wide = REASONS.get(str(kind), "unreadable"), kind == "TOO MANY COLUMNS"
                rejects.append(Reject(line + blank, reason, cells, 1 + int(breaks), is_wide))
    places = as_in_the_file(source, np.array([item.line for item in rejects], np.int64))
    shifted = [replace(item, line=int(line)) for item, line in zip(rejects, places, strict=True)]
    return sorted([*source.rejects, *shifted], key=lambda item: item.line)


def as_in_the_file(source: Source, lines: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers in the person's file of ``lines`` of what is read, from which some lines were taken out."""
    out = np.array([item.line for item in source.rejects], np.int64)
    return lines + np.searchsorted(out - np.arange(len(out)), lines, side="right")


def lines_without_rows(
    source: Source, rejects: Sequence[Reject], rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the lines below the names that are no rows, ascending: where each gap begins, and its lines, int64 [n].

    Args:
        source: the file.
        rejects: lines that are no rows.
        rows: of the table; blank lines are looked for where the file has more lines than these.
    """
    line = np.array([item.line for item in rejects], np.int64)
    lines = np.array([item.lines for item in rejects], np.int64)
    dialect = source.dialect
    if dialect is not None and source.lines > dialect.header_line + rows + lines.sum():
        blank = blank_lines(source.path, dialect)
        blank = as_in_the_file(source, blank[blank > dialect.header_line])
        line, lines = np.concatenate([line, blank]), np.concatenate([lines, np.ones(len(blank), np.int64)])
    order = np.argsort(line, kind="stable")
    return line[order], lines[order]


def line_breaks(columns: Sequence[str]) -> str:
    """Return SQL for how many line breaks lie in the cells of a row of text: so many more lines it takes."""
    cells = map(name, columns)
    return " + ".join(f"coalesce(length({cell}) - length(replace({cell}, chr(10), '')), 0)" for cell in cells)


def blank_lines(path: Path, dialect: Dialect) -> NDArray[np.int64]:
    """Return the numbers (from 1) of lines that are blank and lie in no quoted cell, as int64 [n].

    Args:
        path: a UTF-8 file with LF or CRLF line ends.
        dialect: how its cells are separated and quoted.
    """
    cells = QuotedCells(dialect) if dialect.quote else None
    quote, is_open, blank = dialect.quote.encode(), False, []
    # Where a blank is the delimiter, one less of them than columns is a row of empty cells.
    delimiter, empty = dialect.delimiter.encode(), len(dialect.columns) - 1
    spaces = BLANKS.encode() + b"\n"
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if cells is not None and quote in line:
                is_open = cells.state(line, is_open) == "open"
            elif not is_open and line.isspace() and not line.strip(spaces):
                if delimiter not in spaces or line.count(delimiter) != empty:
                    blank.append(number)
    return np.array(blank, np.int64)


def _line_numbers(path: Path, positions: list[int]) -> list[int]:
    """Return the line number (from 1) of each byte position; positions ascend."""
    numbers: list[int] = []
    line, at = 1, 0
    with path.open("rb") as file:
        for position in positions:
            while at < position:
                block = file.read(min(BLOCK, position - at))
                if not block:
                    break
                line += block.count(b"\n")
                at += len(block)
            numbers.append(line)
    return numbers
