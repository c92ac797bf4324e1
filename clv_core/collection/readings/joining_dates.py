"""How the dates of a file go with the log that it is to join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import file_text, one
from clv_core.collection.readings.reading import Reading
from clv_core.columns import CUSTOMER_ID, EVENT_TIME

UNREAD: Final = ("bad_time", "time_out_of_range")
MIN_MONTHS: Final = 3
MIN_DAYS: Final = 3
FIRST_DAYS: Final = 12


@dataclass(frozen=True)
class JoinedDates:
    """A file's dates beside its log's.

    Args:
        rows: of the file.
        strange: those that contradict the log.
        first_days: whether the file has several months, and only the first days of each.
    """

    rows: int
    strange: int
    first_days: bool


def join_dates(reading: Reading, log: Sequence[Path]) -> JoinedDates:
    """Return how the dates of a file go with its log's.

    Rows contradict where their date cannot be an event's, or where their customer has no row of that day in the log,
    though the log covers it.

    Args:
        reading: of the file.
        log: Parquet files of the log's events.
    """
    days = f"SELECT {CUSTOMER_ID} AS id, {EVENT_TIME}::DATE AS day FROM"
    known = " UNION ".join(f"{days} {file_text(path)}" for path in log)
    with duckdb.connect() as connection:
        new, months, monthdays, last = one(
            connection,
            f"WITH known AS MATERIALIZED ({known}), own AS ({days} {file_text(reading.events)})"
            " SELECT count(*) FILTER (day > (SELECT min(day) FROM known) AND day < (SELECT max(day) FROM known)"
            " AND (id, day) NOT IN (SELECT (id, day) FROM known)), count(DISTINCT date_trunc('month', day)),"
            " count(DISTINCT day(day)), max(day(day)) FROM own",
        )
    unread = sum(problem.rows for problem in reading.problems if problem.reason in UNREAD)
    early = months >= MIN_MONTHS and monthdays >= MIN_DAYS and last <= FIRST_DAYS
    return JoinedDates(reading.rows_read, int(new) + unread, early)
