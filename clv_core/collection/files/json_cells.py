"""Tables with a JSON object in each cell of a column: what a tracker or a database knows of an event beside its name.

Each value becomes a column of its own, ``properties.order_id``, in place of the one that held the objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.files.dialect import known_names
from clv_core.collection.files.nested_values import (
    KEYED_ROWS,
    MAX_DEPTH,
    MOST_NESTED,
    Path,
    cell_text,
    is_nested_too_deep,
    names_of,
)

JUDGED_ROWS: Final = 2_000
"""A column whose filled cells in so many rows are objects is one of objects."""
NOTHING: Final = "NULL"


def unfolding(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str], most: int
) -> tuple[tuple[str, Path], ...]:
    """Return the values of all JSON objects in cells, as columns with the paths that lead there.

    Args:
        connection: the engine.
        relation: table expression of the file, all of it text.
        columns: the file's own.
        most: columns that the file may have in all; beyond them values with known names go first.
    """
    paths = {column: tuple(_paths(connection, relation, column)) for column in _objects(connection, relation, columns)}
    plain = [column for column in columns if not paths.get(column)]
    found = [path for some in paths.values() for path in some]
    if len(plain) + len(found) > most:
        found = sorted(found, key=lambda path: not known_names([path[-1]]))[: most - len(plain)]
    return tuple(zip(names_of(found, plain), found, strict=True))


def unfolded(table: str, values: Sequence[tuple[str, Path]]) -> str:
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


def _objects(connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]) -> list[str]:
    """Return the columns whose filled cells are JSON objects; one with a cell of endless objects stays text."""
    cells = [name(column) for column in columns]
    tests = ", ".join(f"bool_and(starts_with(ltrim({cell}), '{{') AND json_valid({cell}))" for cell in cells)
    told = one(connection, f"SELECT {tests} FROM (SELECT * FROM {relation} LIMIT {JUDGED_ROWS})")
    found = [column for column, holds in zip(columns, told, strict=True) if holds]
    return [column for column in found if not _nested_too_deep(connection, relation, name(column))]


def _nested_too_deep(connection: duckdb.DuckDBPyConnection, relation: str, cell: str) -> bool:
    begun = f"length({cell}) - length(replace(replace({cell}, '{{', ''), '[', ''))"
    rows = connection.execute(
        f"SELECT {cell} FROM (SELECT {cell} FROM {relation} LIMIT {KEYED_ROWS}) WHERE {begun} > {MOST_NESTED}"
    )
    while row := rows.fetchone():
        if is_nested_too_deep([row[0].encode()]):
            return True
    return False


def _paths(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> Iterator[Path]:
    cell = name(column)
    (structure,) = one(
        connection,
        f"SELECT json_group_structure({cell}::JSON) FROM (SELECT {cell} FROM {relation} LIMIT {KEYED_ROWS})"
        f" WHERE json_valid({cell})",
    )
    return _values((column,), json.loads(structure))


def _values(path: Path, structure: Any) -> Iterator[Path]:
    """Yield the paths to values; lists are one, and what is null everywhere is none."""
    if isinstance(structure, dict) and len(path) < MAX_DEPTH:
        for key, below in structure.items():
            yield from _values((*path, key), below)
    elif structure != NOTHING and len(path) > 1:
        yield path
