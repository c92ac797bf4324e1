"""Searches a file of any kind for customers, and erases them from one that cannot be made again.

A file names a customer where a long id, or one of her contacts, is anywhere in it; where a short id is a cell of a
column of ids; and, in a list made for others, where a short id is in any column of customers. Elsewhere a short id may
mean something else and is counted. What is erased, by the file's ending:

=====================  ==========================================================================
Parquet, CSV           rows that name a customer are left out
JSON, JSON lines       records of a customer are left out, ids are replaced elsewhere
SQLite, other text     ids are replaced; a database's log is written back, and its file packed
any other kind         the file is removed
=====================  ==========================================================================
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clv_core.collection import connect_memory, file_text, name, one, text
from clv_core.collection.privacy import ERASED, OTHER_IDS, SAMPLE_CELLS, IdMatcher, split_words
from clv_core.erasure.data_subjects import DataSubjects
from clv_core.erasure.file_texts import (
    DATABASES,
    ID_KEYS,
    UNREADABLE,
    id_place,
    json_value,
    read_table,
    sqlite_columns,
    texts_of,
    unpacked,
)
from clv_core.scratch import temporary_folder
from clv_core.workspace import atomic_path, write_text


@dataclass(frozen=True)
class FileHits:
    """What a file holds of customers.

    Args:
        named: whether it names one of them.
        unsure: of a file that does not, by column: how many texts hold short ids, and which.
    """

    named: bool
    unsure: dict[str, tuple[int, set[str]]] = field(default_factory=dict)


def search(
    path: Path, subjects: DataSubjects, *, any_column: bool = False, matcher: IdMatcher | None = None
) -> FileHits:
    """Search a file; one that cannot be read as its kind counts as one that names a customer.

    Args:
        path: the file.
        subjects: the customers.
        any_column: whether a short id names its customer in any column of customers, as in a list made for others.
        matcher: of what is searched for; default: of the ids and the contacts.
    """
    matcher = matcher or subjects.contact_matcher
    unsure: dict[str, tuple[int, set[str]]] = {}
    try:
        with temporary_folder("clv-unpacked-") as folder:
            files = unpacked(path, folder)
            if any(matcher.within(file.name) or _in_bytes(file, matcher) for file in files):
                return FileHits(True)
            shortest = 0 if matcher.short else min((len(word.encode()) for word in matcher.words), default=0)
            for table in (table for file in files for table in texts_of(file, shortest)):
                if _named_texts(table, subjects, matcher):
                    return FileHits(True)
                for row, short in matcher.short_rows(table["text"].combine_chunks()).items():
                    column, cells = str(table["column"][row]), table["cells"][row].as_py()
                    earlier = unsure.get(column, (0, set()))
                    unsure[column] = (earlier[0] + cells, earlier[1] | short)
            samples = _samples(files, unsure.keys() - OTHER_IDS) if any_column else {}
        return FileHits(any(map(subjects.customers.cover, samples.values())), unsure)
    except UNREADABLE:
        return FileHits(True)


def erase_from(path: Path, subjects: DataSubjects) -> int:
    """Erase customers from a file; return how many rows, records or texts named them. Other files stay untouched."""
    if path.suffix not in DATABASES and not search(path, subjects).named:
        return 0
    try:
        return ERASURES.get(path.suffix, _from_text)(path, subjects)
    except UNREADABLE:
        path.unlink()
        return 1


def _from_parquet(path: Path, subjects: DataSubjects) -> int:
    """Write a table without the rows of which a cell names a customer; return how many those were.

    ``named`` has the cells that do, by column; each column is compared with its own, and a row goes where one matches.
    """
    named: list[tuple[str, str]] = []
    for table in texts_of(path):
        named += [(str(table["column"][0]), cell) for cell in _named_texts(table, subjects, subjects.contact_matcher)]
    columns, texts = ([pair[at] for pair in named] for at in (0, 1))
    with connect_memory() as connection:
        fields = {"column": pa.array(columns, pa.string()), "text": pa.array(texts, pa.string())}
        connection.register("named", pa.table(fields))
        tests = [
            f'coalesce({name(column)}::VARCHAR IN (SELECT text FROM named WHERE "column" = {text(column)}), false)'
            for column in dict.fromkeys(columns)
        ]
        test = " OR ".join(tests) or "false"
        count = int(one(connection, f"SELECT count(*) FROM {file_text(path)} WHERE {test}")[0])
        with atomic_path(path) as temporary:
            remaining = f"SELECT * FROM {file_text(path)} WHERE NOT ({test})"
            connection.execute(f"COPY ({remaining}) TO {text(str(temporary))} (FORMAT parquet)")
    return count


def _from_csv(path: Path, subjects: DataSubjects) -> int:
    content = path.read_bytes().decode(errors="replace")
    rows, delimiter = read_table(content)
    id_index = id_place(rows)

    def names(row: list[str]) -> bool:
        ids = row[id_index : id_index + 1] if id_index is not None else row if len(row) == 1 else []
        return any(map(subjects.names_cell, ids)) or any(map(subjects.contact_matcher.within, row))

    remaining = [row for row in rows if not names(row)]
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        end = "\r\n" if "\r\n" in content else "\n"
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(remaining)
    return len(rows) - len(remaining)


def _from_json(path: Path, subjects: DataSubjects) -> int:
    content = path.read_text(encoding="utf-8", errors="replace")
    try:
        value, count = _without(json.loads(content), subjects)
        remaining = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    except ValueError:
        lines = [_without_in_line(line, subjects) for line in content.removesuffix("\n").split("\n")]
        count = sum(changes for _, changes in lines)
        remaining = "".join(f"{line}\n" for line, _ in lines if line is not None)
    if count:
        write_text(path, remaining)
    return count


def _without(value: Any, subjects: DataSubjects) -> tuple[Any, int]:
    """Return a JSON value without customers' records (None where it is one) and ids, and how many there were."""
    if isinstance(value, dict):
        ids = (value.get(key) for key in ID_KEYS)
        if any(subjects.names(str(word)) for word in ids if isinstance(word, str | int)):
            return None, 1
        keys = [subjects.contact_matcher.redacted(key) for key in value]
        items = [_without(item, subjects) for item in value.values()]
        count = sum(changes for _, changes in items) + sum(new != old for new, old in zip(keys, value, strict=True))
        return {key: item for key, (item, _) in zip(keys, items, strict=True)}, count
    if isinstance(value, list):
        items = [_without(item, subjects) for item in value]
        remaining = [new for (new, _), old in zip(items, value, strict=True) if new is not None or old is None]
        return remaining, sum(changes for _, changes in items)
    if isinstance(value, str):
        redacted = subjects.contact_matcher.redacted(value)
        return redacted, int(redacted != value)
    return value, 0


def _from_sqlite(path: Path, subjects: DataSubjects) -> int:
    count = 0
    with closing(sqlite3.connect(path, timeout=60.0, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for table, column in list(sqlite_columns(connection)):
            for (cell,) in connection.execute(f"SELECT DISTINCT {name(column)} FROM {name(table)}").fetchall():
                is_id = isinstance(cell, str) and column.lower() in ID_KEYS and subjects.names(cell)
                remaining, changes = _without_in_line(cell, subjects) if isinstance(cell, str) else (cell, 0)
                if is_id or changes:
                    count += 1
                    query = f"UPDATE {name(table)} SET {name(column)} = ? WHERE {name(column)} = ?"
                    connection.execute(query, (ERASED if is_id or remaining is None else remaining, cell))
        connection.execute("COMMIT")
        for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            connection.execute(statement)
    return count


def _without_in_line(line: str, subjects: DataSubjects) -> tuple[str | None, int]:
    """Return a text, JSON or not, without customers (None where it is a record of one), and how many there were."""
    value = json_value(line)
    remaining, count = _without(value, subjects)
    changed = remaining if remaining is None or isinstance(value, str) else json.dumps(remaining, ensure_ascii=False)
    return changed if count else line, count


def _from_text(path: Path, subjects: DataSubjects) -> int:
    try:
        content = path.read_bytes().decode()
    except UnicodeDecodeError:
        path.unlink()
        return 1
    if path.suffix == ".txt" and id_place(read_table(content)[0]) is not None:
        return _from_csv(path, subjects)
    lines = subjects.contact_matcher.redacted(content).split("\n")
    is_list = path.suffix == ".txt"
    write_text(path, "\n".join(ERASED if is_list and subjects.names(line.strip()) else line for line in lines))
    return 1


def _named_texts(table: pa.Table, subjects: DataSubjects, matcher: IdMatcher) -> list[str]:
    """Return the texts that name a customer for sure; in a column of ids ``shop-1200`` is not in ``shop-1200-b``."""
    texts, is_id = table["text"].combine_chunks().cast(pa.large_string()), table["is_id"].combine_chunks()
    ids, other_texts = texts.filter(is_id), texts.filter(pc.invert(is_id))
    respelled = pc.invert(pc.match_substring_regex(ids, r"^[\w-]*$"))  # any other id is compared as it is
    ids = ids.filter(pc.or_(respelled, pc.is_in(ids, subjects.id_array)))
    named = [cell for cell in ids.to_pylist() if subjects.names_cell(cell)]
    return named + [str(other_texts[int(row)]) for row in matcher.rows(other_texts)]


def _in_bytes(path: Path, matcher: IdMatcher) -> bool:
    compressed = path.suffix.lower() == ".parquet"
    return not compressed and path.stat().st_size > 0 and matcher.within(np.memmap(path, np.uint8, "r"))


def _samples(files: Iterable[Path], columns: Collection[str]) -> dict[str, set[str]]:
    """Return words of the texts of some columns."""
    words: dict[str, set[str]] = {column: set() for column in columns}
    for table in (table for file in files for table in texts_of(file)) if columns else ():
        for column, sample in words.items():
            if len(sample) < SAMPLE_CELLS:
                cells = table.filter(pc.equal(table["column"], column))["text"].slice(0, SAMPLE_CELLS)
                sample.update(word for cell in cells.to_pylist() for word in split_words(cell))
    return words


ERASURES: Final[dict[str, Callable[[Path, DataSubjects], int]]] = {
    ".parquet": _from_parquet,
    ".json": _from_json,
    ".jsonl": _from_json,
    ".csv": _from_csv,
    **dict.fromkeys(DATABASES, _from_sqlite),
}
"""Functions that erase, by a file's ending; any other file is text, or removed."""
