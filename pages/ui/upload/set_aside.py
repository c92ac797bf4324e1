"""All rows set aside as a file: written from the stored table in blocks when it is asked for."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from clv_core.strategy.spreadsheet_file import write_csv
from pages.ui import widgets
from pages.ui.state import t

PACKED_FROM_ROWS: Final = 200_000
"""From here on the file is gzipped: the browser gets a tenth, and the server holds a tenth while it sends."""


def download(parquet: Path, rows: int, name: str, key: str) -> None:
    """Offer the rows of ``parquet`` with line number and reason; nothing is written before it is asked for."""
    ending = ".csv.gz" if rows > PACKED_FROM_ROWS else ".csv"
    widgets.download(t("upload.set_aside"), lambda: _content(parquet, ending), name + ending, key=key)


def _content(parquet: Path, ending: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="clv-aside-") as folder:
        target = Path(folder) / f"rows{ending}"
        write_csv(parquet, target, "line")
        return target.read_bytes()
