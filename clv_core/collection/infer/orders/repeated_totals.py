"""Rows whose money stands in other rows too: an order's total beside its lines, parts beside their whole."""

from __future__ import annotations

import re
from dataclasses import replace
from math import ceil
from typing import Final

from clv_core.collection.engine import T, V, name
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.vocabulary.order_statuses import SOLD
from clv_core.columns import AMOUNT, ORDER_ID
from clv_core.errors import Message

JUDGED_ROWS: Final = 200_000
"""Of a larger file, about so many rows of orders from all its parts."""
ROW_BYTES: Final = 60
PERIODS: Final = 10
"""A shop's export may change on the way: so many stretches of time are judged each for itself."""
FEWEST: Final = 10
"""Orders of three amounts or more, one of them the sum of the others, before that is no accident; so of parents."""
NEARLY_ALL: Final = 0.95
CENT: Final = 0.011
PARENT: Final = re.compile(r"(?i)parent|superior|übergeordnet|^父|主订单|母订单|上级")
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
            f" FROM ({parts}) JOIN ({wholes}) ON id = parent",
        )
        if told >= FEWEST:
            return int(same) if same >= NEARLY_ALL * told else 0
    return 0
