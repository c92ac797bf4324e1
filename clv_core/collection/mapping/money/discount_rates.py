"""Discounts in percent beside quantity and unit price: as money they are wrong, and left out they are missing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.columns import AMOUNT, DISCOUNT, UNIT_PRICE
from clv_core.errors import Message

NAMED: Final = re.compile(
    r"(?i)(?:discount|disc\b|rabatt|remise|descuento|desconto|sconto|скидк|折扣|优惠|割引|할인).*(?:%|percent|pct|rate|prozent|率)"
    r"|折扣率|(?:%|percent|pct)\W*(?:off|discount|disc\b)"
)
STEP: Final = 5
MOST: Final = 95
FEWEST: Final = 10
FEW: Final = 8
"""So few different discounts, all of them multiples of five: percentages look so, and so do vouchers."""


def in_percent(column: str) -> bool:
    """Say whether a column is called one of discounts in percent."""
    return bool(NAMED.search(column))


def told_rates(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], chosen: Mapping[str, str]
) -> tuple[Message, ...]:
    """Return a warning where amounts are made of prices and a discount is, or may be, in percent.

    Args:
        columns: source columns.
        rows: the first rows as text.
        chosen: canonical name -> source column.
    """
    if AMOUNT in chosen or UNIT_PRICE not in chosen:
        return ()
    for column in columns:
        if DISCOUNT not in chosen and in_percent(column) and _above(rows, column):
            return (Message("warning.discount_percent", {"column": column}),)
    column = chosen.get(DISCOUNT, "")
    given = _above(rows, column) if column else []
    different = sorted(set(given))
    if len(given) < FEWEST or not 2 <= len(different) <= FEW:
        return ()
    if not all(value % STEP == 0 and value <= MOST for value in different):
        return ()
    return (Message("warning.maybe_percent", {"column": column, "found": [f"{value:g}" for value in different]}),)


def _above(rows: Sequence[Mapping[str, Any]], column: str) -> list[float]:
    """Return the numbers above zero in a column, a sign of percent aside; none where it holds something else."""
    values = [value.removesuffix("%").strip().replace(",", ".") for value in filled(rows, column)]
    if not all(re.fullmatch(r"\d+(?:\.\d+)?", value) for value in values):
        return []
    return [number for value in values if (number := float(value)) > 0]
