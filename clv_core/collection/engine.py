"""The DuckDB connection that reads logs, bounded in memory, and small helpers to write SQL safely."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb

from clv_core.errors import UsageError
from clv_core.jobs import Progress

MEMORY: Final = "1200MB"


def connect(scratch: Path, timezone: str = "UTC") -> duckdb.DuckDBPyConnection:
    """Return a connection that spills to ``scratch`` and reads times without an offset in ``timezone``.

    Raises:
        UsageError: there is no such time zone.
    """
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError("timezone", timezone=timezone[:60]) from error
    connection = duckdb.connect()
    connection.execute(f"SET temp_directory = {text(str(scratch / 'spill'))}")
    connection.execute(f"SET memory_limit = '{os.environ.get('CLV_INGEST_MEMORY', MEMORY)}'")
    connection.execute(f"SET TimeZone = {text(timezone)}")
    connection.execute("SET enable_progress_bar = false")
    # A filter on what was read would be pushed below the reading, and every text would be read twice.
    connection.execute("SET disabled_optimizers = 'filter_pushdown'")
    return connection


def text(value: str) -> str:
    """Return ``value`` as an SQL text literal."""
    return "'" + value.replace("\0", "").replace("'", "''") + "'"


def name(value: str) -> str:
    """Return ``value`` as a quoted SQL name."""
    return '"' + value.replace('"', '""') + '"'


def one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Return the first row of ``query``."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return tuple(row)


def run(connection: duckdb.DuckDBPyConnection, query: str, progress: Progress, stage: str, rows: int = 0) -> int:
    """Execute a long query, report how far it is, and return the number of rows that it wrote.

    The query runs beside the main thread, so that a signal to stop is heard at once and interrupts it.

    Args:
        connection: where it runs.
        query: SQL that returns a count, such as COPY.
        progress: who listens.
        stage: what it is called.
        rows: rows that it reads, where known; the report then carries the rows done.
    """
    result: list[Any] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            result.append(connection.execute(query).fetchone())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.2)
            share = max(0.0, min(connection.query_progress(), 99.0)) if thread.is_alive() else 100.0
            progress.report(stage, share, 100, **({"rows": float(int(rows * share / 100))} if rows else {}))
    except BaseException:
        connection.interrupt()
        thread.join()
        raise
    if failure:
        raise failure[0]
    return int(result[0][0]) if result and result[0] else 0
