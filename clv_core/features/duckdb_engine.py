"""The embedded engine: DuckDB through Ibis, within a memory limit.

Tables and queries that need more spill to a scratch folder of its own, so that a log larger than memory is no event.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from clv_core.scratch import new_folder

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

T = TypeVar("T")

EMBEDDED: Final = "duckdb"
"""Ibis' name of the embedded engine."""

MEMORY_LIMIT_MB: Final = 1_536
"""Of one engine; beyond it DuckDB spills to disk. A guess."""


class Engine:
    """A DuckDB of its own, removed with its files when it is closed or no longer used.

    Args:
        memory_limit_mb: most memory that queries take before they spill to disk.
    """

    def __init__(self, memory_limit_mb: int = MEMORY_LIMIT_MB) -> None:
        import ibis

        from clv_core.collection import measure_progress

        folder = new_folder("clv-log-")
        self.connection: ibis.BaseBackend = ibis.duckdb.connect(
            temp_directory=str(folder / "spill"), memory_limit=f"{memory_limit_mb}MB", preserve_insertion_order=False
        )
        measure_progress(self.connection.con, False)  # a bar would be drawn into a command's answer
        self._finalizer = weakref.finalize(self, _discard, self.connection, folder)

    def close(self) -> None:
        """Close the connection and remove the files; closing twice does nothing."""
        self._finalizer()


def read_sql(
    connection: ibis.BaseBackend, sql: str, schema: ibis.Schema | Mapping[str, str], rows: int
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a query in no order, about ``rows`` at a time; DuckDB reads the text as it is.

    Args:
        connection: the engine.
        sql: the query.
        schema: its columns and their types; another engine would have to run a query for them.
        rows: of a batch, about.
    """
    if connection.name == EMBEDDED:
        return iter(connection.raw_sql(sql).to_arrow_reader(rows))
    return iter(connection.sql(sql, schema=schema).to_pyarrow_batches(chunk_size=rows))


def with_numbers(sql: str, numbers: Mapping[int, int]) -> str:
    """Return a compiled query with its placeholder numbers replaced.

    Compiling a query takes longer than a small log's answer, so it is done once.

    Args:
        sql: the query.
        numbers: placeholder, an integer that no log reaches -> its value.
    """
    for stand_in, number in numbers.items():
        sql = sql.replace(str(stand_in), str(number))
    return sql


def each(work: Callable[[Any], T], items: Sequence[Any]) -> list[T]:
    """Return ``work`` of all ``items``, one thread a processor: numpy lets go of Python's lock while it computes."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))


def scratch_folder(connection: ibis.BaseBackend) -> Path:
    """Return a new folder that goes when the connection's :class:`Engine` is closed."""
    (spill,) = connection.raw_sql("select current_setting('temp_directory')").fetchone()
    return Path(tempfile.mkdtemp(prefix="relations-", dir=Path(spill).parent))


def _discard(connection: ibis.BaseBackend, folder: Path) -> None:
    connection.disconnect()
    shutil.rmtree(folder, ignore_errors=True)
