"""The read plan: the type of each row, its amount, and the rule that rejects it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from clv_core.collection.engine import T, V, name, text
from clv_core.collection.infer.plan.cells import CREDIT_NOTE, REASON, UNPRICED, CellPlan
from clv_core.collection.parse import numbers, times
from clv_core.collection.store.manifest import CLASHED
from clv_core.collection.vocabulary.column_names import TOTALS
from clv_core.collection.vocabulary.order_statuses import REFUNDED
from clv_core.columns import (
    AMOUNT,
    BY_NAME,
    COLUMNS,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    MONEY_TYPES,
    ORDER_ID,
    PURCHASE,
    QUANTITY,
    RETURN,
    UNIT_PRICE,
    Kind,
)

CENT: Final = 0.011
"""Amounts that differ by less are equal: a cent, and the rounding of doubles."""


def is_total(customer: str) -> str:
    """Return SQL for whether a customer's text is a name of rows of totals."""
    return f"regexp_full_match(lower(trim({customer}, ' :：')), {text(TOTALS)})"


@dataclass(frozen=True)
class ReadingPlan(CellPlan):
    """How a table of text is read as events.

    Args:
        credit_notes: order ids like :data:`CREDIT_NOTE` are returns.
        discount: ``amount``, ``unit``, ``percent`` or ``order``: what a discount on quantity x unit price is.
        max_amount: larger amounts, in size, are rejected; None: no limit but that of all files.
        discount_below: whether discounts are written as negative numbers.
        parent: source column that names the row which a row is a part of, and which has its money; empty: none.
        order_totals: whether one row of an order is the sum of its others.
        without_totals: whether customers that are called totals are left out.
        secret: SQL template with ``{column}`` that makes a text its pseudonym; empty where ids stay readable.
        hidden: source columns, besides the customer id, that become pseudonyms too.
    """

    credit_notes: bool = False
    discount_below: bool = False
    discount: str = "amount"
    max_amount: float | None = None
    parent: str = ""
    order_totals: bool = False
    without_totals: bool = False
    secret: str = field(default="", repr=False)
    hidden: frozenset[str] = frozenset()

    @property
    def stored(self) -> list[str]:
        """Columns of the dataset: canonical ones that the log has, then extras."""
        always = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT)
        return [c.name for c in COLUMNS if c.name in self.column_of or c.name in always] + list(self.extras.values())

    @property
    def extras(self) -> dict[str, str]:
        """Source columns that are no canonical ones -> their names in the dataset."""
        used = {column for canonical, column in self.column_of.items() if canonical in BY_NAME}
        names: dict[str, str] = {}
        for column in self.columns:
            if column not in used:
                clash = column.lower() in BY_NAME or column.lower() == REASON
                names[column] = f"{column}{CLASHED}" if clash else column
        return names

    def typed(self, relation: str) -> str:
        """Return the query that reads ``relation``: all stored columns, ``reason`` (NULL for accepted rows)."""
        outputs = {CUSTOMER_ID: T + CUSTOMER_ID, EVENT_TIME: V + "time", EVENT_TYPE: V + "type", AMOUNT: V + "value"}
        for column in COLUMNS:
            if column.name in self.column_of and column.name not in outputs:
                outputs[column.name] = (V if column.kind is Kind.NUMBER else T) + column.name
        if self.discount != "amount":
            outputs[DISCOUNT] = f"CASE WHEN {V}discount IS NOT NULL THEN {self._off} END"
        for column in COLUMNS:
            if column.kind is Kind.TEXT and column.name in self.column_of:
                outputs[column.name] = self._veiled(outputs[column.name], self.column_of[column.name])
        selected = [f"{outputs[c.name]} AS {c.name}" for c in COLUMNS if c.name in outputs]
        selected += [f"{self.shown(column)} AS {name(extra)}" for column, extra in self.extras.items()]
        return f"SELECT {', '.join(selected)}, {self.reason} AS {REASON} FROM {self.judged(relation)}"

    def shown(self, column: str) -> str:
        """Return SQL for a source column's text as it may be kept."""
        return self._veiled(name(column), column)

    def _veiled(self, expression: str, column: str) -> str:
        personal = column in self.hidden or column == self.column_of[CUSTOMER_ID]
        return self.secret.format(column=expression) if self.secret and personal else expression

    def judged(self, relation: str) -> str:
        """Return the table expression of ``relation``'s own columns and what was read from them.

        From the inside: the rows with their states (:meth:`Orders.rows`), the event type of each, its amount with the
        sign of its type, and, where the plan has such a rule, whether other rows have its money too.
        """
        made = self.orders.signed(self._made())
        source = self.orders.left(self.column_of) if self.has_money else "NULL::DOUBLE"
        source = self.orders.signed(source)
        value = f"CASE WHEN {self.money} THEN {made} END" if made else source
        sign = self._is_return(made or source)
        if EVENT_TYPE in self.column_of:
            blank = " OR ".join(f"{T}{column} IS NULL" for column in self._needs) or "true"
            kind = (
                f"CASE WHEN {V}kind = '{PURCHASE}' AND ({blank}) THEN '{UNPRICED}'"
                f" WHEN {V}kind = '{PURCHASE}' AND {sign} THEN '{RETURN}' ELSE {V}kind END"
            )
        else:
            kind = f"CASE WHEN {sign} THEN '{RETURN}' ELSE '{PURCHASE}' END"
        amount = f"CASE WHEN {V}type = '{RETURN}' THEN -abs({value}) ELSE {value} END"
        rows = self.orders.rows(self.events(relation), self.column_of)
        judged = f"(SELECT *, {amount} AS {V}value FROM (SELECT *, {kind} AS {V}type FROM {rows}))"
        return f"(SELECT *, {self._repeated} AS {V}repeated FROM {judged})" if self._repeated else judged

    @property
    def _repeated(self) -> str:
        """SQL for whether other rows have a row's money too; empty where none do."""
        if self.parent:
            return f"nullif(trim({name(self.parent)}), '') IS NOT NULL"
        if not self.order_totals:
            return ""
        order, sold = f"(PARTITION BY {T}{ORDER_ID})", f"FILTER ({V}value > 0)"
        most, total = f"max({V}value) OVER {order}", f"sum({V}value) {sold} OVER {order}"
        several = f"{T}{ORDER_ID} IS NOT NULL AND count(*) {sold} OVER {order} > 2"
        return f"({several} AND {V}value = {most} AND abs({total} - 2 * {most}) < {CENT})"

    @property
    def has_money(self) -> bool:
        """Whether any column has what was paid; a log of views alone has none."""
        return AMOUNT in self.column_of or UNIT_PRICE in self.column_of

    @property
    def money(self) -> str:
        """SQL for whether a row's amount counts."""
        return "(" + " OR ".join(f"{V}type = '{item}'" for item in MONEY_TYPES) + ")"

    def _made(self) -> str:
        """Return SQL for quantity x unit price, nearer to zero by the discount; empty where an amount column is."""
        if AMOUNT in self.column_of or not self.has_money:
            return ""
        gross = self.gross
        if not self.discounted:
            return gross
        off = self._off
        return f"CASE WHEN {gross} < 0 THEN {gross} + abs({off}) ELSE {gross} - {off} END"

    @property
    def _off(self) -> str:
        """SQL for what a discount takes off quantity x unit price, in money."""
        off = f"coalesce({V}discount, 0)"
        off = f"abs({off})" if self.discount_below else off
        if self.discount == "percent":
            return f"({self.gross} * CASE WHEN abs({off}) <= 1 THEN {off} ELSE {off} / 100 END)"
        if self.discount == "order":
            lines = f"if({T}{ORDER_ID} IS NULL, 1, count(*) OVER (PARTITION BY {T}{ORDER_ID}))"
            return f"({off} / {lines})"
        return f"({off} * abs({V}quantity))" if self.discount == "unit" and QUANTITY in self.column_of else off

    @property
    def gross(self) -> str:
        """SQL for quantity x unit price, before any discount."""
        return f"({V}unit_price * {V}quantity)" if QUANTITY in self.column_of else f"{V}unit_price"

    @property
    def discounted(self) -> bool:
        """Whether a discount is taken off quantity x unit price."""
        return AMOUNT not in self.column_of and {UNIT_PRICE, DISCOUNT} <= set(self.column_of)

    def _is_return(self, amount: str) -> str:
        parts = [f"coalesce({amount} < 0, false)"]
        if EVENT_TYPE not in self.column_of and QUANTITY in self.column_of:
            parts.append("coalesce(clv_v_quantity < 0, false)")
        if self.credit_notes:
            parts.append(f"coalesce(regexp_full_match(clv_t_order_id, {text(CREDIT_NOTE)}), false)")
        return "(" + " OR ".join(parts) + ")"

    @property
    def _needs(self) -> list[str]:
        """Columns that a purchase's amount comes from."""
        return [AMOUNT] if AMOUNT in self.column_of else [c for c in (UNIT_PRICE, QUANTITY) if c in self.column_of]

    @property
    def reason(self) -> str:
        """SQL for the reason why a row of :meth:`judged` is rejected, or NULL."""
        header = " AND ".join(f"{name(column)} = {text(column)}" for column in list(self.column_of.values())[:2])
        missing = " OR ".join(f"{T}{column} IS NULL" for column in self._needs) or "true"
        limit = min(numbers.LARGEST, self.max_amount or numbers.LARGEST)
        totals = f" WHEN {is_total(T + CUSTOMER_ID)} THEN 'total_row'" if self.without_totals else ""
        left_out = f" WHEN {self.orders.left_out} THEN 'left_out'" if self.orders.left_out else ""
        repeated = f" WHEN {self.money} AND {V}repeated THEN 'repeated_amount'" if self._repeated else ""
        return (
            f"CASE WHEN {header} THEN 'repeated_header'{left_out}{totals}"
            f" WHEN {T}customer_id IS NULL THEN 'no_customer' WHEN {T}event_time IS NULL THEN 'no_time'"
            f" WHEN {V}time IS NULL THEN 'bad_time' WHEN NOT ({times.in_range(V + 'time')}) THEN 'time_out_of_range'"
            f" WHEN {self.money} AND {V}no_sale IS NOT NULL AND NOT ({V}no_sale = '{REFUNDED}' AND {V}value < 0)"
            f" THEN {V}no_sale"
            f"{repeated} WHEN {self.money} AND {V}value IS NULL"
            f" THEN CASE WHEN {missing} THEN 'no_amount' ELSE 'bad_amount' END"
            f" WHEN abs({V}value) > {limit} THEN 'amount_too_large' END"
        )
