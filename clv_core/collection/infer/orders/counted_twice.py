"""Money that a file has twice, of which only one counts.

An order's total and its lines, a row and its parts, a refund and its row; and events that are steps of one order:
placed, then paid, or cancelled before.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from math import ceil
from typing import Any, Final

import duckdb

from clv_core.collection.engine import T, V, name, text
from clv_core.collection.infer.log_table import CENT, MIN_RULE_SHARE, LogTable
from clv_core.collection.infer.plan.orders import no_sale
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.collection.vocabulary.order_statuses import CANCELLED_STEPS, PAID_STEPS, PLACED_STEPS, REFUNDED, SOLD
from clv_core.columns import (
    AMOUNT,
    CUSTOMER_ID,
    EVENT_TYPE,
    MONEY_TYPES,
    ORDER_ID,
    ORDER_STATUS,
    PURCHASE,
    REFUND,
    REFUND_STATUS,
    RETURN,
)
from clv_core.errors import Message

JUDGED_ROWS: Final = 200_000
"""Of a larger file, about so many rows of orders from all its parts."""
ROW_BYTES: Final = 60
"""Size of a row in a file whose lines were not counted; a rough figure."""
PERIODS: Final = 10
"""A shop's export may change on the way: so many stretches of time are judged each for itself."""
MIN_SUMS: Final = 10
"""Orders of three amounts or more, one of them the sum of the others, before that is no accident; so of parents."""
PARENT: Final = re.compile(f"(?i){load_vocabulary().pattern('parents', 'columns')}")
"""What the name of a column holds that refers to the row which a row is a part of."""


def reject_repeated_totals(log: LogTable, plan: ReadingPlan) -> tuple[ReadingPlan, tuple[Message, ...]]:
    """Return the plan that rejects rows whose money other rows have, and warnings.

    Args:
        log: the file.
        plan: how it is read, each row for itself.
    """
    if AMOUNT not in plan.column_of or plan.orders.whole:
        return plan, ()
    for column in log.columns:
        if column not in plan.column_of.values() and PARENT.search(column) and log.answers.states.get(column) != SOLD:
            parents = _repeated_parents(log, plan, column)
            if parents:
                params = {"column": plan.column_of[AMOUNT], "parent": column, "rows": parents}
                return replace(plan, parent=column), (Message("warning.parts_of_rows", params),)
    orders = _order_totals(log, plan)
    if not orders:
        return plan, ()
    params = {"column": plan.column_of[AMOUNT], "order": plan.column_of[ORDER_ID], "orders": orders}
    return replace(plan, order_totals=True), (Message("warning.order_totals", params),)


def _order_totals(log: LogTable, plan: ReadingPlan) -> int:
    """Return in how many orders of several rows one amount is the sum of the others; 0 where no period has that rule.

    ``orders`` sums the positive amounts of each order; around it, orders are cut into periods, then counted by period.
    """
    if ORDER_ID not in plan.column_of:
        return 0
    every = ceil((log.source.lines or log.source.bytes / ROW_BYTES) / JUDGED_ROWS)
    some = f"WHERE hash({name(plan.column_of[ORDER_ID])}) % {every} = 0" if every > 1 else ""
    amount, judged = f"{V}{AMOUNT}", plan.judged(f"(SELECT * FROM {log.relation} {some})")
    orders = (
        f"SELECT min({V}time) AS begun, abs(sum({amount}) - 2 * max({amount})) < {CENT} AS twice FROM {judged}"
        f" WHERE {amount} > 0 AND {plan.money} GROUP BY {T}{ORDER_ID} HAVING {T}{ORDER_ID} IS NOT NULL AND count(*) > 2"
    )
    periods = log.fetch(
        f"SELECT count(*), count(*) FILTER (twice) FROM (SELECT twice, ntile({PERIODS}) OVER (ORDER BY begun) AS period"
        f" FROM ({orders})) GROUP BY period"
    )
    checked, twice = (sum(counts) for counts in zip(*periods, strict=True)) if periods else (0, 0)
    sometimes = any(count >= MIN_SUMS and same >= MIN_RULE_SHARE * count for count, same in periods)
    return int(twice) if sometimes or (twice >= MIN_SUMS and twice >= MIN_RULE_SHARE * checked) else 0


def _repeated_parents(log: LogTable, plan: ReadingPlan, column: str) -> int:
    """Return how many rows that others name as their parent have the sum of these; 0 where that is not the rule.

    ``parts`` sums rows by the parent that they name, ``wholes`` has the amount of each id; both are joined and counted.
    """
    judged, amount = plan.judged(log.relation), f"{V}{AMOUNT}"
    parts = (
        f"SELECT trim({name(column)}) AS parent, sum({amount}) AS total FROM {judged}"
        f" WHERE nullif(trim({name(column)}), '') IS NOT NULL AND {amount} > 0 GROUP BY 1"
    )
    for key in (item for item in log.columns if item != column):
        wholes = f"SELECT trim({name(key)}) AS id, max({amount}) AS own FROM {judged} WHERE {amount} > 0 GROUP BY 1"
        checked, same = log.fetch_one(
            f"SELECT count(*), count(*) FILTER (abs(total - own) < {CENT})"
            f" FROM ({parts}) JOIN ({wholes}) ON id = parent"
        )
        if checked >= MIN_SUMS:
            return int(same) if same >= MIN_RULE_SHARE * checked else 0
    return 0


MIN_FOLLOWED: Final = 0.2
"""Share of rows with a refund and no amount that follow a sale of their order, before that is a rule: sales of
earlier months are in other files."""
MIN_GIVEN_BACK: Final = 0.5
"""Share of refunds that rows below zero have too, before these are the same money. A guess."""


def have_refund_rows(log: LogTable, plan: ReadingPlan) -> bool:
    """Return whether refunds have rows of their own, with what was paid back in the column of refunds and no amount.

    An event that is called a return is one. Elsewhere an amount of 0 may also be what a refund has left of its own row:
    there the row has to come later than a sale of its order. ``sales`` has the first sale of each order, ``backs`` the
    rows of refunds; their join is counted.

    Args:
        log: the file.
        plan: how it is read.
    """
    if not {REFUND, AMOUNT} <= set(plan.column_of):
        return False
    bare, rows = f"{V}{REFUND} <> 0 AND coalesce({V}{AMOUNT}, 0) = 0", plan.judged(log.relation)
    if EVENT_TYPE in plan.column_of:
        return bool(log.fetch_one(f"SELECT count(*) FROM {rows} WHERE {V}type = '{RETURN}' AND {bare}")[0])
    if ORDER_ID not in plan.column_of:
        return False
    order = f"{T}{ORDER_ID}"
    sales = f"SELECT {order}, min({V}time) AS sold FROM {rows} WHERE {V}{AMOUNT} > 0 GROUP BY 1"
    backs = f"SELECT {order}, {V}time AS back FROM {rows} WHERE {V}{AMOUNT} = 0 AND {bare}"
    checked, follow = log.fetch_one(
        f"SELECT count(*), count(*) FILTER (back > sold) FROM ({backs}) LEFT JOIN ({sales}) USING ({order})"
    )
    return bool(follow and follow >= MIN_FOLLOWED * checked)


def are_refunds_in_rows(log: LogTable, plan: ReadingPlan) -> bool:
    """Return whether rows below zero give back half of it or more: then it must not be taken off once again.

    Rows without a customer are rejected, and give nothing back.

    Args:
        log: the file.
        plan: how it is read.
    """
    if not {REFUND, ORDER_STATUS, REFUND_STATUS} & set(plan.column_of) and not plan.orders.ends:
        return False
    back = f"abs({V}{REFUND})" if REFUND in plan.column_of else "0"
    void_words = {ORDER_STATUS: plan.orders.all_states, REFUND_STATUS: plan.orders.after_sale}
    words = [no_sale(T + column, states) for column, states in void_words.items() if column in plan.column_of]
    words += [f"{V}no_sale"] if plan.orders.ends else []
    state = " OR ".join(f"coalesce({word} = '{REFUNDED}', false)" for word in words) or "false"
    below, returns, refunds, refunded = log.fetch_one(
        f"SELECT -sum({V}value) FILTER ({V}value < 0), count(*) FILTER ({V}value < 0), sum({back}),"
        f" count(*) FILTER (({state}) AND {V}value > 0) FROM {plan.judged(log.relation)}"
        f" WHERE {T}{CUSTOMER_ID} IS NOT NULL"
    )
    if refunds:
        return bool((below or 0) >= MIN_GIVEN_BACK * refunds)
    return bool(refunded and returns >= MIN_GIVEN_BACK * refunded)


MIN_ORDERS: Final = 10
"""Orders that two names both have, at least."""
MIN_SHARED: Final = 0.5
"""Share of the orders of the name with fewer that the other one has too: not all that is placed is paid."""
MIN_SAME: Final = 0.8
"""Share of the orders of both names whose amounts are the same."""
MIN_NEXT: Final = 0.8
MAX_REVERSED: Final = 0.5
"""Without order ids: share of one step's rows that follow the other's, and how many more may be followed by them."""
MIN_UNPAID: Final = 0.8
"""Share of the cancelled orders that have no purchase."""
MAX_DAYS: Final = 3
"""Within so many days the second step follows the first."""
HALF_A_CENT: Final = 0.005
"""Sums closer than this are equal."""
RANKS: Final = {
    **dict.fromkeys(map(fold, MONEY_TYPES), 0),
    **dict.fromkeys(PAID_STEPS, 1),
    **dict.fromkeys(PLACED_STEPS, 3),
}
OTHER_RANK: Final = 2
"""Of steps that many orders have, the lowest rank counts: event types, paid steps, unlisted ones, placed ones."""

Counts = dict[str, int]
Links = dict[tuple[str, str], int]


def order_steps(log: LogTable, plan: ReadingPlan) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the names of steps whose amounts do not count, each as an event type of that name, and warnings.

    Of several steps the one that is paid counts, unless fewer than half as many orders have it.

    Args:
        log: the file.
        plan: how it is read.
    """
    if EVENT_TYPE not in plan.column_of or not plan.has_money:
        return {}, ()
    usual = {event: kind for event, kind in plan.values.items() if event not in log.answers.events}
    usual |= {event: EVENT_NAMES[fold(event)] for event in log.answers.events if fold(event) in EVENT_NAMES}
    money = {event: kind for event, kind in usual.items() if kind in MONEY_TYPES}
    cancelled = [event for event in money if fold(event) in CANCELLED_STEPS] if ORDER_ID in plan.column_of else []
    if not cancelled and len(set(map(fold, money))) == len(set(money.values())):
        return {}, ()
    rows = _money_rows(log, replace(plan, values={**plan.values, **usual}))
    log.connection.execute(f"CREATE OR REPLACE TEMP TABLE clv_steps AS {rows}")
    dropped: dict[str, str] = {}
    notes: list[Message] = []

    def leave(code: str, names: list[str], **params: Any) -> None:
        dropped.update({event: event for event in names})
        if not set(names) <= set(log.answers.events):
            notes.append(Message(f"warning.order_steps.{code}", {"others": names, "first": names[0], **params}))

    try:
        for kind in MONEY_TYPES:
            for main_step, other_steps, orders in _steps(log.connection, kind):
                leave(kind, other_steps, kept=main_step, orders=orders)
        unpaid = _never_paid(log.connection, cancelled, dropped) if cancelled else {}
        if unpaid:
            leave("unpaid", sorted(unpaid), orders=sum(unpaid.values()))
    finally:
        log.connection.execute("DROP TABLE clv_steps")
    return dropped, tuple(notes)


def _money_rows(log: LogTable, plan: ReadingPlan) -> str:
    """Return the query for the purchases and returns of a file, each with its name."""
    order = f"{T}{ORDER_ID}" if ORDER_ID in plan.column_of else "NULL::VARCHAR"
    return (
        f"SELECT trim({name(plan.column_of[EVENT_TYPE])}) AS step, {V}type AS kind, {T}{CUSTOMER_ID} AS person,"
        f" {V}time AS at, {V}value AS worth, {order} AS order_id, row_number() OVER () AS place"
        f" FROM {plan.judged(log.relation)} WHERE {plan.money} AND {V}value IS NOT NULL"
    )


def _steps(connection: duckdb.DuckDBPyConnection, kind: str) -> list[tuple[str, list[str], int]]:
    """Return the step that counts, the others, and how many orders have several, for each set of steps."""
    counts = connection.execute(
        "SELECT step, count(*), count(order_id), count(DISTINCT order_id) FROM clv_steps"
        f" WHERE kind = {text(kind)} GROUP BY 1"
    ).fetchall()
    named = {str(step) for step, rows, with_id, _ in counts if 2 * with_id >= rows}
    orders = {str(step): int(ids if step in named else rows) for step, rows, _, ids in counts}
    links = _by_ids(connection, kind, orders)
    links |= {pair: many for pair, many in _by_days(connection, kind, orders).items() if not set(pair) <= named}
    result = []
    for steps in _connected_steps(links):
        main_step = _counted_step(steps, orders)
        result.append(
            (main_step, sorted(steps - {main_step}), max(many for pair, many in links.items() if set(pair) <= steps))
        )
    return result


def _by_ids(connection: duckdb.DuckDBPyConnection, kind: str, orders: Counts) -> Links:
    """Return the pairs of steps of the same orders, with how many have both."""
    pairs = connection.execute(
        "WITH sold AS (SELECT step, order_id, sum(worth) AS worth FROM clv_steps"
        f" WHERE kind = {text(kind)} AND order_id IS NOT NULL GROUP BY 1, 2)"
        f" SELECT a.step, b.step, count(*), count(*) FILTER (abs(a.worth - b.worth) < {HALF_A_CENT})"
        " FROM sold a JOIN sold b USING (order_id) WHERE a.step < b.step GROUP BY 1, 2"
    ).fetchall()
    return {
        (first, other): both
        for first, other, both, same in pairs
        if both >= max(MIN_ORDERS, MIN_SHARED * min(orders[first], orders[other])) and same >= MIN_SAME * both
    }


def _by_days(connection: duckdb.DuckDBPyConnection, kind: str, rows: Counts) -> Links:
    """Return the pairs of steps of which one follows the other, customer by customer, with how often it does."""

    def near(order: str) -> Links:
        pairs = connection.execute(
            "SELECT a.step, b.step, count(DISTINCT b.place) FROM clv_steps a JOIN clv_steps b ON a.person = b.person"
            f" AND a.worth = b.worth AND a.step <> b.step AND {order}"
            f" WHERE a.kind = {text(kind)} AND b.kind = {text(kind)} GROUP BY 1, 2"
        ).fetchall()
        return {(first, then): int(many) for first, then, many in pairs}

    before = near(f"a.at <= b.at AND a.at >= b.at - INTERVAL {MAX_DAYS} DAY")
    after = near(f"a.at > b.at AND a.at <= b.at + INTERVAL {MAX_DAYS} DAY")
    return {
        pair: many
        for pair, many in before.items()
        if many >= max(MIN_ORDERS, MIN_NEXT * rows[pair[1]]) and after.get(pair, 0) <= MAX_REVERSED * many
    }


def _never_paid(
    connection: duckdb.DuckDBPyConnection, cancelled: Collection[str], other_steps: Collection[str]
) -> Counts:
    """Return the names of returns whose orders were cancelled before they were paid, with how many such orders.

    Args:
        connection: the engine.
        cancelled: names of returns.
        other_steps: names of steps that do not count.
    """
    paid = f"SELECT order_id FROM clv_steps WHERE kind = {text(PURCHASE)} AND order_id IS NOT NULL"
    paid += f" AND step NOT IN ({_listed(other_steps)})" if other_steps else ""
    rows = connection.execute(
        f"SELECT step, count(DISTINCT order_id), count(DISTINCT order_id) FILTER (order_id NOT IN ({paid}))"
        " FROM clv_steps"
        f" WHERE kind = {text(RETURN)} AND step IN ({_listed(cancelled)}) GROUP BY 1"
    ).fetchall()
    return {str(step): unpaid for step, orders, unpaid in rows if unpaid >= max(MIN_ORDERS, MIN_UNPAID * orders)}


def _listed(names: Collection[str]) -> str:
    return ", ".join(map(text, names))


def _connected_steps(links: Collection[tuple[str, str]]) -> list[set[str]]:
    """Return the connected sets of names; two spellings of one name are no steps."""
    groups: list[set[str]] = []
    for pair in links:
        if fold(pair[0]) != fold(pair[1]):
            joined = set(pair).union(*(group for group in groups if group & set(pair)))
            groups = [*(group for group in groups if not group & joined), joined]
    return groups


def _counted_step(steps: set[str], orders: Counts) -> str:
    """Return the step that counts."""
    most = max(orders[step] for step in steps)
    enough = [step for step in sorted(steps) if 2 * orders[step] >= most]
    return min(enough, key=lambda step: (RANKS.get(fold(step), OTHER_RANK), -orders[step]))
