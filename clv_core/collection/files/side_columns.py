"""Two columns of one amount, of which each row fills one: debit and credit, paid out and paid in, 借方 and 贷方.

They become one column of signed amounts, and where words leave open which side is that of sales, one for either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import name, one, text
from clv_core.collection.parse import numbers
from clv_core.collection.vocabulary.row_types import BOOKED, OF_SERVICES, PAID

JUDGED_ROWS: Final = 2_000
BOTH: Final = 0.01
"""Share of rows that may fill both sides; more, and the two are not those of one amount."""
UNIT: Final = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")
LESS: Final = " - "
"""What stands between the names of the two columns in that of the one made of them."""


def side_columns(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Return the columns made of each such pair, with their SQL: ``Credit - Debit`` is above zero for what came in.

    Args:
        connection: the engine.
        relation: table expression of the file.
        columns: the file's own.
    """
    made: list[tuple[str, str]] = []
    for out, into, plain in pairs(columns):
        minus = _minus(connection, relation, out, into)
        if minus is None:
            continue
        if not plain:
            made.append((out + LESS + into, _signed(out, into, minus)))
        made.append((into + LESS + out, _signed(into, out, minus)))
    return tuple(item for item in made if item[0] not in columns)


def pairs(columns: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
    """Yield what is called the column of what went out, that of what came in, and whether words say which is which."""
    known = {UNIT.sub("", column.casefold()): column for column in reversed(columns)}
    known |= {column.casefold(): column for column in columns}
    seen: set[str] = set()
    for column in columns:
        for words, plain in (*((pair, True) for pair in PAID), *((pair, False) for pair in BOOKED)):
            out, into = words
            other = re.sub(rf"(?<![^\W\d_]){re.escape(out)}(?![^\W\d_])", into, column.casefold(), count=1)
            other = other if out.isascii() else column.casefold().replace(out, into, 1)
            other = other if other in known else UNIT.sub("", other)
            if (
                other != column.casefold()
                and other in known
                and known[other] != column
                and not {column, known[other]} & seen
            ):
                seen |= {column, known[other]}
                yield column, known[other], plain or column.casefold().endswith(OF_SERVICES)


def _minus(connection: duckdb.DuckDBPyConnection, relation: str, out: str, into: str) -> frozenset[str] | None:
    """Return which of two columns write all their amounts below zero; None where they are no sides of one amount.

    They are where both hold numbers or nothing, and a row fills one of them.
    """
    number = numbers.NumberReading()
    counts = [
        f"count(*) FILTER ({_filled(out)} OR {_filled(into)})",
        f"count(*) FILTER ({_filled(out)} AND {_filled(into)})",
    ]
    for column in (out, into):
        cell = f"trim({name(column)})"
        counts.append(f"count(*) FILTER ({_filled(column)})")
        counts.append(f"count(*) FILTER ({_filled(column)} AND {_below(cell)})")
        counts.append(f"count(*) FILTER ({_filled(column)} AND {number.value(cell)} IS NULL)")
    filled, both, *sides = one(
        connection,
        f"SELECT {', '.join(counts)} FROM (SELECT * FROM {relation} LIMIT {JUDGED_ROWS})",
    )
    if not filled or both > BOTH * filled or sides[2] or sides[5]:
        return None
    told = ((out, sides[0], sides[1]), (into, sides[3], sides[4]))
    return frozenset(column for column, known, below in told if known and below == known)


def _filled(column: str) -> str:
    """Return SQL that says whether a cell holds an amount other than nothing."""
    digits = f"translate(coalesce({name(column)}, ''), {text(numbers.DIGITS[0])}, {text(numbers.DIGITS[1])})"
    return f"regexp_matches({digits}, '[1-9]')"


def _below(cell: str) -> str:
    return f"regexp_matches({cell}, {text(numbers.BELOW)})"


def _signed(more: str, less: str, minus: frozenset[str]) -> str:
    """Return SQL for the text of the amount; a row that fills both sides holds none that can be read.

    Args:
        more: the column whose amounts are added.
        less: that whose amounts are taken off.
        minus: columns whose sign says no more than their side does.
    """
    cells = [f"trim({name(column)})" for column in (more, less)]
    turned = [f"CASE WHEN {_below(cell)} THEN translate({cell}, '-−－()', '') ELSE '-' || {cell} END" for cell in cells]
    added = turned[0] if more in minus else cells[0]
    taken = cells[1] if less in minus else turned[1]
    return (
        f"CASE WHEN {_filled(more)} AND {_filled(less)} THEN concat({cells[0]}, ' | ', {cells[1]})"
        f" WHEN {_filled(more)} THEN {added} WHEN {_filled(less)} THEN {taken}"
        f" ELSE coalesce({cells[0]}, {cells[1]}) END"
    )
