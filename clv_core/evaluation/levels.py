"""The error that customers share, from how far totals were off at past origins; and 80% intervals of their sums.

The misses of single customers cancel in a sum; what they share does not. At each past origin, customers are cut into
fifths by predicted value, and for each fifth k

    log(actual sum / predicted sum) = a + b_k + e_k,   a ~ N(0, s^2),   b_k ~ N(0, g_k^2),   e_k ~ N(-v_k/2, v_k)

where ``a`` is the level of all, ``b_k`` what a fifth alone is off by, and ``e_k`` the luck of independent customers,
v_k = log(1 + relative variance). s and g_1 to g_5 are unknown. Before any origin they are taken to be around 10% (s)
and 5% (g_k), with the heavy tail of a half-Cauchy; then every value is weighed by how well it explains past origins.
One origin says little and leaves wide intervals, as a t distribution would; more of them narrow it. Each fifth has a
spread of its own, and a fifth that holds less than a fifth of the value a wider one, 5% of what an even fifth would
hold: a miss that is small against the total is a large factor of next to nothing, and has no bearing on the level
of all. The errors are centred on 0: a miss of the past is taken for its size, not for its direction.

A customer's variance is m^2 (c/p - 1): that of a value that is 0 with probability 1 - p, and else has mean m/p and
second moment c (m/p)^2. The dispersion c is measured at the past origins, their level set right. Derived from each
customer's own quantiles, as those of a lognormal, the variance came out a fifth too large for a head with a density,
and five times too large for models whose quantiles are those of residuals.

Source: Gelman (2006), Prior distributions for variance parameters in hierarchical models, Bayesian Analysis 1(3); by
weighted draws.

A sum over any of the customers has that error, and the luck of those who are in it:

    log(sum / predicted sum) = log(w_1 exp(b_1) + ... + w_5 exp(b_5)) + N(-v/2, v + s^2),   b_k ~ N(0, g_k^2)

with v from the variances of these customers, s and g_k as above, averaged over what is held of them, and w_k the
share of the sum that the k-th fifth of all customers by predicted value holds. The luck of customers shrinks with their
number; the rest does not. The b_k are drawn, once for each spread that is held possible: a fifth that may hold far more
than predicted lifts the upper end further than it lowers the lower one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import elementwise
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FIFTHS: Final = 5
"""Of fewer groups the head is not apart from the rest; of more, each has little value and much luck."""
USUAL_LEVEL_SPREAD: Final = 0.1
USUAL_OWN_SPREAD: Final = 0.05
MAX_SPREAD: Final = 2.0
"""Scales of the half-Cauchy distributions of s and g, and their bound, on the log scale of money.

The scales are guesses, and so is the bound (a factor of 7); the heavy tail of a half-Cauchy leaves much to the data."""
DRAWS: Final = 20_000
"""Of the prior; most weigh next to nothing after an origin, and are dropped."""
NEGLIGIBLE: Final = 1e-4
"""Draws that weigh less than this part of the heaviest one are dropped."""
MIN_CHANCE: Final = 0.01
"""A smaller chance to buy counts as this one: a customer's variance grows with 1/p without bound."""
MIN_DISPERSION: Final = 1.05
"""Buyers' values always spread by something; at 1 or below a customer who buys for sure would have no variance."""
MIN_RATIO: Final = 0.05
"""A fifth that brought less of its prediction than this counts as this much: there is no logarithm of nothing."""


def fifth_of(predicted: Floats) -> Ints:
    """Return each customer's fifth by predicted value, 0 the lowest to 4, [n]; equal ones are in the same."""
    size = len(predicted)
    fifth = np.zeros(size, np.int64)
    if not size:
        return fifth
    first = [size * above // FIFTHS for above in range(1, FIFTHS)]
    # Equal customers share the mean of their ranks: those at the bound of a fifth are in it or below it together.
    for above, least in enumerate(np.partition(predicted, first)[first], start=1):
        rank = (np.count_nonzero(predicted < least) + np.count_nonzero(predicted <= least) + 1) / 2
        fifth += predicted >= least if FIFTHS * (rank / size) - 1e-9 > above else predicted > least
    return fifth


def customer_variance(scored: pd.DataFrame, dispersion: float) -> Floats:
    """Return the variance of each customer's value in the horizon, money squared, [n].

    Args:
        scored: ``p_purchase`` and ``predicted_clv``, one row a customer, [n].
        dispersion: second moment of a buyer's value over the square of its mean.
    """
    chance = np.clip(scored["p_purchase"].to_numpy(np.float64), MIN_CHANCE, 1.0)
    variance: Floats = scored["predicted_clv"].to_numpy(np.float64) ** 2 * (dispersion / chance - 1)
    return variance


@dataclass(frozen=True, eq=False)
class SharedError:
    """What is held of the errors that customers share.

    Args:
        level: squared spread s^2 of the level of all, of each draw, [d].
        own: squared spreads g^2 of the fifths, the lowest first, [d, 5].
        weights: of the draws; they sum to 1, [d].
        dispersion: second moment of a buyer's value over the square of its mean, averaged over origins.
        origins: how many past origins it rests on.
    """

    level: Floats
    own: Floats
    weights: Floats
    dispersion: float
    origins: int

    @classmethod
    def of(cls, past: Sequence[pd.DataFrame]) -> Self | None:
        """Learn from past origins.

        Args:
            past: for each, ``p_purchase``, ``predicted_clv`` and ``actual`` of one model, one row a customer.

        Returns:
            None where no origin has anything predicted and anything sold.
        """
        usable = [
            frame for frame in past if len(frame) and frame["predicted_clv"].sum() > 0 and frame["actual"].sum() > 0
        ]
        if not usable:
            return None
        dispersion = float(np.mean([dispersion_of(frame) for frame in usable]))
        shares = np.mean([_shares(frame) for frame in usable], axis=0)
        squared = _draws(shares)
        fit = np.sum([log_likelihood(*_misses(frame, dispersion), squared) for frame in usable], axis=0)
        likely = np.exp(fit - fit.max())
        relevant = likely > NEGLIGIBLE
        weights = likely[relevant] / likely[relevant].sum()
        return cls(squared[relevant, 0], squared[relevant, 1:], weights, dispersion, len(usable))


def dispersion_of(frame: pd.DataFrame) -> float:
    """Return the second moment of a buyer's value over the square of its mean, the level set right, at one origin.

    Args:
        frame: ``p_purchase``, ``predicted_clv`` and ``actual``, one row a customer; both sums are above 0.
    """
    value = np.maximum(frame["actual"].to_numpy(np.float64), 0.0)
    level = value.sum() / frame["predicted_clv"].sum()
    expected = level**2 * (customer_variance(frame, 1.0) + frame["predicted_clv"].to_numpy(np.float64) ** 2)
    return max(MIN_DISPERSION, float((value**2).sum() / expected.sum()))


def _shares(frame: pd.DataFrame) -> Floats:
    """Return the share of the predicted total that each fifth holds, [5]."""
    predicted = frame["predicted_clv"].to_numpy(np.float64)
    shares: Floats = np.bincount(fifth_of(predicted), predicted, minlength=FIFTHS) / predicted.sum()
    return shares


def _draws(shares: Floats) -> Floats:
    """Return draws of s^2 and of each fifth's g^2 before any miss is seen, the same for the same shares, [d, 6]."""
    fifth_scales = USUAL_OWN_SPREAD * np.maximum(1.0, 1 / (FIFTHS * np.maximum(shares, 1e-9)))
    scale = np.array([USUAL_LEVEL_SPREAD, *fifth_scales])
    drawn = np.abs(np.random.default_rng(0).standard_cauchy(size=(DRAWS, 1 + FIFTHS)))
    squared: Floats = np.minimum(scale * drawn, MAX_SPREAD) ** 2
    return squared


def _misses(frame: pd.DataFrame, dispersion: float) -> tuple[Floats, Floats]:
    """Return log(actual / predicted) of each fifth freed of the mean of its luck, and the variance of its luck, [5].

    A fifth without any predicted value is no evidence: its luck is infinite.
    """
    predicted = frame["predicted_clv"].to_numpy(np.float64)
    fifth = fifth_of(predicted)
    ours, theirs, variance = (
        np.bincount(fifth, values, minlength=FIFTHS)
        for values in (predicted, frame["actual"].to_numpy(np.float64), customer_variance(frame, dispersion))
    )
    some = ours > 0
    safe = np.where(some, ours, 1.0)
    luck = np.where(some, np.log1p(variance / safe**2), np.inf)
    misses = np.log(np.maximum(theirs / safe, MIN_RATIO)) + luck / 2
    return np.where(some, misses, 0.0), luck


def log_likelihood(misses: Floats, luck: Floats, squared: Floats) -> Floats:
    """Return the log density of one origin's misses under each draw of the spreads, up to a constant, [d].

    The covariance is diag(luck + g^2) + s^2 (all ones): its determinant and inverse by Sherman and Morrison.

    Args:
        misses: of the fifths, [5].
        luck: variance of their luck, infinite where a fifth is no evidence, [5].
        squared: s^2, then g^2 of each fifth, [d, 6].
    """
    finite = np.isfinite(luck)
    level, fifth_variance = squared[:, 0], squared[:, 1:][:, finite] + luck[finite]
    weight, pull = (1 / fifth_variance).sum(axis=1), (misses[finite] / fifth_variance).sum(axis=1)
    squares = (misses[finite] ** 2 / fifth_variance).sum(axis=1) - level * pull**2 / (1 + level * weight)
    density: Floats = -0.5 * (np.log(fifth_variance).sum(axis=1) + np.log1p(level * weight) + squares)
    return density


def evenly(weights: Floats, count: int) -> Ints:
    """Return places drawn as often as they weigh, without chance, [count]; ``weights`` sum to 1."""
    even = (np.arange(count) + 0.5) / count
    return np.minimum(np.searchsorted(np.cumsum(weights), even), len(weights) - 1)


SURE: Final = 0.8
"""The probability of every predicted range, as of the quantiles 10% and 90% of a customer."""
TAIL: Final = (1 - SURE) / 2
DRAWN: Final = 8192
"""Possible errors of the fifths from which the ends are read."""
MAX_LOG_END: Final = 20.0
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
            rows: who is added, places among all customers; who is in two segments is listed twice, [m].
            segment: to what, 0 to ``count`` - 1, [m].
            count: number of segments k; an empty one has the interval 0 to 0.
        """
        rows, where = np.asarray(rows, np.int64), np.asarray(segment, np.int64)
        everybody = np.array_equal(rows, np.arange(len(self.predicted)))
        predicted, own_variance, nobody, fifth = (
            amounts if everybody else amounts[rows]
            for amounts in (self.predicted, self.variance, self.nobody, self.fifth)
        )
        value, variance, none = (
            np.bincount(where, amounts, minlength=count).astype(np.float64)
            for amounts in (predicted, own_variance, nobody)
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


def sum_errors(scored: pd.DataFrame, shared: SharedError, draws: int, seed: int = 0) -> Floats:
    """Return possible values of log(actual / predicted) of the sum over all customers, equally likely, [draws].

    Args:
        scored: ``p_purchase`` and ``predicted_clv``, one row a customer; their sum is above 0.
        shared: what past origins say, of the model that scored.
        draws: how many.
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    predicted = scored["predicted_clv"].to_numpy(np.float64)
    luck = float(np.log1p(customer_variance(scored, shared.dispersion).sum() / predicted.sum() ** 2))
    chosen = random.permutation(evenly(shared.weights, draws))
    alone = np.exp(np.sqrt(shared.own[chosen]) * random.standard_normal((draws, FIFTHS)))
    level = np.sqrt(luck + shared.level[chosen]) * random.standard_normal(draws)
    errors: Floats = np.log(alone @ _shares(scored)) - luck / 2 + level
    return errors


def _ends(luck: Floats, shares: Floats, shared: SharedError) -> tuple[Floats, Floats]:
    """Return the lower and the upper end relative to the predicted sum, [k] each.

    Args:
        luck: variance of the independent part, [k].
        shares: how much of the sum each fifth holds, [k, 5].
        shared: draws of the spreads.
    """
    draws = evenly(shared.weights, DRAWN)
    alone = np.exp(np.sqrt(shared.own[draws]) * _normals())  # [d, 5]
    middle = np.log(shares @ alone.T) - luck[:, None] / 2  # [k, d]
    spread = np.sqrt(luck[:, None] + shared.level[draws])

    def below(end: Floats, tail: Floats, segment: NDArray[np.int64]) -> Floats:
        inside: Floats = ndtr((end[:, None] - middle[segment]) / spread[segment]).mean(axis=1)
        return inside - tail

    count = len(luck)
    tail, segment = np.repeat([TAIL, 1 - TAIL], count), np.tile(np.arange(count), 2)
    roots = elementwise.find_root(below, (-MAX_LOG_END, MAX_LOG_END), args=(tail, segment), tolerances={"xatol": 1e-6})
    low, high = np.exp(roots.x).reshape(2, count)
    return low, high


@cache
def _normals() -> Floats:
    """Return what the fifths are off by in their own spreads, by the cells of a Latin hypercube, [d, 5].

    Source: McKay, Beckman, Conover (1979), A comparison of three methods for selecting values of input variables,
    Technometrics 21(2). SciPy's own (``scipy.stats.qmc``) takes half a second to import.
    """
    cells = np.random.default_rng(0).permuted(np.tile(np.arange(DRAWN), (FIFTHS, 1)), axis=1).T
    return ndtri((cells + 0.5) / DRAWN)
