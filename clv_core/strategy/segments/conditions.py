"""Conditions on customers, as the command line and rules write them.

    tier=1,2            p_purchase>=0.5           predicted_clv>100
    days_since_last<30  country=Germany,France    channel!=shop
    customer_id~web-      category="Food, drinks",Toys

``1`` or ``1,2`` means ``tier=1,2``; ``~`` is "contains", in any case. Several conditions must all hold. Text between
double quotes is literal, a quote doubled: a value with a comma, a column with an operator.

Shares are 0.5 in rules, files and on the command line; people write 50% (:func:`from_percent`, :func:`as_percent`).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from clv_core.errors import UsageError
from clv_core.features import FEATURES
from clv_core.strategy.segments.segmentation import P_PURCHASE, TIER

COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
CONTAINS: Final = "~"
OPERATORS: Final = ("=", "!=", *COMPARE, CONTAINS)
SINGLE: Final = (*COMPARE, CONTAINS)
"""Operators that compare with one value."""
QUOTED: Final = r'"(?:[^"]|"")*"'
PATTERN: Final = re.compile(rf"\s*({QUOTED}|[^<>=!~]+?)\s*(>=|<=|!=|=|>|<|~)\s*(.+?)\s*", re.DOTALL)
PART: Final = re.compile(rf"(?:^|,)\s*({QUOTED}(?=\s*(?:,|\Z))|[^,]*)")
"""One of the values between commas."""
TIER_NUMBERS: Final = re.compile(r"\s*\d+(\s*,\s*\d+)*\s*")
SHARE: Final = "share"
PERCENT_SIGNS: Final = ("%", "％")


@dataclass(frozen=True)
class Condition:
    """One column compared with values.

    Args:
        column: a column of the customers' frame.
        operator: one of :data:`OPERATORS`.
        values: texts to compare with; more than one only for ``=`` (any of them) and ``!=`` (none of them).

    Raises:
        UsageError: unknown operator, or several values for one that compares with one.
    """

    column: str
    operator: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check operator and number of values."""
        if self.operator not in OPERATORS or not self.values or (self.operator in SINGLE and len(self.values) != 1):
            raise UsageError("condition_text", text=str(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the condition of a text.

        Raises:
            UsageError: it is not of the form column, operator, value.
        """
        if TIER_NUMBERS.fullmatch(text):
            text = f"{TIER}={text}"
        match = PATTERN.fullmatch(text)
        if match is None:
            raise UsageError("condition_text", text=text[:80])
        return cls(_unquoted(match[1]), match[2], values_of(match[3], match[2]))

    def __str__(self) -> str:
        """Return the text that :meth:`parse` reads."""
        column = _quoted(self.column, "<>=!~")
        values = ",".join(_quoted(value, "" if self.operator in SINGLE else ",") for value in self.values)
        return f"{column}{self.operator}{values}"

    def holds(self, customers: pd.DataFrame) -> np.ndarray:
        """Return whether each customer fulfils it, bool [n]; a missing value (NaN) fulfils only ``!=``.

        Raises:
            UsageError: no such column, or a number or date column compared with a text.
        """
        if self.column not in customers:
            columns = [str(name) for name in customers.columns]
            raise UsageError("condition_column", column=self.column, known=columns)
        column = customers[self.column]
        if self.operator == CONTAINS:
            texts = column.astype("str").fillna("").str
            return np.asarray(texts.contains(self.values[0], case=False, regex=False), bool)
        try:
            values = _parsed(self.values, column)
        except ValueError as error:
            raise UsageError("condition_value", column=self.column, value=list(self.values)) from error
        if self.operator in COMPARE:
            if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)):
                raise UsageError("condition_order", column=self.column, operator=self.operator)
            return np.asarray(COMPARE[self.operator](column, values[0]).fillna(False), bool)
        among = np.asarray(column.isin(values), bool)
        return ~among if self.operator == "!=" else among


def select(customers: pd.DataFrame, conditions: Iterable[Condition]) -> pd.DataFrame:
    """Return the customers who fulfil all conditions, in the same order."""
    keep = np.ones(len(customers), bool)
    for condition in conditions:
        keep &= condition.holds(customers)
    return customers[keep]


def values_of(text: str, operator: str) -> tuple[str, ...]:
    """Return the values that a text lists for an operator: several where it takes them, with commas between."""
    text = text.strip()
    parts = (text,) if operator in SINGLE else (match[1].strip() for match in PART.finditer(text))
    return tuple(map(_unquoted, parts))


def is_share(column: str, own: Collection[str] = ()) -> bool:
    """Return whether a column of conditions holds shares, 1 being all.

    ``own`` are the dataset's own columns, whose unit is unknown.
    """
    if column in own:
        return False
    return column == P_PURCHASE or (column in FEATURES and FEATURES[column].unit == SHARE)


def from_percent(column: str, operator: str, values: tuple[str, ...], own: Collection[str] = ()) -> tuple[str, ...]:
    """Return values that a person wrote as rules store them: ``50%`` or ``50`` becomes ``0.5``.

    Args:
        column: what is compared.
        operator: how.
        values: as written; those of columns without shares, and texts that are no numbers, are returned unchanged.
        own: as in :func:`is_share`.

    Raises:
        UsageError: a number up to 1 without a percent sign: it may be a share or a percentage.
    """
    if operator == CONTAINS or not is_share(column, own):
        return values
    return tuple(_share(value) for value in values)


def as_percent(condition: Condition, own: Collection[str] = ()) -> tuple[str, ...]:
    """Return the values of a condition as people write them: ``0.5`` of a share is ``50%``."""
    if condition.operator == CONTAINS or not is_share(condition.column, own):
        return condition.values
    return tuple(value if (share := _number(value)) is None else _percent(share) for value in condition.values)


def _share(text: str) -> str:
    signed = text.rstrip().endswith(PERCENT_SIGNS)
    number = _number(text.rstrip().rstrip("".join(PERCENT_SIGNS)))
    if number is None:
        return text
    if not signed and 0 < number <= 1:
        raise UsageError("rule_share", value=text.strip(), all=_percent(number), part=_percent(number / 100))
    return f"{number / 100:.12g}"


def _percent(share: float) -> str:
    return f"{100 * share:.10g}%"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if re.fullmatch(QUOTED, text) else text


def _quoted(text: str, splits: str) -> str:
    """Return a text, in quotes if it would not be parsed literally; ``splits`` are the characters that end it."""
    literal = text and text == text.strip() and text[0] not in '"=' and not any(mark in text for mark in splits)
    return text if literal else '"' + text.replace('"', '""') + '"'


def _parsed(texts: tuple[str, ...], column: pd.Series[Any]) -> list[Any]:
    """Return texts as values of the column's type; missing values, which equal nothing, are errors.

    Raises:
        ValueError: a text is none of them.
    """
    if pd.api.types.is_bool_dtype(column):
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if not all(text.lower() in words for text in texts):
            raise ValueError
        return [words[text.lower()] for text in texts]
    if pd.api.types.is_numeric_dtype(column):
        values: list[Any] = [float(text) for text in texts]
    elif pd.api.types.is_datetime64_any_dtype(column):
        values = [pd.Timestamp(text) for text in texts]
    else:
        return list(texts)
    if pd.isna(values).any():
        raise ValueError
    return values
