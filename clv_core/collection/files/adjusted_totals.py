"""Etsy writes what is left of an order beside what it came to: what lies between them was given back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.parse.numbers import NumberReading
from clv_core.collection.vocabulary.column_names import fold
from clv_core.errors import Message

TOTAL, LEFT = fold("Order Total"), fold("Adjusted Order Total")
ALSO: Final = fold("Order Net")
"""What the shop received; with the other two it tells Etsy's files from others."""
MADE: Final = "Order Total - Adjusted Order Total"
JUDGED_ROWS: Final = 2_000


def refunds_of_adjusted(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> tuple[tuple[tuple[str, str], ...], tuple[Message, ...]]:
    """Return the column of what was given back with its SQL, and what is to be said; nothing for files of others.

    Args:
        connection: the engine.
        relation: table expression of the file.
        columns: the file's own.
    """
    known = {fold(column): column for column in columns}
    if not {TOTAL, LEFT, ALSO} <= set(known) or MADE in columns:
        return (), ()
    total, left = _number(known[TOTAL]), _number(known[LEFT])
    blank, nothing = one(
        connection,
        f"SELECT count(*) FILTER ({left} IS NULL), count(*) FILTER ({left} = 0 AND {total} > 0)"
        f" FROM (SELECT * FROM {relation} LIMIT {JUDGED_ROWS})",
    )
    zeros = nothing and not blank
    rest = f"nullif({left}, 0)" if zeros else left
    said = (Message("warning.adjusted_zeros", {"column": known[LEFT], "rows": nothing}),) if zeros else ()
    return ((MADE, f"coalesce({total} - {rest}, 0)::VARCHAR"),), said


def _number(column: str) -> str:
    cell = f"nullif(trim({name(column)}), '')"
    return f"try_cast({NumberReading().value(cell)} AS DECIMAL(18, 2))"
