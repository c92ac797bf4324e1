"""Orders that a later export tells otherwise: paid back since, or with another state or amount, or a line less.

Shop systems export orders as they stand today. Next month's file repeats the orders of the last days, some of them
shipped, refunded, corrected or cancelled meanwhile; counted beside the old rows they would be bought twice, or never
given back. So of rows of one customer, order and product the newer file's count, whatever else in them differs; a row
that has moved to another customer counts there alone; a line that its order does not have any more goes. A file that
does not say how orders stand (no state, nothing paid back) may as well hold other lines of the same orders: it is read
like that where it repeats most of them exactly, and at the same time (:mod:`clv_core.collection.readings.repeated`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import file_text, name, one, run, text
from clv_core.collection.mapping.plan.cells import REASON
from clv_core.collection.readings.overlap import POSITION
from clv_core.collection.readings.repeated import MOSTLY, dropped, repeats
from clv_core.collection.readings.withdrawn import (
    FILE,
    LINE,
    ORDER,
    OrderSums,
    blanked,
    figures_of,
    last_event,
    lines_of,
    matched,
    wholes,
)
from clv_core.collection.vocabulary.order_statuses import REFUNDED
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, ORDER_ID
from clv_core.jobs import Progress

NEAR: Final = "INTERVAL 26 HOUR"
"""As far as the times of two zones are apart."""
FEWEST_NEAR: Final = 10
CENT: Final = 0.01
CLOCKLESS: Final = 2
"""Times of day of a log of days, in winter and in summer."""
FRESH: Final = f"SELECT * FROM told WHERE {POSITION} NOT IN (FROM held)"
"""The file's rows that the log does not hold."""


@dataclass(frozen=True)
class Restated:
    """What a file says anew of orders that a log holds.

    Args:
        gone: by file of the log, how many of its rows do not count any more; their positions are in the table ``gone``.
        held: how many rows of an older file the log holds in a newer state; they are added to the table ``held``.
        taken: those of the rows that are gone which the file calls cancelled or refunded, and has nothing instead of.
    """

    gone: tuple[int, ...]
    held: int = 0
    taken: OrderSums = OrderSums()


def find_restated(
    connection: duckdb.DuckDBPyConnection,
    log: Sequence[tuple[Path, dict[str, str]]],
    fresh: tuple[Path, dict[str, str]],
    withdrawn: Path | None,
    progress: Progress,
) -> Restated:
    """Make the table ``gone`` of the log's rows that a file tells anew.

    The newer of two files is the one with the later event. An older one's lines are held instead where the log has
    them, but what it calls refunded is gone whichever is newer: nobody takes that back. What it calls cancelled, or not
    paid yet, may have been paid since. A line that stands in a log several times is replaced as often as the new file
    has it; an order that the file calls off without naming a product goes whole, where it has no other line of it.

    Args:
        connection: where it runs, with the table ``held`` of the new file's rows that the log holds exactly.
        log: its files, each with the whole's column names -> the file's.
        fresh: the new file, likewise.
        withdrawn: of :func:`~clv_core.collection.readings.withdrawn.write_withdrawn`, of the new file; None where it
            does not say how orders stand.
        progress: who listens.
    """
    progress.report("overlap", 0, 1)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE gone ({FILE} INTEGER, {POSITION} BIGINT)")
    known = [columns for _, columns in (*log, fresh)]
    line = [column for column in LINE if all(column in columns for columns in known)]
    if ORDER_ID not in line or not all(EVENT_TYPE in columns for columns in known):
        return Restated((0,) * len(log))
    shared = [column for column in fresh[1] if all(column in columns for columns in known)]
    old = " UNION ALL ".join(lines_of(part, number, line, _row(part, shared)) for number, part in enumerate(log))
    new = lines_of(fresh, -1, line, _row(fresh, shared))
    run(connection, f"CREATE OR REPLACE TEMP TABLE told AS {new}", progress, "overlap")
    if withdrawn is None and not repeats(connection, "told", f"({old})"):
        return Restated((0,) * len(log))
    key = ", ".join(line if withdrawn is not None else (*line, EVENT_TIME))
    older = last_event(connection, [fresh[0]], [withdrawn]) < last_event(connection, [events for events, _ in log])
    taken = _replaced(connection, line, key, f"({old})", withdrawn, older, progress)
    held = 0
    if older:
        held = _add(connection, "held", f"SELECT {POSITION} FROM ({matched(key, f'({FRESH})', 'FROM stood')})")
        lacking = dropped(line, "told", f"({old})", f"{POSITION} IN (FROM held)")
        held += _add(connection, "held", f"SELECT {POSITION} FROM ({lacking})")
    else:
        _add(connection, "gone", _moved(log, fresh, shared))
        lacking = dropped(line, f"({old})", "told", f"({FILE}, {POSITION}) IN (FROM gone)")
        _add(connection, "gone", f"SELECT {FILE}, {POSITION} FROM ({lacking})")
    counted = dict(connection.execute(f"SELECT {FILE}, count(*) FROM gone GROUP BY 1").fetchall())
    return Restated(tuple(int(counted.get(number, 0)) for number in range(len(log))), held, taken)


@dataclass(frozen=True)
class Changed:
    """Purchases that two files have otherwise: with other amounts, or at another time of about the same day.

    Args:
        rows: how many of the log's.
        orders: of how many orders; 0 where orders have no ids.
        before: what the log's come to.
        gone: by file of the log, how many of its rows are replaced; their positions are in the table ``gone``.
    """

    rows: int
    orders: int
    before: float
    gone: tuple[int, ...]


def find_changed(
    connection: duckdb.DuckDBPyConnection,
    log: Sequence[tuple[Path, dict[str, str]]],
    fresh: tuple[Path, dict[str, str]],
    *,
    overlap: str | None,
) -> Changed:
    """Look for purchases that a file and a log both have, written otherwise.

    A line of an order is one with another amount on the same day. Where most of the file's purchases in the span that
    both cover are near one of the log's, these are: the same line of an order up to :data:`NEAR` apart or, without ids
    of orders, a purchase of the same customer and product with the same amount so near, or in the same minute with
    another.

    Args:
        connection: where it runs, with the tables ``held`` and ``gone``.
        log: its files, each with the whole's column names -> the file's.
        fresh: the new file, likewise.
        overlap: ``replace`` where the new file's rows take the place of the log's, which then are added to ``gone``;
            None does so where they are lines of orders that differ in their times alone.
    """
    known = [columns for _, columns in (*log, fresh)]
    line = [column for column in LINE if all(column in columns for columns in known)]
    if not all({CUSTOMER_ID, EVENT_TYPE, AMOUNT} <= set(columns) for columns in known):
        return Changed(0, 0, 0.0, (0,) * len(log))
    old = " UNION ALL ".join(lines_of(part, number, line) for number, part in enumerate(log))
    new = f"SELECT * FROM ({lines_of(fresh, -1, line)}) WHERE {POSITION} NOT IN (FROM held)"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE news AS {new}")
    begin, end = (f"(SELECT {edge}({EVENT_TIME}) FROM news)" for edge in ("min", "max"))
    within = f"{EVENT_TIME} BETWEEN {begin} - {NEAR} AND {end} + {NEAR} AND ({FILE}, {POSITION}) NOT IN (FROM gone)"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE olds AS SELECT * FROM ({old}) WHERE {within}")
    named, key = ORDER_ID in line, ", ".join(line)
    span = f"{EVENT_TIME} BETWEEN (SELECT min({EVENT_TIME}) FROM olds) AND (SELECT max({EVENT_TIME}) FROM olds)"
    alike = _near(line if named else (*line, AMOUNT), NEAR)
    if not named and one(connection, f"SELECT count(DISTINCT {EVENT_TIME}::TIME) FROM olds")[0] > CLOCKLESS:
        alike += f" UNION ALL {_near(line, 'INTERVAL 59 SECOND')}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE pairs AS {alike}")
    paired = f"{POSITION} IN (SELECT position FROM pairs)"
    inside, near = one(connection, f"SELECT count(*), count(*) FILTER ({paired}) FROM news WHERE {span}")
    mostly = near >= FEWEST_NEAR and near > MOSTLY * inside
    paid = one(connection, f"SELECT count(*), coalesce(sum({AMOUNT}), 0) FROM news WHERE {paired}")
    stood = f"SELECT * FROM olds WHERE ({FILE}, {POSITION}) IN (SELECT ({FILE}, {POSITION}) FROM pairs)"
    if not mostly:
        day = f"{key}, {EVENT_TIME}::DATE"
        stood = f"SELECT * FROM olds WHERE ({day}) IN (SELECT {day} FROM news) AND {named}"
    rows, before = one(connection, f"SELECT count(*), coalesce(sum({AMOUNT}), 0) FROM ({stood})")
    orders = one(connection, f"SELECT count(DISTINCT ({ORDER})) FROM ({stood})")[0] if named else 0
    same = overlap is None and named and mostly and rows == paid[0] and abs(paid[1] - before) < CENT
    counted: dict[int, int] = {}
    if rows and (overlap == "replace" or same):
        _add(connection, "gone", f"SELECT {FILE}, {POSITION} FROM ({stood})")
        counted = dict(connection.execute(f"SELECT {FILE}, count(*) FROM gone GROUP BY 1").fetchall())
    gone = tuple(int(counted.get(number, 0)) for number in range(len(log)))
    return Changed(int(rows), int(orders), float(before), gone)


def _near(line: Sequence[str], apart: str) -> str:
    """Return the query of the rows of ``news`` with the nearest row of ``olds`` of the same line, where one is near.

    Each of the log's rows is one new row's at most.
    """
    same = " AND ".join(f"n.{column} = o.{column}" for column in line)
    return (
        f"SELECT n.{POSITION} AS position, o.{FILE}, o.{POSITION} FROM news n ASOF JOIN olds o"
        f" ON {same} AND n.{EVENT_TIME} + {apart} >= o.{EVENT_TIME}"
        f" WHERE o.{EVENT_TIME} >= n.{EVENT_TIME} - {apart}"
        f" QUALIFY row_number() OVER (PARTITION BY o.{FILE}, o.{POSITION} ORDER BY n.{EVENT_TIME}) = 1"
    )


def _replaced(
    connection: duckdb.DuckDBPyConnection,
    line: Sequence[str],
    key: str,
    old: str,
    withdrawn: Path | None,
    older: bool,
    progress: Progress,
) -> OrderSums:
    """Add the log's rows that the file replaces or calls off to ``gone``; return those that it has nothing instead of.

    What stands in the log of the orders that the file tells of, but for the rows that both have, is left in the table
    ``stood``.

    Args:
        connection: where it runs, with the file's rows in the table ``told``.
        line: columns that make two rows the same line.
        key: those and, where the file does not say how orders stand, the time, as SQL.
        old: table expression of the log's rows.
        withdrawn: as in :func:`find_restated`.
        older: whether the log's last event is after the file's.
        progress: who listens.
    """
    lines = f"SELECT {key} FROM ({FRESH})"
    orders, named, whole = f"SELECT {ORDER} FROM ({lines})", "" if older else lines, ""
    if withdrawn is not None:
        off = f"(FROM {file_text(withdrawn)} WHERE {REASON} = '{REFUNDED}' OR {not older})"
        withdrawals, whole = f"SELECT {blanked(line)} FROM {off} WHERE NOT whole", wholes(off)
        orders = f"{orders} UNION SELECT {ORDER} FROM ({withdrawals}) UNION {whole}"
        named = " UNION ALL ".join(filter(None, (named, withdrawals)))
    exact = f"SELECT clv_row FROM told WHERE {POSITION} IN (FROM held)"
    candidates = f"SELECT * FROM {old} WHERE ({ORDER}) IN ({orders}) AND clv_row NOT IN ({exact})"
    run(connection, f"CREATE OR REPLACE TEMP TABLE stood AS {candidates}", progress, "overlap")
    if named:
        _add(connection, "gone", f"SELECT {FILE}, {POSITION} FROM ({matched(key, 'stood', named, whole)})")
    out = f"SELECT * FROM stood SEMI JOIN gone USING ({FILE}, {POSITION}) WHERE ({key}) NOT IN (SELECT {key} FROM told)"
    return figures_of(connection, out)


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


def _add(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> int:
    """Insert a query's rows into a table, and return how many."""
    return int(one(connection, f"INSERT INTO {table} {query}")[0])


def _moved(
    log: Sequence[tuple[Path, dict[str, str]]], fresh: tuple[Path, dict[str, str]], shared: Sequence[str]
) -> str:
    """Return the query of the log's rows that the new file has under another customer, all else being the same.

    An account was merged, or a guest has registered: of an order that the file tells without its former customer.
    """
    rest = [column for column in shared if column != CUSTOMER_ID]
    told = f"{ORDER_ID} IN (SELECT {ORDER_ID} FROM told) AND ({ORDER}) NOT IN (SELECT {ORDER} FROM told)"
    old = " UNION ALL ".join(
        f"SELECT * FROM ({lines_of(part, number, LINE[:2], _row(part, rest))}) WHERE {told}"
        for number, part in enumerate(log)
    )
    new = f"SELECT * FROM ({lines_of(fresh, -1, LINE[:2], _row(fresh, rest))}) WHERE {POSITION} NOT IN (FROM held)"
    line = f"{ORDER_ID}, clv_row"
    return f"SELECT {FILE}, {POSITION} FROM ({matched(line, f'({old})', f'SELECT {line} FROM ({new})')})"


def _row(part: tuple[Path, dict[str, str]], shared: Sequence[str]) -> str:
    """Return SQL for a hash of what two files' rows both have."""
    return f"hash({', '.join(name(part[1][column]) for column in shared)})"
