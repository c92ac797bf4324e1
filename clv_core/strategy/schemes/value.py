"""Value tiers as a scheme: by quantile, share of value or thresholds, and by what an action costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, Self

import pandas as pd

from clv_core.errors import Message, UsageError
from clv_core.strategy.schemes.segmentation import Fitted, Floats, Placed, Segment, Segmentation
from clv_core.strategy.segments import VALUE
from clv_core.strategy.tiers import NAMES, THRESHOLDS, Scheme

COST: Final = "cost"
DEFAULT_MULTIPLES: Final = (10.0, 3.0, 1.0)


@dataclass(frozen=True)
class ValueTiers(Segmentation, Fitted):
    """Tiers by predicted value; nothing has to be settled.

    Args:
        scheme: how customers are cut.
    """

    kind: ClassVar[str] = "tiers"

    scheme: Scheme

    def __str__(self) -> str:
        """Return the scheme's text."""
        return str(self.scheme)

    @property
    def names_key(self) -> str:
        """Names hold for any cuts into as many tiers."""
        return f"tiers:{self.scheme.tiers}"

    @cached_property
    def segments(self) -> tuple[Segment, ...]:  # type: ignore[override]
        """The tiers, the highest first."""
        count = self.scheme.tiers
        names = NAMES.get(count)
        if names is None:
            return tuple(Segment(str(n), (Message("tier.numbered", {"number": n}),)) for n in range(1, count + 1))
        return tuple(
            Segment(str(n), (Message(f"tier.{name}"),), Message(f"segments.action.{name}"))
            for n, name in enumerate(names, 1)
        )

    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> Fitted:
        """Return itself."""
        return self

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Placed:
        """Put customers into tiers by their ``predicted_clv``."""
        return Placed(self.segments, self.scheme.tier_of(customers[VALUE].to_numpy()) - 1)


@dataclass(frozen=True)
class CostTiers(Segmentation, Fitted):
    """Tiers by how many times the cost of an action a customer is expected to bring.

    Args:
        cost: of the action for one customer, in the log's currency.
        multiples: smallest predicted value of each tier but the last, in costs; falling.

    Raises:
        UsageError: a cost or multiples that make no tiers.
    """

    kind: ClassVar[str] = COST

    cost: float
    multiples: tuple[float, ...] = DEFAULT_MULTIPLES

    def __post_init__(self) -> None:
        """Check the cost and the order of the multiples."""
        falling = all(one > two for one, two in zip(self.multiples, self.multiples[1:], strict=False))
        usable = all(math.isfinite(one) and one > 0 for one in (self.cost, *self.multiples))
        if not (usable and falling and self.multiples):
            raise UsageError("scheme_cost", text=str(self)[:80])

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Return the tiers of what stands after ``cost:``, ``5`` or ``5:10,3,1``.

        Raises:
            UsageError: it is not of this form.
        """
        cost, colon, multiples = rest.partition(":")
        try:
            given = tuple(float(part) for part in multiples.split(",")) if colon else DEFAULT_MULTIPLES
            return cls(float(cost), given)
        except ValueError as error:
            raise UsageError("scheme_cost", text=f"{COST}:{rest}"[:80]) from error

    def __str__(self) -> str:
        """Return ``cost:5:10,3,1``."""
        return f"{COST}:{self.cost:.15g}:{','.join(f'{one:.15g}' for one in self.multiples)}"

    @property
    def names_key(self) -> str:
        """Names hold for as many tiers."""
        return f"{COST}:{len(self.multiples) + 1}"

    @cached_property
    def segments(self) -> tuple[Segment, ...]:  # type: ignore[override]
        """The tiers, the highest first."""
        ends = [f"{one:.4g}" for one in self.multiples]
        names = [Message("segment.cost.top", {"times": ends[0]})]
        names += [
            Message("segment.cost.between", {"low": low, "high": high})
            for high, low in zip(ends, ends[1:], strict=False)
        ]
        last = {"times": ends[-1]}
        names.append(Message("segment.cost.below.one") if ends[-1] == "1" else Message("segment.cost.below", last))
        tops, bottoms = (math.inf, *self.multiples), (*self.multiples, -math.inf)
        abouts = [Message(f"segment.cost.{_pays(low, high)}") for low, high in zip(bottoms, tops, strict=True)]
        both = enumerate(zip(names, abouts, strict=True), 1)
        return tuple(Segment(str(n), (name,), about) for n, (name, about) in both)

    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> Fitted:
        """Return itself."""
        return self

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Placed:
        """Put customers into tiers by their ``predicted_clv``."""
        cuts = Scheme(THRESHOLDS, tuple(self.cost * one for one in self.multiples))
        return Placed(self.segments, cuts.tier_of(customers[VALUE].to_numpy()) - 1)


def _pays(low: float, high: float) -> str:
    """Return whether customers worth ``low`` to ``high`` times the cost are all worth it, none is, or ``some`` are."""
    if low >= 1:
        return "worth"
    return "not_worth" if high <= 1 else "some_worth"
