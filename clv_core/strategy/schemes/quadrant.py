"""Value and churn risk: four segments, each with one thing to do.

By default a customer's value is what she is expected to bring if she buys, predicted_clv / p_purchase. The predicted
value itself holds the risk already: on the sample, cutting by it left under 1% of customers with a high risk and high
value, and nobody to win back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
import pandas as pd

from clv_core.errors import Message, UsageError
from clv_core.strategy.history import HISTORIC_VALUE
from clv_core.strategy.schemes.segmentation import Fitted, Floats, Placed, Segment, Segmentation
from clv_core.strategy.segments import P_PURCHASE, VALUE

QUADRANT: Final = "quadrant"
IF_BUYS, PREDICTED, HISTORIC = "if_buys", "predicted", "historic"
BY: Final = (IF_BUYS, PREDICTED, HISTORIC)
KEYS: Final = ("protect", "grow", "win_back", "let_go")
SMALLEST_CHANCE: Final = 0.05
"""A smaller chance counts as this much. A chance is known to a few percentage points: of 1% that may as well be 3%,
value by chance says nothing of what an order would be, and who hardly buys at all would be the most valuable."""
SEGMENTS: Final = tuple(
    Segment(key, (Message(f"segment.quadrant.{key}"),), Message(f"segment.quadrant.{key}.about")) for key in KEYS
)


@dataclass(frozen=True)
class Quadrant(Segmentation):
    """High or low value, likely or unlikely to buy.

    Args:
        value: smallest high value, in the log's currency; None is the mean of all customers.
        chance: smallest p_purchase of a customer who is not at risk; None is the mean of all customers.
        by: what counts as value, one of :data:`BY`.

    Raises:
        UsageError: a cut out of bounds, or another ``by``.
    """

    kind: ClassVar[str] = QUADRANT

    value: float | None = None
    chance: float | None = None
    by: str = IF_BUYS

    def __post_init__(self) -> None:
        """Check the cuts."""
        bad_chance = self.chance is not None and not 0 < self.chance < 1
        if bad_chance or (self.value is not None and not np.isfinite(self.value)) or self.by not in BY:
            raise UsageError("scheme_quadrant", text=str(self)[:80], by=list(BY))

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Return the scheme of what stands after ``quadrant:``, such as ``value=50,p=0.3,by=predicted``.

        Raises:
            UsageError: it is not of this form.
        """
        parts = dict(part.strip().partition("=")[::2] for part in rest.split(",") if part.strip())
        try:
            value = float(parts.pop("value")) if "value" in parts else None
            chance = float(parts.pop("p")) if "p" in parts else None
            by = parts.pop("by", IF_BUYS)
        except ValueError as error:
            raise UsageError("scheme_quadrant", text=f"{QUADRANT}:{rest}"[:80], by=list(BY)) from error
        if parts:
            raise UsageError("scheme_quadrant", text=f"{QUADRANT}:{rest}"[:80], by=list(BY))
        return cls(value, chance, by)

    def __str__(self) -> str:
        """Return the text that :meth:`parse` reads, with the kind before it."""
        cuts = [f"{name}={cut:.15g}" for name, cut in (("value", self.value), ("p", self.chance)) if cut is not None]
        return ":".join([QUADRANT, ",".join([*cuts, f"by={self.by}"])])

    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> FittedQuadrant:
        """Take the means of these customers where a cut was not given."""
        value = float(worth(customers, self.by).mean()) if self.value is None else self.value
        chance = float(customers[P_PURCHASE].to_numpy(float).mean()) if self.chance is None else self.chance
        return FittedQuadrant(value, chance, self.by)


@dataclass(frozen=True)
class FittedQuadrant(Fitted):
    """Both cuts, settled.

    Args:
        value: smallest high value, in the log's currency.
        chance: smallest p_purchase of a customer who is not at risk.
        by: what counts as value.
    """

    segments: ClassVar[tuple[Segment, ...]] = SEGMENTS  # type: ignore[misc]

    value: float
    chance: float
    by: str

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Placed:
        """Put customers into the four, in the order of :data:`KEYS`."""
        high = worth(customers, self.by) >= self.value
        safe = customers[P_PURCHASE].to_numpy(float) >= self.chance
        return Placed(SEGMENTS, np.where(safe, np.where(high, 0, 1), np.where(high, 2, 3)).astype(np.int64))


def worth(customers: pd.DataFrame, by: str) -> Floats:
    """Return what counts as each customer's value, in the log's currency, [n].

    Args:
        customers: ``score``'s columns with the history's, [n].
        by: ``if_buys`` (predicted value over the chance to buy, which counts as at least :data:`SMALLEST_CHANCE`),
            ``predicted`` or ``historic``.
    """
    if by == HISTORIC:
        return customers[HISTORIC_VALUE].to_numpy(float)
    value = customers[VALUE].to_numpy(float)
    if by == PREDICTED:
        return value
    return np.asarray(value / np.maximum(customers[P_PURCHASE].to_numpy(float), SMALLEST_CHANCE), np.float64)
