"""Reading the files that say how customers can be reached, and who must not be."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from clv_core.collection.files.text_table import read_text_table
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
    frame, rejects = read_text_table(path, key)
    if rejects:
        raise Refused("contacts_bad_lines", file=path.name, rows=len(rejects), line=min(one.line for one in rejects))
    return frame
