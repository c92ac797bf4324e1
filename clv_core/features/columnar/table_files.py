"""Rows on disk: Arrow tables one after the other in a file that is mapped into memory, so that columns nobody asks for
cost nothing.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from clv_core.features.columnar.column import Array, Column
from clv_core.features.columnar.rows import Rows

SCALE: Final = b"scale"
KIND: Final = b"kind"
"""What a column's values are in memory; on disk they are as narrow as they can be."""

ALIGNED: Final = 64
"""Tables begin at multiples of it, so that columns are used where they lie."""


class TablesFile:
    """A file of named tables, mapped into memory.

    Args:
        path: what :func:`write_tables` wrote; it may go as soon as this is made.
        places: where each table begins, and its bytes.
    """

    def __init__(self, path: Path, places: dict[str, list[int]]) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._bytes = pa.py_buffer(self._map)
        self._places = places

    def __getitem__(self, name: str) -> Rows:
        """Return a table; a column is read at its first use."""
        batch = ipc.open_file(pa.BufferReader(self._bytes.slice(*self._places[name]))).get_batch(0)
        return Rows(batch.num_rows, batch.schema.names, lambda column: _column(batch, column))

    def release(self) -> None:
        """Count what was read as memory of this process no longer; it is read again where it is needed."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


def write_tables(path: Path, tables: Iterable[tuple[str, Rows]]) -> dict[str, list[int]]:
    """Write tables one after the other and return the places that :class:`TablesFile` takes.

    Unknown values are nulls; a column of unknown values alone has no values at all.
    """
    places = {}
    with path.open("wb") as file:
        for name, rows in tables:
            start = file.tell()
            _write(file, rows)
            places[name] = [start, file.tell() - start]
            file.write(bytes(-file.tell() % ALIGNED))
    return places


def _write(file: object, rows: Rows) -> None:
    arrays = [_array(rows[name]) for name in rows.names]
    fields = [
        pa.field(name, array.type, metadata={SCALE: str(rows[name].scale), KIND: rows[name].values.dtype.str})
        for name, array in zip(rows.names, arrays, strict=True)
    ]
    schema = pa.schema(fields)
    with ipc.new_file(file, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def _array(column: Column) -> pa.Array:
    valid, size = column.valid, len(column.values)
    if valid is not None and not valid.any():
        return pa.nulls(size)
    values, bits = column.values, None
    if valid is not None and not valid.all():
        values = values if column.zeroed else values * valid
        bits = pa.py_buffer(np.packbits(valid, bitorder="little"))
    values = _narrow(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), size, [bits, pa.py_buffer(values)])


def _narrow(values: Array) -> Array:
    """Return integers in the smallest type that holds them all."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    # Below zero only signed types will do: NumPy would promote one with an unsigned type of 64 bits to float.
    kind = np.min_scalar_type(high) if low >= 0 else np.min_scalar_type(min(low, -high - 1))
    return np.ascontiguousarray(values.astype(kind, copy=False))


def _column(batch: pa.RecordBatch, name: str) -> Column:
    array = batch.column(name)
    facts = batch.schema.field(name).metadata
    scale = int(facts[SCALE])
    if pa.types.is_null(array.type):
        return Column.missing(len(array), scale)
    values = np.frombuffer(array.buffers()[1], array.type.to_pandas_dtype(), len(array), 0)
    values = values.astype(facts[KIND].decode("ascii"), copy=False)
    if not array.null_count:
        return Column(values, None, scale)
    return Column(values, lambda: array.is_valid().to_numpy(zero_copy_only=False), scale, zeroed=True)
