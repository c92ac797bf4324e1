"""Cells that were written without quotes though they hold the delimiter: "Tea, green", or 12,50 between commas.

Such a row has more cells than the table has columns. They are joined where that can be done in one way only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.read.dialect import Dialect, column_roles
from clv_core.collection.vocabulary.column_names import PRICE
from clv_core.columns import AMOUNT, DISCOUNT, REFUND, UNIT_PRICE
from clv_core.errors import Message

JUDGED_ROWS: Final = 2_000
MIN_ROWS: Final = 3
"""Rows that must be split before the file is looked through."""
MIN_SHARE: Final = 0.8
"""Share of these that must be joined for the table to be taken for one of so many columns as it names."""
MAX_SHAPES: Final = 50
"""A column of more shapes of values holds free text."""
MONEY: Final = {AMOUNT, UNIT_PRICE, PRICE, DISCOUNT, REFUND}
WHOLE: Final = re.compile(r"\s*[^\w\s]*\s*[-+]?(\d{1,3}([.\s'’]\d{3})+|\d+)")
CENTS: Final = re.compile(r"\d{1,2}\s*[^\d\s]{0,3}\s*")
"""What stands before and behind the decimal comma of an amount."""
Joined = tuple[list[str], tuple[int, ...]]
"""A row, and the places of its cells that were split."""


@dataclass(frozen=True)
class _Columns:
    """What the rows that are as wide as the table tell of its columns.

    Args:
        shapes: of the values of each column; empty where any text may stand in it.
        texts: places of columns of text.
        money: places of columns whose names say that they hold amounts.
        indented: whether cells begin with a blank.
    """

    shapes: tuple[frozenset[str], ...]
    texts: tuple[int, ...]
    money: tuple[int, ...]
    indented: bool

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]], names: Sequence[str]) -> _Columns:
        """Return what rows tell of the columns of these names."""
        whole = [cells for cells in rows if len(cells) == len(names)]
        shapes, texts = [], []
        for at in range(len(names)):
            values = {cells[at] for cells in whole}
            different = frozenset(map(_shape, values))
            is_text = any(value.strip() and not re.search(r"\d", value) for value in values)
            shapes.append(frozenset[str]() if is_text or len(different) > MAX_SHAPES else different)
            texts += [at] if is_text else []
        money = tuple(at for at, column in enumerate(names) if column_roles(column) & MONEY)
        return cls(tuple(shapes), tuple(texts), money, any(_is_indented(cell) for cells in whole for cell in cells))

    def join(self, cells: Sequence[str], delimiter: str) -> Joined | None:
        """Return a row of too many cells with its parts joined; None where that is unsure."""
        more = len(cells) - len(self.shapes)
        ways: list[Joined] = []
        for at in self.texts:
            end = at + more + 1
            ways.append(([*cells[:at], delimiter.join(cells[at:end]), *cells[end:]], (at,)))
        if delimiter == "," and more <= len(self.money):
            ways += [way for places in combinations(self.money, more) if (way := _join_amounts(cells, places))]
        ways = [way for way in ways if self._fits(*way)]
        if len(ways) > 1 and not self.indented:
            ways = [way for way in ways if not any(map(_is_indented, way[0]))]
        return ways[0] if len(ways) == 1 else None

    def _fits(self, row: Sequence[str], joined: Sequence[int]) -> bool:
        """Return whether all values but the joined ones look like others of their columns."""
        return all(
            at in joined or not shapes or _shape(cell) in shapes
            for at, (cell, shapes) in enumerate(zip(row, self.shapes, strict=True))
        )


def rejoin_cells(
    connection: duckdb.DuckDBPyConnection, path: Path, dialect: Dialect, scratch: Path
) -> tuple[Path, Dialect] | None:
    """Return a copy of a text file whose split cells are joined and quoted, and its dialect; None where none are.

    Lines keep their numbers. Lines with quotes stay as they are.

    Args:
        connection: the engine.
        path: the file.
        dialect: how its cells are separated.
        scratch: where the copy goes.
    """
    if dialect.blanks or not dialect.quote or dialect.escape != dialect.quote:
        return None
    rows = [cells for _, cells in islice(_rows(path, dialect), JUDGED_ROWS) if cells]
    for width in dict.fromkeys((dialect.named, len(dialect.columns))):
        wide = [cells for cells in rows if len(cells) > width]
        if len(wide) < MIN_ROWS:
            continue
        columns = _Columns.of(rows, dialect.columns[:width])
        joined = sum(columns.join(cells, dialect.delimiter) is not None for cells in wide)
        if joined >= max(MIN_ROWS, MIN_SHARE * len(wide) if width < len(dialect.columns) else 0):
            return _write(path, dialect, columns, scratch / "rejoined.csv")
    return None


def _shape(cell: str) -> str:
    """Return what a value looks like: ``a9-9`` for K1001-2."""
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", cell.strip()))


def _is_indented(cell: str) -> bool:
    return cell.startswith(" ") and bool(cell.strip())


def _join_amounts(cells: Sequence[str], places: Sequence[int]) -> Joined | None:
    """Return a row whose amounts at ``places`` were split at their decimal commas, None where one is no such amount."""
    row = list(cells)
    for at in places:
        if not (WHOLE.fullmatch(row[at]) and CENTS.fullmatch(row[at + 1])):
            return None
        row[at : at + 2] = [f"{row[at]},{row[at + 1]}"]
    return row, tuple(places)


def _rows(path: Path, dialect: Dialect) -> Iterator[tuple[str, list[str]]]:
    """Yield the lines below the names, and the cells of those that are a row by themselves and hold no quotes."""
    is_open = False
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in islice(file, dialect.header_line, None):
            quotes = line.count(dialect.quote)
            plain = not quotes and not is_open and line.strip()
            is_open ^= bool(quotes % 2)
            yield line, line.rstrip("\r\n").split(dialect.delimiter) if plain else []


def _write(path: Path, dialect: Dialect, table: _Columns, target: Path) -> tuple[Path, Dialect]:
    width, count, first, places = len(table.shapes), 0, 0, set[int]()
    with path.open(encoding="utf-8", newline="\n") as source, target.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(islice(source, dialect.header_line))
        for number, (line, cells) in enumerate(_rows(path, dialect), dialect.header_line + 1):
            way = table.join(cells, dialect.delimiter) if len(cells) > width else None
            if way is not None:
                row, split = way
                for at in split:
                    row[at] = f"{dialect.quote}{row[at]}{dialect.quote}"
                line = dialect.delimiter.join(row) + "\n"
                count, first, places = count + 1, first or number, places | set(split)
            out.write(line)
    columns = dialect.columns[:width]
    params = {"rows": count, "line": first, "columns": [columns[at] for at in sorted(places)]}
    notes = [note for note in dialect.notes if note.code != "warning.blank_header" or width == len(dialect.columns)]
    return target, replace(dialect, columns=columns, notes=(*notes, Message("warning.joined_cells", params)))
