"""JSON as services answer with it: one object around the list of all records, beside a few words about the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

import duckdb

from clv_core.collection.engine import file_text
from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, SURE_NAMES, fold
from clv_core.columns import CUSTOMER_ID, EVENT_TIME
from clv_core.errors import Message

MAX_DEPTH: Final = 3
"""So many keys lead to the list at most."""
SHOWN: Final = 100
"""Elements of a list that say what it holds."""
MAX_VALUES: Final = 100_000
"""Values beside lists; an object of more is no envelope."""
BLOCK: Final = 1 << 20
NOT_BLANK: Final = re.compile(r"[^ \t\r\n]")


def unwrapped(connection: duckdb.DuckDBPyConnection, path: Path, scratch: Path) -> tuple[Path, tuple[Message, ...]]:
    """Return a file of the records, one a line, where ``path`` is one object around a list of them, else ``path``.

    The object itself must be no record: one that names a customer or a time is one, with a list of its own. The file is
    read record by record, whatever its size.

    Args:
        connection: the engine.
        path: a JSON file.
        scratch: where the records go.
    """
    folder = scratch / "records"
    folder.mkdir()
    found = _split(path, folder)
    if found is None or not found.counts:
        return path, ()
    around = folder / "around.json"
    around.write_text(json.dumps(found.around), encoding="utf-8")
    try:
        table = connection.sql(f"SELECT * FROM read_json({file_text(around)})")
        leaves = [leaf for top, kind in zip(table.columns, table.types, strict=True) for leaf in _leaves((top,), kind)]
    except duckdb.Error:
        return path, ()  # reading it as it is says what is wrong
    lists = [(keys, kind) for keys, kind in leaves if _holds_records(kind) and keys in found.counts]
    if not lists or any(_of_record(keys[-1]) for keys, kind in leaves if kind.id != "list"):
        return path, ()
    timed = [keys for keys, kind in lists if any(_is_time(inner[-1]) for inner, _ in _leaves((), kind.child))]
    best = [keys for keys, _ in lists] if len(lists) == 1 else timed
    if len(best) != 1:
        return path, ()
    note = Message("warning.envelope", {"column": ".".join(best[0]), "rows": found.counts[best[0]]})
    return found.files[best[0]], (note,)


def _split(path: Path, folder: Path) -> _Envelope | None:
    """Return an object with its lists of objects in files of their own, None where the file is no single object."""
    try:
        with path.open(encoding="utf-8") as file:
            envelope = _Envelope(file, folder)
            return envelope if envelope.is_whole() else None
    except (ValueError, RecursionError):
        return None  # no JSON, or not in UTF-8


class _Envelope:
    """One JSON object read piece by piece.

    Attributes:
        around: the object; of each list its first :data:`SHOWN` elements.
        counts: keys that lead to a list of objects -> how many it holds.
        files: the same keys -> the file of its objects, one a line.
    """

    def __init__(self, file: TextIO, folder: Path) -> None:
        self._file, self._folder = file, folder
        self._text, self._at, self._values = "", 0, 0
        self._decoder = json.JSONDecoder()
        self.around: dict[str, Any] = {}
        self.counts: dict[tuple[str, ...], int] = {}
        self.files: dict[tuple[str, ...], Path] = {}

    def is_whole(self) -> bool:
        """Read the file, and say whether it is one object alone.

        Raises:
            ValueError: it is no JSON, or holds too many values outside lists.
        """
        if self._next() != "{":
            return False
        self.around = self._object(())
        return not self._next()

    def _object(self, keys: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in self._elements("}"):
            key = self._value()[0]
            if self._next() != ":":
                raise ValueError
            self._at += 1
            inner = (*keys, str(key))
            first = self._next()
            if first == "{" and len(inner) <= MAX_DEPTH:
                found[str(key)] = self._object(inner)
            else:
                found[str(key)] = self._list(inner) if first == "[" else self._value()[0]
        return found

    def _list(self, keys: tuple[str, ...]) -> list[Any]:
        """Read a list, its objects into a file, and return its first elements."""
        shown: list[Any] = []
        count, target = 0, self._folder / f"{len(self.files)}.json"
        with target.open("w", encoding="utf-8") as out:
            for _ in self._elements("]"):
                is_record = self._next() == "{"
                value, text = self._value(shown=len(shown) < SHOWN)
                shown += [value] if len(shown) < SHOWN else []
                if is_record:
                    out.write(text.replace("\n", " ").replace("\r", " ") + "\n")
                    count += 1
        if count:
            self.counts[keys], self.files[keys] = count, target
        return shown

    def _elements(self, end: str) -> Iterator[None]:
        """Stand before each element of an object or a list in turn, and at last behind its end."""
        self._at += 1
        while (mark := self._next()) != end:
            if mark == ",":
                self._at += 1
                self._next()
            yield
        self._at += 1

    def _value(self, *, shown: bool = True) -> tuple[Any, str]:
        """Read a value, and return it with its text.

        Args:
            shown: whether it becomes part of :attr:`around`.
        """
        self._values += shown
        if self._values > MAX_VALUES:
            raise ValueError
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
                if end < len(self._text) or not self._more():  # a number may go on in the next block
                    break
            except json.JSONDecodeError:
                if not self._more():
                    raise
        text, self._at = self._text[self._at : end], end
        return value, text

    def _next(self) -> str:
        """Return the next character that is not blank, empty at the end of the file."""
        while True:
            found = NOT_BLANK.search(self._text, self._at)
            if found:
                self._at = found.start()
                return found.group()
            self._at = len(self._text)
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on, at least as much as is held already; say whether there was more."""
        block = self._file.read(max(BLOCK, len(self._text) - self._at))
        if block:
            self._text, self._at = self._text[self._at :] + block, 0
        return bool(block)


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
