"""How a text file separates its cells, and which line has its column names."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import connect_memory, file_text, one, text
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, LIKELY_NAMES, SURE_NAMES, fold
from clv_core.errors import Message, NeedsAnswer, Refused

SAMPLE_CHARACTERS: Final = 1 << 16
"""Characters by which the delimiter is judged."""
MAX_COLUMNS: Final = 2_000
"""More columns are no log: a file without line breaks has such a row."""
BLANKS: Final = " \t\r\x0b\x0c"
"""Characters that a blank line may hold."""
MIN_EVEN: Final = 0.7
"""Share of lines with as many words, from which on blanks separate cells where no other mark does."""
NUMBER_OR_TIME: Final = re.compile(r"[\s$€£¥-]*\d[\d\s.,:/TZ+-]*")


@dataclass(frozen=True)
class Dialect:
    """How cells are separated.

    Args:
        delimiter: one character.
        quote: one character, or empty.
        escape: the character before a quote inside quotes: the quote itself, a backslash, or empty.
        blanks: runs of blanks separate cells (and the file is to be rewritten with tabs).
        header_line: lines before the first event, the column names included.
        columns: names as in the file, made unique.
        named: how many of them the line of names holds: fewer where rows are wider than it.
        notes: warnings about it.
    """

    delimiter: str
    quote: str
    escape: str
    blanks: bool
    header_line: int
    columns: tuple[str, ...]
    named: int
    notes: tuple[Message, ...] = ()

    def table(self, path: Path, columns: Iterable[str], options: str) -> str:
        """Return the table expression of a file of these columns, all of them text, with more options of its reader."""
        kinds = ", ".join(f"{text(column)}: 'VARCHAR'" for column in columns)
        return (
            f"read_csv({file_text(path)}, auto_detect = false, header = false, columns = {{{kinds}}},"
            f" delim = {text(self.delimiter)}, quote = {text(self.quote)}, escape = {text(self.escape)},"
            f" skip = {self.header_line}, strict_mode = true, max_line_size = 2097152, {options})"
        )


def detect(path: Path, name: str, *, header: bool | None = None, named: Collection[str] = ()) -> Dialect:
    """Return the dialect of the UTF-8 file ``path``, called ``name`` in messages.

    Args:
        path: the file.
        name: what the person calls it.
        header: whether a line names the columns; None looks for it, and asks where it looks like an event.
        named: columns that the person has named; a line that holds one names the columns.

    Raises:
        Refused: no table can be seen, or one too wide.
        NeedsAnswer: the first line looks like an event and not like column names.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        text = file.read(SAMPLE_CHARACTERS)
        at_end = not file.read(1)
    if not at_end and "\n" in text:
        text = text[: text.rfind("\n") + 1]
    hint = re.match(r"sep=(.)\r?\n", text)
    body = text[hint.end() :] if hint else text
    widest = max((line.count(mark) for line in body.split("\n", 20)[:20] for mark in ",;\t|"), default=0)
    first = body.split("\n", 1)[0]
    if max(first.count(mark) for mark in ",;\t|") >= MAX_COLUMNS or (not at_end and "\n" not in text):
        raise Refused("too_many_columns", file=name, columns=widest + 1, limit=MAX_COLUMNS)
    delimiter, quote, escape = _sniff(path, body)
    if hint:
        delimiter = hint.group(1)
    if delimiter == quote:  # no reader takes one mark for both
        quote = "'" if delimiter == '"' else '"'
    rows, blanks = _rows(body, delimiter, quote, escape), False
    if all(len(cells) < 2 for _, cells in rows):
        words = [(number, line.split()) for number, line in enumerate(body.split("\n"), 1) if line.strip()]
        blanks = _width([cells for _, cells in words]) > 1 and _even(words) >= MIN_EVEN
        if blanks:
            rows = words
        elif not hint:  # a title above the names misleads the engine
            delimiter = _most_used(body)
            rows = _rows(body, delimiter, quote, escape)
    if not hint and not blanks:
        delimiter, rows = _naming_more(body, delimiter, quote, escape, rows)
    if escape == "\\" and _even(doubled := _rows(body, delimiter, quote, "")) > _even(rows):
        rows, escape = doubled, ""  # backslashes are part of what cells hold: JSON with marks in its texts
    position, names = _header(rows, name, header, named)
    named_first = header is not False
    preamble = rows[position][0] - 1 if named_first else 0
    skipped = int(bool(hint)) + preamble
    notes = [Message("warning.preamble", {"lines": preamble})] if preamble else []
    columns = unique_names(" ".join(raw.split()) or f"column_{place}" for place, raw in enumerate(names, 1))
    blank = [f"column_{place}" for place, raw in enumerate(names, 1) if not raw.strip()]
    if blank and named_first:
        notes.append(Message("warning.blank_header", {"columns": blank}))
    escape = "\\" if escape == "\\" else quote
    return Dialect(
        delimiter="\t" if blanks else delimiter,
        quote=quote,
        escape=escape,
        blanks=blanks,
        header_line=skipped + named_first,
        columns=columns,
        named=max((place for place, raw in enumerate(names, 1) if raw.strip()), default=len(names)),
        notes=tuple(notes),
    )


def _naming_more(
    text: str, delimiter: str, quote: str, escape: str, rows: list[tuple[int, list[str]]]
) -> tuple[str, list[tuple[int, list[str]]]]:
    """Return the delimiter that separates the names of columns where the engine's does not, and the rows by it.

    Decimal commas below a title mislead it.
    """
    if not rows or known_names(_names(rows)) > 1:
        return delimiter, rows
    for other in ",;\t|":
        cut = _rows(text, other, quote, escape) if other != delimiter else []
        if cut and known_names(_names(cut)) > 1 and _even(cut) >= min(_even(rows), MIN_EVEN):
            return other, cut
    return delimiter, rows


def _names(rows: list[tuple[int, list[str]]]) -> list[str]:
    return rows[header_position([cells for _, cells in rows])][1]


def _most_used(text: str) -> str:
    """Return the mark that most lines hold."""
    return max(",;\t|", key=lambda mark: sum(mark in line for line in text.split("\n")))


def _sniff(path: Path, text: str) -> tuple[str, str, str]:
    """Return delimiter, quote and escape of a file; where the engine sees none, the mark that most lines hold."""
    options = "all_varchar = true, ignore_errors = true"
    query = f"SELECT Delimiter, Quote, Escape FROM sniff_csv({file_text(path)}, {options})"
    try:
        with connect_memory() as connection:
            delimiter, quote, escape = (mark.replace("(empty)", "") for mark in one(connection, query))
    except duckdb.Error:
        delimiter, quote, escape = _most_used(text), "", ""
    return {"": ",", "\\t": "\t"}.get(delimiter, delimiter), quote or '"', escape if escape == "\\" else ""


def _rows(text: str, delimiter: str, quote: str, escape: str) -> list[tuple[int, list[str]]]:
    """Return (line number, cells) of the sample's rows that are not blank."""
    reader = csv.reader(
        io.StringIO(text, newline="\n"),  # nothing else ends a line for the engine either
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        escapechar="\\" if escape == "\\" else None,
        doublequote=escape != "\\",
    )
    rows: list[tuple[int, list[str]]] = []
    start = 1
    csv.field_size_limit(1 << 24)
    try:
        for cells in islice(reader, 2_000):
            if any(cell.strip() for cell in cells):
                rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error:
        pass
    return rows


def _header(
    rows: list[tuple[int, list[str]]], name: str, header: bool | None, named: Collection[str]
) -> tuple[int, list[str]]:
    """Return the position of the names among ``rows``, and the names."""
    if not rows:
        raise Refused("no_rows", file=name)
    width = _width([cells for _, cells in rows])
    if header is False:
        return 0, [""] * width
    position = header_position([cells for _, cells in rows])
    cells = rows[position][1]
    if len(cells) < 2:
        raise Refused("one_column", file=name, found=cells[0][:60] if cells else "")
    if len(cells) > MAX_COLUMNS:
        raise Refused("too_many_columns", file=name, columns=len(cells), limit=MAX_COLUMNS)
    is_named = {column.strip().lower() for column in named if column} & {cell.strip().lower() for cell in cells}
    if header is None and known_names(cells) == 0 and not is_named and _looks_like_event(cells):
        text = ", ".join(cells)[:80]
        raise NeedsAnswer("no_header", file=name, line=rows[position][0], found=text)
    return position, cells + [""] * (width - len(cells))


def header_position(rows: list[list[str]]) -> int:
    """Return the position of the row that names the columns among the first rows of a table."""
    width = _width(rows)
    named_rows = [i for i, cells in enumerate(rows[:50]) if len(cells) == width and sum(map(bool, cells)) > 1]
    candidates = named_rows or [0]
    usual = [i for i, cells in enumerate(rows[:50]) if _are_names(cells, width)]
    titled = usual and all(sum(map(bool, cells)) < sum(map(bool, rows[usual[0]])) for cells in rows[: usual[0]])
    position = usual[0] if usual and (titled or usual[0] <= candidates[0] + 1) else candidates[0]
    return position + (position + 1 in usual and _heads_groups(rows[position], rows[position + 1]))


def _are_names(cells: list[str], width: int) -> bool:
    """Say whether cells name the columns of a table: nearly as many as it has, or nothing but names that logs use."""
    matching = known_names(cells)
    return matching >= 2 and (abs(len(cells) - width) <= 1 or matching == len(cells))


def _heads_groups(cells: list[str], below: list[str]) -> bool:
    """Return whether cells head groups of columns, whose own names are in the line below: Customer, "", Order, ""."""
    blank = sum(not cell.strip() for cell in cells)
    return blank > sum(not cell.strip() for cell in below) and known_names(below) > known_names(cells)


def _width(rows: list[list[str]]) -> int:
    counts = Counter(len(cells) for cells in rows if len(cells) > 1) or Counter([1])
    most = max(counts.values())
    return max(width for width, count in counts.items() if count == most)


def _even(rows: list[tuple[int, list[str]]]) -> float:
    """Return the share of rows that are as wide as most."""
    width = _width([cells for _, cells in rows])
    return sum(len(cells) == width for _, cells in rows) / max(len(rows), 1)


def column_roles(name: str) -> set[str]:
    """Return the canonical columns that a column of this name may be."""
    key = fold(name)
    return {names[key] for names in (SURE_NAMES, LIKELY_NAMES) if key in names}


def known_names(cells: Iterable[str]) -> int:
    """Return how many of ``cells`` are names of columns that logs use."""
    return sum(bool(column_roles(cell)) for cell in cells if cell.strip())


def unique_names(names: Iterable[str], reserved: Iterable[str] = ()) -> tuple[str, ...]:
    """Return names in their order, those that repeat one before them, or one of the others, with a number behind.

    Case is no difference: the engine sees none.
    """
    unique: list[str] = []
    taken = {other.lower() for other in reserved}
    for name in names:
        candidate, copy = name, 2
        while candidate.lower() in taken:
            candidate, copy = f"{name} ({copy})", copy + 1
        taken.add(candidate.lower())
        unique.append(candidate)
    return tuple(unique)


def _looks_like_event(cells: list[str]) -> bool:
    last = max((position for position, cell in enumerate(cells, 1) if cell.strip()), default=0)
    used = cells[:last]
    return "" in used or any(NUMBER_OR_TIME.fullmatch(cell) or fold(cell) in EVENT_NAMES for cell in used)
