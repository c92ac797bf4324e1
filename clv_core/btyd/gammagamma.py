"""Gamma-Gamma: what an order of each customer is worth on average, shrunk towards the population.

``lifetime_value`` multiplies it with the purchases that a model of counts expects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln

from clv_core.btyd import inputs
from clv_core.btyd.fitting import covariance_of, maximise
from clv_core.btyd.purchase_model import PurchaseModel, delta_interval, errors_of, intervals_of
from clv_core.errors import UsageError
from clv_core.records import JsonRecord

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

NAMES: Final = ("p", "q", "gamma")
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
    def fit(
        cls,
        frequency: ArrayLike,
        monetary_value: ArrayLike,
        typical: float = 0.0,
        weights: ArrayLike | None = None,
    ) -> Self:
        """Return the model of highest likelihood over the customers with repeat purchases.

        Args:
            frequency: number of values behind each mean, [n]; rows below 1 are left out.
            monetary_value: mean order value, [n]; rows whose mean is not above 0 are left out: it has no logarithm.
            typical: order value to fall back on where no row is left.
            weights: how many customers each row stands for, [n]; None: one.

        Returns:
            The fitted model. A likelihood without an inner maximum (constant spend, a handful of customers), or whose
            population mean is absent or absurd (q near or below 1: heavy tails), is answered by parameters that
            reproduce the observed mean, with ``converged`` False.

        Raises:
            UsageError: a row is no customer.

        Examples:
            >>> from clv_core import GammaGamma
            >>> model = GammaGamma.fit([2, 1, 7, 3, 4, 2], [22.35, 11.77, 73.74, 35.0, 15.5, 48.0])
            >>> round(model.p * model.gamma / (model.q - 1), 2)
            34.39
        """
        x, mean, weight = _spenders(frequency, monetary_value, weights)
        order = np.lexsort((mean, x))
        every = -(-len(order) // MAX_ROWS) or 1
        x, mean, weight = (column[order][every // 2 :: every] for column in (x, mean, weight))
        if not len(x):
            return cls(6.25, 3.75, 2.75 / 6.25 * max(typical, 0.0), converged=False)
        scale = float(np.average(mean, weights=weight))
        rows = _Rows.of(x, mean / scale, weight)

        def free(parameters: Floats) -> tuple[float, Floats]:
            return _log_likelihood(parameters, rows)

        def tied(parameters: Floats) -> tuple[float, Floats]:
            p, excess = parameters
            gamma = excess / p
            value, (by_p, by_q, by_gamma) = _log_likelihood(np.array([p, 1 + excess, gamma]), rows)
            return value, np.array([by_p - by_gamma * gamma / p, by_q + by_gamma / p])

        (p, q, gamma), converged = maximise(free, float(weight.sum()), start=(6.25, 3.75, 0.45))
        level = p * gamma / (q - 1) if q > 1 else np.inf
        if not (converged and 1 / MEAN_TOLERANCE <= level <= MEAN_TOLERANCE):
            (p, excess), _ = maximise(tied, float(weight.sum()), start=(6.25, 2.75))
            q, gamma, converged = 1 + excess, excess / p, False
        return cls(float(p), float(q), float(gamma) * scale, converged)

    def log_likelihood(
        self, frequency: ArrayLike, monetary_value: ArrayLike, weights: ArrayLike | None = None
    ) -> float:
        """Return the log-likelihood summed over customers with at least one repeat purchase (equation 1a).

        Examples:
            >>> from clv_core import GammaGamma
            >>> model = GammaGamma(p=6.25, q=3.74, gamma=15.44)
            >>> round(model.log_likelihood([2, 1], [22.35, 11.77]), 3)
            -7.289
        """
        return _log_likelihood(self._parameters, _Rows.of(*_spenders(frequency, monetary_value, weights)))[0]

    def covariance(
        self, frequency: ArrayLike, monetary_value: ArrayLike, weights: ArrayLike | None = None
    ) -> pd.DataFrame:
        """Return the covariance of the parameters, from the customers with repeat purchases of the fit.

        Examples:
            >>> import numpy as np
            >>> from clv_core import GammaGamma
            >>> orders, mean = np.tile([1, 2, 3, 5, 8], 60), np.random.default_rng(1).gamma(3.0, 12.0, 300)
            >>> model = GammaGamma.fit(orders, mean)
            >>> bool(model.covariance(orders, mean).loc["p", "gamma"] < 0)
            True
        """
        import pandas as pd

        rows = _Rows.of(*_spenders(frequency, monetary_value, weights))
        matrix = covariance_of(lambda at: _log_likelihood(at, rows), self._parameters)
        return pd.DataFrame(matrix, list(NAMES), list(NAMES))

    def standard_errors(
        self, frequency: ArrayLike, monetary_value: ArrayLike, weights: ArrayLike | None = None
    ) -> dict[str, float]:
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
        return errors_of(self.covariance(frequency, monetary_value, weights))

    def parameter_intervals(
        self,
        frequency: ArrayLike,
        monetary_value: ArrayLike,
        weights: ArrayLike | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Return an interval of each parameter, columns ``low`` and ``high``; even on the logarithm, so above 0.

        Examples:
            >>> import numpy as np
            >>> from clv_core import GammaGamma
            >>> orders, mean = np.tile([1, 2, 3, 5, 8], 60), np.random.default_rng(1).gamma(3.0, 12.0, 300)
            >>> model = GammaGamma.fit(orders, mean)
            >>> low, high = model.parameter_intervals(orders, mean).loc["p"]
            >>> bool(low < model.p < high)
            True
        """
        return intervals_of(self._parameters, self.covariance(frequency, monetary_value, weights), level)

    def interval(
        self, frequency: ArrayLike, monetary_value: ArrayLike, *, covariance: pd.DataFrame, level: float = 0.95
    ) -> tuple[Floats, Floats]:
        """Return between which ends :meth:`expected_spend` lies, as far as the parameters are uncertain, [n] each.

        Examples:
            >>> import numpy as np
            >>> from clv_core import GammaGamma
            >>> orders, mean = np.tile([1, 2, 3, 5, 8], 60), np.random.default_rng(1).gamma(3.0, 12.0, 300)
            >>> model = GammaGamma.fit(orders, mean)
            >>> low, high = model.interval([2], [50.0], covariance=model.covariance(orders, mean))
            >>> bool(low[0] < model.expected_spend(2, 50.0) < high[0])
            True
        """

        def predict(parameters: Floats) -> Floats:
            return np.atleast_1d(GammaGamma(*parameters).expected_spend(frequency, monetary_value))

        return delta_interval(predict, self._parameters, covariance, level, is_share=False)

    def expected_spend(self, frequency: ArrayLike = 0, monetary_value: ArrayLike = 0) -> Any:
        """Return the expected value of a customer's next order: own mean and population mean, weighted.

        A customer who is left out is a new one.

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
        worth = self.p * (self.gamma + x * mean) / (self.p * x + self.q - 1)
        return worth if np.ndim(worth) else float(worth)

    @property
    def _parameters(self) -> Floats:
        return np.array([self.p, self.q, self.gamma])


def lifetime_value(
    counts: PurchaseModel,
    spend: GammaGamma,
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,
    monetary_value: ArrayLike,
    *,
    steps: int = 12,
    step: float = 30,
    rate: float = 0.01,
    margin: float = 1.0,
) -> Any:
    """Return what each customer's purchases of the next steps are worth today: discounted purchases times spend.

    Args:
        counts: of purchases, fitted in some unit of time.
        spend: of order values.
        frequency: repeat purchases, [n].
        recency: first to last purchase, [n].
        T: first purchase to cutoff, [n].
        monetary_value: mean order value, [n].
        steps: how many steps ahead.
        step: length of a step in the unit of ``counts``; 30 days are the month of other libraries.
        rate: of discount, a step.
        margin: share of an order's value that is profit.

    Examples:
        >>> from clv_core import BGNBD, GammaGamma, lifetime_value
        >>> counts, spend = BGNBD(0.243, 4.414, 0.793, 2.426), GammaGamma(p=6.25, q=3.74, gamma=15.44)
        >>> lifetime_value(counts, spend, [0, 2], [0, 30.43], [38.86, 38.86], [0, 22.35], step=4.345).round(2)
        array([ 8.37, 36.29])
    """
    if np.ndim(margin) or not np.isfinite(margin):
        raise UsageError("btyd_missing", argument="margin", row=0)
    x = inputs.numbers("frequency", frequency)
    mean = np.reshape(inputs.means("monetary_value", monetary_value, np.atleast_1d(x)), x.shape)
    purchases = counts.discounted_purchases(steps, frequency, recency, T, step=step, rate=rate)
    return margin * purchases * spend.expected_spend(x, mean)


def _spenders(
    frequency: ArrayLike, monetary_value: ArrayLike, weights: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Return count, mean and weight of the customers with repeat purchases, [n] each."""
    x = np.atleast_1d(inputs.counted("frequency", frequency))
    mean = inputs.means("monetary_value", monetary_value, x)
    weight = inputs.weights_of(weights, len(x))
    usable = (x >= 1) & (mean > 0) & (weight > 0)
    return x[usable], mean[usable], weight[usable]


class _Rows(NamedTuple):
    """The customers of a likelihood; what depends on x alone is worked out once for each of its few values.

    Args:
        x: number of values behind each mean, [n].
        total: their sum, [n].
        weight: how many customers share each row, [n].
        counts: distinct values of ``x``, [k].
        of_count: how many customers have each of them, [k].
        log_means: sum of the logarithms of their means, [k].
    """

    x: Floats
    total: Floats
    weight: Floats
    counts: Floats
    of_count: Floats
    log_means: Floats

    @classmethod
    def of(cls, x: Floats, mean: Floats, weight: Floats) -> Self:
        counts, place = np.unique(x, return_inverse=True)
        of_count, log_means = (np.bincount(place, each, len(counts)) for each in (weight, weight * np.log(mean)))
        return cls(x, x * mean, weight, counts, of_count.astype(np.float64), log_means.astype(np.float64))


def _log_likelihood(parameters: Floats, rows: _Rows) -> tuple[float, Floats]:
    p, q, gamma = parameters
    x, total, weight, counts, of_count, log_means = rows
    log_sum, shape = np.log(gamma + total), p * counts
    by_count = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(gamma) + shape * np.log(counts)
    value = of_count @ by_count + (shape - 1) @ log_means - (weight * (p * x + q)) @ log_sum
    by_p = of_count @ (counts * (digamma(shape + q) - digamma(shape) + np.log(counts)))
    by_p += counts @ log_means - (weight * x) @ log_sum
    by_q = of_count @ (digamma(shape + q) - digamma(q) + np.log(gamma)) - weight @ log_sum
    by_gamma = weight.sum() * q / gamma - weight @ ((p * x + q) / (gamma + total))
    return float(value), np.array([by_p, by_q, by_gamma])
