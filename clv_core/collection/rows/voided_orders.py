"""Orders that a file calls cancelled or refunded, kept with the dataset, so that they stay out.

An export that was made before the refund shows the order as paid; added afterwards, it must not bring it back. So each
version keeps ``withdrawn.parquet`` next to its rows: ``customer_id``, ``order_id`` and ``product_id`` as its events
have them (NULL where the file names no product), ``reason`` (``cancelled`` or ``refunded``), ``whole`` (whether it
voids all lines of the order), and ``told``, the time of the last event of the file that voids it, UTC. A line is there
as often as one file has it. The ids are personal: nothing of this is ever printed, and an erasure removes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import file_text, one, run, text
from clv_core.collection.infer.plan.cells import REASON
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.vocabulary.order_statuses import CANCELLED, REFUNDED
from clv_core.columns import (
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    ORDER_STATUS,
    PRODUCT_ID,
    PURCHASE,
    REFUND,
    REFUND_STATUS,
)
from clv_core.jobs import Progress

LINE: Final = (CUSTOMER_ID, ORDER_ID, PRODUCT_ID)
"""What makes a row the same line of an order; the product where both logs have it."""
ORDER: Final = f"{CUSTOMER_ID}, {ORDER_ID}"


def write_voided(
    connection: duckdb.DuckDBPyConnection, plan: ReadingPlan, typed: str, events: Path, progress: Progress, rows: int
) -> Path | None:
    """Write the lines of orders that a file calls cancelled or refunded, next to its events.

    Args:
        connection: where it runs.
        plan: how the file is read.
        typed: query of its rows, by that plan.
        events: Parquet file of those that are kept.
        progress: who listens.
        rows: of the file.

    Returns:
        The Parquet file; None where the log has no column of orders' states.
    """
    if ORDER_ID not in plan.column_of or not {ORDER_STATUS, REFUND_STATUS, REFUND} & set(plan.column_of):
        return None
    target = events.with_name("withdrawn.parquet")
    product = PRODUCT_ID if PRODUCT_ID in plan.column_of else f"NULL::VARCHAR AS {PRODUCT_ID}"
    voided = (
        f"SELECT {ORDER}, {product}, {REASON}, {EVENT_TIME} FROM ({typed})"
        f" WHERE {REASON} IN ('{CANCELLED}', '{REFUNDED}') AND {ORDER_ID} IS NOT NULL"
    )
    times = f"SELECT {EVENT_TIME} FROM voided UNION ALL SELECT {EVENT_TIME} FROM {file_text(events)}"
    bought = f"SELECT {ORDER} FROM {file_text(events)} WHERE {EVENT_TYPE} = '{PURCHASE}' AND {ORDER_ID} IS NOT NULL"
    query = (
        f"COPY (WITH voided AS MATERIALIZED ({voided}) SELECT {', '.join(LINE)}, {REASON},"
        f" {PRODUCT_ID} IS NULL AND ({ORDER}) NOT IN ({bought}) AS whole,"
        f" (SELECT max({EVENT_TIME}) FROM ({times})) AS told FROM voided) TO {text(str(target))} (FORMAT parquet)"
    )
    run(connection, query, progress, "write", rows)
    return target


def count_voided(connection: duckdb.DuckDBPyConnection, voided: Path | None) -> tuple[int, int]:
    """Return how many lines and orders such a file holds; none where there is no file."""
    if voided is None:
        return 0, 0
    lines, orders = one(connection, f"SELECT count(*), count(DISTINCT ({ORDER})) FROM {file_text(voided)}")
    return int(lines), int(orders)
