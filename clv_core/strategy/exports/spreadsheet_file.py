"""A stored table as a CSV that a spreadsheet opens without running anything, written in blocks."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

import duckdb
import pandas as pd

from clv_core.collection.engine import connect_memory, one_file
from clv_core.strategy.exports.spreadsheet import escape_frame
from clv_core.workspace import atomic_path

Worded = Callable[[pd.DataFrame], pd.DataFrame]
BLOCK_ROWS: Final = 100_000
BYTE_ORDER_MARK: Final = "\ufeff"


def write_csv(source: Path, target: Path, order: str, worded: Worded | None = None) -> int:
    """Write the Parquet file ``source`` as CSV, gzipped where ``target`` ends in ``.gz``, and return its rows.

    At no time is more than a block of rows in memory.

    Args:
        source: any Parquet file.
        target: replaced when all is written.
        order: column to sort by.
        worded: gives a block of rows the words of a person: headers, or columns beside codes; the same for all blocks.
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
            return _write(connection, file, worded or _as_stored)


def _as_stored(rows: pd.DataFrame) -> pd.DataFrame:
    return rows


def _write(connection: duckdb.DuckDBPyConnection, file: IO[str], worded: Worded) -> int:
    reader, rows = connection.to_arrow_reader(BLOCK_ROWS), 0
    names = escape_frame(worded(reader.schema.empty_table().to_pandas()))
    names.to_csv(file, index=False, lineterminator="\r\n")
    for batch in reader:
        escape_frame(worded(batch.to_pandas())).to_csv(file, index=False, header=False, lineterminator="\r\n")
        rows += batch.num_rows
    return rows
