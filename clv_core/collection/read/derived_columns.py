"""Columns made of two others: those that a person names (``A | B``, ``A - B``), and those that are offered.

:data:`RULES` offer them, in the order in which their columns follow those of the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name, one, text
from clv_core.collection.parse import numbers
from clv_core.collection.parse.numbers import NumberReading
from clv_core.collection.read.dialect import column_roles
from clv_core.collection.vocabulary.column_names import CURRENCY, PRICE, SURE_NAMES, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.collection.vocabulary.order_statuses import BOOKED, OF_SERVICES, PAID
from clv_core.columns import AMOUNT, QUANTITY, UNIT_PRICE

_VOCABULARY: Final = load_vocabulary()

JUDGED_ROWS: Final = 2_000
"""First rows by which columns are judged."""
Columns = tuple[tuple[str, str], ...]
"""Names with their SQL."""


@dataclass(frozen=True)
class Table:
    """A file before columns are added.

    Args:
        connection: the engine.
        relation: its table expression.
        columns: its own columns.
    """

    connection: duckdb.DuckDBPyConnection
    relation: str
    columns: Sequence[str]

    def judge(self, *counts: str) -> tuple[Any, ...]:
        """Return what SQL aggregates give over the first rows."""
        return one(
            self.connection, f"SELECT {', '.join(counts)} FROM (SELECT * FROM {self.relation} LIMIT {JUDGED_ROWS})"
        )


def derived_columns(connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]) -> Columns:
    """Return all columns made of a file's own with their SQL.

    Args:
        connection: the engine.
        relation: table expression of the file.
        columns: the file's own.
    """
    table = Table(connection, relation, columns)
    return tuple(item for rule in RULES for item in rule(table) if item[0] not in columns)


def operands(column: str) -> tuple[str, str, str] | None:
    """Return the two columns that a name such as ``A | B`` or ``A - B`` is made of, the sign between them; None for one
    column's.
    """
    sign = next((sign for sign in (FIRST, LESS) if sign in column), "")
    left, _, right = column.partition(sign) if sign else ("", "", "")
    return (left, sign, right) if left and right else None


def named_columns(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str], named: Iterable[str]
) -> Columns:
    """Return the columns with their SQL that a person, or a recipe, named as made of two of a file's own.

    Args:
        connection: the engine.
        relation: table expression of the file.
        columns: the file's own.
        named: as they were named; others than ``A | B`` and ``A - B`` count nothing.
    """
    table, spelled = Table(connection, relation, columns), {column.lower(): column for column in columns}
    derived: list[tuple[str, str]] = []
    for column in dict.fromkeys(named):
        left, sign, right = operands(column) or ("", "", "")
        one_side, other = spelled.get(left.lower()), spelled.get(right.lower())
        if one_side and other and column not in columns:
            made = _first_filled(table, one_side, other) if sign == FIRST else _difference(one_side, other)
            derived.append((column, made))
    return tuple(derived)


def _first_filled(table: Table, first: str, second: str) -> str:
    """Return SQL for the first of two cells that is filled; a column without a blank one has 0 in place of it."""
    cell = f"nullif(trim({name(first)}), '')"
    if not table.judge(f"count(*) FILTER ({cell} IS NULL)")[0]:
        cell = f"CASE WHEN {_is_amount(first)} OR regexp_matches({cell}, '\\pL') THEN {cell} END"
    return f"coalesce({cell}, {name(second)})"


def _difference(left: str, right: str) -> str:
    """Return SQL for the text of one number less another; a blank one is nothing."""
    both = f"{_number(left)}::DECIMAL(28, 6) - {_number(right)}::DECIMAL(28, 6)"
    return f"CASE WHEN {_is_amount(right)} THEN coalesce(({both})::VARCHAR, {name(left)}) ELSE {name(left)} END"


# Debit and credit, paid out and paid in, 借方 and 贷方: two columns of one amount, of which each row fills one.

FIRST: Final = " | "
"""Separator between the names of two columns in that of the one made of them: the first, and the second where it is
blank."""
MAX_BOTH: Final = 0.01
"""Share of rows that may fill both sides; more, and the two are not those of one amount."""
UNIT: Final = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")
LESS: Final = " - "
"""Separator between the names of the two columns in that of the one made of them."""


def _signed_sides(table: Table) -> Columns:
    """Return ``Credit - Debit``, above zero for what came in; where words leave the side of sales open, both ways."""
    made: list[tuple[str, str]] = []
    for out, into, is_plain in pairs(table.columns):
        cells = {column: f"trim({name(column)})" for column in (out, into)}
        filled = {column: _is_amount(column) for column in cells}
        counts = [f"count(*) FILTER ({how.join(filled.values())})" for how in (" OR ", " AND ")]
        for column, cell in cells.items():
            unreadable = f"{NumberReading().value(cell)} IS NULL"
            counts += [f"count(*) FILTER ({filled[column]}{also})" for also in ("", f" AND {_is_negative(cell)}")]
            counts.append(f"count(*) FILTER ({filled[column]} AND {unreadable})")
        rows, both, *sides = table.judge(*counts)
        if not rows or both > MAX_BOTH * rows or sides[2] or sides[5]:
            continue
        # A column that writes all its amounts below zero only marks them as the other side's.
        negative = {column for column, at in ((out, 0), (into, 3)) if sides[at] and sides[at] == sides[at + 1]}
        for more, less in ((into, out),) if is_plain else ((out, into), (into, out)):
            made.append((more + LESS + less, _signed(more, less, negative)))
    return tuple(made)


def pairs(columns: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
    """Yield what is called the column of what went out, that of what came in, and whether words say which is which."""
    names = {UNIT.sub("", column.casefold()): column for column in reversed(columns)}
    names |= {column.casefold(): column for column in columns}
    paired: set[str] = set()
    for column in columns:
        for words, is_plain in (*((pair, True) for pair in PAID), *((pair, False) for pair in BOOKED)):
            out, into = words
            if out not in column.casefold():
                continue
            other = re.sub(rf"(?<![^\W\d_]){re.escape(out)}(?![^\W\d_])", into, column.casefold(), count=1)
            other = other if out.isascii() else column.casefold().replace(out, into, 1)
            other = other if other in names else UNIT.sub("", other)
            partner = names.get(other, column) if other != column.casefold() else column
            if partner != column and not {column, partner} & paired:
                paired |= {column, partner}
                yield column, partner, is_plain or column.casefold().endswith(OF_SERVICES)


def _is_amount(column: str) -> str:
    """Return SQL for whether a cell holds an amount other than zero."""
    digits = f"translate(coalesce({name(column)}, ''), {text(numbers.DIGITS[0])}, {text(numbers.DIGITS[1])})"
    return f"regexp_matches({digits}, '[1-9]')"


def _is_negative(cell: str) -> str:
    return f"regexp_matches({cell}, {text(numbers.BELOW)})"


def _signed(more: str, less: str, negative: set[str]) -> str:
    """Return SQL for the text of ``more - less``; a row that fills both sides holds none that can be read."""
    cells = [f"trim({name(column)})" for column in (more, less)]
    turned = [
        f"CASE WHEN {_is_negative(cell)} THEN translate({cell}, '-−－()', '') ELSE '-' || {cell} END" for cell in cells
    ]
    added = turned[0] if more in negative else cells[0]
    taken = cells[1] if less in negative else turned[1]
    return (
        f"CASE WHEN {_is_amount(more)} AND {_is_amount(less)} THEN concat({cells[0]}, ' | ', {cells[1]})"
        f" WHEN {_is_amount(more)} THEN {added} WHEN {_is_amount(less)} THEN {taken}"
        f" ELSE coalesce({cells[0]}, {cells[1]}) END"
    )


# Amounts in several currencies with their exchange rate: what one unit of the row's currency is worth in the shop's,
# or the other way about, which the file does not show.

RATE: Final = re.compile(f"(?i){_VOCABULARY.pattern('amounts', 'exchange_rates')}")
WAYS: Final = ("*", "/")


def _converted_amounts(table: Table) -> Columns:
    rate = next(filter(RATE.search, table.columns), None)
    code = next((column for column in table.columns if SURE_NAMES.get(fold(column)) == CURRENCY), None)
    amount = next((column for column in table.columns if SURE_NAMES.get(fold(column)) == AMOUNT), "")
    amount = amount or next((column for column in table.columns if AMOUNT in column_roles(column)), "")
    if rate is None or code is None or not amount:
        return ()
    currencies = f"SELECT count(DISTINCT nullif(trim({name(code)}), '')) FROM {table.relation}"
    if one(table.connection, currencies)[0] < 2:
        return ()
    factor = f"nullif({_number(rate)}, 0)"
    return tuple((f"{amount} {way} {rate}", f"round({_number(amount)} {way} {factor}, 6)::VARCHAR") for way in WAYS)


def _number(column: str) -> str:
    return NumberReading().value(f"nullif(trim({name(column)}), '')")


# Prices of 100 pieces, with a column of how many pieces each price is for.

PER: Final = " / "
"""Separator between a price and the column of how many pieces it is for, in the name of the price of one piece."""
PIECES: Final = re.compile(f"(?i){_VOCABULARY.pattern('prices', 'pieces')}")
"""What the name of such a column holds."""
TENS: Final = "('10', '100', '1000', '10000')"


def _prices_of_one(table: Table) -> Columns:
    """Return each price divided by the next column that holds 1, 10, 100 or 1,000, and not 1 alone."""
    priced = [column for column in table.columns if column_roles(column) & {UNIT_PRICE, PRICE}]
    per = [column for column in table.columns if column not in priced and PIECES.search(column)]
    if not priced or not per:
        return ()
    cell = "regexp_replace(trim({}), '[.,]0+$', '')"
    counts = [
        f"count(*) FILTER ({cell.format(name(column))} NOT IN {TENS} AND {cell.format(name(column))} <> '1'),"
        f" count(*) FILTER ({cell.format(name(column))} IN {TENS})"
        for column in per
    ]
    counted = table.judge(*counts)
    return tuple(
        (f"{price}{PER}{column}", f"round({_number(price)} / nullif({_number(column)}, 0), 6)::VARCHAR")
        for at, column in enumerate(per)
        if counted[2 * at] == 0 and counted[2 * at + 1] > 0
        for price in priced
    )


# What an order holds as a list of objects in one cell: what its lines cost together.

LISTED: Final = re.compile(r"\s*\[\s*\{")
"""How such a cell begins."""


def _sums_of_lists(table: Table) -> Columns:
    """Return the sum of amounts, or of prices times quantities, of each column of lists of objects that have them."""
    cells = {column: name(column) for column in table.columns}
    firsts = table.judge(*(f"any_value({cell}) FILTER (length({cell}) > {SHORTEST})" for cell in cells.values()))
    made: list[tuple[str, str]] = []
    for (column, cell), first in zip(cells.items(), firsts, strict=True):
        keys = {role: key for key in _keys(first) for role in column_roles(key)}
        price = keys.get(UNIT_PRICE) or keys.get(PRICE)
        if AMOUNT in keys:
            called, each = (
                keys[AMOUNT],
                f"list_transform({_listed(cell, keys[AMOUNT])}, lambda x: try_cast(x AS DOUBLE))",
            )
        elif price and QUANTITY in keys:
            called = f"{keys[QUANTITY]} x {price}"
            pairs = f"list_zip({_listed(cell, price)}, {_listed(cell, keys[QUANTITY])})"
            each = f"list_transform({pairs}, lambda x: try_cast(x[1] AS DOUBLE) * try_cast(x[2] AS DOUBLE))"
        else:
            continue
        made.append(
            (f"{column}: {called}", f"CASE WHEN json_valid({cell}) THEN round(list_sum({each}), 6)::VARCHAR END")
        )
    return tuple(made)


SHORTEST: Final = 8
"""Letters of the shortest list of one object with a key and a number."""


def _keys(cell: str | None) -> list[str]:
    """Return the keys of the first object of a list, none where a cell holds no such list."""
    try:
        items = json.loads(cell) if cell is not None and LISTED.match(cell) else []
    except ValueError:
        return []
    return list(items[0]) if items and isinstance(items[0], dict) else []


def _listed(cell: str, key: str) -> str:
    """Return SQL for the values of a key in all objects of a list."""
    quoted = key.replace('"', "")
    return f"json_extract_string({cell}, {text(f'$[*].{chr(34)}{quoted}{chr(34)}')})"


RULES: Final[tuple[Callable[[Table], Columns], ...]] = (
    _signed_sides,
    _converted_amounts,
    _prices_of_one,
    _sums_of_lists,
)
