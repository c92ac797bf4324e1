"""Custom rules: named segments of customers who fulfil conditions, who were put in by hand, or both.

A condition is written so in rules and on the command line:

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
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import Any, ClassVar, Final, Self

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, UsageError
from clv_core.features import FEATURES
from clv_core.records import JsonObject
from clv_core.strategy.segments.segmentation import (
    P_PURCHASE,
    TIER,
    Assignment,
    Bools,
    FittedScheme,
    Floats,
    Segment,
    Segmentation,
)

RULES: Final = "rules"
OTHERS: Final = "others"
MAX_RULES: Final = 40
"""Segments of a rules file, each a row of every table and chart."""
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
class Rule:
    """One named segment.

    Args:
        name: of the segment.
        conditions: all must hold; without any, it has only customers put in by hand.
        description: who is in it and what to do with them.
        by_hand: ids of customers put in by hand, whatever the conditions; None if nobody ever was.
    """

    name: str
    conditions: tuple[Condition, ...]
    description: str = ""
    by_hand: tuple[str, ...] | None = None

    def holds(self, customers: pd.DataFrame) -> Bools:
        """Return who fulfils all conditions, bool [n]."""
        keep = np.full(len(customers), bool(self.conditions))
        for condition in self.conditions:
            keep &= condition.holds(customers)
        return keep

    def put_in(self, customers: pd.DataFrame) -> Bools:
        """Return who was put in by hand, bool [n]."""
        if not self.by_hand:
            return np.zeros(len(customers), bool)
        return np.asarray(customers[CUSTOMER_ID].isin(self.by_hand), bool)


@dataclass(frozen=True)
class Rules(Segmentation, FittedScheme):
    """Segments by rules; customers of no rule are in a segment of others.

    Args:
        name: of the set of rules.
        rules: in their order.
        overlapping: whether a customer is in every segment whose rule holds; if not, in the one that she was put into
            by hand, or else in the first whose rule holds.

    Raises:
        UsageError: no rule or too many, a rule without a name or without both conditions and
            customers, or two of one name.
    """

    kind: ClassVar[str] = RULES

    name: str
    rules: tuple[Rule, ...]
    overlapping: bool = False

    def __post_init__(self) -> None:
        """Check names and number."""
        names = [rule.name.strip() for rule in self.rules]
        if not 1 <= len(names) <= MAX_RULES:
            raise UsageError("rules_count", name=self.name, found=len(names), most=MAX_RULES)
        for place, rule in enumerate(self.rules):
            if not names[place] or not (rule.conditions or rule.by_hand is not None):
                raise UsageError("rules_incomplete", name=self.name, number=place + 1)
            if names[place] in names[:place]:
                raise UsageError("rules_twice", name=self.name, segment=names[place])

    def __str__(self) -> str:
        """Return ``rules:NAME``."""
        return f"{RULES}:{self.name}"

    @property
    def names_key(self) -> str:
        """Never used: rules name their segments."""
        return str(self)

    @property
    def columns(self) -> set[str]:
        """Columns that the conditions use."""
        return {condition.column for rule in self.rules for condition in rule.conditions}

    @cached_property
    def segments(self) -> tuple[Segment, ...]:  # type: ignore[override]
        """The segments by their number, and the others."""
        from_rules = [Segment(str(n), (rule.name,), rule.description) for n, rule in enumerate(self.rules, 1)]
        return (*from_rules, Segment(OTHERS, (Message("segment.rules.others"),), Message("segment.rules.others.about")))

    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> FittedScheme:
        """Return itself."""
        return self

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Assignment:
        """Assign customers to the segments whose rules hold, or into which a person put them.

        Raises:
            UsageError: a condition on a missing column, or that does not fit its column.
        """
        holds = np.stack([rule.holds(customers) for rule in self.rules])
        put_in = np.stack([rule.put_in(customers) for rule in self.rules])
        first = np.where(put_in.any(axis=0), put_in, holds)
        where = np.vstack([first, ~first.any(axis=0)]).argmax(axis=0).astype(np.int64)
        inside = holds | put_in
        inside = np.vstack([inside, ~inside.any(axis=0)])
        return Assignment(self.segments, where, inside if self.overlapping else None)

    def with_condition(self, segment: str, condition: Condition) -> Self:
        """Return the rules with one condition more, of an existing segment or of a new one at the end."""
        old = self._rule(segment)
        return self._with_rule(replace(old, conditions=(*old.conditions, condition)))

    def with_customer(self, segment: str, customer: str) -> Self:
        """Return the rules with a customer put into a segment, a new one at the end if it does not exist.

        If segments do not overlap, she is removed from those that she was put into before.
        """
        left = self if self.overlapping else self.without_customer(customer)
        old = left._rule(segment)
        return left._with_rule(replace(old, by_hand=tuple(dict.fromkeys([*(old.by_hand or ()), customer]))))

    def _rule(self, segment: str) -> Rule:
        return next((rule for rule in self.rules if rule.name == segment), Rule(segment, ()))

    def _with_rule(self, rule: Rule) -> Self:
        """Return the rules with this one in place of that of the same name, or at the end."""
        if all(existing.name != rule.name for existing in self.rules):
            return replace(self, rules=(*self.rules, rule))
        return replace(self, rules=tuple(rule if existing.name == rule.name else existing for existing in self.rules))

    def without_customer(self, customer: str, segment: str | None = None) -> Self:
        """Return the rules with a customer who was put in by hand removed from a segment, or from all."""
        return replace(
            self,
            rules=tuple(
                replace(rule, by_hand=tuple(member for member in rule.by_hand if member != customer))
                if rule.by_hand and segment in (None, rule.name)
                else rule
                for rule in self.rules
            ),
        )

    def to_json(self) -> JsonObject:
        """Return the content of a rules file; each customer is a record of its own, which an erasure removes."""
        segments: list[JsonObject] = []
        for rule in self.rules:
            conditions = [str(condition) for condition in rule.conditions]
            segments.append({"name": rule.name, "description": rule.description, "rules": conditions})
            if rule.by_hand is not None:
                segments[-1]["customers"] = [{CUSTOMER_ID: customer} for customer in rule.by_hand]
        return {"name": self.name, "overlapping": self.overlapping, "segments": segments}

    @classmethod
    def from_json(cls, value: Any, name: str = "") -> Self:
        """Return the rules of a rules file.

        Args:
            value: ``{"segments": [{"name", "rules": ["p_purchase>=0.5", ...], "description",
                "customers": [{"customer_id"}, ...]}], "overlapping"}``.
            name: if the file has none.

        Raises:
            UsageError: it is not of this form, or a condition cannot be parsed.
        """
        try:
            rules = tuple(
                Rule(
                    str(segment["name"]),
                    tuple(map(Condition.parse, segment["rules"])),
                    str(segment.get("description", "")),
                    tuple(str(put_in[CUSTOMER_ID]) for put_in in segment["customers"])
                    if "customers" in segment
                    else None,
                )
                for segment in value["segments"]
            )
            return cls(str(value.get("name") or name), rules, bool(value.get("overlapping", False)))
        except (KeyError, TypeError, AttributeError) as error:
            raise UsageError("rules_form", name=name) from error


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


def is_share(column: str, attributes: Collection[str] = ()) -> bool:
    """Return whether a column of conditions holds shares, 1 being all.

    ``attributes`` are the dataset's own columns, whose unit is unknown.
    """
    if column in attributes:
        return False
    return column == P_PURCHASE or (column in FEATURES and FEATURES[column].unit == SHARE)


def from_percent(
    column: str, operator: str, values: tuple[str, ...], attributes: Collection[str] = ()
) -> tuple[str, ...]:
    """Return values that a person wrote as rules store them: ``50%`` or ``50`` becomes ``0.5``.

    Args:
        column: what is compared.
        operator: how.
        values: as written; those of columns without shares, and texts that are no numbers, are returned unchanged.
        attributes: as in :func:`is_share`.

    Raises:
        UsageError: a number up to 1 without a percent sign: it may be a share or a percentage.
    """
    if operator == CONTAINS or not is_share(column, attributes):
        return values
    return tuple(_share(value) for value in values)


def as_percent(condition: Condition, attributes: Collection[str] = ()) -> tuple[str, ...]:
    """Return the values of a condition as people write them: ``0.5`` of a share is ``50%``."""
    if condition.operator == CONTAINS or not is_share(condition.column, attributes):
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
