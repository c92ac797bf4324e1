"""What a file says of orders beside their rows: a state, what was paid back, an amount of all rows together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clv_core.collection.engine import T, V
from clv_core.collection.order_states import CANCELLED, REFUNDED, no_sale
from clv_core.columns import (
    AMOUNT,
    CHANNEL,
    COUNTRY,
    CUSTOMER_ID,
    EVENT_TIME,
    ORDER_ID,
    ORDER_STATUS,
    QUANTITY,
    REFUND,
    SESSION_ID,
    UNIT_PRICE,
)

LEAST: Final = 0.005
"""What is left of an amount is nothing below half a cent."""
SAME_FOR_ALL: Final = (CUSTOMER_ID, EVENT_TIME, AMOUNT, CHANNEL, COUNTRY, SESSION_ID)
"""What is the same for all rows of an order, and may stand in one of them only."""
BACK: Final = f"coalesce(abs({V}{REFUND}), 0)"


@dataclass(frozen=True)
class Orders:
    """How orders are read.

    Args:
        whole: whether a row's amount is that of its order: its rows get shares of it, by quantity x unit price where
            all of them have one, else even ones, and what else one of them says of the order holds for all.
        refunds_apart: whether what was paid back stands in rows below zero, so that nothing is taken off for it.
    """

    whole: bool = False
    refunds_apart: bool = False

    def rows(self, read: str, chosen: Mapping[str, str]) -> str:
        """Return the table expression of rows with ``no_sale``: ``cancelled``, ``refunded``, or NULL.

        Args:
            read: table expression of the texts and values of ``chosen``, each row for itself.
            chosen: canonical name -> source column.
        """
        rows = f"(SELECT *, {self._no_sale(chosen)} AS {V}no_sale FROM {read})"
        if not self.whole:
            return rows
        shared = [column for column in (AMOUNT, REFUND) if column in chosen]
        said = [column for column in SAME_FOR_ALL if column in chosen]
        known = [f"max({V}{column}) AS {V}order_{column}" for column in (*shared, "time", "no_sale")]
        known += [f"max({T}{column}) AS {T}order_{column}" for column in said]
        line = _line(chosen)
        known += [f"CASE WHEN count({line}) = count(*) THEN sum({line}) END AS {V}order_lines"]
        orders = (
            f"(SELECT {T}{ORDER_ID} AS {V}order, count(*) AS {V}rows, {', '.join(known)} FROM {rows}"
            f" GROUP BY 1 HAVING min({V}{AMOUNT}) = max({V}{AMOUNT}))"
        )
        share = f"coalesce({line} / {V}order_lines, 1 / {V}rows)"
        own = [f"coalesce({V}order_{column} * {share}, {V}{column}) AS {V}{column}" for column in shared]
        own += [f"coalesce({V}order_no_sale, {V}no_sale) AS {V}no_sale"]
        own += [f"CASE WHEN {T}{EVENT_TIME} IS NULL THEN {V}order_time ELSE {V}time END AS {V}time"]
        own += [f"coalesce({T}{column}, {T}order_{column}) AS {T}{column}" for column in said]
        return f"(SELECT * REPLACE ({', '.join(own)}) FROM {rows} LEFT JOIN {orders} ON {T}{ORDER_ID} = {V}order)"

    def left(self, chosen: Mapping[str, str]) -> str:
        """Return SQL for a row's amount, less what was given back of it."""
        if REFUND not in chosen or self.refunds_apart:
            return V + AMOUNT
        return f"CASE WHEN {V}{AMOUNT} > 0 THEN greatest({V}{AMOUNT} - {BACK}, 0) ELSE {V}{AMOUNT} END"

    def _no_sale(self, chosen: Mapping[str, str]) -> str:
        state = no_sale(T + ORDER_STATUS) if ORDER_STATUS in chosen else "NULL::VARCHAR"
        if self.refunds_apart:
            return f"nullif({state}, '{REFUNDED}')"
        if REFUND not in chosen:
            return state
        return (
            f"CASE WHEN {state} = '{CANCELLED}' THEN '{CANCELLED}' WHEN {BACK} = 0 THEN {state}"
            f" WHEN {V}{AMOUNT} > 0 AND {V}{AMOUNT} - {BACK} < {LEAST} THEN '{REFUNDED}' END"
        )


def _line(chosen: Mapping[str, str]) -> str:
    """Return SQL for what a row's pieces would cost, NULL where that is not known or nothing."""
    if UNIT_PRICE not in chosen:
        return "NULL::DOUBLE"
    pieces = f"{V}{QUANTITY}" if QUANTITY in chosen else "1"
    return f"CASE WHEN {V}{UNIT_PRICE} > 0 AND {pieces} > 0 THEN {V}{UNIT_PRICE} * {pieces} END"
