"""RFM: recency, frequency and monetary value in fifths, and the names that the field gives their cells.

A score of 5 means: better than at least four fifths of all buyers; of 1: better than less than one fifth. So customers
who are alike are never parted, and the one-time buyers of a log in which most bought once score 1, not 3.

The names are those of the map by recency and frequency that is in common use (Putler, 2016: RFM analysis; the same
grid in most packages). Here the mean of the frequency and the monetary score, halves rounded up, stands for frequency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import pandas as pd

from clv_core.errors import Message
from clv_core.strategy.history import DAYS_SINCE_LAST, HISTORIC_VALUE, PURCHASE_DAYS
from clv_core.strategy.schemes.segmentation import Fitted, Floats, Ints, Placed, Segment, Segmentation

RFM: Final = "rfm"
FIFTHS: Final = 5
GRID: Final = (
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    ("promising", "potential_loyal", "potential_loyal", "loyal", "loyal"),
    ("new", "potential_loyal", "potential_loyal", "champions", "champions"),
)
"""Rows: recency 1 (longest silent) to 5; columns: frequency and monetary value together, 1 to 5."""
KEYS: Final = (
    "champions", "loyal", "potential_loyal", "new", "promising", "need_attention",
    "about_to_sleep", "at_risk", "cannot_lose", "hibernating", "never_bought",
)  # fmt: skip
NEVER: Final = KEYS.index("never_bought")
CELL: Final = "rfm"
SEGMENTS: Final = tuple(
    Segment(key, (Message(f"segment.rfm.{key}"),), Message(f"segment.rfm.{key}.about")) for key in KEYS
)
_CODES: Final = np.array([[KEYS.index(name) for name in row] for row in GRID], np.int64)


@dataclass(frozen=True)
class Rfm(Segmentation):
    """The ten names of the field, and those who never bought."""

    kind: ClassVar[str] = RFM

    def __str__(self) -> str:
        """Return ``rfm``."""
        return RFM

    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> FittedRfm:
        """Cut these customers' recency, frequency and monetary value into fifths."""
        bought = customers[PURCHASE_DAYS].to_numpy() > 0
        return FittedRfm(*(tuple(_cuts(measure[bought])) for measure in _measures(customers)))


@dataclass(frozen=True)
class FittedRfm(Fitted):
    """The smallest measure of scores 2 to 5; infinite where no value scores so high.

    Args:
        recency: in days since the last purchase, negative.
        frequency: in purchase days.
        monetary: in net value so far, in the log's currency.
    """

    segments: ClassVar[tuple[Segment, ...]] = SEGMENTS  # type: ignore[misc]

    recency: tuple[float, ...]
    frequency: tuple[float, ...]
    monetary: tuple[float, ...]

    def scores(self, customers: pd.DataFrame) -> Ints:
        """Return the scores of recency, frequency and monetary value, 1 to 5, 0 who never bought, [3, n]."""
        bought = customers[PURCHASE_DAYS].to_numpy() > 0
        cuts = (self.recency, self.frequency, self.monetary)
        found = [
            1 + np.searchsorted(np.asarray(own), measure, side="right")
            for own, measure in zip(cuts, _measures(customers), strict=True)
        ]
        return np.where(bought, np.stack(found), 0).astype(np.int64)

    def cells(self, customers: pd.DataFrame) -> pd.Series[str]:
        """Return each customer's cell as the field writes it, ``543``; ``000`` who never bought."""
        recency, frequency, monetary = self.scores(customers)
        words = np.array([f"{code:03}" for code in range(1000)])
        return pd.Series(words[100 * recency + 10 * frequency + monetary], customers.index, dtype="str")

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Placed:
        """Put customers into the named segments."""
        recency, frequency, monetary = self.scores(customers)
        both = (frequency + monetary + 1) // 2
        named = _CODES[np.maximum(recency, 1) - 1, np.maximum(both, 1) - 1]
        return Placed(SEGMENTS, np.where(recency == 0, NEVER, named))


def grid(fitted: FittedRfm, customers: pd.DataFrame) -> Ints:
    """Return how many buyers lie in each cell of recency (rows, 1 to 5) by frequency and monetary value, [5, 5]."""
    recency, frequency, monetary = fitted.scores(customers)
    bought = recency > 0
    code = (recency[bought] - 1) * FIFTHS + (frequency[bought] + monetary[bought] + 1) // 2 - 1
    return np.bincount(code, minlength=FIFTHS**2).reshape(FIFTHS, FIFTHS)


def _measures(customers: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Return what is better the larger it is: recency (negative days), frequency, monetary value."""
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
