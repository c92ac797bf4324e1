"""The suppression list of a workspace: customers whom no list, plan or look-up may hold, by id, e-mail or phone.

Addresses and numbers are matched with those in a dataset's customers table, which gives the ids of their owners.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import pyarrow.parquet as pq

from clv_core.collection.parse.contact_texts import (
    addresses,
    every_address,
    mailbox,
    mailboxes,
    phone_keys,
    phone_marks,
)
from clv_core.collection.parse.id_texts import similar_mark
from clv_core.collection.privacy.keyed_list import HASHES, KeyedList
from clv_core.collection.vocabulary.column_names import EMAIL, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import NotFound
from clv_core.records import JsonObject
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    from clv_core.collection.store.dataset import Dataset

FILE: Final = "suppression/list.jsonl"
PURPOSE: Final = "clv studio suppressed customers"
ID_HASHES: Final = 2
"""Hashes of an entry that is no phone number: of the id and of its pseudonym."""


@dataclass(frozen=True)
class SuppressionList:
    """The list as it is now.

    Args:
        people: the list on disk; it names nobody.
        hashes: of all who are on it.
        owners: ids of a dataset's customers one of whose addresses or numbers is on it.
        numbers: whether any phone number may be on it.
        similar: whether ids of the dataset that differ only in capitals, blanks or leading zeros are one customer.
    """

    people: KeyedList
    hashes: frozenset[str] = field(repr=False)
    owners: frozenset[str] = field(repr=False)
    numbers: bool = True
    similar: bool = False

    @classmethod
    def of(cls, workspace: Workspace, dataset: Dataset | None = None) -> SuppressionList:
        """Return the list of a workspace.

        Args:
            workspace: whose.
            dataset: whose customers table has addresses; None: customers are recognised by id alone.

        Raises:
            Refused: there is a list, and the key that it was made with is missing.
        """
        return cls.read(KeyedList(workspace, FILE, PURPOSE, marks_of), dataset)

    @classmethod
    def read(cls, people: KeyedList, dataset: Dataset | None = None) -> SuppressionList:
        """Return a list on disk; see :meth:`of`."""
        if not people.file.exists():
            return cls(people, frozenset(), frozenset())
        written = people.file.stat()
        similar = dataset is not None and dataset.manifest.merges_similar_ids
        table = None if dataset is None else dataset.with_all.customers_path
        return _read(people, table, (written.st_ino, written.st_mtime_ns), similar)

    @property
    def mark(self) -> str:
        """A hash of the list, for caches."""
        return hashlib.sha256("".join(sorted(self.hashes)).encode()).hexdigest()[:12]

    def holds(self, word: str) -> bool:
        """Return whether a customer id, or an e-mail address, is on the list."""
        if not self.hashes:
            return False
        spellings = [word, similar_mark(word)] if self.similar else [word]
        return word in self.owners or any(self.people.hashes_of(spelling)[0] in self.hashes for spelling in spellings)

    def names(self, word: str) -> bool:
        """Return whether a word that a person entered is on the list: an id, an e-mail address, or a phone number."""
        return self.holds(word) or bool(self.hides(pd.DataFrame({CUSTOMER_ID: [""], PHONE: [word]})).any())

    def check(self, customer: str) -> None:
        """Refuse to show a customer who is on the list.

        Raises:
            NotFound: the customer is on the list.
        """
        if self.holds(customer):
            raise NotFound("customer_suppressed", customer=customer)

    def hides(self, frame: pd.DataFrame) -> pd.Series[bool]:
        """Return which rows are on the list: by ``customer_id``, the dataset's addresses, ``email`` or ``phone``."""
        hidden: pd.Series[bool] = pd.Series(False, index=frame.index)
        if self.hashes:
            hidden |= self.people.marked(frame[CUSTOMER_ID], self.hashes)
            hidden |= frame[CUSTOMER_ID].astype("str").isin(self.owners)
            if self.similar:
                marks = frame[CUSTOMER_ID].astype("str").map(similar_mark)
                hidden |= self.people.marked(marks, self.hashes)
            if EMAIL in frame:
                hidden |= self.hides_emails(frame[EMAIL])
            if PHONE in frame:
                hidden |= self.hides_phones(frame[PHONE])
        return hidden

    def hides_emails(self, texts: pd.Series[Any]) -> pd.Series[bool]:
        """Return which cells hold an e-mail address that is on the list, the only one or one of several."""
        if not self.hashes:
            return pd.Series(False, index=texts.index)
        cells = texts.reset_index(drop=True)
        every = every_address(cells)
        hidden = self.people.marked(cells.astype("str").fillna("").str.strip().str.lower(), self.hashes)
        for spelling in (every, mailboxes(every)):
            hidden |= cells.index.isin(every.index[self.people.marked(spelling, self.hashes).to_numpy()])
        return hidden.set_axis(texts.index)

    def hides_phones(self, texts: pd.Series[Any]) -> pd.Series[bool]:
        """Return which phone numbers are on the list, in any notation."""
        if not self.hashes or not self.numbers:
            return pd.Series(False, index=texts.index)
        keys = phone_keys(texts)
        words = pd.Series(pd.unique(keys.to_numpy().ravel()))
        words = words[words != ""]
        return keys.isin(set(words[self.people.marked(words, self.hashes)])).any(axis=1)

    def without(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of customers who are not on the list."""
        return frame[~self.hides(frame)].reset_index(drop=True) if self.hashes else frame

    def portable(self) -> SuppressionList:
        """Return the list for processes that do not see its workspace: it carries its own key, not the workspace's."""
        return replace(self, people=self.people.portable())

    def add(self, words: Collection[str], **about: str) -> int:
        """Put people on the list; return how many were not on it."""
        return self.people.add(words, **about)

    def remove(self, words: Collection[str]) -> int:
        """Take people off the list; return how many were on it."""
        return self.people.remove(words)

    def entries(self) -> list[JsonObject]:
        """Return the entries, which name nobody."""
        return self.people.entries()


def marks_of(word: str) -> tuple[str, ...]:
    """Return other texts that identify a person: a phone number's digits, an address, its mailbox, a similar id."""
    every = addresses(word)
    return (*phone_marks(word), *every, *map(mailbox, every), similar_mark(word))


@lru_cache(maxsize=8)
def _read(people: KeyedList, table: Path | None, written: tuple[int, int], similar: bool) -> SuppressionList:
    """Return the list as it was ``written``, with the owners of its addresses and numbers in a customers table."""
    hashes = people.hashes()
    if hashes:
        people.sql("x")
    numbers = any(len(entry[HASHES]) > ID_HASHES for entry in people.entries())
    by_id = SuppressionList(people, hashes, frozenset(), numbers, similar)
    if table is None or not table.exists():
        return by_id
    columns = [column for column in pq.read_schema(table).names if column.lower() in (EMAIL, PHONE)]
    if not columns:
        return by_id
    rows = pd.read_parquet(table, columns=[CUSTOMER_ID, *columns]).rename(columns=str.lower)
    return SuppressionList(
        people, hashes, frozenset(rows.loc[by_id.hides(rows), CUSTOMER_ID].astype("str")), numbers, similar
    )
