"""The suppression list of a workspace: customers whom no list, plan or look-up may hold, by id or e-mail address."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from clv_core.collection.contact_fields import EMAIL
from clv_core.collection.privacy.keyed import KeyedList
from clv_core.columns import CUSTOMER_ID
from clv_core.workspace import Workspace

FILE: Final = "suppression/list.jsonl"
PURPOSE: Final = "clv studio suppressed customers"


@dataclass(frozen=True)
class StopList:
    """The list as it is now.

    Args:
        people: the list on disk; it names nobody.
        hashes: of all who are on it.
    """

    people: KeyedList
    hashes: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, workspace: Workspace) -> StopList:
        """Return the list of a workspace.

        Raises:
            Refused: there is one, and the key it was made with is not there: nobody is left out in silence.
        """
        people = KeyedList(workspace, FILE, PURPOSE)
        hashes = people.hashes()
        if hashes:
            people.sql("x")
        return cls(people, hashes)

    @property
    def mark(self) -> str:
        """What changes when the list does, for caches."""
        return hashlib.sha256("".join(sorted(self.hashes)).encode()).hexdigest()[:12]

    def holds(self, word: str) -> bool:
        """Say whether a customer id, or an e-mail address, is on the list."""
        return bool(self.hashes) and not self.hashes.isdisjoint(self.people.hashes_of(word)[:1])

    def hides(self, frame: pd.DataFrame) -> pd.Series[bool]:
        """Say which rows are on the list, by ``customer_id`` and where there is one by ``email``."""
        hidden: pd.Series[bool] = pd.Series(False, index=frame.index)
        if self.hashes:
            hidden |= self.people.marked(frame[CUSTOMER_ID], self.hashes)
            if EMAIL in frame:
                hidden |= self.people.marked(frame[EMAIL].astype("str").str.strip().str.lower(), self.hashes)
        return hidden

    def without(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of those who are not on the list."""
        return frame[~self.hides(frame)].reset_index(drop=True) if self.hashes else frame

    def add(self, words: Collection[str], **about: str) -> int:
        """Put people on the list; return how many were not on it."""
        return self.people.add(words, **about)

    def remove(self, words: Collection[str]) -> int:
        """Take people off the list; return how many were on it."""
        return self.people.remove(words)

    def entries(self) -> list[dict[str, Any]]:
        """Return what is kept of each, which names nobody."""
        return self.people.entries()
