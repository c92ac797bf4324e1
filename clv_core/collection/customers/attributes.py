"""Attributes and dates of a customers file: how each is read, by one look at all values as for logs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.customers.roles import ChosenRoles
from clv_core.collection.engine import file_text, local_time, name, one
from clv_core.collection.infer.profile import SAMPLE_ROWS
from clv_core.collection.parse import date_order, numbers, times
from clv_core.collection.parse.date_order import ColumnDates
from clv_core.collection.store.manifest import Attribute as Attribute
from clv_core.collection.store.manifest import Roles
from clv_core.errors import Message

NUMBER: Final = "number"
TEXT: Final = "text"
DATES: Final = frozenset({"naive", "zoned", "written", *date_order.FITS})
"""Forms of times that no number has."""

MIN_TEXTS: Final = 50
"""Filled cells without which a column is not called one of names that nearly all differ (a guess)."""
MIN_NUMBERS: Final = 100
"""So many values are needed before "nearly all differ" means something."""

RAW: Final = "clv_customers_raw"
"""The file's rows as text, in the engine."""


def raw_name(column: str) -> str:
    """Return the name of a column's text there."""
    return name(f"clv_raw_{column}")


def read_attributes(
    connection: duckdb.DuckDBPyConnection, selected: ChosenRoles, roles: Roles
) -> tuple[tuple[Attribute, ...], dict[str, str], list[Message]]:
    """Return the attributes, the SQL of each one's value, and the warnings.

    A column is a number where every value is one; digits with leading zeros, and places that are contact fields too,
    are names of groups.
    """
    typed: list[Attribute] = []
    values: dict[str, str] = {}
    notes: list[Message] = []
    named = {item.strip().lower() for item in roles.text} | {column.lower() for column in selected.contacts.values()}
    for column, date in selected.attributes.items():
        raw = raw_name(column)
        forms = _forms(connection, raw, numbers.form(raw))
        padded = one(connection, f"SELECT count(*) FROM {RAW} WHERE regexp_full_match({raw}, '0\\d+')")[0]
        readable = sum(rows for form, rows in forms.items() if form not in ("missing", "unreadable"))
        if readable and not forms.get("unreadable") and not padded and column.lower() not in named:
            reading, messages = numbers.decide(forms, column, roles.decimal)
            notes += messages
            typed.append(Attribute(column, NUMBER, date))
            values[column] = reading.value(raw)
            continue
        if forms.get("unreadable", 0) and readable > 0.9 * (readable + forms["unreadable"]) and not padded:
            odd = one(connection, f"SELECT min({raw}) FROM {RAW} WHERE {numbers.form(raw)} = 'unreadable'")[0]
            params = {"column": column, "rows": forms["unreadable"], "first": str(odd)[:60]}
            notes.append(Message("warning.customers_almost_number", params))
        time_forms = _forms(connection, raw, times.form(raw), at_most=SAMPLE_ROWS)
        moments = {kind.split()[0] for kind in time_forms} - {"missing"}
        if moments and moments <= DATES:
            notes.append(Message("warning.customers_date_as_text", {"column": column}))
        typed.append(Attribute(column, TEXT, date))
        values[column] = raw
    return tuple(typed), values, notes


def read_dates(
    connection: duckdb.DuckDBPyConnection, selected: ChosenRoles, roles: Roles, timezone: str
) -> tuple[dict[str, str], list[Message]]:
    """Return the SQL of each date, local to the log's time zone, and the warnings."""
    values: dict[str, str] = {}
    notes: list[Message] = []
    for column in selected.dates:
        cell = raw_name(column)
        forms = _forms(connection, cell, times.form(cell))
        evidence = ColumnDates(connection, f"SELECT {cell} AS x FROM {RAW}")
        reading, messages = date_order.decide(forms, column, roles.date_order, timezone, evidence=evidence)
        notes += messages
        values[column] = f"{local_time(reading.value(cell), timezone)}::DATE"
    return values, notes


def _forms(connection: duckdb.DuckDBPyConnection, raw: str, form: str, at_most: int | None = None) -> dict[str, int]:
    """Return rows by form of ``raw``; each different text is looked at once, of very many ``at_most``."""
    different = f"SELECT {raw}, count(*) AS clv_rows FROM {RAW} GROUP BY 1"
    if at_most is not None:
        different += f" ORDER BY {raw} LIMIT {at_most}"
    rows = connection.execute(f"SELECT {form}, sum(clv_rows) FROM ({different}) GROUP BY 1").fetchall()
    return {str(kind): int(count) for kind, count in rows}


def value_notes(
    connection: duckdb.DuckDBPyConnection, table: Path, attributes: Sequence[Attribute]
) -> tuple[Message, ...]:
    """Return warnings about attributes that are constant, empty, or almost an id.

    Args:
        connection: the engine.
        table: the written customers table.
        attributes: those that are on.
    """
    warnings: list[Message] = []
    for attribute in attributes:
        column = name(attribute.name)
        whole = f"bool_and({column} = floor({column}))" if attribute.kind == NUMBER else "false"
        filled, distinct, integers = one(
            connection, f"SELECT count({column}), count(DISTINCT {column}), {whole} FROM {file_text(table)}"
        )
        params = {"column": attribute.name, "rows": int(filled), "distinct": int(distinct)}
        if distinct <= 1:
            warnings.append(Message("warning.customers_constant", params))
        elif attribute.dated_by is None and (
            (attribute.kind != NUMBER and filled >= MIN_TEXTS and distinct > 0.9 * filled)
            or (integers and filled >= MIN_NUMBERS and distinct == filled)
        ):
            warnings.append(Message("warning.customers_unique", params))
    return tuple(warnings)
