"""What a column of discounts holds beside prices: money off the row, money off each piece, or a percentage."""

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

FEWEST: Final = 10
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
STEP: Final = 5
MOST: Final = 95
FEW: Final = 8
"""So few different discounts, all of them multiples of five: percentages look so, and so do vouchers."""


def in_percent(column: str) -> bool:
    """Say whether a column is called one of discounts in percent."""
    return bool(NAMED.search(column))


def with_discount_rate(
    columns: Sequence[str], rows: Sequence[TextRow], chosen: Mapping[str, str], mapping: Mapping[str, str]
) -> dict[str, str]:
    """Return the columns with that of discounts in percent, where amounts are made of prices and no other is known.

    Args:
        columns: source columns.
        rows: the first rows as text.
        chosen: canonical name -> source column.
        mapping: the same, as the person said.
    """
    if DISCOUNT in {*chosen, *mapping} or AMOUNT in chosen or UNIT_PRICE not in chosen:
        return dict(chosen)
    free = (column for column in columns if column not in chosen.values() and in_percent(column))
    found = next((column for column in free if _above(filled(rows, column))), None)
    return dict(chosen) if found is None else {**chosen, DISCOUNT: found}


def discount_kind(
    rows: Sequence[TextRow], chosen: dict[str, str], largest: float, answers: Answers
) -> tuple[str, dict[str, str], tuple[Message, ...]]:
    """Return which of ``CHOICES["discount"]`` discounts are, the columns, and what is to be said of it.

    A sign or word of percent, or shares that never exceed 1, make it a percentage; a word for pieces in its name, money
    off each. Percentages without either may be money: that is a doubt. Beside amounts, percentages are no discount in
    money and stay a column of their own.

    Args:
        rows: the first rows as text.
        chosen: canonical name -> source column.
        largest: discount of the whole file, in size.
        answers: what the person said.
    """
    if DISCOUNT not in chosen:
        return MONEY, chosen, _unused(rows, chosen, answers.mapping)
    column, said = chosen[DISCOUNT], answers.discount
    values = filled(rows, column)
    signed = bool(values) and all(value.endswith("%") or not re.search("[1-9]", value) for value in values)
    if AMOUNT in chosen or UNIT_PRICE not in chosen:
        if signed or in_percent(column) or largest <= 1:
            others = {canonical: other for canonical, other in chosen.items() if canonical != DISCOUNT}
            return MONEY, others, (Message("warning.discount_rate", {"column": column}),)
        return MONEY, chosen, ()
    if said:
        return said, chosen, ()
    if signed or in_percent(column) or largest <= 1:
        return PERCENT, chosen, (Message("warning.discount_percent", {"column": column}),)
    if OF_PIECES.search(column):
        return UNIT, chosen, (Message("warning.discount_unit", {"column": column}),)
    of_orders = _of_orders(rows, chosen)
    given = _above(values)
    different = sorted(set(given))
    steps = all(value % STEP == 0 and value <= MOST for value in different)
    if len(given) < FEWEST or not 2 <= len(different) <= FEW or not steps:
        return MONEY, chosen, of_orders
    found = [f"{value:g}" for value in different]
    return MONEY, chosen, (Message("warning.maybe_percent", {"column": column, "found": found}), *of_orders)


def _unused(rows: Sequence[TextRow], chosen: Mapping[str, str], mapping: Mapping[str, str]) -> tuple[Message, ...]:
    """Return a doubt about a column that is called like a discount and taken off no price."""
    if AMOUNT in chosen or UNIT_PRICE not in chosen or DISCOUNT in mapping or not rows:
        return ()
    called = (column for column in rows[0] if column not in chosen.values() and LIKE_DISCOUNT.search(column))
    found = next((column for column in called if _above(filled(rows, column))), "")
    return (Message("warning.discount_unused", {"column": found}),) if found else ()


def _of_orders(rows: Sequence[TextRow], chosen: Mapping[str, str]) -> tuple[Message, ...]:
    """Return what is to be said of a discount that stands on all rows of an order alike, whatever they cost."""
    if ORDER_ID not in chosen:
        return ()
    column, orders = chosen[DISCOUNT], defaultdict[Any, list[tuple[Any, Any]]](list)
    for row in rows:
        orders[row[chosen[ORDER_ID]]].append((row[column], row[chosen[UNIT_PRICE]]))
    several = [lines for order, lines in orders.items() if order and len({price for _, price in lines}) > 1]
    discounted = [{off for off, _ in lines} for lines in several if _above([str(off or 0) for off, _ in lines])]
    alike = sum(len(offs) == 1 for offs in discounted)
    if alike < FEWEST or alike < len(discounted):
        return ()
    return (Message("warning.discount_of_orders", {"column": column, "orders": alike}),)


def _above(values: Sequence[str]) -> list[float]:
    """Return the numbers above zero among texts; none where one is no number."""
    plain = [value.removesuffix("%").strip().replace(",", ".") for value in values]
    if not all(re.fullmatch(r"\d+(?:\.\d+)?", value) for value in plain):
        return []
    return [number for value in plain if (number := float(value)) > 0]
