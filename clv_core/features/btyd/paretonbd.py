"""Pareto/NBD: Poisson purchases at a gamma-distributed rate, and a gamma-distributed rate of leaving at any moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, expit, exprel, gammaln, logsumexp, softmax

from clv_core.features.btyd.fitting import maximise, purchases_at_rate, standard_errors, unique_rows
from clv_core.records import JsonRecord

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_DECAY: Final = 45.0
"""An integrand that has fallen by e^-45 is over."""
_ROWS_AT_ONCE: Final = 65_536
"""Rows of one pass, which bounds memory."""


@dataclass(frozen=True)
class ParetoNBD(JsonRecord):
    """Parameters of the Pareto/NBD model; ages in the unit of ``alpha`` and ``beta`` (days, where fitted on days).

    Args:
        r: shape of the gamma distribution of purchase rates.
        alpha: its rate, in time units.
        s: shape of the gamma distribution of the rates of leaving.
        beta: its rate, in time units.
        converged: whether the log alone pins the parameters down; False: regularised.

    Source: Schmittlein, Morrison, Colombo 1987; the likelihood as an integral over the time of leaving, Fader and
    Hardie 2005, A note on deriving the Pareto/NBD model, which needs no 2F1 and cancels nowhere.

    Examples:
        CDNOW in weeks, and the customer of the BG/NBD paper's example:

        >>> from clv_core import ParetoNBD
        >>> model = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669)
        >>> model.expected_purchases(39, [2], [30.43], [38.86]).round(3)
        array([1.455])
    """

    r: float
    alpha: float
    s: float
    beta: float
    converged: bool = True

    @classmethod
    def fit(cls, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Self:
        """Return the model of highest likelihood.

        Args:
            frequency: repeat purchase days x, [n]; integers.
            recency: first to last purchase, [n].
            T: first purchase to cutoff, [n], ``recency <= T``.

        Returns:
            The fitted model; never an error and never a NaN, see :attr:`converged`. n = 0 gives the prior's centre.

        Examples:
            >>> import numpy as np
            >>> from clv_core import ParetoNBD
            >>> once, lost, regular = [0, 0, 200], [3, 60, 365], [12, 340, 365]
            >>> frequency, recency, T = np.repeat([once, lost, regular], 40, axis=0).T
            >>> model = ParetoNBD.fit(frequency, recency, T)
            >>> model.p_alive(*np.transpose([lost, regular])).round(2)
            array([0.  , 0.96])
        """
        (x, last, age), _, weight = unique_rows(frequency, recency, T)
        scale = float(np.average(age, weights=weight)) if len(age) and age.max() > 0 else 1.0
        last, age = last / scale, age / scale

        def log_likelihood(parameters: Floats) -> tuple[float, Floats]:
            values, gradients = _log_likelihood(parameters, x, last, age)
            return float(weight @ values), gradients @ weight

        (r, alpha, s, beta), converged = maximise(log_likelihood, float(weight.sum()), start=(0.5, 0.5, 0.5, 0.5))
        return cls(float(r), float(alpha) * scale, float(s), float(beta) * scale, converged)

    def log_likelihood(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> float:
        """Return the log-likelihood summed over customers.

        Examples:
            >>> from clv_core import ParetoNBD
            >>> model = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669)
            >>> round(model.log_likelihood([0, 2], [0, 30.43], [38.86, 38.86]), 3)
            -10.075
        """
        (x, last, age), _, weight = unique_rows(frequency, recency, T)
        return float(weight @ _log_likelihood(self._parameters, x, last, age)[0])

    def standard_errors(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> dict[str, float]:
        """Return the standard error of each parameter, from the customers that the model was fitted on.

        Examples:
            >>> import numpy as np
            >>> from clv_core import ParetoNBD
            >>> customers = np.repeat([[0, 0, 200], [1, 90, 300], [4, 320, 365], [9, 100, 365]], 50, axis=0).T
            >>> model = ParetoNBD.fit(*customers)
            >>> errors = model.standard_errors(*customers)
            >>> {name: round(error / getattr(model, name), 2) for name, error in errors.items()}
            {'r': 0.14, 'alpha': 0.17, 's': 0.62, 'beta': 0.71}
        """
        (x, last, age), _, weight = unique_rows(frequency, recency, T)

        def log_likelihood(parameters: Floats) -> tuple[float, Floats]:
            values, gradients = _log_likelihood(parameters, x, last, age)
            return float(weight @ values), gradients @ weight

        errors = standard_errors(log_likelihood, self._parameters)
        return dict(zip(("r", "alpha", "s", "beta"), map(float, errors), strict=True))

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Return the probability that each customer has not left by the cutoff, [n] in [0, 1].

        Examples:
            >>> from clv_core import ParetoNBD
            >>> model = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669)
            >>> model.p_alive([2, 2], [30.43, 5.0], [38.86, 38.86]).round(3)
            array([0.869, 0.13 ])
        """
        (x, last, age), place, _ = unique_rows(frequency, recency, T)
        alive = np.empty(len(x))
        for begin in range(0, len(x), _ROWS_AT_ONCE):
            part = slice(begin, begin + _ROWS_AT_ONCE)
            stayed, left, _, _ = _branches(self._parameters, x[part], last[part], age[part])
            alive[part] = expit(stayed - left)
        return alive[place]

    def expected_purchases(self, horizon_days: float, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Return the expected purchase days of each customer in the horizon after the cutoff, [n].

        p_alive (r + x) (beta + T) / (alpha + T) times the integral of (1 + u / (beta + T))^-s over the horizon,
        written so that s = 1 is no exception.

        Args:
            horizon_days: t, in the unit of T.
            frequency: x, [n].
            recency: first to last purchase, [n].
            T: first purchase to cutoff, [n].

        Examples:
            >>> from clv_core import ParetoNBD
            >>> model = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669)
            >>> model.expected_purchases(39, [0, 2], [0, 30.43], [38.86, 38.86]).round(3)
            array([0.107, 1.455])
        """
        return self.p_alive(frequency, recency, T) * self.expected_if_alive(frequency, T)(horizon_days)

    def expected_if_alive(self, frequency: ArrayLike, T: ArrayLike) -> Callable[[float], Floats]:
        """Return the expected purchase days of customers who have not left, [n], as a function of the horizon.

        Examples:
            >>> from clv_core import ParetoNBD
            >>> model = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669)
            >>> expected = model.expected_if_alive([2], [38.86])
            >>> [expected(weeks).round(3).tolist() for weeks in (39, 78)]
            [[1.674], [2.945]]
        """
        x, age = np.asarray(frequency, dtype=np.float64), np.asarray(T, dtype=np.float64)
        rate = (self.r + x) / (self.alpha + age)

        def expected(horizon_days: float) -> Floats:
            longer = np.log1p(horizon_days / (self.beta + age))
            return rate * (self.beta + age) * longer * exprel((1 - self.s) * longer)

        return expected

    def p_purchase(self, horizon_days: float, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Return the probability of at least one purchase in the horizon after the cutoff, [n] in [0, 1].

        The density of the first purchase at u, of a customer who is alive at the cutoff and at u, over the horizon.

        Examples:
            >>> from clv_core import ParetoNBD
            >>> model = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669)
            >>> model.p_purchase(39, [0, 2], [0, 30.43], [38.86, 38.86]).round(3)
            array([0.069, 0.592])
        """
        (x, age), place, _ = unique_rows(frequency, T)
        some = np.empty(len(x))
        for begin in range(0, len(x), _ROWS_AT_ONCE):
            part = slice(begin, begin + _ROWS_AT_ONCE)
            shape, alpha, beta = self.r + x[part], self.alpha + age[part], self.beta + age[part]
            zero = np.zeros(len(shape))
            log_area, _, _ = _integral(shape + 1, alpha, self.s, beta, zero, zero + horizon_days)
            some[part] = np.exp(np.log(shape) + shape * np.log(alpha) + self.s * np.log(beta) + log_area)
        return np.clip(some[place], 0.0, 1.0) * self.p_alive(frequency, recency, T)

    def purchases_if_any(
        self, frequency: float, T: float, horizon_days: float, random: np.random.Generator, size: int
    ) -> tuple[Floats, Floats]:
        """Draw the purchases in the horizon of a customer who makes at least one, and how much each draw weighs.

        She buys at a rate lambda ~ Gamma(r + x, alpha + T) until she leaves, at a rate ~ Gamma(s, beta + T), or the
        horizon ends. A draw weighs as much as any purchase was likely under its rate and time.

        Args:
            frequency: x.
            T: first purchase to cutoff.
            horizon_days: in the unit of T.
            random: source of the draws.
            size: how many.

        Returns:
            Purchases, 1 or more, [size]; weights, [size].

        Examples:
            Their mean is what is expected of a live customer over the chance of any purchase.

            >>> import numpy as np
            >>> from clv_core import ParetoNBD
            >>> model, past = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669), ([2], [38.86], [38.86])
            >>> purchases, weight = model.purchases_if_any(2, 38.86, 39, np.random.default_rng(0), 200_000)
            >>> mean = model.expected_purchases(39, *past) / model.p_purchase(39, *past)
            >>> bool(abs(np.average(purchases, weights=weight) / mean - 1) < 0.01)
            True
        """
        rate = random.standard_gamma(self.r + frequency, size) / (self.alpha + T)
        leaving = np.maximum(random.standard_gamma(self.s, size) / (self.beta + T), np.finfo(float).tiny)
        stays = np.minimum(random.standard_exponential(size) / leaving, horizon_days)
        return purchases_at_rate(rate, stays, random)

    @property
    def _parameters(self) -> Floats:
        return np.array([self.r, self.alpha, self.s, self.beta])


def _integral(
    a_power: Floats, alpha: Floats | float, b_power: float, beta: Floats | float, low: Floats, high: Floats
) -> tuple[Floats, Floats, Floats]:
    """Integrate (alpha + u)^-a_power (beta + u)^-b_power over u in [low, high], row by row.

    Gauss-Legendre in log(c + u), c the smaller of alpha and beta, where the integrand is smooth and its decay only
    grows: the range ends where it is over, however large the powers.

    Returns:
        The log of the integral [n] (-inf where the range is empty); the nodes u [n, m]; the share of the integral at
        each node [n, m].
    """
    offset = np.minimum(alpha, beta)
    begin = np.log(offset + low)
    decay = a_power * (offset + low) / (alpha + low) + b_power * (offset + low) / (beta + low) - 1
    width = np.log(offset + high) - begin
    width = np.minimum(width, np.where(decay > 0, _DECAY / np.maximum(decay, 1e-300), np.inf))
    logs = begin[:, None] + width[:, None] * (_NODES + 1) / 2
    u = np.maximum(np.exp(logs) - np.reshape(offset, (-1, 1)), low[:, None])
    heights = np.log(_WEIGHTS) + logs - a_power[:, None] * np.log(np.reshape(alpha, (-1, 1)) + u)
    heights -= b_power * np.log(np.reshape(beta, (-1, 1)) + u)
    with np.errstate(divide="ignore"):
        area = logsumexp(heights, axis=1) + np.log(width / 2)
    return area, u, softmax(heights, axis=1)


def _branches(parameters: Floats, x: Floats, last: Floats, age: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return log-likelihood parts of having stayed and of having left, and nodes and shares of the latter."""
    r, alpha, s, beta = parameters
    stayed = -(r + x) * np.log(alpha + age) - s * np.log(beta + age)
    area, u, shares = _integral(r + x, alpha, s + 1, beta, last, age)
    return stayed, np.log(s) + area, u, shares


def _log_likelihood(parameters: Floats, x: Floats, last: Floats, age: Floats) -> tuple[Floats, Floats]:
    """Return the log-likelihood of each row [u] and its gradients [4, u]."""
    r, alpha, s, beta = parameters
    values, gradients = np.empty(len(x)), np.empty((4, len(x)))
    for begin in range(0, len(x), _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        k, t = r + x[part], age[part]
        stayed, left, u, shares = _branches(parameters, x[part], last[part], t)
        common = gammaln(k) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        values[part] = common + np.logaddexp(stayed, left)
        p_left = expit(left - stayed)
        p_alive = 1 - p_left
        log_a, log_b = np.sum(shares * np.log(alpha + u), axis=1), np.sum(shares * np.log(beta + u), axis=1)
        one_a, one_b = np.sum(shares / (alpha + u), axis=1), np.sum(shares / (beta + u), axis=1)
        by_r = digamma(k) - digamma(r) + np.log(alpha) - p_alive * np.log(alpha + t) - p_left * log_a
        by_alpha = r / alpha - k * (p_alive / (alpha + t) + p_left * one_a)
        by_s = np.log(beta) - p_alive * np.log(beta + t) + p_left * (1 / s - log_b)
        by_beta = s / beta - p_alive * s / (beta + t) - p_left * (s + 1) * one_b
        gradients[:, part] = by_r, by_alpha, by_s, by_beta
    return values, gradients
