"""Who is erased, under every name: ids as given, their pseudonyms and spellings, and what contacts reach them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from clv_core.collection import connect_memory, file_text, name
from clv_core.collection.parse import BLANKS, folded, folded_sql, load_key, pseudonym, unified, unified_sql
from clv_core.collection.privacy import ERASED, CustomerIds, IdMatcher, text_columns
from clv_core.collection.store import Dataset, list_datasets
from clv_core.collection.vocabulary import EMAIL, MADID, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import ArtifactKind
from clv_core.errors import UsageError
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.strategy.audiences import (
    COUNTRY_CODE,
    canonical_contacts,
    clean_contacts,
    google_emails,
    md5,
    mobiles_cn,
    phones,
    region_names,
    sha256,
    tiktok_emails,
)
from clv_core.workspace import Workspace

CONTACT_FIELDS: Final = (EMAIL, PHONE, MADID)


@dataclass(frozen=True)
class DataSubjects:
    """The customers who are erased.

    Args:
        given: ids as a person gave them, each once; of an e-mail address all spellings are one.
        ids: the same, and their pseudonyms.
        contacts: e-mail addresses, phone numbers and device ids, readable and hashed as ad platforms get them.
        workspace: by whose datasets columns of customers are recognised.
    """

    given: tuple[str, ...]
    ids: frozenset[str]
    contacts: frozenset[str] = field(default=frozenset(), repr=False)
    workspace: Workspace | None = None

    def names(self, cell: str) -> bool:
        """Return whether a text is one of the ids."""
        return folded(cell) in self.ids

    def names_cell(self, cell: str) -> bool:
        """Return whether a cell of a list is one of the ids, behind the sign that keeps it from being a formula."""
        return self.names(cell.lstrip("'").strip())

    def in_path(self, path: Path) -> bool:
        """Return whether a file or one of its folders is named after one of the ids, as explanations are."""
        return any(part in self._explanations or self.matcher.within(part) for part in path.parts)

    @cached_property
    def _explanations(self) -> set[str]:
        return {f"{ArtifactKind.EXPLANATION}-{word.encode().hex()}" for word in self.ids}

    @cached_property
    def id_array(self) -> pa.Array[Any]:
        """The ids for pyarrow."""
        return pa.array(sorted(self.ids), pa.large_string())

    @property
    def customers(self) -> CustomerIds:
        """The ids that are erased, and those in the datasets as they are now."""
        datasets = list_datasets(self.workspace) if self.workspace is not None else []
        return CustomerIds(self.ids, tuple(dataset.events_path for dataset in datasets))

    @cached_property
    def matcher(self) -> IdMatcher:
        """Finds the ids, in datasets: others may share a customer's contacts there."""
        return IdMatcher(self.ids)

    @cached_property
    def contact_matcher(self) -> IdMatcher:
        """Finds the ids and the contacts, in all other files."""
        return IdMatcher(self.ids | self.contacts)


def find_data_subjects(workspace: Workspace, ids: Iterable[str], datasets: Collection[Dataset]) -> DataSubjects:
    """Return customers under all their names.

    Args:
        workspace: whose key makes pseudonyms.
        ids: as a person writes them; blanks around them are ignored, and so is the placeholder of erased customers.
        datasets: every version in which the customers may be.

    Raises:
        UsageError: no id.
        Refused: a dataset holds pseudonyms and the key is not there.
    """
    words = (word.strip(BLANKS) for word in ids)
    given = tuple(dict.fromkeys(folded(word) for word in words if word not in ("", ERASED)))
    if not given:
        raise UsageError("erase_nobody")
    given = tuple(dict.fromkeys([*given, *_similar_ids(datasets, given)]))
    names = set(given)
    for fingerprint in {dataset.manifest.key_fingerprint for dataset in datasets if dataset.manifest.pseudonymised}:
        key = load_key(workspace, fingerprint)
        names |= {pseudonym(key, word) for word in given}
        if any(
            dataset.manifest.merges_similar_ids and dataset.manifest.key_fingerprint == fingerprint
            for dataset in datasets
        ):
            names |= {pseudonym(key, unified(word)) for word in given}
    tables = [dataset.customers_path for dataset in datasets if dataset.manifest.customers_table is not None]
    contacts = {contact for path in tables for contact in _contacts(path, names)}
    return DataSubjects(given, frozenset(names), frozenset(contacts), workspace)


def given_ids(workspace: Workspace, subjects: DataSubjects) -> dict[str, str]:
    """Return the id as given by every name under which a dataset may hold a customer."""
    given = {word: word for word in subjects.given}
    if len(subjects.ids) > len(given):
        key = load_key(workspace)
        given |= {pseudonym(key, unified(word)): word for word in subjects.given}
        given |= {pseudonym(key, word): word for word in subjects.given}
    return given


def _similar_ids(datasets: Collection[Dataset], given: Collection[str]) -> list[str]:
    """Return the ids that are only another spelling of a given one, in datasets where those are one customer.

    The inner query has the distinct ids of a table; the outer one compares their unified spelling with the given ones'.
    """
    similar: set[str] = set()
    for dataset in datasets:
        if dataset.manifest.merges_similar_ids and not dataset.manifest.pseudonymised:
            with connect_memory() as connection:
                connection.register("given", pa.table({"id": pa.array(sorted(map(unified, given)), pa.string())}))
                id_column = dataset.manifest.mapping.get(CUSTOMER_ID, CUSTOMER_ID)
                for path, column in ((dataset.events_path, CUSTOMER_ID), (dataset.rejected_path, id_column)):
                    if column in text_columns(connection, path):
                        ids = f"SELECT DISTINCT {folded_sql(name(column))} AS id FROM {file_text(path)}"
                        test = f"{unified_sql('id')} IN (SELECT id FROM given)"
                        rows = connection.execute(f"SELECT id FROM ({ids}) WHERE {test}").fetchall()
                        similar |= {str(row[0]) for row in rows}
    return sorted(similar)


def _contacts(customers: Path, ids: Collection[str]) -> set[str]:
    """Return the contacts of customers, as a customers table has them and as lists for ad platforms do."""
    with connect_memory() as connection:
        connection.register("erased", pa.table({"id": pa.array(sorted(ids), pa.string())}))
        query = f"SELECT * FROM {file_text(customers)} WHERE {CUSTOMER_ID} IN (SELECT id FROM erased)"
        rows: pd.DataFrame = connection.execute(query).to_arrow_table().to_pandas()
    if rows.empty:
        return set()
    canonical = canonical_contacts(rows)
    clean = clean_contacts(canonical, None)
    columns = [frame[name].astype("str") for frame in (canonical, clean) for name in CONTACT_FIELDS if name in frame]
    hashed = [sha256(clean[EMAIL]), sha256(google_emails(clean[EMAIL])), sha256(tiktok_emails(clean[EMAIL]))]
    numbers = _numbers(clean, canonical)
    columns.append(numbers)
    hashed += [md5(mobiles_cn(numbers)), sha256(numbers), sha256(numbers.str.lstrip("+"))]
    return {word for column in (*columns, *hashed) for word in column.dropna() if word}


def _numbers(clean: pd.DataFrame, canonical: pd.DataFrame) -> pd.Series[Any]:
    """Return phone numbers in E.164; one without a country as every region reads it, for a list may be of any."""
    parsed: pd.Series[Any] = clean[PHONE]
    if PHONE not in canonical:
        return parsed
    unplaced = (parsed == "") & (clean[COUNTRY_CODE] == "")
    texts, no_country = canonical.loc[unplaced, PHONE], clean.loc[unplaced, COUNTRY_CODE]
    readings = (phones(texts, no_country, region) for region in region_names(DEFAULT_LANGUAGE))
    numbers: pd.Series[Any] = pd.concat([parsed, *readings])
    return numbers.drop_duplicates()
