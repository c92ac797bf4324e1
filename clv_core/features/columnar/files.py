"""Rows on disk: one Arrow file, mapped into memory when it is read, so that columns nobody asks for cost nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from clv_core.features.columnar.column import Column
from clv_core.features.columnar.rows import Rows

SCALE: Final = b"scale"


def write_rows(path: Path, rows: Rows) -> None:
    """Write ``rows``; unknown values are nulls, a column without a known value has no values at all."""
    arrays, fields = [], []
    for name in rows.names:
        column = rows[name]
        array = _array(column)
        arrays.append(array)
        fields.append(pa.field(name, array.type, metadata={SCALE: str(column.scale)}))
    schema = pa.schema(fields)
    with pa.OSFile(str(path), "wb") as file, ipc.new_file(file, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def mapped(path: Path) -> pa.Buffer:
    """Return a file's bytes without reading them; they stay readable when the file is removed."""
    with pa.memory_map(str(path)) as file:
        return file.read_buffer()


def read_rows(file: pa.Buffer) -> Rows:
    """Return the rows that :func:`write_rows` wrote; a column is read when it is asked for."""
    batch = ipc.open_file(pa.BufferReader(file)).get_batch(0)
    return Rows(batch.num_rows, batch.schema.names, lambda name: _column(batch, name))


def _array(column: Column) -> pa.Array:
    known, size = column.known, len(column.values)
    if known is not None and not known.any():
        return pa.nulls(size)
    values = np.ascontiguousarray(column.values)
    bits = None
    if known is not None and not known.all():
        values = values if column.zeroed else values * known
        bits = pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), size, [bits, pa.py_buffer(values)])


def _column(batch: pa.RecordBatch, name: str) -> Column:
    array = batch.column(name)
    scale = int((batch.schema.field(name).metadata or {})[SCALE])
    if pa.types.is_null(array.type):
        return Column.missing(len(array), scale)
    values = np.frombuffer(array.buffers()[1], array.type.to_pandas_dtype(), len(array), 0)
    if not array.null_count:
        return Column(values, None, scale)
    return Column(values, lambda: array.is_valid().to_numpy(zero_copy_only=False), scale, zeroed=True)
