"""Estimates of what a customer of each group is worth: shrunk by empirical Bayes, with the errors of predictions.

A group's own mean is drawn towards what is expected of it, the more the fewer customers it has and the less groups
differ:

    value = B own + (1 - B) expected,   B = t^2 / (t^2 + v),   v = relative variance of a customer / customers

The spread between groups, t, is estimated: each value is weighed by its likelihood given the groups. Errors of
predictions have a part that past origins showed (:mod:`clv_core.evaluation.levels`) and a part that a group shares.

Source: Efron, Morris (1975), Data analysis using Stein's estimator and its generalizations, Journal of the American
Statistical Association 70(350); Gelman (2006), Prior distributions for variance parameters in hierarchical models,
Bayesian Analysis 1(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from clv_core.evaluation import FIFTHS, SharedError, evenly

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOW, HIGH = 0.1, 0.9
"""Ends of the intervals, as shares of what is drawn."""
USUAL_ERROR: Final = 0.1
"""Scale of the half-Cauchy distribution of how predictions of one group are off."""
SPREADS: Final = np.concatenate([[0.0], np.geomspace(0.005, 3.0, 80)])
"""Spreads that are weighed, relative to what is expected of a group."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What a customer of each group brings, in two parts.

    Args:
        so_far: observed, [g].
        predicted: by the fifth of all customers by predicted value that brings it, [g, 5].
    """

    so_far: Floats
    predicted: Floats

    @property
    def total(self) -> Floats:
        """Both parts, [g]."""
        both: Floats = self.so_far + self.predicted.sum(axis=1)
        return both

    def times(self, factor: Floats) -> Parts:
        """Return the parts times a factor of each group, [g]."""
        return Parts(self.so_far * factor, self.predicted * factor[:, None])


@dataclass(frozen=True, eq=False)
class Errors:
    """Drawn errors of predictions, the same for all groups.

    Args:
        fifth: factor on predicted value of each fifth, [d, 5].
        group_spread: spread of what a group is off by, on the log scale, [d].
        has_past: whether the errors come from past origins; if not, factors are 1 and there is no interval.
    """

    fifth: Floats
    group_spread: Floats
    has_past: bool

    @classmethod
    def of(cls, shared: SharedError | None, group_spread: Floats, draws: int) -> Errors:
        """Return ``draws`` errors; ``group_spread`` is of :func:`spread_draws`, [draws]."""
        if shared is None:
            return cls(np.ones((draws, FIFTHS)), np.zeros(draws), False)
        origin = evenly(shared.weights, draws)
        normals = even_normals(draws, 1 + FIFTHS, seed=1)
        logs = np.sqrt(shared.level[origin])[:, None] * normals[:, :1] + np.sqrt(shared.own[origin]) * normals[:, 1:]
        return cls(np.exp(logs), group_spread, True)


@dataclass(frozen=True, eq=False)
class Estimates:
    """What a customer of each group is worth.

    Args:
        mean: shrunk, [g].
        draws: of it, [g, d].
        own_weight: what the group's own mean counts, 0 to 1, [g].
        predicted_factor: drawn factor on the predicted part of each group, [g, d].
        relative_noise: drawn relative error of the group's mean by chance, [g, d].
    """

    mean: Floats
    draws: Floats
    own_weight: Floats
    predicted_factor: Floats
    relative_noise: Floats


def estimate(
    means: Parts, expected: Parts, variance: Floats, of_all: float, errors: Errors, *, seed: int, shrink: bool = True
) -> Estimates:
    """Return the worth of a customer of each group.

    Args:
        means: of the groups' customers; NaN of a group without any.
        expected: what would be expected of them if groups did not differ.
        variance: squared relative error of the own mean by chance, [g].
        of_all: that of the expected one.
        errors: of predictions.
        seed: of chance; the same gives the same draws.
        shrink: whether own means are drawn towards the expected ones.
    """
    count, draws = len(means.so_far), len(errors.fifth)
    missing = ~np.isfinite(means.total)
    means = Parts(np.where(missing, 0.0, means.so_far), np.where(missing[:, None], 0.0, means.predicted))
    usable = ~missing & (expected.total > 0)
    base = np.where(usable, expected.total, 1.0)
    relative = np.where(usable, means.total / base, 1.0)
    spread = np.full(draws, 1e9)
    if shrink:
        spread = spread_draws(relative[usable] - 1, variance[usable], draws)
    chance = np.where(usable, variance, np.inf)[:, None]
    weight = 1 / (1 + chance / np.maximum(spread, 1e-12) ** 2)  # [g, d]
    noise_variance = np.where(usable, variance, 0.0)[:, None] * weight + (1 - weight) ** 2 * of_all
    normals = even_normals(draws, 2 * count, seed).T
    noise = normals[:count] * np.sqrt(noise_variance)
    group_factor = np.exp(normals[count:] * errors.group_spread)
    own_predicted, expected_predicted = (part.predicted @ errors.fifth.T * group_factor for part in (means, expected))
    drawn = weight * (means.so_far[:, None] + own_predicted)
    drawn += (1 - weight) * (expected.so_far[:, None] + expected_predicted) + base[:, None] * noise
    own_weight = weight.mean(axis=1)
    mean = own_weight * means.total + (1 - own_weight) * expected.total
    plain = np.where(usable, means.predicted.sum(axis=1), expected.predicted.sum(axis=1))[:, None]
    ahead = np.where(usable[:, None], own_predicted, expected_predicted)
    factor = np.divide(ahead, plain, out=np.ones((count, draws)), where=plain > 0)
    mean, drawn = np.where(missing, np.nan, mean), np.where(missing[:, None], np.nan, drawn)
    return Estimates(mean, drawn, own_weight, factor, noise)


def spread_draws(deviation: Floats, variance: Floats, draws: int, scale: float = np.inf) -> Floats:
    """Return draws of how much groups differ, given how they deviate and how much of that is chance, [draws].

    Args:
        deviation: of each group from what is expected of it, [g]; none leaves the prior.
        variance: of it by chance, [g].
        draws: how many.
        scale: of the half-Cauchy prior; infinite is a flat prior.
    """
    total = SPREADS[:, None] ** 2 + np.maximum(variance, 1e-12)
    fit = -0.5 * (np.log(total) + deviation**2 / total).sum(axis=1)
    width = np.gradient(SPREADS)  # the spreads are not evenly apart
    weights = np.exp(fit - fit.max()) * width / (1 + (SPREADS / scale) ** 2)
    spread: Floats = SPREADS[evenly(weights / weights.sum(), draws)]
    return np.random.default_rng(0).permutation(spread)


def even_normals(draws: int, columns: int, seed: int) -> Floats:
    """Return standard normal draws of a Latin hypercube, [draws, columns]."""
    cells = np.random.default_rng(seed).permuted(np.tile(np.arange(draws), (columns, 1)), axis=1).T
    normals: Floats = ndtri((cells + 0.5) / draws)
    return normals


def ends(draws: Floats) -> tuple[Floats, Floats]:
    """Return the low and the high end of each row of draws, infinite ones included, [g]."""
    ordered = np.sort(draws, axis=-1)
    last = ordered.shape[-1] - 1
    return ordered[..., round(LOW * last)], ordered[..., round(HIGH * last)]
