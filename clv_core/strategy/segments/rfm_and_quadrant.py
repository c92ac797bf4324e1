"""Schemes of fixed segments: RFM, and the quadrant of value and churn risk.

RFM cuts recency, frequency and monetary value into fifths. A score of 5 means better than at least four fifths of all
buyers, 1 better than less than one fifth: equal customers get equal scores, and the one-time buyers of a log in which
most bought once score 1, not 3. The names of the cells are those of the map by recency and frequency in common use
(Putler, 2016: RFM analysis); its frequency is here the mean of the frequency and the monetary score, halves rounded up.

The quadrant's value is by default what a customer is expected to bring if she buys, predicted_clv / p_purchase. The
predicted value itself includes the risk: on the sample, cutting by it left under 1% of customers with a high risk and
high value, and nobody to win back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
import pandas as pd

from clv_core.errors import Message, UsageError
from clv_core.strategy.purchase_history import DAYS_SINCE_LAST, HISTORIC_VALUE, PURCHASE_DAYS
from clv_core.strategy.segments.segmentation import (
    P_PURCHASE,
    VALUE,
    Assignment,
    FittedScheme,
    Floats,
    Ints,
    Segment,
    Segmentation,
)

RFM: Final = "rfm"
FIFTHS: Final = 5
"""Groups of each score. Source: Hughes (1994), Strategic database marketing."""
GRID: Final = (
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    ("promising", "potential_loyal", "potential_loyal", "loyal", "loyal"),
    ("new", "potential_loyal", "potential_loyal", "champions", "champions"),
)
"""Rows: recency 1 (longest ago) to 5; columns: mean of frequency and monetary score, 1 to 5."""
RFM_KEYS: Final = (
    "champions", "loyal", "potential_loyal", "new", "promising", "need_attention",
    "about_to_sleep", "at_risk", "cannot_lose", "hibernating", "never_bought",
)  # fmt: skip
NEVER: Final = RFM_KEYS.index("never_bought")
CELL: Final = "rfm"
RFM_SEGMENTS: Final = tuple(
    Segment(key, (Message(f"segment.rfm.{key}"),), Message(f"segment.rfm.{key}.about")) for key in RFM_KEYS
)
_CODES: Final = np.array([[RFM_KEYS.index(name) for name in row] for row in GRID], np.int64)


@dataclass(frozen=True)
class Rfm(Segmentation):
    """The ten segments of the field, and customers who never bought."""

    kind: ClassVar[str] = RFM

    def __str__(self) -> str:
        """Return ``rfm``."""
        return RFM

    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> FittedRfm:
        """Cut these customers' recency, frequency and monetary value into fifths."""
        bought = customers[PURCHASE_DAYS].to_numpy() > 0
        return FittedRfm(*(tuple(_cuts(measure[bought])) for measure in _measures(customers)))


@dataclass(frozen=True)
class FittedRfm(FittedScheme):
    """The smallest measure of scores 2 to 5; infinite if no value scores so high.

    Args:
        recency: in days since the last purchase, negative.
        frequency: in purchase days.
        monetary: in net value so far, in the log's currency.
    """

    segments: ClassVar[tuple[Segment, ...]] = RFM_SEGMENTS  # type: ignore[misc]

    recency: tuple[float, ...]
    frequency: tuple[float, ...]
    monetary: tuple[float, ...]

    def scores(self, customers: pd.DataFrame) -> Ints:
        """Return recency, frequency and monetary scores, 1 to 5, 0 for customers who never bought, [3, n]."""
        bought = customers[PURCHASE_DAYS].to_numpy() > 0
        cuts = (self.recency, self.frequency, self.monetary)
        scores = [
            1 + np.searchsorted(np.asarray(edges), measure, side="right")
            for edges, measure in zip(cuts, _measures(customers), strict=True)
        ]
        return np.where(bought, np.stack(scores), 0).astype(np.int64)

    def cells(self, customers: pd.DataFrame) -> pd.Series[str]:
        """Return each customer's cell as the field writes it, ``543``; ``000`` if she never bought."""
        recency, frequency, monetary = self.scores(customers)
        words = np.array([f"{code:03}" for code in range(1000)])
        return pd.Series(words[100 * recency + 10 * frequency + monetary], customers.index, dtype="str")

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Assignment:
        """Assign customers to the named segments."""
        recency, frequency, monetary = self.scores(customers)
        both = (frequency + monetary + 1) // 2
        named = _CODES[np.maximum(recency, 1) - 1, np.maximum(both, 1) - 1]
        return Assignment(RFM_SEGMENTS, np.where(recency == 0, NEVER, named))


def grid(fitted: FittedRfm, customers: pd.DataFrame) -> Ints:
    """Return how many buyers are in each cell of recency (rows, 1 to 5) by frequency and monetary value, [5, 5]."""
    recency, frequency, monetary = fitted.scores(customers)
    bought = recency > 0
    code = (recency[bought] - 1) * FIFTHS + (frequency[bought] + monetary[bought] + 1) // 2 - 1
    return np.bincount(code, minlength=FIFTHS**2).reshape(FIFTHS, FIFTHS)


def _measures(customers: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Return recency (negative days), frequency and monetary value: the larger, the better."""
    since = customers[DAYS_SINCE_LAST].to_numpy(float)
    recency = -np.where(np.isnan(since), np.inf, since)
    return recency, customers[PURCHASE_DAYS].to_numpy(float), customers[HISTORIC_VALUE].to_numpy(float)


def _cuts(measure: Floats) -> Floats:
    """Return the smallest values that at least 1/5, 2/5, 3/5 and 4/5 of all values lie below, [4]."""
    if not len(measure):
        return np.full(FIFTHS - 1, np.inf)
    values, counts = np.unique(measure, return_counts=True)
    below = (np.cumsum(counts) - counts) * FIFTHS
    first = np.searchsorted(below, np.arange(1, FIFTHS) * len(measure), side="left")
    return np.append(values, np.inf)[first]


QUADRANT: Final = "quadrant"
IF_BUYS, PREDICTED, HISTORIC = "if_buys", "predicted", "historic"
BY: Final = (IF_BUYS, PREDICTED, HISTORIC)
QUADRANT_KEYS: Final = ("protect", "grow", "win_back", "let_go")
MIN_CHANCE: Final = 0.05
"""A smaller chance counts as this much. Chances are accurate to a few percentage points: divided by 1% that may as well
be 3%, customers who hardly ever buy would be the most valuable."""
QUADRANT_SEGMENTS: Final = tuple(
    Segment(key, (Message(f"segment.quadrant.{key}"),), Message(f"segment.quadrant.{key}.about"))
    for key in QUADRANT_KEYS
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
        """Return the scheme of the text after ``quadrant:``, such as ``value=50,p=0.3,by=predicted``.

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
        value = float(value_of(customers, self.by).mean()) if self.value is None else self.value
        chance = float(customers[P_PURCHASE].to_numpy(float).mean()) if self.chance is None else self.chance
        return FittedQuadrant(value, chance, self.by)


@dataclass(frozen=True)
class FittedQuadrant(FittedScheme):
    """Both cuts, fitted.

    Args:
        value: smallest high value, in the log's currency.
        chance: smallest p_purchase of a customer who is not at risk.
        by: what counts as value.
    """

    segments: ClassVar[tuple[Segment, ...]] = QUADRANT_SEGMENTS  # type: ignore[misc]

    value: float
    chance: float
    by: str

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Assignment:
        """Assign customers to the four segments, in the order of :data:`QUADRANT_KEYS`."""
        high = value_of(customers, self.by) >= self.value
        safe = customers[P_PURCHASE].to_numpy(float) >= self.chance
        return Assignment(
            QUADRANT_SEGMENTS, np.where(safe, np.where(high, 0, 1), np.where(high, 2, 3)).astype(np.int64)
        )


def value_of(customers: pd.DataFrame, by: str) -> Floats:
    """Return what counts as each customer's value, in the log's currency, [n].

    Args:
        customers: ``score``'s columns with the history's, [n].
        by: ``if_buys`` (predicted value over the chance to buy, which counts as at least :data:`MIN_CHANCE`),
            ``predicted`` or ``historic``.
    """
    if by == HISTORIC:
        return customers[HISTORIC_VALUE].to_numpy(float)
    value = customers[VALUE].to_numpy(float)
    if by == PREDICTED:
        return value
    return np.asarray(value / np.maximum(customers[P_PURCHASE].to_numpy(float), MIN_CHANCE), np.float64)
