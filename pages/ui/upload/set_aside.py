"""All rows set aside as a file: written from the stored table in blocks when it is asked for."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd

from clv_core.i18n import DEFAULT_LANGUAGE, has, translate
from clv_core.scratch import temporary_folder
from clv_core.strategy.audiences.readable_columns import header
from clv_core.strategy.audiences.spreadsheet_safety import write_csv
from pages.ui import page_files, session
from pages.ui.i18n import t

OWN: Final = {"line": "line", "reason": "reason_code", "column": "column", "value": "value"}
"""Columns of ours, and what they are called where the reason stands beside its code."""
PACKED_FROM_ROWS: Final = 200_000
"""From here on the file is gzipped: the browser gets a tenth, and the server holds a tenth while it sends."""


def download(parquet: Path, rows: int, name: str, key: str) -> None:
    """Offer the rows of ``parquet`` with line number and reason; nothing is written before it is asked for."""
    language = session.language()
    ending = ".csv.gz" if rows > PACKED_FROM_ROWS else ".csv"
    page_files.download(t("upload.set_aside"), lambda: _content(parquet, ending, language), name + ending, key=key)


def worded(rows: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return rows with their reason in words beside its code, and our own columns called in the page's language."""
    if "reason" not in rows:
        return rows
    known = {code: f"reason.{code}" for code in rows["reason"].unique()}
    words = {code: translate(key, language) if has(key, language) else code for code, key in known.items()}
    told = rows.rename(columns={name: header(said, language) for name, said in OWN.items()})
    beside, said = list(rows.columns).index("reason") + 1, rows["reason"].map(words).astype("str")
    told.insert(beside, header("reason", language), said, allow_duplicates=True)  # the file may have such a column
    return told


def _content(parquet: Path, ending: str, language: str = DEFAULT_LANGUAGE) -> bytes:
    with temporary_folder("clv-aside-") as folder:
        target = folder / f"rows{ending}"
        write_csv(parquet, target, "line", partial(worded, language=language))
        return target.read_bytes()
