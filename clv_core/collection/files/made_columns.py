"""Columns made of others, where a system writes into one cell, or into two, what others have in their own."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from clv_core.collection.files.adjusted_totals import refunds_of_adjusted
from clv_core.collection.files.exchange_rates import of_exchange_rates
from clv_core.collection.files.goal_numbers import of_goal_numbers
from clv_core.collection.files.product_strings import of_product_strings
from clv_core.collection.files.side_columns import side_columns
from clv_core.errors import Message


def made_columns(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> tuple[tuple[tuple[str, str], ...], tuple[Message, ...]]:
    """Return all columns made of a file's own with their SQL, and what is to be said of them.

    Args:
        connection: the engine.
        relation: table expression of the file.
        columns: the file's own.
    """
    made = side_columns(connection, relation, columns)
    notes: tuple[Message, ...] = ()
    for of in (refunds_of_adjusted, of_goal_numbers, of_product_strings, of_exchange_rates):
        found, said = of(connection, relation, columns)
        made, notes = (*made, *found), notes + said
    return made, notes
