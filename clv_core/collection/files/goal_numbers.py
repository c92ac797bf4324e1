"""Matomo tells its conversions by numbers: 0 is an order, -1 a cart that was left behind, others are goals.

A cart has the money of what lies in it, and a goal a worth that somebody gave it; only the order was paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.vocabulary.column_names import fold
from clv_core.errors import Message

JUDGED_ROWS: Final = 2_000
GOALS: Final = frozenset(map(fold, ("idgoal", "id_goal", "goal_id")))
ORDERS_AND_CARTS: Final = frozenset(map(fold, ("idorder", "revenue", "revenue_subtotal")))
"""Columns of which such a file has one."""


def of_goal_numbers(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> tuple[tuple[tuple[str, str], ...], tuple[Message, ...]]:
    """Return the column of events made of the numbers of goals with its SQL, and what is to be said.

    Args:
        connection: the engine.
        relation: table expression of the file.
        columns: the file's own.
    """
    goals = next((column for column in columns if fold(column) in GOALS), "")
    made = f"{goals}.event_type"
    if not goals or made in columns or not ORDERS_AND_CARTS & set(map(fold, columns)):
        return (), ()
    cell = f"trim({name(goals)})"
    filled, whole, carts = one(
        connection,
        f"SELECT count({cell}), count(try_cast({cell} AS BIGINT)), count(*) FILTER ({cell} = '-1')"
        f" FROM (SELECT * FROM {relation} LIMIT {JUDGED_ROWS})",
    )
    if not filled or whole < filled:
        return (), ()
    kinds = f"CASE {cell} WHEN '0' THEN 'purchase' WHEN '-1' THEN 'add_to_cart' ELSE 'goal' END"
    return ((made, kinds),), (Message("warning.goal_numbers", {"column": goals, "carts": carts}),)
