"""Values within objects: the keys that lead to them, what their columns are called, and their text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np

from clv_core.collection.engine import name, text
from clv_core.collection.files.column_names import distinct

KEYED_ROWS: Final = 1_000_000
"""Rows whose objects' keys become columns."""
MAX_DEPTH: Final = 6
MOST_NESTED: Final = 200
"""Objects and lists within each other; from some 10,000 on the engine's process ends of it. Exports reach 10."""
QUOTE: Final = 2
NESTING: Final = np.zeros(256, np.int8)
"""What a byte of JSON does: begins an object or a list, ends one, or begins or ends a text."""
NESTING[list(b"[{")], NESTING[list(b"]}")], NESTING[ord('"')] = 1, -1, QUOTE
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


def is_nested_too_deep(blocks: Iterable[bytes]) -> bool:
    """Say whether more than :data:`MOST_NESTED` objects and lists of a JSON text stand within each other.

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
            if depths.max() > MOST_NESTED:
                return True
            depth, quoted = int(depths[-1]), bool(inside[-1])
    return False
