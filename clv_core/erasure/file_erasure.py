"""One file after another made free of the customers, each by its kind; what cannot be read as its kind is removed.

Parquet, CSV: their rows go. JSON, JSON lines: texts are replaced, records of theirs dropped. SQLite: texts are
replaced, then the log is written back and the file packed. Other text: ids are replaced. A file that is replaced is
written beside and moved into place.

A short id (``7``, ``C4``) is a customer in a column of ids, under such a key, as a line of a list, and in an exported
file wherever nearly all words of a column are customers; :func:`unsure_in` counts where else it stands.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from clv_core.collection.engine import connect_memory, file_text, name, text
from clv_core.collection.privacy.id_matcher import ERASED, redact_values, split_words
from clv_core.collection.privacy.row_erasure import names_any, text_columns
from clv_core.collection.privacy.short_ids import JUDGED_CELLS, OF_OTHERS
from clv_core.collection.values.id_texts import folded_sql
from clv_core.collection.words.contact_fields import id_column
from clv_core.columns import CUSTOMER_ID
from clv_core.erasure.data_subjects import DataSubjects, Unsure
from clv_core.scratch import temporary_folder
from clv_core.workspace import atomic_path, write_text

CUSTOMER_KEYS: Final = (CUSTOMER_ID, "customer")
OFFICE: Final = (".xlsx", ".pptx", ".docx")
PICTURES: Final = (".png", ".jpg", ".pdf", ".arrow")
BROKEN: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, gzip.BadGzipFile)
DELIMITERS: Final = ",;\t|"
OFFICE_TEXT: Final = re.compile(r"<(?:\w:)?t(?: [^>]*)?>([^<]*)</")
"""A text of a workbook (``<t>``), of slides (``<a:t>``) or of a document (``<w:t>``)."""


def holds(path: Path, wanted: DataSubjects, *, exported: bool = False) -> bool:
    """Say whether a file names any of the customers; one of another kind is looked through as bytes.

    Args:
        path: the file.
        wanted: the customers.
        exported: whether it is a list for others, in which any column may hold customers.
    """
    if exported and any(found.of_customers for found in _short_in(path, wanted)):
        return True
    if path.suffix == ".gz":
        return _unpacked(path, lambda inner: holds(inner, wanted, exported=exported))
    if path.suffix == ".parquet":
        with connect_memory() as connection:
            return _parquet_test(connection, path, wanted) != "false"
    if path.suffix == ".xlsx":
        try:
            with zipfile.ZipFile(path) as book:
                parts = [book.read(part) for part in book.namelist() if part.endswith(".xml")]
        except zipfile.BadZipFile:
            return True
        return any(wanted.everywhere.within(part) or _in_cells(part.decode(errors="replace"), wanted) for part in parts)
    if path.suffix in (".sqlite", ".db"):
        return _sqlite(path, wanted, change=False) > 0
    if path.suffix in (".zip", *OFFICE):
        return _zipped(path, wanted)
    content = path.read_bytes()
    if wanted.everywhere.within(content):
        return True
    if path.suffix in (".json", ".jsonl"):
        return _json_text(content.decode(errors="replace"), wanted)[1] > 0
    return path.suffix in (".csv", ".txt") and _short(content.decode(errors="replace"), wanted)


def unsure_in(path: Path, wanted: DataSubjects, place: str) -> Iterator[Unsure]:
    """Yield the columns of a file in which short ids stand that may mean something else.

    Args:
        path: the file.
        wanted: the customers.
        place: what the file is called.
    """
    for found in _short_in(path, wanted):
        yield Unsure(place, found.column, found.cells, len(found.ids))


def _zipped(path: Path, wanted: DataSubjects) -> bool:
    """Say whether a file of an archive names any of the customers; of one that cannot be read, who can tell."""
    with temporary_folder("clv-unpacked-") as folder:
        try:
            members = _members(path, folder)
        except BROKEN:
            return True
        return any(holds(member, wanted) for member in members if member.is_file())


def _members(path: Path, folder: Path) -> list[Path]:
    """Unpack an archive and return its files and folders."""
    with zipfile.ZipFile(path) as archive:
        return [Path(archive.extract(member, folder)) for member in archive.infolist()]


@dataclass
class _Short:
    """Texts of a column, or under a key, in which short ids stand."""

    column: str
    cells: int = 0
    ids: set[str] = field(default_factory=set)
    of_customers: bool = False


def _short_in(path: Path, wanted: DataSubjects) -> list[_Short]:
    """Return the columns of a file in which short ids stand."""
    if not wanted.everywhere.short or not path.is_file():
        return []
    found: dict[str, _Short] = {}
    words: dict[str, set[str]] = {}
    with suppress(*BROKEN):  # such a file is taken to name everybody
        for column, cell in _cells(path):
            if len(judged := words.setdefault(column, set())) < JUDGED_CELLS:
                judged.update(split_words(cell))
            if ids := wanted.everywhere.short_in(cell):
                short = found.setdefault(column, _Short(column))
                short.cells += 1
                short.ids |= ids
    for short in found.values():
        short.of_customers = short.column not in OF_OTHERS and wanted.customers.are(words[short.column])
    return list(found.values())


def _cells(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the column, or key, and the text of all cells of a file; those of a text without such are its lines."""
    if path.suffix == ".gz":
        with temporary_folder("clv-unpacked-") as folder:
            yield from _cells(_gunzipped(path, folder))
    elif path.suffix == ".parquet":
        with connect_memory() as connection:
            for column in text_columns(connection, path):
                query = f"SELECT {name(column)}::VARCHAR FROM {file_text(path)} WHERE {name(column)} IS NOT NULL"
                rows = connection.execute(query)
                while block := rows.fetchmany(JUDGED_CELLS):
                    yield from ((column, str(row[0])) for row in block)
    elif path.suffix in OFFICE:
        yield from (("", unescape(cell)) for part in _office_parts(path) for cell in OFFICE_TEXT.findall(part))
    elif path.suffix == ".zip":
        with temporary_folder("clv-unpacked-") as folder:
            for member in filter(Path.is_file, _members(path, folder)):
                yield from _cells(member)
    elif path.suffix in (".sqlite", ".db"):
        with closing(sqlite3.connect(path, timeout=60.0)) as connection:
            for table, column in _sqlite_columns(connection):
                rows = connection.execute(f"SELECT {name(column)} FROM {name(table)}")
                for cell in (row[0] for row in rows if isinstance(row[0], str)):
                    yield from ((column, inner) for _, inner in _json_cells("", _json_value(cell)))
    elif path.suffix not in PICTURES:
        content = path.read_bytes().decode(errors="replace")
        if path.suffix in (".json", ".jsonl"):
            yield from (cell for value in _json_values(content) for cell in _json_cells("", value))
        elif path.suffix == ".csv":
            header, *lines = _lines(content) or [[]]
            yield from (("", cell) for cell in header)
            for line in lines:
                yield from zip([*header, *[""] * len(line)], line, strict=False)
        else:
            yield from (("", line) for line in content.split("\n"))


def _json_values(content: str) -> Iterator[Any]:
    """Yield the values of a text of JSON, or of JSON lines; a line that is none is a text."""
    try:
        yield json.loads(content)
    except ValueError:
        yield from (_json_value(line, any_value=True) for line in content.split("\n"))


def _json_value(cell: str, *, any_value: bool = False) -> Any:
    """Return the JSON that a text is where it is an object or a list (or ``any_value``), else the text."""
    try:
        return json.loads(cell) if any_value or cell[:1] in ("{", "[") else cell
    except ValueError:
        return cell


def _json_cells(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner, item in value.items():
            yield (key, inner)
            yield from _json_cells(inner, item)
    elif isinstance(value, list):
        for item in value:
            yield from _json_cells(key, item)
    elif isinstance(value, str):
        yield (key, value)


def _office_parts(path: Path) -> list[str]:
    """Return the XML of a workbook or of slides; none of what is broken, which is taken to name everybody."""
    try:
        with zipfile.ZipFile(path) as book:
            return [book.read(part).decode(errors="replace") for part in book.namelist() if part.endswith(".xml")]
    except zipfile.BadZipFile:
        return []


def _unpacked(path: Path, test: Callable[[Path], bool]) -> bool:
    """Say whether ``test`` holds for what a gzipped file holds, and for one that cannot be read."""
    with temporary_folder("clv-unpacked-") as folder:
        try:
            return test(_gunzipped(path, folder))
        except BROKEN:
            return True


def _gunzipped(path: Path, folder: Path) -> Path:
    target = folder / path.stem
    with gzip.open(path) as packed, target.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return target


def clean(path: Path, wanted: DataSubjects) -> int:
    """Make a file free of the customers; return how many rows, records or texts that took (0: it named nobody)."""
    if not path.exists():
        return 0
    return KINDS.get(path.suffix, _text)(path, wanted)


def _parquet(path: Path, wanted: DataSubjects) -> int:
    with connect_memory() as connection:
        test = _parquet_test(connection, path, wanted)
        if test == "false":
            return 0
        file = file_text(path)
        row = connection.execute(f"SELECT count(*) FROM {file} WHERE {test}").fetchone()
        with atomic_path(path) as temporary:
            query = f"COPY (SELECT * FROM {file} WHERE NOT ({test})) TO {text(str(temporary))} (FORMAT parquet)"
            connection.execute(query)
        return int(row[0]) if row else 0


def _parquet_test(connection: duckdb.DuckDBPyConnection, path: Path, wanted: DataSubjects) -> str:
    """Return the SQL test of rows that name one of the customers."""
    columns = text_columns(connection, path)
    tests = []
    connection.register("gone", pa.table({"id": pa.array(sorted(wanted.ids), pa.string())}))
    for column in columns:
        own = column.lower() == CUSTOMER_ID
        found = [] if own else names_any(connection, path, column, wanted.everywhere)
        if found:
            tests.append(f"coalesce({name(column)}::VARCHAR IN ({', '.join(map(text, found))}), false)")
        if own:
            test = f"coalesce({folded_sql(name(column))} IN (SELECT id FROM gone), false)"
            if connection.execute(f"SELECT 1 FROM {file_text(path)} WHERE {test} LIMIT 1").fetchone():
                tests.append(test)
    return " OR ".join(tests) or "false"


def _json(path: Path, wanted: DataSubjects) -> int:
    said, count = _json_text(path.read_text(encoding="utf-8", errors="replace"), wanted)
    if count:
        write_text(path, said)
    return count


def _json_text(content: str, wanted: DataSubjects) -> tuple[str, int]:
    """Return JSON, or JSON lines, without the customers, and how much had to go."""
    try:
        values, count = _pruned(json.loads(content), wanted)
        return json.dumps(values, ensure_ascii=False, indent=1) + "\n", count
    except ValueError:
        pass
    lines, total = [], 0
    for line in content.removesuffix("\n").split("\n"):
        try:
            value, count = _pruned(json.loads(line), wanted) if line.strip() else ("", 0)
            said = json.dumps(value, ensure_ascii=False) if count else line
            if value is None and count:
                total += count
                continue
        except ValueError:
            said = wanted.everywhere.redacted(line)
            count = int(said != line)
        lines.append(said)
        total += count
    return "".join(f"{line}\n" for line in lines), total


def _pruned(value: Any, wanted: DataSubjects) -> tuple[Any, int]:
    """Return a JSON value without records of the customers (None where it is one), their ids replaced elsewhere."""
    if isinstance(value, dict):
        if any(wanted.names(str(said)) for key in CUSTOMER_KEYS if isinstance(said := value.get(key), str | int)):
            return None, 1
        kept, total = {}, 0
        for key, item in value.items():
            said, count = _pruned(item, wanted)
            word = wanted.everywhere.redacted(key)
            kept[word], total = said, total + count + (word != key)
        return kept, total
    if isinstance(value, list):
        found = [_pruned(item, wanted) for item in value]
        total = sum(count for _, count in found)
        return [
            said for (said, count), item in zip(found, value, strict=True) if said is not None or item is None
        ], total
    if isinstance(value, str):
        said = redact_values(value, (), wanted.everywhere)
        return said, int(said != value)
    return value, 0


def _csv(path: Path, wanted: DataSubjects) -> int:
    content = path.read_bytes().decode(errors="replace")
    if not wanted.everywhere.within(content) and not _short(content, wanted):
        return 0
    end = "\r\n" if "\r\n" in content else "\n"
    lines, mark = _lines(content), _delimiter(content)
    own = _id_place(lines)
    kept = [line for line in lines if not _names(line, own, wanted)]
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=mark, lineterminator=end).writerows(kept)
    return len(lines) - len(kept)


def _names(cells: list[str], own: int | None, wanted: DataSubjects) -> bool:
    whole = own is not None and own < len(cells) and wanted.names(cells[own].lstrip("'").strip())
    return whole or any(wanted.everywhere.within(cell) for cell in cells)


def _id_place(lines: list[list[str]]) -> int | None:
    header = [cell.lstrip("\ufeff").strip() for cell in lines[0]] if lines else []
    found = id_column(header)
    return header.index(found) if found is not None else None


def _lines(content: str) -> list[list[str]]:
    """Return the cells of a table of text, of any length: csv takes 131,072 letters of one unless it is told.

    Only line feeds and carriage returns end a row: a cell may hold whatever else some take for a line's end.
    """
    csv.field_size_limit(max(csv.field_size_limit(), len(content)))
    return list(csv.reader(io.StringIO(content, newline=""), delimiter=_delimiter(content)))


def _delimiter(content: str) -> str:
    """Return what is between the cells of a table of text: of the usual signs the one that its first line has most."""
    first = re.sub(r'"[^"]*"', "", content.partition("\n")[0])
    return max(DELIMITERS, key=first.count)


def _in_cells(content: str, wanted: DataSubjects) -> bool:
    """Say whether a cell of a workbook's text is one of the ids."""
    return any(wanted.names(unescape(cell).lstrip("'").strip()) for cell in OFFICE_TEXT.findall(content))


def _short(content: str, wanted: DataSubjects) -> bool:
    """Say whether a table of text has one of the ids as a cell of its column of ids, or a line of its own."""
    lines = _lines(content)
    own = _id_place(lines)
    if own is None:
        return any(len(line) == 1 and wanted.names(line[0].strip()) for line in lines)
    return any(own < len(line) and wanted.names(line[own].lstrip("'").strip()) for line in lines)


def _sqlite_file(path: Path, wanted: DataSubjects) -> int:
    return _sqlite(path, wanted, change=True)


def _sqlite(path: Path, wanted: DataSubjects, *, change: bool) -> int:
    """Replace ids in all texts of a database; the write-ahead log is written back and the file packed."""
    total = 0
    with closing(sqlite3.connect(path, timeout=60.0, isolation_level=None)) as connection:
        columns = list(_sqlite_columns(connection))
        connection.execute("BEGIN IMMEDIATE" if change else "BEGIN")
        for table, column in columns:
            own = column.lower() in CUSTOMER_KEYS
            for (cell,) in connection.execute(f"SELECT DISTINCT {name(column)} FROM {name(table)}").fetchall():
                said = ERASED if own and isinstance(cell, str) and wanted.names(cell) else _cell(cell, wanted)
                if said != cell:
                    total += 1
                    if change:
                        query = f"UPDATE {name(table)} SET {name(column)} = ? WHERE {name(column)} = ?"
                        connection.execute(query, (said, cell))
        connection.execute("COMMIT")
        if change:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return total


def _sqlite_columns(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield the tables of a database with their columns."""
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in connection.execute(f"PRAGMA table_info({name(table)})").fetchall():
            yield table, row[1]


def _cell(cell: Any, wanted: DataSubjects) -> Any:
    if not isinstance(cell, str):
        return cell
    value = _json_value(cell)
    if isinstance(value, str):
        return wanted.everywhere.redacted(cell)
    said, count = _pruned(value, wanted)
    return json.dumps(said, ensure_ascii=False) if count else cell


def _text(path: Path, wanted: DataSubjects) -> int:
    content = path.read_bytes()
    listed = path.suffix == ".txt" and _short(content.decode(errors="replace"), wanted)
    if not wanted.everywhere.within(content) and not listed:
        return 0
    try:
        lines = wanted.everywhere.redacted(content.decode()).split("\n")
        said = "\n".join(ERASED if listed and wanted.names(line.strip()) else line for line in lines)
    except UnicodeDecodeError:  # no text that we write: nothing can be taken out of it, so all of it goes
        path.unlink()
        return 1
    write_text(path, said)
    return 1


KINDS: Final[dict[str, Callable[[Path, DataSubjects], int]]] = {
    ".parquet": _parquet,
    ".json": _json,
    ".jsonl": _json,
    ".csv": _csv,
    ".sqlite": _sqlite_file,
    ".db": _sqlite_file,
}
"""What is done by a file's ending; any other is text."""
