"""Whether the rows of an order include one of its total, so that its money would count twice."""

from __future__ import annotations

from typing import Final

import duckdb

from clv_core.collection.engine import T, V, one
from clv_core.collection.files.source import Source
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.columns import AMOUNT, ORDER_ID
from clv_core.errors import Message

JUDGED_ROWS: Final = 200_000
FEWEST: Final = 10
"""Orders of three amounts or more, one of them the sum of the others, before that is no accident."""
NEARLY_ALL: Final = 0.95
CENT: Final = 0.011


def told_totals(connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan) -> tuple[Message, ...]:
    """Return a warning where in nearly all orders of several rows one amount is the sum of the others.

    Args:
        connection: the engine.
        source: the file.
        plan: how it is read, each row for itself.
    """
    if not {AMOUNT, ORDER_ID} <= set(plan.chosen) or plan.orders.whole:
        return ()
    amount, first = f"{V}{AMOUNT}", f"(SELECT * FROM {source.relation()} LIMIT {JUDGED_ROWS})"
    told, twice = one(
        connection,
        f"SELECT count(*), count(*) FILTER (abs(total - 2 * most) < {CENT}) FROM (SELECT sum({amount}) AS total,"
        f" max({amount}) AS most FROM {plan.judged(first)} WHERE {amount} > 0 AND {plan.money}"
        f" GROUP BY {T}{ORDER_ID} HAVING {T}{ORDER_ID} IS NOT NULL AND count(*) > 2)",
    )
    if twice < FEWEST or twice < NEARLY_ALL * told:
        return ()
    params = {"column": plan.chosen[AMOUNT], "order": plan.chosen[ORDER_ID], "orders": int(twice)}
    return (Message("warning.order_totals", params),)
