"""How much was paid back, and whether it stands in rows of its own, or only in a column or a state of its order."""

from __future__ import annotations

from typing import Final

from clv_core.collection.engine import T, V
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.plan.orders import no_sale
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.vocabulary.order_statuses import REFUNDED
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TYPE, ORDER_ID, ORDER_STATUS, REFUND, REFUND_STATUS, RETURN

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
        f" WHERE {T}{CUSTOMER_ID} IS NOT NULL",
    )
    if refunds:
        return bool((below or 0) >= HALF * refunds)
    return bool(refunded and returns >= HALF * refunded)
