"""Orders that were paid in equal parts, joined with their lines: one amount in all rows, each product several times.

It looks like the amount of the whole order, written into each row. What the products cost tells which of the two it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb

from clv_core.collection.engine import T, V, name, one
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.read.source import Source
from clv_core.columns import AMOUNT, PRODUCT_ID, QUANTITY, UNIT_PRICE

JUDGED_ROWS: Final = 200_000
FEWEST: Final = 3
"""Orders of several products, each beside every part, before that is no accident."""
NEARLY_ALL: Final = 0.95


@dataclass(frozen=True)
class EqualParts:
    """Orders of several products in which every product stands beside each part, and all amounts are one.

    Args:
        column: what tells the parts.
        orders: how many orders of several products are like that.
        proven: whether the products of nearly all of them cost as much as all parts together.
    """

    column: str
    orders: int
    proven: bool


def equal_parts(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan, key: str
) -> EqualParts | None:
    """Return what tells parts that may be equal, None where nothing does or the amount is that of the whole order.

    Args:
        connection: the engine.
        source: the file.
        plan: how it is read, each row for itself.
        key: SQL for the text that names a row's order.
    """
    free = [column for column in source.columns if column not in plan.chosen.values()]
    if PRODUCT_ID not in plan.chosen or not free:
        return None
    rows = plan.judged(f"(SELECT * FROM {source.relation()} LIMIT {JUDGED_ROWS})")
    product = T + PRODUCT_ID
    counts = ", ".join(
        f"count(DISTINCT {name(column)}) AS {V}c{i}, count(DISTINCT ({name(column)}, {product})) AS {V}p{i}"
        for i, column in enumerate(free)
    )
    matches = ", ".join(
        f"count(*) FILTER ({V}c{i} > 1), count(*) FILTER ({V}c{i} > 1 AND {V}p{i} = {V}c{i} * {V}products"
        f" AND {V}p{i} = {V}rows)"
        for i, _ in enumerate(free)
    )
    told = one(
        connection,
        f"SELECT {matches} FROM (SELECT count(*) AS {V}rows, count(DISTINCT {product}) AS {V}products, {counts}"
        f" FROM {rows} WHERE {key} IS NOT NULL GROUP BY {key}"
        f" HAVING count(DISTINCT {V}{AMOUNT}) = 1 AND {V}products > 1)",
    )
    for column, several, crossed in zip(free, told[::2], told[1::2], strict=True):
        if crossed >= FEWEST and crossed >= NEARLY_ALL * several:
            return _judged(connection, plan, rows, key, column, int(crossed))
    return None


def _judged(
    connection: duckdb.DuckDBPyConnection, plan: ReadingPlan, rows: str, key: str, column: str, orders: int
) -> EqualParts | None:
    """Return the parts with whether prices prove them, None where these prove the contrary."""
    if UNIT_PRICE not in plan.chosen:
        return EqualParts(column, orders, proven=False)
    pieces = f"{V}{QUANTITY}" if QUANTITY in plan.chosen else "1"
    products = (
        f"SELECT {key} AS {V}order, {T}{PRODUCT_ID}, max({V}{UNIT_PRICE} * {pieces}) AS {V}line,"
        f" max({V}{AMOUNT}) AS {V}paid, count(DISTINCT {name(column)}) AS {V}parts FROM {rows}"
        f" WHERE {key} IS NOT NULL GROUP BY 1, 2"
    )
    priced, together = one(
        connection,
        f"SELECT count(*), count(*) FILTER (abs({V}cost - {V}paid * {V}parts) < abs({V}cost - {V}paid)) FROM"
        f" (SELECT sum({V}line) AS {V}cost, max({V}paid) AS {V}paid, max({V}parts) AS {V}parts FROM ({products})"
        f" GROUP BY {V}order HAVING {V}parts > 1 AND {V}paid > 0 AND count({V}line) = count(*))",
    )
    if not priced:
        return EqualParts(column, orders, proven=False)
    return EqualParts(column, orders, proven=True) if together >= NEARLY_ALL * priced else None
