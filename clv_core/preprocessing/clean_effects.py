"""What one cleaning rule would change, in numbers and in three examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clv_core.collection.engine import one
from clv_core.columns import (
    AMOUNT,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    MONEY_TYPES,
    ORDER_ID,
    PRODUCT_ID,
    PURCHASE,
    QUANTITY,
)
from clv_core.preprocessing.clean_marks import Marks
from clv_core.preprocessing.clean_rules import POSITION

EXAMPLES: Final = 3
SHOWN: Final = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT, ORDER_ID, PRODUCT_ID, QUANTITY)


@dataclass(frozen=True)
class Effect:
    """What a rule would change if it alone were switched on.

    Args:
        rule: its id.
        limit: the limit that was used; None: the rule has none.
        on: whether the version that was asked about has it on.
        rows: rows that it would set aside.
        customers: customers who would lose a row.
        customers_lost: those of them who would lose all.
        purchases: purchase rows among ``rows``.
        net_revenue: purchases and returns among ``rows``, to the cent.
        examples: three of the rows, the largest amounts first: canonical columns as text, times in the log's zone.
    """

    rule: str
    limit: float | None
    on: bool
    rows: int
    customers: int
    customers_lost: int
    purchases: int
    net_revenue: float
    examples: tuple[dict[str, str], ...]


def measure(marks: Marks, rule: str, limit: float | None, *, on: bool) -> Effect:
    """Return the effect of a rule whose rows are marked."""
    taken = f"SELECT * FROM {marks.scope.events} WHERE {marks.taken(rule)}"
    kinds = ", ".join(f"'{kind}'" for kind in MONEY_TYPES)
    rows, customers, purchases, revenue = one(
        marks.connection,
        f"SELECT count(*), count(DISTINCT {CUSTOMER_ID}), count(*) FILTER ({EVENT_TYPE} = '{PURCHASE}'),"
        f" sum({AMOUNT}::DECIMAL(38, 6)) FILTER ({EVENT_TYPE} IN ({kinds})) FROM ({taken})",
    )
    lost = 0
    if rows:
        lost = one(
            marks.connection,
            f"SELECT count(*) FROM (SELECT {CUSTOMER_ID}, count(*) AS had FROM {marks.scope.events} GROUP BY ALL) JOIN"
            f" (SELECT {CUSTOMER_ID}, count(*) AS loses FROM ({taken}) GROUP BY ALL) USING ({CUSTOMER_ID})"
            " WHERE loses = had",
        )[0]
    return Effect(
        rule=rule,
        limit=limit,
        on=on,
        rows=int(rows),
        customers=int(customers),
        customers_lost=int(lost),
        purchases=int(purchases),
        net_revenue=round(float(revenue or 0), 2),
        examples=_examples(marks, taken) if rows else (),
    )


def _examples(marks: Marks, taken: str) -> tuple[dict[str, str], ...]:
    columns = [column for column in SHOWN if column in marks.scope.columns]
    local = f"strftime({marks.scope.local_time}, '%Y-%m-%d %H:%M:%S')"
    cells = ", ".join(f"{local if column == EVENT_TIME else f'{column}::VARCHAR'}" for column in columns)
    found = marks.connection.execute(
        f"SELECT {cells} FROM ({taken}) ORDER BY abs({AMOUNT}) DESC NULLS LAST, {POSITION} LIMIT {EXAMPLES}"
    ).fetchall()
    return tuple({column: cell for column, cell in zip(columns, row, strict=True) if cell is not None} for row in found)
