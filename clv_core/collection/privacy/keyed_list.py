"""A list of people that names nobody: HMAC-SHA256 of each id under a key of its own.

The list's key is made from the workspace's (:mod:`clv_core.collection.parse.id_texts`), so that its hashes are not
the pseudonyms that a dataset may hold. Who has the list without the key can neither read an id nor try candidates.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from clv_core import audit
from clv_core.collection.engine import connect_memory
from clv_core.collection.parse.id_texts import BLANKS, fingerprint_of, key_path, load_key, pseudonym, pseudonym_sql
from clv_core.errors import Refused
from clv_core.locks import writing
from clv_core.records import JsonObject
from clv_core.workspace import Workspace, read_lines, write_text

HASHES: Final = "hashes"


def no_marks(word: str) -> Sequence[str]:
    """Return nothing: no other text identifies a person."""
    return ()


@dataclass(frozen=True)
class KeyedList:
    """One list of a workspace, a JSON line a person.

    Args:
        workspace: whose.
        path: the file, relative to the workspace.
        purpose: of the list; lists of different purposes have different keys.
        marks: other texts that identify a person, such as a phone number in another notation.
        key: of the list, where the workspace's cannot be read; None: it is made from that one.
    """

    workspace: Workspace
    path: str
    purpose: str
    marks: Callable[[str], Sequence[str]] = no_marks
    key: bytes | None = field(default=None, repr=False)

    @property
    def file(self) -> Path:
        """Where the list lies."""
        return self.workspace.root / self.path

    def entries(self) -> list[JsonObject]:
        """Return the entries, ``{hashes, key, at, who, ...}``, the oldest first."""
        return [json.loads(line) for line in read_lines(self.file)]

    def add(self, words: Collection[str], **about: str) -> int:
        """Put people on the list; return how many were not on it.

        Args:
            words: ids, e-mail addresses, or whatever else the list's ``marks`` take.
            about: more of each person's entry; it must not name anybody.

        Raises:
            Refused: the key with which the list was begun is not there.
        """
        with writing(self.file):
            entries = self.entries()
            present = {(entry[HASHES][0], *(entry.get(name, "") for name in sorted(about))) for entry in entries}
            fields = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "who": audit.actor(), **about}
            about_key = tuple(about[name] for name in sorted(about))
            root = self._root()
            given = {hashes[0]: hashes for hashes in map(self.hashes_of, words)}
            fresh = {
                first: {HASHES: hashes, "key": fingerprint_of(root), **fields}
                for first, hashes in given.items()
                if (first, *about_key) not in present
            }
            fuller = [
                {**item, HASHES: list(dict.fromkeys([*item[HASHES], *given.get(item[HASHES][0], ())]))}
                for item in entries
            ]
            if fresh or fuller != entries:
                self._write([*fuller, *fresh.values()])
            return len(fresh)

    def remove(self, words: Collection[str]) -> int:
        """Take people off the list; return how many were on it."""
        hashes = {hashed for word in words for hashed in self.hashes_of(word)} if self.file.exists() else set()
        entries = [entry[HASHES] for entry in self.entries()]
        return self.remove_hashes({row[0] for row in entries if not hashes.isdisjoint(row)})

    def remove_hashes(self, hashes: Collection[str]) -> int:
        """Take entries off the list by their first hash; return how many."""
        with writing(self.file):
            entries = self.entries()
            left = [entry for entry in entries if entry[HASHES][0] not in hashes]
            if len(left) < len(entries):
                self._write(left)
            return len(entries) - len(left)

    def hashes_of(self, word: str) -> list[str]:
        """Return the hashes of a person: as they are called, as a pseudonym, and by the list's marks."""
        root = self._root()
        stripped = word.strip(BLANKS)
        texts = [stripped, pseudonym(root, stripped), *self.marks(stripped)]
        return list(dict.fromkeys(pseudonym(self._key(root), spelling) for spelling in texts))

    def hashes(self, selects: Callable[[JsonObject], bool] = lambda entry: True) -> frozenset[str]:
        """Return all hashes of the entries that are ``chosen``."""
        return frozenset(hashed for entry in self.entries() if selects(entry) for hashed in entry[HASHES])

    def marked(self, texts: pd.Series[Any], hashes: frozenset[str]) -> pd.Series[bool]:
        """Return which of some texts are among ``hashes``; missing ones are not."""
        if not hashes or texts.empty:
            return pd.Series(False, index=texts.index)
        words = texts.astype("str").fillna("")
        with connect_memory() as connection:
            connection.register("words", pa.table({"word": pa.array(words.unique(), pa.string())}))
            connection.register("hashes", pa.table({"hash": pa.array(sorted(hashes), pa.string())}))
            query = f"SELECT word FROM words WHERE {self.sql('word')} IN (SELECT hash FROM hashes)"
            matches = connection.execute(query).to_arrow_table()["word"].to_pylist()
        return words.isin(matches)  # by the word: the engine may return rows of a column in several chunks in any order

    def sql(self, column: str) -> str:
        """Return SQL for the hash of a text expression."""
        return pseudonym_sql(self._key(self._root()) if self.key is None else self.key, column)

    def portable(self) -> KeyedList:
        """Return the same list with its own key, which compares texts with hashes where the workspace is not."""
        key = self._key(self._root()) if self.file.exists() else None
        return replace(self, key=key, marks=no_marks)

    def _key(self, root: bytes) -> bytes:
        return hmac.new(root, self.purpose.encode(), hashlib.sha256).digest()

    def _root(self) -> bytes:
        """Return the workspace's key if it is the one with which the list was begun; one line is read.

        Raises:
            Refused: it is not there.
        """
        if not self.file.exists():
            return load_key(self.workspace, "")
        with self.file.open(encoding="utf-8") as lines:
            first = next((line for line in lines if line.strip()), None)
        needed = "" if first is None else str(json.loads(first)["key"])
        try:
            return load_key(self.workspace, needed)
        except Refused as error:
            if error.code not in ("key_missing", "key_other"):
                raise
            path = str(key_path(self.workspace))
            raise Refused("list_key", list=self.path, path=path, fingerprint=needed) from error

    def _write(self, entries: Iterable[JsonObject]) -> None:
        write_text(self.file, "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries))
