"""Whether an amount is that of a row or of the order that the row belongs to.

Shop systems export an order of three products as three rows, with what the order came to in the first one, or in each:
added up as they stand, the first would lose rows, and the second would count the money three times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from clv_core.collection.answers import CHOICES
from clv_core.collection.engine import T, TextRow, V, name
from clv_core.collection.infer.log_table import MIN_RULE_SHARE, LogTable
from clv_core.collection.infer.plan.orders import BACK, BY_ID, BY_TIME, Orders
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.columns import (
    AMOUNT,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    ORDER_STATUS,
    PRODUCT_ID,
    QUANTITY,
    REFUND,
    UNIT_PRICE,
)
from clv_core.errors import Message, NeedsAnswer

JUDGED_ROWS: Final = 1_000_000
"""Rows in which the evidence is counted: a limit of time."""
LINE, ORDER = CHOICES["amount_scope"]
MIN_SUMMED: Final = 0.8
"""Share of orders whose amount is nearer to their sum than to a row's: discounts and postage move some. A guess."""


@dataclass(frozen=True)
class Evidence:
    """Orders of several rows that differ, and what their amounts do.

    Args:
        orders: how many of them there are.
        same: those whose rows have one amount, or the same few for each product, as payments joined with lines.
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
        """Whether quantities and unit prices show that the amounts are order totals."""
        return (
            0 < self.lined
            and self.lined_same >= MIN_RULE_SHARE * self.lined
            and self.summed >= MIN_SUMMED * self.lined_same
        )

    def suggests(self, orders: int, amounts: int) -> bool:
        """Return whether at least so many orders, of so many different amounts, have nearly all one amount each."""
        return self.orders >= orders and self.same >= MIN_RULE_SHARE * self.orders and self.amounts >= amounts


def _evidence(log: LogTable, plan: ReadingPlan, key: str) -> Evidence:
    """Return the evidence of the first rows, whose orders ``key`` names; payments and refunds of one are separate.

    The inner query groups rows by order and sign, and computes how many rows and amounts differ and what quantity x
    unit price comes to; the outer one counts orders.
    """
    line = "NULL::DOUBLE"
    if UNIT_PRICE in plan.column_of:
        line = f"abs({V}{UNIT_PRICE} * {f'{V}{QUANTITY}' if QUANTITY in plan.column_of else '1'})"
    differ = T + PRODUCT_ID if PRODUCT_ID in plan.column_of else f"hash({', '.join(map(name, log.columns))})"
    amount = f"abs({V}{AMOUNT})"
    return Evidence(
        *log.fetch_one(
            f"SELECT count(*), count(*) FILTER ({V}same), count(DISTINCT {V}high) FILTER ({V}same),"
            f" count(*) FILTER ({V}lines > 1), count(*) FILTER ({V}lines > 1 AND {V}same), count(*) FILTER"
            f" ({V}lines > 1 AND {V}same AND abs({V}high - {V}sum) < abs({V}high - {V}most)) FROM"
            f" (SELECT count(DISTINCT {differ}) AS {V}different, count(DISTINCT {amount}) AS {V}paid,"
            f" {V}paid = 1 OR ({V}different > 1 AND {V}paid * {V}different = count(DISTINCT ({differ}, {amount})))"
            f" AS {V}same,"
            f" sum(DISTINCT {amount}) AS {V}high, count(DISTINCT {line}) AS {V}lines,"
            f" sum({line}) / {V}paid AS {V}sum, max({line}) AS {V}most FROM"
            f" {plan.judged(log.first(JUDGED_ROWS))}"
            f" WHERE {amount} > 0 GROUP BY {key}, {V}{AMOUNT} > 0"
            f" HAVING {key} IS NOT NULL AND ({V}different > 1 OR {V}lines > 1))"
        )
    )


MIN_PARTED: Final = 5
"""Orders of several amounts, before a column that distinguishes these is taken for that of payments. A guess."""
MAX_EQUAL: Final = 3
"""Times as many orders may have been paid in parts of one amount, where every product is joined with every part."""


def _part_column(log: LogTable, plan: ReadingPlan, key: str) -> str:
    """Return the column that names the payments of orders, "" where there is none.

    It has one value for each amount of an order, wherever an order has several, and hardly separates rows elsewhere.

    The first query groups the rows of orders with several amounts (the subquery ``several``) and counts orders in which
    a column has as many values as there are amounts. The second one groups the other orders, and counts those that the
    candidate splits, and those of them in which each part is joined with each product.
    """
    free = [column for column in log.columns if column not in plan.column_of.values()]
    if not free:
        return ""
    rows, amount = plan.judged(log.relation), V + AMOUNT
    several = f"(SELECT {key} AS {V}order FROM {rows} GROUP BY 1 HAVING count(DISTINCT {amount}) > 1)"
    matches = ", ".join(f"count(*) FILTER ({V}amounts = {V}c{i} AND {V}amounts = {V}p{i})" for i, _ in enumerate(free))
    counts = ", ".join(
        f"count(DISTINCT {name(column)}) AS {V}c{i}, count(DISTINCT ({name(column)}, {amount})) AS {V}p{i}"
        for i, column in enumerate(free)
    )
    orders, *matched = log.fetch_one(
        f"SELECT count(*), {matches} FROM (SELECT count(DISTINCT {amount}) AS {V}amounts, {counts} FROM {rows}"
        f" WHERE {key} IN {several} GROUP BY {key})"
    )
    if orders < MIN_PARTED:
        return ""
    product = T + PRODUCT_ID if PRODUCT_ID in plan.column_of else "NULL::VARCHAR"
    for column, count in zip(free, matched, strict=True):
        if count == orders:
            part = name(column)
            other_orders, crossed = log.fetch_one(
                f"SELECT count(*), count(*) FILTER ({V}pairs = {V}products * {V}parts) FROM (SELECT"
                f" count(DISTINCT {part}) AS {V}parts, count(DISTINCT {product}) AS {V}products,"
                f" count(DISTINCT ({part}, {product})) FILTER ({part} IS NOT NULL AND {product} IS NOT NULL)"
                f" AS {V}pairs"
                f" FROM {rows} WHERE {key} NOT IN {several} GROUP BY {key} HAVING {V}parts > 1)"
            )
            if other_orders <= orders or (
                other_orders <= MAX_EQUAL * orders and crossed == other_orders and product != "NULL::VARCHAR"
            ):
                return column
    return ""


MIN_DIFFERENT_REFUNDS: Final = 0.5
"""Share of orders with refunds whose rows have different ones, from which on refunds are those of rows. A guess."""


def _have_own_refunds(log: LogTable, plan: ReadingPlan, key: str) -> bool:
    """Return whether rows of orders have different refunds, so that these are added up."""
    if REFUND not in plan.column_of:
        return False
    several, unlike = log.fetch_one(
        f"SELECT count(*), count(*) FILTER ({V}different > 1) FROM (SELECT count(DISTINCT {BACK}) AS {V}different"
        f" FROM {plan.judged(log.relation)} WHERE {key} IS NOT NULL AND {V}{REFUND} IS NOT NULL"
        f" GROUP BY {key} HAVING count(*) > 1 AND max({BACK}) > 0)"
    )
    return bool(several and unlike >= MIN_DIFFERENT_REFUNDS * several)


MIN_LATER: Final = 3
"""Rows without an amount that follow one of their order with an amount, before that is taken for a rule."""
MIN_ORDERS: Final = 20
"""Orders of several rows with one amount each, before that is decided without a question. A guess."""
MIN_AMOUNTS: Final = 10
"""Different amounts among them: in a shop with one price, rows of an order may well be equal. A guess."""
MIN_ASKED: Final = 3
"""Orders, and different amounts among them, that are worth a question."""
CLOCK: Final = re.compile(r"(?!.*\b00:00(:00(\.0*)?)?\b).*\d:\d\d.*|1\d{9}(\d{3}){0,3}(\.\d+)?")
"""A time with a time of day that is not midnight, or an epoch."""


def read_scope(log: LogTable, plan: ReadingPlan) -> tuple[Orders, tuple[Message, ...]]:
    """Return ``plan.orders`` with whether the amounts are order totals, and warnings.

    Args:
        log: the file.
        plan: how it is read, each row for itself.

    Raises:
        NeedsAnswer: order totals are likely and not proven, or nothing identifies the rows of an order.
    """
    column_of, scope = plan.column_of, log.answers.amount_scope
    if AMOUNT not in column_of or scope == LINE or log.answers.mapping.get(ORDER_ID) == "":
        return plan.orders, ()
    if scope == ORDER:
        return _whole_orders(log, plan, BY_ID if ORDER_ID in column_of else BY_TIME)
    if EVENT_TYPE in column_of:
        return _of_events(log, plan)
    amount, order = column_of[AMOUNT], column_of.get(ORDER_ID)
    if order is None:
        return _by_time(log, plan)
    if not _in_first_rows(log.rows, order, amount):
        evidence = _evidence(log, plan, _orders_named_by(plan, BY_ID).key)
        is_likely = PRODUCT_ID in column_of and evidence.suggests(MIN_ORDERS, MIN_AMOUNTS)
        if not evidence.proves and not is_likely:
            if not evidence.suggests(MIN_ASKED, MIN_ASKED):
                return plan.orders, ()
            if not log.answers.mapping.get(ORDER_ID):
                raise NeedsAnswer(
                    "amount_of_what", column=amount, order=order, orders=evidence.orders, same=evidence.same
                )
    return _whole_orders(log, plan, BY_ID)


def _of_events(log: LogTable, plan: ReadingPlan) -> tuple[Orders, tuple[Message, ...]]:
    """Do the same for events, one row a product of a purchase, without a question: most logs have amounts of rows."""
    column_of = plan.column_of
    by = BY_ID if ORDER_ID in column_of else BY_TIME
    if by == BY_TIME and not _has_clock(log.rows, plan):
        return plan.orders, ()
    evidence = _evidence(log, plan, _orders_named_by(plan, by).key)
    many = evidence.suggests(MIN_ORDERS, MIN_AMOUNTS)
    if not many or not (evidence.proves or PRODUCT_ID in column_of):
        return plan.orders, ()
    return _whole_orders(log, plan, by)


def _by_time(log: LogTable, plan: ReadingPlan) -> tuple[Orders, tuple[Message, ...]]:
    """Do the same where no column names the order: its rows are of one customer, at one instant."""
    column_of = plan.column_of
    evidence = _evidence(log, plan, _orders_named_by(plan, BY_TIME).key)
    many = evidence.suggests(MIN_ORDERS, MIN_AMOUNTS)
    if not _has_clock(log.rows, plan):
        if evidence.proves and many:
            params = {"column": column_of[AMOUNT], "orders": evidence.orders, "found": list(log.columns[:40])}
            raise NeedsAnswer("order_unnamed", canonical=ORDER_ID, **params)
        return plan.orders, ()
    proven = evidence.proves and evidence.suggests(MIN_ASKED, MIN_ASKED)
    if not proven and not (PRODUCT_ID in column_of and many):
        return plan.orders, ()
    return _whole_orders(log, plan, BY_TIME)


def _orders_named_by(plan: ReadingPlan, by: tuple[str, ...]) -> Orders:
    """Return the orders as some columns name them."""
    by = (*by, ORDER_STATUS) if plan.orders.returns else by  # a return may have the number of its sale
    return replace(plan.orders, by=by, events=EVENT_TYPE in plan.column_of)


def _whole_orders(log: LogTable, plan: ReadingPlan, by: tuple[str, ...]) -> tuple[Orders, tuple[Message, ...]]:
    """Return the orders with shared totals, paid in parts where a column names these, and warnings; orders that fit
    neither are counted, and each of their rows keeps its own amount.
    """
    orders, column_of = _orders_named_by(plan, by), plan.column_of
    part, own_refunds = _part_column(log, plan, orders.key), _have_own_refunds(log, plan, orders.key)
    orders = replace(orders, whole=True, part=part, refunds_of_rows=own_refunds)
    if by == BY_ID:
        notes = [Message("warning.whole_orders", {"order": column_of[ORDER_ID], "column": column_of[AMOUNT]})]
    else:
        params = {"customer": column_of[CUSTOMER_ID], "time": column_of[EVENT_TIME], "column": column_of[AMOUNT]}
        notes = [Message("warning.whole_orders_by_time", params)]
    if orders.part:
        notes.append(Message("warning.order_parts", {"part": orders.part, "column": plan.column_of[AMOUNT]}))
    unlike = int(log.fetch_one(orders.unlike(plan.judged(log.relation)))[0])
    if unlike:
        notes.append(Message("warning.orders_unlike", {"orders": unlike, "column": plan.column_of[AMOUNT]}))
    return orders, tuple(notes)


def _in_first_rows(rows: Sequence[TextRow], order: str, amount: str) -> bool:
    """Return whether rows without an amount follow one of the same order that has one."""
    headed: set[str | None] = set()
    blank = later = 0
    for row in rows:
        if (row[amount] or "").strip():
            headed.add(row[order])
        else:
            blank += 1
            later += row[order] is not None and row[order] in headed
    return blank >= MIN_LATER and later >= MIN_RULE_SHARE * blank


def _has_clock(rows: Sequence[TextRow], plan: ReadingPlan) -> bool:
    """Return whether most times have a time of day."""
    times = [str(row[plan.column_of[EVENT_TIME]]) for row in rows if row[plan.column_of[EVENT_TIME]] is not None]
    return bool(plan.clock) or sum(bool(CLOCK.fullmatch(time)) for time in times) > 0.5 * len(times)
