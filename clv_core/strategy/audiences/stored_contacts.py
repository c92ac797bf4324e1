"""Contact fields from the dataset itself, where no customers file is given: its customers table, then its log.

A log has them as columns that are no part of a purchase (``Accepts Marketing``, ``Phone``), and as ids that are e-mail
addresses, as shops without accounts export them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import pandas as pd

from clv_core.collection import connect_memory, file_text
from clv_core.collection import name as identifier
from clv_core.collection.parse import EMAIL_PATTERN, tidy
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import CONSENT, EMAIL, IMPERSONAL, consent_like_columns, contact_columns
from clv_core.columns import BY_NAME, COUNTRY, CUSTOMER_ID, EVENT_TIME
from clv_core.errors import Refused
from clv_core.strategy.audiences.consent import consent_question
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.formats import EXPORTS

SAMPLE_IDS: Final = 1_000
"""Rows whose ids are tested for e-mail addresses."""
MIN_ADDRESSES: Final = 0.8
"""Share of a sample of ids that have to be e-mail addresses for ids to be taken as such; guests may have numbers."""


def stored_fields(dataset: Dataset) -> tuple[str, ...]:
    """Return the contact fields, and ``consent``, that the dataset holds readable."""
    table, fields = dataset.manifest.customers_table, _contacts(dataset)
    if table is not None and table.pseudonymised:
        fields = tuple(field for field in fields if field in (CONSENT, *IMPERSONAL))
    return (*fields, *(field for field in log_columns(dataset) if field not in fields))


def log_columns(dataset: Dataset, *, consent_alone: bool = False) -> dict[str, str]:
    """Return the column of the log for each contact field; none of a log whose ids are pseudonyms.

    ``consent_alone``: also that of consent where customers cannot be reached by the log.
    """
    extra = contact_columns(column for column in dataset.manifest.columns if column not in BY_NAME)
    columns = {field: column for column, field in extra.items()}
    consent = {CONSENT: columns[CONSENT]} if consent_alone and CONSENT in columns else {}
    if dataset.manifest.pseudonymised:
        return consent
    if EMAIL not in columns and ids_are_addresses(dataset.events_path):
        columns = {EMAIL: CUSTOMER_ID, **columns}
    if set(columns) - {CONSENT} and COUNTRY in dataset.manifest.columns:
        columns.setdefault(COUNTRY, COUNTRY)
    return columns if set(columns) - {CONSENT, *IMPERSONAL} or _contacts(dataset) else consent


def email_is_id(dataset: Dataset) -> bool:
    """Say whether the only e-mail addresses of a dataset are the ids of its customers."""
    return log_columns(dataset).get(EMAIL) == CUSTOMER_ID and EMAIL not in _contacts(dataset)


@lru_cache(maxsize=64)
def ids_are_addresses(events: Path) -> bool:
    """Say whether the customer ids of a log are e-mail addresses, by a sample of its rows."""
    with connect_memory() as connection:
        query = f"SELECT {CUSTOMER_ID} FROM {file_text(events)} LIMIT {SAMPLE_IDS}"
        ids = {str(row[0]).strip().lower() for row in connection.execute(query).fetchall()}
    return sum(bool(re.fullmatch(EMAIL_PATTERN, id)) for id in ids) >= MIN_ADDRESSES * max(1, len(ids))


def knows_consent(dataset: Dataset) -> bool:
    """Say whether a column of the dataset was taken for consent."""
    return CONSENT in _contacts(dataset) or CONSENT in log_columns(dataset, consent_alone=True)


def stored_consent(dataset: Dataset) -> list[str]:
    """Return the columns that may say who agreed, by their names, where none was taken for it."""
    if knows_consent(dataset):
        return []
    table = dataset.manifest.customers_table
    return (
        [] if table is None else consent_like_columns([*(attribute.name for attribute in table.attributes), *table.off])
    )


def stored_contacts(dataset: Dataset) -> pd.DataFrame | None:
    """Return readable contact fields (:func:`latest_contacts`); None where the dataset holds none.

    Raises:
        Refused: the contact fields are pseudonyms, which no platform can use.
    """
    table = dataset.manifest.customers_table
    usable = set(stored_fields(dataset)) - {CONSENT, *IMPERSONAL}
    if table is not None and set(table.contacts) - {CONSENT} and table.pseudonymised and not usable:
        raise Refused("contacts_pseudonymised", name=dataset.name)
    return latest_contacts(dataset)


def latest_contacts(dataset: Dataset, *, consent_alone: bool = False) -> pd.DataFrame | None:
    """Return customer_id and contact fields as they are stored, readable or as pseudonyms; None where there are none.

    A field that the customers table lacks comes from the log. The latest value counts: of several rows of a customer
    the one with the latest date, of these the last in the file; of a log the latest event with a value. Consent that
    was withdrawn later stays withdrawn. ``consent_alone``: also where ``consent`` is all that there is.
    """
    dataset = dataset.with_all  # of those who share an address, one may have objected and not agreed
    table = _contacts_of_table(dataset, consent_alone=consent_alone)
    log = _contacts_of_log(dataset, log_columns(dataset, consent_alone=consent_alone))
    if table is None or log is None:
        return log if table is None else table
    missing = [column for column in log if column not in table]
    return table.merge(log[[CUSTOMER_ID, *missing]], "outer", CUSTOMER_ID, sort=True) if missing else table


def _contacts_of_table(dataset: Dataset, *, consent_alone: bool) -> pd.DataFrame | None:
    table, fields = dataset.manifest.customers_table, list(_contacts(dataset))
    if table is None or not set(fields) - (set() if consent_alone else {CONSENT}):
        return None
    rows = pd.read_parquet(dataset.customers_path)
    names = {column: column.lower() for column in rows.columns if column.lower() in fields}
    if table.date_columns:
        dates = rows[list(table.date_columns)].apply(pd.to_datetime).max(axis=1)
        rows = rows.loc[dates.sort_values(kind="stable", na_position="first").index]
    rows = rows.rename(columns=names)[[CUSTOMER_ID, *fields]]
    return rows.drop_duplicates(CUSTOMER_ID, keep="last").reset_index(drop=True)


def _contacts_of_log(dataset: Dataset, columns: dict[str, str]) -> pd.DataFrame | None:
    if not columns:
        return None
    latest = [
        f"arg_max({cell}, {EVENT_TIME}) FILTER ({cell} <> '') AS {field}"
        for field, column in columns.items()
        for cell in [f"trim({identifier(column)}::VARCHAR)"]
        if column != CUSTOMER_ID
    ]
    with connect_memory() as connection:
        fields = ", ".join([CUSTOMER_ID, *latest])
        query = f"SELECT {fields} FROM {file_text(dataset.events_path)} GROUP BY {CUSTOMER_ID} ORDER BY {CUSTOMER_ID}"
        rows: pd.DataFrame = connection.execute(query).df()
    if columns.get(EMAIL) == CUSTOMER_ID:
        addresses = tidy(rows[CUSTOMER_ID].astype("str"))
        rows[EMAIL] = addresses.where(addresses.str.fullmatch(EMAIL_PATTERN), "")
    return rows


def with_stored_contacts(contacts: Contacts | None, dataset: Dataset, format: str) -> Contacts | None:
    """Return the contacts that an export uses: those given, else those of the dataset.

    Args:
        contacts: what was given.
        dataset: whose customers table may hold contact fields.
        format: id of ``EXPORTS``; formats that need no contacts get them only to find suppressed addresses.

    Raises:
        NeedsAnswer: the table has no consent, but columns that may say who agreed were not taken.
        Refused: the contact fields are pseudonyms.
    """
    if format not in EXPORTS or (contacts is not None and contacts.customers is not None):
        return contacts
    if EXPORTS[format].needs_contacts:
        contacts = contacts or Contacts()
        if (columns := stored_consent(dataset)) and not contacts.assume_consent:
            raise consent_question(columns)
        customers = stored_contacts(dataset)
        if customers is not None and not contacts.ids_as_email and email_is_id(dataset):
            customers = customers.drop(columns=EMAIL)
        return replace(contacts, customers=customers)
    if contacts is None or not contacts.suppressed:
        return contacts
    return replace(contacts, customers=latest_contacts(dataset))


def marketing_contacts(contacts: Contacts, dataset: Dataset, format: str) -> Contacts | None:
    """Return the contacts of a list for marketing: also a generic format's say who agreed, where that is known.

    Raises:
        NeedsAnswer: consent is missing, but columns that may hold it were not taken.
        Refused: the contact fields that the format needs are pseudonyms.
    """
    if EXPORTS[format].needs_contacts or contacts.customers is not None:
        return with_stored_contacts(contacts, dataset, format)
    if (columns := stored_consent(dataset)) and not contacts.assume_consent:
        raise consent_question(columns)
    return replace(contacts, customers=latest_contacts(dataset, consent_alone=True))


def _contacts(dataset: Dataset) -> tuple[str, ...]:
    """Return the contact fields of the customers table; none where there is no such table."""
    table = dataset.manifest.customers_table
    return () if table is None else table.contacts
