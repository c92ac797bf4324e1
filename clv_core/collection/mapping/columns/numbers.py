"""How the numbers of each column are read: what one column proves of its decimal mark holds for the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from clv_core.collection.mapping.columns.proposed import NUMBER
from clv_core.collection.mapping.plan.counts import NUMBERS
from clv_core.collection.mapping.plan.names import PAID
from clv_core.collection.parse import numbers
from clv_core.columns import AMOUNT, DISCOUNT, QUANTITY, RATING, REFUND, UNIT_PRICE
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
        counts: of :func:`~clv_core.collection.mapping.plan.counts.count_columns`.
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
