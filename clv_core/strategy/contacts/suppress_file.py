"""Reading a do-not-contact list: a column of words, or a table as shops and mail platforms export it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from clv_core.collection.files.content import Content, identify
from clv_core.collection.files.encoding import rewrite, survey
from clv_core.collection.files.text_table import read_text_table
from clv_core.collection.files.unpack import unpack
from clv_core.collection.values.pseudonyms import pseudonym
from clv_core.collection.words.aliases import MISSING
from clv_core.collection.words.contact_fields import EMAIL, PHONE, contact_field, id_column
from clv_core.errors import NotFound, Refused
from clv_core.scratch import temporary_folder

MARKS: Final = (",", ";", "\t", "|")
PACKED: Final = (Content.GZIP, Content.ZIP, Content.WORKBOOK)
CHINESE: Final = ("gb18030", "big5")
ADDRESS: Final = re.compile(r"[^\s<>()\"',;:|]+@[^\s<>()\"',;:|]+")
Entries = tuple[tuple[str, ...], ...]
"""The words of each entry: ids, e-mail addresses and phone numbers of one customer."""


def read_entries(path: Path, *, exact: bool = False) -> Entries:
    """Return the entries of a do-not-contact list.

    Of a table, its columns of ids, e-mail addresses and phone numbers count by their names, else its first column; of
    a list without column names, each line and, where all lines have several cells, each first cell.

    Args:
        path: one word a line, or a table: CSV, workbook, JSON Lines or Parquet, in any encoding.
        exact: whether a line of a list is one word and nothing in it is another: rather one customer too many is left
            alone, but nobody is erased for another's sake.

    Raises:
        NotFound: there is no such file.
        Refused: it is no text and no table, or holds lines that are no rows of the table: nobody is let through in
            silence.
    """
    if not path.is_file():
        raise NotFound("suppress_missing", file=path.name)
    if not path.read_bytes().strip(b" \t\r\n\xef\xbb\xbf"):
        return ()
    text = text_of(path)
    if text is None:
        return _of_table(path)
    rows = cells_of(text)
    named = bool(rows) and _names_columns(rows[0])
    if named and len(rows[0]) > 1:
        return _of_text(text, path.name)
    if exact:
        return tuple((line,) for line in dict.fromkeys(_lines(text)))
    if not named:
        return _of_lines(text, rows)
    return _entries(row[:1] for row in rows[1:])


def text_of(path: Path) -> str | None:
    """Return the text of a list, also out of a workbook or an archive; None of Parquet and JSON, which are no text.

    Raises:
        Refused: the archive or the workbook is broken.
    """
    with temporary_folder("clv-list-") as scratch:
        content = identify(path)
        for _ in range(2):
            if content in PACKED:
                path, _ = unpack(path, content, scratch)
                content = identify(path)
        if content is not Content.TEXT:
            return None
        seen = survey(path)
        clean = scratch / "clean.txt"
        rewrite(path, seen, clean)
        text = clean.read_text(encoding="utf-8-sig")
        rows = cells_of(text)
        if seen.valid or (rows and _names_columns(rows[0])):
            return text
        return next(filter(None, (_named_in(path, encoding) for encoding in CHINESE)), text)


def words_of(entries: Entries, key: bytes | None = None) -> frozenset[str]:
    """Return all words of a list; with the key of a dataset whose ids are pseudonyms, each word's pseudonym too."""
    words = {word for entry in entries for word in entry}
    return frozenset(words | ({pseudonym(key, word) for word in words} if key is not None else set()))


def entries_of(words: str) -> Entries:
    """Return the entries of words that a person has typed or pasted, one a line; a first line may name their column."""
    lines = _lines(words)
    if len(lines) > 1 and _names_columns(lines[:1]):
        lines = lines[1:]
    return tuple(dict.fromkeys(_entries([line] for line in lines)))


def _of_table(path: Path) -> Entries:
    frame, rejects = read_text_table(path)
    if rejects:
        raise Refused("suppress_bad_lines", file=path.name, rows=len(rejects), line=min(one.line for one in rejects))
    own = id_column(list(frame.columns))
    wanted = [name for name in frame.columns if name == own or contact_field(name) in (EMAIL, PHONE)]
    cells = frame[wanted or list(frame.columns[:1])].fillna("").itertuples(index=False)
    return _entries([str(cell) for cell in row] for row in cells)


def _of_text(text: str, name: str) -> Entries:
    with temporary_folder("clv-list-") as scratch:
        table = scratch / name
        table.write_text(text, encoding="utf-8")
        return _of_table(table)


def _of_lines(text: str, rows: list[list[str]]) -> Entries:
    lines = _lines(text)
    firsts: list[list[str]] = [[]] * len(lines)
    if len(rows) == len(lines) and len({len(row) for row in rows}) == 1:
        firsts = [row[:1] for row in rows]
    return tuple(dict.fromkeys(_entries([line, *first] for line, first in zip(lines, firsts, strict=True))))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def cells_of(text: str) -> list[list[str]]:
    """Return the cells of each line of a list that is not blank, by the mark that parts the first line."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    mark = max(MARKS, key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True)
    try:
        return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    except csv.Error:
        return []


def _names_columns(cells: list[str]) -> bool:
    named = any(id_column([cell]) or contact_field(cell) in (EMAIL, PHONE) for cell in cells)
    return named and not any("@" in cell for cell in cells)


def _entries(rows: Iterable[list[str]]) -> Entries:
    return tuple(words for cells in rows if (words := _words(cells)))


def _words(cells: list[str]) -> tuple[str, ...]:
    """Return the words of an entry: its cells, and addresses that stand among other text in one.

    A cell that stands for nothing names nobody: as an address, ``n/a`` is that of everybody who has none.
    """
    said = [cell.strip() for cell in cells]
    inner = [found for cell in said if "@" in cell for found in ADDRESS.findall(cell)]
    return tuple(dict.fromkeys(word for word in (*said, *inner) if word.lower() not in MISSING))


def _named_in(path: Path, encoding: str) -> str:
    """Return the text in an encoding in which its first line names columns; "" where it does not.

    Of a list of numbers, the name of its one column is all that is not ASCII: too little to be told by its letters.
    """
    try:
        text = path.read_bytes().decode(encoding)
    except UnicodeDecodeError:
        return ""
    rows = cells_of(text)
    return text if rows and _names_columns(rows[0]) else ""
