"""What is looked for: the ids as given, their pseudonyms, and the contact fields that the customers table holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from clv_core.collection.engine import connect_memory, file_text, name
from clv_core.collection.privacy.id_matcher import ERASED, IdMatcher
from clv_core.collection.privacy.row_erasure import text_columns
from clv_core.collection.privacy.short_ids import CustomerIds
from clv_core.collection.stored.store import Dataset, list_datasets
from clv_core.collection.values.id_texts import folded, folded_sql, unified, unified_sql
from clv_core.collection.values.pseudonyms import BLANKS, load_key, pseudonym
from clv_core.collection.words.contact_fields import EMAIL, MADID, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import UsageError
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.strategy.audiences.contacts import (
    COUNTRY_CODE,
    canonical_contacts,
    clean_contacts,
    md5,
    mobiles_cn,
    phones,
    sha256,
)
from clv_core.strategy.audiences.countries import region_names
from clv_core.strategy.audiences.platforms import google_emails, tiktok_emails
from clv_core.workspace import Workspace

REACHING: Final = (EMAIL, PHONE, MADID)


@dataclass(frozen=True)
class Unsure:
    """Texts in which ids stand that may mean something else there, as short numbers do; they were not changed.

    Args:
        file: relative to the workspace, or as it was exported.
        column: of the file, or key; "" for a text without such.
        cells: how many texts.
        ids: how many of the ids.
    """

    file: str
    column: str
    cells: int
    ids: int


@dataclass(frozen=True)
class DataSubjects:
    """Who is to go, by all the names that they may have.

    Args:
        given: ids as the person gave them, each once; one that is an e-mail address as all its spellings are.
        ids: the same, and their pseudonyms; :meth:`names` looks them up whole.
        reaching: e-mail addresses, phone numbers and device ids, plain and hashed as ad platforms get them.
        workspace: whose datasets tell columns of customers' ids from others.
    """

    given: tuple[str, ...]
    ids: frozenset[str]
    reaching: frozenset[str] = field(default=frozenset(), repr=False)
    workspace: Workspace | None = None

    def names(self, cell: str) -> bool:
        """Say whether a text is one of the ids."""
        return folded(cell) in self.ids

    @property
    def customers(self) -> CustomerIds:
        """Those who are to go and those who are in the datasets as they are now."""
        datasets = list_datasets(self.workspace) if self.workspace is not None else []
        return CustomerIds(self.ids, tuple(one.events_path for one in datasets))

    @cached_property
    def needles(self) -> IdMatcher:
        """Words to be found within longer texts."""
        return IdMatcher(self.ids)

    @cached_property
    def everywhere(self) -> IdMatcher:
        """The same, with what reaches the customers: for files outside the datasets."""
        return IdMatcher(self.ids | self.reaching)


def wanted(workspace: Workspace, ids: Iterable[str], datasets: Collection[Dataset]) -> DataSubjects:
    """Return what is looked for.

    Args:
        workspace: whose key makes pseudonyms.
        ids: as a person writes them; blanks around do not count, nor does what stands for somebody who was erased.
        datasets: every version in which the customers may be.

    Raises:
        UsageError: no id.
        Refused: a dataset holds pseudonyms and the key is not there.
    """
    words = (word.strip(BLANKS) for word in ids)
    given = tuple(dict.fromkeys(folded(word) for word in words if word not in ("", ERASED)))
    if not given:
        raise UsageError("erase_nobody")
    given = tuple(dict.fromkeys([*given, *_similar(datasets, given)]))
    names = set(given)
    for fingerprint in {one.manifest.key_fingerprint for one in datasets if one.manifest.pseudonymised}:
        key = load_key(workspace, fingerprint)
        names |= {pseudonym(key, word) for word in given}
        if any(one.manifest.merges_similar_ids and one.manifest.key_fingerprint == fingerprint for one in datasets):
            names |= {pseudonym(key, unified(word)) for word in given}
    reaching: set[str] = set()
    for one in datasets:
        if one.manifest.customers_table is not None:
            reaching |= _reaching(one, names)
    return DataSubjects(given, frozenset(names), frozenset(reaching), workspace)


def _similar(datasets: Collection[Dataset], given: Collection[str]) -> list[str]:
    """Return the ids that are only another spelling of a given one, in datasets where those are one customer."""
    found: set[str] = set()
    for one in datasets:
        if one.manifest.merges_similar_ids and not one.manifest.pseudonymised:
            with connect_memory() as connection:
                connection.register("given", pa.table({"id": pa.array(sorted(map(unified, given)), pa.string())}))
                own = one.manifest.mapping.get(CUSTOMER_ID, CUSTOMER_ID)
                places = [(one.events_path, CUSTOMER_ID), (one.set_aside_path, own)]
                for path, column in places:
                    if column in text_columns(connection, path):
                        id_ = folded_sql(name(column))
                        query = f"SELECT DISTINCT {id_} AS id FROM {file_text(path)}"
                        test = f"{unified_sql('id')} IN (SELECT id FROM given)"
                        rows = connection.execute(f"SELECT id FROM ({query}) WHERE {test}").fetchall()
                        found |= {str(row[0]) for row in rows}
    return sorted(found)


def _reaching(dataset: Dataset, ids: Collection[str]) -> set[str]:
    """Return how the customers are reached, as the table says it and as platform files hold it."""
    with connect_memory() as connection:
        connection.register("gone", pa.table({"id": pa.array(sorted(ids), pa.string())}))
        file = file_text(dataset.customers_path)
        query = f"SELECT * FROM {file} WHERE {CUSTOMER_ID} IN (SELECT id FROM gone)"
        rows: pd.DataFrame = connection.execute(query).to_arrow_table().to_pandas()
    if rows.empty:
        return set()
    plain = canonical_contacts(rows)
    tidy = clean_contacts(plain, None)
    columns = [frame[name].astype("str") for frame in (plain, tidy) for name in REACHING if name in frame]
    hashed = [sha256(tidy[EMAIL]), sha256(google_emails(tidy[EMAIL])), sha256(tiktok_emails(tidy[EMAIL]))]
    numbers = _numbers(tidy, plain)
    columns.append(numbers)
    hashed += [md5(mobiles_cn(numbers)), sha256(numbers), sha256(numbers.str.lstrip("+"))]
    return {word for column in (*columns, *hashed) for word in column.dropna() if word}


def _numbers(tidy: pd.DataFrame, plain: pd.DataFrame) -> pd.Series[Any]:
    """Return the phone numbers, in E.164, that lists may hold of customers: one without a country as each reads it."""
    own: pd.Series[Any] = tidy[PHONE]
    if PHONE not in plain:
        return own
    unplaced = (own == "") & (tidy[COUNTRY_CODE] == "")
    texts, unknown = plain.loc[unplaced, PHONE], tidy.loc[unplaced, COUNTRY_CODE]
    found = (phones(texts, unknown, region) for region in region_names(DEFAULT_LANGUAGE))
    numbers: pd.Series[Any] = pd.concat([own, *found])
    return numbers.drop_duplicates()
