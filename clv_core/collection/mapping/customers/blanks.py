"""Orders whose customer's id is blank, and that name an e-mail: shops write no id where somebody bought as a guest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.mapping.customers.emails import email_columns
from clv_core.collection.parse.cell_texts import cell_text
from clv_core.collection.read.source import Source
from clv_core.columns import CUSTOMER_ID, EVENT_TYPE, Kind
from clv_core.errors import Message

FEWEST: Final = 3
"""Rows without an id and with an e-mail, before these are read."""


def settle_blanks(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    rows: Sequence[Mapping[str, Any]],
    chosen: Mapping[str, str],
    mapping: Mapping[str, str],
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with the e-mail as the customer, where it says all that the id says and ids are missing.

    Each id must have one e-mail of its own, so that nobody is joined or parted. Logs of events are left as they are:
    there a row without an id is a visitor. The whole file is asked only where its first rows lack an id.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        chosen: canonical name -> source column.
        mapping: what the person said of columns.
    """
    found = dict(chosen)
    ids = chosen[CUSTOMER_ID]
    if CUSTOMER_ID in mapping or EVENT_TYPE in chosen or all(row[ids] is not None for row in rows):
        return found, ()
    key = cell_text(name(ids), Kind.TEXT)
    for column in email_columns(rows, source.columns, ids):
        email = f"lower({cell_text(name(column), Kind.TEXT)})"
        blank, nameless, pairs, known, people = one(
            connection,
            f"SELECT count(*) FILTER (i IS NULL AND e IS NOT NULL), count(*) FILTER (i IS NOT NULL AND e IS NULL),"
            f" count(DISTINCT (i, e)) FILTER (i IS NOT NULL), count(DISTINCT i), count(DISTINCT e) FILTER"
            f" (i IS NOT NULL) FROM (SELECT {key} AS i, {email} AS e FROM {source.relation()})",
        )
        if blank >= FEWEST and not nameless and pairs == known == people > 1:
            found[CUSTOMER_ID] = column
            return found, (Message("warning.customer_by_email", {"column": ids, "other": column, "rows": blank}),)
    return found, ()
