"""Orders that a later export has in another state: refunded since, corrected, or with a line less.

Shop systems export orders as they are today. Next month's file repeats the orders of the last days, some of them
shipped, refunded, corrected or cancelled meanwhile; counted with the old rows they would be bought twice, or never
given back. So of rows of one customer, order and product the newer file's count (an upsert), whatever else in them
differs; a row that has moved to another customer counts there alone; a line that its order does not have any more is
removed. A file without states of orders may as well hold other lines of the same orders: it updates orders only where
it repeats most of their lines exactly, and at the same time (:func:`find_order_updates`).

Orders that were voided stay out of later files, and are kept together with the merged log
(:func:`exclude_voided_orders`, :func:`merge_voided`).

A database returns every line of the orders that a query names. So a line that does not come is no guess: it was
deleted (:class:`WholeOrders`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from clv_core.collection.engine import file_text, name, one, text
from clv_core.collection.infer.plan.cells import REASON
from clv_core.collection.merge.overlap import FILE, POSITION, MergeStep, select_rows
from clv_core.collection.rows.voided_orders import LINE, ORDER
from clv_core.collection.store.dataset import LogFiles
from clv_core.collection.vocabulary.order_statuses import CANCELLED, REFUNDED
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, ORDER_ID, PRODUCT_ID, PURCHASE


@dataclass(frozen=True)
class OrderSums:
    """Rows of orders that do not count, in figures.

    Args:
        rows: how many.
        orders: of how many orders.
        amount: what they were worth, in the log's currency.
    """

    rows: int = 0
    orders: int = 0
    amount: float = 0.0


MIN_REPEATED: Final = 0.5
"""Of a file's lines of orders that the log has, the share that the log must hold exactly, if the file updates them."""
MIN_COMPLETE: Final = 0.9
"""Share of two files' orders that must have all their lines in the newer, if a line that is not there was deleted."""


@dataclass(frozen=True)
class OrderUpdates:
    """What a new file updates in a log.

    Args:
        superseded: by file of the log, how many of its rows do not count any more.
        outdated: how many rows of an older file the log holds in a newer state.
        removed: superseded rows which the file calls cancelled or refunded, and has nothing instead of.
    """

    superseded: tuple[int, ...] = ()
    outdated: int = 0
    removed: OrderSums = OrderSums()


def find_order_updates(step: MergeStep, voided: Path | None, last: datetime | None) -> OrderUpdates:
    """Add the log's rows that a new file updates to ``step.superseded``.

    The newer of two files is the one with the later event. An older one's lines are present already where the log has
    them, but what it calls refunded is superseded whichever is newer: nobody takes that back. What it calls cancelled,
    or not paid yet, may have been paid since. A line that is in a log several times is replaced as often as the new
    file has it; an order that the file voids without naming a product is replaced entirely, where it has no other line
    of it.

    Args:
        step: the file and the log, of which exact repetitions are marked.
        voided: the file's voided orders (:func:`~clv_core.collection.rows.voided_orders.write_voided`); None where it
            has no states of orders.
        last: the file's last event.
    """
    line = [column for column in LINE if column in step.common]
    if ORDER_ID not in line or EVENT_TYPE not in step.common:
        return OrderUpdates()
    step.progress.report("overlap", 0, 1)
    ids = f"SELECT {ORDER_ID} FROM new_lines" + (f" UNION SELECT {ORDER_ID} FROM {file_text(voided)}" if voided else "")
    step.run(f"CREATE OR REPLACE TEMP TABLE new_lines AS {select_lines(step.new_rows, line, step.common)}")
    old = f"SELECT * FROM ({select_lines(step.old_rows, line, step.common)}) WHERE {ORDER_ID} IN ({ids})"
    step.run(f"CREATE OR REPLACE TEMP TABLE old_lines AS {old}")
    if voided is None and not _repeats_orders(step, "new_lines", "old_lines"):
        return OrderUpdates()
    (log_end,) = step.one(f"SELECT max({EVENT_TIME}) FROM {step.old_rows}")
    is_older = bool(last and log_end and last < log_end)
    key = ", ".join(line if voided is not None else (*line, EVENT_TIME))
    remaining = f"(SELECT * FROM new_lines WHERE {POSITION} NOT IN (FROM {step.present}))"
    lines, orders = [] if is_older else [f"SELECT {key} FROM {remaining}"], [f"SELECT {ORDER} FROM {remaining}"]
    voided_whole = ""
    if voided is not None:
        valid = f"(FROM {file_text(voided)} WHERE {REASON} = '{REFUNDED}' OR {not is_older})"
        voided_whole = whole_orders(valid)
        lines.append(f"SELECT {blanked(line)} FROM {valid} WHERE NOT whole")
        orders += [f"SELECT {ORDER} FROM ({lines[-1]})", voided_whole]
    exact = f"SELECT row_hash FROM new_lines WHERE {POSITION} IN (FROM {step.present})"
    affected = f"SELECT * FROM old_lines WHERE ({ORDER}) IN ({' UNION '.join(orders)}) AND row_hash NOT IN ({exact})"
    step.run(f"CREATE OR REPLACE TEMP TABLE affected_lines AS {affected}")
    if lines:
        step.add_superseded(matching_lines(key, "affected_lines", " UNION ALL ".join(lines), voided_whole))
    removed = (
        f"SELECT * FROM affected_lines WHERE ({FILE}, {POSITION}) IN (FROM {step.superseded})"
        f" AND ({key}) NOT IN (SELECT {key} FROM new_lines)"
    )
    sums, outdated = sum_lines(step, removed), 0
    if is_older:
        outdated = step.add_present(matching_lines(key, remaining, "FROM affected_lines"))
        counted = f"{POSITION} IN (FROM {step.present})"
        outdated += step.add_present(_missing_lines(line, "new_lines", "old_lines", counted))
    else:
        step.add_superseded(_moved_lines(step))
        counted = f"({FILE}, {POSITION}) IN (FROM {step.superseded})"
        step.add_superseded(_missing_lines(line, "old_lines", "new_lines", counted))
    return OrderUpdates(step.superseded_rows(), outdated, sums)


def _repeats_orders(step: MergeStep, new: str, old: str) -> bool:
    """Return whether most lines of orders that a file shares with the log are exactly the same there."""
    exact = f"avg(({POSITION} IN (FROM {step.present}))::INTEGER)"
    (share,) = step.one(f"SELECT {exact} FROM {new} WHERE ({ORDER}) IN (SELECT {ORDER} FROM {old})")
    return share is not None and share >= MIN_REPEATED


def _missing_lines(line: Sequence[str], old: str, new: str, counted: str) -> str:
    """Return the query of the ``old`` lines whose order, of the same time, is in ``new`` without them.

    They are none where more than a few orders lack a line: one file may hold some lines, and another the rest.

    ``common`` are old lines of orders that ``new`` has too; ``lines`` compares their copies with the number of copies
    in ``new``; ``complete`` is whether an order lacks none, and ``share`` how many are complete.

    Args:
        line: columns that make two rows the same line.
        old: table of the lines of the file that ends earlier.
        new: of the one that ends later.
        counted: SQL test whether an old line is out already.
    """
    key, order = ", ".join((*line, EVENT_TIME)), f"{ORDER}, {EVENT_TIME}"
    common = f"SELECT * FROM {old} WHERE ({order}) IN (SELECT {order} FROM {new})"
    copies = f"row_number() OVER (PARTITION BY {key} ORDER BY {FILE}, {POSITION}) AS clv_copy"
    copies_in_new = f"SELECT {key}, count(*) AS clv_copies FROM {new} GROUP BY ALL"
    lines = (
        f"SELECT *, clv_copy > coalesce(clv_copies, 0) AND NOT ({counted}) AS clv_missing"
        f" FROM (SELECT *, {copies} FROM ({common})) LEFT JOIN ({copies_in_new}) USING ({key})"
    )
    complete = f"SELECT NOT bool_or(clv_missing) AS complete FROM lines GROUP BY {order}"
    share = f"SELECT avg(complete::INTEGER) FROM ({complete})"
    return f"WITH lines AS ({lines}) SELECT * FROM lines WHERE clv_missing AND ({share}) >= {MIN_COMPLETE}"


def _moved_lines(step: MergeStep) -> str:
    """Return the query of old lines that the new file has under another customer, all else being the same.

    An account was merged, or a guest has registered: of an order that the file has without its former customer.
    """
    orders = f"{ORDER_ID} IN (SELECT {ORDER_ID} FROM new_lines) AND ({ORDER}) NOT IN (SELECT {ORDER} FROM new_lines)"
    line = f"{ORDER_ID}, rest_hash"
    new = f"SELECT {line} FROM new_lines WHERE {POSITION} NOT IN (FROM {step.present})"
    return matching_lines(line, f"(SELECT * FROM old_lines WHERE {orders})", new)


def exclude_voided_orders(step: MergeStep, voided: Sequence[Path], last: datetime | None) -> OrderSums:
    """Add a file's rows of orders that earlier files call cancelled or refunded to ``step.present``; return their sums.

    What was refunded stays out whatever the file holds. What was cancelled or not paid when an earlier file was made
    may be paid by now: it stays out of a file that ends before that one only.

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
    matches = matching_lines(", ".join(line), rows, lines, whole_orders(valid))
    step.run(f"CREATE OR REPLACE TEMP TABLE voided_lines AS {matches}")
    step.add_present("FROM voided_lines")
    return sum_lines(step, "FROM voided_lines")


def merge_voided(
    connection: duckdb.DuckDBPyConnection, logs: Sequence[tuple[LogFiles, Mapping[str, str]]], target: Path
) -> Path | None:
    """Write the voided orders of several logs together to ``target``; None where no log has the states of orders.

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


@dataclass(frozen=True)
class WholeOrders:
    """Says that a new file holds all lines of each of its orders.

    Args:
        gone: ids of the log's orders that no longer exist.
    """

    gone: Sequence[str] = ()


def replace_orders(step: MergeStep, voided: Path | None, whole: WholeOrders) -> OrderUpdates:
    """Add the log's rows of orders that a file holds completely to ``step.superseded``, but for exact repetitions.

    Rows without an order's number are compared as those of any file.

    Args:
        step: the file and the log, of which exact repetitions are marked.
        voided: the file's voided orders, which have no rows in it; None where it has no states of orders.
        whole: with the orders that no longer exist.
    """
    if ORDER_ID not in step.common:
        return OrderUpdates()
    connection = step.connection
    connection.register("gone_orders", pa.table({"id": pa.array(list(whole.gone), pa.string())}))
    parts = [f"SELECT {ORDER_ID} AS id FROM {step.new_rows}", "SELECT id FROM gone_orders"]
    parts += [f"SELECT {ORDER_ID} AS id FROM {file_text(voided)}"] if voided is not None else []
    step.run(f"CREATE OR REPLACE TEMP TABLE whole_orders AS {' UNION '.join(parts)}")
    updated = f"{ORDER_ID} IN (SELECT id FROM whole_orders WHERE id IS NOT NULL)"
    shared = ", ".join(map(name, step.shared))
    sides = (("old_whole", step.old_rows, f"{FILE}, {POSITION}"), ("new_whole", step.new_rows, POSITION))
    for table, rows, place in sides:
        number = f"row_number() OVER (PARTITION BY {shared} ORDER BY {place}) AS clv_copy"
        amount = f", {AMOUNT} AS clv_amount" if AMOUNT in step.common else ", 0.0 AS clv_amount"
        key = f"hash({shared}) AS clv_hash, {shared}"
        step.run(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {place}, {ORDER_ID} AS clv_order{amount}, {number}, {key}"
            f" FROM {rows} WHERE {updated}"
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
    still_there = "SELECT clv_order FROM new_whole UNION ALL SELECT id FROM gone_orders"
    removed = f"{old} AND clv_order NOT IN ({still_there})"
    rows, orders, amount = step.one(f"SELECT count(*), count(DISTINCT clv_order), sum(clv_amount) FROM ({removed})")
    connection.unregister("gone_orders")
    return OrderUpdates(step.superseded_rows(), 0, OrderSums(rows, orders, round(float(amount or 0), 2)))


def without_their_voids(
    connection: duckdb.DuckDBPyConnection, log: LogFiles, files: Sequence[LogFiles], target: Path
) -> LogFiles:
    """Return a log without its voided lines of orders that ``files`` hold completely: these have them anew."""
    if log.voided is None:
        return log
    orders = [f"SELECT {ORDER_ID} FROM {file_text(file.events)}" for file in files if ORDER_ID in file.manifest.columns]
    orders += [f"SELECT {ORDER_ID} FROM {file_text(file.voided)}" for file in files if file.voided is not None]
    test = f"{ORDER_ID} IN (SELECT {ORDER_ID} FROM ({' UNION ALL '.join(orders)}) WHERE {ORDER_ID} IS NOT NULL)"
    left = f" WHERE NOT coalesce({test}, false)" if orders else ""
    connection.execute(f"COPY (SELECT * FROM {file_text(log.voided)}{left}) TO {text(str(target))} (FORMAT parquet)")
    return replace(log, voided=target)


def select_lines(rows: str, line: Sequence[str], compared: Sequence[str] = ()) -> str:
    """Return the query of purchases: file, position, their line with blanks for NULL, time and amount.

    Those without an order are left out where ids of orders are wanted.

    Args:
        rows: table of rows under the merged log's names.
        line: columns that make two rows the same line.
        compared: columns of ``row_hash``, and but for the customer of ``rest_hash``; empty for neither.
    """
    shown = [FILE, POSITION, blanked(line), EVENT_TIME, AMOUNT]
    if compared:
        rest = ", ".join(name(column) for column in compared if column != CUSTOMER_ID)
        shown += [f"hash({', '.join(map(name, compared))}) AS row_hash", f"hash({rest}) AS rest_hash"]
    test = f"{EVENT_TYPE} = '{PURCHASE}'" + (f" AND {ORDER_ID} IS NOT NULL" if ORDER_ID in line else "")
    return f"SELECT {', '.join(shown)} FROM {rows} WHERE {test}"


def blanked(line: Sequence[str]) -> str:
    """Return the columns of a line with blanks for NULL."""
    return ", ".join(f"coalesce({column}, '') AS {column}" for column in line)


def whole_orders(voided: str) -> str:
    """Return the query of the orders that are voided with all their lines."""
    return f"SELECT DISTINCT {blanked(LINE[:2])} FROM {voided} WHERE whole"


def matching_lines(key: str, rows: str, lines: str, orders: str = "") -> str:
    """Return the query of ``rows`` whose line is in ``lines``, as often as there, or whose order is in ``orders``."""
    numbered = f"SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {FILE}, {POSITION}) AS clv_copy FROM {rows}"
    counted = f"SELECT {key}, count(*) AS clv_copies FROM ({lines}) GROUP BY ALL"
    also = f" OR ({ORDER}) IN ({orders})" if orders else ""
    return f"SELECT * FROM ({numbered}) LEFT JOIN ({counted}) USING ({key}) WHERE clv_copy <= clv_copies{also}"


def sum_lines(step: MergeStep, lines: str) -> OrderSums:
    """Return how many rows and orders a query of lines gives, and what they are worth."""
    rows, orders, worth = step.one(f"SELECT count(*), count(DISTINCT ({ORDER})), sum({AMOUNT}) FROM ({lines})")
    return OrderSums(rows, orders, round(float(worth or 0), 2))
