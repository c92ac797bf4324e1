"""Reports with each customer in a row of its own above the rows of its sales, and a row of totals below them.

The name is written into each row of its group. Only where every group is closed by a row that repeats its name: an
empty cell under a filled one says nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import file_text, name, one, text
from clv_core.collection.files.dialect import Dialect
from clv_core.collection.parse.pseudonyms import pseudonym
from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, SURE_NAMES, fold
from clv_core.columns import CUSTOMER_ID, EVENT_TIME
from clv_core.errors import Message

JUDGED_ROWS: Final = 2_000
FEWEST: Final = 2
"""Groups that are closed by their totals, before that is a rule."""
OTHERS: Final = 1
"""Rows that belong to no group: that of the sum of all. More come from groups within groups."""
HEADED: Final = "warning.headed_groups"
CUSTOMER: Final = "Customer"
"""What the column of names is called where the report does not say it."""


def ungrouped(
    connection: duckdb.DuckDBPyConnection, path: Path, dialect: Dialect, scratch: Path
) -> tuple[Path, Dialect] | None:
    """Return a copy of a text file with the customer in each row, and its dialect; None where it is no such report.

    Args:
        connection: the engine.
        path: the file.
        dialect: how its cells are separated.
        scratch: where the copy goes.
    """
    means = [{SURE_NAMES.get(fold(column)), LIKELY_NAMES.get(fold(column))} for column in dialect.columns]
    unnamed = dialect.columns[0] == "column_1"
    dated = EVENT_TIME in means[0]
    if any(CUSTOMER_ID in one for one in means[1:]) or not (unnamed or dated or CUSTOMER_ID in means[0]):
        return None
    first, rows = _rows(path, dialect, dated, f" LIMIT {JUDGED_ROWS}"), _rows(path, dialect, dated)
    try:
        if not (_closed(connection, first) and _closed(connection, rows)):
            return None
        return _written(connection, rows, path, dialect, scratch, dated)
    except duckdb.Error:
        return None  # a row of more cells than columns: what is no row is told when the file is read as it stands


def with_pseudonyms(notes: Iterable[Message], key: bytes) -> tuple[Message, ...]:
    """Return what is said of a file with the name of its first group, a customer's, as a pseudonym.

    Args:
        notes: of the file.
        key: of the pseudonyms.
    """
    hidden = (
        replace(note, params={**note.params, "first": pseudonym(key, note.params["first"])})
        if note.code == HEADED
        else note
        for note in notes
    )
    return tuple(hidden)


def _rows(path: Path, dialect: Dialect, dated: bool, limit: str = "") -> str:
    """Return the table expression of the rows with their number, what they are, and the name that stands above them."""
    columns = dialect.columns
    table = text_rows(path, dialect, padded=True) + limit
    first = f"trim(coalesce({name(columns[0])}, ''))"
    rest = f"trim(concat_ws('', {', '.join(map(name, columns[1:]))}))"
    parts = f"SELECT *, row_number() OVER () AS clv_place, {first} AS clv_head, {rest} AS clv_rest FROM {table}"
    heading = "CASE WHEN clv_head <> '' AND clv_rest = '' THEN"
    held = (
        f"SELECT *, last_value({heading} clv_head END IGNORE NULLS) OVER (ORDER BY clv_place) AS clv_held,"
        f" max({heading} clv_place END) OVER (ORDER BY clv_place) AS clv_group"
    )
    inside = "regexp_matches(clv_head, '^[0-9]')" if dated else "clv_head = ''"
    return (
        "(SELECT *, CASE WHEN clv_rest = '' THEN 'heading'"
        " WHEN clv_head <> clv_held AND contains(clv_head, clv_held) THEN 'total'"
        f" WHEN {inside} THEN 'row' ELSE 'other' END AS clv_kind FROM ({held} FROM ({parts})))"
    )


def text_rows(path: Path, dialect: Dialect, *, padded: bool = False) -> str:
    """Return the table expression of a text file in the order of its lines.

    Args:
        path: the file.
        dialect: how its cells are separated.
        padded: whether rows of too few cells are rows too.
    """
    kinds = ", ".join(f"{text(column)}: 'VARCHAR'" for column in dialect.columns)
    return (
        f"read_csv({file_text(path)}, auto_detect = false, header = false, columns = {{{kinds}}},"
        f" delim = {text(dialect.delimiter)}, quote = {text(dialect.quote)}, escape = {text(dialect.escape)},"
        f" skip = {dialect.header_line}, strict_mode = true, null_padding = {str(padded).lower()}, parallel = false,"
        " max_line_size = 2097152)"
    )


def _closed(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Say whether nearly all rows belong to groups, each of which ends with its total; the last one may be cut off."""
    groups, closed, broken, others = one(
        connection,
        "SELECT count(*) FILTER (sales > 0), count(*) FILTER (sales > 0 AND totals = 1 AND last_total > last_sale),"
        " count(*) FILTER (totals > 1 OR (sales > 0 AND clv_group IS NULL)), coalesce(sum(others), 0) FROM"
        " (SELECT clv_group, count(*) FILTER (clv_kind = 'row') AS sales,"
        " count(*) FILTER (clv_kind = 'total') AS totals,"
        " max(clv_place) FILTER (clv_kind = 'row') AS last_sale,"
        " max(clv_place) FILTER (clv_kind = 'total') AS last_total,"
        f" count(*) FILTER (clv_kind = 'other') AS others FROM {rows} GROUP BY clv_group)",
    )
    return bool(closed >= FEWEST and groups - closed <= 1 and not broken and others <= OTHERS)


def _written(
    connection: duckdb.DuckDBPyConnection, rows: str, path: Path, dialect: Dialect, scratch: Path, dated: bool
) -> tuple[Path, Dialect]:
    """Write the copy, as many lines before its rows as the file has, so that lines keep their numbers."""
    own = list(dialect.columns)
    customer = CUSTOMER if dated or own[0] == "column_1" else own[0]
    who = f"CASE WHEN clv_kind = 'row' THEN clv_held ELSE nullif(clv_head, '') END AS {name(customer)}"
    kept = own if dated else own[1:]
    cells = ", ".join([who, *map(name, kept)])
    target = with_rows(connection, f"SELECT {cells} FROM {rows} ORDER BY clv_place", path, dialect, scratch)
    groups, others, first = one(
        connection,
        "SELECT count(DISTINCT clv_group) FILTER (clv_kind = 'row'), count(*) FILTER (clv_kind <> 'row'),"
        f" arg_min(clv_held, clv_place) FILTER (clv_kind = 'row') FROM {rows}",
    )
    told = Message(HEADED, {"groups": groups, "totals": others, "first": str(first)[:60]})
    columns = (customer, *kept)
    blank = [note for note in dialect.notes if note.code != "warning.blank_header"]
    return target, replace(
        dialect, delimiter=",", quote='"', escape='"', blanks=False, columns=columns, notes=(*blank, told)
    )


def with_rows(connection: duckdb.DuckDBPyConnection, query: str, path: Path, dialect: Dialect, scratch: Path) -> Path:
    """Write the rows of ``query`` as CSV below as many lines as the file has above its rows, and return the copy."""
    body, target = scratch / "made-rows.csv", scratch / "made.csv"
    connection.execute(f"COPY ({query}) TO {text(str(body))} (FORMAT csv, HEADER false, DELIMITER ',')")
    with path.open("rb") as source, target.open("wb") as out, body.open("rb") as lines:
        out.writelines(source.readline() for _ in range(dialect.header_line))
        while block := lines.read(1 << 23):
            out.write(block)
    body.unlink()
    return target
