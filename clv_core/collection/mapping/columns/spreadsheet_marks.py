"""What spreadsheets and data frames make of ids on their way: ="0012" that is to stay text, 17850.0 for a number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name, one, text
from clv_core.collection.files.source import Source
from clv_core.collection.mapping.plan.names import GUARD
from clv_core.collection.words.aliases import MISSING
from clv_core.columns import READ
from clv_core.errors import Message

FLOAT_ID: Final = re.compile(r"\d+\.0")


def guarded(rows: list[dict[str, Any]], chosen: Mapping[str, str]) -> tuple[frozenset[str], tuple[Message, ...]]:
    """Return the canonical columns whose values are all guarded against spreadsheets, and what is to be said.

    Args:
        rows: the first rows as text.
        chosen: canonical name -> source column.
    """

    def all_are(column: str) -> bool:
        values = [str(row[column]) for row in rows if row[column] is not None and str(row[column]).strip()]
        return bool(values) and all(re.match(GUARD, value) for value in values)

    found = {canonical: column for canonical, column in chosen.items() if canonical in READ and all_are(column)}
    said = (Message("warning.guarded", {"columns": list(found.values())}),) if found else ()
    return frozenset(found), said


def float_ids(
    connection: duckdb.DuckDBPyConnection, source: Source, column: str, rows: list[dict[str, Any]]
) -> tuple[bool, tuple[Message, ...]]:
    """Say whether all ids are whole numbers written as 17850.0, as spreadsheets and data frames export them.

    The whole file is asked only where the first rows say so.

    Args:
        connection: the engine.
        source: the file.
        column: of customers.
        rows: the first rows as text.
    """
    seen = [str(row[column]).strip() for row in rows if row[column] is not None]
    if not seen or not all(FLOAT_ID.fullmatch(value) or value.lower() in MISSING for value in seen):
        return False, ()
    missing = ", ".join(text(word) for word in MISSING)
    value = f"trim({name(column)}, ' \t\u00a0\u3000')"
    others = f"NOT regexp_full_match({value}, '\\d+\\.0') AND lower({value}) NOT IN ({missing})"
    query = f"SELECT count(*) FILTER ({value} IS NOT NULL), count(*) FILTER ({others}) FROM {source.relation()}"
    known, wild = one(connection, query)
    found = bool(known) and not wild
    return found, (Message("warning.float_ids", {"column": column}),) if found else ()
