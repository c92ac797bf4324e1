"""Orders that were paid in parts: each row carries one of the payments, and each payment all rows of the order.

That is what comes of joining a table of order lines with one of payments.
"""

from __future__ import annotations

from typing import Final

import duckdb

from clv_core.collection.engine import T, V, name, one
from clv_core.collection.mapping.plan.orders import Orders
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.read.source import Source
from clv_core.columns import AMOUNT, PRODUCT_ID

FEWEST: Final = 5
"""Orders of several amounts, before a column that tells these apart is taken for that of payments."""
MOST: Final = 3
"""Times as many orders may have been paid in parts of one amount, where every product stands beside every part."""


def part_column(connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan, key: str) -> str:
    """Return the column that names the payments of orders, "" where there is none.

    It has one value for each amount of an order, wherever an order has several, and hardly tells rows apart elsewhere.

    Args:
        connection: the engine.
        source: the file.
        plan: how it is read, each row for itself.
        key: SQL for the text that names a row's order.
    """
    free = [column for column in source.columns if column not in plan.chosen.values()]
    if not free:
        return ""
    rows, amount = plan.judged(source.relation()), V + AMOUNT
    several = f"(SELECT {key} AS {V}order FROM {rows} GROUP BY 1 HAVING count(DISTINCT {amount}) > 1)"
    matches = ", ".join(f"count(*) FILTER ({V}amounts = {V}c{i} AND {V}amounts = {V}p{i})" for i, _ in enumerate(free))
    counts = ", ".join(
        f"count(DISTINCT {name(column)}) AS {V}c{i}, count(DISTINCT ({name(column)}, {amount})) AS {V}p{i}"
        for i, column in enumerate(free)
    )
    orders, *matched = one(
        connection,
        f"SELECT count(*), {matches} FROM (SELECT count(DISTINCT {amount}) AS {V}amounts, {counts} FROM {rows}"
        f" WHERE {key} IN {several} GROUP BY {key})",
    )
    if orders < FEWEST:
        return ""
    product = T + PRODUCT_ID if PRODUCT_ID in plan.chosen else "NULL::VARCHAR"
    for column, count in zip(free, matched, strict=True):
        if count == orders:
            part = name(column)
            others, crossed = one(
                connection,
                f"SELECT count(*), count(*) FILTER ({V}pairs = {V}products * {V}parts) FROM (SELECT"
                f" count(DISTINCT {part}) AS {V}parts, count(DISTINCT {product}) AS {V}products,"
                f" count(DISTINCT ({part}, {product})) FILTER ({part} IS NOT NULL AND {product} IS NOT NULL)"
                f" AS {V}pairs"
                f" FROM {rows} WHERE {key} NOT IN {several} GROUP BY {key} HAVING {V}parts > 1)",
            )
            if others <= orders or (others <= MOST * orders and crossed == others and product != "NULL::VARCHAR"):
                return column
    return ""


def unlike_orders(connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan, orders: Orders) -> int:
    """Return how many orders have amounts that are neither one nor those of payments; each row keeps its own.

    Args:
        connection: the engine.
        source: the file.
        plan: how it is read, each row for itself.
        orders: how orders are to be read.
    """
    return int(one(connection, orders.unlike(plan.judged(source.relation())))[0])
