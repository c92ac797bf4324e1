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

from clv_core.collection.files.dialect import Dialect
from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, PRICE, SURE_NAMES, fold
from clv_core.columns import AMOUNT, DISCOUNT, REFUND, UNIT_PRICE
from clv_core.errors import Message

JUDGED_ROWS: Final = 2_000
MIN_ROWS: Final = 3
"""Rows that must be split before the file is looked through."""
MOST: Final = 0.8
"""Share of these that must be joined for the table to be taken for one of so many columns as it names."""
MAX_SHAPES: Final = 50
"""A column of more shapes of values holds free text."""
MONEY: Final = {AMOUNT, UNIT_PRICE, PRICE, DISCOUNT, REFUND}
WHOLE: Final = re.compile(r"\s*[^\w\s]*\s*[-+]?(\d{1,3}([.\s'’]\d{3})+|\d+)")
CENTS: Final = re.compile(r"\d{1,2}\s*[^\d\s]{0,3}\s*")
"""What stands before and behind the decimal comma of an amount."""


@dataclass(frozen=True)
class _Columns:
    """What is known of the columns from the rows that are as wide as the table.

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

    def joined(self, cells: Sequence[str], delimiter: str) -> tuple[list[str], tuple[int, ...]] | None:
        """Return a row with its parts joined, and the places of its cells that were split; None where that is unsure.

        Args:
            cells: more of them than columns.
            delimiter: what was taken for the end of a cell.
        """
        more = len(cells) - len(self.shapes)
        found: list[tuple[list[str], tuple[int, ...]]] = []
        for at in self.texts:
            end = at + more + 1
            found.append(([*cells[:at], delimiter.join(cells[at:end]), *cells[end:]], (at,)))
        if delimiter == "," and more <= len(self.money):
            found += [made for places in combinations(self.money, more) if (made := _amounts(cells, places))]
        found = [(row, places) for row, places in found if self._fits(row, places)]
        if len(found) > 1 and not self.indented:
            found = [(row, places) for row, places in found if not any(map(_indented, row))]
        return found[0] if len(found) == 1 else None

    def _fits(self, row: Sequence[str], joined: Sequence[int]) -> bool:
        """Say whether all values but the joined ones look like others of their columns."""
        return all(
            at in joined or not shapes or shape(cell) in shapes
            for at, (cell, shapes) in enumerate(zip(row, self.shapes, strict=True))
        )


def rejoined(path: Path, dialect: Dialect, scratch: Path) -> tuple[Path, Dialect] | None:
    """Return a copy of a text file whose split cells are joined and quoted, and its dialect; None where none are.

    Lines keep their numbers. Lines with quotes stay as they are.

    Args:
        path: the file.
        dialect: how its cells are separated.
        scratch: where the copy goes.
    """
    if dialect.blanks or not dialect.quote or dialect.escape != dialect.quote:
        return None
    rows = [cells for _, cells in islice(_rows(path, dialect), JUDGED_ROWS) if cells]
    for width in dict.fromkeys((dialect.named, len(dialect.columns))):
        known = _known(rows, dialect.columns[:width])
        wide = [cells for cells in rows if len(cells) > width]
        sure = sum(known.joined(cells, dialect.delimiter) is not None for cells in wide)
        least = MOST * len(wide) if width < len(dialect.columns) else 0
        if sure >= max(MIN_ROWS, least):
            return _written(path, dialect, known, scratch / "rejoined.csv")
    return None


def shape(cell: str) -> str:
    """Return what a value looks like: ``a9-9`` for K1001-2."""
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", cell.strip()))


def _known(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> _Columns:
    whole = [cells for cells in rows if len(cells) == len(columns)]
    shapes, texts = [], []
    for at in range(len(columns)):
        values = [cells[at] for cells in whole]
        found = frozenset(map(shape, values))
        is_text = any(value.strip() and not re.search(r"\d", value) for value in values)
        shapes.append(frozenset[str]() if is_text or len(found) > MAX_SHAPES else found)
        texts += [at] if is_text else []
    means = [{SURE_NAMES.get(fold(column)), LIKELY_NAMES.get(fold(column))} for column in columns]
    money = tuple(at for at, meant in enumerate(means) if meant & MONEY)
    return _Columns(tuple(shapes), tuple(texts), money, any(_indented(cell) for cells in whole for cell in cells))


def _indented(cell: str) -> bool:
    return cell.startswith(" ") and bool(cell.strip())


def _amounts(cells: Sequence[str], places: Sequence[int]) -> tuple[list[str], tuple[int, ...]] | None:
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


def _written(path: Path, dialect: Dialect, known: _Columns, target: Path) -> tuple[Path, Dialect]:
    """Write the copy, and return it with its dialect."""
    width, count, first, split = len(known.shapes), 0, 0, set[int]()
    with path.open(encoding="utf-8", newline="\n") as source, target.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(islice(source, dialect.header_line))
        for number, (line, cells) in enumerate(_rows(path, dialect), dialect.header_line + 1):
            found = known.joined(cells, dialect.delimiter) if len(cells) > width else None
            if found is not None:
                row, places = found
                for at in places:
                    row[at] = f"{dialect.quote}{row[at]}{dialect.quote}"
                line = dialect.delimiter.join(row) + "\n"
                count, first, split = count + 1, first or number, split | set(places)
            out.write(line)
    columns = dialect.columns[:width]
    params = {"rows": count, "line": first, "columns": [columns[at] for at in sorted(split)]}
    notes = [note for note in dialect.notes if note.code != "warning.blank_header" or width == len(dialect.columns)]
    told = Message("warning.joined_cells", params)
    return target, replace(dialect, columns=columns, notes=(*notes, told))
