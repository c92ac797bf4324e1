"""Writing lists: as a CSV, a workbook or Parquet, and as a CSV in parts as a platform reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core.errors import UsageError
from clv_core.records import JsonObject
from clv_core.strategy.audiences.readable_columns import CURRENCY, for_people, with_currency
from clv_core.strategy.audiences.spreadsheet_safety import escape_frame
from clv_core.strategy.audiences.xlsx_file import write_xlsx
from clv_core.workspace import atomic_path, read_json

ENDINGS: Final = (".csv", ".xlsx", ".parquet")
"""Of files that hold any columns."""
LINE_END: Final = "\r\n"
"""As RFC 4180 and spreadsheets have it; it also makes the writer quote cells that hold a bare carriage return."""


def check_ending(path: Path) -> None:
    """Refuse a file that is neither CSV nor XLSX nor Parquet.

    Raises:
        UsageError: another ending.
    """
    if path.suffix not in ENDINGS:
        raise UsageError("segment_out", path=path.name, endings=list(ENDINGS))


def write_any(frame: pd.DataFrame, path: Path, ending: str, about: JsonObject, language: str = "") -> Path:
    """Write any columns as one of :data:`ENDINGS`, with the currency in a column of its own where there are amounts.

    Args:
        frame: any columns.
        path: to write.
        ending: what it is written as.
        about: facts by id, ``currency`` one of them; all of them go to a workbook's second sheet.
        language: of the headers and words of CSV and workbook, "" for ids, which Parquet keeps in any case.

    Returns:
        ``path``.

    Raises:
        Refused: more rows, or a longer text, than a worksheet holds.
    """
    frame = with_currency(frame, str(about.get(CURRENCY) or ""))
    if ending == ".csv":
        return write_csv(frame, path, language)
    if ending == ".xlsx":
        return write_xlsx(frame, path, about, language)
    with atomic_path(path) as temporary:
        frame.to_parquet(temporary, index=False)
    return path


def write_csv(frame: pd.DataFrame, path: Path, language: str = "") -> Path:
    """Write a CSV for spreadsheets: UTF-8 with a byte order mark, text inert, days as ISO dates, amounts rounded.

    Headers are in ``language``, "" for ids.

    Returns:
        ``path``.
    """
    days = [name for name in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[name])]
    frame = frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in days})
    with atomic_path(path) as temporary:
        escape_frame(for_people(frame, language)).to_csv(
            temporary, index=False, encoding="utf-8-sig", lineterminator=LINE_END
        )
    return path


def write_csv_parts(
    frame: pd.DataFrame, path: Path, largest_file: int | None, header: bool = True, most_rows: int | None = None
) -> tuple[Path, ...]:
    """Write a CSV for a platform: UTF-8, bytes as they are; what is too large in several files of one shape.

    Args:
        frame: the platform's columns.
        path: to write.
        largest_file: bytes that one file may hold; None is no limit.
        header: whether each file names its columns.
        most_rows: rows that one file may hold, the header not counted; None is no limit.

    Returns:
        ``path``, or ``path`` with ``-1``, ``-2``, ... before its ending.
    """
    parts = _parts(frame, largest_file, header, most_rows)
    if len(parts) == 1:
        paths = [path]
    else:
        paths = [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(1, len(parts) + 1)]
    for target, content in zip(paths, parts, strict=True):
        with atomic_path(target) as temporary:
            temporary.write_bytes(content)
    return tuple(paths)


def remove_earlier_parts(path: Path, files: tuple[Path, ...]) -> None:
    """Remove the files of an earlier list of the same path, as its side files name them, but for ``files``.

    They may hold customers who must not be in the list any more.
    """
    pattern = re.compile(rf"{re.escape(path.stem)}(-\d+)?{re.escape(path.suffix)}")
    for first in (path, path.with_name(f"{path.stem}-1{path.suffix}")):
        side = first.with_name(first.name + ".json")
        try:
            earlier = read_json(side)["files"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):  # no side file of ours
            continue
        for name in {str(name) for name in earlier} - {file.name for file in files}:
            if pattern.fullmatch(name):
                path.with_name(name).unlink(missing_ok=True)
        if first not in files:
            side.unlink()


def _parts(frame: pd.DataFrame, largest_file: int | None, header: bool, most_rows: int | None) -> list[bytes]:
    if most_rows is None or len(frame) <= most_rows:
        content = frame.to_csv(index=False, header=header, lineterminator=LINE_END).encode("utf-8")
        if largest_file is None or len(content) <= largest_file or len(frame) < 2:
            return [content]
    halves = np.array_split(np.arange(len(frame)), 2)
    return [part for half in halves for part in _parts(frame.iloc[half], largest_file, header, most_rows)]
