"""A stored table as a CSV that a spreadsheet opens without running anything, written in blocks."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import IO, Final

import duckdb

from clv_core.collection.engine import one_file
from clv_core.strategy.spreadsheet import escape_frame
from clv_core.workspace import atomic_path

BLOCK_ROWS: Final = 100_000
BYTE_ORDER_MARK: Final = "\ufeff"


def write_csv(source: Path, target: Path, order: str) -> int:
    """Write the Parquet file ``source`` as CSV, gzipped where ``target`` ends in ``.gz``, and return its rows.

    At no time is more than a block of rows in memory.

    Args:
        source: any Parquet file.
        target: replaced when all is written.
        order: column to sort by.
    """
    with atomic_path(target) as temporary, duckdb.connect() as connection:
        connection.execute("SET memory_limit = '500MB'")
        connection.execute("SET temp_directory = ?", [str(target.parent / f".{target.name}.spill")])
        column = order.replace('"', '""')
        connection.execute(f'SELECT * FROM read_parquet(?) ORDER BY "{column}"', [one_file(source)])
        packed = target.suffix == ".gz"
        with (
            gzip.open(temporary, "wt", encoding="utf-8", newline="", compresslevel=4)
            if packed
            else temporary.open("w", encoding="utf-8", newline="") as file
        ):
            file.write(BYTE_ORDER_MARK)
            return _write(connection, file)


def _write(connection: duckdb.DuckDBPyConnection, file: IO[str]) -> int:
    reader, rows = connection.to_arrow_reader(BLOCK_ROWS), 0
    names = escape_frame(reader.schema.empty_table().to_pandas())
    names.to_csv(file, index=False, lineterminator="\r\n")
    for batch in reader:
        escape_frame(batch.to_pandas()).to_csv(file, index=False, header=False, lineterminator="\r\n")
        rows += batch.num_rows
    return rows
