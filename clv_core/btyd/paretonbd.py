"""Pareto/NBD: Poisson purchases at a gamma-distributed rate, and a gamma-distributed rate of leaving at any moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, expit, exprel, gammaln, logsumexp, softmax, xlog1py, xlogy

from clv_core.btyd.fitting import Rows, purchases_at_rate
from clv_core.btyd.purchase_model import Parameter, PurchaseModel

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_COUNT_NODES, _COUNT_WEIGHTS = np.polynomial.legendre.leggauss(256)
_DECAY: Final = 45.0
"""An integrand that has fallen by e^-45 is over."""
_ROWS_AT_ONCE: Final = 16_384
"""Rows of one pass, which bounds memory: 6 MB a matrix, which the processor's cache holds."""


@dataclass(frozen=True)
class ParetoNBD(PurchaseModel):
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
        >>> round(model.expected_purchases(39, 2, 30.43, 38.86), 3)
        1.455
    """

    r: float
    alpha: float
    s: float
    beta: float
    converged: bool = True

    NAMES: ClassVar = ("r", "alpha", "s", "beta")
    TIMES: ClassVar = frozenset({"alpha", "beta"})
    START: ClassVar = (0.5, 0.5, 0.5, 0.5)
    BUYING: ClassVar = ("alpha", -1)
    LEAVING: ClassVar = ("beta", -1)

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

    @classmethod
    def _terms(cls, parameters: Sequence[Parameter], rows: Rows) -> tuple[Floats, Floats]:
        """Return the likelihood of having stayed, and of having left at any moment since the last purchase."""
        r, alpha, s, beta = parameters
        x, last, age = rows.x, rows.last, rows.age
        of_alpha, of_beta = (np.broadcast_to(rows.spread(value), x.shape) for value in (alpha, beta))
        inside, by_row = np.empty(len(x)), np.empty((4, len(x)))
        for begin in range(0, len(x), _ROWS_AT_ONCE):
            part = slice(begin, begin + _ROWS_AT_ONCE)
            k, t, a, b = r + x[part], age[part], of_alpha[part], of_beta[part]
            stayed, left, u, shares = _branches((r, a, s, b), x[part], last[part], t)
            inside[part] = np.logaddexp(stayed, left)
            p_left = expit(left - stayed)
            p_alive = 1 - p_left
            to_alpha, to_beta = a[:, None] + u, b[:, None] + u
            log_a, log_b = np.sum(shares * np.log(to_alpha), axis=1), np.sum(shares * np.log(to_beta), axis=1)
            one_a, one_b = np.sum(shares / to_alpha, axis=1), np.sum(shares / to_beta, axis=1)
            by_row[0, part] = -p_alive * np.log(a + t) - p_left * log_a
            by_row[1, part] = -k * (p_alive / (a + t) + p_left * one_a)
            by_row[2, part] = -p_alive * np.log(b + t) + p_left * (1 / s - log_b)
            by_row[3, part] = -p_alive * s / (b + t) - p_left * (s + 1) * one_b
        counts, of_count = rows.counts, rows.of_count
        common = gammaln(r + counts) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        of_groups = np.broadcast_arrays(
            digamma(r + counts) - digamma(r) + np.log(alpha), r / alpha, np.log(beta), s / beta, counts
        )[:4]
        gradients = of_count * np.stack(of_groups) + np.stack([rows.by_group(values) for values in by_row])
        return of_count * common + rows.by_group(inside), gradients

    def _p_alive(self, x: Floats, last: Floats, age: Floats) -> Floats:
        model, (x, last, age), place = self._distinct(x, last, age)
        alpha, beta = (np.broadcast_to(value, x.shape) for value in (model.alpha, model.beta))
        alive = np.empty(len(x))
        for begin in range(0, len(x), _ROWS_AT_ONCE):
            part = slice(begin, begin + _ROWS_AT_ONCE)
            parameters = (self.r, alpha[part], self.s, beta[part])
            stayed, left, _, _ = _branches(parameters, x[part], last[part], age[part])
            alive[part] = expit(stayed - left)
        by_customer: Floats = alive[place]
        return by_customer

    def _expected(self, x: Floats, age: Floats) -> Callable[[Parameter], Floats]:
        """Return (r + x) (beta + T) / (alpha + T) times the integral of (1 + u / (beta + T))^-s over the horizon,
        written so that s = 1 is no exception.
        """
        rate = (self.r + x) / (self.alpha + age)

        def expected(horizon: Parameter) -> Floats:
            longer = np.log1p(horizon / (self.beta + age))
            purchases: Floats = rate * (self.beta + age) * longer * exprel((1 - self.s) * longer)
            return purchases

        return expected

    def _p_some(self, horizon: Floats, x: Floats, age: Floats) -> Floats:
        """Return the density of the first purchase at u, of a customer who is alive then, over the horizon."""
        model, (x, age, horizon), place = self._distinct(x, age, horizon)
        alpha, beta = (np.broadcast_to(value, x.shape) for value in (model.alpha + age, model.beta + age))
        some = np.empty(len(x))
        for begin in range(0, len(x), _ROWS_AT_ONCE):
            part = slice(begin, begin + _ROWS_AT_ONCE)
            shape, zero = self.r + x[part], np.zeros(len(x[part]))
            log_area, _, _ = _integral(shape + 1, alpha[part], self.s, beta[part], zero, horizon[part])
            some[part] = np.exp(np.log(shape) + shape * np.log(alpha[part]) + self.s * np.log(beta[part]) + log_area)
        by_customer: Floats = np.clip(some, 0.0, 1.0)[place]
        return by_customer

    def _p_count(self, count: Floats, horizon: Floats, x: Floats, age: Floats) -> Floats:
        """Return the chance of so many purchases by the end of the horizon, or by when she left, over all such times.

        Both are negative binomial; the integral over the time of leaving is Gauss-Legendre in log(beta + T + u).
        """
        model, (x, age, horizon, count), place = self._distinct(x, age, horizon, count)
        r, alpha, beta = np.broadcast_arrays(self.r + x, model.alpha + age, model.beta + age)

        def log_exactly(u: Floats, part: slice) -> Floats:
            a, n, k = alpha[part, None], count[part, None], r[part, None]
            share = u / (a + u)
            return gammaln(k + n) - gammaln(k) - gammaln(n + 1) + xlog1py(k, -share) + xlogy(n, share)

        exactly = np.empty(len(x))
        for begin in range(0, len(x), _ROWS_AT_ONCE // 8):
            part = slice(begin, begin + _ROWS_AT_ONCE // 8)
            longer = np.log1p(horizon[part] / beta[part])[:, None]
            logs = longer * (_COUNT_NODES + 1) / 2
            left = np.exp(log_exactly(beta[part, None] * np.expm1(logs), part) - self.s * logs)
            stayed = np.exp(log_exactly(horizon[part, None], part)[:, 0] - self.s * longer[:, 0])
            exactly[part] = stayed + self.s * (left @ _COUNT_WEIGHTS) * longer[:, 0] / 2
        by_customer: Floats = exactly[place]
        return by_customer


def _integral(
    a_power: Floats, alpha: Floats | float, b_power: Parameter, beta: Floats | float, low: Floats, high: Floats
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


def _branches(
    parameters: tuple[Parameter, Floats, Parameter, Floats], x: Floats, last: Floats, age: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return log-likelihood parts of having stayed and of having left, and nodes and shares of the latter."""
    r, alpha, s, beta = parameters
    stayed = -(r + x) * np.log(alpha + age) - s * np.log(beta + age)
    area, u, shares = _integral(r + x, alpha, s + 1, beta, last, age)
    return stayed, np.log(s) + area, u, shares
