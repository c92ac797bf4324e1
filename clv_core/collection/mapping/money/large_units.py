"""Amounts in larger units than their currency, as the name of their column says: 万元, (in thousands), тыс. руб."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from clv_core.collection.mapping.plan.names import PAID
from clv_core.errors import Message

LARGE: Final = (
    (re.compile(r"(?i)百万|\bmillions?\b|\bmio\b|\bmillionen\b|\bmillones\b|\bmilhões\b|млн"), 1_000_000),
    (re.compile(r"[万萬][元圆圓円]|[(（]万[)）]|만\s?원"), 10_000),
    (
        re.compile(
            r"(?i)千[元円]|천\s?원|\bthousands?\b|[(（\[]\s*(?:k|000'?s?|'000)\s*[)）\]]|\btsd\b|\btausend\b|тыс"
        ),
        1_000,
    ),
)
"""What the name of a column says of its amounts, and how many of the currency one of them then is."""


def large_units(chosen: Mapping[str, str]) -> tuple[int, tuple[Message, ...]]:
    """Return how many of the currency one unit of the file's amounts is, 1 for most, and what is to be said of it.

    Where columns of money say different things, none is changed, and that is said.

    Args:
        chosen: canonical name -> source column.
    """
    units = {chosen[item]: _of(chosen[item]) for item in PAID if item in chosen}
    told = {column: unit for column, unit in units.items() if unit > 1}
    if not told:
        return 1, ()
    column, unit = next(iter(told.items()))
    if len(set(units.values())) > 1:
        others = [other for other, its in units.items() if its != unit]
        return 1, (Message("warning.large_units_mixed", {"column": column, "units": unit, "others": others}),)
    return unit, (Message("warning.large_units", {"columns": list(told), "units": unit}),)


def _of(column: str) -> int:
    return next((units for pattern, units in LARGE if pattern.search(column)), 1)
