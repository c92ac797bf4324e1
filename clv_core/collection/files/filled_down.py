"""Reports that name a customer in the first row of her orders only: the id is written into the rows below it.

Shops leave ids blank for guests too. So the file must show that it is sorted by customer: no id comes twice, and times
go one way below an id and back where the next one begins.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.files.dialect import Dialect
from clv_core.collection.files.headed_groups import text_rows, with_rows
from clv_core.collection.parse.cell_texts import cell_text
from clv_core.collection.parse.times import TimeReading
from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, PRICE, SURE_NAMES, fold
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, ORDER_ID, UNIT_PRICE, Kind
from clv_core.errors import Message

JUDGED_ROWS: Final = 2_000
MIN_ROWS: Final = 10
"""Rows without an id that are later, or earlier, than the row above them."""
MIN_TURNS: Final = 0.2
"""Share of ids, of three at least, at which times go back."""
OF_ORDERS: Final = {EVENT_TIME, ORDER_ID, AMOUNT, UNIT_PRICE, PRICE}
"""What each order says by itself, whoever it is of."""


def filled_down(
    connection: duckdb.DuckDBPyConnection, path: Path, dialect: Dialect, scratch: Path
) -> tuple[Path, Dialect] | None:
    """Return a copy of a text file with the customer in each row, and its dialect; None where it is no such report.

    Args:
        connection: the engine.
        path: the file.
        dialect: how its cells are separated.
        scratch: where the copy goes.
    """
    means = {
        column: {SURE_NAMES.get(fold(column)), LIKELY_NAMES.get(fold(column))} - {None} for column in dialect.columns
    }
    own = [column for column in means if CUSTOMER_ID in means[column]]
    times = [column for column in means if EVENT_TIME in means[column]]
    if not own or not times:
        return None
    ids = min(own, key=lambda column: SURE_NAMES.get(fold(column)) != CUSTOMER_ID)
    told = [column for column in means if means[column] & OF_ORDERS]
    table, beginning = text_rows(path, dialect), f" LIMIT {JUDGED_ROWS}"
    try:
        if not _never_recur(connection, table + beginning, ids):
            return None
        for order in ("dmy", "mdy", "ymd"):
            first, rows = (_rows(table + limit, ids, times[0], told, order) for limit in (beginning, ""))
            if _is_sorted(connection, first) and _is_sorted(connection, rows):
                return _written(connection, rows, ids, own, path, dialect, scratch)
    except duckdb.Error:
        pass  # a row of more or fewer cells than columns: what is no row is told when the file is read as it stands
    return None


def _never_recur(connection: duckdb.DuckDBPyConnection, table: str, ids: str) -> bool:
    """Say whether no id comes twice, and many rows have none; a quick look before times are read."""
    key = cell_text(name(ids), Kind.TEXT)
    known, different, blank = one(
        connection, f"SELECT count(i), count(DISTINCT i), count(*) - count(i) FROM (SELECT {key} AS i FROM {table})"
    )
    return bool(known == different and blank >= MIN_ROWS)


def _rows(table: str, ids: str, time: str, told: list[str], order: str) -> str:
    """Return the table expression of the rows with their number, the number of their id, and their time."""
    when = TimeReading(order).value(cell_text(name(time), Kind.TIME))
    full = " AND ".join(f"{name(column)} IS NOT NULL" for column in told)
    named = f"{cell_text(name(ids), Kind.TEXT)} AS clv_id, {when} AS clv_time, {full} AS clv_full"
    numbered = f"SELECT *, row_number() OVER () AS clv_place, {named} FROM {table}"
    return f"(SELECT *, count(clv_id) OVER (ORDER BY clv_place) AS clv_block FROM ({numbered}))"


def _is_sorted(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Say whether each id stands above all rows of its customer."""
    ids, different, unnamed, partial, later, earlier, back, on = one(
        connection,
        "SELECT count(clv_id), count(DISTINCT clv_id), count(*) FILTER (clv_block = 0),"
        " count(*) FILTER (clv_id IS NULL AND NOT clv_full),"
        " count(*) FILTER (clv_id IS NULL AND clv_time > before),"
        " count(*) FILTER (clv_id IS NULL AND clv_time < before),"
        " count(*) FILTER (clv_id IS NOT NULL AND clv_time < before),"
        " count(*) FILTER (clv_id IS NOT NULL AND clv_time > before)"
        f" FROM (SELECT *, lag(clv_time) OVER (ORDER BY clv_place) AS before FROM {rows} WHERE clv_time IS NOT NULL)",
    )
    if ids != different or unnamed or partial or min(later, earlier):
        return False
    turns = back if later else on
    return bool(max(later, earlier) >= MIN_ROWS and turns >= max(3, MIN_TURNS * ids))


def _written(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    ids: str,
    own: list[str],
    path: Path,
    dialect: Dialect,
    scratch: Path,
) -> tuple[Path, Dialect]:
    """Write the copy with all that names a customer in each row of her block."""
    block = "OVER (PARTITION BY clv_block ORDER BY clv_place)"
    cells = (
        f"first_value({name(column)}) {block} AS {name(column)}" if column in own else name(column)
        for column in dialect.columns
    )
    query = f"SELECT {', '.join(cells)} FROM {rows} ORDER BY clv_place"
    target = with_rows(connection, query, path, dialect, scratch)
    blank, customers = one(
        connection, f"SELECT count(*) FILTER (clv_id IS NULL AND clv_time IS NOT NULL), count(clv_id) FROM {rows}"
    )
    told = Message("warning.filled_down", {"column": ids, "rows": blank, "customers": customers})
    notes = (*dialect.notes, told)
    return target, replace(dialect, delimiter=",", quote='"', escape='"', blanks=False, notes=notes)
