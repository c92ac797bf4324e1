"""Rows that repeat another row exactly: found by hash, verified by their values, dropped or counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from clv_core.collection.engine import name, one, run, text
from clv_core.columns import EVENT_TIME, ORDER_ID
from clv_core.jobs import Progress


def mark_repeats(connection: duckdb.DuckDBPyConnection, events: Path, columns: Sequence[str]) -> int:
    """Make the table ``repeats`` of the row numbers that repeat an earlier row, and return how many they are.

    Hashes are grouped first, which takes little memory; only rows whose hash occurs twice are compared by value.
    """
    everything = ", ".join(name(column) for column in columns)
    file = text(str(events))
    connection.execute("DROP TABLE IF EXISTS suspects")
    connection.execute("DROP TABLE IF EXISTS repeats")
    connection.execute(
        f"CREATE TEMP TABLE suspects AS SELECT h FROM (SELECT hash({everything}) AS h FROM {file})"
        " GROUP BY h HAVING count(*) > 1"
    )
    connection.execute(
        "CREATE TEMP TABLE repeats AS SELECT position FROM (SELECT file_row_number AS position, row_number() OVER"
        f" (PARTITION BY {everything} ORDER BY file_row_number) AS copy"
        f" FROM read_parquet({file}, file_row_number = true) WHERE hash({everything}) IN (FROM suspects))"
        " WHERE copy > 1"
    )
    return int(one(connection, "SELECT count(*) FROM repeats")[0])


def have_identity(connection: duckdb.DuckDBPyConnection, events: Path, columns: Sequence[str], timezone: str) -> bool:
    """Say whether a row names its event: by an order or event id, or by a time of day."""
    if ORDER_ID in columns or any(column.lower().replace("_", "") in ("eventid", "id") for column in columns):
        return True
    local = f"timezone({text(timezone)}, timezone('UTC', {EVENT_TIME}))" if timezone != "UTC" else EVENT_TIME
    share = f"avg(({local} <> date_trunc('day', {local}))::INT)"
    return float(one(connection, f"SELECT {share} FROM {text(str(events))}")[0] or 0) > 0.5


def drop_repeats(
    connection: duckdb.DuckDBPyConnection, events: Path, target: Path, rows: int, progress: Progress
) -> None:
    """Write ``events`` without its ``repeats`` to ``target``, in the same order."""
    query = (
        f"COPY (SELECT * EXCLUDE file_row_number FROM read_parquet({text(str(events))}, file_row_number = true)"
        f" WHERE file_row_number NOT IN (FROM repeats)) TO {text(str(target))} (FORMAT parquet)"
    )
    run(connection, query, progress, "duplicates", rows)
