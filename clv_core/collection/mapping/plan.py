"""The plan of a reading: each source column's expression, and the rule that sets a row aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from clv_core.collection.engine import T, V, name, text
from clv_core.collection.mapping.orders import Orders
from clv_core.collection.stored.manifest import CLASHED
from clv_core.collection.values import numbers, times
from clv_core.collection.values.cell_texts import cell_text
from clv_core.collection.values.eras import in_our_years
from clv_core.collection.values.id_texts import folded_sql
from clv_core.collection.words.aliases import EVENT_NAMES, folded
from clv_core.collection.words.state_words import REFUNDED
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
    ORDER_STATUS,
    PRODUCT_ID,
    PURCHASE,
    QUANTITY,
    RATING,
    READ,
    REFUND,
    REFUND_STATUS,
    RETURN,
    UNIT_PRICE,
    VIEW,
    Kind,
)

UNKNOWN: Final = "unknown"
UNPRICED: Final = "purchase_unpriced"
"""A row that is called a purchase and has no amount at all: behaviour is kept, money is not made up."""

MAX_QUANTITY: Final = 1e6
CREDIT_NOTE: Final = "(?i)C[NR]?[-_]?[0-9]+"
"""Order ids of credit notes among ids of digits. Other letters name a channel or a shop: there only a sign tells."""

GUARD: Final = r"""^\s*(?:="(.*)"|'(.*))\s*$"""
"""How exports keep spreadsheets from making a number of an id: ="0012", or an apostrophe before it."""

PAID: Final = (AMOUNT, UNIT_PRICE, DISCOUNT, REFUND)
"""Columns of money."""

REASON: Final = "reason"


@dataclass(frozen=True)
class ReadingPlan:
    """How a table of text is read as events.

    Args:
        columns: source columns, in file order.
        chosen: canonical name -> source column.
        time: how times are read.
        numbers: canonical name -> how its numbers are read.
        values: event names as they stand in the source -> event type.
        credit_notes: order ids like :data:`CREDIT_NOTE` are returns.
        rating_scale: largest rating.
        amount_before_discount: whether the amount is one that the discount is still to be taken off.
        discount_below: whether discounts are written as negative numbers.
        minor: SQL for how many units of the file's amounts make one of the currency; empty where they are in it.
        large: how many of the currency one unit of the file's amounts is, where it is larger.
        refund_rows: whether rows without an amount that tell of a refund are returns of it.
        visits: whether rows of a log of sessions in which nothing was paid are views.
        orders: what the file says of orders beside their rows.
        calendar: of the years of all times, :mod:`clv_core.collection.values.eras`; empty where they are ours.
        clock: source column of the time of day, where that of the time holds dates only; empty where there is none.
        counterparty: source column of the customer in rows below zero; empty where it is the same one.
        guests: ids in lower case that all guests of a shop share; their rows name the customer in ``guest_email``.
        guest_email: source column of the guests' e-mails; empty where their rows name nobody.
        float_ids: whether every customer id is a whole number that ends with .0, which is dropped.
        guarded: canonical columns whose every value is guarded against spreadsheets, :data:`GUARD`.
        secret: SQL template with ``{column}`` that makes a text its pseudonym; empty where ids stay readable.
        hidden: source columns, beside the customer id, that become pseudonyms too.
    """

    columns: tuple[str, ...]
    chosen: Mapping[str, str]
    time: times.TimeReading = field(default_factory=times.TimeReading)
    numbers: Mapping[str, numbers.NumberReading] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    credit_notes: bool = False
    rating_scale: float = 5.0
    amount_before_discount: bool = False
    discount_below: bool = False
    minor: str = ""
    large: int = 1
    refund_rows: bool = False
    visits: bool = False
    orders: Orders = field(default_factory=Orders)
    calendar: str = ""
    clock: str = ""
    counterparty: str = ""
    guests: tuple[str, ...] = ()
    guest_email: str = ""
    float_ids: bool = False
    guarded: frozenset[str] = frozenset()
    secret: str = field(default="", repr=False)
    hidden: frozenset[str] = frozenset()

    @property
    def stored(self) -> list[str]:
        """Columns of the dataset: canonical ones that the log has, then extras."""
        always = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT)
        return [c.name for c in COLUMNS if c.name in self.chosen or c.name in always] + list(self.extras.values())

    @property
    def extras(self) -> dict[str, str]:
        """Source columns that are no canonical ones -> their names in the dataset."""
        used = {column for canonical, column in self.chosen.items() if canonical in BY_NAME}
        names: dict[str, str] = {}
        for column in self.columns:
            if column not in used:
                clash = column.lower() in BY_NAME or column.lower() == REASON
                names[column] = f"{column}{CLASHED}" if clash else column
        return names

    def clean(self, canonical: str) -> str:
        """Return SQL for the text of a canonical column, NULL where it stands for nothing."""
        raw = self._raw(canonical)
        if canonical in self.guarded:
            raw = f"regexp_replace({raw}, {text(GUARD)}, '\\1\\2')"
        if canonical == CUSTOMER_ID and self.float_ids:
            raw = f"regexp_replace({raw}, '^\\s*(\\d+)\\.0\\s*$', '\\1')"
        kind = READ[canonical].kind
        if canonical == PRODUCT_ID:
            return f"trim({raw}, ' \t\u00a0\u3000')"
        if kind is Kind.TEXT and canonical not in (ORDER_ID, CUSTOMER_ID, EVENT_TYPE, ORDER_STATUS, REFUND_STATUS):
            return raw
        said = cell_text(raw, kind)
        if canonical == EVENT_TIME:
            return in_our_years(said, self.calendar)
        return folded_sql(said) if canonical == CUSTOMER_ID else said

    def _raw(self, canonical: str) -> str:
        """Return SQL for what a canonical column is read from: one source column, or two."""
        raw = name(self.chosen[canonical])
        if canonical == ORDER_STATUS:
            return self.orders.status(raw)
        if canonical == EVENT_TIME and self.clock:
            return f"CASE WHEN {raw} IS NOT NULL THEN concat_ws(' ', trim({raw}), trim({name(self.clock)})) END"
        if canonical == CUSTOMER_ID and self.counterparty:
            below = f"regexp_matches({name(self.chosen[AMOUNT])}, {text(numbers.BELOW)})"
            return f"CASE WHEN {below} THEN {name(self.counterparty)} ELSE {raw} END"
        if canonical == CUSTOMER_ID and self.guests:
            guest = f"lower(trim({raw})) IN ({', '.join(map(text, self.guests))})"
            email = f"lower(trim({name(self.guest_email)}))" if self.guest_email else "NULL::VARCHAR"
            return f"CASE WHEN {guest} THEN {email} ELSE {raw} END"
        return raw

    def typed(self, relation: str) -> str:
        """Return the query that reads ``relation``: all stored columns, ``reason`` (NULL for rows that are kept)."""
        outputs = {CUSTOMER_ID: T + CUSTOMER_ID, EVENT_TIME: V + "time", EVENT_TYPE: V + "type", AMOUNT: V + "value"}
        for column in COLUMNS:
            if column.name in self.chosen and column.name not in outputs:
                outputs[column.name] = (V if column.kind is Kind.NUMBER else T) + column.name
        for column in COLUMNS:
            if column.kind is Kind.TEXT and column.name in self.chosen:
                outputs[column.name] = self._veiled(outputs[column.name], self.chosen[column.name])
        kept = [f"{outputs[c.name]} AS {c.name}" for c in COLUMNS if c.name in outputs]
        kept += [f"{self.shown(column)} AS {name(extra)}" for column, extra in self.extras.items()]
        return f"SELECT {', '.join(kept)}, {self.reason} AS {REASON} FROM {self.judged(relation)}"

    def shown(self, column: str) -> str:
        """Return SQL for a source column's text as it may be kept."""
        return self._veiled(name(column), column)

    def _veiled(self, expression: str, column: str) -> str:
        personal = column in self.hidden or column == self.chosen[CUSTOMER_ID]
        return self.secret.format(column=expression) if self.secret and personal else expression

    def judged(self, relation: str) -> str:
        """Return the table expression of ``relation``'s own columns and what was read from them."""
        made = self.orders.signed(self._made())
        source = self.orders.left(self.chosen) if self.has_money else "NULL::DOUBLE"
        if self.amount_before_discount:
            source = f"({source} - abs(coalesce({V}{DISCOUNT}, 0)))"
        source = self.orders.signed(source)
        value = f"CASE WHEN {self.money} THEN {made} END" if made else source
        sign = self._is_return(made or source)
        if EVENT_TYPE in self.chosen:
            blank = " OR ".join(f"{T}{column} IS NULL" for column in self._needs) or "true"
            kind = (
                f"CASE WHEN {V}kind = '{PURCHASE}' AND ({blank}) THEN '{UNPRICED}'"
                f" WHEN {V}kind = '{PURCHASE}' AND {sign} THEN '{RETURN}' ELSE {V}kind END"
            )
        else:
            visit = f" WHEN {self.nothing_paid} THEN '{VIEW}'" if self.visits else ""
            kind = f"CASE{visit} WHEN {sign} THEN '{RETURN}' ELSE '{PURCHASE}' END"
        amount = f"CASE WHEN {V}type = '{RETURN}' THEN -abs({value}) ELSE {value} END"
        rows = self.orders.rows(self._read(relation), self.chosen)
        return f"(SELECT *, {amount} AS {V}value FROM (SELECT *, {kind} AS {V}type FROM {rows}))"

    def _read(self, relation: str) -> str:
        """Return the table expression of ``relation`` and its columns' texts and values, each read for itself."""
        numeric = [name for name in (AMOUNT, QUANTITY, UNIT_PRICE, DISCOUNT, RATING, REFUND) if name in self.chosen]
        texts = [column for column in self.chosen if column in READ and column != EVENT_TYPE]
        inner = [f"{self.clean(column)} AS {T}{column}" for column in texts]
        read = [f"{self.time.value(T + EVENT_TIME)} AS {V}time"]
        read += [f"{self._number(column)} AS {V}{column}" for column in numeric]
        read += [f"{self.kind} AS {V}kind"] if EVENT_TYPE in self.chosen else []
        return f"(SELECT *, {', '.join(read)} FROM (SELECT *, {', '.join(inner)} FROM {relation}))"

    @property
    def has_money(self) -> bool:
        """Whether any column says what was paid; a log of views alone has none."""
        return AMOUNT in self.chosen or UNIT_PRICE in self.chosen

    @property
    def money(self) -> str:
        """SQL that says whether a row's amount counts."""
        return "(" + " OR ".join(f"{V}type = '{item}'" for item in MONEY_TYPES) + ")"

    @property
    def nothing_paid(self) -> str:
        """SQL that says whether a row of :meth:`_read` tells of no money, and of no order."""
        empty = [f"({T}{column} IS NULL OR {V}{column} = 0)" for column in self._needs]
        order = [f"{T}{ORDER_ID} IS NULL"] if ORDER_ID in self.chosen else []
        return "(" + " AND ".join([*empty, *order]) + ")"

    def _number(self, column: str) -> str:
        value = self.numbers.get(column, numbers.NumberReading()).value(T + column)
        value = f"({value} / {self.minor})" if self.minor and column in PAID else value
        value = f"({value} * {self.large})" if self.large > 1 and column in PAID else value
        if column == AMOUNT and self.refund_rows:
            back = self._number(REFUND)
            kind = f" AND {self.kind} = '{RETURN}'" if EVENT_TYPE in self.chosen else ""
            return f"CASE WHEN coalesce({value}, 0) = 0 AND {back} <> 0{kind} THEN -abs({back}) ELSE {value} END"
        if column == QUANTITY:
            return f"CASE WHEN abs({value}) <= {MAX_QUANTITY} THEN {value} END"
        if column == RATING:
            return f"CASE WHEN {value} BETWEEN 0 AND {self.rating_scale} THEN {value} END"
        return value

    @property
    def kind(self) -> str:
        """SQL for the event type: names seen in the sample by a quick comparison, others by folding."""
        raw = name(self.chosen[EVENT_TYPE])
        quick = "".join(f" WHEN {text(value)} THEN {text(kind)}" for value, kind in self.values.items())
        pairs = ", ".join(f"{text(key)}: {text(kind)}" for key, kind in EVENT_NAMES.items())
        mapped = f"coalesce(MAP {{{pairs}}}[{folded('w')}], w, '{UNKNOWN}')"
        slow = f"list_transform([{self.clean(EVENT_TYPE)}], lambda w: {mapped})[1]"
        return f"CASE {raw}{quick} ELSE {slow} END" if quick else slow

    def _made(self) -> str:
        """Return SQL for quantity x unit price, nearer to zero by the discount; empty where an amount column is."""
        if AMOUNT in self.chosen or not self.has_money:
            return ""
        gross = self.gross
        if not self.discounted:
            return gross
        off = f"coalesce({V}discount, 0)"
        off = f"abs({off})" if self.discount_below else off
        return f"CASE WHEN {gross} < 0 THEN {gross} + abs({off}) ELSE {gross} - {off} END"

    @property
    def gross(self) -> str:
        """SQL for quantity x unit price, before any discount."""
        return f"({V}unit_price * {V}quantity)" if QUANTITY in self.chosen else f"{V}unit_price"

    @property
    def discounted(self) -> bool:
        """Whether a discount is taken off quantity x unit price."""
        return AMOUNT not in self.chosen and {UNIT_PRICE, DISCOUNT} <= set(self.chosen)

    def _is_return(self, amount: str) -> str:
        parts = [f"coalesce({amount} < 0, false)"]
        if EVENT_TYPE not in self.chosen and QUANTITY in self.chosen:
            parts.append("coalesce(clv_v_quantity < 0, false)")
        if self.credit_notes:
            parts.append(f"coalesce(regexp_full_match(clv_t_order_id, {text(CREDIT_NOTE)}), false)")
        return "(" + " OR ".join(parts) + ")"

    @property
    def _needs(self) -> list[str]:
        """Columns that a purchase's amount comes from."""
        return [AMOUNT] if AMOUNT in self.chosen else [c for c in (UNIT_PRICE, QUANTITY) if c in self.chosen]

    @property
    def reason(self) -> str:
        """SQL for the reason why a row of :meth:`judged` is set aside, or NULL."""
        header = " AND ".join(f"{name(column)} = {text(column)}" for column in list(self.chosen.values())[:2])
        missing = " OR ".join(f"{T}{column} IS NULL" for column in self._needs) or "true"
        return (
            f"CASE WHEN {header} THEN 'repeated_header'"
            f" WHEN {T}customer_id IS NULL THEN 'no_customer' WHEN {T}event_time IS NULL THEN 'no_time'"
            f" WHEN {V}time IS NULL THEN 'bad_time' WHEN NOT ({times.in_range(V + 'time')}) THEN 'time_out_of_range'"
            f" WHEN {self.money} AND {V}no_sale IS NOT NULL AND NOT ({V}no_sale = '{REFUNDED}' AND {V}value < 0)"
            f" THEN {V}no_sale"
            f" WHEN {self.money} AND {V}value IS NULL"
            f" THEN CASE WHEN {missing} THEN 'no_amount' ELSE 'bad_amount' END"
            f" WHEN abs({V}value) > {numbers.LARGEST} THEN 'amount_too_large' END"
        )
