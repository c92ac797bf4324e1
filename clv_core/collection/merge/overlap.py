"""Rows that a log already holds: next month's file may repeat the last days of this month's.

A new row counts as present as often as the log holds it (the maximum of two multisets, not their sum): where the log
has a row twice and the new file three times, two are present and one is new. So day-granular logs without ids, in which
two equal rows are two purchases, are merged as rightly as logs whose rows name their event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from clv_core.collection.engine import local_time, name, numbered_rows, one, run, text
from clv_core.columns import AMOUNT, BY_NAME, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, Kind
from clv_core.jobs import Progress

ROWS_AT_A_TIME: Final = 4_000_000
"""Rows whose values are compared at a time, which bounds the memory."""
MIN_ROWS: Final = 10
"""Customers, or rows, without which shares of them mean nothing (a guess)."""
MIN_SHARED_CUSTOMERS: Final = 0.02
"""Share of a file's customers in the common span that the log has; below it, ids are of two kinds (a guess)."""
FILE, POSITION = "clv_file", "clv_position"
CORE: Final = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT)
TYPES: Final = {Kind.TEXT: "VARCHAR", Kind.TIME: "TIMESTAMP", Kind.NUMBER: "DOUBLE"}


def select_rows(events: Path, columns: Mapping[str, str], names: Sequence[str], number: int | None = None) -> str:
    """Return the query of a Parquet file's rows under the merged log's names, NULL where it has no such column.

    Args:
        events: the file.
        columns: the merged log's names -> the file's.
        names: columns of the merged log.
        number: of the file, which becomes ``clv_file``; ``clv_position`` then is the row's place in it.
    """
    shown = [f"{number} AS {FILE}, file_row_number AS {POSITION}"] if number is not None else []
    for column in names:
        kind = TYPES[BY_NAME[column].kind] if column in BY_NAME else "VARCHAR"
        shown.append(f"{name(columns[column]) if column in columns else f'NULL::{kind}'} AS {name(column)}")
    return f"SELECT {', '.join(shown)} FROM {numbered_rows(events)}"


@dataclass(frozen=True)
class MergeStep:
    """A new file and the log that it joins, as temporary tables.

    Args:
        connection: where they are.
        progress: who listens.
        shared: columns of the new file that some file of the log has.
        common: columns of the new file that every file of the log has.
        columns: columns of the new file.
        files: how many files the log has.
        old_rows: view of the log's rows, with ``clv_file`` and ``clv_position``.
        new_rows: view of the new file's.
        present: table of the positions of new rows that do not count.
        superseded: table of file and position of old rows that do not count any more.
    """

    connection: duckdb.DuckDBPyConnection
    progress: Progress
    shared: tuple[str, ...]
    common: tuple[str, ...]
    columns: tuple[str, ...]
    files: int
    old_rows: str = "old_rows"
    new_rows: str = "new_rows"
    present: str = "already_present"
    superseded: str = "superseded"

    @classmethod
    def begin(
        cls,
        connection: duckdb.DuckDBPyConnection,
        log: Sequence[tuple[Path, Mapping[str, str]]],
        new: tuple[Path, Mapping[str, str]],
        progress: Progress,
    ) -> MergeStep:
        """Make the tables of a new file and the files of a log, each with the merged log's names -> its own."""
        every = list(dict.fromkeys(column for _, columns in log for column in columns))
        common = tuple(column for column in new[1] if all(column in columns for _, columns in log))
        shared = tuple(column for column in every if column in new[1])
        step = cls(connection, progress, shared, common, tuple(new[1]), len(log))
        old = " UNION ALL ".join(select_rows(path, columns, every, at) for at, (path, columns) in enumerate(log))
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {step.old_rows} AS {old}")
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {step.new_rows} AS {select_rows(*new, list(new[1]), -1)}")
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {step.present} ({POSITION} BIGINT)")
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {step.superseded} ({FILE} INTEGER, {POSITION} BIGINT)")
        return step

    def run(self, query: str) -> None:
        """Execute a long query."""
        run(self.connection, query, self.progress, "overlap")

    def one(self, query: str) -> tuple[Any, ...]:
        """Return the first row of a query."""
        return one(self.connection, query)

    def add_present(self, query: str) -> int:
        """Add the new rows of a query to those that do not count, and return how many."""
        insert = f"INSERT INTO {self.present} SELECT {POSITION} FROM ({query})"
        return run(self.connection, insert, self.progress, "overlap")

    def add_superseded(self, query: str) -> None:
        """Add the old rows of a query to those that do not count any more."""
        self.run(f"INSERT INTO {self.superseded} SELECT {FILE}, {POSITION} FROM ({query})")

    def superseded_rows(self) -> tuple[int, ...]:
        """Return how many rows of each file of the log do not count any more."""
        query = f"SELECT {FILE}, count(*) FROM {self.superseded} GROUP BY 1"
        counts = dict(self.connection.execute(query).fetchall())
        return tuple(int(counts.get(at, 0)) for at in range(self.files))


@dataclass(frozen=True)
class Overlap:
    """What a new file shares with the log.

    Args:
        rows: rows of the new file that the log holds.
        first: the earliest of them, UTC ISO; empty where there is none.
        last: the latest of them.
        similar: other rows of the new file whose customer, time, type and amount are in the log.
        window_rows: rows of the new file in the span that both cover.
        window_customers: customers of the new file in that span.
        known_customers: those of them that the log knows.
        log_customers: customers of the log in that span.
    """

    rows: int = 0
    first: str = ""
    last: str = ""
    similar: int = 0
    window_rows: int = 0
    window_customers: int = 0
    known_customers: int = 0
    log_customers: int = 0

    @property
    def other_ids(self) -> bool:
        """Whether both cover the same time with customers that hardly overlap: ids of two kinds."""
        few = min(self.window_customers, self.log_customers) < MIN_ROWS
        return not few and self.known_customers < MIN_SHARED_CUSTOMERS * self.window_customers

    @property
    def written_otherwise(self) -> bool:
        """Whether most new rows in the common span look like rows of the log that are written otherwise."""
        return self.similar >= MIN_ROWS and self.similar > (self.window_rows - self.rows) / 2


def find_overlap(step: MergeStep, *, compare: bool, timezones: tuple[str, str]) -> Overlap:
    """Add the rows of a new file that the log holds to ``step.present``, and return what the two share.

    Only columns that both have are compared, and of the log only rows in the new file's span. Where one of the two
    has days only, rows that differ in the time of day alone are present, too.

    Args:
        step: the file and the log.
        compare: whether rows are looked up at all; if not, only customers are counted.
        timezones: in which days begin, IANA: of the log, and of the new file.
    """
    low, high = step.one(f"SELECT min({EVENT_TIME}), max({EVENT_TIME}) FROM {step.new_rows}")
    if low is None:
        return Overlap()
    window = f"{EVENT_TIME} BETWEEN TIMESTAMP '{low}' - INTERVAL 1 DAY AND TIMESTAMP '{high}' + INTERVAL 1 DAY"
    old = f"(SELECT * FROM {step.old_rows} WHERE {window})"
    start, end = step.one(f"SELECT min({EVENT_TIME}), max({EVENT_TIME}) FROM {old}")
    if start is None:
        return Overlap()
    if compare:
        _mark_equal_rows(step, old)
        sides = list(zip((old, step.new_rows), timezones, strict=True))
        clocks = {
            bool(step.one(f"SELECT bool_or({local_time(EVENT_TIME, zone)}::TIME <> '00:00:00') FROM {rows}")[0])
            for rows, zone in sides
        }
        if len(clocks) > 1:
            _mark_same_day(step, old, timezones)
    return _count(step, old, f"{EVENT_TIME} BETWEEN TIMESTAMP '{start}' AND TIMESTAMP '{end}'", compare)


def _mark_equal_rows(step: MergeStep, old: str) -> None:
    """Mark new rows that the log has: detected by their hashes and verified by their values, so many at a time.

    ``counted`` are the log's rows with their number of copies, ``ranked`` the new rows with the number of each copy: a
    new copy is present where the log has as many.
    """
    step.progress.report("overlap", 0, 1)
    everything = ", ".join(name(column) for column in step.shared)
    step.run(f"CREATE OR REPLACE TEMP TABLE new_hashes AS SELECT hash({everything}) AS h FROM {step.new_rows}")
    shared = f"SELECT DISTINCT hash({everything}) AS h FROM {old} WHERE h IN (SELECT h FROM new_hashes)"
    step.run(f"CREATE OR REPLACE TEMP TABLE shared_hashes AS {shared}")
    (candidates,) = step.one("SELECT count(*) FROM new_hashes WHERE h IN (SELECT h FROM shared_hashes)")
    parts = (candidates + ROWS_AT_A_TIME - 1) // ROWS_AT_A_TIME
    same = " AND ".join(f"n.{name(column)} IS NOT DISTINCT FROM o.{name(column)}" for column in step.shared)
    for part in range(parts):
        in_part = f"hash({everything}) IN (SELECT h FROM shared_hashes WHERE h % {parts} = {part})"
        counted = f"SELECT {everything}, count(*) AS clv_copies FROM {old} WHERE {in_part} GROUP BY ALL"
        ranked = (
            f"SELECT *, row_number() OVER (PARTITION BY {everything} ORDER BY {POSITION}) AS clv_copy"
            f" FROM {step.new_rows} WHERE {in_part}"
        )
        joined = f"({ranked}) n JOIN ({counted}) o ON {same}"
        step.add_present(f"SELECT n.{POSITION} FROM {joined} WHERE clv_copy <= clv_copies")


def _mark_same_day(step: MergeStep, old: str, timezones: tuple[str, str]) -> None:
    """Mark new rows that the log has but for the time of day, as often as it has them.

    The first subquery numbers the copies of each unmarked new row of a day; the second counts the log's copies of it;
    the third counts the new copies that are marked already, which take some of the log's.
    """
    line = [column for column in step.shared if column != EVENT_TIME]
    key = ", ".join((*(f"coalesce({name(column)}::VARCHAR, '') AS {name(column)}" for column in line), "day"))
    names = ", ".join((*map(name, line), "day"))
    olds, news = (
        f"SELECT *, {local_time(EVENT_TIME, zone)}::DATE AS day FROM {rows}"
        for rows, zone in zip((old, step.new_rows), timezones, strict=True)
    )
    step.add_present(
        f"SELECT {POSITION} FROM (SELECT {key}, {POSITION}, row_number() OVER (PARTITION BY {names}"
        f" ORDER BY {POSITION}) AS copy FROM ({news}) WHERE {POSITION} NOT IN (FROM {step.present}))"
        f" JOIN (SELECT {key}, count(*) AS copies FROM ({olds}) GROUP BY ALL) USING ({names}) LEFT JOIN (SELECT {key},"
        f" count(*) AS taken FROM ({news}) WHERE {POSITION} IN (FROM {step.present}) GROUP BY ALL) USING ({names})"
        " WHERE copy <= copies - coalesce(taken, 0)"
    )


def _count(step: MergeStep, old: str, span: str, compare: bool) -> Overlap:
    """Return the figures of an overlap, once rows are marked; ``span`` is the time that both cover."""
    marked, core = f"{POSITION} IN (FROM {step.present})", ", ".join(CORE)
    rows, first, last, *counts = step.one(
        f"SELECT count(*) FILTER ({marked}), min({EVENT_TIME}) FILTER ({marked}), max({EVENT_TIME}) FILTER ({marked}),"
        f" count(*) FILTER ({span}), count(DISTINCT {CUSTOMER_ID}) FILTER ({span}), count(DISTINCT {CUSTOMER_ID})"
        f" FILTER ({span} AND {CUSTOMER_ID} IN (SELECT {CUSTOMER_ID} FROM {old})),"
        f" (SELECT count(DISTINCT {CUSTOMER_ID}) FROM {old}) FROM {step.new_rows}"
    )
    similar = (
        f"SELECT count(*) FROM {step.new_rows} WHERE {span} AND NOT {marked}"
        f" AND hash({core}) IN (SELECT hash({core}) FROM {old})"
    )
    first, last = ("" if when is None else f"{when:%Y-%m-%dT%H:%M:%S}Z" for when in (first, last))
    return Overlap(rows, first, last, step.one(similar)[0] if compare else 0, *counts)


def write_remaining(step: MergeStep, events: Path, number: int, target: Path, rows: int) -> None:
    """Write a file of ``rows`` rows without those that do not count: of the log by its number, or the new one, -1."""
    out = f"FROM {step.superseded} WHERE {FILE} = {number}" if number >= 0 else f"FROM {step.present}"
    query = (
        f"COPY (SELECT * EXCLUDE file_row_number FROM {numbered_rows(events)}"
        f" WHERE file_row_number NOT IN (SELECT {POSITION} {out})) TO {text(str(target))} (FORMAT parquet)"
    )
    run(step.connection, query, step.progress, "overlap", rows)
