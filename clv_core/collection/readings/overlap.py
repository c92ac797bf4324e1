"""Rows that a log already holds: next month's file may repeat the last days of this month's.

A new row counts as held as often as the log holds it (the maximum of two multisets, not their sum): where the log has a
row twice and the new file three times, two are held and one is new. So day-granular logs without ids, in which two
equal rows are two purchases, are joined as rightly as logs whose rows name their event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import file_text, name, one, run, text
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE
from clv_core.jobs import Progress

ROWS_AT_A_TIME: Final = 4_000_000
"""Rows whose values are compared at a time, which bounds the memory."""

FEW: Final = 10
HARDLY: Final = 0.02
POSITION: Final = "clv_position"
CORE: Final = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT)


@dataclass(frozen=True)
class Rows:
    """A table expression and what its columns are called there.

    Args:
        relation: SQL table expression.
        columns: the dataset's name -> name in the relation.
    """

    relation: str
    columns: dict[str, str]

    def select(self, columns: Sequence[str], *more: str) -> str:
        """Return the query of some columns under the dataset's names, then ``more``."""
        shown = [f"{name(self.columns[column])} AS {name(column)}" for column in columns]
        return f"SELECT {', '.join([*shown, *more])} FROM {self.relation}"


@dataclass(frozen=True)
class Overlap:
    """What a new file shares with the log.

    Args:
        rows: rows of the new file that the log holds; their positions are in the table ``held``.
        first: the earliest of them, UTC ISO; empty where there is none.
        last: the latest of them.
        alike: other rows of the new file whose customer, time, type and amount are in the log.
        window_rows: rows of the new file in the span that both cover.
        window_customers: customers of the new file in that span.
        known_customers: those of them that the log knows.
        log_customers: customers of the log in that span.
    """

    rows: int
    first: str = ""
    last: str = ""
    alike: int = 0
    window_rows: int = 0
    window_customers: int = 0
    known_customers: int = 0
    log_customers: int = 0

    @property
    def other_ids(self) -> bool:
        """Whether both cover the same time with customers that hardly overlap: ids of two kinds."""
        few = min(self.window_customers, self.log_customers) < FEW
        return not few and self.known_customers < HARDLY * self.window_customers

    @property
    def written_otherwise(self) -> bool:
        """Whether most new rows in the common span look like rows of the log that are written otherwise."""
        left = self.window_rows - self.rows
        return self.alike >= FEW and self.alike > left / 2


def find_overlap(
    connection: duckdb.DuckDBPyConnection,
    log: Rows,
    fresh: Path,
    fresh_columns: dict[str, str],
    progress: Progress,
    *,
    compare: bool = True,
    timezones: tuple[str, str] = ("UTC", "UTC"),
) -> Overlap:
    """Make the table ``held`` of the row numbers of ``fresh`` that the log holds already.

    Only columns that both have are compared, and of the log only rows in the new file's span. Where one of the two
    has days only, rows that differ in the time of day alone are held, too.

    Args:
        connection: where it runs.
        log: the rows that are there.
        fresh: Parquet file of the new ones.
        fresh_columns: the dataset's name -> name in ``fresh``.
        progress: who listens.
        compare: whether rows are looked up at all; if not, only customers are counted.
        timezones: in which days begin, IANA: of the log, and of the new file.
    """
    file = f"read_parquet({file_text(fresh)}, file_row_number = true)"
    new = Rows(f"(SELECT *, file_row_number AS {POSITION} FROM {file})", fresh_columns)
    shared = [column for column in log.columns if column in fresh_columns]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE held ({POSITION} BIGINT)")
    low, high = one(connection, f"SELECT min({EVENT_TIME}), max({EVENT_TIME}) FROM {file}")
    if low is None:
        return Overlap(0)
    window = f"{EVENT_TIME} BETWEEN TIMESTAMP '{low}' - INTERVAL 1 DAY AND TIMESTAMP '{high}' + INTERVAL 1 DAY"
    old = Rows(f"(SELECT * FROM ({log.select(shared)}) WHERE {window})", {column: column for column in shared})
    start, end = one(connection, f"SELECT min({EVENT_TIME}), max({EVENT_TIME}) FROM {old.relation}")
    if start is None:
        return Overlap(0)
    if compare:
        _mark_held(connection, old, new, shared, progress)
        if _has_clock(connection, old, timezones[0]) != _has_clock(connection, new, timezones[1]):
            _mark_same_day(connection, old, new, [column for column in shared if column != EVENT_TIME], timezones)
    return _describe(connection, old, new, f"{EVENT_TIME} BETWEEN TIMESTAMP '{start}' AND TIMESTAMP '{end}'", compare)


def _mark_held(
    connection: duckdb.DuckDBPyConnection, old: Rows, new: Rows, columns: Sequence[str], progress: Progress
) -> None:
    """Fill ``held``: rows are found by their hashes and verified by their values, so many at a time."""
    progress.report("overlap", 0, 1)
    everything = ", ".join(name(column) for column in columns)
    fresh = new.select(columns, POSITION)
    for table, query in {
        "fresh_hashes": f"SELECT hash({everything}) AS h FROM ({fresh})",
        "held_hashes": (
            f"SELECT DISTINCT hash({everything}) AS h FROM {old.relation} WHERE h IN (SELECT h FROM fresh_hashes)"
        ),
    }.items():
        run(connection, f"CREATE OR REPLACE TEMP TABLE {table} AS {query}", progress, "overlap")
    candidates = one(connection, "SELECT count(*) FROM fresh_hashes WHERE h IN (SELECT h FROM held_hashes)")[0]
    parts = (candidates + ROWS_AT_A_TIME - 1) // ROWS_AT_A_TIME
    same = " AND ".join(f"n.{name(column)} IS NOT DISTINCT FROM o.{name(column)}" for column in columns)
    for part in range(parts):
        chosen = f"hash({everything}) IN (SELECT h FROM held_hashes WHERE h % {parts} = {part})"
        counted = f"SELECT {everything}, count(*) AS clv_copies FROM {old.relation} WHERE {chosen} GROUP BY ALL"
        ranked = (
            f"SELECT *, row_number() OVER (PARTITION BY {everything} ORDER BY {POSITION}) AS clv_copy"
            f" FROM ({fresh}) WHERE {chosen}"
        )
        query = (
            f"INSERT INTO held SELECT n.{POSITION} FROM ({ranked}) n JOIN ({counted}) o ON {same}"
            " WHERE clv_copy <= clv_copies"
        )
        run(connection, query, progress, "overlap")


def _has_clock(connection: duckdb.DuckDBPyConnection, rows: Rows, timezone: str) -> bool:
    """Say whether any row has a time of day."""
    local = f"timezone({text(timezone)}, timezone('UTC', {EVENT_TIME}))"
    return bool(one(connection, f"SELECT bool_or({local} <> date_trunc('day', {local})) FROM {rows.relation}")[0])


def _mark_same_day(
    connection: duckdb.DuckDBPyConnection, old: Rows, new: Rows, line: Sequence[str], timezones: tuple[str, str]
) -> None:
    """Add the rows to ``held`` that the log has but for the time of day, as often as it has them."""
    days = [f"timezone({text(zone)}, timezone('UTC', {EVENT_TIME}))::DATE AS day" for zone in timezones]
    olds = f"SELECT *, {days[0]} FROM ({old.select([*line, EVENT_TIME])})"
    news = f"SELECT *, {days[1]} FROM ({new.select([*line, EVENT_TIME], POSITION)})"
    key = ", ".join((*(f"coalesce({name(column)}::VARCHAR, '') AS {name(column)}" for column in line), "day"))
    names = ", ".join((*map(name, line), "day"))
    connection.execute(
        f"INSERT INTO held SELECT {POSITION} FROM (SELECT {key}, {POSITION}, row_number() OVER (PARTITION BY {names}"
        f" ORDER BY {POSITION}) AS copy FROM ({news}) WHERE {POSITION} NOT IN (FROM held))"
        f" JOIN (SELECT {key}, count(*) AS copies FROM ({olds}) GROUP BY ALL) USING ({names})"
        f" LEFT JOIN (SELECT {key}, count(*) AS taken FROM ({news}) WHERE {POSITION} IN (FROM held) GROUP BY ALL)"
        f" USING ({names}) WHERE copy <= copies - coalesce(taken, 0)"
    )


def write_new(connection: duckdb.DuckDBPyConnection, fresh: Path, target: Path, progress: Progress, rows: int) -> None:
    """Write ``fresh`` without the rows of the table ``held`` to ``target``."""
    query = (
        f"COPY (SELECT * EXCLUDE file_row_number FROM read_parquet({file_text(fresh)}, file_row_number = true)"
        f" WHERE file_row_number NOT IN (SELECT {POSITION} FROM held)) TO {text(str(target))} (FORMAT parquet)"
    )
    run(connection, query, progress, "overlap", rows)


def _describe(connection: duckdb.DuckDBPyConnection, old: Rows, new: Rows, span: str, compare: bool) -> Overlap:
    """Return the figures of an overlap, once ``held`` is made; ``span`` is the time that both cover."""
    held = f"(SELECT {POSITION} FROM held)"
    rows, first, last = one(
        connection,
        f"SELECT count(*), min({EVENT_TIME}), max({EVENT_TIME}) FROM {new.relation} WHERE {POSITION} IN {held}",
    )
    window_rows, window_customers, known = one(
        connection,
        f"SELECT count(*), count(DISTINCT {CUSTOMER_ID}), count(DISTINCT CASE WHEN {CUSTOMER_ID} IN"
        f" (SELECT {CUSTOMER_ID} FROM {old.relation}) THEN {CUSTOMER_ID} END) FROM {new.relation} WHERE {span}",
    )
    log_customers = one(connection, f"SELECT count(DISTINCT {CUSTOMER_ID}) FROM {old.relation}")[0]
    core = ", ".join(CORE)
    query = (
        f"SELECT count(*) FROM {new.relation} WHERE {span} AND {POSITION} NOT IN {held}"
        f" AND hash({core}) IN (SELECT hash({core}) FROM {old.relation})"
    )
    alike = one(connection, query)[0] if compare else 0
    return Overlap(
        rows=int(rows),
        first="" if first is None else first.isoformat(timespec="seconds") + "Z",
        last="" if last is None else last.isoformat(timespec="seconds") + "Z",
        alike=int(alike),
        window_rows=int(window_rows),
        window_customers=int(window_customers),
        known_customers=int(known),
        log_customers=int(log_customers),
    )
