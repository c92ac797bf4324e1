"""Amounts that may be in cents: services of payments write 1999 where a shop writes 19.99."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

from clv_core.collection.mapping.first_rows import filled
from clv_core.errors import Message

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
