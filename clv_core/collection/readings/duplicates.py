"""Rows that repeat another row exactly: found by hash, verified by their values, dropped or counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clv_core.collection.engine import file_text, name, one, run, text
from clv_core.collection.readings.told_again import totals_of_all
from clv_core.columns import AMOUNT, EVENT_TIME, EVENT_TYPE, ORDER_ID, PRODUCT_ID, PURCHASE, RETURN
from clv_core.errors import Message
from clv_core.jobs import Progress

HASHES_AT_A_TIME: Final = 40_000_000
FEWEST_ASKED: Final = 3
"""Repeated rows, before they are worth a question."""
FEWEST_PASTED: Final = 50
"""Rows that repeat others in the same order, before that is no accident."""
MOSTLY_PASTED: Final = 0.95
"""Share of the repeated rows that stand as far from the row that they repeat as all others."""


@dataclass(frozen=True)
class Repeats:
    """What the hashes of all rows have shown.

    Args:
        rows: rows that repeat an earlier one; their positions are in the table ``repeats``.
        content: a figure of all rows in any order.
    """

    rows: int
    content: int


@dataclass(frozen=True)
class Unique:
    """Rows once it is settled whether those that repeat others are events of their own.

    Args:
        events: Parquet file of them.
        content: a figure of all rows in any order.
        dropped: how many repetitions were left out.
        notes: what is to be said.
    """

    events: Path
    content: int
    dropped: int
    notes: tuple[Message, ...]


def without_repeats(
    connection: duckdb.DuckDBPyConnection,
    events: Path,
    columns: Sequence[str],
    total: int,
    wanted: str | None,
    timezone: str,
    target: Path,
    progress: Progress,
    *,
    shared: str = "",
) -> Unique:
    """Return rows without exact repetitions, where the person or an id of each event says that these are none.

    Args:
        connection: where it runs.
        events: a Parquet file.
        columns: all its columns.
        total: its rows.
        wanted: what the person said: ``keep``, ``drop`` or None for the rule.
        timezone: IANA name of the log's time zone.
        target: the file that is written where repetitions are dropped.
        progress: who listens.
        shared: SQL that tells the events whose amounts are shares of what their order came to: what a repetition has
            of it goes to the row that stays.
    """
    progress.report("duplicates", 0, 1)
    found = mark_repeats(connection, events, columns, total, progress)
    if not found.rows:
        return Unique(events, found.content, 0, ())
    pasted = not wanted and is_pasted(connection, events, columns)
    drop = wanted == "drop" if wanted else pasted or have_identity(connection, events, columns, timezone)
    told = totals_of_all(connection, file_text(events), columns) if drop and not (wanted or pasted or shared) else ""
    if told:
        of_totals = Message("warning.duplicates_of_totals", {"rows": found.rows, "column": told})
        return Unique(events, found.content, 0, (of_totals,))
    lines = {ORDER_ID, PRODUCT_ID} <= set(columns)
    params: dict[str, Any] = {"rows": found.rows}
    if found.rows >= FEWEST_ASKED and not pasted and not shared and (lines or not drop):
        params["revenues"] = _revenues(connection, events, drop=drop)
    said = (Message("warning.duplicates_dropped" if drop else "warning.duplicates_kept", params),)
    if not drop:
        return Unique(events, found.content, 0, said)
    _drop(connection, events, target, total, progress, shared)
    content = mark_repeats(connection, target, columns, total - found.rows, progress).content
    return Unique(target, content, found.rows, said)


def is_pasted(connection: duckdb.DuckDBPyConnection, events: Path, columns: Sequence[str]) -> bool:
    """Say whether repeated rows are a part of the file that stands in it twice: in the same order, as far apart.

    Args:
        connection: with the tables that :func:`mark_repeats` makes.
        events: a Parquet file.
        columns: all its columns.
    """
    everything = ", ".join(name(column) for column in columns)
    apart = (
        f"SELECT file_row_number - lag(file_row_number) OVER (PARTITION BY {everything} ORDER BY file_row_number)"
        f" AS gap FROM read_parquet({file_text(events)}, file_row_number = true)"
        " WHERE file_row_number IN (SELECT position FROM copied)"
    )
    most, all_rows, gap = one(
        connection,
        f"SELECT max(rows), sum(rows), arg_max(gap, rows) FROM (SELECT gap, count(*) AS rows FROM ({apart})"
        " WHERE gap IS NOT NULL GROUP BY gap)",
    )
    if not all_rows:
        return False
    (span,) = one(connection, "SELECT max(position) - min(position) + 1 FROM repeats")
    at_one_place = all_rows >= FEWEST_PASTED and span <= gap and MOSTLY_PASTED * span <= all_rows
    return bool(at_one_place and most >= MOSTLY_PASTED * all_rows)


def _revenues(connection: duckdb.DuckDBPyConnection, events: Path, *, drop: bool) -> list[float]:
    """Return net revenue as it is read and the other way: without or with the rows of the table ``repeats``."""
    money = f"{EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}')"
    total, repeated = one(
        connection,
        f"SELECT coalesce(sum({AMOUNT}) FILTER ({money}), 0), coalesce(sum({AMOUNT}) FILTER ({money} AND"
        " file_row_number IN (FROM repeats)), 0)"
        f" FROM read_parquet({file_text(events)}, file_row_number = true)",
    )
    sums = [round(total, 2), round(total - repeated, 2)]
    return sums[::-1] if drop else sums


def mark_repeats(
    connection: duckdb.DuckDBPyConnection, events: Path, columns: Sequence[str], total: int, progress: Progress
) -> Repeats:
    """Make the tables ``repeats`` of the row numbers that repeat an earlier row, and ``copied`` of these with counts.

    Hashes are sorted, at most 40 million at a time; only rows whose hash occurs twice are compared by value.

    Args:
        connection: where it runs.
        events: a Parquet file.
        columns: all its columns.
        total: its rows.
        progress: who listens.
    """
    everything = ", ".join(name(column) for column in columns)
    file = file_text(events)
    parts = 1 + total // HASHES_AT_A_TIME
    suspects: list[NDArray[np.uint64]] = []
    content = 0
    for part in range(parts):
        progress.report("duplicates", part, parts + 1)
        chosen = f" WHERE hash({everything}) % {parts} = {part}" if parts > 1 else ""
        hashes = connection.execute(f"SELECT hash({everything}) AS h FROM {file}{chosen}").fetchnumpy()["h"]
        hashes = np.sort(np.asarray(hashes, np.uint64))
        content += int(hashes.sum(dtype=np.uint64))
        suspects.append(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))
        del hashes
    connection.execute("CREATE OR REPLACE TEMP TABLE repeats (position BIGINT)")
    connection.execute("CREATE OR REPLACE TEMP TABLE copied (position BIGINT, copy BIGINT, copies BIGINT)")
    found = np.concatenate(suspects)
    if len(found):
        connection.register("suspects", pa.table({"h": found}))
        query = (
            "INSERT INTO copied SELECT * FROM (SELECT file_row_number AS position, row_number() OVER"
            f" (PARTITION BY {everything} ORDER BY file_row_number) AS copy,"
            f" count(*) OVER (PARTITION BY {everything}) AS copies"
            f" FROM read_parquet({file}, file_row_number = true) WHERE hash({everything}) IN (SELECT h FROM suspects))"
            " WHERE copies > 1"
        )
        run(connection, query, progress, "duplicates")
        connection.execute("INSERT INTO repeats SELECT position FROM copied WHERE copy > 1")
        connection.unregister("suspects")
    return Repeats(int(one(connection, "SELECT count(*) FROM repeats")[0]), content % 2**64)


def have_identity(connection: duckdb.DuckDBPyConnection, events: Path, columns: Sequence[str], timezone: str) -> bool:
    """Say whether most rows name their event: by an order or event id, or by a time of day."""
    ids = [column for column in columns if column == ORDER_ID or column.lower().replace("_", "") in ("eventid", "id")]
    local = f"timezone({text(timezone)}, timezone('UTC', {EVENT_TIME}))" if timezone != "UTC" else EVENT_TIME
    marks = [f"trim({name(column)}::VARCHAR) <> ''" for column in ids] + [f"{local} <> date_trunc('day', {local})"]
    shares = ", ".join(f"avg(coalesce({mark}, false)::INT)" for mark in marks)
    return any(share > 0.5 for share in one(connection, f"SELECT {shares} FROM {file_text(events)}") if share)


def _drop(
    connection: duckdb.DuckDBPyConnection, events: Path, target: Path, rows: int, progress: Progress, shared: str
) -> None:
    """Write ``events`` without its ``repeats`` to ``target``, in the same order; no share of an order is lost."""
    file, whole, joined = f"read_parquet({file_text(events)}, file_row_number = true)", "", ""
    if shared:
        copies = f"CASE WHEN {shared} THEN coalesce(copies, 1) ELSE 1 END"
        whole = f" REPLACE ({AMOUNT} * ({copies}) AS {AMOUNT})"
        joined = " LEFT JOIN (SELECT position, copies FROM copied WHERE copy = 1) ON position = file_row_number"
    gone = "file_row_number, position, copies" if shared else "file_row_number"
    query = (
        f"COPY (SELECT * EXCLUDE ({gone}){whole} FROM {file}{joined} WHERE file_row_number NOT IN (FROM repeats)"
        f"{' ORDER BY file_row_number' if shared else ''}) TO {text(str(target))} (FORMAT parquet)"
    )
    run(connection, query, progress, "duplicates", rows)
