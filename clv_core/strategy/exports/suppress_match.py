"""How much of a do-not-contact list is about customers who are known here, so that none of it is ignored unseen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clv_core.collection.engine import connect_memory, file_text
from clv_core.collection.privacy.stoplist import StopList
from clv_core.collection.stored.store import Dataset
from clv_core.collection.values.email_texts import addresses, every_address, mailbox, mailboxes
from clv_core.collection.values.id_texts import folded
from clv_core.collection.values.phone_texts import phone_keys, phone_marks
from clv_core.collection.values.pseudonyms import load_key, pseudonym
from clv_core.collection.words.contact_fields import EMAIL, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message
from clv_core.strategy.contacts.contacts import named
from clv_core.strategy.contacts.reach import stopped
from clv_core.strategy.contacts.suppress_file import Entries
from clv_core.strategy.exports.contacts_stored import latest_contacts
from clv_core.workspace import Workspace


@dataclass(frozen=True)
class Matches:
    """What a list matches.

    Args:
        read: entries of the list.
        customers: different customers whom they name.
        nobody: entries that name no customer who is known.
    """

    read: int
    customers: int
    nobody: int

    @property
    def message(self) -> Message:
        """The counts in a sentence; a warning where the whole list matches nobody."""
        if self.read and self.nobody == self.read:
            return Message("warning.suppress_none", {"read": self.read})
        said = {"read": self.read, "customers": self.customers, "nobody": self.nobody}
        return Message("warning.suppress_matched", said)

    def to_json(self) -> dict[str, Any]:
        """Return the counts; they name nobody."""
        return {"read": self.read, "customers": self.customers, "nobody": self.nobody}


def matches(
    workspace: Workspace, entries: Entries, datasets: Iterable[Dataset], customers: pd.DataFrame | None = None
) -> Matches:
    """Return how many entries of a list name a customer of some datasets.

    Args:
        workspace: whose key makes pseudonyms.
        entries: of the list.
        datasets: whose customers are known.
        customers: their addresses, where they do not come from the datasets' own customers tables.
    """
    people: set[str] = set()
    matched: set[int] = set()
    for dataset in datasets:
        places = _places(workspace, entries, dataset)
        known = latest_contacts(dataset) if customers is None else customers
        for ids, texts in _columns(dataset, known):
            hit = texts.isin(places.keys())
            people |= set(ids[hit])
            matched |= {place for text in set(texts[hit]) for place in places[text]}
    return Matches(len(entries), len(people), len(entries) - len(matched))


def listed(dataset: Dataset, stop: StopList) -> int:
    """Return how many customers of a dataset are on the suppression list, by their id or an address of theirs.

    Args:
        dataset: whose customers are known.
        stop: the list, which itself names nobody.
    """
    ids = _ids(dataset)
    found = stopped(ids.to_frame(), latest_contacts(dataset), stop)
    return int(ids.isin(found).sum())


def _ids(dataset: Dataset) -> pd.Series[Any]:
    """Return the ids of a dataset's customers, each once."""
    with connect_memory() as connection:
        query = f"SELECT DISTINCT {CUSTOMER_ID} FROM {file_text(dataset.events_path)}"
        ids: pd.Series[Any] = connection.execute(query).to_arrow_table().to_pandas()[CUSTOMER_ID].astype("str")
    return ids


def _places(workspace: Workspace, entries: Entries, dataset: Dataset) -> dict[str, list[int]]:
    """Return the places of the entries by the texts that their customers are looked up by."""
    facts = dataset.manifest
    key = load_key(workspace, facts.key_fingerprint) if facts.pseudonymised else None
    places: dict[str, list[int]] = {}
    for place, words in enumerate(entries):
        for word in words:
            texts = {folded(word), *phone_marks(word), *addresses(word), *map(mailbox, addresses(word))}
            for text in texts | ({pseudonym(key, word)} if key is not None else set()):
                places.setdefault(text, []).append(place)
    return places


def _columns(dataset: Dataset, customers: pd.DataFrame | None) -> Iterable[tuple[pd.Series[Any], pd.Series[Any]]]:
    """Yield the customers' ids beside each text that they are known by."""
    ids = _ids(dataset)
    yield ids, ids
    if customers is None:
        return
    known = named(customers)
    known = known[known[CUSTOMER_ID].isin(set(ids))]
    if EMAIL in known:
        yield known[CUSTOMER_ID], known[EMAIL].astype("str").fillna("").str.strip().str.lower()
        found = every_address(known[EMAIL].set_axis(known[CUSTOMER_ID]))
        for spelt in (found, mailboxes(found)):
            yield found.index.to_series().reset_index(drop=True), spelt.reset_index(drop=True)
    if PHONE in known:
        keys = phone_keys(known[PHONE])
        for name in keys:
            yield known[CUSTOMER_ID], keys[name]
