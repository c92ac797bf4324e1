"""What a column of discounts holds where prices are read: money off the row, off each piece, or a percentage."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from clv_core.collection.answers import CHOICES, Answers
from clv_core.collection.engine import TextRow
from clv_core.collection.infer.columns.proposal import filled
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import AMOUNT, DISCOUNT, ORDER_ID, UNIT_PRICE
from clv_core.errors import Message

_VOCABULARY: Final = load_vocabulary()

MIN_DISCOUNTS: Final = 10
"""Discounts, before it is no accident that all of them look like percentages."""
MONEY, UNIT, PERCENT, OF_ORDER = CHOICES["discount"]
WORDS: Final = _VOCABULARY.pattern("discounts", "columns")
NAMED: Final = re.compile(
    rf"(?i)(?:{WORDS}|{_VOCABULARY.pattern('discounts', 'shortened')}).*"
    rf"(?:%|{_VOCABULARY.pattern('discounts', 'rates')})|{_VOCABULARY.pattern('discounts', 'percent_off')}"
)
OF_PIECES: Final = re.compile(
    rf"(?i)(?:^|[\W_])(?:{_VOCABULARY.pattern('discounts', 'per')})?[\W_]*"
    rf"(?:{_VOCABULARY.pattern('discounts', 'pieces')})(?:$|[\W_])|{_VOCABULARY.pattern('discounts', 'pieces_within')}"
)
"""What the name of a discount holds that is money off each piece."""
LIKE_DISCOUNT: Final = re.compile(
    rf"(?i)^(?!.*(?:{_VOCABULARY.pattern('discounts', 'prices')})).*"
    rf"(?:{WORDS}|{_VOCABULARY.pattern('discounts', 'vouchers')})"
)
"""A name that may be of a discount, and is not of what is left to pay after it."""
PERCENT_STEP: Final = 5
MAX_PERCENT: Final = 95
"""Usual percentages: multiples of five, and less than everything. A guess."""
MAX_DIFFERENT: Final = 8
"""So few different discounts, all of them multiples of five: percentages look so, and so do vouchers."""


def in_percent(column: str) -> bool:
    """Return whether a column is called one of discounts in percent."""
    return bool(NAMED.search(column))


def with_discount_rate(
    columns: Sequence[str], rows: Sequence[TextRow], column_of: Mapping[str, str], mapping: Mapping[str, str]
) -> dict[str, str]:
    """Return the columns with that of discounts in percent, where amounts are made of prices and there is no other.

    Args:
        columns: source columns.
        rows: the first rows as text.
        column_of: canonical name -> source column.
        mapping: the same, as answered.
    """
    if DISCOUNT in {*column_of, *mapping} or AMOUNT in column_of or UNIT_PRICE not in column_of:
        return dict(column_of)
    free = (column for column in columns if column not in column_of.values() and in_percent(column))
    rate_column = next((column for column in free if _above(filled(rows, column))), None)
    return dict(column_of) if rate_column is None else {**column_of, DISCOUNT: rate_column}


def discount_kind(
    rows: Sequence[TextRow], column_of: dict[str, str], largest: float, answers: Answers
) -> tuple[str, dict[str, str], tuple[Message, ...]]:
    """Return which of ``CHOICES["discount"]`` discounts are, the columns, and warnings.

    A sign or word of percent, or shares that never exceed 1, make it a percentage; a word for pieces in its name, money
    off each. Percentages without either may be money: that is a doubt. Beside amounts, percentages are no discount in
    money and stay a column of their own.

    Args:
        rows: the first rows as text.
        column_of: canonical name -> source column.
        largest: discount of the entire file, in size.
        answers: the user's answers.
    """
    if DISCOUNT not in column_of:
        return MONEY, column_of, _unused(rows, column_of, answers.mapping)
    column, answer = column_of[DISCOUNT], answers.discount
    values = filled(rows, column)
    signed = bool(values) and all(value.endswith("%") or not re.search("[1-9]", value) for value in values)
    if AMOUNT in column_of or UNIT_PRICE not in column_of:
        if signed or in_percent(column) or largest <= 1:
            without_discount = {canonical: other for canonical, other in column_of.items() if canonical != DISCOUNT}
            return MONEY, without_discount, (Message("warning.discount_rate", {"column": column}),)
        return MONEY, column_of, ()
    if answer:
        return answer, column_of, ()
    if signed or in_percent(column) or largest <= 1:
        return PERCENT, column_of, (Message("warning.discount_percent", {"column": column}),)
    if OF_PIECES.search(column):
        return UNIT, column_of, (Message("warning.discount_unit", {"column": column}),)
    of_orders = _of_orders(rows, column_of)
    given = _above(values)
    different = sorted(set(given))
    steps = all(value % PERCENT_STEP == 0 and value <= MAX_PERCENT for value in different)
    if len(given) < MIN_DISCOUNTS or not 2 <= len(different) <= MAX_DIFFERENT or not steps:
        return MONEY, column_of, of_orders
    examples = [f"{value:g}" for value in different]
    return MONEY, column_of, (Message("warning.maybe_percent", {"column": column, "found": examples}), *of_orders)


def _unused(rows: Sequence[TextRow], column_of: Mapping[str, str], mapping: Mapping[str, str]) -> tuple[Message, ...]:
    """Return a doubt about a column that is called like a discount and taken off no price."""
    if AMOUNT in column_of or UNIT_PRICE not in column_of or DISCOUNT in mapping or not rows:
        return ()
    candidates = (column for column in rows[0] if column not in column_of.values() and LIKE_DISCOUNT.search(column))
    unused = next((column for column in candidates if _above(filled(rows, column))), "")
    return (Message("warning.discount_unused", {"column": unused}),) if unused else ()


def _of_orders(rows: Sequence[TextRow], column_of: Mapping[str, str]) -> tuple[Message, ...]:
    """Return a warning about a discount that is the same on all rows of an order, whatever they cost."""
    if ORDER_ID not in column_of:
        return ()
    column, orders = column_of[DISCOUNT], defaultdict[Any, list[tuple[Any, Any]]](list)
    for row in rows:
        orders[row[column_of[ORDER_ID]]].append((row[column], row[column_of[UNIT_PRICE]]))
    several = [lines for order, lines in orders.items() if order and len({price for _, price in lines}) > 1]
    discounted = [{off for off, _ in lines} for lines in several if _above([str(off or 0) for off, _ in lines])]
    repeated = sum(len(offs) == 1 for offs in discounted)
    if repeated < MIN_DISCOUNTS or repeated < len(discounted):
        return ()
    return (Message("warning.discount_of_orders", {"column": column, "orders": repeated}),)


def _above(values: Sequence[str]) -> list[float]:
    """Return the numbers above zero among texts; none where one is no number."""
    plain = [value.removesuffix("%").strip().replace(",", ".") for value in values]
    if not all(re.fullmatch(r"\d+(?:\.\d+)?", value) for value in plain):
        return []
    return [number for value in plain if (number := float(value)) > 0]
