"""Do-not-contact lists that people bring: words or a table as shops and mail platforms export it, and whom it names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv_core.collection import connect_memory, file_text
from clv_core.collection.parse import (
    addresses,
    every_address,
    folded,
    load_key,
    mailbox,
    mailboxes,
    phone_keys,
    phone_marks,
    pseudonym,
)
from clv_core.collection.privacy import SuppressionList
from clv_core.collection.read import Content, identify, read_text_table, rewrite, survey, unpack
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import EMAIL, MISSING, PHONE, contact_field, id_column
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, NotFound, Refused
from clv_core.records import JsonRecord
from clv_core.scratch import temporary_folder
from clv_core.strategy.audiences.audience_filter import suppressed_ids
from clv_core.strategy.audiences.contacts import canonical_contacts
from clv_core.strategy.audiences.stored_contacts import latest_contacts
from clv_core.workspace import Workspace

DELIMITERS: Final = (",", ";", "\t", "|")
PACKED: Final = (Content.GZIP, Content.ZIP, Content.WORKBOOK)
CHINESE: Final = ("gb18030", "big5")
ADDRESS: Final = re.compile(r"[^\s<>()\"',;:|]+@[^\s<>()\"',;:|]+")
Entries = tuple[tuple[str, ...], ...]
"""The words of each entry: ids, e-mail addresses and phone numbers of one customer."""


@dataclass(frozen=True)
class Matches(JsonRecord):
    """How much of a do-not-contact list is about the customers of some datasets.

    Args:
        read: entries of the list.
        customers: different customers whom they name.
        nobody: entries that name no customer.
    """

    read: int
    customers: int
    nobody: int

    @property
    def message(self) -> Message:
        """The counts in a sentence; a warning if all of the list matches nobody."""
        if self.read and self.nobody == self.read:
            return Message("warning.suppress_none", {"read": self.read})
        return Message("warning.suppress_matched", self.to_json())


def read_entries(path: Path, *, exact: bool = False) -> Entries:
    """Return the entries of a do-not-contact list.

    Of a table, its columns of ids, e-mail addresses and phone numbers count by their names, else its first column; of
    a list without column names, each line and, where all lines have several cells, each first cell.

    Args:
        path: one word a line, or a table: CSV, workbook, JSON Lines or Parquet, in any encoding.
        exact: whether a line of a list is one word and no part of it is another: suppression rather leaves out one
            customer too many, erasure must not.

    Raises:
        NotFound: there is no such file.
        Refused: it is no text and no table, or holds lines that are no rows of the table, so that nobody is missed
            without notice.
    """
    if not path.is_file():
        raise NotFound("suppress_missing", file=path.name)
    if not path.read_bytes().strip(b" \t\r\n\xef\xbb\xbf"):
        return ()
    text = list_text(path)
    if text is None:
        return _of_table(path, path.name)
    rows = list_cells(text)
    has_header = bool(rows) and _names_columns(rows[0])
    if has_header and len(rows[0]) > 1:
        with temporary_folder("clv-list-") as scratch:
            table = scratch / re.sub(r"\.gz$", "", path.name, flags=re.IGNORECASE)  # the text is unpacked
            table.write_text(text, encoding="utf-8")
            return _of_table(table, path.name)
    if exact:
        return tuple((line,) for line in dict.fromkeys(_lines(text)))
    if not has_header:
        return _of_lines(text, rows)
    return _entries(row[:1] for row in rows[1:])


def list_text(path: Path) -> str | None:
    """Return the text of a list, also out of a workbook or an archive; None of Parquet and JSON, which are no text.

    Raises:
        Refused: the archive or the workbook is broken.
    """
    with temporary_folder("clv-list-") as scratch:
        content = identify(path)
        for _ in range(2):
            if content in PACKED:
                path, _ = unpack(path, content, scratch)
                content = identify(path)
        if content is not Content.TEXT:
            return None
        encoding = survey(path)
        clean = scratch / "clean.txt"
        rewrite(path, encoding, clean)
        text = clean.read_text(encoding="utf-8-sig")
        rows = list_cells(text)
        if encoding.valid or (rows and _names_columns(rows[0])):
            return text
        return next(filter(None, (_decoded_by_header(path, name) for name in CHINESE)), text)


def words_of(entries: Entries, key: bytes | None = None) -> frozenset[str]:
    """Return all words of a list; with the key of a dataset whose ids are pseudonyms, each word's pseudonym too."""
    words = {word for entry in entries for word in entry}
    return frozenset(words | ({pseudonym(key, word) for word in words} if key is not None else set()))


def entries_of(words: str) -> Entries:
    """Return the entries of words that a person has typed or pasted, one a line, with or without a header line."""
    lines = _lines(words)
    if len(lines) > 1 and _names_columns(lines[:1]):
        lines = lines[1:]
    return tuple(dict.fromkeys(_entries([line] for line in lines)))


def list_cells(text: str) -> list[list[str]]:
    """Return the cells of each line of a list that is not blank, split by the delimiter of the first line."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    except csv.Error:
        return []


def matches(
    workspace: Workspace, entries: Entries, datasets: Iterable[Dataset], customers: pd.DataFrame | None = None
) -> Matches:
    """Return how many entries of a list name a customer of some datasets.

    Args:
        workspace: whose key makes pseudonyms.
        entries: of the list.
        datasets: whose customers count.
        customers: their addresses, where they do not come from the datasets' own customers tables.
    """
    named: set[str] = set()
    matched: set[int] = set()
    for dataset in datasets:
        numbers = _entry_numbers(workspace, entries, dataset)
        for ids, texts in _identifiers(dataset, latest_contacts(dataset) if customers is None else customers):
            hit = texts.isin(numbers.keys())
            named |= set(ids[hit])
            matched |= {number for text in set(texts[hit]) for number in numbers[text]}
    return Matches(len(entries), len(named), len(entries) - len(matched))


def count_suppressed(dataset: Dataset, stop: SuppressionList) -> int:
    """Return how many customers of a dataset are on the suppression list of the workspace, by id, e-mail or phone."""
    ids = _customer_ids(dataset)
    return int(ids.isin(suppressed_ids(ids.to_frame(), latest_contacts(dataset), stop)).sum())


def _of_table(path: Path, name: str) -> Entries:
    frame, rejects = read_text_table(path)
    if rejects:
        raise Refused("suppress_bad_lines", file=name, rows=len(rejects), line=min(reject.line for reject in rejects))
    ids = id_column(list(frame.columns))
    columns = [column for column in frame.columns if column == ids or contact_field(column) in (EMAIL, PHONE)]
    cells = frame[columns or list(frame.columns[:1])].fillna("").itertuples(index=False)
    return _entries([str(cell) for cell in row] for row in cells)


def _of_lines(text: str, rows: list[list[str]]) -> Entries:
    lines = _lines(text)
    firsts: list[list[str]] = [[]] * len(lines)
    if len(rows) == len(lines) and len({len(row) for row in rows}) == 1:
        firsts = [row[:1] for row in rows]
    return tuple(dict.fromkeys(_entries([line, *first] for line, first in zip(lines, firsts, strict=True))))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _names_columns(cells: list[str]) -> bool:
    is_name = any(id_column([cell]) or contact_field(cell) in (EMAIL, PHONE) for cell in cells)
    return is_name and not any("@" in cell for cell in cells)


def _entries(rows: Iterable[list[str]]) -> Entries:
    return tuple(words for cells in rows if (words := _words(cells)))


def _words(cells: list[str]) -> tuple[str, ...]:
    """Return the words of an entry: its cells, and e-mail addresses among other text in one.

    A cell for a missing value names nobody: as an address, ``n/a`` would be that of everybody who has none.
    """
    texts = [cell.strip() for cell in cells]
    inner = [address for text in texts if "@" in text for address in ADDRESS.findall(text)]
    return tuple(dict.fromkeys(word for word in (*texts, *inner) if word.lower() not in MISSING))


def _decoded_by_header(path: Path, encoding: str) -> str:
    """Return the text in an encoding in which its first line names columns; "" where it does not.

    In a list of numbers only the header is not ASCII: too little for the encoding to be detected.
    """
    try:
        text = path.read_bytes().decode(encoding)
    except UnicodeDecodeError:
        return ""
    rows = list_cells(text)
    return text if rows and _names_columns(rows[0]) else ""


def _customer_ids(dataset: Dataset) -> pd.Series[Any]:
    """Return the ids of a dataset's customers, each once."""
    with connect_memory() as connection:
        query = f"SELECT DISTINCT {CUSTOMER_ID} FROM {file_text(dataset.events_path)}"
        ids: pd.Series[Any] = connection.execute(query).to_arrow_table().to_pandas()[CUSTOMER_ID].astype("str")
    return ids


def _entry_numbers(workspace: Workspace, entries: Entries, dataset: Dataset) -> dict[str, list[int]]:
    """Return the positions of the entries by each form of their words that a customer may have."""
    about = dataset.manifest
    key = load_key(workspace, about.key_fingerprint) if about.pseudonymised else None
    numbers: dict[str, list[int]] = {}
    for number, words in enumerate(entries):
        for word in words:
            forms = {folded(word), *phone_marks(word), *addresses(word), *map(mailbox, addresses(word))}
            for form in forms | ({pseudonym(key, word)} if key is not None else set()):
                numbers.setdefault(form, []).append(number)
    return numbers


def _identifiers(dataset: Dataset, customers: pd.DataFrame | None) -> Iterator[tuple[pd.Series[Any], pd.Series[Any]]]:
    """Yield pairs of equal length: ids of the dataset's customers, and a form of their id, e-mail or phone."""
    ids = _customer_ids(dataset)
    yield ids, ids
    if customers is None:
        return
    contacts = canonical_contacts(customers)
    contacts = contacts[contacts[CUSTOMER_ID].isin(set(ids))]
    owners = contacts[CUSTOMER_ID]
    if EMAIL in contacts:
        yield owners, contacts[EMAIL].astype("str").fillna("").str.strip().str.lower()
        emails = every_address(contacts[EMAIL].set_axis(owners))
        for forms in (emails, mailboxes(emails)):
            yield emails.index.to_series().reset_index(drop=True), forms.reset_index(drop=True)
    if PHONE in contacts:
        for _, forms in phone_keys(contacts[PHONE]).items():
            yield owners, forms
