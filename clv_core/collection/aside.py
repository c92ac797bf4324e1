"""Rows that cannot be used are kept beside the dataset, with the line they stand on and the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from clv_core.collection.engine import name, one, run, text
from clv_core.collection.plan import REASON_COLUMNS, Plan, T
from clv_core.collection.quotes import Reject
from clv_core.collection.source import Source
from clv_core.columns import BY_NAME
from clv_core.errors import Message
from clv_core.jobs import Progress

EXAMPLES: Final = 3


@dataclass(frozen=True)
class Problem:
    """All rows that were set aside for one reason.

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
        """Return the warning that says so."""
        first = "; ".join(f"{line}: {value[:60]}" if value else str(line) for line, value in self.examples)
        column = self.column if self.column == self.source_column else f"{self.column} ({self.source_column})"
        return Message(f"warning.{self.reason}", {"rows": self.rows, "column": column, "first": first})


def write_aside(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    plan: Plan,
    rejects: Sequence[Reject],
    rows: int,
    target: Path,
    progress: Progress,
    *,
    any_bad: bool,
) -> tuple[Problem, ...]:
    """Write the rows that are set aside as Parquet: line, reason, column, value, then the file's own columns.

    Args:
        connection: where it runs.
        source: the table of text.
        plan: how it is read.
        rejects: lines that are no rows.
        rows: rows of the table.
        target: the Parquet file.
        progress: who listens.
        any_bad: whether any row of the table is set aside; if not, it is not read again.
    """
    own = {column: _own_name(column) for column in source.columns}
    connection.register(
        "rejects",
        pa.table(
            {
                "line": pa.array([item.line for item in rejects], pa.int64()),
                "lines": pa.array([item.lines for item in rejects], pa.int64()),
                "reason": pa.array([item.reason for item in rejects], pa.string()),
                "value": pa.array([item.text for item in rejects], pa.string()),
            }
        ),
    )
    nothing = ", ".join(f"NULL::VARCHAR AS {name(column)}" for column in own.values())
    parts = [f"SELECT line, reason, NULL::VARCHAR AS column, value, {nothing} FROM rejects"]
    if any_bad:
        parts.append(_bad_rows(source, plan, own, rejects, rows))
    query = f"COPY ({' UNION ALL '.join(parts)}) TO {text(str(target))} (FORMAT parquet)"
    run(connection, query, progress, "set_aside", rows)
    connection.unregister("rejects")
    return problems(connection, target, plan)


def _bad_rows(source: Source, plan: Plan, own: dict[str, str], rejects: Sequence[Reject], rows: int) -> str:
    """Return the query of bad rows with their line numbers."""
    header = source.dialect.header_line if source.dialect else 0
    several = source.dialect is not None and source.lines > header + rows + sum(item.lines for item in rejects)
    extra = "0"
    if several:
        breaks = " + ".join(
            f"coalesce(length({name(c)}) - length(replace({name(c)}, chr(10), '')), 0)" for c in source.columns
        )
        extra = f"coalesce(sum({breaks}) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
    numbered = f"(SELECT *, row_number() OVER () AS clv_row, {extra} AS clv_extra FROM {source.relation()})"
    about = " ".join(f"WHEN '{reason}' THEN '{column}'" for reason, column in REASON_COLUMNS.items())
    values = " ".join(
        f"WHEN '{column}' THEN {T}{column}"
        for column in dict.fromkeys(REASON_COLUMNS.values())
        if column in plan.chosen
    )
    columns = ", ".join(f"{name(column)} AS {name(alias)}" for column, alias in own.items())
    bad = (
        f"SELECT {header} + clv_row + clv_extra AS clv_place, {plan.reason} AS clv_reason, *"
        f" FROM {plan.judged(numbered)} WHERE clv_reason IS NOT NULL"
    )
    # Rows at or after the place of a reject, counted without the rejects before it, are pushed down by its lines.
    place = "line - coalesce(sum(lines) OVER (ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
    places = f"(SELECT {place} AS place, sum(lines) OVER (ORDER BY line) AS pushed FROM rejects)"
    pushes = f"(SELECT place, max(pushed) AS pushed FROM {places} GROUP BY place)"
    joined = f"({bad}) b ASOF LEFT JOIN {pushes} r ON b.clv_place >= r.place" if rejects else f"({bad}) b"
    shift = "coalesce(pushed, 0)" if rejects else "0"
    return (
        f"SELECT (clv_place + {shift})::BIGINT AS line, clv_reason AS reason,"
        f" CASE clv_reason {about} END AS column, CASE CASE clv_reason {about} END {values} END AS value, {columns}"
        f" FROM {joined}"
    )


def problems(connection: duckdb.DuckDBPyConnection, aside: Path, plan: Plan) -> tuple[Problem, ...]:
    """Return the set-aside rows grouped by reason, the most frequent first."""
    rows = connection.execute(
        f"SELECT reason, count(*), arg_min(coalesce(value, ''), line, {EXAMPLES}), min(line, {EXAMPLES})"
        f" FROM {text(str(aside))} GROUP BY reason ORDER BY count(*) DESC, reason"
    ).fetchall()
    found = []
    for reason, count, values, lines in rows:
        column = REASON_COLUMNS.get(reason, "")
        source_column = plan.chosen.get(column, "")
        examples = tuple((int(line), str(value)[:200]) for line, value in zip(lines, values, strict=True))
        found.append(Problem(reason, int(count), column, source_column or column, examples))
    return tuple(found)


def count_aside(connection: duckdb.DuckDBPyConnection, aside: Path) -> int:
    """Return the number of rows set aside."""
    return int(one(connection, f"SELECT count(*) FROM {text(str(aside))}")[0])


def _own_name(column: str) -> str:
    taken = ("line", "reason", "column", "value", *BY_NAME)
    return f"{column} (source)" if column.lower() in taken[:4] else column
