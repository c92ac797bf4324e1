"""Orders that a file holds whole: of each of them the file's rows are all that there are.

A database is asked for every line of the orders that it is asked for at all. So nothing has to be guessed of a line
that does not come (:mod:`clv_core.collection.merge.order_updates` does for files): it is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from clv_core.collection.engine import file_text, name, text
from clv_core.collection.merge.order_updates import OrderSums, OrderUpdates
from clv_core.collection.merge.overlap import FILE, POSITION, MergeStep
from clv_core.collection.store.dataset import LogFiles
from clv_core.columns import AMOUNT, ORDER_ID


@dataclass(frozen=True)
class WholeOrders:
    """Says that a new file holds all lines of each of its orders.

    Args:
        gone: numbers of orders of the log that are no more.
    """

    gone: Sequence[str] = ()


def replace_orders(step: MergeStep, voided: Path | None, whole: WholeOrders) -> OrderUpdates:
    """Add the log's rows of orders that a file holds whole to ``step.superseded``, but for exact repetitions.

    Rows without an order's number are compared as those of any file.

    Args:
        step: the file and the log, of which exact repetitions are marked.
        voided: the file's voided orders, which have no rows in it; None where it does not say how orders stand.
        whole: orders that are no more.
    """
    if ORDER_ID not in step.common:
        return OrderUpdates()
    connection = step.connection
    connection.register("gone_orders", pa.table({"id": pa.array(list(whole.gone), pa.string())}))
    parts = [f"SELECT {ORDER_ID} AS id FROM {step.new_rows}", "SELECT id FROM gone_orders"]
    parts += [f"SELECT {ORDER_ID} AS id FROM {file_text(voided)}"] if voided is not None else []
    step.run(f"CREATE OR REPLACE TEMP TABLE whole_orders AS {' UNION '.join(parts)}")
    chosen = f"{ORDER_ID} IN (SELECT id FROM whole_orders WHERE id IS NOT NULL)"
    shared = ", ".join(map(name, step.shared))
    sides = (("old_whole", step.old_rows, f"{FILE}, {POSITION}"), ("new_whole", step.new_rows, POSITION))
    for table, rows, place in sides:
        number = f"row_number() OVER (PARTITION BY {shared} ORDER BY {place}) AS clv_copy"
        amount = f", {AMOUNT} AS clv_amount" if AMOUNT in step.common else ", 0.0 AS clv_amount"
        key = f"hash({shared}) AS clv_hash, {shared}"
        step.run(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {place}, {ORDER_ID} AS clv_order{amount}, {number}, {key}"
            f" FROM {rows} WHERE {chosen}"
        )
    same = " AND ".join(f"o.{name(column)} IS NOT DISTINCT FROM n.{name(column)}" for column in step.shared)
    pairs = f"old_whole o JOIN new_whole n ON o.clv_hash = n.clv_hash AND o.clv_copy = n.clv_copy AND {same}"
    step.run(
        f"CREATE OR REPLACE TEMP TABLE same_whole AS SELECT o.{FILE}, o.{POSITION}, n.{POSITION} AS new FROM {pairs}"
    )
    step.run(f"DELETE FROM {step.present} WHERE {POSITION} IN (SELECT {POSITION} FROM new_whole)")
    step.add_present(f"SELECT new AS {POSITION} FROM same_whole")
    old = f"SELECT * FROM old_whole WHERE ({FILE}, {POSITION}) NOT IN (SELECT ({FILE}, {POSITION}) FROM same_whole)"
    step.add_superseded(old)
    others = "SELECT clv_order FROM new_whole UNION ALL SELECT id FROM gone_orders"
    removed = f"{old} AND clv_order NOT IN ({others})"
    rows, orders, amount = step.one(f"SELECT count(*), count(DISTINCT clv_order), sum(clv_amount) FROM ({removed})")
    connection.unregister("gone_orders")
    return OrderUpdates(step.superseded_rows(), 0, OrderSums(rows, orders, round(float(amount or 0), 2)))


def without_their_voids(
    connection: duckdb.DuckDBPyConnection, log: LogFiles, files: Sequence[LogFiles], target: Path
) -> LogFiles:
    """Return a log without what it says of cancelled or refunded orders that ``files`` hold whole: they say it anew."""
    if log.voided is None:
        return log
    orders = [f"SELECT {ORDER_ID} FROM {file_text(file.events)}" for file in files if ORDER_ID in file.manifest.columns]
    orders += [f"SELECT {ORDER_ID} FROM {file_text(file.voided)}" for file in files if file.voided is not None]
    test = f"{ORDER_ID} IN (SELECT {ORDER_ID} FROM ({' UNION ALL '.join(orders)}) WHERE {ORDER_ID} IS NOT NULL)"
    left = f" WHERE NOT coalesce({test}, false)" if orders else ""
    connection.execute(f"COPY (SELECT * FROM {file_text(log.voided)}{left}) TO {text(str(target))} (FORMAT parquet)")
    return replace(log, voided=target)
