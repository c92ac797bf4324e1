"""Lines of orders in SQL: purchases of one customer, order and product, and those that are the same in two files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clv_core.collection.engine import name
from clv_core.collection.merge.overlap import FILE, POSITION, MergeStep
from clv_core.collection.rows.voided_orders import LINE, ORDER
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, ORDER_ID, PURCHASE


@dataclass(frozen=True)
class OrderSums:
    """Rows of orders that do not count, in figures.

    Args:
        rows: how many.
        orders: of how many orders.
        amount: what they were worth, in the log's currency.
    """

    rows: int = 0
    orders: int = 0
    amount: float = 0.0


def select_lines(rows: str, line: Sequence[str], compared: Sequence[str] = ()) -> str:
    """Return the query of purchases: file, position, their line with blanks for NULL, time and amount.

    Those without an order are left out where ids of orders are asked for.

    Args:
        rows: table of rows under the merged log's names.
        line: columns that make two rows the same line.
        compared: columns of ``row_hash``, and but for the customer of ``rest_hash``; empty for neither.
    """
    shown = [FILE, POSITION, blanked(line), EVENT_TIME, AMOUNT]
    if compared:
        rest = ", ".join(name(column) for column in compared if column != CUSTOMER_ID)
        shown += [f"hash({', '.join(map(name, compared))}) AS row_hash", f"hash({rest}) AS rest_hash"]
    test = f"{EVENT_TYPE} = '{PURCHASE}'" + (f" AND {ORDER_ID} IS NOT NULL" if ORDER_ID in line else "")
    return f"SELECT {', '.join(shown)} FROM {rows} WHERE {test}"


def blanked(line: Sequence[str]) -> str:
    """Return the columns of a line with blanks for NULL."""
    return ", ".join(f"coalesce({column}, '') AS {column}" for column in line)


def whole_orders(voided: str) -> str:
    """Return the query of the orders that voided lines name as a whole."""
    return f"SELECT DISTINCT {blanked(LINE[:2])} FROM {voided} WHERE whole"


def matching_lines(key: str, rows: str, lines: str, orders: str = "") -> str:
    """Return the query of ``rows`` whose line is in ``lines``, as often as there, or whose order is in ``orders``."""
    numbered = f"SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {FILE}, {POSITION}) AS clv_copy FROM {rows}"
    counted = f"SELECT {key}, count(*) AS clv_copies FROM ({lines}) GROUP BY ALL"
    also = f" OR ({ORDER}) IN ({orders})" if orders else ""
    return f"SELECT * FROM ({numbered}) LEFT JOIN ({counted}) USING ({key}) WHERE clv_copy <= clv_copies{also}"


def sum_lines(step: MergeStep, lines: str) -> OrderSums:
    """Return how many rows and orders a query of lines gives, and what they are worth."""
    rows, orders, worth = step.one(f"SELECT count(*), count(DISTINCT ({ORDER})), sum({AMOUNT}) FROM ({lines})")
    return OrderSums(rows, orders, round(float(worth or 0), 2))
