"""Money that stands twice: an order's total beside its lines, parts beside their whole, a refund beside its row."""

from __future__ import annotations

import re
from dataclasses import replace
from math import ceil
from typing import Final

from clv_core.collection.engine import T, V, name
from clv_core.collection.infer.log_table import CENT, NEARLY_ALL, LogTable
from clv_core.collection.infer.plan.orders import no_sale
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.collection.vocabulary.order_statuses import REFUNDED, SOLD
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TYPE, ORDER_ID, ORDER_STATUS, REFUND, REFUND_STATUS, RETURN
from clv_core.errors import Message

JUDGED_ROWS: Final = 200_000
"""Of a larger file, about so many rows of orders from all its parts."""
ROW_BYTES: Final = 60
PERIODS: Final = 10
"""A shop's export may change on the way: so many stretches of time are judged each for itself."""
FEWEST: Final = 10
"""Orders of three amounts or more, one of them the sum of the others, before that is no accident; so of parents."""
PARENT: Final = re.compile(f"(?i){load_vocabulary().pattern('parents', 'columns')}")
"""What the name of a column holds that says which row a row is a part of."""


def reject_repeated_totals(log: LogTable, plan: ReadingPlan) -> tuple[ReadingPlan, tuple[Message, ...]]:
    """Return the plan that sets aside rows whose money other rows hold, and what is to be said of them.

    Args:
        log: the file.
        plan: how it is read, each row for itself.
    """
    if AMOUNT not in plan.chosen or plan.orders.whole:
        return plan, ()
    for column in log.columns:
        if column not in plan.chosen.values() and PARENT.search(column) and log.answers.states.get(column) != SOLD:
            parents = _repeated_parents(log, plan, column)
            if parents:
                params = {"column": plan.chosen[AMOUNT], "parent": column, "rows": parents}
                return replace(plan, parent=column), (Message("warning.parts_of_rows", params),)
    orders = _order_totals(log, plan)
    if not orders:
        return plan, ()
    params = {"column": plan.chosen[AMOUNT], "order": plan.chosen[ORDER_ID], "orders": orders}
    return replace(plan, order_totals=True), (Message("warning.order_totals", params),)


def _order_totals(log: LogTable, plan: ReadingPlan) -> int:
    """Return in how many orders of several rows one amount is the sum of the others; 0 where that is no time's rule."""
    if ORDER_ID not in plan.chosen:
        return 0
    every = ceil((log.source.lines or log.source.bytes / ROW_BYTES) / JUDGED_ROWS)
    some = f"WHERE hash({name(plan.chosen[ORDER_ID])}) % {every} = 0" if every > 1 else ""
    amount, judged = f"{V}{AMOUNT}", plan.judged(f"(SELECT * FROM {log.relation} {some})")
    orders = (
        f"SELECT min({V}time) AS begun, abs(sum({amount}) - 2 * max({amount})) < {CENT} AS twice FROM {judged}"
        f" WHERE {amount} > 0 AND {plan.money} GROUP BY {T}{ORDER_ID} HAVING {T}{ORDER_ID} IS NOT NULL AND count(*) > 2"
    )
    periods = log.fetch(
        f"SELECT count(*), count(*) FILTER (twice) FROM (SELECT twice, ntile({PERIODS}) OVER (ORDER BY begun) AS period"
        f" FROM ({orders})) GROUP BY period"
    )
    told, twice = (sum(counts) for counts in zip(*periods, strict=True)) if periods else (0, 0)
    sometimes = any(count >= FEWEST and same >= NEARLY_ALL * count for count, same in periods)
    return int(twice) if sometimes or (twice >= FEWEST and twice >= NEARLY_ALL * told) else 0


def _repeated_parents(log: LogTable, plan: ReadingPlan, column: str) -> int:
    """Return how many rows that others name as their parent have the sum of these; 0 where that is not the rule."""
    judged, amount = plan.judged(log.relation), f"{V}{AMOUNT}"
    parts = (
        f"SELECT trim({name(column)}) AS parent, sum({amount}) AS total FROM {judged}"
        f" WHERE nullif(trim({name(column)}), '') IS NOT NULL AND {amount} > 0 GROUP BY 1"
    )
    for key in (item for item in log.columns if item != column):
        wholes = f"SELECT trim({name(key)}) AS id, max({amount}) AS own FROM {judged} WHERE {amount} > 0 GROUP BY 1"
        told, same = log.one(
            f"SELECT count(*), count(*) FILTER (abs(total - own) < {CENT})"
            f" FROM ({parts}) JOIN ({wholes}) ON id = parent"
        )
        if told >= FEWEST:
            return int(same) if same >= NEARLY_ALL * told else 0
    return 0


MIN_FOLLOWED: Final = 0.2
"""Share of rows with a refund and no amount that follow a sale of their order, before that is a rule: sales of
earlier months are in other files."""
HALF: Final = 0.5


def have_refund_rows(log: LogTable, plan: ReadingPlan) -> bool:
    """Say whether refunds have rows of their own, with what was paid back in the column of refunds and no amount.

    An event that is called a return is one. Elsewhere an amount of 0 may also be what a refund has left of its own row:
    there the row has to come later than a sale of its order.

    Args:
        log: the file.
        plan: how it is read.
    """
    if not {REFUND, AMOUNT} <= set(plan.chosen):
        return False
    bare, rows = f"{V}{REFUND} <> 0 AND coalesce({V}{AMOUNT}, 0) = 0", plan.judged(log.relation)
    if EVENT_TYPE in plan.chosen:
        return bool(log.one(f"SELECT count(*) FROM {rows} WHERE {V}type = '{RETURN}' AND {bare}")[0])
    if ORDER_ID not in plan.chosen:
        return False
    order = f"{T}{ORDER_ID}"
    sales = f"SELECT {order}, min({V}time) AS sold FROM {rows} WHERE {V}{AMOUNT} > 0 GROUP BY 1"
    backs = f"SELECT {order}, {V}time AS back FROM {rows} WHERE {V}{AMOUNT} = 0 AND {bare}"
    told, follow = log.one(
        f"SELECT count(*), count(*) FILTER (back > sold) FROM ({backs}) LEFT JOIN ({sales}) USING ({order})"
    )
    return bool(follow and follow >= MIN_FOLLOWED * told)


def are_refunds_in_rows(log: LogTable, plan: ReadingPlan) -> bool:
    """Say whether rows below zero give back half of it or more: then it must not be taken off once again.

    Rows that name no customer are set aside, and give nothing back.

    Args:
        log: the file.
        plan: how it is read.
    """
    if not {REFUND, ORDER_STATUS, REFUND_STATUS} & set(plan.chosen) and not plan.orders.ends:
        return False
    back = f"abs({V}{REFUND})" if REFUND in plan.chosen else "0"
    said = {ORDER_STATUS: plan.orders.all_states, REFUND_STATUS: plan.orders.after_sale}
    words = [no_sale(T + column, states) for column, states in said.items() if column in plan.chosen]
    words += [f"{V}no_sale"] if plan.orders.ends else []
    state = " OR ".join(f"coalesce({word} = '{REFUNDED}', false)" for word in words) or "false"
    below, returns, refunds, refunded = log.one(
        f"SELECT -sum({V}value) FILTER ({V}value < 0), count(*) FILTER ({V}value < 0), sum({back}),"
        f" count(*) FILTER (({state}) AND {V}value > 0) FROM {plan.judged(log.relation)}"
        f" WHERE {T}{CUSTOMER_ID} IS NOT NULL"
    )
    if refunds:
        return bool((below or 0) >= HALF * refunds)
    return bool(refunded and returns >= HALF * refunded)
