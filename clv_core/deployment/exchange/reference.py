"""The reference of a foreign bundle (:mod:`clv_core.monitoring.drift.reference`): its shape, before it is kept."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any, Final

from clv_core.deployment.bundle import REFERENCE
from clv_core.deployment.exchange.documents import read_document
from clv_core.errors import Refused

KEYS: Final = {"cutoff", "source", "first_day", "chunks", "bins", "sights"}
SIGHT: Final = {"as_of", "customers", "counts", "predicted_mean", "p_purchase_mean"}
COLUMNS: Final = {"kind", "chunk", "subject", "value", "rows", "customers", "number"}
TEXTS: Final = {"kind", "subject", "value"}
MOST_ROWS: Final = 10_000_000
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def check_reference(files: Mapping[str, bytes]) -> None:
    """Check both files of a reference, where there is one.

    Raises:
        Refused: one is there without the other, or is not as a reference is.
    """
    about, table = REFERENCE
    there = [name for name in REFERENCE if name in files]
    if not there:
        return
    if len(there) < len(REFERENCE):
        raise Refused("import_missing", member=next(name for name in REFERENCE if name not in files))
    _check_about(read_document(files[about], about), about)
    _check_table(files[table], table)


def _check_about(found: Any, member: str) -> None:
    if not isinstance(found, dict) or set(found) != KEYS:
        raise Refused("import_field", member=member, field="-")
    shapes = {
        "cutoff": _is_day(found["cutoff"]),
        "first_day": _is_day(found["first_day"]),
        "source": isinstance(found["source"], str),
        "chunks": isinstance(found["chunks"], dict) and all(_are_spans(rows) for rows in found["chunks"].values()),
        "bins": isinstance(found["bins"], dict) and all(_are_numbers(ends) for ends in found["bins"].values()),
        "sights": isinstance(found["sights"], list) and all(_is_sight(one) for one in found["sights"]),
    }
    for field, sound in shapes.items():
        if not sound:
            raise Refused("import_field", member=member, field=field)


def _is_sight(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and set(one) == SIGHT
        and _is_day(one["as_of"])
        and isinstance(one["counts"], dict)
        and all(_are_numbers(counts) for counts in one["counts"].values())
        and _are_numbers([one["customers"], one["predicted_mean"], one["p_purchase_mean"]])
    )


def _are_spans(rows: Any) -> bool:
    return isinstance(rows, list) and all(
        isinstance(row, list) and len(row) == 3 and _are_numbers(row[:1]) and _is_day(row[1]) and _is_day(row[2])
        for row in rows
    )


def _are_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in values
    )


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and _DAY.fullmatch(value) is not None


def _check_table(content: bytes, member: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(content))
        names = file.schema_arrow.names
        if file.metadata.num_rows > MOST_ROWS or len(names) != len(COLUMNS) or set(names) != COLUMNS:
            raise ValueError("other columns")
        for field in file.schema_arrow:
            text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
            number = pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
            empty = pa.types.is_null(field.type) and file.metadata.num_rows == 0
            if not (empty or (text if field.name in TEXTS else number)):
                raise ValueError("other types")
        for _ in file.iter_batches():
            pass
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise Refused("import_table", member=member) from error
