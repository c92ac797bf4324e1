"""What is looked for: the ids as given, their pseudonyms, and the contact fields that the customers table holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd
import pyarrow as pa

from clv_core.collection.engine import file_text
from clv_core.collection.privacy.needles import ERASED, Needles
from clv_core.collection.stored.store import Dataset
from clv_core.collection.values.pseudonyms import BLANKS, load_key, pseudonym
from clv_core.collection.words.contact_fields import EMAIL, MADID, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import UsageError
from clv_core.strategy.contacts.contacts import MOBILE_CN, md5, named, sha256
from clv_core.strategy.contacts.reach import clean
from clv_core.strategy.exports.platforms import google_emails, tiktok_emails
from clv_core.workspace import Workspace

REACHING: Final = (EMAIL, PHONE, MADID)


@dataclass(frozen=True)
class ToErase:
    """Who is to go, by all the names that they may have.

    Args:
        given: ids as the person gave them, each once.
        ids: the same, their pseudonyms and :attr:`spellings`, looked up whole.
        spellings: ids of the datasets that are an e-mail address which was given, in other case, and what was given.
        reaching: e-mail addresses, phone numbers and device ids, plain and hashed as ad platforms get them.
    """

    given: tuple[str, ...]
    ids: frozenset[str]
    spellings: Mapping[str, str] = field(default_factory=dict, repr=False)
    reaching: frozenset[str] = field(default=frozenset(), repr=False)

    @cached_property
    def needles(self) -> Needles:
        """Words to be found within longer texts."""
        return Needles(self.ids)

    @cached_property
    def everywhere(self) -> Needles:
        """The same, with what reaches the customers: for files outside the datasets."""
        return Needles(self.ids | self.reaching)


def wanted(workspace: Workspace, ids: Iterable[str], datasets: Collection[Dataset]) -> ToErase:
    """Return what is looked for.

    Args:
        workspace: whose key makes pseudonyms.
        ids: as a person writes them; blanks around do not count, nor does what stands for somebody who was erased.
        datasets: every version in which the customers may be.

    Raises:
        UsageError: no id.
        Refused: a dataset holds pseudonyms and the key is not there.
    """
    given = tuple(dict.fromkeys(word.strip(BLANKS) for word in ids if word.strip(BLANKS) not in ("", ERASED)))
    if not given:
        raise UsageError("erase_nobody")
    spellings = _spellings(given, datasets)
    names = {*given, *spellings}
    for fingerprint in {one.manifest.key_fingerprint for one in datasets if one.manifest.pseudonymised}:
        key = load_key(workspace, fingerprint)
        names |= {pseudonym(key, form) for word in (*given, *spellings) for form in forms(word)}
    reaching: set[str] = set()
    for one in datasets:
        if one.manifest.customers_table is not None:
            reaching |= _reaching(one, names)
    return ToErase(given, frozenset(names), spellings, frozenset(reaching))


def forms(word: str) -> tuple[str, ...]:
    """Return what a person may be called in a file: as given, and an e-mail address in lower case."""
    return (word, word.lower()) if "@" in word else (word,)


def _spellings(given: Iterable[str], datasets: Collection[Dataset]) -> dict[str, str]:
    """Return the ids of the datasets that are one of the e-mail addresses given, however they are written."""
    mails = {word.lower(): word for word in given if "@" in word}
    if not mails:
        return {}
    found: dict[str, str] = {}
    with duckdb.connect() as connection:
        connection.register("gone", pa.table({"mail": pa.array(sorted(mails), pa.string())}))
        for path in [file for one in datasets for file in _files(one)]:
            query = (
                f"SELECT DISTINCT {CUSTOMER_ID} FROM {file_text(path)}"
                f" WHERE contains({CUSTOMER_ID}, '@') AND lower({CUSTOMER_ID}) IN (SELECT mail FROM gone)"
            )
            found |= {name: mails[name.lower()] for (name,) in connection.execute(query).fetchall()}
    return {name: word for name, word in found.items() if name not in mails.values()}


def _files(dataset: Dataset) -> list[Path]:
    return [dataset.events_path, *([dataset.customers_path] if dataset.manifest.customers_table is not None else [])]


def _reaching(dataset: Dataset, ids: Collection[str]) -> set[str]:
    """Return how the customers are reached, as the table says it and as platform files hold it."""
    with duckdb.connect() as connection:
        connection.register("gone", pa.table({"id": pa.array(sorted(ids), pa.string())}))
        file = file_text(dataset.customers_path)
        query = f"SELECT * FROM {file} WHERE {CUSTOMER_ID} IN (SELECT id FROM gone)"
        rows: pd.DataFrame = connection.execute(query).to_arrow_table().to_pandas()
    if rows.empty:
        return set()
    plain = named(rows)
    tidy = clean(plain, None)
    columns = [frame[name].astype("str") for frame in (plain, tidy) for name in REACHING if name in frame]
    hashed = [sha256(tidy[EMAIL]), sha256(google_emails(tidy[EMAIL])), md5(tidy[MOBILE_CN])]
    hashed += [sha256(tiktok_emails(tidy[EMAIL])), sha256(tidy[PHONE]), sha256(tidy[PHONE].str.lstrip("+"))]
    return {word for column in (*columns, *hashed) for word in column.dropna() if word}
