"""How the cells of a column are read: decimal marks, what spreadsheets make of ids, dates turned round."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from clv_core.collection.engine import TextRow, text
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
"""Columns that the answer about the decimal mark applies to; the first with a proven mark decides for the others."""
LEFT_EMPTY: Final = (QUANTITY, DISCOUNT, RATING, REFUND)
"""Columns whose unreadable values are left empty; a row without an amount is rejected instead."""


def decide_numbers(
    counts: Mapping[str, Any],
    rows: Sequence[TextRow],
    column_of: Mapping[str, str],
    decimal: str | None,
    *,
    cents: bool,
) -> tuple[dict[str, numbers.NumberReading], tuple[Message, ...]]:
    """Return how each column of numbers is read, by canonical name, and warnings.

    Args:
        counts: of :func:`~clv_core.collection.infer.plan.counts.count_columns`.
        rows: sample rows as text.
        column_of: canonical name -> source column.
        decimal: the answer: ``point``, ``comma`` or None.
        cents: whether the currency has any.

    Raises:
        NeedsAnswer: a column of money can be read in two ways.
    """
    forms = {column: counts[column] for column in NUMBERS if column in column_of}
    without_cents = AMOUNT in column_of and numbers.without_cents(forms[item] for item in PAID if item in forms)
    proven = next((mark for column in MARKED if (mark := numbers.proven(forms.get(column, {})))), None)
    readings: dict[str, numbers.NumberReading] = {}
    notes: tuple[Message, ...] = ()
    for column, form_counts in forms.items():
        if column in MARKED:
            readings[column], warnings = numbers.decide(
                form_counts, column_of[column], decimal, proven, cents=cents and not without_cents
            )
            notes += warnings
        else:
            readings[column], _ = numbers.decide(form_counts, column_of[column], None, None, cents=True)
        readings[column] = replace(readings[column], usual=column in counts["usual"])
        unreadable = form_counts.get("unreadable", 0)
        if (
            unreadable
            and column in LEFT_EMPTY
            and not (column == REFUND and _are_words_without_figures(rows, column_of[REFUND]))
        ):
            notes += (Message("warning.unreadable_numbers", {"column": column_of[column], "rows": unreadable}),)
    return readings, notes


def _are_words_without_figures(rows: Sequence[TextRow], column: str) -> bool:
    """Return whether the texts in a column of refunds that are no numbers have no digits: "no refund requested"."""
    values = [str(row[column]).strip() for row in rows if row[column] is not None]
    return not any(re.search(r"\d", value) and not NUMBER.fullmatch(value) for value in values)


MAX_EXAMPLES: Final = 5
"""Odd signs that a warning lists."""
MIN_FLOATS: Final = 3
"""Different ids of this form, before one such as 1.0 is no name of its own."""


def guarded(rows: Sequence[TextRow], column_of: Mapping[str, str]) -> tuple[frozenset[str], tuple[Message, ...]]:
    """Return the canonical columns whose values are all guarded against spreadsheets, and warnings.

    Args:
        rows: the first rows as text.
        column_of: canonical name -> source column.
    """

    def all_are(column: str) -> bool:
        values = [str(row[column]) for row in rows if row[column] is not None and str(row[column]).strip()]
        return bool(values) and all(re.match(GUARD, value) for value in values)

    guarded_columns = {
        canonical: column for canonical, column in column_of.items() if canonical in READ and all_are(column)
    }
    warnings = (Message("warning.guarded", {"columns": list(guarded_columns.values())}),) if guarded_columns else ()
    return frozenset(guarded_columns), warnings


def float_ids(column: str, rows: Sequence[TextRow]) -> tuple[bool, tuple[Message, ...]]:
    """Return whether ids are whole numbers written as 17850.0, which are read without the zero, and warnings.

    Args:
        column: of customers.
        rows: the first rows as text.
    """
    ids = {str(row[column]).strip() for row in rows if row[column] is not None}
    whole_ids = [id_ for id_ in ids if re.fullmatch(WHOLE, id_)]
    are_floats = len(whole_ids) >= min(MIN_FLOATS, len(ids)) > 0
    notes: tuple[Message, ...] = (Message("warning.float_ids", {"column": column}),) if are_floats else ()
    odd = [signs for signs in map(odd_signs, ids) if signs]
    if odd:
        examples = sorted({sign.encode("unicode_escape").decode() for signs in odd for sign in signs})[:MAX_EXAMPLES]
        notes += (Message("warning.odd_ids", {"customers": len(odd), "examples": examples}),)
    return are_floats, notes


MIN_DATES: Final = 10
"""Dates of either form, before it is no accident that no day of the one is above 12, and none of the other below 13."""
MIN_TURNED, MAX_SLIPS = 3, 0.05
"""Dates such as 2024-13-05, and their share of those that begin with the year, up to which they are slips."""
ISO: Final = r"^\s*\d{4}[-/]\d{1,2}[-/](\d{1,2})"


def refuse_swapped_dates(log: LogTable, plan: ReadingPlan, forms: Mapping[str, int]) -> None:
    """Refuse dates that begin with the year and have the day before the month, as spreadsheets leave them.

    A spreadsheet that expects the month first makes 2024-05-04 of 04/05/2024 and leaves 13/05/2024 as it is.

    Args:
        log: the file.
        plan: how it is read.
        forms: number of its times by :func:`~clv_core.collection.parse.times.form`.

    Raises:
        Refused: there are such dates.
    """
    turned, iso = forms.get("year_day", 0), forms.get("naive", 0)
    split = {form: forms[form] for form in ("day_first", "month_first", "either", "same") if forms.get(form)}
    half = list(split) in (["day_first"], ["month_first"]) and min([*split.values(), iso]) >= MIN_DATES and not turned
    if half:
        day = f"try_cast(regexp_extract({plan.clean(EVENT_TIME)}, {text(ISO)}, 1) AS INTEGER)"
        half = not log.fetch_one(f"SELECT count(*) FILTER ({day} > 12) FROM {log.relation}")[0]
    if half or (turned >= MIN_TURNED and turned > MAX_SLIPS * (turned + iso)):
        raise Refused("year_dates_contradict", column=plan.column_of[EVENT_TIME], rows=iso if half else turned)
