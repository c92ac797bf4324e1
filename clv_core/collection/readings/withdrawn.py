"""Orders that a file calls cancelled or refunded: what it says of them, kept with the dataset, so that they stay out.

An export that was made before the refund shows the order as paid; added afterwards, it must not bring it back. So each
version keeps ``withdrawn.parquet`` beside its rows: ``customer_id``, ``order_id`` and ``product_id`` as its events have
them (NULL where the file names no product), ``reason`` (``cancelled`` or ``refunded``), ``whole`` (whether it stands
for all lines of the order), and ``told``, the time of the last event of the file that says so, UTC. A line stands there
as often as one file says it. The ids are personal: nothing of this is ever printed, and an erasure takes it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import file_text, name, one, run, text
from clv_core.collection.mapping.plan.cells import REASON
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.readings.overlap import POSITION
from clv_core.collection.vocabulary.order_statuses import CANCELLED, REFUNDED
from clv_core.columns import (
    AMOUNT,
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
FILE: Final = "clv_file"


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


def write_withdrawn(
    connection: duckdb.DuckDBPyConnection,
    plan: ReadingPlan,
    typed: str,
    events: Path,
    target: Path,
    progress: Progress,
    rows: int,
) -> Path | None:
    """Write the lines of orders that a file says are cancelled or refunded.

    Args:
        connection: where it runs.
        plan: how the file is read.
        typed: query of its rows, by that plan.
        events: Parquet file of those that are kept.
        target: the Parquet file.
        progress: who listens.
        rows: of the file.

    Returns:
        ``target``; None where the file does not say how orders stand.
    """
    if ORDER_ID not in plan.chosen or not {ORDER_STATUS, REFUND_STATUS, REFUND} & set(plan.chosen):
        return None
    product = PRODUCT_ID if PRODUCT_ID in plan.chosen else f"NULL::VARCHAR AS {PRODUCT_ID}"
    query = (
        f"SELECT {ORDER}, {product}, {REASON}, {EVENT_TIME} FROM ({typed})"
        f" WHERE {REASON} IN ('{CANCELLED}', '{REFUNDED}') AND {ORDER_ID} IS NOT NULL"
    )
    run(connection, f"CREATE OR REPLACE TEMP TABLE withdrawn AS {query}", progress, "write", rows)
    times = f"SELECT {EVENT_TIME} FROM withdrawn UNION ALL SELECT {EVENT_TIME} FROM {file_text(events)}"
    kept = f"SELECT {ORDER} FROM {file_text(events)} WHERE {EVENT_TYPE} = '{PURCHASE}' AND {ORDER_ID} IS NOT NULL"
    chosen = (
        f"SELECT {', '.join(LINE)}, {REASON}, {PRODUCT_ID} IS NULL AND ({ORDER}) NOT IN ({kept}) AS whole,"
        f" (SELECT max({EVENT_TIME}) FROM ({times})) AS told FROM withdrawn"
    )
    connection.execute(f"COPY ({chosen}) TO {text(str(target))} (FORMAT parquet)")
    connection.execute("DROP TABLE withdrawn")
    return target


def lines_in(connection: duckdb.DuckDBPyConnection, withdrawn: Path | None) -> int:
    """Return how many lines such a file holds; none where there is no file."""
    return int(one(connection, f"SELECT count(*) FROM {file_text(withdrawn)}")[0]) if withdrawn else 0


def orders_in(connection: duckdb.DuckDBPyConnection, withdrawn: Path) -> int:
    """Return of how many orders the lines of such a file are."""
    return int(one(connection, f"SELECT count(*) FROM (SELECT DISTINCT {ORDER} FROM {file_text(withdrawn)})")[0])


def hold_out(
    connection: duckdb.DuckDBPyConnection,
    known: Sequence[Path],
    fresh: tuple[Path, dict[str, str]],
    last: str,
    progress: Progress,
) -> OrderSums:
    """Add the rows of a file to the table ``held`` that are of orders which earlier files called off.

    What was refunded stays out whatever the file says. What was cancelled or not paid when an earlier file was made may
    be paid by now: it stays out of a file that ends before that one only.

    Args:
        connection: where it runs, with the table ``held`` of the file's rows that do not count already.
        known: of :func:`write_withdrawn` or :func:`merge`, of the earlier files.
        fresh: the file, with the whole's column names -> its own.
        last: the time of its last event, UTC.
        progress: who listens.
    """
    events, columns = fresh
    if not known or ORDER_ID not in columns or EVENT_TYPE not in columns:
        return OrderSums()
    line = [column for column in LINE if column in columns]
    key = ", ".join(line)
    rows = f"(SELECT * FROM ({lines_of(fresh, -1, line)}) WHERE {POSITION} NOT IN (FROM held))"
    holds = f"(SELECT * FROM ({_together(known)}) WHERE {REASON} = '{REFUNDED}' OR told > TIMESTAMP '{last}')"
    found = matched(key, rows, f"SELECT {blanked(line)} FROM {holds} WHERE NOT whole", wholes(holds))
    run(connection, f"CREATE OR REPLACE TEMP TABLE stays_out AS {found}", progress, "overlap")
    connection.execute(f"INSERT INTO held SELECT {POSITION} FROM stays_out")
    return _figures(connection, "stays_out")


def merge(
    connection: duckdb.DuckDBPyConnection,
    parts: Sequence[tuple[Path | None, tuple[Path, dict[str, str]], str]],
    target: Path,
) -> Path | None:
    """Write what several files say of orders together to ``target``.

    A line counts as often as the file that says it most. What was cancelled and is a purchase in a later file that ends
    no earlier has been paid since.

    Args:
        connection: where it runs.
        parts: of each file in turn: its withdrawn lines, its events with the whole's column names -> its own, and the
            time of its last event.
        target: the Parquet file.

    Returns:
        ``target``; None where no file says how orders stand.
    """
    said = []
    for place, (withdrawn, _, _) in enumerate(parts):
        if withdrawn is not None:
            paid = [_paid(later, last) for _, later, last in parts[place + 1 :] if ORDER_ID in later[1]]
            test = " OR ".join(paid)
            left = f" WHERE NOT (w.{REASON} = '{CANCELLED}' AND ({test}))" if paid else ""
            said.append(f"(SELECT * FROM {file_text(withdrawn)} w{left})")
    if not said:
        return None
    connection.execute(f"COPY ({_united(said)}) TO {text(str(target))} (FORMAT parquet)")
    return target


def lines_of(part: tuple[Path, dict[str, str]], number: int, line: Sequence[str], row: str = "NULL") -> str:
    """Return the query of a file's purchases: what they are of, when, what they are worth, and their place.

    Those without an order are left out where ids of orders are asked for.

    Args:
        part: Parquet file of its rows, with the whole's column names -> its own.
        number: of the file, which becomes ``clv_file``.
        line: columns that make two rows the same line.
        row: SQL for what becomes ``clv_row``.
    """
    events, columns = part
    shown = ", ".join(f"coalesce({name(columns[column])}, '') AS {column}" for column in line)
    return (
        f"SELECT {number} AS {FILE}, file_row_number AS {POSITION}, {shown}, {row} AS clv_row,"
        f" {name(columns[EVENT_TIME])} AS {EVENT_TIME}, {name(columns[AMOUNT])} AS {AMOUNT}"
        f" FROM read_parquet({file_text(events)}, file_row_number = true)"
        f" WHERE {name(columns[EVENT_TYPE])} = '{PURCHASE}'"
    ) + (f" AND {name(columns[ORDER_ID])} IS NOT NULL" if ORDER_ID in line else "")


def blanked(line: Sequence[str]) -> str:
    """Return the columns of a line with blanks for what is not known, as :func:`lines_of` has them."""
    return ", ".join(f"coalesce({name(column)}, '') AS {column}" for column in line)


def wholes(relation: str) -> str:
    """Return the query of the orders that withdrawn lines name as a whole."""
    return f"SELECT DISTINCT {blanked(LINE[:2])} FROM {relation} WHERE whole"


def matched(key: str, rows: str, named: str, orders: str = "") -> str:
    """Return the query of ``rows`` that ``named`` names, each line as often as it is named.

    Args:
        key: the columns of a line.
        rows: table expression as :func:`lines_of` gives it.
        named: query of lines.
        orders: query of orders whose lines are meant without exception; empty where there are none.
    """
    numbered = f"SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {FILE}, {POSITION}) AS clv_copy FROM {rows}"
    counted = f"SELECT {key}, count(*) AS clv_named FROM ({named}) GROUP BY ALL"
    also = f" OR ({ORDER}) IN ({orders})" if orders else ""
    return f"SELECT * FROM ({numbered}) LEFT JOIN ({counted}) USING ({key}) WHERE clv_copy <= clv_named{also}"


def last_event(
    connection: duckdb.DuckDBPyConnection, events: Sequence[Path], withdrawn: Sequence[Path | None] = ()
) -> str:
    """Return the time of the latest event of some files, UTC; what they say of orders that do not count included."""
    latest = [f"SELECT max({EVENT_TIME}) AS last FROM {file_text(path)}" for path in events]
    latest += [f"SELECT max(told) AS last FROM {file_text(path)}" for path in withdrawn if path is not None]
    return str(one(connection, f"SELECT max(last) FROM ({' UNION ALL '.join(latest)})")[0])


def figures_of(connection: duckdb.DuckDBPyConnection, query: str) -> OrderSums:
    """Return how many rows and orders a query of lines gives, and what they are worth."""
    return _figures(connection, f"({query})")


def _figures(connection: duckdb.DuckDBPyConnection, relation: str) -> OrderSums:
    found = one(connection, f"SELECT count(*), count(DISTINCT ({ORDER})), sum({AMOUNT}) FROM {relation}")
    return OrderSums(int(found[0]), int(found[1]), round(float(found[2] or 0), 2))


def _together(files: Sequence[Path]) -> str:
    return _united([file_text(path) for path in files])


def _united(relations: Sequence[str]) -> str:
    """Return the query of several files' withdrawn lines, each as often as the one that says it most."""
    order = f"ORDER BY {REASON} DESC, told DESC"
    copies = " UNION ALL ".join(
        f"SELECT *, row_number() OVER (PARTITION BY {', '.join(LINE)} {order}) AS clv_copy FROM {relation}"
        for relation in relations
    )
    return (
        f"SELECT {', '.join(LINE)}, max({REASON}) AS {REASON}, bool_or(whole) AS whole, max(told) AS told"
        f" FROM ({copies}) GROUP BY {', '.join(LINE)}, clv_copy"
    )


def _paid(part: tuple[Path, dict[str, str]], last: str) -> str:
    """Return the SQL test whether a withdrawn line ``w`` is a purchase in a file that ends no earlier."""
    events, columns = part
    own = {column: name(columns[column]) for column in LINE if column in columns}
    test = f"{name(columns[EVENT_TYPE])} = '{PURCHASE}'"
    order = f"SELECT {own[CUSTOMER_ID]}, {own[ORDER_ID]} FROM {file_text(events)} WHERE {test}"
    found = f"(w.{CUSTOMER_ID}, w.{ORDER_ID}) IN ({order} AND {own[ORDER_ID]} IS NOT NULL)"
    if PRODUCT_ID in own:
        line = f"SELECT {', '.join(own.values())} FROM {file_text(events)} WHERE {test}"
        exact = f"(w.{CUSTOMER_ID}, w.{ORDER_ID}, w.{PRODUCT_ID}) IN ({line} AND {own[ORDER_ID]} IS NOT NULL"
        found = f"CASE WHEN w.{PRODUCT_ID} IS NULL THEN {found} ELSE {exact} AND {own[PRODUCT_ID]} IS NOT NULL) END"
    return f"(w.told <= TIMESTAMP '{last}' AND {found})"
