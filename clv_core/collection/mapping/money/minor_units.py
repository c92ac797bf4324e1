"""Amounts in smaller units than their currency.

In cents: services of payments write 1999 where a shop writes 19.99. A person says so; it is not guessed. In millionths:
so Google Analytics exports revenue, and its names of columns tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

import duckdb

from clv_core.collection.engine import T, name, one
from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.mapping.plan.names import PAID
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.mapping.proposals.by_name import last_key
from clv_core.collection.parse.currencies import minor_units, minor_units_sql
from clv_core.collection.read.source import Source
from clv_core.collection.vocabulary.column_names import CURRENCY
from clv_core.columns import AMOUNT, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer

MINOR: Final = "minor"
MICRO: Final = "micro"
UNITS: Final = ("major", MINOR, MICRO)
"""What amounts can be said to be in: the currency itself, its smallest unit, or millionths."""
MILLION: Final = 1_000_000
OF_MILLIONTHS: Final = re.compile(r"(?i)(total)?_?transaction_?revenue|local(total)?transactionrevenue|\w*micros")
"""Columns of Google Analytics: such as totals.transactionRevenue, purchase_revenue_micros."""
SMALL: Final = 100_000
"""Millionths of a usual amount: a tenth of one."""
WITH_CENTS: Final = ("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD")
"""Currencies in which shops hardly ever have prices without cents alone."""
FEWEST: Final = 20
USUAL: Final = 200
"""A usual amount is as large, or larger: 2.00 at least."""
UNEVEN: Final = 0.8
WHOLE: Final = re.compile(r"[+-]?\d+")


def told_minor(rows: Sequence[Mapping[str, Any]], column: str, currency: str) -> tuple[Message, ...]:
    """Return a warning where all amounts are whole, large and uneven numbers in a currency with cents.

    Args:
        rows: the first rows as text.
        column: of the amounts; empty where there is none.
        currency: what they are in.
    """
    if not column or currency not in WITH_CENTS:
        return ()
    values = filled(rows, column)
    amounts = [abs(int(value)) for value in values if WHOLE.fullmatch(value) and int(value)]
    if len(amounts) < FEWEST or not all(WHOLE.fullmatch(value) for value in values):
        return ()
    uneven = sum(amount % 100 != 0 for amount in amounts)
    usual = int(median(amounts))
    if usual < USUAL or uneven < UNEVEN * len(amounts):
        return ()
    return (Message("warning.maybe_cents", {"column": column, "currency": currency, "usual": usual}),)


def tells_micro(rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    """Say whether a column of amounts is in millionths: by its name, and by whole and large numbers.

    Args:
        rows: the first rows as text.
        column: of the amounts; empty where there is none.
    """
    if not OF_MILLIONTHS.fullmatch(last_key(column)):
        return False
    values = filled(rows, column)
    amounts = [abs(int(value)) for value in values if WHOLE.fullmatch(value) and int(value)]
    return bool(amounts) and all(map(WHOLE.fullmatch, values)) and median(amounts) >= SMALL


def of_units(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    rows: Sequence[Mapping[str, Any]],
    plan: ReadingPlan,
    unit: str | None,
    currency: str,
) -> tuple[str, tuple[Message, ...]]:
    """Return SQL for how many units of the amounts make one of their currency, and what is to be said of it.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        plan: how it is read, the numbers as they stand in the file.
        unit: of :data:`UNITS`, as the person said; None where they did not.
        currency: what the amounts are in; "" where nothing says it.

    Raises:
        NeedsAnswer: amounts have fractions, so that they are no minor units.
    """
    column = plan.chosen.get(AMOUNT, "")
    if unit == MINOR:
        return in_minor(connection, source, plan, currency)
    if unit == MICRO or (not unit and tells_micro(rows, column)):
        return str(MILLION), (Message("warning.micro_units", {"columns": _paid(plan), "units": MILLION}),)
    return "", () if unit else told_minor(rows, column, currency)


def in_minor(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan, currency: str
) -> tuple[str, tuple[Message, ...]]:
    """Return SQL for how many units of the amounts make one of their currency, and what is to be said of it.

    Args:
        connection: the engine.
        source: the file.
        plan: how it is read, the numbers as they stand in the file.
        currency: what the amounts are in, where no column says it for each row; "" where nothing does.

    Raises:
        NeedsAnswer: amounts have fractions, so that they are no minor units.
    """
    money = AMOUNT if AMOUNT in plan.chosen else UNIT_PRICE
    if money not in plan.chosen:
        return "", ()
    column = plan.chosen[money]
    cell = f"{T}{money}"
    value = plan.numbers[money].value(cell)
    code = f"upper(trim({name(plan.chosen[CURRENCY])}))" if CURRENCY in plan.chosen else "NULL::VARCHAR"
    fraction = f"{value} <> round({value})"
    broken, example, codes = one(
        connection,
        f"SELECT count(*) FILTER ({fraction}), any_value({cell}) FILTER ({fraction}), count(DISTINCT clv_code) FROM"
        f" (SELECT {plan.clean(money)} AS {cell}, {code} AS clv_code FROM {source.relation()})",
    )
    if broken:
        raise NeedsAnswer("minor_fractions", column=column, rows=broken, example=example[:40])
    told = {"columns": _paid(plan), "currency": currency}
    if codes > 1:
        return minor_units_sql(name(plan.chosen[CURRENCY])), (
            Message("warning.minor_by_currency", told | {"other": plan.chosen[CURRENCY]}),
        )
    units = minor_units(currency)
    said = "warning.minor_units" if currency else "warning.minor_unknown"
    return str(units), (Message(said, told | {"units": units}),)


def _paid(plan: ReadingPlan) -> list[str]:
    """Return the source columns of money."""
    return [plan.chosen[item] for item in PAID if item in plan.chosen]
