"""The 80% interval of a sum of customers, which is neither the sum of their intervals nor that of independent ones.

    log(sum / predicted sum) ~ N(-v/2, v + s^2 + (w_1 g_1)^2 + ... + (w_5 g_5)^2)

with v from the variances of the customers, s and g_k what past origins say of shared errors
(:mod:`clv_core.evaluation.levels`), averaged over what is held of them, and w_k the share of the sum that the k-th
fifth of all customers by predicted value holds. The luck of customers shrinks with their number; the rest does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from clv_core.evaluation.levels import FIFTHS, SharedError, customer_variance, fifth_of

Floats = NDArray[np.float64]

SURE: Final = 0.8
TAIL: Final = (1 - SURE) / 2
HALVINGS: Final = 40
WIDEST: Final = 20.0
"""Half a width on the log scale that no interval reaches."""


@dataclass(frozen=True, eq=False)
class SumIntervals:
    """Sums of predicted value with the interval that holds each with 80% probability; money in the log's currency.

    Args:
        value: predicted sums, [k].
        low: lower ends, [k]; 0 where it is likely enough (10%) that nobody of the segment buys.
        high: upper ends, [k].
    """

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Summands:
    """What each customer brings to a sum, worked out once for many ways to add them up.

    Args:
        predicted: predicted value, money, [n].
        variance: of the customer's own luck, money squared, [n].
        fifth: by predicted value among all customers, 0 to 4, [n].
        nobody: log of the chance of no purchase, [n].
        shared: what past origins say.
    """

    predicted: Floats
    variance: Floats
    fifth: NDArray[np.int64]
    nobody: Floats
    shared: SharedError

    @classmethod
    def of(cls, scored: pd.DataFrame, shared: SharedError) -> Self:
        """Return the summands of all customers, ``p_purchase`` and ``predicted_clv``, one row each."""
        predicted = scored["predicted_clv"].to_numpy(np.float64)
        chance = np.minimum(scored["p_purchase"].to_numpy(np.float64), 1 - 1e-12)
        variance = customer_variance(scored, shared.dispersion)
        return cls(predicted, variance, fifth_of(predicted), np.log1p(-chance), shared)

    def sums(self, rows: ArrayLike, segment: ArrayLike, count: int) -> SumIntervals:
        """Return the sum of each segment with its 80% interval.

        Args:
            rows: who is added, places among all customers; who is in two segments stands twice, [m].
            segment: to what, 0 to ``count`` - 1, [m].
            count: number of segments k; an empty one has the interval 0 to 0.
        """
        rows, where = np.asarray(rows, np.int64), np.asarray(segment, np.int64)
        everybody = np.array_equal(rows, np.arange(len(self.predicted)))
        predicted, own, nobody, fifth = (
            amounts if everybody else amounts[rows]
            for amounts in (self.predicted, self.variance, self.nobody, self.fifth)
        )
        value, variance, none = (
            np.bincount(where, amounts, minlength=count).astype(np.float64) for amounts in (predicted, own, nobody)
        )
        cells = np.bincount(where * FIFTHS + fifth, predicted, minlength=count * FIFTHS)
        some = value > 0
        safe = np.where(some, value, 1.0)
        luck = np.log1p(variance / safe**2)
        half = _half_width(luck, cells.reshape(count, FIFTHS) / safe[:, None], self.shared)
        middle = np.where(some, value * np.exp(-luck / 2), 0.0)
        low = np.where(np.exp(none) >= TAIL, 0.0, middle * np.exp(-half))
        return SumIntervals(value, low, middle * np.exp(half))


def sum_intervals(scored: pd.DataFrame, segment: ArrayLike, count: int, shared: SharedError) -> SumIntervals:
    """Return the sum of each segment with its 80% interval.

    Args:
        scored: ``p_purchase`` and ``predicted_clv`` of all customers, one row each, [n].
        segment: each customer's segment, 0 to ``count`` - 1, or -1 for none, [n].
        count: number of segments k; an empty one has the interval 0 to 0.
        shared: what past origins say, of the model that scored.
    """
    where = np.asarray(segment, np.int64)
    rows = np.flatnonzero(where >= 0)
    return Summands.of(scored, shared).sums(rows, where[rows], count)


def _half_width(luck: Floats, shares: Floats, shared: SharedError) -> Floats:
    """Return half the interval's width on the log scale, by halving, [k].

    Args:
        luck: variance of the independent part, [k].
        shares: how much of the sum each fifth holds, [k, 5].
        shared: draws of the spreads.
    """
    spread = np.sqrt(luck[:, None] + shared.level + shares**2 @ shared.own.T)  # [k, d]
    low, high = np.zeros(len(luck)), np.full(len(luck), WIDEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        inside = (2 * ndtr(middle[:, None] / spread) - 1) @ shared.weights
        low, high = np.where(inside < SURE, middle, low), np.where(inside < SURE, high, middle)
    return high
