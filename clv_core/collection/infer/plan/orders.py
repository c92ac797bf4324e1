"""What a file says of orders beside their rows: a state, what was paid back, an amount of all rows together."""

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

LEAST: Final = 0.005
"""What is left of an amount is nothing below half a cent."""
SAME_FOR_ALL: Final = (CUSTOMER_ID, EVENT_TIME, AMOUNT, CHANNEL, COUNTRY, SESSION_ID)
"""What is the same for all rows of an order, and may stand in one of them only."""
SOMETHING: Final = "[1-9]"
"""What a cell with a time holds: it is not blank, nor NULL, nor 0000-00-00."""
BACK: Final = f"coalesce(abs({V}{REFUND}), 0)"
PAID: Final = f"{V}paid IS NOT NULL"
BY_ID: Final = (ORDER_ID,)
BY_TIME: Final = (CUSTOMER_ID, EVENT_TIME)
"""What tells the rows of one order where no column names it: one customer, one instant."""


@dataclass(frozen=True)
class Orders:
    """How orders are read.

    Args:
        whole: whether a row's amount is that of its order: its rows get shares of it, by quantity x unit price where
            all of them have one, else even ones, and what else one of them says of the order holds for all.
        by: canonical columns that together name an order, :data:`BY_ID` or :data:`BY_TIME`.
        events: whether the rows are events of several types: the purchases of one order belong together, and its
            returns, and no view does.
        part: source column that names the payments of an order, each with an amount of its own that its rows repeat;
            empty where there is none: then amounts that differ are such parts if each stands in equally many rows.
        refunds_of_rows: whether rows of an order tell of refunds of their own, which add up to what was given back of
            it; else one of them, or each, tells of all of it.
        refunds_apart: whether what was paid back stands in rows below zero, so that nothing is taken off for it.
        states: word of the column of states -> ``cancelled`` or ``refunded``; it holds for those rows of a whole
            order too that say nothing, or for all of them where a column tells what was paid back.
        after_sale: the same of a column about refunds, which speaks of its own row.
        others: source column of more states, such as those of the payment -> its words -> ``cancelled`` or
            ``refunded``.
        returns: words of either, as :meth:`status` has them, of rows that are returns.
        ends: source column of times that end orders by being filled -> ``cancelled`` or ``refunded``.
        kinds: source column -> its values -> ``left_out`` or ``return``, as the person said: rows that are no sales of
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
    others: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    returns: tuple[str, ...] = ()
    ends: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def left_out(self) -> str:
        """SQL that says whether a row is no sale of its own, as the person said; empty where none is."""
        return self._of_kind(LEFT_OUT)

    def _of_kind(self, meaning: str) -> str:
        conditions = []
        for column, values in self.kinds.items():
            meant = [value for value, said in values.items() if said == meaning]
            if ANY_VALUE in meant:
                return "true"
            if meant:
                conditions.append(f"coalesce(trim({name(column)}), '') IN ({', '.join(map(text, meant))})")
        return f"({' OR '.join(conditions)})" if conditions else ""

    def status(self, raw: str) -> str:
        """Return SQL for what is said of an order: what another column says where that is no sale, else ``raw``."""
        said = ""
        for column, states in self.others.items():
            word, words = f"trim({name(column)})", ", ".join(map(text, states))
            said += f" WHEN {word} IN ({words}) THEN {text(qualified_word(column, ''))} || {word}" if states else ""
        return f"CASE{said} ELSE {raw} END" if said else raw

    @property
    def all_states(self) -> dict[str, str]:
        """What the words of all columns say of an order: ``cancelled`` or ``refunded``."""
        every = dict(self.states)
        for column, states in self.others.items():
            every |= {qualified_word(column, word): state for word, state in states.items()}
        return {word: state for word, state in every.items() if word not in self.returns}

    def signed(self, amount: str) -> str:
        """Return SQL for an amount, below zero in a row that is called a return."""
        words = ", ".join(map(text, self.returns))
        called = [f"{T}{ORDER_STATUS} IN ({words})"] if self.returns else []
        called += [said] if (said := self._of_kind(RETURN)) else []
        return f"CASE WHEN {' OR '.join(called)} THEN -abs({amount}) ELSE {amount} END" if called and amount else amount

    def rows(self, read: str, chosen: Mapping[str, str]) -> str:
        """Return the table expression of rows with ``no_sale``: ``cancelled``, ``refunded``, or NULL.

        Args:
            read: table expression of the texts and values of ``chosen``, each row for itself.
            chosen: canonical name -> source column.
        """
        own_state, after = self._no_sale(chosen), self._after_sale(chosen)
        if not self.whole:
            return f"(SELECT *, coalesce({own_state}, {after}) AS {V}no_sale FROM {read})"
        rows = f"(SELECT *, {own_state} AS {V}no_sale, {after} AS {V}after_sale FROM {read})"
        shared = [column for column in (AMOUNT, REFUND) if column in chosen]
        said = [column for column in SAME_FOR_ALL if column in chosen]
        kept = [f"{V}{column}" for column in ("time", "no_sale", *shared[1:])] + [f"{T}{column}" for column in said]
        line = _line(chosen)
        more = [f"{'sum' if self._adds_up(column) else 'max'}({column}) AS {column}" for column in kept]
        more += [f"count({line}) AS {V}priced, sum({line}) AS {V}lines"]
        known = [f"{self._of_parts(column)} AS {column[: len(V)]}order_{column[len(V) :]}" for column in kept]
        known += [f"max({V}paid) AS {V}order_{AMOUNT}, sum({V}rows)::BIGINT AS {V}rows, count({V}paid) AS {V}parts"]
        alike = f"max({V}lines) FILTER ({PAID}) - min({V}lines) FILTER ({PAID}) < {LEAST}"
        known += [f"CASE WHEN sum({V}priced) = sum({V}rows) AND {alike} THEN sum({V}lines) END AS {V}order_lines"]
        orders = (
            f"(SELECT {V}order, {', '.join(known)} FROM {self._parts(rows, *more)} GROUP BY 1 HAVING {self._plain()})"
        )
        share = f"coalesce({line} / {V}order_lines, 1 / {V}rows)"
        own = [f"coalesce({V}order_{column} * {share}, {V}{column}) AS {V}{column}" for column in shared[1:]]
        paid = f"CASE WHEN {V}parts > 1 THEN {V}{AMOUNT} * {V}parts ELSE {V}order_{AMOUNT} END"
        own += [f"coalesce({paid} * {share}, {V}{AMOUNT}) AS {V}{AMOUNT}"]
        own += [f"coalesce({self._held(chosen)}, {V}no_sale, {V}after_sale{self._all_back(chosen)}) AS {V}no_sale"]
        own += [f"CASE WHEN {T}{EVENT_TIME} IS NULL THEN {V}order_time ELSE {V}time END AS {V}time"]
        own += [f"coalesce({T}{column}, {T}order_{column}) AS {T}{column}" for column in said]
        return f"(SELECT * REPLACE ({', '.join(own)}) FROM {rows} LEFT JOIN {orders} ON {self.key} = {V}order)"

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
        """Return the query that counts orders whose amounts differ, so that each row keeps what it says."""
        return f"SELECT count(*) FROM ({self._unlike(read)})"

    def shared(self, read: str) -> str:
        """Return SQL that tells the events whose amounts are shares of their order's; empty where none are.

        Args:
            read: table expression of the rows, each for itself.
        """
        if not self.whole:
            return ""
        named = " AND ".join(f"{column} IS NOT NULL" for column in self.by if column != ORDER_STATUS)
        if ORDER_ID not in self.by:
            return named
        return f"{named} AND {ORDER_ID} NOT IN (SELECT split_part({V}order, '\x1f', 1) FROM ({self._unlike(read)}))"

    def left(self, chosen: Mapping[str, str]) -> str:
        """Return SQL for a row's amount, less what was given back of it."""
        if REFUND not in chosen or self.refunds_apart:
            return V + AMOUNT
        return f"CASE WHEN {V}{AMOUNT} > 0 THEN greatest({V}{AMOUNT} - {BACK}, 0) ELSE {V}{AMOUNT} END"

    def _adds_up(self, column: str) -> bool:
        return self.refunds_of_rows and column == V + REFUND

    def _of_parts(self, column: str) -> str:
        """Return SQL for what the parts of an order say of it together; each of several payments repeats its rows."""
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
        """Return SQL that says whether an order's amounts are one, or those of its payments."""
        fewest, most = f"min({V}rows) FILTER ({PAID})", f"max({V}rows) FILTER ({PAID})"
        if self.part:
            return f"bool_and({V}least = {V}paid) FILTER ({PAID}) AND {fewest} = {most}"
        return f"count({V}paid) = 1 OR ({fewest} > 1 AND {fewest} = {most})"

    def _no_sale(self, chosen: Mapping[str, str]) -> str:
        state = no_sale(T + ORDER_STATUS, self.all_states) if ORDER_STATUS in chosen else "NULL::VARCHAR"
        times = "".join(f" WHEN {ended(column)} THEN {text(said)}" for column, said in self.ends.items())
        state = f"CASE{times} ELSE {state} END" if times else state
        if self.refunds_apart:
            return f"nullif({state}, '{REFUNDED}')"
        if REFUND not in chosen:
            return state
        return (
            f"CASE WHEN {state} = '{CANCELLED}' THEN '{CANCELLED}' WHEN {BACK} = 0 THEN {state}"
            f" WHEN {V}{AMOUNT} > 0 AND {V}{AMOUNT} - {BACK} < {LEAST} THEN '{REFUNDED}' END"
        )

    def _held(self, chosen: Mapping[str, str]) -> str:
        """Return SQL for what is said of the order and holds for a row: all of it, unless rows have words of their own.

        Where a column tells what was paid back, a state may come of that, and stands in one row only.
        """
        if ORDER_STATUS not in chosen or REFUND in chosen:
            return f"{V}order_no_sale"
        return f"CASE WHEN {T}{ORDER_STATUS} IS NULL THEN {V}order_no_sale END"

    def _all_back(self, chosen: Mapping[str, str]) -> str:
        """Return SQL, behind a comma, for what all refunds of an order say together; empty where there are none."""
        if REFUND not in chosen or self.refunds_apart:
            return ""
        back = f"abs({V}order_{REFUND})"
        rest = f"{V}order_{AMOUNT} - {back}"
        return f", CASE WHEN {V}parts = 1 AND {back} > 0 AND {rest} < {LEAST} THEN '{REFUNDED}' END"

    def _after_sale(self, chosen: Mapping[str, str]) -> str:
        if REFUND_STATUS not in chosen or self.refunds_apart:
            return "NULL::VARCHAR"
        state = no_sale(T + REFUND_STATUS, self.after_sale)
        return f"CASE WHEN {BACK} = 0 THEN {state} END" if REFUND in chosen else state


def no_sale(column: str, words: Mapping[str, str]) -> str:
    """Return SQL for what ``words`` say of the state in ``column``: ``cancelled``, ``refunded``, or NULL."""
    if not words:
        return "NULL::VARCHAR"
    pairs = ", ".join(f"{text(word)}: {text(state)}" for word, state in words.items())
    return f"MAP {{{pairs}}}[{column}]"


def ended(column: str) -> str:
    """Return SQL that says whether a row's order was ended by the time in a column, or never paid where it is blank."""
    is_filled = f"coalesce(regexp_matches({name(column)}, '{SOMETHING}'), false)"
    return f"NOT {is_filled}" if fold(column) in PAID_TIMES else is_filled


def qualified_word(column: str, word: str) -> str:
    """Return a word of another column of states as it is told from those of the first."""
    return f"{column}: {word}"


def _line(chosen: Mapping[str, str]) -> str:
    """Return SQL for what a row's pieces would cost, NULL where that is not known or nothing."""
    if UNIT_PRICE not in chosen:
        return "NULL::DOUBLE"
    pieces = f"{V}{QUANTITY}" if QUANTITY in chosen else "1"
    return f"CASE WHEN {V}{UNIT_PRICE} > 0 AND {pieces} > 0 THEN {V}{UNIT_PRICE} * {pieces} END"
