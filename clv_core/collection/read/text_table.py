"""A table of people read into memory, as text, by the rules that a log is read by."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb
import pandas as pd
import pyarrow as pa

from clv_core.collection.engine import name, one, reading_file
from clv_core.collection.parse.id_texts import pseudonym_sql
from clv_core.collection.read.line_numbers import recorded_rejects
from clv_core.collection.read.quotes import Reject
from clv_core.collection.read.source import open_source
from clv_core.collection.vocabulary.column_names import id_column
from clv_core.errors import Refused
from clv_core.scratch import temporary_folder

BLOCK_ROWS: Final = 20_480
"""Rows fetched between two checks of the memory that they take: ten of the engine's vectors."""


def read_text_table(path: Path, key: bytes | None = None) -> tuple[pd.DataFrame, list[Reject]]:
    """Return the rows of a file as text, under its own column names, and the lines that are no rows of it.

    Args:
        path: CSV, workbook, JSON Lines or Parquet, in any encoding and dialect that a log may have.
        key: of a dataset whose ids are pseudonyms; the file's ids become the same.

    Raises:
        Refused: it holds no table, or more than the memory that is reserved for reading.
    """
    with temporary_folder("clv-table-") as scratch, reading_file(path.name, scratch, reads=path) as connection:
        source = open_source(connection, path, scratch, fewest=1)
        id_name = id_column(source.columns) if key is not None else None
        hidden = f" REPLACE ({pseudonym_sql(key, name(id_name))} AS {name(id_name)})" if key and id_name else ""
        query = f"SELECT *{hidden} FROM {source.relation(record=True)}"
        frame: pd.DataFrame = _fetch_table(connection, query, path.name).to_pandas()
        return frame, recorded_rejects(connection, source)


def _fetch_table(connection: duckdb.DuckDBPyConnection, query: str, file: str) -> pa.Table:
    """Return all rows of a query: the engine bounds its own memory, not that of what it returns.

    Raises:
        Refused: they take more; a Parquet file of 1 MB can hold 100 million rows.
    """
    (most,) = one(connection, "SELECT parse_formatted_bytes(current_setting('memory_limit'))")
    reader = connection.execute(query).to_arrow_reader(BLOCK_ROWS)
    blocks, size = [], 0
    for block in reader:
        size += block.nbytes
        if size > most:
            raise Refused("out_of_memory", file=file)
        blocks.append(block)
    return pa.Table.from_batches(blocks, reader.schema)
