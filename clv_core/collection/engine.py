"""The DuckDB connection that reads logs, bounded in memory, and small helpers to write SQL safely."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb

from clv_core.environment import Environment
from clv_core.errors import Refused, UsageError
from clv_core.jobs import Progress
from clv_core.scratch import spill_place

SMALL: Final = 1_000_000
"""Bytes of a file whose rows one thread reads alone: the engine hands out 8 MB of text at a time."""

TextRow = Mapping[str, str | None]
"""A row of a file as text, by column; None where a cell is empty."""
T, V = "clv_t_", "clv_v_"
"""Prefixes of the text and the value of a canonical column, apart from the file's own names."""


def connect(scratch: Path, timezone: str = "UTC", reads: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection that spills to ``scratch`` and reads times without an offset in ``timezone``.

    Args:
        scratch: a folder.
        timezone: its name.
        reads: the file that it is for; a small one takes one thread, as others would only prepare what they never do.

    Raises:
        UsageError: there is no such time zone, or ``CLV_INGEST_MEMORY`` is no size.
    """
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError("timezone", timezone=timezone[:60]) from error
    connection = duckdb.connect()
    connection.execute(f"SET temp_directory = {text(str(scratch / 'spill'))}")
    memory = Environment.from_environment().ingest_memory
    try:
        connection.execute(f"SET memory_limit = {text(memory)}")
    except duckdb.Error as error:
        raise UsageError("ingest_memory", value=memory[:60]) from error
    connection.execute(f"SET TimeZone = {text(timezone)}")
    if reads is not None and reads.is_file() and reads.stat().st_size < SMALL:
        connection.execute("SET threads = 1")
    measure_progress(connection, True)
    # A filter on what was read would be pushed below the reading, and every text would be read twice.
    connection.execute("SET disabled_optimizers = 'filter_pushdown'")
    return connection


@contextmanager
def reading_file(
    file: str, scratch: Path, timezone: str = "UTC", reads: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection of :func:`connect` for a file, which messages call ``file``; it is closed at the end.

    Raises:
        Refused: the engine cannot read the file, or not in the memory that it has.
    """
    with connect(scratch, timezone, reads) as connection:
        try:
            yield connection
        except duckdb.OutOfMemoryException as error:
            raise Refused("out_of_memory", file=file) from error
        except duckdb.Error as error:
            raise Refused("unreadable_table", file=file) from error


def measure_progress(connection: duckdb.DuckDBPyConnection, measured: bool) -> None:
    """Have queries measure how far they are, or not; a bar is drawn neither way.

    In a notebook without ipywidgets DuckDB refuses both settings, and measures nothing.
    """
    with suppress(duckdb.InvalidInputException):
        connection.execute(f"SET enable_progress_bar = {measured}; SET enable_progress_bar_print = false")


def connect_memory() -> duckdb.DuckDBPyConnection:
    """Return a connection for queries whose results are small; what they spill lies with the process's other files."""
    return duckdb.connect(config={"temp_directory": str(spill_place())})


def text(value: str) -> str:
    """Return ``value`` as an SQL text literal."""
    return "'" + value.replace("\0", "").replace("'", "''") + "'"


def one_file(path: Path) -> str:
    """Return a path as the engine takes it for that one file: it reads ``*``, ``?`` and ``[`` as patterns."""
    return re.sub(r"[*?\[]", r"[\g<0>]", str(path))


def file_text(path: Path) -> str:
    """Return the path of a file to read as an SQL text literal; one to write is not resolved."""
    return text(one_file(path))


def name(value: str) -> str:
    """Return ``value`` as a quoted SQL name."""
    return '"' + value.replace('"', '""') + '"'


def local_time(time: str, timezone: str) -> str:
    """Return SQL for a UTC time in a time zone."""
    return f"({time})" if timezone == "UTC" else f"timezone({text(timezone)}, timezone('UTC', {time}))"


def numbered_rows(path: Path) -> str:
    """Return the table expression of a Parquet file, with the number of each row, from 0, as ``file_row_number``."""
    return f"read_parquet({file_text(path)}, file_row_number = true)"


def one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Return the first row of ``query``."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return tuple(row)


def run(connection: duckdb.DuckDBPyConnection, query: str, progress: Progress, stage: str, rows: int = 0) -> int:
    """Execute a long query that writes, report how far it is, and return the number of rows that it wrote."""
    result = fetch(connection, query, progress, stage, rows)
    return int(result[0][0]) if result else 0


def fetch(
    connection: duckdb.DuckDBPyConnection, query: str, progress: Progress, stage: str, rows: int = 0
) -> list[tuple[Any, ...]]:
    """Execute a long query, report how far it is, and return its rows.

    The query runs in a thread of its own, so that the main thread gets a signal to stop at once and interrupts it.

    Args:
        connection: where it runs.
        query: SQL.
        progress: who listens.
        stage: what it is called.
        rows: rows that it reads, 0 for unknown; the report then carries rows done a second.
    """
    result: list[tuple[Any, ...]] = []
    failure: list[BaseException] = []
    ended = threading.Event()

    def work() -> None:
        try:
            result.extend(connection.execute(query).fetchall())
        except BaseException as error:
            failure.append(error)
        finally:
            ended.set()

    started = time.monotonic()
    threading.Thread(target=work, daemon=True).start()
    try:
        while not ended.wait(0.1):
            share = max(0.0, min(connection.query_progress(), 99.0))
            speed = rows * share / 100 / max(time.monotonic() - started, 1e-3)
            progress.report(stage, share, 100, **({"rows_per_second": round(speed)} if rows and share else {}))
        progress.report(stage, 100, 100)
    except BaseException:
        # Thread.join is no help here: interrupted by a signal, Python 3.11 takes a running thread for a stopped one.
        while not ended.wait(0.05):
            connection.interrupt()
        raise
    if failure:
        raise failure[0]
    return result
