"""Erases customers from a file that cannot be made again, by its kind.

=====================  ==========================================================================
Parquet, CSV           rows that name a customer are left out
JSON, JSON lines       records of a customer are left out, her ids replaced elsewhere
SQLite                 ids are replaced, the write-ahead log is written back, the file is packed
other text             ids are replaced
any other kind         the file is removed
=====================  ==========================================================================
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from clv_core.collection.engine import connect_memory, file_text, name, one, text
from clv_core.collection.privacy.id_matcher import ERASED
from clv_core.erasure.data_subjects import DataSubjects
from clv_core.erasure.file_search import (
    DATABASES,
    ID_KEYS,
    UNREADABLE,
    id_place,
    json_value,
    named_texts,
    read_table,
    search,
    sqlite_columns,
    texts_of,
)
from clv_core.workspace import atomic_path, write_text


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
    named: list[tuple[str, str]] = []
    for table in texts_of(path):
        named += [(str(table["column"][0]), cell) for cell in named_texts(table, subjects, subjects.contact_matcher)]
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
            rest = f"SELECT * FROM {file_text(path)} WHERE NOT ({test})"
            connection.execute(f"COPY ({rest}) TO {text(str(temporary))} (FORMAT parquet)")
    return count


def _from_csv(path: Path, subjects: DataSubjects) -> int:
    content = path.read_bytes().decode(errors="replace")
    rows, delimiter = read_table(content)
    own = id_place(rows)

    def names(row: list[str]) -> bool:
        ids = row if own is None and len(row) == 1 else row[own : own + 1] if own is not None else []
        is_named = any(subjects.names(cell.lstrip("'").strip()) for cell in ids)
        return is_named or any(map(subjects.contact_matcher.within, row))

    rest = [row for row in rows if not names(row)]
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        end = "\r\n" if "\r\n" in content else "\n"
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rest)
    return len(rows) - len(rest)


def _from_json(path: Path, subjects: DataSubjects) -> int:
    content = path.read_text(encoding="utf-8", errors="replace")
    try:
        value, count = _without(json.loads(content), subjects)
        rest = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    except ValueError:
        lines = [_json_line(line, subjects) for line in content.removesuffix("\n").split("\n")]
        count = sum(changes for _, changes in lines)
        rest = "".join(f"{line}\n" for line, _ in lines if line is not None)
    if count:
        write_text(path, rest)
    return count


def _json_line(line: str, subjects: DataSubjects) -> tuple[str | None, int]:
    """Return a line without customers, None where it is a record of one, and how many changes that took."""
    try:
        value, count = _without(json.loads(line), subjects)
    except ValueError:
        redacted = subjects.contact_matcher.redacted(line)
        return redacted, int(redacted != line)
    if not count:
        return line, 0
    return None if value is None else json.dumps(value, ensure_ascii=False), count


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
        rest = [new for (new, _), old in zip(items, value, strict=True) if new is not None or old is None]
        return rest, sum(changes for _, changes in items)
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
                erased = _without_in_cell(cell, column, subjects)
                if erased != cell:
                    count += 1
                    query = f"UPDATE {name(table)} SET {name(column)} = ? WHERE {name(column)} = ?"
                    connection.execute(query, (erased, cell))
        connection.execute("COMMIT")
        for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            connection.execute(statement)
    return count


def _without_in_cell(cell: Any, column: str, subjects: DataSubjects) -> Any:
    if not isinstance(cell, str):
        return cell
    if column.lower() in ID_KEYS and subjects.names(cell):
        return ERASED
    value = json_value(cell)
    erased, count = _without(value, subjects)
    return cell if not count else erased if isinstance(value, str) else json.dumps(erased, ensure_ascii=False)


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


ERASURES: Final[dict[str, Callable[[Path, DataSubjects], int]]] = {
    ".parquet": _from_parquet,
    ".json": _from_json,
    ".jsonl": _from_json,
    ".csv": _from_csv,
    **dict.fromkeys(DATABASES, _from_sqlite),
}
"""What is done by a file's ending; any other is text, or removed."""
