"""Amounts in several currencies beside their exchange rate: columns of the amount times the rate, and divided by it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.parse.numbers import NumberReading
from clv_core.collection.vocabulary.column_names import CURRENCY, LIKELY_NAMES, SURE_NAMES, fold
from clv_core.columns import AMOUNT
from clv_core.errors import Message

RATE: Final = re.compile(
    r"(?i)exchange.?rate|fx.?rate|currency.?rate|conversion.?rate|wechselkurs|taux.?de.?change|tipo.?de.?cambio"
    r"|tasso.?di.?cambio|taxa.?de.?câmbio|курс|汇率|匯率|為替|환율"
)
WAYS: Final = ("*", "/")
"""A rate is what one unit of the row's currency is worth in the shop's, or the other way about."""


def of_exchange_rates(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> tuple[tuple[tuple[str, str], ...], tuple[Message, ...]]:
    """Return such columns with their SQL, and nothing to be said; none where all amounts are in one currency.

    Args:
        connection: the engine.
        relation: table expression of the file.
        columns: the file's own.
    """
    rate = next(filter(RATE.search, columns), None)
    code = next((column for column in columns if SURE_NAMES.get(fold(column)) == CURRENCY), None)
    amounts = [
        column for names in (SURE_NAMES, LIKELY_NAMES) for column in columns if names.get(fold(column)) == AMOUNT
    ]
    if rate is None or code is None or not amounts:
        return (), ()
    if one(connection, f"SELECT count(DISTINCT nullif(trim({name(code)}), '')) FROM {relation}")[0] < 2:
        return (), ()
    amount, factor = (NumberReading().value(f"nullif(trim({name(column)}), '')") for column in (amounts[0], rate))
    made = [(f"{amounts[0]} {way} {rate}", f"round({amount} {way} nullif({factor}, 0), 6)::VARCHAR") for way in WAYS]
    return tuple(item for item in made if item[0] not in columns), ()
