"""A log's relations on disk: written once for a dataset version, opened in a moment by the next run.

In ``datasets/<name>/.relations/<version>-<key>/``, so that whoever deletes or renames a dataset does the same to them.
The key is a hash of what is read of the version and of the code that writes them. Rows are sorted by customer, and
summed shard by shard:

customers.arrow   the ids by number
<column>.arrow    the texts of a column of ``VOCABULARIES`` by code
<shard>.tables    the relations of one shard
shards.json       first customer of each shard, first and last day, bytes of each file
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import shutil
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from clv_core.columns import EVENT_TIME
from clv_core.features.columnar.column import MILLIONTHS, Column
from clv_core.features.columnar.rows import Rows
from clv_core.features.columnar.table_files import write_tables
from clv_core.features.duckdb_engine import EMBEDDED, scratch_folder
from clv_core.features.event_store import CUSTOMERS, FACTS, ColumnStore, EventStore, Relations, file_of
from clv_core.features.lines import NUMBERS, OPTIONAL, VOCABULARIES, Lines, exact, number_lines
from clv_core.features.relations import DAY_SECONDS, RELATIONS
from clv_core.workspace import read_json, write_json

if TYPE_CHECKING:
    import ibis

    from clv_core.collection.store import Dataset

FOLDER: Final = ".relations"
MAX_FOLDERS: Final = 3
"""Of each dataset, the ones used last; each takes about five times the room of the events."""

COMPLETE: Final = re.compile(r"[0-9a-f]{12}-[0-9a-f]{12}")
UNFINISHED: Final = re.compile(r"\.[0-9a-f-]{25}\.(\d+)\.[0-9a-f]{8}")
"""Names of cached relations, and of those that a process with this number is writing."""

CODE: Final = ("columns.py", "collection/store/dataset.py", "features/*.py", "features/columnar/*.py")
"""What decides how relations come out, below ``clv_core``."""

SHARD_ROWS: Final = 250_000
"""About as many rows as a processor sorts without leaving its caches for long."""

MAX_SHARDS: Final = 200
"""Each is an open file as long as the log is open."""

BATCH_ROWS: Final = 100_000
"""Rows that are read at a time, which bounds memory."""
NO_CODE: Final = -1
"""Value of an unknown code or length; an unknown number is NaN."""


def cache_folder(dataset: Dataset, event_types: str, before: date | None) -> Path | None:
    """Return where the relations of a part of a dataset are cached; None where nothing can be written.

    Args:
        dataset: the stored log.
        event_types: as :func:`~clv_core.features.log.open_log` takes it.
        before: as :func:`~clv_core.features.log.open_log` takes it.
    """
    home = dataset.folder.parent
    if not os.access(home, os.W_OK):
        return None
    meaning = "\n".join([event_types, "" if before is None else before.isoformat(), _code()])
    return home / FOLDER / f"{dataset.version}-{hashlib.sha256(meaning.encode()).hexdigest()[:12]}"


def open_store(events: ibis.Table, connection: ibis.BaseBackend, cache: Path | None) -> EventStore:
    """Return the store of a log's events.

    Args:
        events: canonical columns, ``event_time`` naive in the log's time zone.
        connection: the engine of ``events``; of any but the embedded one the relations become tables.
        cache: folder of the relations, which are written unless they are there; None: they go with the engine.
    """
    from clv_core.features.warehouse import Warehouse

    if connection.name != EMBEDDED:
        return Warehouse(events, connection)
    if cache is None:
        cache = scratch_folder(connection)
        write_shards(events, connection, cache)
    else:
        _fill(cache, lambda folder: write_shards(events, connection, folder))
    return ColumnStore.open(cache)


def _fill(target: Path, write: Callable[[Path], None]) -> None:
    """Have ``target`` filled by ``write`` unless it is there and complete, and remove what has not been used lately.

    Folders elsewhere than in a dataset's :data:`FOLDER` are removed by whoever named them.

    A crash leaves a folder under a temporary name, which the next call removes; of two runs at once, the first one's
    stays.
    """
    if not is_complete(target):
        shutil.rmtree(target, ignore_errors=True)
        temporary = target.parent / f".{target.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
        temporary.mkdir(parents=True)
        try:
            write(temporary)
            os.replace(temporary, target)
        except OSError:
            if not is_complete(target):  # another run was first
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    os.utime(target)
    if target.parent.name == FOLDER:
        _prune(target.parent)


def _prune(folder: Path) -> None:
    """Remove all but the last used relations, those of deleted versions, and what a crash left."""
    paths = sorted(folder.iterdir(), key=_used, reverse=True)
    complete = [path for path in paths if COMPLETE.fullmatch(path.name) and (folder.parent / path.name[:12]).is_dir()]
    for path in paths:
        half = UNFINISHED.fullmatch(path.name)
        if path not in complete[:MAX_FOLDERS] and not (half and _is_running(int(half[1]))):
            shutil.rmtree(path, ignore_errors=True)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another run removed it
        return 0.0


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@cache
def _code() -> str:
    """Return a hash of the source that writes relations."""
    core = Path(__file__).parents[1]
    paths = [path for pattern in CODE for path in sorted(core.glob(pattern))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def write_shards(events: ibis.Table, connection: ibis.BaseBackend, folder: Path) -> None:
    """Fill ``folder`` with the relations of ``events``.

    Args:
        events: canonical columns, ``event_time`` naive in the log's time zone.
        connection: the embedded engine, which holds ``events``.
        folder: exists and is empty.

    Raises:
        Refused: a number, or a customer's sum, is absurdly large.
    """
    lines = number_lines(events, connection)
    ids = connection.to_pyarrow(lines.customers.order_by("customer"))["customer_id"]
    _write_texts(folder / f"{CUSTOMERS}.arrow", ids)
    for name, vocabulary in lines.vocabularies.items():
        _write_texts(folder / f"{name}.arrow", connection.to_pyarrow(vocabulary.order_by("code"))["text"])
    written: list[tuple[int, dict[str, list[int]], int, int]] = []
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[tuple[int, dict[str, list[int]], int, int]]] = deque()
        for number, table in enumerate(_sorted_shards(connection, lines)):
            if len(waiting) >= workers:  # else rows would pile up in memory
                written.append(waiting.popleft().result())
            waiting.append(pool.submit(_write_shard, folder / file_of(number), table))
        written += [future.result() for future in waiting]
    firsts, places, earliest, latest = zip(*written, strict=True) if written else ((), (), (), ())
    facts = {
        "bounds": [*firsts, len(ids)],
        "places": list(places),
        "days": [min(earliest), max(latest)] if written else None,
        "bytes": {path.name: path.stat().st_size for path in sorted(folder.iterdir())},
    }
    write_json(folder / FACTS, facts)


def is_complete(folder: Path) -> bool:
    """Return whether ``folder`` holds what :func:`write_shards` writes, each file as long as it was then."""
    try:
        sizes = read_json(folder / FACTS)["bytes"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except FileNotFoundError:
        return False


def _sorted_shards(connection: Any, lines: Lines) -> Iterator[pa.Table]:
    """Yield the rows of some consecutive customers at a time; no customer is divided."""
    query = connection.compile(_columns(lines).order_by("customer"))
    least = max(SHARD_ROWS, -(-lines.rows // MAX_SHARDS))
    pending: list[pa.Table] = []
    for batch in connection.raw_sql(query).to_arrow_reader(min(BATCH_ROWS, least)):
        pending.append(pa.Table.from_batches([batch]))
        if sum(part.num_rows for part in pending) < least:
            continue
        table = pa.concat_tables(pending)
        customer = table["customer"].to_numpy()
        begin_of_last = int(customer.searchsorted(customer[-1]))
        if begin_of_last:
            yield table.slice(0, begin_of_last)
            pending = [table.slice(begin_of_last)]
    if pending:
        yield pa.concat_tables(pending)


def _columns(lines: Lines) -> ibis.Table:
    """Return the columns that the log has, without nulls."""
    columns = {name: lines.table[name] for name in ("customer", EVENT_TIME, "kind")}
    for name in OPTIONAL:
        if name in lines.present:
            column = lines.table[name]
            if name in NUMBERS:
                column = column.fill_null(math.nan)
            elif name in VOCABULARIES or name == "review_length":
                column = column.fill_null(NO_CODE)
            columns[name] = _hash(column) if name == "order" else column
    return lines.table.select(**columns)


def _write_shard(target: Path, table: pa.Table) -> tuple[int, dict[str, list[int]], int, int]:
    """Write all relations of one shard; return its first customer, their places, the first and the last day."""
    lines = _lines(table)
    relations, days = Relations(lines), lines["day"].values
    places = write_tables(target, ((name, relations[name]) for name in RELATIONS))
    return int(lines["customer"].values[0]), places, int(days.min()), int(days.max())


def _lines(table: pa.Table) -> Rows:
    """Return the relation ``lines``.

    Raises:
        Refused: a number is absurdly large.
    """
    seconds = table[EVENT_TIME].to_numpy().astype("datetime64[s]").astype(np.int64)
    columns = {name: _column(table, name) for name in ("customer", "kind", *OPTIONAL)}
    columns["day"] = Column((seconds // DAY_SECONDS).astype(np.int32))
    columns["second"] = Column((seconds % DAY_SECONDS).astype(np.int32))
    return Rows.of(columns)


def _column(table: pa.Table, name: str) -> Column:
    if name not in table.column_names:
        return Column.missing(table.num_rows, MILLIONTHS if name in NUMBERS else 1)
    values = table[name].to_numpy()
    if name in NUMBERS:
        return exact(name, values)
    if name in VOCABULARIES or name == "review_length":
        return Column(values, values != NO_CODE)
    return Column(values)


def _hash(text: ibis.Value) -> ibis.Value:
    """Return 64 bits for an order id: two orders of one customer on one day fall together once in 10**19 times."""
    import ibis
    import ibis.expr.datatypes as dt

    hashed = ibis.udf.scalar.builtin(_no_hash, name="hash", signature=((dt.string,), dt.uint64))
    return hashed(text)


def _no_hash(text: Any) -> Any:
    """Stand for the engine's function of that name."""


def _write_texts(path: Path, texts: pa.ChunkedArray) -> None:
    table = pa.table({"text": texts})
    with pa.OSFile(str(path), "wb") as file, ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
