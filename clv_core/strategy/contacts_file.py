"""Reading the files that say how customers can be reached, and who must not be."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from clv_core.collection.contact_fields import id_column
from clv_core.collection.engine import connect, name
from clv_core.collection.pseudonyms import pseudonym, pseudonym_sql
from clv_core.collection.source import open_source, recorded_rejects
from clv_core.errors import NotFound, Refused


def read_contacts(path: Path, key: bytes | None = None) -> pd.DataFrame:
    """Return the rows of a customers file as text, under the file's own column names.

    Args:
        path: CSV, workbook, JSON Lines or Parquet, in any encoding and dialect that a log may have.
        key: of a dataset whose ids are pseudonyms; the file's ids become the same.

    Raises:
        NotFound: there is no such file.
        Refused: it holds no table, or lines that are no rows of it: nobody is left out in silence.
    """
    if not path.is_file():
        raise NotFound("contacts_missing", file=path.name)
    with tempfile.TemporaryDirectory(prefix="clv-contacts-") as scratch:
        connection = connect(Path(scratch))
        try:
            source = open_source(connection, path, Path(scratch))
            own = id_column(source.columns) if key is not None else None
            hidden = f" REPLACE ({pseudonym_sql(key, name(own))} AS {name(own)})" if key and own else ""
            query = f"SELECT *{hidden} FROM {source.relation(record=True)}"
            frame: pd.DataFrame = connection.execute(query).to_arrow_table().to_pandas()
            rejects = recorded_rejects(connection, source)
        finally:
            connection.close()
    if rejects:
        raise Refused("contacts_bad_lines", file=path.name, rows=len(rejects), line=min(one.line for one in rejects))
    return frame


def read_suppressed(path: Path, key: bytes | None = None) -> frozenset[str]:
    """Return the customer ids and e-mail addresses of a text file, one a line.

    Args:
        path: a text file.
        key: of a dataset whose ids are pseudonyms; each id's pseudonym is returned too.

    Raises:
        NotFound: there is no such file.
        Refused: it is no UTF-8 text.
    """
    if not path.is_file():
        raise NotFound("contacts_missing", file=path.name)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise Refused("suppress_unreadable", file=path.name) from error
    words = {line.strip() for line in lines if line.strip()}
    return frozenset(words | ({pseudonym(key, word) for word in words} if key is not None else set()))
