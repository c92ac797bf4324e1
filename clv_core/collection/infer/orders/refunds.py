"""How much was paid back, and whether it stands in rows of its own, or only in a column or a state of its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clv_core.collection.engine import T, V
from clv_core.collection.infer.columns.proposal import TIME, filled
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.plan.orders import ended, no_sale
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.infer.state_words import are_words
from clv_core.collection.parse.cell_texts import number_cells
from clv_core.collection.vocabulary.column_names import fold
from clv_core.collection.vocabulary.order_statuses import PARTLY, REFUNDED, VOID_TIME_NAMES, YES
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TYPE, ORDER_ID, ORDER_STATUS, REFUND, REFUND_STATUS, RETURN
from clv_core.errors import Message

JUDGED_ROWS: Final = 20_000
FEWEST: Final = 3
"""Orders with a time of a refund, before what another column has beside these alone is no accident."""
NEARLY_ALL: Final = 0.95
CENT: Final = 0.011


def settle_refund(log: LogTable, chosen: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with the one that says how much was paid back, and what is to be said of it.

    It has an amount up to that of the order, less than it at least once, wherever the time of a refund is filled, and
    nothing elsewhere.

    Args:
        log: the file.
        chosen: canonical name -> source column.
    """
    found = dict(chosen)
    if AMOUNT not in chosen or {REFUND} & {*chosen, *log.answers.mapping} or EVENT_TYPE in chosen:
        return found, ()
    times = [column for column in log.columns if of_refunds(column, log.rows) and column not in chosen.values()]
    others = [item.column for item in log.proposals if item.money > 0 and item.column not in chosen.values()]
    for time in times:
        back = next((item for item in others if _tells(log, time, item, chosen[AMOUNT])), None)
        if back is not None:
            found[REFUND] = back
            return found, (Message("warning.refund_beside_time", {"column": back, "time": time}),)
    return found, ()


def of_refunds(column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a column has the times of refunds."""
    if VOID_TIME_NAMES.get(fold(column)) != REFUNDED:
        return False
    times = [value for value in filled(rows, column) if any(mark in "123456789" for mark in value)]
    return bool(times) and all(TIME.fullmatch(value) for value in times)


def told_partly(rows: Sequence[Mapping[str, Any]], time: str) -> str:
    """Return the column that says of rows with the time of a refund that only a part was paid back, "" where none does.

    Args:
        rows: the first rows as text.
        time: the column of times of refunds.
    """
    back = [row for row in rows if any(mark in "123456789" for mark in str(row[time] or ""))]
    for column in back[0] if back else ():
        values = filled(back, column)
        flag = PARTLY.search(column) and any(value.lower() in YES for value in values)
        if column != time and (flag or (are_words(values) and any(map(PARTLY.search, values)))):
            return column
    return ""


def _tells(log: LogTable, time: str, back: str, amount: str) -> bool:
    told = ended(time, when_filled=True)
    for decimal in ("point", "comma"):
        paid, given = number_cells((amount, back), decimal)
        refunds, within, partly, elsewhere = log.one(
            f"SELECT count(*) FILTER (t), count(*) FILTER (t AND b > 0 AND b <= a + {CENT}),"
            f" count(*) FILTER (t AND b > 0 AND b < a - {CENT}), count(*) FILTER (NOT t AND b <> 0) FROM"
            f" (SELECT {told} AS t, {paid} AS a, abs({given}) AS b FROM {log.relation} LIMIT {JUDGED_ROWS})",
        )
        if refunds >= FEWEST and within >= NEARLY_ALL * refunds and partly and not elsewhere:
            return True
    return False


HALF: Final = 0.5
FOLLOWED: Final = 0.2
"""Share of rows with a refund and no amount that follow a sale of their order, before that is a rule: sales of
earlier months are in other files."""


def have_rows(log: LogTable, plan: ReadingPlan) -> bool:
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
    return bool(follow and follow >= FOLLOWED * told)


def stand_apart(log: LogTable, plan: ReadingPlan) -> bool:
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
