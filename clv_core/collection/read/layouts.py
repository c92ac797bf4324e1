"""Text files whose rows are not complete by themselves; :data:`STEPS` make them so, in their order.

Split cells are joined, groups of rows get the name above them, ids are filled down. A copy keeps its rows on the lines
that they stand on in the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import name, one, text
from clv_core.collection.parse.cell_texts import cell_text
from clv_core.collection.parse.id_texts import pseudonym
from clv_core.collection.parse.times import TimeReading
from clv_core.collection.read.dialect import Dialect, column_roles
from clv_core.collection.vocabulary.column_names import PRICE, SURE_NAMES, fold
from clv_core.columns import AMOUNT, CUSTOMER_ID, DISCOUNT, EVENT_TIME, ORDER_ID, REFUND, UNIT_PRICE, Kind
from clv_core.errors import Message

JUDGED_ROWS: Final = 2_000
"""First rows by which a layout is judged; the steps that find one then read the entire file."""
BLOCK: Final = 1 << 23
"""Characters copied at a time."""


def laid_out(
    connection: duckdb.DuckDBPyConnection, path: Path, dialect: Dialect, scratch: Path
) -> tuple[Path, Dialect]:
    """Return a file with complete rows, a customer in each, and its dialect: ``path`` itself where it is one.

    Args:
        connection: the engine.
        path: a text file.
        dialect: how its cells are separated.
        scratch: where copies go.
    """
    for step in STEPS:
        try:
            path, dialect = step(connection, path, dialect, scratch) or (path, dialect)
        except duckdb.Error:
            continue  # a row of more or fewer cells than columns: it is rejected when the file is read unchanged
    return path, dialect


def without_backticks(path: Path, target: Path) -> Path | None:
    """Write a bill of a payment service that marks each cell with a backtick before it, and quotes none, as CSV.

    The column names are not marked so: `2024-01-31,`12.50,`A, B.

    Args:
        path: a UTF-8 file.
        target: the copy.

    Returns:
        ``target``; None where the first lines are not marked so.
    """
    with path.open(encoding="utf-8-sig", newline="") as source:
        lines = [line for line in islice(source, 20) if line.strip()][1:]
        marked = sum(line.startswith("`") and line.count(",`") > 1 for line in lines)
        if marked < 2 or 2 * marked <= len(lines):
            return None
        source.seek(0)
        with target.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            for line in source:
                bare = line.rstrip("\r\n")
                if bare.startswith("`"):
                    writer.writerow(bare[1:].split(",`"))
                else:
                    out.write(f"{bare}\n")
    return target


# Cells that were written without quotes though they hold the delimiter: "Tea, green", or 12,50 between commas. Such a
# row has more cells than the table has columns. They are joined where that can be done in one way only.

MIN_SPLIT_ROWS: Final = 3
"""Rows that must be split before the file is looked through."""
MIN_SHARE: Final = 0.8
"""Share of these that must be joined for the table to be taken for one of so many columns as it names."""
MAX_SHAPES: Final = 50
"""A column of more shapes of values holds free text."""
MONEY: Final = {AMOUNT, UNIT_PRICE, PRICE, DISCOUNT, REFUND}
WHOLE: Final = re.compile(r"\s*[^\w\s]*\s*[-+]?(\d{1,3}([.\s'’]\d{3})+|\d+)")
CENTS: Final = re.compile(r"\d{1,2}\s*[^\d\s]{0,3}\s*")
"""Patterns before and behind the decimal comma of an amount."""
Joined = tuple[list[str], tuple[int, ...]]
"""A row, and the places of its cells that were split."""


@dataclass(frozen=True)
class _Columns:
    """What the rows that are as wide as the table show of its columns.

    Args:
        shapes: of the values of each column; empty where it may hold any text.
        texts: places of columns of text.
        money: places of columns with names of amounts.
        indented: whether cells begin with a blank.
    """

    shapes: tuple[frozenset[str], ...]
    texts: tuple[int, ...]
    money: tuple[int, ...]
    indented: bool

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]], names: Sequence[str]) -> _Columns:
        """Return what rows show of the columns of these names."""
        full_rows = [cells for cells in rows if len(cells) == len(names)]
        shapes, texts = [], []
        for at in range(len(names)):
            values = {cells[at] for cells in full_rows}
            different = frozenset(map(_shape, values))
            is_text = any(value.strip() and not re.search(r"\d", value) for value in values)
            shapes.append(frozenset[str]() if is_text or len(different) > MAX_SHAPES else different)
            texts += [at] if is_text else []
        money = tuple(at for at, column in enumerate(names) if column_roles(column) & MONEY)
        return cls(tuple(shapes), tuple(texts), money, any(_is_indented(cell) for cells in full_rows for cell in cells))

    def join(self, cells: Sequence[str], delimiter: str) -> Joined | None:
        """Return a row of too many cells with its parts joined; None where that is unsure."""
        more = len(cells) - len(self.shapes)
        ways: list[Joined] = []
        for at in self.texts:
            end = at + more + 1
            ways.append(([*cells[:at], delimiter.join(cells[at:end]), *cells[end:]], (at,)))
        if delimiter == "," and more <= len(self.money):
            ways += [way for places in combinations(self.money, more) if (way := _join_amounts(cells, places))]
        ways = [way for way in ways if self._fits(*way)]
        if len(ways) > 1 and not self.indented:
            ways = [way for way in ways if not any(map(_is_indented, way[0]))]
        return ways[0] if len(ways) == 1 else None

    def _fits(self, row: Sequence[str], joined: Sequence[int]) -> bool:
        """Return whether all values but the joined ones look like others of their columns."""
        return all(
            at in joined or not shapes or _shape(cell) in shapes
            for at, (cell, shapes) in enumerate(zip(row, self.shapes, strict=True))
        )


def rejoin_cells(
    connection: duckdb.DuckDBPyConnection, path: Path, dialect: Dialect, scratch: Path
) -> tuple[Path, Dialect] | None:
    """Return a copy of a text file whose split cells are joined and quoted, and its dialect; None where none are.

    Lines keep their numbers. Lines with quotes stay as they are.

    Args:
        connection: the engine.
        path: the file.
        dialect: how its cells are separated.
        scratch: where the copy goes.
    """
    if dialect.blanks or not dialect.quote or dialect.escape != dialect.quote:
        return None
    rows = [cells for _, cells in islice(_plain_rows(path, dialect), JUDGED_ROWS) if cells]
    for width in dict.fromkeys((dialect.named, len(dialect.columns))):
        wide = [cells for cells in rows if len(cells) > width]
        if len(wide) < MIN_SPLIT_ROWS:
            continue
        columns = _Columns.of(rows, dialect.columns[:width])
        joined = sum(columns.join(cells, dialect.delimiter) is not None for cells in wide)
        if joined >= max(MIN_SPLIT_ROWS, MIN_SHARE * len(wide) if width < len(dialect.columns) else 0):
            return _write_joined(path, dialect, columns, scratch / "rejoined.csv")
    return None


def _shape(cell: str) -> str:
    """Return what a value looks like: ``a9-9`` for K1001-2."""
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", cell.strip()))


def _is_indented(cell: str) -> bool:
    return cell.startswith(" ") and bool(cell.strip())


def _join_amounts(cells: Sequence[str], places: Sequence[int]) -> Joined | None:
    """Return a row whose amounts at ``places`` were split at their decimal commas, None where one is no such amount."""
    row = list(cells)
    for at in places:
        if not (WHOLE.fullmatch(row[at]) and CENTS.fullmatch(row[at + 1])):
            return None
        row[at : at + 2] = [f"{row[at]},{row[at + 1]}"]
    return row, tuple(places)


def _plain_rows(path: Path, dialect: Dialect) -> Iterator[tuple[str, list[str]]]:
    """Yield the lines below the names, and the cells of those that are a row by themselves and hold no quotes."""
    is_open = False
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in islice(file, dialect.header_line, None):
            quotes = line.count(dialect.quote)
            plain = not quotes and not is_open and line.strip()
            is_open ^= bool(quotes % 2)
            yield line, line.rstrip("\r\n").split(dialect.delimiter) if plain else []


def _write_joined(path: Path, dialect: Dialect, table: _Columns, target: Path) -> tuple[Path, Dialect]:
    width, count, first, places = len(table.shapes), 0, 0, set[int]()
    with path.open(encoding="utf-8", newline="\n") as source, target.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(islice(source, dialect.header_line))
        for number, (line, cells) in enumerate(_plain_rows(path, dialect), dialect.header_line + 1):
            way = table.join(cells, dialect.delimiter) if len(cells) > width else None
            if way is not None:
                row, split = way
                for at in split:
                    row[at] = f"{dialect.quote}{row[at]}{dialect.quote}"
                line = dialect.delimiter.join(row) + "\n"
                count, first, places = count + 1, first or number, places | set(split)
            out.write(line)
    columns = dialect.columns[:width]
    params = {"rows": count, "line": first, "columns": [columns[at] for at in sorted(places)]}
    notes = [note for note in dialect.notes if note.code != "warning.blank_header" or width == len(dialect.columns)]
    return target, replace(dialect, columns=columns, notes=(*notes, Message("warning.joined_cells", params)))


# Reports with each customer in a row of its own above the rows of its sales, and a row of totals below them. The name
# is written into each row of its group, but only where every group is closed by a row that repeats its name: an empty
# cell under a filled one means nothing by itself.

MIN_GROUPS: Final = 2
"""Groups with a row of totals that repeats the name: one may be an accident (a guess)."""
MAX_OTHERS: Final = 1
"""Rows that belong to no group: that of the sum of all. More come from groups within groups."""
HEADED: Final = "warning.headed_groups"
CUSTOMER: Final = "Customer"
"""What the column of names is called where the report has no name for it."""


def _name_groups(
    connection: duckdb.DuckDBPyConnection, path: Path, dialect: Dialect, scratch: Path
) -> tuple[Path, Dialect] | None:
    first, *rest = dialect.columns
    unnamed, dated = first == "column_1", EVENT_TIME in column_roles(first)
    if any(CUSTOMER_ID in column_roles(column) for column in rest):
        return None
    if not (unnamed or dated or CUSTOMER_ID in column_roles(first)):
        return None
    if not all(_are_groups(connection, _grouped(path, dialect, dated, limit)) for limit in (JUDGED_ROWS, None)):
        return None
    rows = _grouped(path, dialect, dated)
    customer = CUSTOMER if dated or unnamed else first
    columns = (customer, *(dialect.columns if dated else rest))
    who = f"CASE WHEN clv_kind = 'row' THEN clv_held ELSE nullif(clv_head, '') END AS {name(customer)}"
    cells = ", ".join([who, *map(name, columns[1:])])
    groups, totals, shown = one(
        connection,
        "SELECT count(DISTINCT clv_group) FILTER (clv_kind = 'row'), count(*) FILTER (clv_kind <> 'row'),"
        f" arg_min(clv_held, clv_place) FILTER (clv_kind = 'row') FROM {rows}",
    )
    note = Message(HEADED, {"groups": groups, "totals": totals, "first": str(shown)[:60]})
    notes = (*(item for item in dialect.notes if item.code != "warning.blank_header"), note)
    query = f"SELECT {cells} FROM {rows} ORDER BY clv_place"
    return _copied(connection, query, path, replace(dialect, columns=columns, notes=notes), scratch / "groups.csv")


def with_pseudonyms(notes: Iterable[Message], key: bytes) -> tuple[Message, ...]:
    """Return the warnings about a file with the name of its first group, a customer's, as a pseudonym.

    Args:
        notes: of the file.
        key: of the pseudonyms.
    """
    return tuple(
        replace(note, params={**note.params, "first": pseudonym(key, note.params["first"])})
        if note.code == HEADED
        else note
        for note in notes
    )


def _grouped(path: Path, dialect: Dialect, dated: bool, limit: int | None = None) -> str:
    """Return the table expression of the rows with their number, kind, and the name above them.

    The innermost query numbers the rows and splits off the first cell; the next one gives each row the last heading at
    or above it, and that one's number as its group; the outer one names the kind.
    """
    first, *rest = map(name, dialect.columns)
    rows = f"{_text_rows(path, dialect, padded=True)}{f' LIMIT {limit}' if limit else ''}"
    parts = (
        f"SELECT *, row_number() OVER () AS clv_place, trim(coalesce({first}, '')) AS clv_head,"
        f" trim(concat_ws('', {', '.join(rest)})) AS clv_rest FROM {rows}"
    )
    heading = "CASE WHEN clv_head <> '' AND clv_rest = '' THEN"
    filled = (
        f"SELECT *, last_value({heading} clv_head END IGNORE NULLS) OVER (ORDER BY clv_place) AS clv_held,"
        f" max({heading} clv_place END) OVER (ORDER BY clv_place) AS clv_group"
    )
    inside = "regexp_matches(clv_head, '^[0-9]')" if dated else "clv_head = ''"
    return (
        "(SELECT *, CASE WHEN clv_rest = '' THEN 'heading'"
        " WHEN clv_head <> clv_held AND contains(clv_head, clv_held) THEN 'total'"
        f" WHEN {inside} THEN 'row' ELSE 'other' END AS clv_kind FROM ({filled} FROM ({parts})))"
    )


def _are_groups(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Return whether nearly all rows belong to groups, each of which ends with its total; the last may be cut off.

    The inner query counts sales and totals of each group; the outer one counts groups: with sales, closed by one total
    behind them, broken; and rows of no group.
    """
    groups, closed, broken, unmatched = one(
        connection,
        "SELECT count(*) FILTER (sales > 0), count(*) FILTER (sales > 0 AND totals = 1 AND last_total > last_sale),"
        " count(*) FILTER (totals > 1 OR (sales > 0 AND clv_group IS NULL)), coalesce(sum(others), 0) FROM"
        " (SELECT clv_group, count(*) FILTER (clv_kind = 'row') AS sales,"
        " count(*) FILTER (clv_kind = 'total') AS totals,"
        " max(clv_place) FILTER (clv_kind = 'row') AS last_sale,"
        " max(clv_place) FILTER (clv_kind = 'total') AS last_total,"
        f" count(*) FILTER (clv_kind = 'other') AS others FROM {rows} GROUP BY clv_group)",
    )
    return bool(closed >= MIN_GROUPS and groups - closed <= 1 and not broken and unmatched <= MAX_OTHERS)


# Reports that name a customer in the first row of her orders only. Shops leave ids blank for guests too. So the file
# must show that it is sorted by customer: no id comes twice, and times go one way below an id and back where the next
# one begins.

MIN_ROWS: Final = 10
"""Rows without an id that are later, or earlier, than the row above them."""
MIN_TURNS: Final = 0.2
"""Share of ids, of three at least, at which times go back."""
OF_ORDERS: Final = {EVENT_TIME, ORDER_ID, AMOUNT, UNIT_PRICE, PRICE}
"""What each order has by itself, whoever it is of."""


def _fill_down(
    connection: duckdb.DuckDBPyConnection, path: Path, dialect: Dialect, scratch: Path
) -> tuple[Path, Dialect] | None:
    roles = {column: column_roles(column) for column in dialect.columns}
    id_columns = [column for column in roles if CUSTOMER_ID in roles[column]]
    times = [column for column in roles if EVENT_TIME in roles[column]]
    if not id_columns or not times:
        return None
    ids = min(id_columns, key=lambda column: SURE_NAMES.get(fold(column)) != CUSTOMER_ID)
    of_orders = [column for column in roles if roles[column] & OF_ORDERS]
    key, table = cell_text(name(ids), Kind.TEXT), _text_rows(path, dialect)
    first = f"{table} LIMIT {JUDGED_ROWS}"
    seen, different, blank = one(
        connection, f"SELECT count(i), count(DISTINCT i), count(*) - count(i) FROM (SELECT {key} AS i FROM {first})"
    )
    if seen != different or blank < MIN_ROWS:
        return None
    for order in ("dmy", "mdy", "ymd"):
        some, rows = (_blocks(part, ids, times[0], of_orders, order) for part in (first, table))
        if _is_sorted(connection, some) and _is_sorted(connection, rows):
            break
    else:
        return None
    block = "OVER (PARTITION BY clv_block ORDER BY clv_place)"
    cells = ", ".join(
        f"first_value({name(column)}) {block} AS {name(column)}" if column in id_columns else name(column)
        for column in dialect.columns
    )
    blank, customers = one(
        connection, f"SELECT count(*) FILTER (clv_id IS NULL AND clv_time IS NOT NULL), count(clv_id) FROM {rows}"
    )
    note = Message("warning.filled_down", {"column": ids, "rows": blank, "customers": customers})
    query = f"SELECT {cells} FROM {rows} ORDER BY clv_place"
    return _copied(connection, query, path, replace(dialect, notes=(*dialect.notes, note)), scratch / "filled.csv")


def _blocks(table: str, ids: str, time: str, of_orders: list[str], order: str) -> str:
    """Return the table expression of the rows with their number, the number of their id, and their time."""
    when = TimeReading(order).value(cell_text(name(time), Kind.TIME))
    full = " AND ".join(f"{name(column)} IS NOT NULL" for column in of_orders)
    named = f"{cell_text(name(ids), Kind.TEXT)} AS clv_id, {when} AS clv_time, {full} AS clv_full"
    numbered = f"SELECT *, row_number() OVER () AS clv_place, {named} FROM {table}"
    return f"(SELECT *, count(clv_id) OVER (ORDER BY clv_place) AS clv_block FROM ({numbered}))"


def _is_sorted(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Return whether each id is in the first row of its customer.

    The inner query puts the time of the row above next to each row's; the outer one counts in which direction times go
    within blocks, and where a new id begins.
    """
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


def _text_rows(path: Path, dialect: Dialect, *, padded: bool = False) -> str:
    """Return the table expression of a text file in the order of its lines.

    Args:
        path: the file.
        dialect: how its cells are separated.
        padded: whether rows of too few cells are rows too.
    """
    return dialect.table(path, dialect.columns, f"null_padding = {str(padded).lower()}, parallel = false")


def _copied(
    connection: duckdb.DuckDBPyConnection, query: str, path: Path, dialect: Dialect, target: Path
) -> tuple[Path, Dialect]:
    """Write the rows of ``query`` as CSV below as many lines as the file has above its rows."""
    body = target.with_suffix(".rows")
    connection.execute(f"COPY ({query}) TO {text(str(body))} (FORMAT csv, HEADER false, DELIMITER ',')")
    with path.open("rb") as source, target.open("wb") as out, body.open("rb") as lines:
        out.writelines(source.readline() for _ in range(dialect.header_line))
        while block := lines.read(BLOCK):
            out.write(block)
    body.unlink()
    return target, replace(dialect, delimiter=",", quote='"', escape='"', blanks=False)


STEPS: Final[tuple[Callable[[duckdb.DuckDBPyConnection, Path, Dialect, Path], tuple[Path, Dialect] | None], ...]] = (
    rejoin_cells,
    _name_groups,
    _fill_down,
)
