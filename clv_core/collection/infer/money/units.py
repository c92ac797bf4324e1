"""What amounts are in: cents, millionths, thousands, or one currency that they were converted to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

from clv_core.collection.engine import T, TextRow, name
from clv_core.collection.infer.columns.proposal import NAMED, filled
from clv_core.collection.infer.log_table import CENT, MARKS, MIN_RULE_SHARE, SEARCHED_ROWS, LogTable
from clv_core.collection.infer.plan.cells import PAID
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.parse.cell_texts import number_cells
from clv_core.collection.parse.currencies import minor_units, minor_units_sql
from clv_core.collection.vocabulary.column_names import CURRENCY
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import AMOUNT, REFUND, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer

_VOCABULARY: Final = load_vocabulary()

MINOR: Final = "minor"
MICRO: Final = "micro"
MILLION: Final = 1_000_000
"""Units of ``micro``, as advertising APIs report money, to one of the currency."""
WITH_CENTS: Final = ("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD")
"""Currencies in which shops hardly ever have prices without cents alone."""
MIN_WHOLE_AMOUNTS: Final = 20
"""Amounts without a fraction, before cents are suspected. A guess."""
MIN_USUAL: Final = 200
"""A usual amount is as large, or larger: 2.00 at least."""
MIN_UNEVEN: Final = 0.8
"""Share of amounts that are no multiple of 100: prices in whole units are round more often. A guess."""
WHOLE: Final = re.compile(r"[+-]?\d+")


def cents_warning(rows: Sequence[TextRow], column: str, currency: str) -> tuple[Message, ...]:
    """Return a warning where all amounts are large, uneven integers in a currency with cents.

    Args:
        rows: the first rows as text.
        column: of the amounts; empty without one.
        currency: what they are in.
    """
    if not column or currency not in WITH_CENTS:
        return ()
    values = filled(rows, column)
    amounts = [abs(int(value)) for value in values if WHOLE.fullmatch(value) and int(value)]
    if len(amounts) < MIN_WHOLE_AMOUNTS or not all(WHOLE.fullmatch(value) for value in values):
        return ()
    uneven = sum(amount % 100 != 0 for amount in amounts)
    usual = int(median(amounts))
    if usual < MIN_USUAL or uneven < MIN_UNEVEN * len(amounts):
        return ()
    return (Message("warning.maybe_cents", {"column": column, "currency": currency, "usual": usual}),)


def read_units(log: LogTable, plan: ReadingPlan, unit: str | None, currency: str) -> tuple[str, tuple[Message, ...]]:
    """Return SQL for how many units of the amounts make one of their currency, and warnings.

    Args:
        log: the file.
        plan: how it is read, the numbers as they stand in the file.
        unit: ``major``, ``minor`` or ``micro``, as answered; None without an answer.
        currency: of the amounts, where no column has it row by row; "" if not detected.

    Raises:
        NeedsAnswer: amounts have fractions, so that they are neither minor units nor millionths.
    """
    money = AMOUNT if AMOUNT in plan.column_of else UNIT_PRICE
    if unit is None and plan.column_of.get(AMOUNT, "").casefold().endswith("micros"):
        unit = MICRO
    if unit not in (MINOR, MICRO):
        return "", () if unit else cents_warning(log.rows, plan.column_of.get(AMOUNT, ""), currency)
    if money not in plan.column_of:
        return "", ()
    cell = f"{T}{money}"
    value = plan.numbers[money].value(cell)
    code = f"upper(trim({name(plan.column_of[CURRENCY])}))" if CURRENCY in plan.column_of else "NULL::VARCHAR"
    fraction = f"{value} <> round({value})"
    broken, example, codes = log.fetch_one(
        f"SELECT count(*) FILTER ({fraction}), any_value({cell}) FILTER ({fraction}), count(DISTINCT clv_code) FROM"
        f" (SELECT {plan.clean(money)} AS {cell}, {code} AS clv_code FROM {log.relation})"
    )
    if broken:
        raise NeedsAnswer("minor_fractions", column=plan.column_of[money], rows=broken, example=example[:40])
    params: dict[str, Any] = {"columns": [plan.column_of[item] for item in PAID if item in plan.column_of]}
    if unit == MICRO:
        return str(MILLION), (Message("warning.micro_units", params | {"units": MILLION}),)
    params["currency"] = currency
    if codes > 1:
        by_row = Message("warning.minor_by_currency", params | {"other": plan.column_of[CURRENCY]})
        return minor_units_sql(name(plan.column_of[CURRENCY])), (by_row,)
    units = minor_units(currency)
    warning = "warning.minor_units" if currency else "warning.minor_unknown"
    return str(units), (Message(warning, params | {"units": units}),)


LARGE: Final = tuple(
    (re.compile(f"(?i){_VOCABULARY.pattern('amounts', key)}"), units)
    for key, units in (("millions", 1_000_000), ("ten_thousands", 10_000), ("thousands", 1_000))
)
"""Patterns of column names that state a scale, with the factor to the currency."""


def large_units(column_of: Mapping[str, str]) -> tuple[int, tuple[Message, ...]]:
    """Return how many of the currency one unit of the file's amounts is, 1 for most, and warnings.

    Where the names of money columns state different scales, none is applied and a warning names them.

    Args:
        column_of: canonical name -> source column.
    """
    columns = [column_of[item] for item in PAID if item in column_of]
    units = {column: next((units for pattern, units in LARGE if pattern.search(column)), 1) for column in columns}
    large = {column: unit for column, unit in units.items() if unit > 1}
    if not large:
        return 1, ()
    column, unit = next(iter(large.items()))
    if len(set(units.values())) > 1:
        other_columns = [other for other, its in units.items() if its != unit]
        return 1, (Message("warning.large_units_mixed", {"column": column, "units": unit, "others": other_columns}),)
    return unit, (Message("warning.large_units", {"columns": list(large), "units": unit}),)


MIN_CONVERTED: Final = 0.5
"""Share of a currency's rows that must have a converted amount: conversions fail in some. A guess."""
MIN_HOME_ROWS: Final = 3
"""Rows in the currency that all amounts are converted to, before their being equal is no accident."""
MAX_RATE_CHANGE: Final = 1.5
"""No rate moves by more within a log."""
CODE: Final = re.compile("[A-Z]{3}")
CONVERTED: Final = re.compile(f"(?i){_VOCABULARY.pattern('amounts', 'converted')}")
"""What the name of such a column holds."""


def resolve_converted(log: LogTable, column_of: Mapping[str, str]) -> tuple[dict[str, str], str, tuple[Message, ...]]:
    """Return the columns with the amounts, and refunds, in one currency, that currency, and warnings.

    Without such a column all stays as it is, and the currency is "".

    Args:
        log: the file.
        column_of: canonical name -> source column.

    Raises:
        NeedsAnswer: one of two columns was converted, and neither name shows which.
    """
    if not {AMOUNT, CURRENCY} <= set(column_of):
        return dict(column_of), "", ()
    amount, currency = column_of[AMOUNT], f"coalesce(trim({name(column_of[CURRENCY])}), '')"
    if log.fetch_one(f"SELECT count(DISTINCT upper({currency})) FROM {log.relation}")[0] < 2:
        return dict(column_of), "", ()
    candidates = [item.column for item in log.proposals if item.money >= NAMED and item.column != amount]
    rest = {canonical: column for canonical, column in column_of.items() if canonical != CURRENCY}
    homes = (_home(log, currency, other, amount) for other in candidates)
    home = next((value for value in homes if value is not None), None)
    if home is not None or AMOUNT in log.answers.mapping:
        return (dict(column_of) if home is None else rest), home or "", ()
    for other in candidates:
        home = _home(log, currency, amount, other)
        back = _refunds(log, column_of, currency) if home is not None and REFUND in column_of else None
        if home is not None and back != "":
            result = {**rest, AMOUNT: other} | ({REFUND: back} if back else {})
            code = "warning.amount_converted" if home else "warning.amount_converted_home"
            return result, home, (Message(code, {"column": amount, "other": other, "currency": home}),)
    for other in candidates:
        if _home(log, currency, amount, other, is_named=False) is not None:
            raise NeedsAnswer("which_converted", canonical=AMOUNT, columns=[other, amount])
    return dict(column_of), "", ()


def _refunds(log: LogTable, column_of: Mapping[str, str], currency: str) -> str:
    """Return the column of what was paid back in the one currency, "" where there is none."""
    matches = (
        item.column
        for item in log.proposals
        if item.column not in column_of.values() and _home(log, currency, column_of[REFUND], item.column) is not None
    )
    return next(matches, "")


def _home(log: LogTable, currency: str, before: str, after: str, *, is_named: bool = True) -> str | None:
    """Return the one currency that amounts in several were converted to, None without evidence.

    In its rows both columns are equal, in those of each other currency one rate is between them. That holds in either
    direction: the column's name has to mark it as the converted one. A currency that is left blank, as ledgers do
    with the shop's own, is "". Rows whose conversion failed have no amount after it.

    The inner query reads both amounts and the currency of the first rows; the outer one counts, by currency, the rows,
    the converted ones and the equal ones, and takes the 5% and 95% quantiles of the rate.

    Args:
        log: the file.
        currency: SQL of the column of currencies.
        before: the column of amounts in several currencies.
        after: that of amounts in one, if it is that.
        is_named: whether its name has to say so.
    """
    for decimal in MARKS:
        a, b = number_cells((before, after), decimal)
        rows = log.fetch(
            f"SELECT c, count(*), count(b), count(*) FILTER (abs(a - b) < {CENT}), quantile_cont(b / a, 0.05),"
            f" quantile_cont(b / a, 0.95) FROM (SELECT upper(trim({currency})) AS c, {a} AS a, {b} AS b"
            f" FROM {log.relation} LIMIT {SEARCHED_ROWS}) WHERE a <> 0 GROUP BY 1"
        )
        homes = [
            c
            for c, n, converted, same, *_ in rows
            if (not c or CODE.fullmatch(c))
            and converted >= max(MIN_HOME_ROWS, MIN_CONVERTED * n)
            and same >= MIN_RULE_SHARE * converted
        ]
        rows = [row for row in rows if row[0] or "" in homes]  # a blank one is the shop's own, or missing
        rated = sum(_rated(*row[1:]) for row in rows)
        if (
            len(homes) == 1
            and rated
            and rated + 1 == len(rows)
            and (not is_named or _is_named_converted(after, str(homes[0])))
        ):
            return str(homes[0])
    return None


def _rated(rows: int, converted: int, same: int, low: float | None, high: float | None) -> bool:
    """Return whether the amounts of a currency were converted at about one rate."""
    return (
        converted >= MIN_CONVERTED * rows
        and same <= MIN_CONVERTED * converted
        and low is not None
        and 0 < low <= (high or 0) <= MAX_RATE_CHANGE * low
    )


def _is_named_converted(column: str, home: str) -> bool:
    """Return whether a column is called by the currency that its amounts were converted to, or as converted."""
    return bool(CONVERTED.search(column)) or bool(home) and home in re.split(r"[\W_]+", column.upper())
