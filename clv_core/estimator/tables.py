"""A table of any kind, as a file that the reader takes: what cannot be a column is refused in a sentence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clv_core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def as_file(events: Any, path: Path) -> Path:
    """Return a file with the events: the one that is named, or a table written to ``path`` as Parquet.

    Args:
        events: a path, or a table of pandas, polars, Arrow, DuckDB or anything else that hands over Arrow columns.
        path: where a table is written.

    Raises:
        UsageError: they are neither a path nor a table, a name of a column is there twice, or a column holds what is no
            cell: lists, objects.
    """
    if isinstance(events, str | Path):
        return Path(events)
    import pyarrow.parquet as pq

    table = _arrow(events)
    if not table.num_columns:
        raise UsageError("events_no_table", kind=f"{type(events).__name__} without columns")
    twice = [name for name, count in Counter(table.column_names).items() if count > 1]
    if twice:
        raise UsageError("events_columns_twice", columns=twice)
    _check_cells(table)
    pq.write_table(table.replace_schema_metadata(None), path)
    return path


def _arrow(events: Any) -> pa.Table:
    """Return a table as Arrow's; the index of a frame is a column where it has a name."""
    import pyarrow as pa

    kind = type(events)
    if kind.__module__.split(".")[0] == "pandas" and kind.__name__ == "DataFrame":
        return _of_pandas(events)
    if not hasattr(events, "__arrow_c_stream__") or kind.__name__ == "Series":
        raise UsageError("events_no_table", kind=kind.__name__)
    try:
        return pa.table(events)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UsageError("events_no_table", kind=kind.__name__) from error


def _of_pandas(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as a table; cells of mixed kinds become their texts, names that are no texts as well."""
    import pandas as pd
    import pyarrow as pa

    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = [" ".join(map(str, name)).strip() if isinstance(name, tuple) else str(name) for name in frame.columns]
    columns = []
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        try:
            cells = pa.array(column, from_pandas=True)
            if isinstance(cells, pa.ExtensionArray):  # a period's number is no date
                raise TypeError("an extension type")
            columns.append(cells)
        except (
            pa.ArrowException,
            TypeError,
            ValueError,
            OverflowError,
        ):  # texts among numbers, or Python's own objects
            texts = [
                None if is_missing else str(value) for value, is_missing in zip(column, pd.isna(column), strict=True)
            ]
            columns.append(pa.array(texts, pa.string()))
    return pa.Table.from_arrays(columns, names=names)


def _check_cells(table: pa.Table) -> None:
    """Refuse columns whose cells are tables of their own."""
    import pyarrow as pa

    for field in table.schema:
        if pa.types.is_nested(field.type) or pa.types.is_fixed_size_binary(field.type):  # polars' objects
            raise UsageError("events_nested", column=field.name, type=str(field.type)[:60])
