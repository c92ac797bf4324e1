"""BG/BB: at each of so many opportunities customers buy with one chance, and leave before it with another.

For purchases that cannot come at any time: a yearly donation, a fair, a match day. Time is a number of opportunities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, gammaln, logsumexp, softmax

from clv_core.btyd.fitting import Rows
from clv_core.btyd.purchase_model import Parameter, PurchaseModel

Floats = NDArray[np.float64]

_ROWS_AT_ONCE: Final = 16_384
"""Rows of one pass, which bounds memory."""


@dataclass(frozen=True)
class BGBB(PurchaseModel):
    """Parameters of the BG/BB model; ``T`` is the number of opportunities since the first purchase.

    Args:
        alpha: first shape of the beta distribution of the chance to buy at an opportunity.
        beta: its second shape.
        gamma: first shape of the beta distribution of the chance to leave before an opportunity.
        delta: its second shape.
        converged: whether the log alone pins the parameters down; False: regularised.

    ``p_alive`` is about the last opportunity, as in the other models; before the next a customer leaves with the mean
    chance gamma / (gamma + delta + T) of those who are there, which is what tables of the paper have taken off.

    Source: Fader, Hardie, Shang 2010, Customer-base analysis in a discrete-time noncontractual setting.

    Examples:
        The paper's donors: expected donations in the next five years of one who gave in each of six, and of one who
        never gave again.

        >>> from clv_core import BGBB
        >>> model = BGBB(alpha=1.204, beta=0.750, gamma=0.657, delta=2.783)
        >>> model.expected_purchases(5, [6, 0], [6, 0], [6, 6]).round(2)
        array([3.75, 0.07])
    """

    alpha: float
    beta: float
    gamma: float
    delta: float
    converged: bool = True

    NAMES: ClassVar = ("alpha", "beta", "gamma", "delta")
    START: ClassVar = (1.0, 1.0, 0.8, 2.5)
    WHOLE: ClassVar = True
    BUYING: ClassVar = ("alpha", 1)
    LEAVING: ClassVar = ("gamma", 1)

    @classmethod
    def _terms(cls, parameters: Sequence[Parameter], rows: Rows) -> tuple[Floats, Floats]:
        """Return equation 5 of the paper, without the factor that no parameter is in."""
        value, by_row = np.empty(len(rows.x)), np.empty((4, len(rows.x)))
        for begin in range(0, len(rows.x), _ROWS_AT_ONCE):
            part = slice(begin, begin + _ROWS_AT_ONCE)
            a, b, c, d = (_column(rows.spread(one), part) for one in parameters)
            x = rows.x[part, None]
            until, has_left, logs = _branches((a, b, c, d), rows.x[part], rows.last[part], rows.age[part])
            value[part] = logsumexp(logs, axis=1)
            shares = softmax(logs, axis=1)
            buying = digamma(a + b + until) - digamma(a + b)
            staying = digamma(c + d + until + has_left) - digamma(c + d)
            by_each = (
                digamma(a + x) - digamma(a) - buying,
                digamma(b + until - x) - digamma(b) - buying,
                digamma(c + has_left) - digamma(c) - staying,
                digamma(d + until) - digamma(d) - staying,
            )
            by_row[:, part] = [np.sum(np.where(shares > 0, shares * each, 0.0), axis=1) for each in by_each]
        return rows.by_group(value), np.stack([rows.by_group(one) for one in by_row])

    def _p_alive(self, x: Floats, last: Floats, age: Floats) -> Floats:
        """Return the share of the branch of those who stayed (equation 11 at m = 0)."""
        model, (x, last, age), place = self._distinct(x, last, age)
        alive = np.empty(len(x))
        for begin in range(0, len(x), _ROWS_AT_ONCE):
            part = slice(begin, begin + _ROWS_AT_ONCE)
            a, b, c, d = (_column(getattr(model, name), part) for name in self.NAMES)
            alive[part] = softmax(_branches((a, b, c, d), x[part], last[part], age[part])[2], axis=1)[:, 0]
        by_customer: Floats = alive[place]
        return by_customer

    def _expected(self, x: Floats, age: Floats) -> Callable[[Parameter], Floats]:
        """Return the mean chance to buy times the mean number of opportunities that she is there for (equation 13)."""
        buys = (self.alpha + x) / (self.alpha + self.beta + age)

        def expected(horizon: Parameter) -> Floats:
            there, opportunities = np.ones(len(x)), np.zeros(len(x))
            for ahead in range(int(np.max(horizon, initial=0.0))):
                there = there * (self.delta + age + ahead) / (self.gamma + self.delta + age + ahead)
                opportunities += np.where(ahead < horizon, there, 0.0)
            purchases: Floats = buys * opportunities
            return purchases

        return expected

    def _p_some(self, horizon: Floats, x: Floats, age: Floats) -> Floats:
        return 1 - self._p_count(np.zeros(len(x)), horizon, x, age)

    def _p_count(self, count: Floats, horizon: Floats, x: Floats, age: Floats) -> Floats:
        """Return the chance of so many purchases, whether she is there to the end or left on the way (equation 8)."""
        a, b, c, d = self.alpha + x, self.beta + age - x, self.gamma, self.delta + age

        def bought(opportunities: Floats) -> Floats:
            rest = np.maximum(opportunities - count, 0.0)
            ways = gammaln(count + rest + 1) - gammaln(count + 1) - gammaln(rest + 1)
            chance = np.exp(ways + betaln(a + count, b + rest) - betaln(a, b))
            return np.where(opportunities < count, 0.0, chance)

        exactly: Floats = bought(horizon) * np.exp(betaln(c, d + horizon) - betaln(c, d))
        for ahead in range(int(np.max(horizon, initial=0.0))):
            leaves = np.exp(betaln(c + 1, d + ahead) - betaln(c, d))
            exactly = exactly + np.where(ahead < horizon, bought(np.full(len(x), float(ahead))) * leaves, 0.0)
        return exactly


def _branches(
    parameters: tuple[Parameter, ...], x: Floats, last: Floats, age: Floats
) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Return the ways that a customer may have gone, the first column that she stayed, [n, m] each.

    Returns:
        At how many opportunities she was there; whether she has left, 0 or 1; the log-likelihood.
    """
    a, b, c, d = parameters
    ahead = np.arange(int(np.max(age - last, initial=0.0)))
    left = last[:, None] + ahead
    until = np.concatenate([age[:, None], np.minimum(left, age[:, None])], axis=1)
    has_left = np.concatenate([[0], np.ones(len(ahead), np.int64)])
    logs = betaln(a + x[:, None], b + until - x[:, None]) - betaln(a, b)
    logs = logs + betaln(c + has_left, d + until) - betaln(c, d)
    possible = np.concatenate([np.ones((len(x), 1), np.bool_), left < age[:, None]], axis=1)
    return until, has_left, np.where(possible, logs, -np.inf)


def _column(value: Parameter, part: slice) -> Parameter:
    return value[part, None] if np.ndim(value) else value  # type: ignore[index]
