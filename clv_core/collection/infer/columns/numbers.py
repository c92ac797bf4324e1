"""How the cells of a column are read: decimal marks, what spreadsheets make of ids, dates turned round."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from clv_core.collection.engine import T, text
from clv_core.collection.infer.columns.proposal import NUMBER
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.plan.cells import GUARD, PAID
from clv_core.collection.infer.plan.counts import NUMBERS
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.parse import numbers
from clv_core.collection.parse.id_texts import WHOLE, odd_signs
from clv_core.columns import AMOUNT, DISCOUNT, EVENT_TIME, QUANTITY, RATING, READ, REFUND, UNIT_PRICE
from clv_core.errors import Message, Refused

MARKED: Final = (AMOUNT, UNIT_PRICE, DISCOUNT, QUANTITY, REFUND)
"""Columns that the answer about the decimal mark holds for; the first whose mark is proven speaks for the others."""
LEFT_EMPTY: Final = (QUANTITY, DISCOUNT, RATING, REFUND)
"""Columns of which a value that cannot be read is left empty; a row without an amount is set aside instead."""
MAX_BELOW: Final = 1 / 3
"""Share of amounts that may be on the side of returns."""


def decide_numbers(
    counts: Mapping[str, Any],
    rows: list[dict[str, Any]],
    chosen: Mapping[str, str],
    decimal: str | None,
    *,
    cents: bool,
) -> tuple[dict[str, numbers.NumberReading], tuple[Message, ...]]:
    """Return how each column of numbers is read, by canonical name, and what is to be said.

    Args:
        counts: of :func:`~clv_core.collection.infer.plan.counts.count_columns`.
        rows: sample rows as text.
        chosen: canonical name -> source column.
        decimal: the person's answer: ``point``, ``comma`` or None.
        cents: whether the currency has any.

    Raises:
        NeedsAnswer: a column of money can be read in two ways.
        Refused: amounts are marked as credit or debit, and neither is plainly that of sales.
    """
    forms = {column: counts[column] for column in NUMBERS if column in chosen}
    whole = AMOUNT in chosen and numbers.without_cents(forms[item] for item in PAID if item in forms)
    proven = next((mark for column in MARKED if (mark := numbers.proven(forms.get(column, {})))), None)
    readings: dict[str, numbers.NumberReading] = {}
    notes: tuple[Message, ...] = ()
    for column, own in forms.items():
        if column in MARKED:
            readings[column], said = numbers.decide(own, chosen[column], decimal, proven, cents=cents and not whole)
            notes += said
        else:
            readings[column], _ = numbers.decide(own, chosen[column], None, None, cents=True)
        readings[column] = replace(readings[column], usual=column in counts["usual"])
        unreadable = own.get("unreadable", 0)
        if unreadable and column in LEFT_EMPTY and not (column == REFUND and _words_for_nothing(rows, chosen[REFUND])):
            notes += (Message("warning.unreadable_numbers", {"column": chosen[column], "rows": unreadable}),)
    paid = AMOUNT if AMOUNT in chosen else UNIT_PRICE
    if paid in readings:
        below, said = _returns_side(counts["sides"], forms[paid], chosen[paid])
        readings[paid] = replace(readings[paid], below=below)
        notes += said
    return readings, notes


def _returns_side(sides: Mapping[str, int], forms: Mapping[str, int], column: str) -> tuple[str, tuple[Message, ...]]:
    """Return the mark of credit or debit of the amounts that are returns, empty without marks, and what is to be said.

    Sales are the side that most amounts are on, marked or not: a shop's bank books them as credits, its accounts of
    customers as debits.

    Raises:
        Refused: nearly as many are on the other side, or there is none.
    """
    marked = [side for side in numbers.SIDES if sides[side]]
    if not marked:
        return "", ()
    amounts = sum(count for form, count in forms.items() if form != "missing")
    least = min(marked, key=lambda side: sides[side])
    if sides[least] > MAX_BELOW * amounts:
        raise Refused("amount_sides", column=column, credits=sides["CR"], debits=sides["DR"], rows=amounts)
    return least, (Message("warning.amount_sides", {"column": column, "mark": least, "rows": sides[least]}),)


def _words_for_nothing(rows: list[dict[str, Any]], column: str) -> bool:
    """Say whether what is no number in a column of refunds holds no figure: "no refund was asked for"."""
    values = [str(row[column]).strip() for row in rows if row[column] is not None]
    return not any(re.search(r"\d", value) and not NUMBER.fullmatch(value) for value in values)


MIN_FLOATS: Final = 3
"""Different ids of this form, before one such as 1.0 is no name of its own."""
MOST_SIGNS: Final = 5


def guarded(rows: list[dict[str, Any]], chosen: Mapping[str, str]) -> tuple[frozenset[str], tuple[Message, ...]]:
    """Return the canonical columns whose values are all guarded against spreadsheets, and what is to be said.

    Args:
        rows: the first rows as text.
        chosen: canonical name -> source column.
    """

    def all_are(column: str) -> bool:
        values = [str(row[column]) for row in rows if row[column] is not None and str(row[column]).strip()]
        return bool(values) and all(re.match(GUARD, value) for value in values)

    found = {canonical: column for canonical, column in chosen.items() if canonical in READ and all_are(column)}
    said = (Message("warning.guarded", {"columns": list(found.values())}),) if found else ()
    return frozenset(found), said


def float_ids(column: str, rows: list[dict[str, Any]]) -> tuple[bool, tuple[Message, ...]]:
    """Return whether ids are whole numbers written as 17850.0, which are read without the zero, and what is to be said.

    Args:
        column: of customers.
        rows: the first rows as text.
    """
    ids = {str(row[column]).strip() for row in rows if row[column] is not None}
    found = [id_ for id_ in ids if re.fullmatch(WHOLE, id_)]
    whole = len(found) >= min(MIN_FLOATS, len(ids)) > 0
    notes: tuple[Message, ...] = (Message("warning.float_ids", {"column": column}),) if whole else ()
    odd = [signs for signs in map(odd_signs, ids) if signs]
    if odd:
        shown = sorted({sign.encode("unicode_escape").decode() for signs in odd for sign in signs})[:MOST_SIGNS]
        notes += (Message("warning.odd_ids", {"customers": len(odd), "examples": shown}),)
    return whole, notes


MIN_DATES: Final = 10
"""Dates of either form, before it is no accident that no day of the one is above 12, and none of the other below 13."""
MIN_TURNED, MIN_SHARE = 3, 0.2
"""Dates such as 2024-13-05, and their share of those that begin with the year, before they are no slips."""
MAX_SLIPS: Final = 0.05
ISO: Final = r"^\s*\d{4}[-/]\d{1,2}[-/](\d{1,2})"


def are_swapped(log: LogTable, plan: ReadingPlan, forms: Mapping[str, int]) -> tuple[bool, tuple[Message, ...]]:
    """Return whether dates that begin with the year have the day before the month, and what is to be said of it.

    Args:
        log: the file.
        plan: how it is read.
        forms: of its times, :func:`~clv_core.collection.parse.times.form`.

    Raises:
        Refused: some have the day before the month, and others have it behind.
    """
    turned, written = forms.get("year_day", 0), forms.get("day_first", 0) or forms.get("month_first", 0)
    both = forms.get("day_first", 0) and forms.get("month_first", 0)
    other_forms = both or forms.get("either", 0) or forms.get("same", 0)
    by_spreadsheet = written >= MIN_DATES and not other_forms and forms.get("naive", 0) >= MIN_DATES and not turned
    if not by_spreadsheet and turned < MIN_TURNED:
        return False, ()
    day = f"try_cast(regexp_extract({T}{EVENT_TIME}, {text(ISO)}, 1) AS INTEGER)"
    cells = f"SELECT {plan.clean(EVENT_TIME)} AS {T}{EVENT_TIME} FROM {log.relation}"
    dates, late = log.one(f"SELECT count({day}), count(*) FILTER ({day} > 12) FROM ({cells})")
    params = {"column": plan.chosen[EVENT_TIME], "rows": int(dates), "written": int(written)}
    if by_spreadsheet:
        swapped = dates >= MIN_DATES and not late
        return swapped, (Message("warning.swapped_dates", params),) if swapped else ()
    if late and turned > MAX_SLIPS * dates:
        raise Refused("year_dates_contradict", column=params["column"], day_first=turned, day_last=int(late))
    swapped = not late and turned >= MIN_SHARE * dates
    said = Message("warning.read_as_ydm", {"column": params["column"], "proof": turned, "rows": int(dates)})
    return swapped, (said,) if swapped else ()
