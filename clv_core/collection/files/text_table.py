"""A table of people read whole, as text, by the rules that a log is read by."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import pandas as pd

from clv_core.collection.engine import connect, name
from clv_core.collection.files.quotes import Reject
from clv_core.collection.files.rejects import recorded_rejects
from clv_core.collection.files.source import open_source
from clv_core.collection.values.pseudonyms import pseudonym_sql
from clv_core.collection.words.contact_fields import id_column
from clv_core.errors import Refused


def read_text_table(path: Path, key: bytes | None = None) -> tuple[pd.DataFrame, list[Reject]]:
    """Return the rows of a file as text, under its own column names, and the lines that are no rows of it.

    Args:
        path: CSV, workbook, JSON Lines or Parquet, in any encoding and dialect that a log may have.
        key: of a dataset whose ids are pseudonyms; the file's ids become the same.

    Raises:
        Refused: it holds no table.
    """
    with tempfile.TemporaryDirectory(prefix="clv-table-") as scratch:
        connection = connect(Path(scratch))
        try:
            source = open_source(connection, path, Path(scratch), fewest=1)
            own = id_column(source.columns) if key is not None else None
            hidden = f" REPLACE ({pseudonym_sql(key, name(own))} AS {name(own)})" if key and own else ""
            query = f"SELECT *{hidden} FROM {source.relation(record=True)}"
            frame: pd.DataFrame = connection.execute(query).to_arrow_table().to_pandas()
            return frame, recorded_rejects(connection, source)
        except duckdb.OutOfMemoryException as error:
            raise Refused("out_of_memory", file=path.name) from error
        except duckdb.Error as error:
            raise Refused("unreadable_table", file=path.name) from error
        finally:
            connection.close()
