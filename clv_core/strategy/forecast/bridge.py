"""The bridge: from a forecast of net revenue to what came, in lines that add up to the cent.

A forecast has two parts: E, of the customers known at the cutoff, of whom B were expected to buy, and W, of those still
to be won. What came in the span: of those known A = G - R, from N buyers (a net value above 0, which is what a purchase
probability is of) with O orders, G paid and R refunded; of customers first seen in the span C; of customers who
objected to profiling P. The lines, in this order:

    new customers               C - W
    known customers who bought  (N - B) v               v = E / B, what a buyer was expected to bring
    orders per buyer            (O - N f) b (1 - r)
    basket                      (G - O b) (1 - r)
    refunds                     G r - R
    who objected                P                       forecasts leave them out, the shop's revenue does not

Each line takes what came for the lines above it and what was expected for those below, so that they telescope from E +
W to A + C + P. A forecast says v, not what it consists of. The assumption is that a buyer's orders f, the basket b and
the refunded share r were expected to be those of the same customers in as many days before the cutoff, f and b then
multiplied by one and the same factor, so that f b (1 - r) is v. Where these customers bought nothing in those days, or
nothing was expected of them, the lines below v are one, revenue per buyer: A - N v.

An order is what it is wherever orders are counted (:func:`~clv_core.collection.rows.order_key`). By the date of the
refund, the net revenue is that of all other figures. By the date of the order, a refund counts on the first day of its
order: refunds of earlier orders fall out, later ones of orders in the span come in, up to the end of what is read. Of
the orders before the cutoff, those refunds count that came as soon as could be seen of the orders in the span. A refund
that names no order of its customer counts on its own day; one that a log subtracts from its order, on the order's.

Who objected since the forecast was made is expected in it: a forecast for a bridge is made anew without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import floor, sqrt
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa

from clv_core.collection.privacy import objected_ids
from clv_core.collection.rows import order_key
from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES, ORDER_ID, PURCHASE, RETURN
from clv_core.errors import Message, NotEnoughData, UsageError
from clv_core.features import Engine
from clv_core.i18n import translate
from clv_core.workspace import Workspace

REFUND_DATE: Final = "refund_date"
ORDER_DATE: Final = "order_date"
REFUND_DATES: Final = (REFUND_DATE, ORDER_DATE)
"""The day on which a refund counts: its own, or that of its order."""

SUBTRACTED: Final = {"warning.refunds_off", "warning.refunded"}
"""What a log's reading says where refunds are no rows of their own, but part of their orders."""

NEW_CUSTOMERS: Final = "new_customers"
LOST_CUSTOMERS: Final = "lost_customers"
ORDERS_PER_BUYER: Final = "orders_per_buyer"
BASKET: Final = "basket"
REFUNDS: Final = "refunds"
VALUE_PER_BUYER: Final = "value_per_buyer"
OBJECTED: Final = "objected"
FORECAST: Final = "forecast"
ACTUAL: Final = "actual"

KNOWN: Final = "known"
NEW: Final = "new"


@dataclass(frozen=True)
class Expected:
    """What a bridge needs of a forecast.

    Args:
        cutoff: local midnight at which it was made.
        days: that are compared; of a span that has passed in part, the part, and all figures are of it.
        known: expected net revenue of the customers known at the cutoff, those with an event before it.
        buyers: how many of them were expected to buy, the sum of their purchase probabilities.
        to_be_won: expected net revenue of customers first seen at or after the cutoff.
    """

    cutoff: date
    days: int
    known: float
    buyers: float
    to_be_won: float

    @property
    def stop(self) -> date:
        """The local midnight at which the span ends."""
        return self.cutoff + timedelta(days=self.days)


@dataclass(frozen=True)
class Line:
    """One step of the bridge.

    Args:
        code: which.
        cents: by how much it moves revenue.
        expected: the figure that was expected: money of customers won, of a basket and of a buyer; a count of buyers
            and of orders per buyer; a share of refunds. None where there was none.
        actual: the one that came; None where nothing came that has one.
    """

    code: str
    cents: int
    expected: float | None
    actual: float | None


@dataclass(frozen=True)
class Bridge:
    """The way from a forecast to what came.

    Args:
        cutoff: local midnight at which the forecast was made.
        stop: local midnight at which the span ends.
        until: nothing at or after it was read.
        refunds: the day on which refunds count, one of :data:`REFUND_DATES`.
        currency: of the log; "" where it has no name.
        forecast_cents: the forecast.
        lines: in order; they lead from the forecast to the actual revenue.
        actual_cents: net revenue of the span, of all customers.
        warnings: what could not be told.
    """

    cutoff: date
    stop: date
    until: date
    refunds: str
    currency: str
    forecast_cents: int
    lines: tuple[Line, ...]
    actual_cents: int
    warnings: tuple[Message, ...]

    @property
    def days(self) -> int:
        """How many days are compared."""
        return (self.stop - self.cutoff).days


def make_bridge(
    workspace: Workspace,
    dataset: Dataset,
    expected: Expected,
    refunds: str = REFUND_DATE,
    until: date | None = None,
) -> Bridge:
    """Return the bridge from a forecast to the revenue of all customers.

    Args:
        workspace: whose list of those who objected to profiling counts.
        dataset: the log after the span, with or without those who objected.
        expected: the forecast, made without those who objected.
        refunds: one of :data:`REFUND_DATES`.
        until: local midnight; nothing at or after it is read. None: the end of the log.

    Raises:
        NotEnoughData: the log ends within the span.
        Refused: the key of the list of those who objected is missing.
        UsageError: refunds cannot count on such a day.
    """
    if refunds not in REFUND_DATES:
        raise UsageError("bridge_refunds", value=refunds[:60], known=list(REFUND_DATES))
    everybody = dataset.with_all
    until = everybody.log_end if until is None else min(until, everybody.log_end)
    if until < expected.stop:
        raise NotEnoughData(
            "bridge_span", dataset=dataset.name, end=until.isoformat(), needed=expected.stop.isoformat()
        )
    log = _Log(everybody, objected_ids(workspace, dataset), expected, until)
    try:
        warnings: list[Message] = []
        if refunds == ORDER_DATE:
            refunds, warnings = log.by_order()
        sums = log.sums(refunds)
        if refunds == REFUND_DATE and SUBTRACTED & {note.code for note in everybody.manifest.warnings}:
            warnings.append(Message("warning.bridge_refunds_in_orders"))
    finally:
        log.engine.close()
    known, new, objected = (sums.get((part, True), NOTHING) for part in (KNOWN, NEW, OBJECTED))
    moves: list[Move] = [(NEW_CUSTOMERS, float(new.net) - expected.to_be_won, expected.to_be_won, float(new.net))]
    split = _split(expected, known, sums.get((KNOWN, False), NOTHING))
    if split is None:
        warnings.append(Message("warning.bridge_one_line", {"days": expected.days}))
    moves += _one_line(expected, known) if split is None else split
    moves.append((OBJECTED, float(objected.net), None, float(objected.net)))
    start, end = round(100 * (expected.known + expected.to_be_won)), _cents(known.net + new.net + objected.net)
    cents = share_out([100 * move for _, move, *_ in moves], end - start)
    return Bridge(
        cutoff=expected.cutoff,
        stop=expected.stop,
        until=until,
        refunds=refunds,
        currency=dataset.manifest.currency,
        forecast_cents=start,
        lines=tuple(Line(code, cent, *figures) for (code, _, *figures), cent in zip(moves, cents, strict=True)),
        actual_cents=end,
        warnings=tuple(warnings),
    )


Move = tuple[str, float, float | None, float | None]
"""Code of a line, by how much it moves revenue, and its figure: the expected and the actual one."""


class _Sums(NamedTuple):
    """What some customers did in a span."""

    buyers: int
    orders: int
    paid: Decimal
    refunded: Decimal

    @property
    def net(self) -> Decimal:
        return self.paid - self.refunded


NOTHING: Final = _Sums(0, 0, Decimal(0), Decimal(0))


def _split(expected: Expected, came: _Sums, before: _Sums) -> list[Move] | None:
    """Return the lines of the customers known at the cutoff; None where it is unknown what a buyer does.

    Args:
        expected: the forecast.
        came: what they did in the span.
        before: what they did in as many days before it.
    """
    if not (before.buyers and before.orders and before.net > 0 and expected.buyers > 0 and expected.known > 0):
        return None
    value = expected.known / expected.buyers
    factor = sqrt(value * before.buyers / float(before.net))
    orders = factor * before.orders / before.buyers
    basket = factor * float(before.paid) / before.orders
    refunded = float(before.refunded / before.paid)
    paid = float(came.paid)
    return [
        _lost(expected, came),
        (
            ORDERS_PER_BUYER,
            (came.orders - came.buyers * orders) * basket * (1 - refunded),
            orders,
            _ratio(came.orders, came.buyers),
        ),
        (BASKET, (paid - came.orders * basket) * (1 - refunded), basket, _ratio(paid, came.orders)),
        (REFUNDS, paid * refunded - float(came.refunded), refunded, _ratio(float(came.refunded), paid)),
    ]


def _one_line(expected: Expected, came: _Sums) -> list[Move]:
    """Return the lines of the customers known at the cutoff where it is unknown of what a buyer's value consists."""
    value = _ratio(expected.known, expected.buyers)
    lost = _lost(expected, came)
    rest = float(came.net) - expected.known - lost[1]
    return [lost, (VALUE_PER_BUYER, rest, value, _ratio(float(came.net), came.buyers))]


def _lost(expected: Expected, came: _Sums) -> Move:
    value = _ratio(expected.known, expected.buyers) or 0.0
    return LOST_CUSTOMERS, (came.buyers - expected.buyers) * value, expected.buyers, float(came.buyers)


def _ratio(part: float, of: float) -> float | None:
    return part / of if of > 0 else None


def _cents(money: Decimal) -> int:
    return int((100 * money).to_integral_value())


def share_out(amounts: Sequence[float], total: int) -> list[int]:
    """Return amounts as integers that add up to ``total``: rounded down, then up where most was cut off.

    Examples:
        >>> from clv_core.strategy.forecast.bridge import share_out
        >>> share_out([10.4, -3.4, 0.7, 2.3], 10)
        [10, -3, 1, 2]
    """
    down = [floor(amount) for amount in amounts]
    each, more = divmod(total - sum(down), len(amounts))
    cut_off = sorted(range(len(amounts)), key=lambda place: down[place] - amounts[place])
    up = set(cut_off[:more])
    return [amount + each + (place in up) for place, amount in enumerate(down)]


ROWS: Final = f"""
CREATE TABLE money AS
WITH rows AS (
    SELECT {CUSTOMER_ID} AS customer, {EVENT_TIME}::DATE AS day, {EVENT_TYPE} AS kind, {ORDER_ID} AS order_id,
        coalesce({AMOUNT}, 0)::DECIMAL(38, 6) AS amount
    FROM log WHERE {EVENT_TYPE} IN {MONEY_TYPES} AND {EVENT_TIME} < $until),
ordered AS (
    SELECT customer, order_id, min(day) AS ordered FROM rows
    WHERE kind = '{PURCHASE}' AND coalesce(order_id, '') <> '' GROUP BY ALL)
SELECT rows.*, CASE WHEN kind = '{RETURN}' THEN ordered END AS ordered FROM rows
LEFT JOIN ordered ON rows.customer = ordered.customer AND rows.order_id = ordered.order_id
"""
"""Purchases and returns (``rows``); of a return that names an order of its customer, the day of it (``ordered``). Were
the kind among the join's conditions, the engine would compare every row with every order: a minute for 2 million."""

PARTS: Final = f"""
CREATE TABLE parts AS
SELECT {CUSTOMER_ID} AS customer, CASE WHEN {CUSTOMER_ID} IN (SELECT id FROM objected) THEN '{OBJECTED}'
    WHEN min({EVENT_TIME}) < $cutoff THEN '{KNOWN}' ELSE '{NEW}' END AS part
FROM log GROUP BY {CUSTOMER_ID}
"""

UNMATCHED: Final = f"""
SELECT count(ordered), count(*) FILTER (ordered IS NULL AND day >= $cutoff AND day < $stop),
    coalesce(sum(-amount) FILTER (ordered IS NULL AND day >= $cutoff AND day < $stop), 0), count(*)
FROM money WHERE kind = '{RETURN}'
"""

SUMS: Final = f"""
WITH dated AS (
    SELECT *, CASE WHEN $by_order THEN coalesce(ordered, day) ELSE day END AS counts FROM money),
spans AS (
    SELECT *, counts >= $cutoff AS came FROM dated
    WHERE counts >= $start AND counts < $stop AND (counts >= $cutoff OR day < $seen)),
customers AS (
    SELECT customer, came, sum(amount) AS net,
        count(DISTINCT ROW({order_key("day", "order_id")})) FILTER (kind = '{PURCHASE}') AS orders,
        coalesce(sum(amount) FILTER (kind = '{PURCHASE}'), 0) AS paid,
        coalesce(-sum(amount) FILTER (kind = '{RETURN}'), 0) AS refunded
    FROM spans GROUP BY ALL)
SELECT part, came, count(*) FILTER (net > 0), sum(orders), sum(paid), sum(refunded)
FROM customers JOIN parts USING (customer) GROUP BY ALL
"""
"""``dated`` adds the day on which each row counts; ``spans`` has the rows of the span and of as many days before it, of
these without refunds that came too late to be seen of orders in the span; ``customers`` one row a customer and span."""


class _Log:
    """A log as the bridge reads it, in an engine that the caller closes.

    Args:
        dataset: with everybody.
        objected: ids of those who objected to profiling.
        expected: the forecast.
        until: nothing at or after it is read.
    """

    def __init__(self, dataset: Dataset, objected: frozenset[str], expected: Expected, until: date) -> None:
        self.engine, self.currency = Engine(), dataset.manifest.currency
        connection: Any = self.engine.connection
        connection.create_view("log", dataset.events(connection))
        self.connection = connection.con
        self.connection.register("objected", pa.table({"id": pa.array(sorted(objected), pa.string())}))
        self.days = {
            "start": expected.cutoff - timedelta(days=expected.days),
            "cutoff": expected.cutoff,
            "stop": expected.stop,
            "seen": expected.cutoff + (until - expected.stop),
        }
        self.connection.execute(ROWS, {"until": until})
        self.connection.execute(PARTS, {"cutoff": expected.cutoff})

    def by_order(self) -> tuple[str, list[Message]]:
        """Return the day on which refunds can count that shall by their order, and what cannot be told."""
        span = {name: self.days[name] for name in ("cutoff", "stop")}
        matched, rows, amount, refunds = self.connection.execute(UNMATCHED, span).fetchone()
        if refunds and not matched:
            return REFUND_DATE, [Message("warning.bridge_no_orders", {"refunds": refunds})]
        if rows:
            alone = {"rows": rows, "amount": float(amount), "currency": self.currency}
            return ORDER_DATE, [Message("warning.bridge_refunds_alone", alone)]
        return ORDER_DATE, []

    def sums(self, refunds: str) -> dict[tuple[str, bool], _Sums]:
        """Return what customers did, by part of them and by whether it was in the span or before it."""
        rows = self.connection.execute(SUMS, {"by_order": refunds == ORDER_DATE, **self.days}).fetchall()
        return {(part, came): _Sums(*sums) for part, came, *sums in rows}


def bridge_table(bridge: Bridge, language: str) -> pd.DataFrame:
    """Return the bridge as a file has it: the forecast, one row a line, and what came.

    Returns:
        line (code), name (in ``language``), expected and actual (the line's figure, NaN where it has none), amount (by
        how much it moves revenue; first the forecast, last what came) and currency.
    """
    rows = [
        (FORECAST, None, None, bridge.forecast_cents),
        *((line.code, line.expected, line.actual, line.cents) for line in bridge.lines),
        (ACTUAL, None, None, bridge.actual_cents),
    ]
    table = pd.DataFrame(rows, columns=["line", "expected", "actual", "amount"])
    table.insert(1, "name", [translate(f"bridge.{code}", language) for code in table["line"]])
    figures = table[["expected", "actual"]].astype("float64").round(4)
    return table.assign(**figures, amount=table["amount"] / 100, currency=bridge.currency)
