"""The sheets of a workbook that hold the log become one text file, each read from below its own row of column names."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from clv_core.collection.answers import SHEET
from clv_core.collection.read.dialect import MAX_COLUMNS, column_roles, header_position
from clv_core.collection.vocabulary.column_names import PRICE, fold
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer, Refused, UsageError

HEADER_ROWS: Final = 50
"""Its names stand in one of so many rows."""
MAX_SECONDS: Final = 600
ROLES: Final = {CUSTOMER_ID: 0, EVENT_TIME: 1, AMOUNT: 2, UNIT_PRICE: 2, PRICE: 2}
"""What columns of a log say: who, when and how much."""


@dataclass(frozen=True)
class _Table:
    """A sheet that holds something.

    Args:
        title: of the sheet.
        is_hidden: whether a person who opens the workbook does not see it.
        path: the CSV file of its rows.
        names: of its columns, empty where the person said that it names none.
        body: how many rows stand above its first event.
    """

    title: str
    is_hidden: bool
    path: Path
    names: tuple[str, ...]
    body: int

    @property
    def columns(self) -> list[str]:
        """The names of the columns, spelling aside."""
        return [fold(name) or name for name in self.names]

    @property
    def roles(self) -> int:
        """How many of :data:`ROLES` the names cover."""
        return len({ROLES[role] for name in self.names for role in column_roles(name) if role in ROLES})


def write_sheets(path: Path, target: Path, sheet: str, header: bool | None) -> tuple[Message, ...]:
    """Write the rows of the log in a workbook as CSV, and return what is to be said of its sheets.

    That is the sheet whose columns say most of what a log says, and all others with its columns. Sheets that are hidden
    are read only where the person named them.

    Args:
        path: the workbook.
        target: the CSV file; sheets are written beside it.
        sheet: the one that the person named; empty looks.
        header: whether sheets name their columns; None looks.

    Raises:
        NeedsAnswer: sheets of different columns could be the log.
        UsageError: there is no sheet of that name.
        Refused: the workbook cannot be read, or is too wide.
    """
    folder = target.with_name("sheets")
    folder.mkdir(exist_ok=True)
    sheets = list_sheets(path, folder)
    chosen = [at for at, (title, _) in enumerate(sheets) if not sheet or title.strip().lower() == sheet.strip().lower()]
    if not chosen:
        raise UsageError("no_sheet", file=path.name, sheet=sheet[:60], found=[title for title, _ in sheets[:40]])
    tables = [table for at in chosen if (table := _table(*sheets[at], folder / f"{at}.csv", path.name, header))]
    shown = [table for table in tables if sheet or not table.is_hidden]
    used = _chosen(shown, path.name)
    _write(used, target, path.name)
    named = {
        "joined_sheets": [table.title for table in used] if len(used) > 1 else [],
        "sheets_left_out": [table.title for table in tables if table not in used],
    }
    return tuple(Message(f"warning.{code}", {"sheets": titles}) for code, titles in named.items() if titles)


def list_sheets(path: Path, folder: Path | None = None) -> list[tuple[str, bool]]:
    """Return title and whether it is hidden of each sheet of a workbook, and write their rows as CSV.

    Args:
        path: the workbook, of any Excel format.
        folder: where the rows go, ``0.csv`` and on; None writes none.

    Raises:
        Refused: it cannot be read.
    """
    script = [sys.executable, "-P", str(Path(__file__).with_name("sheets.py"))]
    files = [str(path.resolve()), *([str(folder.resolve())] if folder else [])]
    try:
        done = subprocess.run([*script, *files], capture_output=True, check=True, timeout=MAX_SECONDS)
    except subprocess.SubprocessError as error:
        with path.open("rb") as file:
            code = "broken_workbook" if file.read(2) == b"PK" else "old_workbook"
        raise Refused(code, file=path.name) from error
    return [(str(title), bool(hidden)) for title, hidden in json.loads(done.stdout)]


def _table(title: str, is_hidden: bool, path: Path, name: str, header: bool | None) -> _Table | None:
    """Return what a sheet holds, None where it is empty."""
    rows = list(islice(_rows(path, name), HEADER_ROWS))
    if not rows:
        return None
    if header is False:
        return _Table(title, is_hidden, path, (), 0)
    position = header_position(rows)
    width = max((place for place, cell in enumerate(rows[position], 1) if cell), default=0)
    return _Table(title, is_hidden, path, tuple(rows[position][:width]), position + 1)


def _chosen(tables: Sequence[_Table], name: str) -> list[_Table]:
    """Return the tables of the log: those that say most of it, all of the same columns.

    Raises:
        NeedsAnswer: tables of different columns say who, when and how much.
    """
    most = max((table.roles for table in tables), default=0)
    best = [table for table in tables if table.roles == most and (len(table.names) > 1 or not table.body)]
    best = best or list(tables[:1])
    same = [table for table in best if set(table.columns) == set(best[0].columns)]
    if most == len(set(ROLES.values())) and len(same) < len(best):
        titles = [table.title for table in best]
        raise NeedsAnswer("which_sheet", file=name, sheets=titles[:40], first=titles[0])
    return same


def _write(tables: Sequence[_Table], target: Path, name: str) -> None:
    """Write the first table as it stands, and the events of the others below it, in the order of its columns.

    Of several tables with names, a last column tells on which sheet a row stands.
    """
    told = len(tables) > 1 and tables[0].body > 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        width = 0
        for number, table in enumerate(tables):
            own, other = tables[0].columns, table.columns
            is_named = len(set(own)) == len(own) == len(other)
            places = [other.index(column) for column in own] if is_named else list(range(len(other)))
            first = table.body if number else 0
            for row, cells in enumerate(islice(_rows(table.path, name), first, None), first + 1):
                if number:
                    cells = [cells[place] for place in places] + cells[len(places) :]
                    cells += [""] * (width - len(cells))
                else:
                    width = max(width, len(cells))
                if told and row >= table.body:
                    last = SHEET if row == tables[0].body and not number else table.title
                    cells = [*cells, *[""] * (width - len(cells)), last]
                writer.writerow(cells)


def _rows(path: Path, name: str) -> Iterator[list[str]]:
    """Yield the rows of a sheet.

    Raises:
        Refused: one is wider than a log may be.
    """
    csv.field_size_limit(1 << 24)
    with path.open(encoding="utf-8", newline="") as file:
        for cells in csv.reader(file):
            if len(cells) > MAX_COLUMNS:
                raise Refused("too_many_columns", file=name, columns=len(cells), limit=MAX_COLUMNS)
            yield cells
