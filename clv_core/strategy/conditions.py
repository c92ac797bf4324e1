"""Conditions: the small language in which a segment is asked for, on the command line and on the page.

    tier=1,2            p_purchase>=0.5           predicted_clv>100
    days_since_last<30  country=Germany,France    channel!=shop
    customer_id~web-      category="Food, drinks",Toys

A plain ``1`` or ``1,2`` means ``tier=1,2``; ``~`` is "contains", in any case. Several conditions hold together. What
stands between double quotes is taken as it is, a quote doubled: a value with a comma, a column with an operator.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from clv_core.errors import UsageError
from clv_core.strategy.segments import TIER

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
PLAIN_TIERS: Final = re.compile(r"\s*\d+(\s*,\s*\d+)*\s*")


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
        """Return the condition that ``text`` says.

        Raises:
            UsageError: it is not of the form column, operator, value.
        """
        if PLAIN_TIERS.fullmatch(text):
            text = f"{TIER}={text}"
        found = PATTERN.fullmatch(text)
        if found is None:
            raise UsageError("condition_text", text=text[:80])
        return cls(_unquoted(found[1]), found[2], values_of(found[3], found[2]))

    def __str__(self) -> str:
        """Return the text that :meth:`parse` reads."""
        column = _quoted(self.column, "<>=!~")
        values = ",".join(_quoted(value, "" if self.operator in SINGLE else ",") for value in self.values)
        return f"{column}{self.operator}{values}"

    def holds(self, customers: pd.DataFrame) -> np.ndarray:
        """Return whether each customer fulfils it, bool [n]; an unknown value (NaN) fulfils only ``!=``.

        Raises:
            UsageError: no such column, or a number or date column compared with a text.
        """
        if self.column not in customers:
            known = [str(name) for name in customers.columns]
            raise UsageError("condition_column", column=self.column, known=known)
        column = customers[self.column]
        if self.operator == CONTAINS:
            texts = column.astype("str").fillna("").str
            return np.asarray(texts.contains(self.values[0], case=False, regex=False), bool)
        try:
            values = _as_kind(self.values, column)
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
    parts = (text,) if operator in SINGLE else (found[1].strip() for found in PART.finditer(text))
    return tuple(map(_unquoted, parts))


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if re.fullmatch(QUOTED, text) else text


def _quoted(text: str, splits: str) -> str:
    """Return a text in quotes where it would not be read as it is; ``splits`` are the characters that it ends at."""
    plain = text and text == text.strip() and text[0] not in '"=' and not any(mark in text for mark in splits)
    return text if plain else '"' + text.replace('"', '""') + '"'


def _as_kind(texts: tuple[str, ...], column: pd.Series[Any]) -> list[Any]:
    """Read texts as what the column holds; what is unknown is no value that another one equals.

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
