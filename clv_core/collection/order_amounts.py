"""Whether an amount is that of a row or of the whole order that the row belongs to.

Shop systems export an order of three products as three rows, with what the order came to in the first one, or in each:
added up as they stand, the first would lose rows, and the second would count the money three times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.source import Source
from clv_core.columns import AMOUNT, EVENT_TYPE, ORDER_ID, PRODUCT_ID

JUDGED_ROWS: Final = 200_000
NEARLY_ALL: Final = 0.95
FEWEST_LATER: Final = 3
"""Rows without an amount that follow one of their order with an amount, before that is taken for a rule."""
FEWEST_ORDERS: Final = 20
FEWEST_AMOUNTS: Final = 10
"""Different amounts among them: in a shop with one price, rows of an order may well be equal."""


def of_whole_orders(
    connection: duckdb.DuckDBPyConnection, source: Source, rows: list[dict[str, Any]], chosen: Mapping[str, str]
) -> bool:
    """Say whether the amounts are those of whole orders.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        chosen: canonical name -> source column.
    """
    if not {AMOUNT, ORDER_ID} <= set(chosen) or EVENT_TYPE in chosen:
        return False
    return _in_first_rows(rows, chosen[ORDER_ID], chosen[AMOUNT]) or (
        PRODUCT_ID in chosen and _in_each_row(connection, source, chosen)
    )


def _in_first_rows(rows: list[dict[str, Any]], order: str, amount: str) -> bool:
    """Say whether rows without an amount follow one of the same order that has one."""
    headed: set[str] = set()
    blank = later = 0
    for row in rows:
        if row[amount] is not None and str(row[amount]).strip():
            headed.add(row[order])
        else:
            blank += 1
            later += row[order] is not None and row[order] in headed
    return blank >= FEWEST_LATER and later >= NEARLY_ALL * blank


def _in_each_row(connection: duckdb.DuckDBPyConnection, source: Source, chosen: Mapping[str, str]) -> bool:
    """Say whether the rows of nearly every order of several products have the same amount, and orders do not."""
    order, amount, product = (name(chosen[column]) for column in (ORDER_ID, AMOUNT, PRODUCT_ID))
    orders, same, amounts = one(
        connection,
        "SELECT count(*), count(*) FILTER (low = high), count(DISTINCT high) FROM"
        f" (SELECT min({amount}) AS low, max({amount}) AS high FROM"
        f" (SELECT * FROM {source.relation()} LIMIT {JUDGED_ROWS}) WHERE {order} IS NOT NULL"
        f" GROUP BY {order} HAVING count(DISTINCT {product}) > 1)",
    )
    return bool(orders >= FEWEST_ORDERS and same >= NEARLY_ALL * orders and amounts >= FEWEST_AMOUNTS)
