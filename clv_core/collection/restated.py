"""Orders that a later export tells otherwise: paid back since, or with another state or amount.

Shop systems export orders as they stand today. Next month's file repeats the orders of the last days, some of them
shipped, refunded or cancelled meanwhile; counted beside the old rows they would be bought twice, or never given back.
So of rows of one customer, order and product the newer file's count, whatever else in them differs. Only files that say
how orders stand (a state, or what was paid back) are read like that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import file_text, name, one, run, text
from clv_core.collection.order_states import CANCELLED, REFUNDED
from clv_core.collection.overlap import POSITION
from clv_core.collection.plan import REASON, ReadingPlan
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
FILE: Final = "clv_file"


@dataclass(frozen=True)
class Restated:
    """What a file says anew of orders that a log holds.

    Args:
        gone: by file of the log, how many of its rows do not count any more; their positions are in the table ``gone``.
        held: how many rows of an older file the log holds in a newer state; they are added to the table ``held``.
    """

    gone: tuple[int, ...]
    held: int = 0


def write_withdrawn(
    connection: duckdb.DuckDBPyConnection, plan: ReadingPlan, typed: str, target: Path, progress: Progress, rows: int
) -> Path | None:
    """Write the lines of orders that a file says are cancelled or refunded.

    Args:
        connection: where it runs.
        plan: how the file is read.
        typed: query of its rows, by that plan.
        target: the Parquet file.
        progress: who listens.
        rows: of the file.

    Returns:
        ``target``; None where the file does not say how orders stand.
    """
    if ORDER_ID not in plan.chosen or not {ORDER_STATUS, REFUND_STATUS, REFUND} & set(plan.chosen):
        return None
    columns = [column for column in LINE if column in plan.chosen]
    query = (
        f"SELECT {', '.join(columns)} FROM ({typed}) WHERE {REASON} IN ('{CANCELLED}', '{REFUNDED}')"
        f" AND {ORDER_ID} IS NOT NULL"
    )
    run(connection, f"COPY ({query}) TO {text(str(target))} (FORMAT parquet)", progress, "write", rows)
    return target


def find_restated(
    connection: duckdb.DuckDBPyConnection,
    log: Sequence[tuple[Path, dict[str, str]]],
    fresh: tuple[Path, dict[str, str]],
    withdrawn: Path,
    progress: Progress,
) -> Restated:
    """Make the table ``gone`` of the log's rows that a file tells anew.

    The newer of two files is the one with the later event. An older one's lines are held instead where the log has
    them, but what it calls cancelled or refunded is gone whichever is newer: nobody takes that back. A line that stands
    in a log several times is replaced as often as the new file has it.

    Args:
        connection: where it runs, with the table ``held`` of the new file's rows that the log holds exactly.
        log: its files, each with the whole's column names -> the file's.
        fresh: the new file, likewise.
        withdrawn: of :func:`write_withdrawn`, of the new file.
        progress: who listens.
    """
    progress.report("overlap", 0, 1)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE gone ({FILE} INTEGER, {POSITION} BIGINT)")
    known = [columns for _, columns in (*log, fresh)]
    line = [column for column in LINE if all(column in columns for columns in known)]
    if ORDER_ID not in line or not all(EVENT_TYPE in columns for columns in known):
        return Restated((0,) * len(log))
    shared = [column for column in fresh[1] if all(column in columns for columns in known)]
    old = " UNION ALL ".join(_lines(part, number, line, shared) for number, part in enumerate(log))
    new = _lines(fresh, -1, line, shared)
    key = ", ".join(line)
    run(connection, f"CREATE OR REPLACE TEMP TABLE told AS {new}", progress, "overlap")
    lines = f"SELECT {key} FROM told WHERE {POSITION} NOT IN (FROM held)"
    withdrawals = f"SELECT {', '.join(_text(column) for column in line)} FROM {file_text(withdrawn)}"
    orders = f"SELECT {ORDER_ID} FROM ({lines}) UNION SELECT {ORDER_ID} FROM ({withdrawals})"
    exact = f"SELECT clv_row FROM told WHERE {POSITION} IN (FROM held)"
    candidates = f"SELECT * FROM ({old}) WHERE {ORDER_ID} IN ({orders}) AND clv_row NOT IN ({exact})"
    run(connection, f"CREATE OR REPLACE TEMP TABLE stood AS {candidates}", progress, "overlap")
    named, held = f"{lines} UNION ALL {withdrawals}", 0
    if _last(connection, [fresh]) < _last(connection, log):
        told = f"(SELECT * FROM told WHERE {POSITION} NOT IN (FROM held))"
        outdated = f"SELECT {POSITION} FROM ({_matched(key, told, 'FROM stood')})"
        held = one(connection, f"SELECT count(*) FROM ({outdated})")[0]
        connection.execute(f"INSERT INTO held {outdated}")
        named = withdrawals
    connection.execute(f"INSERT INTO gone SELECT {FILE}, {POSITION} FROM ({_matched(key, 'stood', named)})")
    counted = dict(connection.execute(f"SELECT {FILE}, count(*) FROM gone GROUP BY 1").fetchall())
    return Restated(tuple(int(counted.get(number, 0)) for number in range(len(log))), int(held))


def write_standing(
    connection: duckdb.DuckDBPyConnection, events: Path, number: int, target: Path, progress: Progress, rows: int
) -> None:
    """Write the log's file ``number`` without its rows of the table ``gone`` to ``target``."""
    query = (
        f"COPY (SELECT * EXCLUDE file_row_number FROM read_parquet({file_text(events)}, file_row_number = true)"
        f" WHERE file_row_number NOT IN (SELECT {POSITION} FROM gone WHERE {FILE} = {number}))"
        f" TO {text(str(target))} (FORMAT parquet)"
    )
    run(connection, query, progress, "overlap", rows)


def _lines(part: tuple[Path, dict[str, str]], number: int, line: Sequence[str], shared: Sequence[str]) -> str:
    """Return the query of a file's lines of orders: what they are of, their place, and a hash of what both have."""
    events, columns = part
    shown = ", ".join(f"{_text(column, columns[column])}" for column in line)
    row = ", ".join(name(columns[column]) for column in shared)
    return (
        f"SELECT {number} AS {FILE}, file_row_number AS {POSITION}, {shown}, hash({row}) AS clv_row"
        f" FROM read_parquet({file_text(events)}, file_row_number = true)"
        f" WHERE {name(columns[EVENT_TYPE])} = '{PURCHASE}' AND {name(columns[ORDER_ID])} IS NOT NULL"
    )


def _text(column: str, own: str = "") -> str:
    return f"coalesce({name(own or column)}, '') AS {column}"


def _matched(key: str, rows: str, others: str) -> str:
    """Return the query of ``rows`` that ``others`` name, each line as often as it is named."""
    numbered = f"SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {FILE}, {POSITION}) AS clv_copy FROM {rows}"
    named = f"SELECT {key}, count(*) AS clv_named FROM ({others}) GROUP BY ALL"
    return f"SELECT * FROM ({numbered}) JOIN ({named}) USING ({key}) WHERE clv_copy <= clv_named"


def _last(connection: duckdb.DuckDBPyConnection, parts: Sequence[tuple[Path, dict[str, str]]]) -> str:
    """Return the time of the latest event."""
    latest = " UNION ALL ".join(f"SELECT max({EVENT_TIME}) AS last FROM {file_text(path)}" for path, _ in parts)
    return str(one(connection, f"SELECT max(last) FROM ({latest})")[0])
