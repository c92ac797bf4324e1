"""Rows of a customers file that cannot be used: how many for which reason, and on which lines."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from clv_core.collection.customers.names import BAD_DATE, NO_ID, TWICE, TYPED, was_name
from clv_core.collection.customers.roles import ChosenRoles
from clv_core.collection.files.blank_lines import blank_lines
from clv_core.collection.files.quotes import Reject
from clv_core.collection.files.rejects import as_in_the_file
from clv_core.collection.files.source import Source
from clv_core.collection.rows.rejected_rows import EXAMPLES, Problem
from clv_core.columns import CUSTOMER_ID


def customer_problems(
    connection: duckdb.DuckDBPyConnection, source: Source, chosen: ChosenRoles, rejects: Sequence[Reject]
) -> tuple[Problem, ...]:
    """Return what was set aside by reason, with the lines that it stands on, the most frequent first."""
    about = {NO_ID: chosen.customer_id, BAD_DATE: ", ".join(chosen.dates), TWICE: chosen.customer_id}
    dates = ", ".join(was_name(date) for date in chosen.dates)
    shown = f"CASE reason WHEN '{BAD_DATE}' THEN concat_ws(', ', {dates}) ELSE {CUSTOMER_ID} END"
    rows = connection.execute(
        f"SELECT reason, count(*), arg_min(coalesce({shown if dates else CUSTOMER_ID}, ''), clv_row, {EXAMPLES}),"
        f" arg_min(clv_row + clv_before, clv_row, {EXAMPLES})"
        f" FROM (SELECT *, coalesce(sum(clv_breaks) OVER (ORDER BY clv_row ROWS BETWEEN UNBOUNDED PRECEDING"
        f" AND 1 PRECEDING), 0) AS clv_before FROM {TYPED}) WHERE reason IS NOT NULL GROUP BY reason"
    ).fetchall()
    gaps = _gaps(source, rejects)
    header = source.dialect.header_line if source.dialect else 0
    found = []
    for reason, count, values, places in rows:
        lines = [_line(header + int(place), gaps) for place in places]
        examples = tuple((line, str(value)[:200]) for line, value in zip(lines, values, strict=True))
        found.append(Problem(reason, int(count), about.get(reason, ""), about.get(reason, ""), examples))
    for reason in dict.fromkeys(item.reason for item in rejects):
        same = [item for item in rejects if item.reason == reason]
        examples = tuple((item.line, item.text[:200]) for item in same[:EXAMPLES])
        found.append(Problem(reason, len(same), "", "", examples))
    return tuple(sorted(found, key=lambda item: (-item.rows, item.reason)))


def _gaps(source: Source, rejects: Sequence[Reject]) -> list[tuple[int, int]]:
    """Return the lines below the header that are no rows, ascending: the first of each, and how many follow it."""
    found = [(item.line, item.lines) for item in rejects]
    if source.dialect is not None:
        blank = blank_lines(source.path, source.dialect)
        found += [(int(line), 1) for line in as_in_the_file(source, blank[blank > source.dialect.header_line])]
    return sorted(found)


def _line(place: int, gaps: Sequence[tuple[int, int]]) -> int:
    """Return the line of the row that would stand at ``place`` if the gaps were not there."""
    for first, lines in gaps:
        if first > place:
            break
        place += lines
    return place
