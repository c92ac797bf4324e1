"""Write tables as CSV or Parquet, by the file's ending, at once or some rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pandas as pd

from clv_core.workspace import atomic_path


@contextmanager
def table_file(path: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Yield a function that appends rows to a CSV or Parquet file; the file appears once the block ends."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with atomic_path(path) as temporary, ExitStack() as stack:
        writer: pq.ParquetWriter | None = None

        def write(frame: pd.DataFrame) -> None:
            nonlocal writer
            if path.suffix != ".parquet":
                frame.to_csv(temporary, index=False, mode="a", header=not temporary.exists())
                return
            table = pa.Table.from_pandas(frame, preserve_index=False)
            writer = writer or stack.enter_context(pq.ParquetWriter(temporary, table.schema))
            writer.write_table(table)

        yield write


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV or Parquet, by the file's ending."""
    with table_file(path) as write:
        write(frame)
