"""The log's rows leave the engine, in no order, and are dealt out to files: one a shard, a shard some customers."""

from __future__ import annotations

import math
import os
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
from numpy.typing import NDArray

from clv_core.columns import EVENT_TIME
from clv_core.errors import Refused
from clv_core.features.columnar.column import MILLIONTHS, Column
from clv_core.features.columnar.rows import Rows
from clv_core.features.engine import read_at_once
from clv_core.features.lines import LARGEST, NUMBERS, OPTIONAL, ROW, VOCABULARIES, Lines
from clv_core.features.relations import DAY_SECONDS

if TYPE_CHECKING:
    import ibis

BATCH_ROWS: Final = 500_000
MOST_SLICES: Final = 8
"""Each query builds its own index of the customers."""

NO_CODE: Final = -1
"""What a file holds for an unknown code or length; an unknown number is NaN."""


def deal(connection: ibis.BaseBackend, lines: Lines, bounds: NDArray[np.int64], folder: Path) -> list[Path]:
    """Write the rows of each shard to an Arrow file of its own.

    Args:
        connection: the embedded engine.
        lines: the log.
        bounds: shard s holds the customers ``bounds[s] <= customer < bounds[s + 1]``.
        folder: where the files are made.

    Returns:
        One path a shard, for :func:`read_lines`.
    """
    shard_of = np.repeat(np.arange(len(bounds) - 1, dtype=np.uint16), np.diff(bounds))
    paths = [folder / f"{number:05}.lines.arrow" for number in range(len(bounds) - 1)]
    slices = _slices(lines)
    schema = slices[0].schema().to_pyarrow()
    with ExitStack() as stack:
        files = [
            stack.enter_context(ipc.new_stream(stack.enter_context(pa.OSFile(str(path), "wb")), schema))
            for path in paths
        ]
        one_at_a_time = Lock()

        def take(batch: pa.RecordBatch) -> None:
            columns = [column.to_numpy(zero_copy_only=False) for column in batch.columns]
            shards = shard_of[columns[schema.get_field_index("customer")]]
            order = np.argsort(shards, kind="stable")
            columns = [values[order] for values in columns]
            stops = np.cumsum(np.bincount(shards, minlength=len(files))).tolist()
            with one_at_a_time:
                for file, start, stop in zip(files, [0, *stops[:-1]], stops, strict=True):
                    if stop > start:
                        parts = [pa.array(values[start:stop]) for values in columns]
                        file.write_batch(pa.RecordBatch.from_arrays(parts, schema=schema))

        read_at_once(connection, slices, BATCH_ROWS, take)
    return paths


def _slices(lines: Lines) -> list[ibis.Table]:
    """Return the rows as one query a processor where they are numbered, each of its own part of the file."""
    if not lines.file_rows:
        return [_columns(lines, lines.table)]
    bounds = np.linspace(0, lines.file_rows, min(os.cpu_count() or 1, MOST_SLICES) + 1).astype(np.int64).tolist()
    row = lines.table[ROW]
    return [_columns(lines, lines.table.filter((row >= start) & (row < stop))) for start, stop in pairwise(bounds)]


def read_lines(path: Path) -> Rows:
    """Return the rows of a shard in no order, as the relation ``lines``.

    Raises:
        Refused: a number is absurdly large.
    """
    with pa.memory_map(str(path)) as file:
        table = ipc.open_stream(file).read_all()
    seconds = table[EVENT_TIME].to_numpy().astype("datetime64[s]").astype(np.int64)
    day = (seconds // DAY_SECONDS).astype(np.int32)
    second = (seconds % DAY_SECONDS).astype(np.int32)
    names = [name for name in table.column_names if name != EVENT_TIME]
    rows = Rows(table.num_rows, names, lambda name: _column(table, name))
    return rows.mutate(day=Column(day), second=Column(second))


def _column(table: Any, name: str) -> Column:
    if name not in table.column_names:
        return Column.missing(table.num_rows, MILLIONTHS if name in NUMBERS else 1)
    values = table[name].to_numpy()
    if name in NUMBERS:
        return exact(name, values)
    if name in VOCABULARIES or name == "review_length":
        return Column(values, values != NO_CODE)
    return Column(values)


def exact(name: str, values: NDArray[np.float64]) -> Column:
    """Return numbers as whole millionths, to the nearest one (of two, the even one).

    Raises:
        Refused: one of them is absurdly large.
    """
    known = ~np.isnan(values)
    values = np.where(known, values, 0)
    largest = np.abs(values).max(initial=0)
    if not largest < LARGEST:
        raise Refused("number_absurd", column=name, value=str(largest), largest=LARGEST)
    return Column(np.rint(values * MILLIONTHS).astype(np.int64), known, MILLIONTHS, zeroed=True)


def _columns(lines: Lines, table: ibis.Table) -> ibis.Table:
    """Return the columns that the log has, as they lie in the files."""
    columns = {name: table[name] for name in ("customer", EVENT_TIME, "kind")}
    for name in OPTIONAL:
        if name in lines.present:
            column = table[name]
            if name in NUMBERS:
                column = column.fill_null(math.nan)
            elif name in VOCABULARIES or name == "review_length":
                column = column.fill_null(NO_CODE)
            columns[name] = _hash(column) if name == "order" else column
    return table.select(**columns)


def _hash(text: ibis.Value) -> ibis.Value:
    """Return 64 bits for an order id: two orders of one customer on one day fall together once in 10**19 times."""
    import ibis
    import ibis.expr.datatypes as dt

    hashed = ibis.udf.scalar.builtin(_no_hash, name="hash", signature=((dt.string,), dt.uint64))
    return hashed(text)


def _no_hash(text: Any) -> Any:
    """Stand for the engine's function of that name."""
