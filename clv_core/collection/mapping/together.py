"""What rows say together, in a plan: states, steps and amounts of orders, what was paid back, visits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import duckdb

from clv_core.collection.mapping.answers import Answers
from clv_core.collection.mapping.kinds.visits import of_visits
from clv_core.collection.mapping.orders import refund_rows
from clv_core.collection.mapping.orders.amounts import of_orders
from clv_core.collection.mapping.orders.steps import order_steps
from clv_core.collection.mapping.orders.totals import without_repeated_money
from clv_core.collection.mapping.plan.orders import Orders, of_other
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.mapping.states.reading import OrderState, no_sales, strange
from clv_core.collection.mapping.states.returns import returns, told_returns
from clv_core.collection.read.source import Source
from clv_core.columns import AMOUNT, ORDER_STATUS, REFUND, REFUND_STATUS
from clv_core.errors import Message


def settle_rows(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    rows: list[dict[str, Any]],
    plan: ReadingPlan,
    states: tuple[OrderState, ...],
    answers: Answers,
) -> tuple[ReadingPlan, Mapping[str, str], tuple[Message, ...]]:
    """Return the plan that knows how rows belong together, the names of events that are steps, and what is to be said.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        plan: how each row is read for itself.
        states: the words of its columns of states.
        answers: what the person said.

    Raises:
        NeedsAnswer: an amount may be that of its row or of its order.
    """
    visits, of_visitors = of_visits(connection, source, plan)
    plan = replace(plan, visits=visits)
    steps, of_steps = order_steps(connection, source, plan, answers.events)
    plan = replace(plan, values={**plan.values, **steps, **answers.events})
    plan = replace(plan, refund_rows=refund_rows.have_rows(connection, source, plan))
    orders, of_amounts = of_orders(connection, source, rows, plan, answers.mapping)
    plan, of_refunds = _refunds(connection, source, replace(plan, orders=orders))
    plan, of_repeats = without_repeated_money(connection, source, plan, answers.states)
    said = of_visitors + of_steps + strange(states) + told_returns(states) + of_refunds + of_repeats + of_amounts
    return plan, steps, said


def told_by_states(chosen: Mapping[str, str], states: tuple[OrderState, ...], others: tuple[OrderState, ...]) -> Orders:
    """Return which words of which column of states say that an order is no sale, and which that a row is a return."""
    columns = dict.fromkeys(item.column for item in others)
    orders = Orders(
        states=no_sales(states, chosen.get(ORDER_STATUS, "")),
        after_sale=no_sales(states, chosen.get(REFUND_STATUS, "")),
        others={column: no_sales(others, column) for column in columns},
    )
    back = returns(states)
    words = (of_other(item.column, item.word) if item.column in columns else item.word for item in back)
    return replace(orders, returns=tuple(words))


def _refunds(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan
) -> tuple[ReadingPlan, tuple[Message, ...]]:
    """Return the plan that knows whether refunds have rows of their own, and what is to be said."""
    chosen = plan.chosen
    if refund_rows.stand_apart(connection, source, plan):
        told = (chosen.get(item) for item in (REFUND, REFUND_STATUS, ORDER_STATUS))
        column = next(filter(None, told), None) or next(iter(plan.orders.ends))
        apart = replace(plan, orders=replace(plan.orders, refunds_apart=True))
        if plan.refund_rows:
            return apart, (Message("warning.refund_rows", {"column": chosen[AMOUNT], "refund": chosen[REFUND]}),)
        return apart, (Message("warning.refunds_apart", {"column": column}),)
    return plan, (Message("warning.refunds_off", {"column": chosen[REFUND]}),) if REFUND in chosen else ()
