"""JSON as services answer with it: one object around the list of all records, beside a few words about the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb

from clv_core.collection.engine import file_text, one, text
from clv_core.collection.words.aliases import LIKELY_NAMES, SURE_NAMES, fold
from clv_core.columns import CUSTOMER_ID, EVENT_TIME
from clv_core.errors import Message

MAX_DEPTH: Final = 3
"""So many keys lead to the list at most."""


def unwrapped(connection: duckdb.DuckDBPyConnection, path: Path, scratch: Path) -> tuple[Path, tuple[Message, ...]]:
    """Return a file of the records, one a line, where ``path`` is one object around a list of them, else ``path``.

    The object itself must be no record: one that names a customer or a time is one, with a list of its own.

    Args:
        connection: the engine.
        path: a JSON file.
        scratch: where the records go.
    """
    try:
        table = connection.sql(f"SELECT * FROM read_json({file_text(path)})")
        leaves = [leaf for top, kind in zip(table.columns, table.types, strict=True) for leaf in _leaves((top,), kind)]
        lists = [(keys, kind) for keys, kind in leaves if _holds_records(kind)]
        around = [keys for keys, kind in leaves if kind.id != "list"]
        if not lists or any(_of_record(keys[-1]) for keys in around) or one(connection, _count(path))[0] != 1:
            return path, ()
        timed = [keys for keys, kind in lists if any(_is_time(inner[-1]) for inner, _ in _leaves((), kind.child))]
        found = [keys for keys, _ in lists] if len(lists) == 1 else timed
        if len(found) != 1:
            return path, ()
        keys = "$" + "".join('."' + key.replace('"', '\\"') + '"' for key in found[0])
        records = connection.execute(
            f"SELECT unnest(json_extract(content, {text(keys + '[*]')}))::VARCHAR FROM read_text({file_text(path)})"
        ).fetchall()
    except duckdb.Error:
        return path, ()  # reading it as it is says what is wrong
    if not records:
        return path, ()
    target = scratch / "records.json"
    target.write_text("".join(f"{record}\n" for (record,) in records), encoding="utf-8")
    return target, (Message("warning.envelope", {"column": ".".join(found[0]), "rows": len(records)}),)


def _count(path: Path) -> str:
    return f"SELECT count(*) FROM (SELECT 1 FROM read_json({file_text(path)}) LIMIT 2)"


def _leaves(path: tuple[str, ...], kind: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the keys that lead to each value that is no object, and its type."""
    if kind.id != "struct" or len(path) > MAX_DEPTH:
        yield path, kind
        return
    for key, child in kind.children:
        yield from _leaves((*path, str(key)), child)


def _holds_records(kind: Any) -> bool:
    return bool(kind.id == "list" and kind.child.id == "struct")


def _of_record(key: str) -> bool:
    """Say whether a key is one of a record: of a customer or a time."""
    means = {SURE_NAMES.get(fold(key)), LIKELY_NAMES.get(fold(key))}
    return EVENT_TIME in means or (CUSTOMER_ID in means and fold(key) != "id")


def _is_time(key: str) -> bool:
    return EVENT_TIME in (SURE_NAMES.get(fold(key)), LIKELY_NAMES.get(fold(key)))
