"""Orders that a later export has in another state: refunded since, corrected, or with a line less.

Shop systems export orders as they stand today. Next month's file repeats the orders of the last days, some of them
shipped, refunded, corrected or cancelled meanwhile; counted beside the old rows they would be bought twice, or never
given back. So of rows of one customer, order and product the newer file's count (an upsert), whatever else in them
differs; a row that has moved to another customer counts there alone; a line that its order does not have any more goes.
A file without states of orders may as well hold other lines of the same orders: it updates orders only where it repeats
most of their lines exactly, and at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from clv_core.collection.engine import file_text, name
from clv_core.collection.infer.plan.cells import REASON
from clv_core.collection.merge.overlap import FILE, POSITION, MergeStep
from clv_core.collection.rows.voided_orders import LINE, ORDER
from clv_core.collection.vocabulary.order_statuses import REFUNDED
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, ORDER_ID, PURCHASE


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


def select_lines(rows: str, line: Sequence[str], compared: Sequence[str] = ()) -> str:
    """Return the query of purchases: file, position, their line with blanks for NULL, time and amount.

    Those without an order are left out where ids of orders are asked for.

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
    """Return the query of the orders that voided lines name as a whole."""
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


MIN_REPEATED: Final = 0.5
"""Of a file's lines of orders that the log has, the share that the log must hold exactly, if the file updates them."""
MIN_COMPLETE: Final = 0.9
"""Share of two files' orders that must have all their lines in the newer, if a line that is not there is gone."""


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
    or not paid yet, may have been paid since. A line that stands in a log several times is replaced as often as the new
    file has it; an order that the file voids without naming a product goes whole, where it has no other line of it.

    Args:
        step: the file and the log, of which exact repetitions are marked.
        voided: the file's voided orders (:func:`~clv_core.collection.rows.voided_orders.write_voided`); None where it
            does not say how orders stand.
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
    whole = ""
    if voided is not None:
        valid = f"(FROM {file_text(voided)} WHERE {REASON} = '{REFUNDED}' OR {not is_older})"
        whole = whole_orders(valid)
        lines.append(f"SELECT {blanked(line)} FROM {valid} WHERE NOT whole")
        orders += [f"SELECT {ORDER} FROM ({lines[-1]})", whole]
    exact = f"SELECT row_hash FROM new_lines WHERE {POSITION} IN (FROM {step.present})"
    affected = f"SELECT * FROM old_lines WHERE ({ORDER}) IN ({' UNION '.join(orders)}) AND row_hash NOT IN ({exact})"
    step.run(f"CREATE OR REPLACE TEMP TABLE affected_lines AS {affected}")
    if lines:
        step.add_superseded(matching_lines(key, "affected_lines", " UNION ALL ".join(lines), whole))
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

    Args:
        line: columns that make two rows the same line.
        old: table of the lines of the file that ends earlier.
        new: of the one that ends later.
        counted: SQL test whether an old line is out already.
    """
    key, order = ", ".join((*line, EVENT_TIME)), f"{ORDER}, {EVENT_TIME}"
    common = f"SELECT * FROM {old} WHERE ({order}) IN (SELECT {order} FROM {new})"
    copies = f"row_number() OVER (PARTITION BY {key} ORDER BY {FILE}, {POSITION}) AS clv_copy"
    known = f"SELECT {key}, count(*) AS clv_copies FROM {new} GROUP BY ALL"
    lines = (
        f"SELECT *, clv_copy > coalesce(clv_copies, 0) AND NOT ({counted}) AS clv_missing"
        f" FROM (SELECT *, {copies} FROM ({common})) LEFT JOIN ({known}) USING ({key})"
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
