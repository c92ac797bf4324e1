"""Gamma-Gamma: what an order of each customer is worth on average, shrunk towards the population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln

from clv_core.features.btyd.fitting import maximise, standard_errors
from clv_core.records import JsonRecord

Floats = NDArray[np.float64]

MEAN_TOLERANCE: Final = 2.0
"""Population means further than this factor from the observed mean are not believed."""
MAX_ROWS: Final = 200_000
"""Customers that the fit looks at: evenly spaced ones of all sorted by count and mean, where there are more."""


@dataclass(frozen=True)
class GammaGamma(JsonRecord):
    """Parameters of the Gamma-Gamma model of spend; money in the log's currency.

    Args:
        p: shape of the gamma distribution of order values around a customer's mean.
        q: shape of the gamma distribution of the customers' own rates; above 1, so that the population has a mean.
        gamma: its rate, in money.
        converged: whether the log alone pins the parameters down, with q > 1 and a population mean
            within a factor of :data:`MEAN_TOLERANCE` of the observed one; False: regularised, or tied to that mean.

    Source: Fader, Hardie 2013, The Gamma-Gamma model of monetary value.

    Examples:
        The first two customers of the paper's CDNOW: means of 22.35 and 11.77 are drawn towards 35.22.

        >>> from clv_core import GammaGamma
        >>> model = GammaGamma(p=6.25, q=3.74, gamma=15.44)
        >>> model.expected_spend([2, 1], [22.35, 11.77]).round(2)
        array([24.66, 18.92])
    """

    p: float
    q: float
    gamma: float
    converged: bool = True

    @classmethod
    def fit(cls, frequency: ArrayLike, monetary_value: ArrayLike, typical: float = 0.0) -> Self:
        """Return the model of highest likelihood over the customers with repeat purchases.

        Args:
            frequency: number of values behind each mean, [n]; rows below 1 are left out.
            monetary_value: mean order value, [n]; rows that are not positive and finite are left out.
            typical: order value to fall back on where no row is left.

        Returns:
            The fitted model. A likelihood without an inner maximum (constant spend, a handful of customers), or whose
            population mean is absent or absurd (q near or below 1: heavy tails), is answered by parameters that
            reproduce the observed mean, with ``converged`` False.

        Examples:
            >>> from clv_core import GammaGamma
            >>> model = GammaGamma.fit([2, 1, 7, 3, 4, 2], [22.35, 11.77, 73.74, 35.0, 15.5, 48.0])
            >>> round(model.p * model.gamma / (model.q - 1), 2)
            34.39
        """
        x = np.asarray(frequency, dtype=np.float64)
        mean = np.asarray(monetary_value, dtype=np.float64)
        usable = (x >= 1) & (mean > 0) & np.isfinite(mean)
        order = np.lexsort((mean[usable], x[usable]))
        every = -(-len(order) // MAX_ROWS) or 1
        x, mean = x[usable][order][every // 2 :: every], mean[usable][order][every // 2 :: every]
        if not len(x):
            return cls(6.25, 3.75, 2.75 / 6.25 * max(typical, 0.0), converged=False)
        scale = float(mean.mean())
        rows = _Rows.of(x, mean / scale)

        def free(parameters: Floats) -> tuple[float, Floats]:
            return _log_likelihood(parameters, rows)

        def tied(parameters: Floats) -> tuple[float, Floats]:
            p, excess = parameters
            gamma = excess / p
            value, (by_p, by_q, by_gamma) = _log_likelihood(np.array([p, 1 + excess, gamma]), rows)
            return value, np.array([by_p - by_gamma * gamma / p, by_q + by_gamma / p])

        (p, q, gamma), converged = maximise(free, float(len(x)), start=(6.25, 3.75, 0.45))
        level = p * gamma / (q - 1) if q > 1 else np.inf
        if not (converged and 1 / MEAN_TOLERANCE <= level <= MEAN_TOLERANCE):
            (p, excess), _ = maximise(tied, float(len(x)), start=(6.25, 2.75))
            q, gamma, converged = 1 + excess, excess / p, False
        return cls(float(p), float(q), float(gamma) * scale, converged)

    def log_likelihood(self, frequency: ArrayLike, monetary_value: ArrayLike) -> float:
        """Return the log-likelihood summed over customers with at least one repeat purchase (equation 1a).

        Examples:
            >>> from clv_core import GammaGamma
            >>> model = GammaGamma(p=6.25, q=3.74, gamma=15.44)
            >>> round(model.log_likelihood([2, 1], [22.35, 11.77]), 3)
            -7.289
        """
        x, mean = np.asarray(frequency, dtype=np.float64), np.asarray(monetary_value, dtype=np.float64)
        return _log_likelihood(np.array([self.p, self.q, self.gamma]), _Rows.of(x, mean))[0]

    def standard_errors(self, frequency: ArrayLike, monetary_value: ArrayLike) -> dict[str, float]:
        """Return the standard error of each parameter, from the customers with repeat purchases of the fit.

        Examples:
            >>> import numpy as np
            >>> from clv_core import GammaGamma
            >>> orders, mean = np.tile([1, 2, 3, 5, 8], 60), np.random.default_rng(1).gamma(3.0, 12.0, 300)
            >>> model = GammaGamma.fit(orders, mean)
            >>> errors = model.standard_errors(orders, mean)
            >>> {name: round(error / getattr(model, name), 2) for name, error in errors.items()}
            {'p': 0.19, 'q': 0.25, 'gamma': 0.43}
        """
        x, mean = np.asarray(frequency, dtype=np.float64), np.asarray(monetary_value, dtype=np.float64)
        usable = (x >= 1) & (mean > 0) & np.isfinite(mean)
        rows = _Rows.of(x[usable], mean[usable])
        errors = standard_errors(lambda at: _log_likelihood(at, rows), np.array([self.p, self.q, self.gamma]))
        return dict(zip(("p", "q", "gamma"), map(float, errors), strict=True))

    def expected_spend(self, frequency: ArrayLike, monetary_value: ArrayLike) -> Floats:
        """Return the expected value of a customer's next order, [n]: own mean and population mean, weighted.

        Args:
            frequency: number of values behind each mean, [n].
            monetary_value: mean order value, [n]; not positive or unknown: the population mean is returned.

        Source: equation 5 of the paper.

        Examples:
            >>> from clv_core import GammaGamma
            >>> model = GammaGamma(p=6.25, q=3.74, gamma=15.44)
            >>> model.expected_spend([0, 1, 20], [0, 80.0, 80.0]).round(2)
            array([35.22, 66.35, 79.04])
        """
        x = np.asarray(frequency, dtype=np.float64)
        mean = np.asarray(monetary_value, dtype=np.float64)
        usable = (x >= 1) & (mean > 0) & np.isfinite(mean)
        x, mean = np.where(usable, x, 0.0), np.where(usable, mean, 0.0)
        return self.p * (self.gamma + x * mean) / (self.p * x + self.q - 1)


class _Rows(NamedTuple):
    """The customers of a likelihood; what depends on x alone is worked out once for each of its few values.

    Args:
        x: number of values behind each mean, [n].
        total: their sum, [n].
        counts: distinct values of ``x``, [k].
        of_count: how many customers have each of them, [k].
        log_means: sum of the logarithms of their means, [k].
    """

    x: Floats
    total: Floats
    counts: Floats
    of_count: Floats
    log_means: Floats

    @classmethod
    def of(cls, x: Floats, mean: Floats) -> Self:
        counts, place = np.unique(x, return_inverse=True)
        of_count, log_means = (np.bincount(place, each, len(counts)) for each in (np.ones(len(x)), np.log(mean)))
        return cls(x, x * mean, counts, of_count.astype(np.float64), log_means.astype(np.float64))


def _log_likelihood(parameters: Floats, rows: _Rows) -> tuple[float, Floats]:
    p, q, gamma = parameters
    x, total, counts, of_count, log_means = rows
    log_sum, shape = np.log(gamma + total), p * counts
    by_count = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(gamma) + shape * np.log(counts)
    value = of_count @ by_count + (shape - 1) @ log_means - (p * x + q) @ log_sum
    by_p = of_count @ (counts * (digamma(shape + q) - digamma(shape) + np.log(counts)))
    by_p += counts @ log_means - x @ log_sum
    by_q = of_count @ (digamma(shape + q) - digamma(q) + np.log(gamma)) - log_sum.sum()
    by_gamma = len(x) * q / gamma - ((p * x + q) / (gamma + total)).sum()
    return float(value), np.array([by_p, by_q, by_gamma])
