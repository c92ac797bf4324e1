"""Voided orders of several files: they stay out of later files, and are kept together with the merged log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from clv_core.collection.engine import file_text, one, text
from clv_core.collection.infer.plan.cells import REASON
from clv_core.collection.merge.order_updates import (
    OrderSums,
    blanked,
    matching_lines,
    select_lines,
    sum_lines,
    whole_orders,
)
from clv_core.collection.merge.overlap import POSITION, MergeStep, select_rows
from clv_core.collection.rows.voided_orders import LINE, ORDER
from clv_core.collection.store.dataset import LogFiles
from clv_core.collection.vocabulary.order_statuses import CANCELLED, REFUNDED
from clv_core.columns import CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, ORDER_ID, PRODUCT_ID, PURCHASE


def exclude_voided_orders(step: MergeStep, voided: Sequence[Path], last: datetime | None) -> OrderSums:
    """Add a file's rows of orders that earlier files call cancelled or refunded to ``step.present``; return their sums.

    What was refunded stays out whatever the file says. What was cancelled or not paid when an earlier file was made may
    be paid by now: it stays out of a file that ends before that one only.

    Args:
        step: the file and the log.
        voided: orders that are voided by the earlier files.
        last: the file's last event.
    """
    if not voided or not {ORDER_ID, EVENT_TYPE} <= set(step.columns):
        return OrderSums()
    line = [column for column in LINE if column in step.columns]
    rows = f"(SELECT * FROM ({select_lines(step.new_rows, line)}) WHERE {POSITION} NOT IN (FROM {step.present}))"
    every = _union_voided([file_text(path) for path in voided])
    valid = f"(SELECT * FROM ({every}) WHERE {REASON} = '{REFUNDED}' OR told > TIMESTAMP '{last}')"
    lines = f"SELECT {blanked(line)} FROM {valid} WHERE NOT whole"
    found = matching_lines(", ".join(line), rows, lines, whole_orders(valid))
    step.run(f"CREATE OR REPLACE TEMP TABLE voided_lines AS {found}")
    step.add_present("FROM voided_lines")
    return sum_lines(step, "FROM voided_lines")


def merge_voided(
    connection: duckdb.DuckDBPyConnection, logs: Sequence[tuple[LogFiles, Mapping[str, str]]], target: Path
) -> Path | None:
    """Write the voided orders of several logs together to ``target``; None where no log says how orders stand.

    A line counts as often as the log that voids it most. What was cancelled and is a purchase in a later log that ends
    no earlier has been paid since.

    Args:
        connection: where it runs.
        logs: each with the merged log's names -> its own.
        target: the Parquet file.
    """
    parts = []
    for at, (first, _) in enumerate(logs):
        if first.voided is not None:
            later = [item for item in logs[at + 1 :] if ORDER_ID in item[1]]
            paid = [_is_paid(log.events, columns, last_event(connection, log)) for log, columns in later]
            left = f" WHERE NOT (v.{REASON} = '{CANCELLED}' AND ({' OR '.join(paid)}))" if paid else ""
            parts.append(f"(SELECT * FROM {file_text(first.voided)} v{left})")
    if not parts:
        return None
    connection.execute(f"COPY ({_union_voided(parts)}) TO {text(str(target))} (FORMAT parquet)")
    return target


def last_event(connection: duckdb.DuckDBPyConnection, log: LogFiles) -> datetime | None:
    """Return the time of a log's last event, UTC; those of voided orders included."""
    times = [f"SELECT max({EVENT_TIME}) AS last FROM {file_text(log.events)}"]
    times += [f"SELECT max(told) AS last FROM {file_text(log.voided)}"] if log.voided is not None else []
    last = one(connection, f"SELECT max(last) FROM ({' UNION ALL '.join(times)})")[0]
    return last if isinstance(last, datetime) else None


def _union_voided(relations: Sequence[str]) -> str:
    """Return the query of several files' voided lines, each as often as the one that voids it most."""
    order = f"ORDER BY {REASON} DESC, told DESC"
    copies = " UNION ALL ".join(
        f"SELECT *, row_number() OVER (PARTITION BY {', '.join(LINE)} {order}) AS clv_copy FROM {relation}"
        for relation in relations
    )
    return (
        f"SELECT {', '.join(LINE)}, max({REASON}) AS {REASON}, bool_or(whole) AS whole, max(told) AS told"
        f" FROM ({copies}) GROUP BY {', '.join(LINE)}, clv_copy"
    )


def _is_paid(events: Path, columns: Mapping[str, str], last: datetime | None) -> str:
    """Return the SQL test whether a voided line ``v`` is a purchase in a file that ends no earlier."""
    rows = select_rows(events, columns, (*LINE, EVENT_TYPE))
    bought = f"FROM ({rows}) WHERE {EVENT_TYPE} = '{PURCHASE}' AND {ORDER_ID} IS NOT NULL"
    test = f"(v.{CUSTOMER_ID}, v.{ORDER_ID}) IN (SELECT {ORDER} {bought})"
    if PRODUCT_ID in columns:
        line = f"SELECT {', '.join(LINE)} {bought} AND {PRODUCT_ID} IS NOT NULL"
        exact = f"({', '.join(f'v.{column}' for column in LINE)}) IN ({line})"
        test = f"CASE WHEN v.{PRODUCT_ID} IS NULL THEN {test} ELSE {exact} END"
    return f"(v.told <= TIMESTAMP '{last}' AND {test})"
