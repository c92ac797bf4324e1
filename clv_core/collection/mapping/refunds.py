"""Whether what was paid back stands in rows of its own, below zero, or only in a column or a state of its order."""

from __future__ import annotations

from typing import Final

import duckdb

from clv_core.collection.engine import T, V, one
from clv_core.collection.files.source import Source
from clv_core.collection.mapping.order_states import no_sale
from clv_core.collection.mapping.plan import ReadingPlan
from clv_core.collection.words.state_words import REFUNDED
from clv_core.columns import ORDER_STATUS, REFUND, REFUND_STATUS

HALF: Final = 0.5


def stand_apart(connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan) -> bool:
    """Say whether rows below zero give back half of it or more: then it must not be taken off once again.

    Args:
        connection: the engine.
        source: the file.
        plan: how it is read.
    """
    if not {REFUND, ORDER_STATUS, REFUND_STATUS} & set(plan.chosen):
        return False
    back = f"abs({V}{REFUND})" if REFUND in plan.chosen else "0"
    said = {ORDER_STATUS: plan.orders.all_states, REFUND_STATUS: plan.orders.after_sale}
    words = [no_sale(T + column, states) for column, states in said.items() if column in plan.chosen]
    state = " OR ".join(f"coalesce({word} = '{REFUNDED}', false)" for word in words) or "false"
    below, returns, refunds, refunded = one(
        connection,
        f"SELECT -sum({V}value) FILTER ({V}value < 0), count(*) FILTER ({V}value < 0), sum({back}),"
        f" count(*) FILTER (({state}) AND {V}value > 0) FROM {plan.judged(source.relation())}",
    )
    if refunds:
        return bool((below or 0) >= HALF * refunds)
    return bool(refunded and returns >= HALF * refunded)
