"""Check the reference of an imported bundle (:mod:`clv_core.monitoring.drift.drift_reference`) before it is saved."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

from pydantic import ConfigDict, ValidationError

from clv_core.deployment.bundle import REFERENCE
from clv_core.deployment.exchange.documents import read_document
from clv_core.deployment.exchange.fields import Count, Day, Number, Part
from clv_core.errors import Refused

COLUMNS: Final = {"kind", "chunk", "subject", "value", "rows", "customers", "number"}
TEXTS: Final = {"kind", "subject", "value"}
MOST_ROWS: Final = 10_000_000


class _Sight(Part):
    model_config = ConfigDict(extra="forbid")
    as_of: Day
    customers: Count
    counts: dict[str, list[Count]]
    predicted_mean: Number
    p_purchase_mean: Number


class _About(Part):
    model_config = ConfigDict(extra="forbid")
    cutoff: Day
    source: str
    first_day: Day
    chunks: dict[str, list[tuple[int, Day, Day]]]
    bins: dict[str, list[Number]]
    sights: list[_Sight]


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
    read_document(files[about], about)
    _check_about(files[about], about)
    _check_table(files[table], table)


def _check_about(content: bytes, member: str) -> None:
    try:
        _About.model_validate_json(content)
    except ValidationError as error:
        raise Refused("import_field", member=member, field=str((*error.errors()[0]["loc"], "-")[0])) from error


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
