"""Predicted and actual values of customers, and resamples of them as weights.

Every metric is a function of a :class:`Draw`: B sets of weights over the same n customers. All weights 1 is the sample
itself; how often each customer was drawn is a bootstrap resample. Orders and ties are worked out once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv_core.model import Predictions

Floats = NDArray[np.float64]
DECILES = np.linspace(0.0, 1.0, 11)
PredictionLike = Predictions | pd.DataFrame
"""Predictions, or a frame with columns of the same names."""


@dataclass(frozen=True, eq=False)
class Order:
    """Customers sorted by one figure, those of equal figure in one group.

    Args:
        rows: positions in sorted order, [n].
        starts: first position of each group in that order, [g].
        group: group of each customer in their own order, [n].
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    group: NDArray[np.int64]

    @classmethod
    def ascending(cls, values: Floats) -> Self:
        """Sort by ``values`` [n], the smallest first."""
        rows = np.argsort(values, kind="stable")
        new = np.concatenate([[True], np.diff(values[rows]) != 0])[: len(rows)]
        group = np.empty(len(rows), np.int64)
        group[rows] = np.cumsum(new) - 1
        return cls(rows, np.flatnonzero(new), group)

    def sums(self, weights: Floats) -> Floats:
        """Return the sum of ``weights`` [B, n] in each group, [B, g]."""
        return self.sums_of(self.sorted(weights))

    def sorted(self, weights: Floats) -> Floats:
        """Return ``weights`` [B, n] in sorted order: what takes the time of their sums."""
        return np.take(weights, self.rows, axis=1)

    def sums_of(self, ranked: Floats) -> Floats:
        """Return the sum in each group, [B, g], of what is in sorted order, [B, n]."""
        if len(self.starts) == len(self.rows):
            return ranked
        return np.add.reduceat(ranked, self.starts, axis=1)

    def by_tenth(self, values: Floats) -> Floats:
        """Return the sum of ``values`` [n] in each tenth of the customers, groups split evenly, [10]."""
        heads = self.sums(np.ones((1, len(values))))
        return np.diff(shares_at(heads, self.sums(values[None, :]), DECILES)[0])


@dataclass(frozen=True, eq=False)
class Sample:
    """n customers.

    Args:
        actual: net value in the horizon, negative where returns exceeded purchases, [n].
        p: predicted probability of any purchase, [n].
        mean: predicted value, [n].
        low: 10% quantile, [n].
        middle: median, [n].
        high: 90% quantile, [n].
        threshold: a customer with ``p >= threshold`` is expected to buy.
    """

    actual: Floats
    p: Floats
    mean: Floats
    low: Floats
    middle: Floats
    high: Floats
    threshold: float = 0.5

    @classmethod
    def of(cls, actual: ArrayLike, predictions: PredictionLike, threshold: float = 0.5) -> Self:
        """Return the sample of predictions or of a frame with the same columns."""
        return cls(
            floats(actual),
            floats(predictions.p_purchase),
            floats(predictions.predicted_clv),
            floats(predictions.clv_p10),
            floats(predictions.clv_p50),
            floats(predictions.clv_p90),
            threshold,
        )

    @cached_property
    def value(self) -> Floats:
        """The actual value with negative ones as 0, [n]."""
        return np.maximum(self.actual, 0.0)

    @cached_property
    def bought(self) -> NDArray[np.bool_]:
        """Whether the customer was worth anything in the horizon, [n]."""
        return self.actual > 0

    @cached_property
    def by_mean(self) -> Order:
        """Highest predicted value first."""
        return Order.ascending(-self.mean)

    @cached_property
    def by_value(self) -> Order:
        """Highest actual value first."""
        return Order.ascending(-self.value)

    @cached_property
    def by_actual(self) -> Order:
        """Lowest actual value first, negative ones apart."""
        return Order.ascending(self.actual)

    @cached_property
    def by_p(self) -> Order:
        """Lowest probability first."""
        return Order.ascending(self.p)


@dataclass(frozen=True, eq=False)
class Draw:
    """B sets of weights over a sample.

    Args:
        sample: the customers.
        weights: how often each counts, [B, n].
    """

    sample: Sample
    weights: Floats

    @classmethod
    def unweighted(cls, sample: Sample) -> Self:
        """Return the sample itself: every customer once."""
        return cls(sample, np.ones((1, len(sample.actual))))

    @cached_property
    def total(self) -> Floats:
        """Sum of weights, [B]."""
        total: Floats = self.weights.sum(axis=1)
        return total

    def sum(self, values: NDArray[np.float64] | NDArray[np.bool_]) -> Floats:
        """Return the weighted sum of ``values`` [n], [B]."""
        return self.weights @ values.astype(np.float64)

    def mean(self, values: NDArray[np.float64] | NDArray[np.bool_]) -> Floats:
        """Return the weighted mean of ``values`` [n], [B]; NaN without customers."""
        return divide(self.sum(values), self.total)

    @cached_property
    def _ranked(self) -> Floats:
        """Weights by predicted value, highest first, [B, n]."""
        return self.sample.by_mean.sorted(self.weights)

    @cached_property
    def heads(self) -> Floats:
        """Weights in each group of equal predicted value, highest first, [B, g]."""
        return self.sample.by_mean.sums_of(self._ranked)

    def along(self, values: Floats) -> Floats:
        """Return weighted sums of ``values`` [n] in those groups, [B, g]."""
        order = self.sample.by_mean
        return order.sums_of(self._ranked * values[order.rows])

    @cached_property
    def value_along(self) -> Floats:
        """Actual value in each group of equal predicted value, highest first, [B, g]."""
        return self.along(self.sample.value)


def divide(above: Floats, below: Floats) -> Floats:
    """Return ``above / below``, NaN where ``below`` is 0."""
    ratio: Floats = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below != 0)
    return ratio


def shares_at(heads: Floats, parts: Floats, shares: Floats) -> Floats:
    """Return how much of ``parts`` the first ``shares`` of all weight hold, groups split evenly.

    Args:
        heads: weight of each group in order, [B, g].
        parts: what each group holds, [B, g].
        shares: shares of all weight in [0, 1], [k].

    Returns:
        Cumulative sums, [B, k]; not divided by the total.
    """
    reached, captured = np.cumsum(heads, axis=1), np.cumsum(parts, axis=1)
    result = np.empty((len(heads), len(shares)))
    for row in range(len(heads)):
        x, y = np.concatenate([[0.0], reached[row]]), np.concatenate([[0.0], captured[row]])
        result[row] = np.interp(shares * x[-1], x, y)
    return result


def floats(values: ArrayLike) -> Floats:
    """Return float64 values."""
    return np.asarray(values, dtype=np.float64)
