"""Rejected rows: those that cannot be used, stored with the dataset, with their line and the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from clv_core.collection.answers import LEFT_OUT
from clv_core.collection.engine import T, file_text, name, run, text
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.infer.profile import Profile
from clv_core.collection.read.line_numbers import line_breaks, lines_without_rows
from clv_core.collection.read.quotes import Reject
from clv_core.collection.read.source import Source
from clv_core.collection.vocabulary.order_statuses import CANCELLED, REFUNDED
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, ORDER_STATUS
from clv_core.errors import Message
from clv_core.jobs import Progress

EXAMPLES: Final = 3
"""Lines quoted for each reason, which fit a message."""
OWN_COLUMNS: Final = ("file", "line", "reason", "column", "value")
"""Columns of ours in the file of rejected rows; ``file`` is there where a dataset was made from several files."""
REASON_COLUMNS: Final = {
    "no_customer": CUSTOMER_ID,
    "no_time": EVENT_TIME,
    "bad_time": EVENT_TIME,
    "time_out_of_range": EVENT_TIME,
    "no_amount": AMOUNT,
    "bad_amount": AMOUNT,
    "amount_too_large": AMOUNT,
    "total_row": CUSTOMER_ID,
    "repeated_amount": AMOUNT,
    CANCELLED: ORDER_STATUS,
    REFUNDED: ORDER_STATUS,
}
"""The column that a reason is about."""


@dataclass(frozen=True)
class Problem:
    """All rows that were rejected for one reason.

    Args:
        reason: catalogue key without ``reason.``.
        rows: how many.
        column: the canonical column it is about, or empty.
        source_column: its name in the file, or empty.
        examples: (line, text) of the first few.
    """

    reason: str
    rows: int
    column: str
    source_column: str
    examples: tuple[tuple[int, str], ...]

    def message(self) -> Message:
        """Return the warning about them."""
        first = first_lines(self.examples)
        column = self.column if self.column == self.source_column else f"{self.column} ({self.source_column})"
        return Message(f"warning.{self.reason}", {"rows": self.rows, "column": column, "first": first})


def first_lines(examples: Sequence[tuple[int, str | None]]) -> str:
    """Return lines and values of some rows as a warning has them."""
    return "; ".join(f"{line}: {value[:60]}" if value else str(line) for line, value in examples)


def write_rejected(
    connection: duckdb.DuckDBPyConnection,
    seen: Profile,
    rejects: Sequence[Reject],
    target: Path,
    progress: Progress,
    *,
    any_bad: bool,
) -> tuple[Problem, ...]:
    """Write the rejected rows as Parquet: line, reason, column, value, then the file's own columns.

    Args:
        connection: where it runs.
        seen: the table of text, and how it is read.
        rejects: lines that are no rows.
        target: the Parquet file.
        progress: who listens.
        any_bad: whether any row of the table is rejected; if not, it is not read again.
    """
    source, plan, rows = seen.source, seen.plan, seen.rows
    aliases = {column: f"{column} (source)" if column.lower() in OWN_COLUMNS else column for column in source.columns}
    connection.register(
        "rejects",
        pa.table(
            {
                "line": pa.array([item.line for item in rejects], pa.int64()),
                "reason": pa.array([item.reason for item in rejects], pa.string()),
                # A line that is no row has no columns: it may name a customer anywhere.
                "value": pa.array(["" if plan.secret else item.text for item in rejects], pa.string()),
            }
        ),
    )
    nothing = ", ".join(f"NULL::VARCHAR AS {name(column)}" for column in aliases.values())
    parts = [f"SELECT line, reason, NULL::VARCHAR AS column, value, {nothing} FROM rejects"]
    if any_bad:
        line, lines = lines_without_rows(source, rejects, rows)
        connection.register("gaps", pa.table({"line": line, "lines": lines}))
        parts.append(_bad_rows(source, plan, aliases, int(lines.sum()), rows))
    query = f"COPY ({' UNION ALL '.join(parts)}) TO {text(str(target))} (FORMAT parquet)"
    run(connection, query, progress, "set_aside", rows)
    connection.unregister("rejects")
    connection.unregister("gaps")
    return _problems(connection, target, plan)


def _bad_rows(source: Source, plan: ReadingPlan, aliases: dict[str, str], pushing: int, rows: int) -> str:
    """Return the query of bad rows with their line numbers; ``pushing`` lines between the rows are in ``gaps``."""
    header = source.dialect.header_line if source.dialect else 0
    extra = "0"
    if source.lines > header + rows + pushing:
        extra = (
            f"coalesce(sum({line_breaks(source.columns)}) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
        )
    numbered = f"(SELECT *, row_number() OVER () AS clv_row, {extra} AS clv_extra FROM {source.relation()})"
    about = " ".join(f"WHEN '{reason}' THEN '{column}'" for reason, column in REASON_COLUMNS.items())
    values = " ".join(
        f"WHEN '{column}' THEN {T}{column}"
        for column in dict.fromkeys(REASON_COLUMNS.values())
        if column in plan.column_of
    )
    columns = ", ".join(f"{plan.shown(column)} AS {name(alias)}" for column, alias in aliases.items())
    bad = (
        f"SELECT {header} + clv_row + clv_extra AS clv_place, {plan.reason} AS clv_reason, *"
        f" FROM {plan.judged(numbered)} WHERE clv_reason IS NOT NULL"
    )
    # Rows at or after the place of a gap, counted without the gaps before it, are pushed down by its lines.
    place = "line - coalesce(sum(lines) OVER (ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
    places = f"(SELECT {place} AS place, sum(lines) OVER (ORDER BY line) AS pushed FROM gaps)"
    pushes = f"(SELECT place, max(pushed) AS pushed FROM {places} GROUP BY place)"
    joined = f"({bad}) b ASOF LEFT JOIN {pushes} r ON b.clv_place >= r.place" if pushing else f"({bad}) b"
    shift = "coalesce(pushed, 0)" if pushing else "0"
    return (
        f"SELECT (clv_place + {shift})::BIGINT AS line, clv_reason AS reason,"
        f" CASE clv_reason {about} END AS column, CASE CASE clv_reason {about} END {values} END AS value, {columns}"
        f" FROM {joined}"
    )


def _problems(connection: duckdb.DuckDBPyConnection, rejected: Path, plan: ReadingPlan) -> tuple[Problem, ...]:
    """Return the rejected rows grouped by reason, the most frequent first."""
    problems = []
    for reason, count, examples in count_by_reason(connection, rejected):
        column = REASON_COLUMNS.get(reason, "")
        source_column = plan.column_of.get(column, "")
        if column == ORDER_STATUS and not source_column:
            source_column = ", ".join(plan.orders.ends)
        if reason == LEFT_OUT:
            source_column = ", ".join(plan.orders.kinds)
        problems.append(Problem(reason, count, column, source_column or column, examples))
    return tuple(problems)


def count_by_reason(
    connection: duckdb.DuckDBPyConnection, rejected: Path
) -> list[tuple[str, int, tuple[tuple[int, str], ...]]]:
    """Return reason, number of rows, and (line, text) of the first few, the most frequent first.

    Args:
        connection: where it runs.
        rejected: file of :func:`write_rejected`.
    """
    rows = connection.execute(
        f"SELECT reason, count(*), arg_min(coalesce(value, ''), line, {EXAMPLES}), min(line, {EXAMPLES})"
        f" FROM {file_text(rejected)} GROUP BY reason ORDER BY count(*) DESC, reason"
    ).fetchall()
    return [
        (reason, int(count), tuple((int(line), str(text)[:200]) for line, text in zip(lines, values, strict=True)))
        for reason, count, values, lines in rows
    ]
