"""The sheets of a workbook that hold the log become one text file, each read from below its own row of column names."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from clv_core.collection.files.dialect import MAX_COLUMNS, header_position
from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, PRICE, SURE_NAMES, fold
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, UNIT_PRICE
from clv_core.errors import ClvError, Message, NeedsAnswer, Refused, UsageError

LOOKED_AT: Final = 1_000
"""Rows of a sheet that say how wide it is, whatever it says itself."""
HEADER_ROWS: Final = 50
"""Its names stand in one of so many rows."""
ROLES: Final = {CUSTOMER_ID: 0, EVENT_TIME: 1, AMOUNT: 2, UNIT_PRICE: 2, PRICE: 2}
"""What columns of a log say: who, when and how much."""


@dataclass(frozen=True)
class _Table:
    """A sheet that holds something.

    Args:
        sheet: of openpyxl.
        names: of its columns, empty where the person said that it names none.
        body: how many rows stand above its first event, blank ones aside.
    """

    sheet: Any
    names: tuple[str, ...]
    body: int

    @property
    def title(self) -> str:
        """Name of the sheet."""
        return str(self.sheet.title)

    @property
    def is_hidden(self) -> bool:
        """Whether a person who opens the workbook does not see it."""
        return str(self.sheet.sheet_state) != "visible"

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns, spelling aside."""
        return frozenset(fold(name) or name for name in self.names)

    @property
    def roles(self) -> int:
        """How many of :data:`ROLES` the names cover."""
        means = (SURE_NAMES.get(fold(name)) or LIKELY_NAMES.get(fold(name)) for name in self.names)
        return len({ROLES[canonical] for canonical in means if canonical in ROLES})


def write_sheets(path: Path, target: Path, sheet: str, header: bool | None) -> tuple[Message, ...]:
    """Write the rows of the log in a workbook as CSV, and return what is to be said of its sheets.

    That is the sheet whose columns say most of what a log says, and all others with its columns. Sheets that are hidden
    are read only where the person named them.

    Args:
        path: the workbook.
        target: the CSV file.
        sheet: the one that the person named; empty looks.
        header: whether sheets name their columns; None looks.

    Raises:
        NeedsAnswer: sheets of different columns could be the log.
        UsageError: there is no sheet of that name.
        Refused: the workbook cannot be read, or is too wide.
    """
    with open_sheets(path) as every:
        sheets = [item for item in every if not sheet or item.title.strip().lower() == sheet.strip().lower()]
        if not sheets:
            found = [str(item.title) for item in every[:40]]
            raise UsageError("no_sheet", file=path.name, sheet=sheet[:60], found=found)
        tables = [table for item in sheets if (table := _table(item, path.name, header))]
        shown = [table for table in tables if sheet or not table.is_hidden]
        used = _chosen(shown, path.name)
        _write(used, target, path.name)
    left = [table.title for table in shown if table not in used]
    hidden = [table.title for table in tables if table not in shown]
    notes = [Message("warning.joined_sheets", {"sheets": [table.title for table in used]})] if len(used) > 1 else []
    notes += [Message("warning.sheets_left_out", {"sheets": left})] if left else []
    notes += [Message("warning.hidden_sheets", {"sheets": hidden})] if hidden else []
    return tuple(notes)


@contextmanager
def open_sheets(path: Path) -> Iterator[list[Any]]:
    """Yield the sheets of a workbook, hidden ones too.

    Raises:
        Refused: it cannot be read.
    """
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(path, read_only=True, data_only=True)
            try:
                yield book.worksheets
            finally:
                book.close()
    except ClvError:
        raise
    except Exception as error:
        raise Refused("broken_workbook", file=path.name) from error


def _table(sheet: Any, name: str, header: bool | None) -> _Table | None:
    """Return what a sheet holds, None where it is empty."""
    rows = list(islice(_rows(sheet, name), HEADER_ROWS))
    if not rows:
        return None
    if header is False:
        return _Table(sheet, (), 0)
    position = header_position(rows)
    names = rows[position]
    width = max((place for place, cell in enumerate(names, 1) if cell), default=0)
    return _Table(sheet, tuple(names[:width]), position + 1)


def _chosen(tables: Sequence[_Table], name: str) -> list[_Table]:
    """Return the tables of the log: those that say most of it, all of the same columns.

    Raises:
        NeedsAnswer: tables of different columns say who, when and how much.
    """
    most = max((table.roles for table in tables), default=0)
    best = [table for table in tables if table.roles == most and (len(table.names) > 1 or not table.body)]
    best = best or list(tables[:1])
    alike = [table for table in best if table.columns == best[0].columns]
    if most == len(set(ROLES.values())) and len(alike) < len(best):
        titles = [table.title for table in best]
        raise NeedsAnswer("which_sheet", file=name, sheets=titles[:40], first=titles[0])
    return alike


def _write(tables: Sequence[_Table], target: Path, name: str) -> None:
    """Write the first table as it stands, and the events of the others below it, in the order of its columns."""
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        width = 0
        for number, table in enumerate(tables):
            rows = _rows(table.sheet, name)
            if not number:
                for cells in rows:
                    width = max(width, len(cells))
                    writer.writerow(cells)
                continue
            places = _places(tables[0].names, table.names)
            for cells in islice(rows, table.body, None):
                ordered = [cells[place] for place in places] + cells[len(places) :]
                writer.writerow(ordered + [""] * (width - len(ordered)))


def _places(names: Sequence[str], theirs: Sequence[str]) -> list[int]:
    """Return where in a row of a table stand the cells of columns called ``names``; both have the same ones."""
    own, other = ([fold(name) or name for name in found] for found in (names, theirs))
    if len(set(own)) < len(own) or len(own) != len(other):
        return list(range(len(theirs)))
    return [other.index(name) for name in own]


def _rows(sheet: Any, name: str) -> Iterator[list[str]]:
    """Yield the rows of a sheet that say something, all of one width.

    A sheet may claim any size: writers that stream say A1, and of the largest one the reader would fill in every cell.

    Raises:
        Refused: a row is wider than a log may be.
    """
    claimed = sheet.max_column or 0
    sheet.reset_dimensions()
    rows = (cells for row in sheet.iter_rows(values_only=True) if (cells := _cells(row)))
    first = list(islice(rows, LOOKED_AT))
    width = max([claimed if claimed <= MAX_COLUMNS else 0, *map(len, first)])
    for cells in chain(first, rows):
        if len(cells) > MAX_COLUMNS:
            raise Refused("too_many_columns", file=name, columns=len(cells), limit=MAX_COLUMNS)
        yield cells + [""] * (width - len(cells))


def _cells(row: Sequence[object]) -> list[str]:
    """Return the texts of a row up to its last cell that holds one."""
    cells = [_text(value) for value in row]
    filled = (place for place in range(len(cells), 0, -1) if cells[place - 1])
    return cells[: next(filled, 0)]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds") if value.microsecond == 0 else value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)
