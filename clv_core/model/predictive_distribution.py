"""One law for each customer: the chance of no purchase, the mean and every quantile are those of one distribution.

The value in the horizon is 0 with probability 1 - p, and else m / p times R, where m is the mean over all outcomes, and
R, the *shape* of those who buy, has mean 1:

    Q(q) = 0                           for q <= 1 - p
    Q(q) = (m / p) R(1 - (1 - q) / p)  beyond

So a median is above 0 exactly where p is above .5, no model can contradict itself, and whatever moves the mean (level,
discount, margin) or the chance (level, horizon) moves the quantiles with it. Every model brings p, m and a shape:
tabulated ones are here; networks have theirs by their head (:mod:`clv_core.model.calibrated`), BTYD models the compound
law of their purchases and order values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.btyd import BGNBD, GammaGamma, ParetoNBD
from clv_core.model.predictions import Predictions

Floats = NDArray[np.float64]

QUANTILES: Final = np.array([[0.1], [0.5], [0.9]])
"""Of :class:`Predictions`: an 80% range and the median."""


class BuyerShape(Protocol):
    """How the values of those who buy lie around their mean."""

    def ratio(self, level: Floats) -> Floats:
        """Return the quantile of value over its mean: of mean 1 over all levels, and never falling.

        Args:
            level: in (0, 1), a row a level asked for, a column a customer, [l, n].
        """


@dataclass(frozen=True)
class PredictiveDistribution:
    """What n customers are worth in one horizon.

    Args:
        chance: p, of a value above 0, float64 [n].
        mean: m, in the log's currency, float64 [n]; nothing where the chance is 0.
        shape: R, of the same customers.
        largest: no quantile is above it, in the log's currency; what lies beyond counts in the mean alone.
    """

    chance: Floats
    mean: Floats
    shape: BuyerShape
    largest: float = np.inf

    def quantile(self, q: Floats) -> Floats:
        """Return the quantiles at levels ``q``, each in (0, 1), broadcast against customers, [l, n]."""
        q = np.broadcast_to(q, (len(q), len(self.chance)))
        bought = q > 1 - self.chance
        p = np.where(self.chance > 0, self.chance, 1.0)
        level = np.clip(1 - (1 - q) / p, 1e-9, 1 - 1e-9)
        value = np.minimum(self.mean / p * self.shape.ratio(level), self.largest)
        return np.where(bought, value, 0.0)

    def predictions(self) -> Predictions:
        """Return chance, mean, and the quantiles that are reported."""
        return Predictions(self.chance, np.where(self.chance > 0, self.mean, 0.0), *self.quantile(QUANTILES))


CLOSE: Final = 1e-6
"""Of a chance: so near to a level of :data:`QUANTILES`, a quantile may be nothing or not, by rounding."""


def contradictory(predictions: Predictions) -> NDArray[np.bool_]:
    """Return whose quantiles are above 0 where the chance of nothing is higher, or the other way round, bool [n].

    Customers without any value expected have no quantiles to speak of.
    """
    low, high = predictions.p_purchase - CLOSE, predictions.p_purchase + CLOSE
    values = np.stack([predictions.clv_p10, predictions.clv_p50, predictions.clv_p90])
    wrong = ((values > 0) & (QUANTILES <= 1 - high)) | ((values <= 0) & (QUANTILES > 1 - low))
    return wrong.any(axis=0) & (predictions.predicted_clv > 0)


SIZE: Final = 200
MIDPOINTS: Final = (np.arange(SIZE) + 0.5) / SIZE
"""Levels at which shapes are tabulated: the mean of a table is the mean of its law, and one in 400 is its tail."""


@dataclass(frozen=True)
class TabulatedShape:
    """Shapes as tables, of which each customer has one, or a mixture of some by level.

    Args:
        tables: quantiles at :data:`MIDPOINTS`, each of mean 1, [k, SIZE].
        place: tables of each customer, [m, n].
        weight: of each of them, which sum to 1, [m, n].
    """

    tables: Floats
    place: NDArray[np.intp]
    weight: Floats

    @classmethod
    def one_each(cls, tables: Floats, place: NDArray[np.intp]) -> Self:
        """Return the shape of customers with one table each, [n]."""
        return cls(tables, place[None], np.ones((1, len(place))))

    def replaced(self, rows: NDArray[np.intp], other: TabulatedShape) -> Self:
        """Return the same with other shapes of some customers.

        Args:
            rows: of the customers, [r].
            other: their shapes, in this order.
        """
        size = max(len(self.place), len(other.place))
        place, weight = np.zeros((size, self.place.shape[1]), np.intp), np.zeros((size, self.place.shape[1]))
        place[: len(self.place)], weight[: len(self.weight)] = self.place, self.weight
        weight[:, rows] = 0.0
        place[: len(other.place), rows] = other.place + len(self.tables)
        weight[: len(other.weight), rows] = other.weight
        return replace(self, tables=np.concatenate([self.tables, other.tables]), place=place, weight=weight)

    def ratio(self, level: Floats) -> Floats:
        """Return R at ``level`` [l, n]; linear between midpoints, level beyond the outermost."""
        level = np.broadcast_to(level, (len(level), self.place.shape[-1]))
        position = np.clip(level * SIZE - 0.5, 0, SIZE - 1)
        below = np.minimum(position.astype(np.intp), SIZE - 2)
        share, total = position - below, np.zeros(level.shape)
        for place, weight in zip(self.place, self.weight, strict=True):
            total += weight * (self.tables[place, below] * (1 - share) + self.tables[place, below + 1] * share)
        return total


def table_of(values: Floats, weight: Floats | None = None) -> Floats:
    """Return the shape of a sample of positive values as a table, [SIZE].

    Args:
        values: of those who bought, [b]; at least one.
        weight: how much each counts, [b]; None: the same.
    """
    if weight is None:
        table = np.quantile(values, MIDPOINTS)
    else:
        order = np.argsort(values)
        counted = weight[order]
        middle = (np.cumsum(counted) - counted / 2) / counted.sum()
        table = np.interp(MIDPOINTS, middle, values[order])
    mean = float(table.mean())
    return table / mean if mean > 0 and np.isfinite(mean) else np.ones(SIZE)


BINS: Final = 10
"""Deciles of the prediction."""
MIN_BUYERS: Final = 50
"""Of a bin: its 80% range leaves five on each side; a guess."""


@dataclass(frozen=True)
class LearnedShapes:
    """Shapes that training windows showed, by predicted value: a large spender's is not a small one's.

    Args:
        edges: predicted values that separate the bins, ascending, [k - 1].
        ratios: the table of each bin, [k, SIZE].
    """

    edges: Floats
    ratios: Floats

    @classmethod
    def fit(cls, predicted: Floats, chance: Floats, actual: Floats) -> Self:
        """Learn from the buyers of windows whose horizon has passed.

        Args:
            predicted: means, of customers whom the model had not seen where it can learn them by heart, [n].
            chance: of a purchase, [n].
            actual: net value in the horizon, [n].
        """
        bought = (actual > 0) & (predicted > 0) & (chance > 0)
        value, ratio = predicted[bought], actual[bought] * chance[bought] / predicted[bought]
        bins = min(BINS, len(value) // MIN_BUYERS)
        edges = np.unique(np.quantile(value, np.arange(1, bins) / bins)) if bins > 1 else np.zeros(0)
        of_value = np.searchsorted(edges, value, side="right")
        some = np.bincount(of_value, minlength=len(edges) + 1) > 0
        if not some.all():  # many of one value: a bin of nobody goes with the one below it
            edges = edges[some[1:]] if some[0] else edges[some[:-1]]
            of_value = np.searchsorted(edges, value, side="right")
        if not len(value):
            return cls(np.zeros(0), np.ones((1, SIZE)))
        return cls(edges, np.stack([table_of(ratio[of_value == number]) for number in range(len(edges) + 1)]))

    def of(self, predicted: Floats) -> TabulatedShape:
        """Return the shapes of customers of these means in the trained horizon, [n]."""
        return TabulatedShape.one_each(self.ratios, np.searchsorted(self.edges, predicted, side="right"))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {"edges": self.edges, "ratios": self.ratios}

    @classmethod
    def from_state(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """Return what :meth:`state` described.

        Raises:
            KeyError: an array is missing.
            ValueError: the arrays do not fit each other.
        """
        edges, ratios = (np.asarray(arrays[name], dtype=np.float64) for name in ("edges", "ratios"))
        if edges.ndim != 1 or ratios.shape != (len(edges) + 1, SIZE):
            raise ValueError(f"shapes of {edges.shape} and {ratios.shape}")
        return cls(edges, ratios)


COUNTS: Final = np.array([0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 30, 40, 60, 100, 200, 500, 2000], np.float64)
"""Repeat purchase days at which the compound law is drawn; between them it is interpolated by log(1 + x)."""
AGES: Final = 20
"""Doublings of a day, up to which ages since the first purchase have nodes: the last is 1,400 years."""
DRAWS: Final = 4096
"""Of each node: its 90% quantile is off by about 2%; the same draws serve all nodes, so neighbours are off alike."""


def compound_shape(
    counts: BGNBD | ParetoNBD, spend: GammaGamma, frequency: Floats, age: Floats, days: float
) -> TabulatedShape:
    """Return the shape of a sum of N order values, N the purchases of somebody who makes one at least.

    Whether a customer is still there does not matter to it: who buys is. Given that, the purchases depend on x and T
    alone, and what an order is worth is a scale that the mean takes up. So laws are drawn at nodes of both, the same
    whoever is asked for.

    Args:
        counts: of purchase days.
        spend: of order values.
        frequency: x, [n].
        age: T in days, [n].
        days: the horizon.

    Source: Fader, Hardie, Lee 2005 (BG/NBD), Schmittlein, Morrison, Colombo 1987 (Pareto/NBD), Fader, Hardie 2013
    (the sum of n gamma-gamma orders is gamma(p n) over gamma(p x + q)).
    """
    x_low, x_share = _between(np.log1p(COUNTS), np.log1p(np.minimum(frequency, COUNTS[-1])))
    ages = np.log2(np.maximum(age, 1.0))
    age_low = np.floor(ages).astype(np.intp)
    age_share = ages - age_low
    count_of, age_of, weight = [], [], []
    for i, of_count in ((0, 1 - x_share), (1, x_share)):
        for j, of_age in ((0, 1 - age_share), (1, age_share)):
            count_of.append(x_low + i)
            age_of.append(age_low + j)
            weight.append(of_count * of_age)
    keys = np.stack(count_of) * AGES + np.stack(age_of)
    used = np.flatnonzero(np.bincount(keys.ravel(), minlength=1))
    place = np.searchsorted(used, keys)
    tables = [_node(counts, spend, float(COUNTS[key // AGES]), float(2.0 ** (key % AGES)), float(days)) for key in used]
    return TabulatedShape(np.reshape(tables, (-1, SIZE)), place, np.stack(weight))


def _between(nodes: Floats, values: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Return the node below each value, and how far it is on the way to the next, [n] each."""
    low = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, len(nodes) - 2)
    return low, (values - nodes[low]) / (nodes[low + 1] - nodes[low])


@lru_cache(maxsize=4096)
def _node(counts: BGNBD | ParetoNBD, spend: GammaGamma, x: float, age: float, days: float) -> Floats:
    """Return the table at one node, from draws of the posterior of a customer who has not left, [SIZE]."""
    random = np.random.default_rng(0)
    purchases, weight = counts.purchases_if_any(x, age, days, random, DRAWS)
    value = random.standard_gamma(spend.p * purchases)
    rate = random.standard_gamma(spend.p * x + spend.q, DRAWS)
    return table_of(value / np.maximum(rate, np.finfo(float).tiny), weight)
