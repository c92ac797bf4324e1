"""What the rows of one order have in common: the evidence that an amount is that of the whole order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb

from clv_core.collection.engine import T, V, name, one
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.read.source import Source
from clv_core.columns import AMOUNT, PRODUCT_ID, QUANTITY, UNIT_PRICE

JUDGED_ROWS: Final = 1_000_000
NEARLY_ALL: Final = 0.95
MOST: Final = 0.8


@dataclass(frozen=True)
class Evidence:
    """Orders of several rows that differ, and what their amounts do.

    Args:
        orders: how many of them there are.
        same: those whose rows have one amount, or the same few beside each product, as payments joined with lines.
        amounts: different totals among the latter.
        lined: those whose rows have different quantities x unit prices.
        lined_same: those of the latter whose rows have the same amounts likewise.
        summed: those of the latter whose total is nearer to the sum of their rows' than to any row's.
    """

    orders: int
    same: int
    amounts: int
    lined: int
    lined_same: int
    summed: int

    @property
    def proves(self) -> bool:
        """Whether quantities and unit prices show that the amounts are those of whole orders."""
        return 0 < self.lined and self.lined_same >= NEARLY_ALL * self.lined and self.summed >= MOST * self.lined_same

    def suggests(self, orders: int, amounts: int) -> bool:
        """Say whether at least so many orders, of so many different amounts, have nearly all one amount each."""
        return self.orders >= orders and self.same >= NEARLY_ALL * self.orders and self.amounts >= amounts


def evidence(connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan, key: str) -> Evidence:
    """Look at the orders of the first rows; what was paid and what was given back of one are two.

    Args:
        connection: the engine.
        source: the file.
        plan: how it is read, each row for itself; it has an amount.
        key: SQL for the text that names a row's order.
    """
    line = "NULL::DOUBLE"
    if UNIT_PRICE in plan.chosen:
        line = f"abs({V}{UNIT_PRICE} * {f'{V}{QUANTITY}' if QUANTITY in plan.chosen else '1'})"
    differ = T + PRODUCT_ID if PRODUCT_ID in plan.chosen else f"hash({', '.join(map(name, source.columns))})"
    amount = f"abs({V}{AMOUNT})"
    return Evidence(
        *one(
            connection,
            f"SELECT count(*), count(*) FILTER ({V}same), count(DISTINCT {V}high) FILTER ({V}same),"
            f" count(*) FILTER ({V}lines > 1), count(*) FILTER ({V}lines > 1 AND {V}same), count(*) FILTER"
            f" ({V}lines > 1 AND {V}same AND abs({V}high - {V}sum) < abs({V}high - {V}most)) FROM"
            f" (SELECT count(DISTINCT {differ}) AS {V}different, count(DISTINCT {amount}) AS {V}paid,"
            f" {V}paid = 1 OR ({V}different > 1 AND {V}paid * {V}different = count(DISTINCT ({differ}, {amount})))"
            f" AS {V}same,"
            f" sum(DISTINCT {amount}) AS {V}high, count(DISTINCT {line}) AS {V}lines,"
            f" sum({line}) / {V}paid AS {V}sum, max({line}) AS {V}most FROM"
            f" {plan.judged(f'(SELECT * FROM {source.relation()} LIMIT {JUDGED_ROWS})')}"
            f" WHERE {amount} > 0 GROUP BY {key}, {V}{AMOUNT} > 0"
            f" HAVING {key} IS NOT NULL AND ({V}different > 1 OR {V}lines > 1))",
        )
    )
