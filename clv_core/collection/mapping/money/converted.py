"""Amounts in several currencies, and beside them a column that holds the same ones in a single currency."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.mapping.columns.money import NAMED
from clv_core.collection.mapping.columns.proposed import Proposal
from clv_core.collection.parse.cell_texts import number_cells
from clv_core.collection.read.source import Source
from clv_core.collection.vocabulary.column_names import CURRENCY
from clv_core.columns import AMOUNT, REFUND
from clv_core.errors import Message

JUDGED_ROWS: Final = 200_000
NEARLY_ALL: Final = 0.95
HALF: Final = 0.5
FEWEST: Final = 3
"""Rows in the currency that all amounts are converted to, before their being equal is no accident."""
SWING: Final = 1.5
"""No rate moves by more within a log."""
CENT: Final = 0.011
CODE: Final = re.compile("[A-Z]{3}")
CONVERTED: Final = re.compile(
    r"(?i)conver|\bbase|_base|base_|reporting|\bhome|_home|home_|company_curr|basisw|hauswährung|umgerechnet"
    r"|本位币|折算|换算|換算"
)
"""What the name of such a column holds."""


def settle_converted(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    mapping: Mapping[str, str],
) -> tuple[dict[str, str], str, tuple[Message, ...]]:
    """Return the columns with the amounts, and refunds, in one currency, that currency, and what is to be said.

    Without such a column all stays as it is, and the currency is "".

    Args:
        connection: the engine.
        source: the file.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        mapping: what the person said of columns; an amount that was said stays, and may be the converted one.
    """
    if not {AMOUNT, CURRENCY} <= set(chosen):
        return dict(chosen), "", ()
    amount, currency = chosen[AMOUNT], name(chosen[CURRENCY])
    if one(connection, f"SELECT count(DISTINCT upper(trim({currency}))) FROM {source.relation()}")[0] < 2:
        return dict(chosen), "", ()
    others = [item.column for item in proposals if item.money >= NAMED and item.column != amount]
    rest = {canonical: column for canonical, column in chosen.items() if canonical != CURRENCY}
    home = next(filter(None, (_home(connection, source, currency, other, amount) for other in others)), "")
    if home or AMOUNT in mapping:
        return (rest if home else dict(chosen)), home, ()
    for other in others:
        home = _home(connection, source, currency, amount, other)
        back = _refunds(connection, source, proposals, chosen) if home and REFUND in chosen else None
        if home and back != "":
            params = {"column": amount, "other": other, "currency": home}
            found = {**rest, AMOUNT: other} | ({REFUND: back} if back else {})
            return found, home, (Message("warning.amount_converted", params),)
    return dict(chosen), "", ()


def _refunds(
    connection: duckdb.DuckDBPyConnection, source: Source, proposals: Sequence[Proposal], chosen: Mapping[str, str]
) -> str:
    """Return the column of what was paid back in the one currency, "" where there is none."""
    found = (
        item.column
        for item in proposals
        if item.column not in chosen.values()
        and _home(connection, source, name(chosen[CURRENCY]), chosen[REFUND], item.column)
    )
    return next(found, "")


def _home(connection: duckdb.DuckDBPyConnection, source: Source, currency: str, before: str, after: str) -> str:
    """Return the one currency that amounts in several were converted to, "" where nothing says so.

    In its rows both columns are equal, in those of each other currency one rate is between them. That holds in either
    direction: the column's name has to say that it is the converted one.

    Args:
        connection: the engine.
        source: the file.
        currency: SQL of the column of currencies.
        before: the column of amounts in several currencies.
        after: that of amounts in one, if it is that.
    """
    for decimal in ("point", "comma"):
        a, b = number_cells((before, after), decimal)
        rows = connection.execute(
            f"SELECT c, count(*), count(b), count(*) FILTER (abs(a - b) < {CENT}), quantile_cont(b / a, 0.05),"
            f" quantile_cont(b / a, 0.95) FROM (SELECT upper(trim({currency})) AS c, {a} AS a, {b} AS b"
            f" FROM {source.relation()} LIMIT {JUDGED_ROWS}) WHERE a <> 0 AND c <> '' GROUP BY 1"
        ).fetchall()
        homes = [
            c for c, n, known, same, *_ in rows if CODE.fullmatch(c) and known >= FEWEST and same >= NEARLY_ALL * n
        ]
        rated = sum(_rated(*row[1:]) for row in rows)
        if len(homes) == 1 and rated and rated + 1 == len(rows) and _says_so(after, str(homes[0])):
            return str(homes[0])
    return ""


def _rated(rows: int, known: int, same: int, low: float | None, high: float | None) -> bool:
    """Say whether one rate stands between the amounts of a currency: most of its quotients are about the same."""
    return (
        known >= NEARLY_ALL * rows and same <= HALF * rows and low is not None and 0 < low <= (high or 0) <= SWING * low
    )


def _says_so(column: str, home: str) -> bool:
    """Say whether a column is called by the currency that its amounts were converted to, or as converted."""
    return bool(CONVERTED.search(column)) or home in re.split(r"[\W_]+", column.upper())
