"""``python sheets.py FILE [FOLDER]`` writes each sheet of a workbook as CSV.

It is a process of its own, of bounded memory: the library fills in every cell up to the last one of a sheet, and for a
damaged or hostile file that is 8 GB, at which it ends its process. It prints the sheets as one line of JSON.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, time
from itertools import chain, islice
from pathlib import Path
from typing import Final, TextIO

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

MAX_BYTES: Final = 4_000_000_000
"""Memory of the process: half of what a damaged file would take (see above)."""
JUDGED_ROWS: Final = 1_000
"""First rows of a sheet by which its width is judged."""


def main(file: str, folder: str = "") -> None:
    """Print ``[[title, is_hidden], ...]`` of the sheets that are no charts, and write them to ``FOLDER/0.csv`` ..."""
    if sys.platform != "win32":
        import resource

        with suppress(ValueError, OSError):  # where the system allows less already, or sets no such limit
            resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    book = CalamineWorkbook.from_path(file)
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    for number, sheet in enumerate(sheets if folder else ()):
        with Path(folder, f"{number}.csv").open("w", encoding="utf-8", newline="") as out:
            write_rows(book.get_sheet_by_name(sheet.name).iter_rows(), out)
    print(json.dumps([[sheet.name, sheet.visible != SheetVisibleEnum.Visible] for sheet in sheets]))


def write_rows(rows: Iterable[Sequence[object]], out: TextIO) -> None:
    """Write the rows that hold something, those that are narrower than the widest of the first ones as wide as it."""
    filled = (cells for row in rows if (cells := _cells(row)))
    first = list(islice(filled, JUDGED_ROWS))
    width = max(map(len, first), default=0)
    csv.writer(out, lineterminator="\n").writerows(
        cells + [""] * (width - len(cells)) for cells in chain(first, filled)
    )


def _cells(row: Sequence[object]) -> list[str]:
    """Return the texts of a row up to its last cell that holds one."""
    cells = [_text(value) for value in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds") if value.microsecond == 0 else value.isoformat(" ")
    if isinstance(value, date):
        return f"{value.isoformat()} 00:00:00"
    return value.isoformat() if isinstance(value, time) else str(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
