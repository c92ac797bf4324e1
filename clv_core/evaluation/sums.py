"""80% intervals of totals over customers, with the errors that customers share.

    log(sum / predicted sum) = log(w_1 exp(b_1) + ... + w_5 exp(b_5)) + N(-v/2, v + s^2),   b_k ~ N(0, g_k^2)

with v from the variances of the customers, s and g_k what past origins say of shared errors
(:mod:`clv_core.evaluation.levels`), averaged over what is held of them, and w_k the share of the sum that the k-th
fifth of all customers by predicted value holds. The luck of customers shrinks with their number; the rest does not.
The b_k are drawn, once for each spread that is held possible: a fifth that may hold far more than was said lifts the
upper end further than it lowers the lower one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import elementwise
from scipy.special import ndtr, ndtri

from clv_core.evaluation.levels import FIFTHS, SharedError, customer_variance, evenly, fifth_of

Floats = NDArray[np.float64]

SURE: Final = 0.8
TAIL: Final = (1 - SURE) / 2
DRAWN: Final = 8192
"""Possible errors of the fifths from which the ends are read."""
WIDEST: Final = 20.0
"""On the log scale; no end of an interval lies as far from the middle."""


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
        low, high = _ends(luck, np.where(some[:, None], cells.reshape(count, FIFTHS) / safe[:, None], 1.0), self.shared)
        low = np.where(some & (np.exp(none) < TAIL), value * low, 0.0)
        return SumIntervals(value, low, np.where(some, value * high, 0.0))


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


def _ends(luck: Floats, shares: Floats, shared: SharedError) -> tuple[Floats, Floats]:
    """Return the lower and the upper end relative to the predicted sum, [k] each.

    Args:
        luck: variance of the independent part, [k].
        shares: how much of the sum each fifth holds, [k, 5].
        shared: draws of the spreads.
    """
    held = evenly(shared.weights, DRAWN)
    alone = np.exp(np.sqrt(shared.own[held]) * _normals())  # [d, 5]
    middle = np.log(shares @ alone.T) - luck[:, None] / 2  # [k, d]
    spread = np.sqrt(luck[:, None] + shared.level[held])

    def below(end: Floats, tail: Floats, segment: NDArray[np.int64]) -> Floats:
        inside: Floats = ndtr((end[:, None] - middle[segment]) / spread[segment]).mean(axis=1)
        return inside - tail

    count = len(luck)
    tail, segment = np.repeat([TAIL, 1 - TAIL], count), np.tile(np.arange(count), 2)
    found = elementwise.find_root(below, (-WIDEST, WIDEST), args=(tail, segment), tolerances={"xatol": 1e-6})
    low, high = np.exp(found.x).reshape(2, count)
    return low, high


@cache
def _normals() -> Floats:
    """Return what the fifths are off by in their own spreads, by the cells of a Latin hypercube, [d, 5].

    Source: McKay, Beckman, Conover (1979), A comparison of three methods for selecting values of input variables,
    Technometrics 21(2). SciPy's own (``scipy.stats.qmc``) takes half a second to import.
    """
    cells = np.random.default_rng(0).permuted(np.tile(np.arange(DRAWN), (FIFTHS, 1)), axis=1).T
    return ndtri((cells + 0.5) / DRAWN)
