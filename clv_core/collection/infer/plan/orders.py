"""How rows are combined into orders: their state, what was paid back, a total that their rows share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from clv_core.collection.answers import ANY_VALUE, LEFT_OUT, RETURN
from clv_core.collection.engine import T, V, name, text
from clv_core.collection.vocabulary.language_files import fold
from clv_core.collection.vocabulary.order_statuses import CANCELLED, PAID_TIMES, REFUNDED
from clv_core.columns import (
    AMOUNT,
    CHANNEL,
    COUNTRY,
    CUSTOMER_ID,
    EVENT_TIME,
    MONEY_TYPES,
    ORDER_ID,
    ORDER_STATUS,
    QUANTITY,
    REFUND,
    REFUND_STATUS,
    SESSION_ID,
    UNIT_PRICE,
)

MIN_LEFT: Final = 0.005
"""What is left of an amount is nothing below half a cent."""
SAME_FOR_ALL: Final = (CUSTOMER_ID, EVENT_TIME, AMOUNT, CHANNEL, COUNTRY, SESSION_ID)
"""What is the same for all rows of an order, and may stand in one of them only."""
SOMETHING: Final = "[1-9]"
"""What a cell with a time holds: it is not blank, nor NULL, nor 0000-00-00."""
BACK: Final = f"coalesce(abs({V}{REFUND}), 0)"
PAID: Final = f"{V}paid IS NOT NULL"
BY_ID: Final = (ORDER_ID,)
BY_TIME: Final = (CUSTOMER_ID, EVENT_TIME)
"""What identifies the rows of one order where no column names it: one customer, one instant."""


@dataclass(frozen=True)
class Orders:
    """How orders are read.

    Args:
        whole: whether a row's amount is that of its order: its rows get shares of it, by quantity x unit price where
            all of them have one, else even ones, and what else one of them holds for the order applies to all.
        by: canonical columns that together name an order, :data:`BY_ID` or :data:`BY_TIME`.
        events: whether the rows are events of several types: the purchases of one order belong together, and its
            returns, and no view does.
        part: source column that names the payments of an order, each with an amount of its own that its rows repeat;
            empty without one: then amounts that differ are such parts if each is on equally many rows.
        refunds_of_rows: whether rows of an order have refunds of their own, which add up to what was given back of it;
            else one of them, or each, has all of it.
        refunds_apart: whether what was paid back is in rows below zero, so that nothing is taken off for it.
        states: word of the column of states -> ``cancelled`` or ``refunded``; it also applies to rows without
            a word in an order with a shared total, or to all of its rows where a column has what was paid back.
        after_sale: the same of a column about refunds, which is about its own row.
        other_states: source column of more states, such as those of the payment -> its words -> ``cancelled`` or
            ``refunded``.
        returns: words of either, as :meth:`status` has them, of rows that are returns.
        ends: source column of times that end orders by being filled -> ``cancelled`` or ``refunded``.
        kinds: source column -> its values -> ``left_out`` or ``return``, as answered: rows that are no sales of
            their own, and rows whose amounts are taken off.
    """

    whole: bool = False
    by: tuple[str, ...] = BY_ID
    events: bool = False
    part: str = ""
    refunds_of_rows: bool = False
    refunds_apart: bool = False
    states: Mapping[str, str] = field(default_factory=dict)
    after_sale: Mapping[str, str] = field(default_factory=dict)
    other_states: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    returns: tuple[str, ...] = ()
    ends: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def left_out(self) -> str:
        """SQL for whether a row is no sale of its own, as answered; empty where none is."""
        return self._of_kind(LEFT_OUT)

    def _of_kind(self, meaning: str) -> str:
        conditions = []
        for column, values in self.kinds.items():
            meant = [value for value, kind in values.items() if kind == meaning]
            if ANY_VALUE in meant:
                return "true"
            if meant:
                conditions.append(f"coalesce(trim({name(column)}), '') IN ({', '.join(map(text, meant))})")
        return f"({' OR '.join(conditions)})" if conditions else ""

    def status(self, raw: str) -> str:
        """Return SQL for the status of an order: a word of another column that voids it, else ``raw``."""
        cases = ""
        for column, states in self.other_states.items():
            word, words = f"trim({name(column)})", ", ".join(map(text, states))
            cases += f" WHEN {word} IN ({words}) THEN {text(qualified_word(column, ''))} || {word}" if states else ""
        return f"CASE{cases} ELSE {raw} END" if cases else raw

    @property
    def all_states(self) -> dict[str, str]:
        """What the words of all columns say of an order: ``cancelled`` or ``refunded``."""
        every = dict(self.states)
        for column, states in self.other_states.items():
            every |= {qualified_word(column, word): state for word, state in states.items()}
        return {word: state for word, state in every.items() if word not in self.returns}

    def signed(self, amount: str) -> str:
        """Return SQL for an amount, below zero in a row that is called a return."""
        words = ", ".join(map(text, self.returns))
        called = [f"{T}{ORDER_STATUS} IN ({words})"] if self.returns else []
        called += [return_rows] if (return_rows := self._of_kind(RETURN)) else []
        return f"CASE WHEN {' OR '.join(called)} THEN -abs({amount}) ELSE {amount} END" if called and amount else amount

    def rows(self, read: str, column_of: Mapping[str, str]) -> str:
        """Return the table expression of rows with ``no_sale``: ``cancelled``, ``refunded``, or NULL.

        With shared totals, ``rows`` adds the state to each row, ``_parts`` groups them by order and payment, ``orders``
        groups the payments by order; the outermost query joins orders to rows and gives each row its share.

        Args:
            read: table expression of the texts and values of ``column_of``, each row for itself.
            column_of: canonical name -> source column.
        """
        own_state, after = self._no_sale(column_of), self._after_sale(column_of)
        if not self.whole:
            return f"(SELECT *, coalesce({own_state}, {after}) AS {V}no_sale FROM {read})"
        rows = f"(SELECT *, {own_state} AS {V}no_sale, {after} AS {V}after_sale FROM {read})"
        shared = [column for column in (AMOUNT, REFUND) if column in column_of]
        texts = [column for column in SAME_FOR_ALL if column in column_of]
        columns = [f"{V}{column}" for column in ("time", "no_sale", *shared[1:])] + [f"{T}{column}" for column in texts]
        line = _line(column_of)
        more = [f"{'sum' if self._adds_up(column) else 'max'}({column}) AS {column}" for column in columns]
        more += [f"count({line}) AS {V}priced, sum({line}) AS {V}lines"]
        order_columns = [
            f"{self._of_parts(column)} AS {column[: len(V)]}order_{column[len(V) :]}" for column in columns
        ]
        order_columns += [
            f"max({V}paid) AS {V}order_{AMOUNT}, sum({V}rows)::BIGINT AS {V}rows, count({V}paid) AS {V}parts"
        ]
        are_equal = f"max({V}lines) FILTER ({PAID}) - min({V}lines) FILTER ({PAID}) < {MIN_LEFT}"
        order_columns += [
            f"CASE WHEN sum({V}priced) = sum({V}rows) AND {are_equal} THEN sum({V}lines) END AS {V}order_lines"
        ]
        parts = self._parts(rows, *more)
        orders = f"(SELECT {V}order, {', '.join(order_columns)} FROM {parts} GROUP BY 1 HAVING {self._plain()})"
        share = f"coalesce({line} / {V}order_lines, 1 / {V}rows)"
        row_columns = [f"coalesce({V}order_{column} * {share}, {V}{column}) AS {V}{column}" for column in shared[1:]]
        paid = f"CASE WHEN {V}parts > 1 THEN {V}{AMOUNT} * {V}parts ELSE {V}order_{AMOUNT} END"
        row_columns += [f"coalesce({paid} * {share}, {V}{AMOUNT}) AS {V}{AMOUNT}"]
        state, back = self._state_of_row(column_of), self._all_back(column_of)
        row_columns += [f"coalesce({state}, {V}no_sale, {V}after_sale{back}) AS {V}no_sale"]
        row_columns += [f"CASE WHEN {T}{EVENT_TIME} IS NULL THEN {V}order_time ELSE {V}time END AS {V}time"]
        row_columns += [f"coalesce({T}{column}, {T}order_{column}) AS {T}{column}" for column in texts]
        return f"(SELECT * REPLACE ({', '.join(row_columns)}) FROM {rows} LEFT JOIN {orders} ON {self.key} = {V}order)"

    @property
    def key(self) -> str:
        """SQL for the text that names a row's order, NULL where nothing does."""
        named = " || '\x1f' || ".join(f"{T}{column}" for column in self.by)
        if back := self._of_kind(RETURN):  # a return may have the number of its sale
            named += f" || CASE WHEN {back} THEN '\x1f-' ELSE '' END"
        if self.left_out:
            named = f"CASE WHEN NOT {self.left_out} THEN {named} END"
        if not self.events:
            return named
        kinds = ", ".join(map(text, MONEY_TYPES))
        return f"CASE WHEN {V}kind IN ({kinds}) THEN {named} || '\x1f' || {V}kind END"

    def unlike(self, read: str) -> str:
        """Return the query that counts orders whose amounts differ, so that each row keeps its own."""
        return f"SELECT count(*) FROM ({self._unlike(read)})"

    def shared(self, read: str) -> str:
        """Return the SQL condition of events whose amounts are shares of their order's; empty where none are.

        Args:
            read: table expression of the rows, each for itself.
        """
        if not self.whole:
            return ""
        named = " AND ".join(f"{column} IS NOT NULL" for column in self.by if column != ORDER_STATUS)
        if ORDER_ID not in self.by:
            return named
        return f"{named} AND {ORDER_ID} NOT IN (SELECT split_part({V}order, '\x1f', 1) FROM ({self._unlike(read)}))"

    def left(self, column_of: Mapping[str, str]) -> str:
        """Return SQL for a row's amount, less what was given back of it."""
        if REFUND not in column_of or self.refunds_apart:
            return V + AMOUNT
        return f"CASE WHEN {V}{AMOUNT} > 0 THEN greatest({V}{AMOUNT} - {BACK}, 0) ELSE {V}{AMOUNT} END"

    def _adds_up(self, column: str) -> bool:
        return self.refunds_of_rows and column == V + REFUND

    def _of_parts(self, column: str) -> str:
        """Return SQL that combines a column over the parts of an order; each of several payments repeats its rows."""
        added = f"CASE WHEN count({V}paid) > 1 THEN max({column}) ELSE sum({column}) END"
        return added if self._adds_up(column) else f"max({column})"

    def _unlike(self, read: str) -> str:
        """Return the query of orders whose amounts differ."""
        orders = f"SELECT {V}order FROM {self._parts(read)} WHERE {V}order IS NOT NULL GROUP BY 1"
        return f"{orders} HAVING count({V}paid) > 0 AND NOT ({self._plain()})"

    def _parts(self, rows: str, *more: str) -> str:
        """Return the table expression of the payments of orders: ``order``, ``paid``, ``rows``, then ``more``."""
        part = name(self.part) if self.part else V + AMOUNT
        also = "".join(f", {item}" for item in more)
        paid = f"max({V}{AMOUNT}) AS {V}paid, min({V}{AMOUNT}) AS {V}least, count(*) AS {V}rows"
        return f"(SELECT {self.key} AS {V}order, {part} AS {V}part, {paid}{also} FROM {rows} GROUP BY 1, 2)"

    def _plain(self) -> str:
        """Return SQL for whether an order's amounts are one, or those of its payments."""
        fewest, most = f"min({V}rows) FILTER ({PAID})", f"max({V}rows) FILTER ({PAID})"
        if self.part:
            return f"bool_and({V}least = {V}paid) FILTER ({PAID}) AND {fewest} = {most}"
        return f"count({V}paid) = 1 OR ({fewest} > 1 AND {fewest} = {most})"

    def _no_sale(self, column_of: Mapping[str, str]) -> str:
        state = no_sale(T + ORDER_STATUS, self.all_states) if ORDER_STATUS in column_of else "NULL::VARCHAR"
        times = "".join(f" WHEN {ended(column)} THEN {text(meaning)}" for column, meaning in self.ends.items())
        state = f"CASE{times} ELSE {state} END" if times else state
        if self.refunds_apart:
            return f"nullif({state}, '{REFUNDED}')"
        if REFUND not in column_of:
            return state
        return (
            f"CASE WHEN {state} = '{CANCELLED}' THEN '{CANCELLED}' WHEN {BACK} = 0 THEN {state}"
            f" WHEN {V}{AMOUNT} > 0 AND {V}{AMOUNT} - {BACK} < {MIN_LEFT} THEN '{REFUNDED}' END"
        )

    def _state_of_row(self, column_of: Mapping[str, str]) -> str:
        """Return SQL for the order's state as far as it applies to a row: always, unless rows have their own words.

        Where a column has what was paid back, a state may come of that, and is in one row only.
        """
        if ORDER_STATUS not in column_of or REFUND in column_of:
            return f"{V}order_no_sale"
        return f"CASE WHEN {T}{ORDER_STATUS} IS NULL THEN {V}order_no_sale END"

    def _all_back(self, column_of: Mapping[str, str]) -> str:
        """Return SQL, behind a comma, for the state that all refunds of an order add up to; empty without refunds."""
        if REFUND not in column_of or self.refunds_apart:
            return ""
        back = f"abs({V}order_{REFUND})"
        rest = f"{V}order_{AMOUNT} - {back}"
        return f", CASE WHEN {V}parts = 1 AND {back} > 0 AND {rest} < {MIN_LEFT} THEN '{REFUNDED}' END"

    def _after_sale(self, column_of: Mapping[str, str]) -> str:
        if REFUND_STATUS not in column_of or self.refunds_apart:
            return "NULL::VARCHAR"
        state = no_sale(T + REFUND_STATUS, self.after_sale)
        return f"CASE WHEN {BACK} = 0 THEN {state} END" if REFUND in column_of else state


def no_sale(column: str, words: Mapping[str, str]) -> str:
    """Return SQL for what ``words`` say of the state in ``column``: ``cancelled``, ``refunded``, or NULL."""
    if not words:
        return "NULL::VARCHAR"
    pairs = ", ".join(f"{text(word)}: {text(state)}" for word, state in words.items())
    return f"MAP {{{pairs}}}[{column}]"


def ended(column: str) -> str:
    """Return SQL for whether the time in a column voids a row's order, or a blank one shows that nobody paid."""
    is_filled = f"coalesce(regexp_matches({name(column)}, '{SOMETHING}'), false)"
    return f"NOT {is_filled}" if fold(column) in PAID_TIMES else is_filled


def qualified_word(column: str, word: str) -> str:
    """Return a word of another column of states, prefixed by the column so that it differs from the first one's."""
    return f"{column}: {word}"


def _line(column_of: Mapping[str, str]) -> str:
    """Return SQL for quantity x unit price of a row, NULL where that is missing or zero."""
    if UNIT_PRICE not in column_of:
        return "NULL::DOUBLE"
    pieces = f"{V}{QUANTITY}" if QUANTITY in column_of else "1"
    return f"CASE WHEN {V}{UNIT_PRICE} > 0 AND {pieces} > 0 THEN {V}{UNIT_PRICE} * {pieces} END"
