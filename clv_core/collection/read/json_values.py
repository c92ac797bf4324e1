"""JSON: records within an answer of a service, values within objects, and objects in the cells of a table.

Each value becomes a column that is called by the keys which lead to it, ``user.id``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np

from clv_core.collection.engine import file_text, name, one, text
from clv_core.collection.read.dialect import column_roles, known_names, unique_names
from clv_core.collection.vocabulary.column_names import fold
from clv_core.columns import CUSTOMER_ID, EVENT_TIME
from clv_core.errors import Message, Refused

KEYED_ROWS: Final = 1_000_000
"""Rows whose objects' keys become columns."""
KEYS_AT_ONCE: Final = 1_000
"""Records whose keys are counted between two looks at their number."""
MAX_OBJECT_BYTES: Final = 1 << 24
"""Largest record, the engine's own default: a larger one is hardly an event."""
JUDGED_ROWS: Final = 2_000
"""A column whose filled cells in so many rows are objects is one of objects."""
MAX_DEPTH: Final = 6
"""Keys within each other that become a column; deeper ones stay text (a guess)."""
MAX_NESTED: Final = 200
"""Objects and lists within each other; from some 10,000 on the engine's process ends of it. Exports reach 10."""
MAX_ENVELOPE_DEPTH: Final = 4
"""So many keys lead to the list of records at most."""
MAX_ENVELOPE_BYTES: Final = 1 << 28
"""Larger answers are not unpacked: to the engine, all of one is a single object in memory."""
QUOTE: Final = 2
"""The number of a quotation mark in :data:`NESTING`."""
NESTING: Final = np.zeros(256, np.int8)
"""What a byte of JSON does: begins an object or a list, ends one, or begins or ends a text."""
NESTING[list(b"[{")], NESTING[list(b"]}")], NESTING[ord('"')] = 1, -1, QUOTE
NOTHING: Final = "NULL"
Keys = tuple[str, ...]
"""A column's name, then keys."""


def is_nested_too_deep(blocks: Iterable[bytes]) -> bool:
    """Return whether more than :data:`MAX_NESTED` objects and lists of a JSON text are nested.

    Args:
        blocks: the text, piece by piece.
    """
    depth, quoted, rest = 0, False, b""
    for block in blocks:
        piece = rest + block
        rest = b"\\" if (len(piece) - len(piece.rstrip(b"\\"))) % 2 else b""
        piece = piece[: len(piece) - len(rest)].replace(b"\\\\", b"").replace(b'\\"', b"")
        steps = NESTING[np.frombuffer(piece, np.uint8)]
        steps = steps[steps != 0]
        inside = np.logical_xor.accumulate(steps == QUOTE) ^ quoted
        depths = depth + np.cumsum(np.where(inside | (steps == QUOTE), 0, steps), dtype=np.int64)
        if depths.size:
            if depths.max() > MAX_NESTED:
                return True
            depth, quoted = int(depths[-1]), bool(inside[-1])
    return False


def keys_of_wide(connection: duckdb.DuckDBPyConnection, path: Path, limit: int, file: str) -> tuple[str, ...]:
    """Return the keys of a file's records where more than ``limit`` keys are in objects within them, else nothing.

    The engine takes 6 kB and a millisecond for each different key when it looks for columns (200,000: 1.2 GB). Here
    reading ends as soon as there are too many.

    Args:
        connection: the engine.
        path: a JSON file.
        limit: of columns.
        file: what the person calls it.

    Raises:
        Refused: more keys of the records themselves: each would be a column.
    """
    seen: dict[str, Any] = {}
    reader = f"read_json_objects({file_text(path)}, maximum_object_size = {MAX_OBJECT_BYTES})"
    records = connection.execute(f"SELECT json(json) FROM {reader} LIMIT {KEYED_ROWS}")
    count = 0
    while rows := records.fetchmany(KEYS_AT_ONCE):
        for (record,) in rows:
            count += _add_keys(seen, json.loads(record), 1 if count > limit else MAX_DEPTH)
        if len(seen) > limit:
            raise Refused("too_many_columns", file=file, columns=len(seen), limit=limit)
    return tuple(seen) if count > limit else ()


def _add_keys(seen: dict[str, Any], value: Any, depth: int) -> int:
    """Add the keys of an object, and of objects in it, to those seen; return how many are new."""
    if not isinstance(value, dict) or not depth:
        return 0
    new = 0
    for key, below in value.items():
        if key not in seen:
            seen[key] = {}
            new += 1
        if type(below) is dict:
            new += _add_keys(seen[key], below, depth - 1)
    return new


def unwrapped(connection: duckdb.DuckDBPyConnection, path: Path, scratch: Path) -> tuple[Path, tuple[Message, ...]]:
    """Return a file of the records, one a line, where ``path`` is one object around a list of them, else ``path``.

    The object itself must be no record: one that names a customer or a time is one, with a list of its own.

    Args:
        connection: the engine.
        path: a JSON file.
        scratch: where the records go.
    """
    size = path.stat().st_size
    if size > MAX_ENVELOPE_BYTES or _is_no_envelope(path):
        return path, ()
    objects = f"read_json_objects({file_text(path)}, format = 'unstructured', maximum_object_size = {size + 1})"
    try:
        rows = connection.execute(f"SELECT json_structure(json) FROM {objects} LIMIT 2").fetchall()
        if len(rows) != 1 or not rows[0][0].startswith("{"):
            return path, ()
        leaves = list(_leaves((), json.loads(rows[0][0]), MAX_ENVELOPE_DEPTH))
        lists = {keys: kind[0] for keys, kind in leaves if isinstance(kind, list) and isinstance(kind[0], dict)}
        if any(_names_a_record(keys[-1]) for keys, kind in leaves if keys and not isinstance(kind, list)):
            return path, ()
        timed = [keys for keys, kind in lists.items() if any(_is_time(key) for (*_, key), _ in _leaves((), kind))]
        candidates = list(lists) if len(lists) == 1 else timed
        if len(candidates) != 1:
            return path, ()
        keys, target = candidates[0], scratch / "records.json"
        listed = f"json_extract(json, {text(_json_path(keys) + '[*]')})"
        # Inner: the items of the list. Outer: those that are objects.
        records = connection.execute(
            f"SELECT record FROM (SELECT unnest({listed}) AS record FROM {objects}) WHERE json_type(record) = 'OBJECT'"
        )
        count = 0
        with target.open("w", encoding="utf-8") as out:
            while some := records.fetchmany(10_000):
                out.writelines(f"{record}\n" for (record,) in some)
                count += len(some)
    except duckdb.Error:
        return path, ()  # reading it as it is raises the precise error
    return target, (Message("warning.envelope", {"column": ".".join(keys), "rows": count}),)


def _is_no_envelope(path: Path) -> bool:
    """Return whether a file begins with a list, or its first line is an object by itself and not all of the file."""
    with path.open("rb") as file:
        first = file.readline(1 << 20)
        try:
            json.loads(first)
        except (ValueError, RecursionError):
            return first.lstrip().startswith(b"[")
        return first.lstrip().startswith(b"[") or bool(file.read(1 << 16).strip())


def refuse_nested_events(paths: Sequence[Keys], columns: Sequence[str], kinds: Sequence[Any], file: str) -> None:
    """Refuse objects whose only times are in a list of objects: the events of a session or of a customer.

    Args:
        paths: keys that lead to each value.
        columns: top-level keys.
        kinds: their types, as the engine has them.
        file: what the person calls it.

    Raises:
        Refused: the events are to be unfolded first.
    """
    if any(_is_time(path[-1]) for path in paths):
        return
    for column, kind in zip(columns, kinds, strict=True):
        if kind.id == "list" and kind.child.id == "struct":
            keys = [str(key) for key, _ in kind.child.children]
            if any(map(_is_time, keys)):
                raise Refused("nested_events", file=file, column=column, keys=keys[:8])


def leaves(path: Keys, kind: Any) -> Iterator[Keys]:
    """Yield the keys to the values of a column, by its type: ``user`` with ``id`` and ``name`` gives two."""
    if kind.id != "struct" or len(path) >= MAX_DEPTH:
        yield path
        return
    for key, child in kind.children:
        yield from leaves((*path, str(key)), child)


def cell_text(path: Keys) -> str:
    """Return SQL for the text at a path within a column of JSON, NULL where it is empty or not there."""
    value = f"json_extract_string({name(path[0])}, {text(_json_path(path[1:]))})" if path[1:] else name(path[0])
    return f"nullif({value}, '')"


def unfolding(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str], most: int
) -> tuple[tuple[str, Keys], ...]:
    """Return the values of all JSON objects in cells, as columns with the keys that lead there.

    Args:
        connection: the engine.
        relation: table expression of the file, all of it text.
        columns: the file's own.
        most: columns that the file may have in all; beyond them values with recognised names go first.
    """
    cells = [name(column) for column in columns]
    tests = ", ".join(f"bool_and(starts_with(ltrim({cell}), '{{') AND json_valid({cell}))" for cell in cells)
    objects = one(connection, f"SELECT {tests} FROM (SELECT * FROM {relation} LIMIT {JUDGED_ROWS})")
    paths: dict[str, list[Keys]] = {}
    for column, holds in zip(columns, objects, strict=True):
        rows = f"(SELECT {name(column)} AS cell FROM {relation} LIMIT {KEYED_ROWS})"
        if holds and not _nested_too_deep(connection, rows):
            structure = one(connection, f"SELECT json_group_structure(cell::JSON) FROM {rows} WHERE json_valid(cell)")
            values = _leaves((column,), json.loads(structure[0]), MAX_DEPTH)
            paths[column] = [path for path, kind in values if len(path) > 1 and kind != NOTHING]
    plain = [column for column in columns if not paths.get(column)]
    values_of = [path for some in paths.values() for path in some]
    if len(plain) + len(values_of) > most:
        values_of = sorted(values_of, key=lambda path: not known_names([path[-1]]))[: most - len(plain)]
    return tuple(zip(unique_names(map(".".join, values_of), plain), values_of, strict=True))


def unfolded(table: str, values: Sequence[tuple[str, Keys]]) -> str:
    """Return a table expression with columns of values in place of those that hold them.

    Args:
        table: as it is.
        values: of :func:`unfolding`.
    """
    if not values:
        return table
    objects = ", ".join(dict.fromkeys(name(path[0]) for _, path in values))
    cells = ", ".join(
        f"CASE WHEN json_valid({name(path[0])}) THEN {cell_text(path)} END AS {name(column)}" for column, path in values
    )
    return f"(SELECT * EXCLUDE ({objects}), {cells} FROM {table})"


def _nested_too_deep(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    begun = "length(cell) - length(replace(replace(cell, '{', ''), '[', ''))"
    cells = connection.execute(f"SELECT cell FROM {rows} WHERE {begun} > {MAX_NESTED}")
    while row := cells.fetchone():
        if is_nested_too_deep([row[0].encode()]):
            return True
    return False


def _leaves(keys: Keys, structure: Any, depth: int = MAX_DEPTH) -> Iterator[tuple[Keys, Any]]:
    """Yield the keys to each value that is no object, or lies below ``depth`` keys, with its structure."""
    if not isinstance(structure, dict) or len(keys) >= depth:
        yield keys, structure
        return
    for key, below in structure.items():
        yield from _leaves((*keys, key), below, depth)


def _json_path(keys: Keys) -> str:
    return "$" + "".join('."' + key.replace('"', '\\"') + '"' for key in keys)


def _names_a_record(key: str) -> bool:
    """Return whether a key is one of a record: of a customer or a time."""
    return _is_time(key) or (CUSTOMER_ID in column_roles(key) and fold(key) != "id")


def _is_time(key: str) -> bool:
    return EVENT_TIME in column_roles(key)
