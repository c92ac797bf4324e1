"""Contact fields from the dataset's own customers table, where no customers file is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.collection.words.contact_fields import CONSENT, PLACES, speaking_of_consent
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Refused
from clv_core.strategy.audiences.consent import consent_question
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.formats import EXPORTS


def stored_fields(dataset: Dataset) -> tuple[str, ...]:
    """Return the contact fields, and ``consent``, that the dataset's customers table holds readable."""
    table = _table(dataset)
    fields = tuple(table.get("contacts", ()))
    return tuple(field for field in fields if field in (CONSENT, *PLACES)) if table.get("pseudonymised") else fields


def stored_consent(dataset: Dataset) -> list[str]:
    """Return the columns of the customers file that may say who agreed, by their names, where none was taken for it."""
    table = _table(dataset)
    if CONSENT in table.get("contacts", ()):
        return []
    return speaking_of_consent([*(one["name"] for one in table.get("attributes", ())), *table.get("off", ())])


def stored_contacts(dataset: Dataset) -> pd.DataFrame | None:
    """Return readable contact fields (:func:`latest_contacts`); None where the dataset holds none.

    Raises:
        Refused: the contact fields are pseudonyms, which no platform can use.
    """
    table = _table(dataset)
    usable = set(stored_fields(dataset)) - {CONSENT, *PLACES}
    if set(table.get("contacts", ())) - {CONSENT} and table["pseudonymised"] and not usable:
        raise Refused("contacts_pseudonymised", name=dataset.name)
    return latest_contacts(dataset)


def latest_contacts(dataset: Dataset) -> pd.DataFrame | None:
    """Return customer_id and contact fields as they are stored, readable or as pseudonyms; None where there are none.

    Of a customer with several rows, the one with the latest date counts, of these the last in the file: consent that
    was withdrawn later stays withdrawn.
    """
    table = _table(dataset)
    fields = list(table.get("contacts", ()))
    if not set(fields) - {CONSENT}:
        return None
    rows = pd.read_parquet(dataset.customers_path)
    names = {column: column.lower() for column in rows.columns if column.lower() in fields}
    if table["date_columns"]:
        dates = rows[table["date_columns"]].apply(pd.to_datetime).max(axis=1)
        rows = rows.loc[dates.sort_values(kind="stable", na_position="first").index]
    rows = rows.rename(columns=names)[[CUSTOMER_ID, *fields]]
    return rows.drop_duplicates(CUSTOMER_ID, keep="last").reset_index(drop=True)


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
        return replace(contacts, customers=stored_contacts(dataset))
    if contacts is None or not contacts.suppressed:
        return contacts
    return replace(contacts, customers=latest_contacts(dataset))


def _table(dataset: Dataset) -> dict[str, Any]:
    return dataset.manifest.customers_table or {}
