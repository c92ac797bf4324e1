"""How each cell is read: the text and the number of a canonical column, and the event type of a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from clv_core.collection.engine import T, V, name, text
from clv_core.collection.infer.plan.orders import Orders
from clv_core.collection.parse import numbers, times
from clv_core.collection.parse.cell_texts import cell_text
from clv_core.collection.parse.id_texts import folded_sql
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, folded
from clv_core.columns import (
    AMOUNT,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    ORDER_STATUS,
    PAYEE,
    PRODUCT_ID,
    QUANTITY,
    RATING,
    READ,
    REFUND,
    REFUND_STATUS,
    RETURN,
    UNIT_PRICE,
    Kind,
)

UNKNOWN: Final = "unknown"

UNPRICED: Final = "purchase_unpriced"
"""A row that is called a purchase and has no amount at all: behaviour is kept, money is not made up."""

MAX_QUANTITY: Final = 1e6
"""Pieces in a row; larger numbers are ids or errors, and left empty. A guess."""

CREDIT_NOTE: Final = "(?i)C[NR]?[-_]?[0-9]+"
"""Order ids of credit notes among ids of digits. Other letters name a channel or a shop: there only a sign decides."""

GUARD: Final = r"""^\s*(?:="(.*)"|'(.*))\s*$"""
"""How exports keep spreadsheets from making a number of an id: ="0012", or an apostrophe before it."""

PAID: Final = (AMOUNT, UNIT_PRICE, DISCOUNT, REFUND)
"""Columns of money."""

REASON: Final = "reason"


@dataclass(frozen=True)
class CellPlan:
    """How each cell of a table of text is read for itself.

    Args:
        columns: source columns, in file order.
        column_of: canonical name -> source column.
        time: how times are read.
        numbers: canonical name -> how its numbers are read.
        values: event names as they stand in the source -> event type.
        rating_scale: largest rating.
        minor: SQL for how many units of the file's amounts make one of the currency; empty where they are in it.
        large: how many of the currency one unit of the file's amounts is, where it is larger.
        refund_rows: whether rows without an amount that tell of a refund are returns of it.
        orders: how rows are combined into orders.
        clock: source column of the time of day, where that of the time holds dates only; empty without one.
        guests: ids in lower case that all guests of a shop share; their rows name the customer in ``guest_email``.
        guest_email: source column of the guests' e-mails; empty where their rows name nobody.
        float_ids: whether ids such as 17850.0 are whole numbers.
        sales_below: whether amounts of sales are written below zero, as ledgers book them.
        guarded: canonical columns whose every value is guarded against spreadsheets, :data:`GUARD`.
        is_read: whether the table has the texts and values of :meth:`read` already.
    """

    columns: tuple[str, ...]
    column_of: Mapping[str, str]
    time: times.TimeReading = field(default_factory=times.TimeReading)
    numbers: Mapping[str, numbers.NumberReading] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    rating_scale: float = 5.0
    minor: str = ""
    large: int = 1
    refund_rows: bool = False
    orders: Orders = field(default_factory=Orders)
    clock: str = ""
    guests: tuple[str, ...] = ()
    guest_email: str = ""
    guarded: frozenset[str] = frozenset()
    sales_below: bool = False
    float_ids: bool = True
    is_read: bool = False

    def clean(self, canonical: str) -> str:
        """Return SQL for the text of a canonical column, NULL for blanks and words for nothing."""
        raw = self._raw(canonical)
        if canonical in self.guarded:
            raw = f"regexp_replace({raw}, {text(GUARD)}, '\\1\\2')"
        if canonical == DISCOUNT:
            raw = f"rtrim({raw}, ' %')"
        kind = READ[canonical].kind
        if canonical == PRODUCT_ID:
            return f"trim({raw}, ' \t\u00a0\u3000')"
        if kind is Kind.TEXT and canonical not in (ORDER_ID, CUSTOMER_ID, EVENT_TYPE, ORDER_STATUS, REFUND_STATUS):
            return raw
        cell = cell_text(raw, kind)
        if canonical != CUSTOMER_ID:
            return cell
        return f"nullif({folded_sql(cell, whole_floats=self.float_ids)}, '')"

    @property
    def kind(self) -> str:
        """SQL for the event type: names seen in the sample by a quick comparison, others by folding."""
        raw = name(self.column_of[EVENT_TYPE])
        quick = "".join(f" WHEN {text(value)} THEN {text(kind)}" for value, kind in self.values.items())
        pairs = ", ".join(f"{text(key)}: {text(kind)}" for key, kind in EVENT_NAMES.items())
        # Not in a lambda: there the engine rebuilds the map for each row.
        event = self.clean(EVENT_TYPE)
        slow = f"coalesce(MAP {{{pairs}}}[{folded(event)}], {event}, '{UNKNOWN}')"
        return f"CASE {raw}{quick} ELSE {slow} END" if quick else slow

    def _raw(self, canonical: str) -> str:
        """Return SQL for what a canonical column is read from: one source column, or two."""
        raw = name(self.column_of[canonical])
        if canonical == ORDER_STATUS:
            return self.orders.status(raw)
        if canonical == EVENT_TIME and self.clock:
            return f"CASE WHEN {raw} IS NOT NULL THEN concat_ws(' ', trim({raw}), trim({name(self.clock)})) END"
        if canonical == CUSTOMER_ID and PAYEE in self.column_of and AMOUNT in self.column_of:
            below = f"regexp_matches({name(self.column_of[AMOUNT])}, {text(numbers.BELOW)})"
            return f"CASE WHEN {below} THEN {name(self.column_of[PAYEE])} ELSE {raw} END"
        if canonical == CUSTOMER_ID and self.guests:
            guest = f"lower(trim({raw})) IN ({', '.join(map(text, self.guests))})"
            email = f"lower(trim({name(self.guest_email)}))" if self.guest_email else "NULL::VARCHAR"
            return f"CASE WHEN {guest} THEN {email} ELSE {raw} END"
        return raw

    def read(self, relation: str) -> str:
        """Return the query of ``relation`` and its cells' texts and values, each read for itself."""
        numeric = [name for name in (AMOUNT, QUANTITY, UNIT_PRICE, DISCOUNT, RATING, REFUND) if name in self.column_of]
        texts = [column for column in self.column_of if column in READ and column != EVENT_TYPE]
        inner = [f"{self.clean(column)} AS {T}{column}" for column in texts]
        values = [f"{self.time.value(T + EVENT_TIME)} AS {V}time"]
        values += [f"{self.number(column)} AS {V}{column}" for column in numeric]
        return f"SELECT *, {', '.join(values)} FROM (SELECT *, {', '.join(inner)} FROM {relation})"

    def events(self, relation: str) -> str:
        """Return the table expression of ``relation``, its cells' texts and values, and the type of each event."""
        read = relation if self.is_read else f"({self.read(relation)})"
        kind, back = "", f"{V}{REFUND}"
        amounts = {column: f"{V}{column}" for column in (AMOUNT, UNIT_PRICE, REFUND) if column in self.column_of}
        if self.refund_rows:
            returned = f" AND {self.kind} = '{RETURN}'" if EVENT_TYPE in self.column_of else ""
            amount = f"CASE WHEN coalesce({V}{AMOUNT}, 0) = 0 AND {back} <> 0{returned} THEN -abs({back})"
            amounts[AMOUNT] = f"{amount} ELSE {V}{AMOUNT} END"
        if left := self.orders.left_out:
            amounts = {column: f"CASE WHEN NOT {left} THEN {amount} END" for column, amount in amounts.items()}
        changed = [f"{amount} AS {V}{column}" for column, amount in amounts.items() if amount != f"{V}{column}"]
        kind = f" REPLACE ({', '.join(changed)})" if changed else ""
        if EVENT_TYPE in self.column_of:
            kind += f", {self.kind} AS {V}kind"
        return f"(SELECT *{kind} FROM {read})" if kind else read

    def number(self, column: str) -> str:
        """Return SQL for the number of a column, NULL where it cannot be one."""
        value = self.numbers.get(column, numbers.NumberReading()).value(T + column)
        value = f"({value} / {self.minor})" if self.minor and column in PAID else value
        value = f"({value} * {self.large})" if self.large > 1 and column in PAID else value
        value = f"(-{value})" if self.sales_below and column in (AMOUNT, UNIT_PRICE) else value
        if column == QUANTITY:
            return f"CASE WHEN abs({value}) <= {MAX_QUANTITY} THEN {value} END"
        if column == RATING:
            return f"CASE WHEN {value} BETWEEN 0 AND {self.rating_scale} THEN {value} END"
        return value
