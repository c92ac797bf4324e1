"""The rows of a customers file: cleaned, typed, judged one by one, and written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from clv_core.collection.customers.aside import customer_problems
from clv_core.collection.customers.names import BAD_DATE, HEADER, NO_ID, RAW, TYPED, contact_name, raw_name, was_name
from clv_core.collection.customers.roles import ChosenRoles, Roles
from clv_core.collection.customers.several import set_twice_aside, settle_dated
from clv_core.collection.customers.values import Attribute, read_attributes, read_dates
from clv_core.collection.engine import file_text, name, one, text
from clv_core.collection.files.rejects import recorded_rejects
from clv_core.collection.files.source import Source
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.rows.rejected_rows import Problem
from clv_core.collection.rows.similar_ids import find_spellings
from clv_core.collection.values.id_texts import MERGE
from clv_core.collection.values.pseudonyms import pseudonym_sql
from clv_core.collection.words.contact_fields import CONSENT, PLACES
from clv_core.columns import CUSTOMER_ID, EVENT_TIME, ORDER_ID
from clv_core.errors import Message


@dataclass(frozen=True)
class CustomerTable:
    """The rows of a customers file in the engine, judged.

    Args:
        read: kept + set aside.
        kept: rows that can be used.
        attributes: attributes that are on, typed.
        dates: columns that date them.
        contacts: contact fields that are stored.
        problems: set-aside rows by reason.
        notes: what is to be said about the reading.
    """

    read: int
    kept: int
    attributes: tuple[Attribute, ...]
    dates: tuple[str, ...]
    contacts: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Message, ...]

    def write(
        self, connection: duckdb.DuckDBPyConnection, target: Path, *, key: bytes | None = None, hash_ids: bool = False
    ) -> None:
        """Write the kept rows as Parquet, in the file's order.

        Args:
            connection: where the rows are.
            target: the Parquet file.
            key: makes contact fields that name or reach one person keyed hashes.
            hash_ids: makes ids keyed hashes too.
        """
        secret = "" if key is None else pseudonym_sql(key)
        own = secret.format(column=CUSTOMER_ID) if secret and hash_ids else CUSTOMER_ID
        shown = [f"{own} AS {CUSTOMER_ID}"]
        shown += [name(attribute.name) for attribute in self.attributes]
        shown += [name(date) for date in self.dates]
        taken = {attribute.name.lower() for attribute in self.attributes}
        for field in self.contacts:
            if field not in taken:
                cell = contact_name(field)
                plain = key is None or field in (CONSENT, *PLACES)
                shown.append(f"{cell if plain else secret.format(column=cell)} AS {field}")
        query = f"SELECT {', '.join(shown)} FROM {TYPED} WHERE reason IS NULL ORDER BY clv_row"
        connection.execute(f"COPY ({query}) TO {text(str(target))} (FORMAT parquet)")


def read_table(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    chosen: ChosenRoles,
    roles: Roles,
    timezone: str,
    log: Path | None = None,
) -> CustomerTable:
    """Read the rows of ``source`` into the engine.

    Args:
        connection: the engine.
        source: the file.
        chosen: which column is what.
        roles: what the person said.
        timezone: of the log.
        log: its events, where similar ids are one customer there: the file's ids are then spelt as in the log.

    Raises:
        NeedsAnswer: dates can be read in two ways.
        Refused: a static attribute is different in two rows of one customer.
    """
    _load(connection, source, chosen)
    if log is not None:
        _spell_as(connection, log)
    rejects = recorded_rejects(connection, source)
    rows = int(one(connection, f"SELECT count(*) FROM {RAW}")[0])
    attributes, values, notes = read_attributes(connection, chosen, roles)
    dates, said = read_dates(connection, chosen, roles, timezone)
    notes += said
    bad = " OR ".join(f"({raw_name(date)} IS NOT NULL AND {value} IS NULL)" for date, value in dates.items())
    header = f"{CUSTOMER_ID} = {text(chosen.customer_id)}"
    reason = (
        f"CASE WHEN {CUSTOMER_ID} IS NULL THEN '{NO_ID}' WHEN {header} THEN '{HEADER}'"
        f"{f' WHEN {bad} THEN {text(BAD_DATE)}' if bad else ''} END"
    )
    contacts = [contact_name(field) for field in chosen.contacts]
    shown = [f"{value} AS {name(column)}" for column, value in {**values, **dates}.items()] + contacts
    shown += [f"{raw_name(date)} AS {was_name(date)}" for date in dates]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {TYPED} AS"
        f" SELECT clv_row, clv_breaks, {CUSTOMER_ID}, {', '.join(shown)}, {reason} AS reason FROM {RAW}"
    )
    stored = [name(column) for column in (*values, *dates)] + contacts
    if chosen.dates:
        notes += settle_dated(connection, attributes)
    else:
        set_twice_aside(connection, stored)
    kept = int(one(connection, f"SELECT count(*) FROM {TYPED} WHERE reason IS NULL")[0])
    found = customer_problems(connection, source, chosen, rejects)
    return CustomerTable(
        rows + len(rejects), kept, attributes, tuple(dates), tuple(chosen.contacts), found, tuple(notes)
    )


def _load(connection: duckdb.DuckDBPyConnection, source: Source, chosen: ChosenRoles) -> None:
    """Load the columns that are used as text: ids and contact fields under their names, others under their own."""
    cells = [f"{_clean(CUSTOMER_ID, chosen.customer_id)} AS {CUSTOMER_ID}"]
    cells += [f"{_clean(ORDER_ID, column)} AS {raw_name(column)}" for column in chosen.attributes]
    cells += [f"{_clean(EVENT_TIME, column)} AS {raw_name(column)}" for column in chosen.dates]
    cells += [f"nullif(trim({name(column)}), '') AS {contact_name(field)}" for field, column in chosen.contacts.items()]
    breaks = "0"
    if source.dialect is not None:
        every = (f"length({name(c)}) - length(replace({name(c)}, chr(10), ''))" for c in source.columns)
        breaks = " + ".join(f"coalesce({item}, 0)" for item in every)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {RAW} AS SELECT row_number() OVER () AS clv_row, {breaks} AS clv_breaks,"
        f" {', '.join(dict.fromkeys(cells))} FROM {source.relation(record=True)}"
    )


def _spell_as(connection: duckdb.DuckDBPyConnection, log: Path) -> None:
    """Write the ids that were loaded as a log has them, where they differ in capitals, blanks or leading zeros only."""
    known = f"SELECT DISTINCT {CUSTOMER_ID} AS id, true AS old FROM {file_text(log)}"
    new = f"SELECT DISTINCT {CUSTOMER_ID} AS id, false AS old FROM {RAW} WHERE {CUSTOMER_ID} IS NOT NULL"
    if find_spellings(connection, f"{known} UNION ALL {new}", MERGE, ask=False):
        connection.execute(f"UPDATE {RAW} SET {CUSTOMER_ID} = instead FROM spellings WHERE {CUSTOMER_ID} = id")


def _clean(like: str, column: str) -> str:
    """Return SQL for a column's text, trimmed and NULL where it stands for nothing, as a log's column ``like`` is."""
    return ReadingPlan((column,), {like: column}).clean(like)
