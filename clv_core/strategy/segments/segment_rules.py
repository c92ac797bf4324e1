"""Custom rules: named segments of customers who fulfil conditions, who were put in by hand, or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Final, Self

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, UsageError
from clv_core.records import JsonObject
from clv_core.strategy.segments.conditions import Condition
from clv_core.strategy.segments.segmentation import Assignment, Bools, FittedScheme, Floats, Segment, Segmentation

RULES: Final = "rules"
OTHERS: Final = "others"
MAX_RULES: Final = 40


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
        own = [Segment(str(n), (rule.name,), rule.description) for n, rule in enumerate(self.rules, 1)]
        return (*own, Segment(OTHERS, (Message("segment.rules.others"),), Message("segment.rules.others.about")))

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
        if all(one.name != rule.name for one in self.rules):
            return replace(self, rules=(*self.rules, rule))
        return replace(self, rules=tuple(rule if one.name == rule.name else one for one in self.rules))

    def without_customer(self, customer: str, segment: str | None = None) -> Self:
        """Return the rules with a customer who was put in by hand removed from a segment, or from all."""
        return replace(
            self,
            rules=tuple(
                replace(rule, by_hand=tuple(one for one in rule.by_hand if one != customer))
                if rule.by_hand and segment in (None, rule.name)
                else rule
                for rule in self.rules
            ),
        )

    def to_json(self) -> JsonObject:
        """Return the content of a rules file; each customer is a record of its own, which an erasure removes."""
        segments: list[JsonObject] = []
        for rule in self.rules:
            conditions = [str(one) for one in rule.conditions]
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
                    str(one["name"]),
                    tuple(map(Condition.parse, one["rules"])),
                    str(one.get("description", "")),
                    tuple(str(put_in[CUSTOMER_ID]) for put_in in one["customers"]) if "customers" in one else None,
                )
                for one in value["segments"]
            )
            return cls(str(value.get("name") or name), rules, bool(value.get("overlapping", False)))
        except (KeyError, TypeError, AttributeError) as error:
            raise UsageError("rules_form", name=name) from error
