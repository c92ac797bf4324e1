"""The texts of a file of any kind, as a reader of its kind sees them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from clv_core.collection import connect_memory, file_text, name, text
from clv_core.collection.privacy import BATCH, text_columns
from clv_core.collection.vocabulary import id_column
from clv_core.columns import CUSTOMER_ID

ID_KEYS: Final = (CUSTOMER_ID, "customer")
"""Columns, and keys of JSON, whose values are customers' ids."""
MIN_LONG_NUMBER: Final = 10**5
"""From here on an integer in JSON is searched as an id; smaller ones are mostly counts. A guess; under keys of ids an
integer of any size is searched."""
DATABASES: Final = (".sqlite", ".db")
ARCHIVES: Final = (".zip", ".xlsx", ".pptx", ".docx")
BINARY: Final = (".png", ".jpg", ".pdf", ".safetensors", ".tables", ".lock", ".sqlite-wal", ".sqlite-shm")
"""Kinds of which the raw bytes alone are searched."""
UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, gzip.BadGzipFile, EOFError, NotImplementedError, pa.ArrowInvalid)
"""Errors of files that are not of the kind of their ending."""
DELIMITERS: Final = ",;\t|"
OFFICE_TEXT: Final = re.compile(r"<(?:\w:)?t(?: [^>]*)?>([^<]*)</")
"""A text of a workbook (``<t>``), of slides (``<a:t>``) or of a document (``<w:t>``)."""

Cell = tuple[str, str, bool]
"""A text's column or key ("" where there is none), the text, and whether a short id names its customer there."""


def texts_of(path: Path, min_bytes: int = 0) -> Iterator[pa.Table]:
    """Yield the texts of a file that is not packed, or of a Parquet file, as its kind is read.

    Args:
        path: the file.
        min_bytes: shorter texts are not needed.

    Returns:
        Tables with ``column``, ``text``, ``cells`` (how often it occurs there) and ``is_id`` (whether a short id names
        its customer there).
    """
    kind = path.suffix.lower()
    if kind == ".parquet":
        yield from _parquet_texts(path, min_bytes)
        return
    cells = _cells(path, kind)
    while block := Counter(islice(cells, BATCH)):
        columns, texts, is_id = zip(*block, strict=True)
        yield pa.table(
            {
                "column": pa.array(columns, pa.string()),
                "text": pa.array(texts, pa.large_string()),
                "cells": pa.array(block.values(), pa.int64()),
                "is_id": pa.array(is_id, pa.bool_()),
            }
        )


def unpacked(path: Path, folder: Path) -> list[Path]:
    """Return the file itself, or the files of an archive and of those in it, unpacked below ``folder``."""
    kind = path.suffix.lower()
    if kind not in (".gz", *ARCHIVES):
        return [path] if path.is_file() else []
    target = Path(tempfile.mkdtemp(dir=folder))
    if kind == ".gz":
        with gzip.open(path) as packed, (target / path.stem).open("wb") as file:
            shutil.copyfileobj(packed, file)
    else:
        with zipfile.ZipFile(path) as archive:
            if any(member.flag_bits & 1 for member in archive.infolist()):
                raise zipfile.BadZipFile("encrypted")
            archive.extractall(target)
    return [file for member in sorted(target.rglob("*")) if member.is_file() for file in unpacked(member, folder)]


def read_table(content: str) -> tuple[list[list[str]], str]:
    """Return the rows of a table of text, and what separates its cells: the usual sign that its first line has most.

    Only line feeds and carriage returns end a row: a cell may hold whatever else some take for a line's end.
    """
    first = re.sub(r'"[^"]*"', "", content.partition("\n")[0])
    delimiter = max(DELIMITERS, key=first.count)
    csv.field_size_limit(max(csv.field_size_limit(), len(content)))
    return list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)), delimiter


def id_place(rows: list[list[str]]) -> int | None:
    """Return the place of the column of customers' ids in a table with a header, None where there is none."""
    header = [cell.lstrip("\ufeff").strip() for cell in rows[0]] if rows else []
    column = id_column(header)
    return None if column is None else header.index(column)


def json_value(cell: str) -> Any:
    """Return the JSON object or list that a text is, else the text."""
    try:
        return json.loads(cell) if cell[:1] in ("{", "[") else cell
    except ValueError:
        return cell


def sqlite_columns(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield the tables of a database with their columns."""
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in connection.execute(f"PRAGMA table_info({name(table)})").fetchall():
            yield table, row[1]


def _parquet_texts(path: Path, min_bytes: int) -> Iterator[pa.Table]:
    pq.read_metadata(path)
    with connect_memory() as connection:
        for column in text_columns(connection, path):
            about = f'{text(column)} AS "column", {column.lower() in ID_KEYS} AS is_id'
            cell = f"{name(column)}::VARCHAR"
            query = f"SELECT {cell} AS text, count(*) AS cells, {about} FROM {file_text(path)}"
            rows = connection.execute(f"{query} WHERE strlen({cell}) >= {min_bytes} GROUP BY 1")
            yield from (pa.Table.from_batches([batch]) for batch in rows.to_arrow_reader(BATCH))


def _cells(path: Path, kind: str) -> Iterator[Cell]:
    if kind == ".arrow":
        with pa.memory_map(str(path)) as file:
            columns = ipc.open_file(file).read_all().to_pydict()
        yield from ((key, cell, True) for key, cells in columns.items() for cell in cells if isinstance(cell, str))
    elif kind in DATABASES:
        yield from _sqlite_cells(path)
    elif kind not in BINARY:
        content = path.read_bytes().decode(errors="replace")
        if kind in (".json", ".jsonl"):
            yield from _json_texts(content)
        elif kind in (".csv", ".txt"):
            yield from _table_cells(content, lines=kind == ".txt")
        elif kind == ".xml" and (texts := OFFICE_TEXT.findall(content)):
            yield from (("", unescape(cell), "xl" in path.parts) for cell in texts)
        else:
            yield from (("", line, False) for line in content.split("\n"))


def _sqlite_cells(path: Path) -> Iterator[Cell]:
    with closing(sqlite3.connect(path, timeout=60.0)) as connection:
        for table, column in sqlite_columns(connection):
            for (cell,) in connection.execute(f"SELECT {name(column)} FROM {name(table)}"):
                if isinstance(cell, str):
                    cells = _json_cells(column, json_value(cell))
                    yield from ((column, inner, is_id) for _, inner, is_id in cells)


def _json_texts(content: str) -> Iterator[Cell]:
    """Yield the texts of JSON, or of JSON lines; a line that is neither is a text."""
    try:
        yield from _json_cells("", json.loads(content))
    except ValueError:
        for line in content.split("\n"):
            try:
                yield from _json_cells("", json.loads(line))
            except ValueError:
                yield "", line, False


def _json_cells(key: str, value: Any) -> Iterator[Cell]:
    if isinstance(value, dict):
        for inner, item in value.items():
            yield key, inner, False
            yield from _json_cells(inner, item)
    elif isinstance(value, list):
        for item in value:
            yield from _json_cells(key, item)
    elif isinstance(value, str) or (isinstance(value, int) and (key.lower() in ID_KEYS or value >= MIN_LONG_NUMBER)):
        yield key, str(value), key.lower() in ID_KEYS


def _table_cells(content: str, *, lines: bool) -> Iterator[Cell]:
    """Yield the cells of a table of text by its header; or its lines (``lines``) where no column is of ids."""
    rows, _ = read_table(content)
    id_index = id_place(rows)
    if lines and id_index is None:
        yield from (("", line, True) for line in content.split("\n"))
        return
    header, *rest = rows or [[]]
    yield from (("", cell, len(header) == 1) for cell in header)
    for row in rest:
        for place, cell in enumerate(row):
            yield (
                header[place] if place < len(header) else "",
                cell,
                place == id_index if id_index is not None else len(row) == 1,
            )
