"""Rows that repeat another row exactly: found by hash, verified by their values, dropped or counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clv_core.collection.answers import Answers
from clv_core.collection.engine import file_text, local_time, name, numbered_rows, one, run, text
from clv_core.collection.parse.numbers import NumberReading
from clv_core.columns import AMOUNT, BY_NAME, EVENT_TIME, EVENT_TYPE, ORDER_ID, PURCHASE, RETURN
from clv_core.errors import Message
from clv_core.jobs import Progress
from clv_core.records import JsonObject

HASHES_AT_A_TIME: Final = 40_000_000
MIN_ASKED: Final = 3
"""Repeated rows, before they are worth a question."""
MIN_PASTED: Final = 50
"""Rows that repeat others in the same order, before that is no accident."""
MIN_PASTED_SHARE: Final = 0.95
"""Share of the repeated rows that stand as far from the row that they repeat as all others."""
MIN_ORDERS: Final = 5
"""Orders with repeated rows whose total is that of all their rows, before that is no accident."""
MIN_ORDER_SHARE: Final = 0.9
CENT: Final = 0.011


@dataclass(frozen=True)
class Deduplicated:
    """Rows once it is settled whether those that repeat others are events of their own.

    Args:
        events: Parquet file of them.
        content: a figure of all rows in any order.
        dropped: how many repetitions were left out.
        warnings: what is to be said.
    """

    events: Path
    content: int
    dropped: int
    warnings: tuple[Message, ...]


def drop_duplicates(
    connection: duckdb.DuckDBPyConnection,
    events: Path,
    columns: Sequence[str],
    total: int,
    answers: Answers,
    progress: Progress,
    *,
    shared: str = "",
) -> Deduplicated:
    """Return rows without exact repetitions, where the person or an id of each event says that these are none.

    Args:
        connection: where it runs.
        events: a Parquet file; where repetitions are dropped, another is written beside it.
        columns: all its columns.
        total: its rows.
        answers: what the person said: of repetitions, and of the time zone.
        progress: who listens.
        shared: SQL that tells the events whose amounts are shares of what their order came to: what a repetition has
            of it goes to the row that stays.
    """
    progress.report("duplicates", 0, 1)
    wanted = answers.duplicates
    rows, content = mark_duplicates(connection, events, columns, total, progress)
    if not rows:
        return Deduplicated(events, content, 0, ())
    pasted = not wanted and _is_pasted(connection, events, columns)
    drop = wanted == "drop" if wanted else pasted or has_event_ids(connection, events, columns, answers.timezone)
    if drop and not (wanted or pasted or shared):
        column = _column_of_totals(connection, events, columns)
        if column:
            warning = Message("warning.duplicates_of_totals", {"rows": rows, "column": column})
            return Deduplicated(events, content, 0, (warning,))
    params: JsonObject = {"rows": rows}
    if rows >= MIN_ASKED and not pasted and not shared and (ORDER_ID in columns or not drop):
        params["revenues"] = _revenues(connection, events, drop=drop)
    warnings = (Message("warning.duplicates_dropped" if drop else "warning.duplicates_kept", params),)
    if not drop:
        return Deduplicated(events, content, 0, warnings)
    target = events.with_name("unique.parquet")
    _write_unique(connection, events, target, total, progress, shared)
    content = mark_duplicates(connection, target, columns, total - rows, progress)[1]
    return Deduplicated(target, content, rows, warnings)


def mark_duplicates(
    connection: duckdb.DuckDBPyConnection, events: Path, columns: Sequence[str], total: int, progress: Progress
) -> tuple[int, int]:
    """Make the view ``repeats`` of the row numbers that repeat an earlier row; count these, and sum up all rows.

    Hashes are sorted, at most 40 million at a time; only rows whose hash occurs twice are compared by value. Those are
    in the table ``copied`` with ``copy``, their number among equal rows, and ``copies``, how many these are.

    Args:
        connection: where it runs.
        events: a Parquet file.
        columns: all its columns.
        total: its rows.
        progress: who listens.

    Returns:
        How many rows repeat an earlier one, and a figure of all rows in any order.
    """
    everything, file = ", ".join(map(name, columns)), file_text(events)
    parts, content = 1 + total // HASHES_AT_A_TIME, 0
    suspects: list[NDArray[np.uint64]] = []
    for part in range(parts):
        progress.report("duplicates", part, parts + 1)
        chosen = f" WHERE hash({everything}) % {parts} = {part}" if parts > 1 else ""
        hashes = connection.execute(f"SELECT hash({everything}) AS h FROM {file}{chosen}").fetchnumpy()["h"]
        hashes = np.sort(np.asarray(hashes, np.uint64))
        content += int(hashes.sum(dtype=np.uint64))
        suspects.append(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))
        del hashes
    connection.execute("CREATE OR REPLACE TEMP TABLE copied (position BIGINT, copy BIGINT, copies BIGINT)")
    connection.execute("CREATE OR REPLACE TEMP VIEW repeats AS SELECT position FROM copied WHERE copy > 1")
    found = np.concatenate(suspects)
    if len(found):
        connection.register("suspects", pa.table({"h": found}))
        query = (
            "INSERT INTO copied SELECT file_row_number AS position, row_number() OVER"
            f" (PARTITION BY {everything} ORDER BY file_row_number) AS copy,"
            f" count(*) OVER (PARTITION BY {everything}) AS copies FROM {numbered_rows(events)}"
            f" WHERE hash({everything}) IN (SELECT h FROM suspects) QUALIFY copies > 1"
        )
        run(connection, query, progress, "duplicates")
        connection.unregister("suspects")
    return int(one(connection, "SELECT count(*) FROM repeats")[0]), content % 2**64


def has_event_ids(connection: duckdb.DuckDBPyConnection, events: Path, columns: Sequence[str], timezone: str) -> bool:
    """Say whether most rows name their event: by an order or event id, or by a time of day."""
    ids = [column for column in columns if column == ORDER_ID or column.lower().replace("_", "") in ("eventid", "id")]
    local = local_time(EVENT_TIME, timezone)
    marks = [f"trim({name(column)}::VARCHAR) <> ''" for column in ids] + [f"{local} <> date_trunc('day', {local})"]
    shares = ", ".join(f"avg(coalesce({mark}, false)::INT)" for mark in marks)
    return any(share > 0.5 for share in one(connection, f"SELECT {shares} FROM {file_text(events)}") if share)


def _is_pasted(connection: duckdb.DuckDBPyConnection, events: Path, columns: Sequence[str]) -> bool:
    """Say whether repeated rows are a part of the file that stands in it twice: in the same order, as far apart."""
    apart = (
        "SELECT file_row_number - lag(file_row_number) OVER (PARTITION BY"
        f" {', '.join(map(name, columns))} ORDER BY file_row_number) AS gap"
        f" FROM {numbered_rows(events)} WHERE file_row_number IN (SELECT position FROM copied)"
    )
    most, rows, gap, span = one(
        connection,
        "SELECT max(rows), coalesce(sum(rows), 0), arg_max(gap, rows), (SELECT max(position) - min(position) + 1 FROM"
        f" repeats) FROM (SELECT gap, count(*) AS rows FROM ({apart}) WHERE gap IS NOT NULL GROUP BY gap)",
    )
    at_one_place = rows >= MIN_PASTED and span <= gap and MIN_PASTED_SHARE * span <= rows
    return bool(at_one_place and most >= MIN_PASTED_SHARE * rows)


def _column_of_totals(connection: duckdb.DuckDBPyConnection, events: Path, columns: Sequence[str]) -> str:
    """Return the column that says what orders came to, their repeated rows counted; "" where none does.

    Two cups of the same tea may be two equal rows of one receipt. Where the receipt's total is told beside them, and is
    the sum of all its rows, they are no repetitions; in a file that was written twice it is the sum of half of them.
    """
    others = [column for column in columns if column not in BY_NAME]
    if ORDER_ID not in columns or not others:
        return ""
    rows = numbered_rows(events)
    totals = "".join(
        f", min({value}) AS low_{at}, max({value}) AS high_{at}"
        for at, value in enumerate(NumberReading().value(f"{name(column)}::VARCHAR") for column in others)
    )
    orders = (
        f"SELECT sum({AMOUNT}) AS worth{totals} FROM {rows} WHERE {ORDER_ID} IN (SELECT {ORDER_ID} FROM {rows} WHERE"
        f" file_row_number IN (FROM repeats)) GROUP BY {ORDER_ID}"
    )
    counts = ", ".join(
        f"count(*) FILTER (low_{at} = high_{at} AND abs(high_{at} - worth) < {CENT})" for at, _ in enumerate(others)
    )
    every, *agree = one(connection, f"SELECT count(*), {counts} FROM ({orders})")
    best = max(range(len(others)), key=lambda at: agree[at])
    return others[best] if agree[best] >= max(MIN_ORDERS, MIN_ORDER_SHARE * every) else ""


def _revenues(connection: duckdb.DuckDBPyConnection, events: Path, *, drop: bool) -> list[float]:
    """Return net revenue as it is read and the other way: without or with the repetitions."""
    total, repeated = one(
        connection,
        f"SELECT coalesce(sum({AMOUNT}), 0), coalesce(sum({AMOUNT}) FILTER (file_row_number IN (FROM repeats)), 0)"
        f" FROM {numbered_rows(events)} WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}')",
    )
    sums = [round(total, 2), round(total - repeated, 2)]
    return sums[::-1] if drop else sums


def _write_unique(
    connection: duckdb.DuckDBPyConnection, events: Path, target: Path, rows: int, progress: Progress, shared: str
) -> None:
    """Write ``events`` without its repetitions to ``target``, in the same order; no share of an order is lost."""
    file, left_out, amount = numbered_rows(events), "file_row_number", ""
    if shared:
        file += " LEFT JOIN (SELECT position, copies FROM copied WHERE copy = 1) ON position = file_row_number"
        left_out = "file_row_number, position, copies"
        amount = f" REPLACE ({AMOUNT} * CASE WHEN {shared} THEN coalesce(copies, 1) ELSE 1 END AS {AMOUNT})"
    query = (
        f"COPY (SELECT * EXCLUDE ({left_out}){amount} FROM {file} WHERE file_row_number NOT IN (FROM repeats)"
        f"{' ORDER BY file_row_number' if shared else ''}) TO {text(str(target))} (FORMAT parquet)"
    )
    run(connection, query, progress, "duplicates", rows)
