"""What a file says of orders beside their rows: a state, what was paid back, an amount of all rows together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clv_core.collection.engine import T, V
from clv_core.collection.order_states import CANCELLED, REFUNDED, no_sale
from clv_core.columns import AMOUNT, ORDER_ID, ORDER_STATUS, REFUND

LEAST: Final = 0.005
"""What is left of an amount is nothing below half a cent."""
BACK: Final = f"coalesce(abs({V}{REFUND}), 0)"


@dataclass(frozen=True)
class Orders:
    """How orders are read.

    Args:
        whole: whether a row's amount is that of its order, whose rows get even shares of it.
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
        refund = [f"max({V}{REFUND}) AS {V}order_refund"] if REFUND in chosen else []
        orders = (
            f"(SELECT {T}{ORDER_ID} AS {V}order, count(*) AS {V}rows, min({V}{AMOUNT}) AS {V}order_amount,"
            f" {', '.join([*refund, f'max({V}no_sale) AS {V}order_no_sale'])} FROM {rows}"
            f" GROUP BY 1 HAVING {V}order_amount = max({V}{AMOUNT}))"
        )
        shares = [f"coalesce({V}order_amount / {V}rows, {V}{AMOUNT}) AS {V}{AMOUNT}"]
        shares += [f"coalesce({V}order_refund / {V}rows, {V}{REFUND}) AS {V}{REFUND}"] if refund else []
        shares += [f"coalesce({V}order_no_sale, {V}no_sale) AS {V}no_sale"]
        shares += [f"coalesce({T}{AMOUNT}, {V}order_amount::VARCHAR) AS {T}{AMOUNT}"]
        return f"(SELECT * REPLACE ({', '.join(shares)}) FROM {rows} LEFT JOIN {orders} ON {T}{ORDER_ID} = {V}order)"

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
