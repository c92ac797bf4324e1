"""Whether rows that repeat one another are sales of their own: what their orders came to says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import name
from clv_core.collection.parse.numbers import NumberReading
from clv_core.columns import AMOUNT, BY_NAME, ORDER_ID

FEWEST: Final = 5
"""Orders with repeated rows whose total is that of all their rows, before that is no accident."""
NEARLY_ALL: Final = 0.9
CENT: Final = 0.011


def totals_of_all(connection: duckdb.DuckDBPyConnection, file: str, columns: Sequence[str]) -> str:
    """Return the column that says what orders came to, their repeated rows counted; "" where none does.

    Two cups of the same tea may be two equal rows of one receipt. Where the receipt's total is told beside them, and is
    the sum of all its rows, they are no repetitions; in a file that was written twice it is the sum of half of them.

    Args:
        connection: the engine, with the table ``repeats``.
        file: SQL of the file of events.
        columns: all its columns.
    """
    others = [column for column in columns if column not in BY_NAME]
    if ORDER_ID not in columns or not others:
        return ""
    rows = f"read_parquet({file}, file_row_number = true)"
    told = "".join(
        f", min({value}) AS low_{at}, max({value}) AS high_{at}"
        for at, value in enumerate(NumberReading().value(f"{name(column)}::VARCHAR") for column in others)
    )
    orders = (
        f"SELECT sum({AMOUNT}) AS worth{told} FROM {rows} WHERE {ORDER_ID} IN (SELECT {ORDER_ID} FROM {rows} WHERE"
        f" file_row_number IN (FROM repeats)) GROUP BY {ORDER_ID}"
    )
    counts = ", ".join(
        f"count(*) FILTER (low_{at} = high_{at} AND abs(high_{at} - worth) < {CENT})" for at, _ in enumerate(others)
    )
    every, *agree = connection.execute(f"SELECT count(*), {counts} FROM ({orders})").fetchall()[0]
    best = max(range(len(others)), key=lambda at: agree[at])
    return others[best] if agree[best] >= FEWEST and agree[best] >= NEARLY_ALL * every else ""
