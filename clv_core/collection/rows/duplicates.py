"""Rows that repeat another row exactly, detected by hash and verified by their values; and orders that were sent again.

A thank-you page that is loaded anew, and an event that is sent anew, repeat an order with its customer and amounts at
another time, under another id of the event. What differs in times and in ids that never repeat is no other purchase.
"""

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
from clv_core.collection.parse.times import TimeReading
from clv_core.columns import (
    AMOUNT,
    BY_NAME,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    MONEY_TYPES,
    ORDER_ID,
    PURCHASE,
    RETURN,
)
from clv_core.errors import Message
from clv_core.jobs import Progress
from clv_core.records import JsonObject

HASHES_AT_A_TIME: Final = 40_000_000
"""Hashes sorted at a time: 320 MB, as each has 8 bytes."""
MIN_REPEATS: Final = 3
"""Repeated rows, before they are worth a question (a guess)."""
MIN_PASTED: Final = 50
"""Rows that repeat others in the same order, before that is no accident (a guess)."""
MIN_PASTED_SHARE: Final = 0.95
"""Share of the repeated rows that are as many rows behind the one that they repeat as all others."""
MIN_ORDERS: Final = 5
"""Orders with repeated rows whose total is that of all their rows, before that is no accident."""
MIN_ORDER_SHARE: Final = 0.9
"""Share of the orders in question that must agree: a rule for nearly all orders is the file's, one for some is chance
(a guess)."""
MAX_APART: Final = "INTERVAL 1 DAY"
"""How long after an order the same one is a repetition. In logs whose totals are documented, pages were loaded anew
within minutes and events sent anew within hours; parts of an order are sent two days apart, instalments are
paid a month apart."""
MIN_REPEATED_AMOUNTS: Final = 3
"""Different amounts of repeated orders: in a shop of one price, lines of an order may well be equal."""
JUDGED_TIMES: Final = 1_000
"""Cells by which a column is taken for one of times."""
NEAR_EVENT: Final = "INTERVAL 366 DAY"
"""Numbers that are times of something else than an order are codes."""
MAX_SENT_ANEW: Final = 0.3
"""Share of the orders that occur again at the same instant; with more of them, these are lines with ids, unless all do
equally often."""
CENT: Final = 0.011
"""Largest difference between a total and the sum of its rows: a cent, and what float64 makes of it."""


@dataclass(frozen=True)
class Deduplicated:
    """Rows once it is settled whether those that repeat others are events of their own.

    Args:
        events: Parquet file of them.
        content: a figure of all rows in any order.
        dropped: how many repetitions were left out, those of orders that were sent again among them.
        warnings: about the repetitions.
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
    """Return rows without repetitions, where an answer or an id of each event shows that these are no events.

    Args:
        connection: where it runs.
        events: a Parquet file; where repetitions are dropped, another is written next to it.
        columns: all its columns.
        total: its rows.
        answers: the person's answers about repetitions and the time zone.
        progress: who listens.
        shared: SQL for whether an event's amount is a share of its order's total: the share
            of a repetition is added to the row that stays.
    """
    progress.report("duplicates", 0, 1)
    rows, content = mark_duplicates(connection, events, columns, total, progress)
    connection.execute("CREATE OR REPLACE TEMP TABLE repeated_orders (position BIGINT)")
    again = RepeatedOrders()
    if answers.duplicates != "keep" and not (shared or answers.amount_scope):
        again = mark_repeated_orders(connection, events, columns)
    if not rows and not again.rows:
        return Deduplicated(events, content, 0, ())
    drop, warnings = _judge(connection, events, columns, answers, rows, again.rows, shared=bool(shared))
    if again.rows:
        sums = _revenues(connection, events, drop=False)
        warnings += (again.message(dropped=answers.duplicates == "drop", revenues=sums),)
    also = again.rows if answers.duplicates == "drop" else 0
    if not drop and not also:
        return Deduplicated(events, content, 0, warnings)
    target = events.with_name("unique.parquet")
    left_out = [view for view, used in (("repeats", drop), ("repeated_orders", also)) if used]
    dropped = (rows if drop else 0) + also
    _write_unique(connection, events, target, total, progress, shared, left_out)
    content = mark_duplicates(connection, target, columns, total - dropped, progress)[1]
    return Deduplicated(target, content, dropped, warnings)


def _judge(
    connection: duckdb.DuckDBPyConnection,
    events: Path,
    columns: Sequence[str],
    answers: Answers,
    rows: int,
    again: int,
    *,
    shared: bool,
) -> tuple[bool, tuple[Message, ...]]:
    """Return whether rows that repeat others exactly are dropped, and the warnings about them.

    Args:
        connection: where it runs.
        events: a Parquet file, of which exact repetitions are marked.
        columns: all its columns.
        answers: the person's answers.
        rows: how many rows repeat others exactly.
        again: how many repeat an order that was sent again.
        shared: whether amounts are shares of what their order came to.
    """
    if not rows:
        return False, ()
    wanted = answers.duplicates
    pasted = not wanted and _is_pasted(connection, events, columns)
    drop = wanted == "drop" if wanted else pasted or has_event_ids(connection, events, columns, answers.timezone)
    if drop and not (wanted or pasted or shared):
        column = _column_of_totals(connection, events, columns)
        if column:
            return False, (Message("warning.duplicates_of_totals", {"rows": rows, "column": column}),)
    params: JsonObject = {"rows": rows}
    if rows >= MIN_REPEATS and not pasted and not shared and (ORDER_ID in columns or not drop):
        params["revenues"] = _revenues(connection, events, drop=drop)
    return drop, (Message("warning.duplicates_dropped" if drop else "warning.duplicates_kept", params),)


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
        in_part = f" WHERE hash({everything}) % {parts} = {part}" if parts > 1 else ""
        hashes = connection.execute(f"SELECT hash({everything}) AS h FROM {file}{in_part}").fetchnumpy()["h"]
        hashes = np.sort(np.asarray(hashes, np.uint64))
        content += int(hashes.sum(dtype=np.uint64))
        suspects.append(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))
        del hashes
    connection.execute("CREATE OR REPLACE TEMP TABLE copied (position BIGINT, copy BIGINT, copies BIGINT)")
    connection.execute("CREATE OR REPLACE TEMP VIEW repeats AS SELECT position FROM copied WHERE copy > 1")
    repeated_hashes = np.concatenate(suspects)
    if len(repeated_hashes):
        connection.register("suspects", pa.table({"h": repeated_hashes}))
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
    """Return whether most rows identify their event: by an order or event id, or by a time of day."""
    ids = [column for column in columns if column == ORDER_ID or column.lower().replace("_", "") in ("eventid", "id")]
    local = local_time(EVENT_TIME, timezone)
    marks = [f"trim({name(column)}::VARCHAR) <> ''" for column in ids] + [f"{local} <> date_trunc('day', {local})"]
    shares = ", ".join(f"avg(coalesce({mark}, false)::INT)" for mark in marks)
    return any(share > 0.5 for share in one(connection, f"SELECT {shares} FROM {file_text(events)}") if share)


@dataclass(frozen=True)
class RepeatedOrders:
    """Orders that occur again with their customer and all their amounts, within :data:`MAX_APART`.

    Args:
        rows: how many rows repeat others; they are in the table ``repeated_orders`` by their position.
        orders: of how many orders.
    """

    rows: int = 0
    orders: int = 0

    def message(self, *, dropped: bool, revenues: list[float]) -> Message:
        """Return the warning: with the revenue with them and without, or that they were dropped."""
        params: JsonObject = {"rows": self.rows, "orders": self.orders}
        if dropped:
            return Message("warning.repeated_orders_dropped", params)
        return Message("warning.repeated_orders", params | {"revenues": revenues})


def mark_repeated_orders(connection: duckdb.DuckDBPyConnection, events: Path, columns: Sequence[str]) -> RepeatedOrders:
    """Fill the table ``repeated_orders (position)`` with rows by which an order was sent again, and count them.

    Each line of an order that was sent again occurs again, as often as before, with all its values but for times
    and ids that never repeat. Where orders that have rows at several times mostly differ in these, as parts that are
    sent apart do, none is one. Rows at the same instant are one event where they differ in times alone, or in their
    number in the file.

    Args:
        connection: where it runs.
        events: a Parquet file, of which exact repetitions are marked (:func:`mark_duplicates`).
        columns: all its columns.
    """
    if ORDER_ID not in columns:
        return RepeatedOrders()
    kinds = ", ".join(map(text, MONEY_TYPES))
    lines = (
        f"(SELECT * FROM {numbered_rows(events)} WHERE {EVENT_TYPE} IN ({kinds}) AND {AMOUNT} <> 0"
        f" AND {ORDER_ID} IS NOT NULL AND file_row_number NOT IN (FROM repeats))"
    )
    canonical = ", ".join(column for column in columns if column in BY_NAME and column != EVENT_TIME)
    order = f"{ORDER_ID}, {CUSTOMER_ID}, {EVENT_TYPE}"
    modes = _modes(connection, lines, canonical, order)
    if not modes:
        return RepeatedOrders()
    distinguishing, ids = _distinguishing_columns(
        connection, lines, canonical, [column for column in columns if column not in BY_NAME]
    )
    line = ", ".join([canonical, *distinguishing])
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE order_lines AS SELECT file_row_number AS position, {order}, {AMOUNT},"
        f" {EVENT_TIME} AS instant, hash({line}) AS line, hash({', '.join(['0', *ids])}) AS ids"
        f" FROM {lines} WHERE hash({order}) IN (SELECT of FROM orders_of_lines)"
    )
    every = one(connection, f"SELECT count(DISTINCT ({order})) FROM {lines}")[0]
    for same_instant in modes:
        rows, orders = _mark_orders(connection, order, every, same_instant=same_instant)
        if rows:
            return RepeatedOrders(rows, orders)
    return RepeatedOrders()


def _modes(connection: duckdb.DuckDBPyConnection, lines: str, canonical: str, order: str) -> list[bool]:
    """Return at which instants enough orders may occur again to look: at a later one (False), at the same one (True).

    Makes the tables ``orders_of_lines``, of orders of several lines, and ``twins``, of lines that equal another one.

    Args:
        connection: where it runs.
        lines: table expression of the lines of orders.
        canonical: SQL list of the canonical columns.
        order: the columns that name an order.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE orders_of_lines AS SELECT hash({order}) AS of, min({EVENT_TIME}) AS first,"
        f" max({EVENT_TIME}) AS last FROM {lines} GROUP BY 1 HAVING count(*) > 1"
    )
    later, same = one(
        connection,
        f"SELECT count(*) FILTER (first < last AND last - first <= {MAX_APART}), count(*) FILTER (first = last)"
        " FROM orders_of_lines",
    )
    if max(later, same) < MIN_REPEATS:
        return []
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE twins AS SELECT hash({canonical}) AS line, any_value(hash({order})) AS of"
        f" FROM {lines} WHERE hash({order}) IN (SELECT of FROM orders_of_lines) GROUP BY 1 HAVING count(*) > 1"
    )
    orders = one(connection, "SELECT count(DISTINCT of) FROM twins")[0]
    enough = [MIN_REPEATS <= total and MIN_REPEATS <= orders >= MIN_ORDER_SHARE * total for total in (later, same)]
    return [mode for mode, is_enough in zip((False, True), enough, strict=True) if is_enough]


def _distinguishing_columns(
    connection: duckdb.DuckDBPyConnection, lines: str, canonical: str, extra: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return which other columns distinguish lines that have all canonical values in common, and which are ids.

    A column of times distinguishes nothing. Ids never repeat in the file, and distinguish nothing at another time;
    nor, at one instant, does a column that numbers the rows of the file.

    Args:
        connection: where it runs.
        lines: table expression of the lines of orders.
        canonical: SQL list of the canonical columns.
        extra: the other columns.
    """
    cells = [f"coalesce({name(column)}::VARCHAR, '')" for column in extra]
    counts = [f"count(DISTINCT {cell}) > 1 AS c{at}" for at, cell in enumerate(cells)]
    if not counts:
        return [], []
    matching = f"{lines} WHERE hash({canonical}) IN (SELECT line FROM twins)"
    differing = f"SELECT {', '.join(counts)} FROM {matching} GROUP BY hash({canonical})"
    differ = one(connection, f"SELECT {', '.join(f'bool_or(c{at})' for at, _ in enumerate(cells))} FROM ({differing})")
    distinguishing: list[str] = []
    ids: list[str] = []
    near = f"{TimeReading().value('x')} BETWEEN instant - {NEAR_EVENT} AND instant + {NEAR_EVENT}"
    for cell, differs in zip(cells, differ, strict=True):
        if not differs:
            continue
        cells_of_twins = f"SELECT {cell} AS x, {EVENT_TIME} AS instant FROM {matching} LIMIT {JUDGED_TIMES}"
        untimely = f"SELECT count(*) FROM ({cells_of_twins}) WHERE x <> '' AND NOT coalesce({near}, false)"
        # From the inside: the column's cells, each with the number in the row above, rows and values and rising
        # numbers.
        rows, values, rising = one(
            connection,
            "SELECT count(*), count(DISTINCT x), count(*) FILTER (number > before) FROM"
            " (SELECT *, lag(number) OVER (ORDER BY file_row_number) AS before FROM"
            f" (SELECT file_row_number, {cell} AS x, try_cast(x AS BIGINT) AS number FROM {lines}))",
        )
        if rising == rows - 1 or not one(connection, untimely)[0]:
            continue
        (ids if values == rows else distinguishing).append(cell)
    return distinguishing, ids


def _mark_orders(
    connection: duckdb.DuckDBPyConnection, order: str, every: int, *, same_instant: bool
) -> tuple[int, int]:
    """Put the rows of ``order_lines`` by which complete orders occur again into ``repeated_orders``.

    Args:
        connection: where it runs.
        order: the columns that name one.
        every: all orders.
        same_instant: whether it is again at the same instant, else at a later one.

    Returns:
        How many rows, and of how many orders.
    """
    # ``rows`` numbers equal lines of one instant, ``copies`` the times that a line occurs and how far these are apart,
    # ``steps`` adds the time since the order's line before; the table has one row for each order that occurs again.
    # two equal lines at one time are two: the first is repeated by the first of a later time
    same = "ids, instant" if same_instant else "place"
    rows = (
        f"SELECT *, row_number() OVER (PARTITION BY {order}, line, instant ORDER BY position) AS place FROM order_lines"
    )
    before = "instant - lag(instant) OVER"
    copies = (
        f"SELECT *, row_number() OVER lines AS copy, {before} lines AS gap FROM ({rows})"
        f" WINDOW lines AS (PARTITION BY {order}, line, {same} ORDER BY instant, position)"
    )
    steps = f"SELECT *, {before} (PARTITION BY {order} ORDER BY instant, position) AS step FROM ({copies})"
    near = "step = INTERVAL 0 DAY" if same_instant else f"step > INTERVAL 0 DAY AND step <= {MAX_APART}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE near_orders AS SELECT {order}, max(copy) AS copies, min({AMOUNT}) AS worth,"
        f" copies > 1 AND count(*) = copies * count(*) FILTER (copy = 1) AND max(gap) <= {MAX_APART} AS whole"
        f" FROM ({steps}) GROUP BY {order} HAVING bool_or({near})"
    )
    repeats, complete, amounts, fewest, most = one(
        connection,
        "SELECT count(*), count(*) FILTER (whole), count(DISTINCT worth) FILTER (whole), min(copies), max(copies)"
        " FROM near_orders",
    )
    many = same_instant and repeats > MAX_SENT_ANEW * every and not (repeats == every and fewest == most)
    if complete < max(MIN_REPEATS, MIN_ORDER_SHARE * repeats) or amounts < MIN_REPEATED_AMOUNTS or many:
        return 0, 0
    connection.execute(
        f"INSERT INTO repeated_orders SELECT position FROM ({copies}) SEMI JOIN (FROM near_orders WHERE whole)"
        f" USING ({order}) WHERE copy > 1"
    )
    return int(one(connection, "SELECT count(*) FROM repeated_orders")[0]), int(complete)


def _is_pasted(connection: duckdb.DuckDBPyConnection, events: Path, columns: Sequence[str]) -> bool:
    """Return whether repeated rows are a part of the file that was pasted twice: in the same order, equally far apart.

    ``gap`` is the distance of a row from the one that it repeats; the outer query takes its most frequent value.
    """
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
    """Return the column of orders' totals that count their repeated rows; "" where there is none.

    Two cups of the same tea may be two equal rows of one receipt. Where a column has the receipt's total, and it is
    the sum of all its rows, they are no repetitions; in a file that was written twice it is the sum of half of them.
    """
    extra = [column for column in columns if column not in BY_NAME]
    if ORDER_ID not in columns or not extra:
        return ""
    rows = numbered_rows(events)
    totals = "".join(
        f", min({value}) AS low_{at}, max({value}) AS high_{at}"
        for at, value in enumerate(NumberReading().value(f"{name(column)}::VARCHAR") for column in extra)
    )
    # Innermost: orders with a repeated row. Next: their sum, and the extremes of each extra column, equal for totals.
    orders = (
        f"SELECT sum({AMOUNT}) AS worth{totals} FROM {rows} WHERE {ORDER_ID} IN (SELECT {ORDER_ID} FROM {rows} WHERE"
        f" file_row_number IN (FROM repeats)) GROUP BY {ORDER_ID}"
    )
    counts = ", ".join(
        f"count(*) FILTER (low_{at} = high_{at} AND abs(high_{at} - worth) < {CENT})" for at, _ in enumerate(extra)
    )
    every, *agree = one(connection, f"SELECT count(*), {counts} FROM ({orders})")
    best = max(range(len(extra)), key=lambda at: agree[at])
    return extra[best] if agree[best] >= max(MIN_ORDERS, MIN_ORDER_SHARE * every) else ""


def _revenues(connection: duckdb.DuckDBPyConnection, events: Path, *, drop: bool) -> list[float]:
    """Return net revenue as it is read and the other way: without or with all repetitions."""
    left_out = "file_row_number IN (FROM repeats) OR file_row_number IN (FROM repeated_orders)"
    total, repeated = one(
        connection,
        f"SELECT coalesce(sum({AMOUNT}), 0), coalesce(sum({AMOUNT}) FILTER ({left_out}), 0)"
        f" FROM {numbered_rows(events)} WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}')",
    )
    sums = [round(total, 2), round(total - repeated, 2)]
    return sums[::-1] if drop else sums


def _write_unique(
    connection: duckdb.DuckDBPyConnection,
    events: Path,
    target: Path,
    rows: int,
    progress: Progress,
    shared: str,
    views: Sequence[str],
) -> None:
    """Write ``events`` without rows of some views to ``target``, in the same order; no share of an order is lost."""
    file, left_out, amount = numbered_rows(events), "file_row_number", ""
    if shared:
        file += " LEFT JOIN (SELECT position, copies FROM copied WHERE copy = 1) ON position = file_row_number"
        left_out = "file_row_number, position, copies"
        amount = f" REPLACE ({AMOUNT} * CASE WHEN {shared} THEN coalesce(copies, 1) ELSE 1 END AS {AMOUNT})"
    query = (
        f"COPY (SELECT * EXCLUDE ({left_out}){amount} FROM {file}"
        f" WHERE {' AND '.join(f'file_row_number NOT IN (FROM {view})' for view in views)}"
        f"{' ORDER BY file_row_number' if shared else ''}) TO {text(str(target))} (FORMAT parquet)"
    )
    run(connection, query, progress, "duplicates", rows)
