"""How far off sums have been: what past origins say of the error that all customers, or many alike, share.

The misses of single customers cancel in a sum; what they share does not. At each past origin, customers are cut into
fifths by predicted value, and for each fifth k

    log(actual sum / predicted sum) = a + b_k + e_k,   a ~ N(0, s^2),   b_k ~ N(0, g^2),   e_k ~ N(-v_k/2, v_k)

where ``a`` is the level of all, ``b_k`` what a fifth alone is off by, and ``e_k`` the luck of independent customers,
v_k = log(1 + relative variance). s and g are not known: each is held for any value from 1% to a factor of 7, evenly on
the log scale, and weighed by how well it explains what past origins showed. One origin thus says little and leaves wide
intervals, as a t distribution would; more of them narrow it. The errors are centred on 0: a miss of the past is taken
for its size, not for its direction.

A customer's variance is m^2 (c/p - 1): that of a value that is 0 with probability 1 - p, and else has mean m/p and
second moment c (m/p)^2. The dispersion c is measured at the past origins, their level set right. Derived from each
customer's own quantiles, as those of a lognormal, the variance came out a fifth too large for a head with a density,
and five times too large for models whose quantiles are those of residuals.

Source of the model: normal hierarchical model, Gelman et al., Bayesian Data Analysis, chapter 5, on a grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FIFTHS: Final = 5
SPREADS: Final = np.exp(np.linspace(np.log(0.01), np.log(2.0), 25))
"""Values that s and g may have, on the log scale of money."""
SMALLEST_P: Final = 0.01
SMALLEST_DISPERSION: Final = 1.05
LOWEST_RATIO: Final = 0.05
"""A fifth that brought less of its prediction than this counts as this much: there is no logarithm of nothing."""


def fifth_of(predicted: Floats) -> Ints:
    """Return each customer's fifth by predicted value, 0 the lowest to 4, [n]; equal ones are in the same."""
    share = pd.Series(predicted).rank(pct=True).to_numpy()
    fifth: Ints = np.ceil(FIFTHS * share - 1e-9).astype(np.int64) - 1
    return fifth


def customer_variance(scored: pd.DataFrame, dispersion: float) -> Floats:
    """Return the variance of each customer's value in the horizon, money squared, [n].

    Args:
        scored: ``p_purchase`` and ``predicted_clv``, one row a customer, [n].
        dispersion: second moment of a buyer's value over the square of its mean.
    """
    chance = np.clip(scored["p_purchase"].to_numpy(np.float64), SMALLEST_P, 1.0)
    variance: Floats = scored["predicted_clv"].to_numpy(np.float64) ** 2 * (dispersion / chance - 1)
    return variance


@dataclass(frozen=True, eq=False)
class SharedError:
    """What is held of the errors that customers share.

    Args:
        weights: of each pair of spreads s (rows) and g (columns) of :data:`SPREADS`; they sum to 1, [25, 25].
        dispersion: second moment of a buyer's value over the square of its mean, averaged over origins.
        origins: how many past origins it rests on.
    """

    weights: Floats
    dispersion: float
    origins: int

    @classmethod
    def of(cls, past: Sequence[pd.DataFrame]) -> Self | None:
        """Learn from past origins.

        Args:
            past: for each, ``p_purchase``, ``predicted_clv`` and ``actual`` of one model, one row a customer.

        Returns:
            None where no origin has anything predicted and anything sold: nothing is known then.
        """
        known = [
            frame for frame in past if len(frame) and frame["predicted_clv"].sum() > 0 and frame["actual"].sum() > 0
        ]
        if not known:
            return None
        dispersion = float(np.mean([_dispersion(frame) for frame in known]))
        fit = np.sum([_log_likelihood(*_misses(frame, dispersion)) for frame in known], axis=0)
        weights = np.exp(fit - fit.max())
        return cls(weights / weights.sum(), dispersion, len(known))


def _dispersion(frame: pd.DataFrame) -> float:
    value = np.maximum(frame["actual"].to_numpy(np.float64), 0.0)
    level = value.sum() / frame["predicted_clv"].sum()
    expected = level**2 * (customer_variance(frame, 1.0) + frame["predicted_clv"].to_numpy(np.float64) ** 2)
    return max(SMALLEST_DISPERSION, float((value**2).sum() / expected.sum()))


def _misses(frame: pd.DataFrame, dispersion: float) -> tuple[Floats, Floats]:
    """Return log(actual / predicted) of each fifth freed of the mean of its luck, and the variance of its luck, [k]."""
    predicted = frame["predicted_clv"].to_numpy(np.float64)
    fifth = fifth_of(predicted)
    ours, theirs, variance = (
        np.bincount(fifth, values, minlength=FIFTHS)
        for values in (predicted, frame["actual"].to_numpy(np.float64), customer_variance(frame, dispersion))
    )
    some = ours > 0
    luck = np.log1p(variance[some] / ours[some] ** 2)
    return np.log(np.maximum(theirs[some] / ours[some], LOWEST_RATIO)) + luck / 2, luck


def _log_likelihood(misses: Floats, luck: Floats) -> Floats:
    """Return the log density of the misses under each pair of spreads, up to a constant, [s, g].

    The covariance is diag(luck + g^2) + s^2 (all ones): its determinant and inverse by Sherman and Morrison.
    """
    own = luck + SPREADS[:, None] ** 2  # [g, k]
    level = SPREADS[:, None] ** 2  # [s, 1]
    weight, pull = (1 / own).sum(axis=1), (misses / own).sum(axis=1)  # [g]
    squares = (misses**2 / own).sum(axis=1) - level * pull**2 / (1 + level * weight)  # [s, g]
    density: Floats = -0.5 * (np.log(own).sum(axis=1) + np.log1p(level * weight) + squares)
    return density
