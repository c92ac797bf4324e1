"""E-mail addresses as the ids of customers: which columns hold them, and what their spellings do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.parse.id_texts import folded_sql
from clv_core.collection.read.source import Source
from clv_core.errors import Message

EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
NEARLY_ALL: Final = 0.9


def email_columns(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], own: str) -> list[str]:
    """Return the columns beside the customer's own that hold e-mail addresses."""
    return [column for column in columns if column != own and are_emails(filled(rows, column))]


def are_emails(values: Sequence[str]) -> bool:
    """Say whether values are e-mail addresses, a few of them aside."""
    return bool(values) and sum(bool(EMAIL.fullmatch(value)) for value in values) >= NEARLY_ALL * len(values)


def spelt_mails(
    connection: duckdb.DuckDBPyConnection, source: Source, rows: Sequence[Mapping[str, Any]], column: str
) -> tuple[Message, ...]:
    """Return what is to be said of ids that are e-mail addresses, where some stand with capitals.

    The whole file is asked only where its first rows hold an address.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        column: of the customer's ids.
    """
    if not any("@" in value for value in filled(rows, column)):
        return ()
    cell = f"trim({name(column)})"
    capital, several, spellings = one(
        connection,
        f"SELECT count(*) FILTER (capital), count(*) FILTER (spellings > 1),"
        f" coalesce(sum(spellings) FILTER (spellings > 1), 0)"
        f" FROM (SELECT count(DISTINCT {cell}) AS spellings, bool_or({cell} <> {folded_sql(cell)}) AS capital"
        f" FROM {source.relation()} WHERE contains({name(column)}, '@') GROUP BY {folded_sql(cell)})",
    )
    if not capital:
        return ()
    params = {"column": column, "customers": int(several), "spellings": int(spellings), "capitals": int(capital)}
    return (Message("warning.spelt_mails" if several else "warning.mails_lowered", params),)
