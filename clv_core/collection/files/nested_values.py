"""Values within objects: the keys that lead to them, what their columns are called, and their text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from clv_core.collection.engine import name, text
from clv_core.collection.files.column_names import distinct

KEYED_ROWS: Final = 1_000_000
"""Rows whose objects' keys become columns."""
MAX_DEPTH: Final = 6
Path = tuple[str, ...]
"""A column's name, then keys."""


def leaves(path: Path, kind: Any) -> Iterator[Path]:
    """Yield the paths to the values of a column, by its type: ``user`` with ``id`` and ``name`` gives two."""
    if kind.id != "struct" or len(path) >= MAX_DEPTH:
        yield path
        return
    for key, child in kind.children:
        yield from leaves((*path, str(key)), child)


def names_of(paths: Iterable[Path], others: Iterable[str] = ()) -> tuple[str, ...]:
    """Return a name for each path, ``user.id``, each of its own and none of the others."""
    return distinct(map(".".join, paths), others)


def cell_text(path: Path) -> str:
    """Return SQL for the text at a path within a column of JSON, NULL where it is empty or not there."""
    keys = "".join('."' + key.replace('"', '\\"') + '"' for key in path[1:])
    value = f"json_extract_string({name(path[0])}, {text('$' + keys)})" if keys else name(path[0])
    return f"nullif({value}, '')"
