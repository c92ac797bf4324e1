"""Text that a spreadsheet opens must stay text: no cell of ours may be run as a formula.

A text cell whose first character, or first after blanks, starts a formula gets a leading ``'``; a text that already
begins with ``'`` gets one more, so that taking one away always gives the original back. Numbers are never touched,
not even where a column of text holds them. The rule is for what a spreadsheet opens; files for other systems keep
their bytes.

Source: OWASP, "CSV Injection"; the full-width forms are read as formulas by East Asian spreadsheets.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

import duckdb
import pandas as pd

from clv_core.collection import connect_memory, one_file
from clv_core.workspace import atomic_path

Worded = Callable[[pd.DataFrame], pd.DataFrame]
BLOCK_ROWS: Final = 100_000
"""Rows in memory at a time."""
BYTE_ORDER_MARK: Final = "\ufeff"

TRIGGERS: Final = tuple("=+-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20")
QUOTE: Final = "'"
BLANKS: Final = (
    " \x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
"""White space and characters without width, but for those that are triggers themselves."""
NUMBER: Final = r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"


def escape(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return the text cells made inert; missing cells and cells that are no text stay as they are.

    Args:
        cells: any column, [n].
    """
    text = _text(cells)
    if text is None:
        return cells
    starts = text.str.slice(0, 1)
    after_blanks = text.str.lstrip(BLANKS).str.slice(0, 1)
    quoted = starts.eq(QUOTE) | starts.isin(TRIGGERS) | after_blanks.isin(TRIGGERS)
    quoted &= ~text.where(quoted).str.fullmatch(NUMBER).fillna(False).astype(bool)
    return text.mask(quoted, QUOTE + text.where(quoted)) if quoted.any() else text


def escape_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose text cells and column names are inert."""
    names = escape(pd.Series([str(name) for name in frame.columns], dtype="str"))
    columns = {position: escape(frame.iloc[:, position]) for position in range(frame.shape[1])}
    return pd.DataFrame(columns, index=frame.index).set_axis(names.tolist(), axis=1)


def inert_csv(frame: pd.DataFrame) -> bytes:
    """Return a frame as a CSV with every digit, that a spreadsheet opens without running anything, in any alphabet."""
    return escape_frame(frame).to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def write_csv(source: Path, target: Path, order: str, worded: Worded | None = None) -> int:
    """Write the Parquet file ``source`` as CSV, gzipped where ``target`` ends in ``.gz``, and return its rows.

    At no time is more than a block of rows in memory.

    Args:
        source: any Parquet file.
        target: replaced when all is written.
        order: column to sort by.
        worded: gives a block of rows the words of a person: headers, or columns next to codes; the same for all blocks.
    """
    with atomic_path(target) as temporary, connect_memory() as connection:
        connection.execute("SET memory_limit = '500MB'")
        column = order.replace('"', '""')
        connection.execute(f'SELECT * FROM read_parquet(?) ORDER BY "{column}"', [one_file(source)])
        packed = target.suffix == ".gz"
        with (
            gzip.open(temporary, "wt", encoding="utf-8", newline="", compresslevel=4)
            if packed
            else temporary.open("w", encoding="utf-8", newline="") as file
        ):
            file.write(BYTE_ORDER_MARK)
            return _write(connection, file, worded or pd.DataFrame)


def _write(connection: duckdb.DuckDBPyConnection, file: IO[str], worded: Worded) -> int:
    reader, rows = connection.to_arrow_reader(BLOCK_ROWS), 0
    names = escape_frame(worded(reader.schema.empty_table().to_pandas()))
    names.to_csv(file, index=False, lineterminator="\r\n")
    for batch in reader:
        escape_frame(worded(batch.to_pandas())).to_csv(file, index=False, header=False, lineterminator="\r\n")
        rows += batch.num_rows
    return rows


def _text(cells: pd.Series[Any]) -> pd.Series[Any] | None:
    """Return the cells of a column that can hold text; None for numbers, dates and the like."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        cells = cells.astype(cells.cat.categories.dtype)
    if isinstance(cells.dtype, pd.StringDtype):
        return cells
    mixed = cells.dtype == object and pd.api.types.infer_dtype(cells, skipna=True) in (
        "string",
        "mixed",
        "mixed-integer",
    )
    return cells if mixed else None
