"""Custom rules: named segments, each of conditions on any column; by the first that holds, or overlapping."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Final, Self

import numpy as np
import pandas as pd

from clv_core.errors import Message, UsageError
from clv_core.strategy.conditions import Condition
from clv_core.strategy.schemes.segmentation import Fitted, Floats, Placed, Segment, Segmentation

RULES: Final = "rules"
OTHERS: Final = "others"
MOST: Final = 40


@dataclass(frozen=True)
class Rule:
    """One named segment.

    Args:
        name: of the segment.
        conditions: all must hold.
        description: who is in it and what to do with them.
    """

    name: str
    conditions: tuple[Condition, ...]
    description: str = ""

    def holds(self, customers: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return who fulfils all conditions, bool [n]."""
        keep = np.ones(len(customers), bool)
        for condition in self.conditions:
            keep &= condition.holds(customers)
        return keep


@dataclass(frozen=True)
class Rules(Segmentation, Fitted):
    """Segments by rules; whom no rule holds for is among the others.

    Args:
        name: of the set of rules.
        rules: in their order.
        overlapping: whether a customer is in every segment whose rule holds; if not, in the first.

    Raises:
        UsageError: no rule or too many, a rule without a name or a condition, or two of one name.
    """

    kind: ClassVar[str] = RULES

    name: str
    rules: tuple[Rule, ...]
    overlapping: bool = False

    def __post_init__(self) -> None:
        """Check names and number."""
        names = [rule.name.strip() for rule in self.rules]
        if not 1 <= len(names) <= MOST:
            raise UsageError("rules_count", name=self.name, found=len(names), most=MOST)
        for place, rule in enumerate(self.rules):
            if not names[place] or not rule.conditions:
                raise UsageError("rules_incomplete", name=self.name, number=place + 1)
            if names[place] in names[:place]:
                raise UsageError("rules_twice", name=self.name, segment=names[place])

    def __str__(self) -> str:
        """Return ``rules:NAME``."""
        return f"{RULES}:{self.name}"

    @property
    def names_key(self) -> str:
        """The rules name their segments themselves."""
        return str(self)

    @property
    def columns(self) -> set[str]:
        """What the conditions ask of a customer."""
        return {condition.column for rule in self.rules for condition in rule.conditions}

    @cached_property
    def segments(self) -> tuple[Segment, ...]:  # type: ignore[override]
        """The segments by their number, and the others."""
        own = [Segment(str(n), (rule.name,), rule.description) for n, rule in enumerate(self.rules, 1)]
        return (*own, Segment(OTHERS, (Message("segment.rules.others"),), Message("segment.rules.others.about")))

    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> Fitted:
        """Return itself."""
        return self

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Placed:
        """Put customers into the segments whose rules hold.

        Raises:
            UsageError: a condition on a column that is not there, or that does not fit it.
        """
        holds = np.stack([rule.holds(customers) for rule in self.rules])
        inside = np.vstack([holds, ~holds.any(axis=0)])
        where = inside.argmax(axis=0).astype(np.int64)
        return Placed(self.segments, where, inside if self.overlapping else None)

    def with_condition(self, segment: str, condition: Condition) -> Self:
        """Return the rules with one condition more, of a segment that is there or of a new one at the end."""
        names = [rule.name for rule in self.rules]
        if segment not in names:
            return replace(self, rules=(*self.rules, Rule(segment, (condition,))))
        place = names.index(segment)
        old = self.rules[place]
        longer = replace(old, conditions=(*old.conditions, condition))
        return replace(self, rules=(*self.rules[:place], longer, *self.rules[place + 1 :]))

    def to_json(self) -> dict[str, Any]:
        """Return what a rules file holds."""
        return {
            "name": self.name,
            "overlapping": self.overlapping,
            "segments": [
                {"name": rule.name, "description": rule.description, "rules": [str(one) for one in rule.conditions]}
                for rule in self.rules
            ],
        }

    @classmethod
    def from_json(cls, value: Any, name: str = "") -> Self:
        """Return the rules of a rules file.

        Args:
            value: ``{"segments": [{"name", "rules": ["p_purchase>=0.5", ...], "description"}], "overlapping"}``.
            name: where the file says none.

        Raises:
            UsageError: it is not of this form, or a condition cannot be read.
        """
        try:
            rules = tuple(
                Rule(str(one["name"]), tuple(map(Condition.parse, one["rules"])), str(one.get("description", "")))
                for one in value["segments"]
            )
            return cls(str(value.get("name") or name), rules, bool(value.get("overlapping", False)))
        except (KeyError, TypeError, AttributeError) as error:
            raise UsageError("rules_form", name=name) from error
