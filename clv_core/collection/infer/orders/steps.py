"""Events that are steps of one order: placed, then paid. Only one of them counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from clv_core.collection.engine import T, V, name
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, fold
from clv_core.collection.vocabulary.row_types import PAID_STEPS, PLACED_STEPS
from clv_core.columns import CUSTOMER_ID, EVENT_TYPE, MONEY_TYPES, ORDER_ID
from clv_core.errors import Message

MIN_ORDERS: Final = 10
MIN_SHARED: Final = 0.5
"""Orders that both names have, at least, and their share of the orders of the name with fewer: not all that is placed
is paid."""
MAX_DAYS: Final = 3
"""Without order ids, a customer's events with one amount are steps of one order within so many days."""
RANKS: Final = {
    **dict.fromkeys(map(fold, MONEY_TYPES), 0),
    **dict.fromkeys(PAID_STEPS, 1),
    **dict.fromkeys(PLACED_STEPS, 3),
}
OTHER_RANK: Final = 2


def order_steps(log: LogTable, plan: ReadingPlan) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the names of steps whose amounts do not count, each as an event of its own name, and warnings.

    Of several steps the one that is paid counts, unless fewer than half as many orders have it.

    Args:
        log: the file.
        plan: how it is read.
    """
    if EVENT_TYPE not in plan.chosen or not plan.has_money:
        return {}, ()
    usual = {event: kind for event, kind in plan.values.items() if event not in log.answers.events}
    usual |= {event: EVENT_NAMES[fold(event)] for event in log.answers.events if fold(event) in EVENT_NAMES}
    money = {event: kind for event, kind in usual.items() if kind in MONEY_TYPES}
    if len(set(map(fold, money))) == len(set(money.values())):
        return {}, ()
    steps: dict[str, str] = {}
    warnings: list[Message] = []
    for kind in MONEY_TYPES:
        orders, pairs = _count_orders(log, replace(plan, values={**plan.values, **usual}), kind)
        shared = {
            (one, other): both
            for (one, other), both in pairs.items()
            if both >= max(MIN_ORDERS, MIN_SHARED * min(orders[one], orders[other])) and fold(one) != fold(other)
        }
        names = {event for pair in shared for event in pair}
        if not names:
            continue
        most = max(orders[event] for event in names)
        enough = [event for event in sorted(names) if 2 * orders[event] >= most]
        counted = min(enough, key=lambda event: (RANKS.get(fold(event), OTHER_RANK), -orders[event]))
        others = sorted(names - {counted})
        steps |= {event: event for event in others}
        if not set(others) <= set(log.answers.events):
            params = {"kept": counted, "others": others, "first": others[0], "orders": max(shared.values())}
            warnings.append(Message(f"warning.order_steps.{kind}", params))
    return steps, tuple(warnings)


def _count_orders(
    log: LogTable, plan: ReadingPlan, kind: str
) -> tuple[Mapping[str, int], Mapping[tuple[str, str], int]]:
    """Return the number of orders of each event name of a kind, and of those that two names have in common."""
    order = f"{T}{ORDER_ID}" if ORDER_ID in plan.chosen else "NULL::VARCHAR"
    rows = (
        f"SELECT trim({name(plan.chosen[EVENT_TYPE])}) AS step, {T}{CUSTOMER_ID} AS customer, {order} AS order_id,"
        f" {V}time AS moment, {V}value AS amount, row_number() OVER () AS place"
        f" FROM {plan.judged(log.relation)} WHERE {V}type = '{kind}' AND {V}value IS NOT NULL"
    )
    orders = (
        "SELECT step, customer, order_id, min(moment) AS moment, round(sum(amount), 2) AS amount, min(place) AS place"
        f" FROM ({rows}) GROUP BY step, customer, order_id, CASE WHEN order_id IS NULL THEN place END"
    )
    near = f"abs(epoch(a.moment) - epoch(b.moment)) <= {MAX_DAYS * 86_400}"
    same = f"coalesce(a.order_id = b.order_id, {near})"
    counts = log.fetch(
        f"WITH orders AS MATERIALIZED ({orders}) SELECT step, step, count(*) FROM orders GROUP BY step UNION ALL"
        " SELECT a.step, b.step, count(DISTINCT a.place) FROM orders a JOIN orders b USING (customer, amount)"
        f" WHERE a.step < b.step AND ({same}) GROUP BY a.step, b.step"
    )
    single = {str(one): int(many) for one, other, many in counts if one == other}
    return single, {(str(one), str(other)): int(many) for one, other, many in counts if one != other}
