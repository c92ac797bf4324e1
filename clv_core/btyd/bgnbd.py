"""BG/NBD and MBG/NBD: Poisson purchases at a gamma-distributed rate, a beta-geometric chance to leave after each.

They are one model but for the first purchase: in MBG/NBD customers may leave right after it, in BG/NBD they stay for
the next. So one of x repeat purchases stayed x times, or x + 1 times (``FIRST``); the formulas are those of so many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh_tridiagonal
from scipy.special import betainc, betaln, digamma, expit, gammaln, xlog1py, xlogy

from clv_core.btyd.fitting import Rows, purchases_at_rate, unique_rows
from clv_core.btyd.purchase_model import Parameter, PurchaseModel

Floats = NDArray[np.float64]

NODES: Final = 64
"""Of the quadrature, exact for polynomials of degree 127: predictions agree with lifetimes to 3e-13
(tests/bench/README.md)."""
_ROWS_AT_ONCE: Final = 65_536
"""Rows of one pass, which bounds memory."""


@dataclass(frozen=True)
class BGNBD(PurchaseModel):
    """Parameters of the BG/NBD model; ages in the unit of ``alpha`` (days, where :meth:`fit` saw days).

    Args:
        r: shape of the gamma distribution of purchase rates.
        alpha: its rate, in time units.
        a: first shape of the beta distribution of the chance to leave after a purchase.
        b: its second shape.
        converged: whether the log alone pins the parameters down; False: regularised.

    Source: Fader, Hardie, Lee 2005, "Counting your customers" the easy way; Fader, Hardie 2008, Computing P(alive)
    using the BG/NBD model.

    Examples:
        The paper's CDNOW, in weeks: who bought twice more, last in week 30.43 of 38.86, is expected to buy 1.226 times
        in the next 39.

        >>> from clv_core import BGNBD
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> round(model.expected_purchases(39, 2, 30.43, 38.86), 3)
        1.226
    """

    r: float
    alpha: float
    a: float
    b: float
    converged: bool = True

    NAMES: ClassVar = ("r", "alpha", "a", "b")
    TIMES: ClassVar = frozenset({"alpha"})
    START: ClassVar = (0.5, 0.5, 0.8, 2.5)
    BUYING: ClassVar = ("alpha", -1)
    LEAVING: ClassVar = ("a", 1)
    FIRST: ClassVar[int] = 0
    """How often a customer could leave before her first repeat purchase."""

    def purchases_if_any(
        self, frequency: float, T: float, horizon_days: float, random: np.random.Generator, size: int
    ) -> tuple[Floats, Floats]:
        """Draw the purchases in the horizon of a customer who makes at least one, and how much each draw weighs.

        She buys at a rate lambda ~ Gamma(r + x, alpha + T), and leaves after each purchase with a chance ~ Beta(a,
        b + x): as many purchases as the rate brings, at most as many as come before she leaves. A draw weighs as much
        as any purchase was likely under its rate.

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
            >>> from clv_core import BGNBD
            >>> model, past = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426), ([2], [38.86], [38.86])
            >>> purchases, weight = model.purchases_if_any(2, 38.86, 39, np.random.default_rng(0), 200_000)
            >>> mean = model.expected_purchases(39, *past) / model.p_purchase(39, *past)
            >>> bool(abs(np.average(purchases, weights=weight) / mean - 1) < 0.01)
            True
        """
        rate = random.standard_gamma(self.r + frequency, size) / (self.alpha + T)
        leaves = random.beta(self.a, self.b + frequency + self.FIRST, size)
        leaves_after = random.geometric(np.clip(leaves, 1e-9, 1.0))
        purchases, weight = purchases_at_rate(rate, horizon_days, random)
        return np.minimum(purchases, leaves_after), weight

    @classmethod
    def _terms(cls, parameters: Sequence[Parameter], rows: Rows) -> tuple[Floats, Floats]:
        """Return equation 6 of the paper: who stayed x times, or left after the last purchase; one with no chance to
        leave has the first branch alone.
        """
        r, alpha, a, b = parameters
        of_r, of_alpha, of_a, of_b = map(rows.spread, parameters)
        x, last, age, counts = rows.x, rows.last, rows.age, rows.counts
        stays = counts + cls.FIRST
        chances = x + cls.FIRST
        log_age, log_last = np.log(of_alpha + age), np.log(of_alpha + last)
        b_and_stays = np.maximum(chances, 1) - 1 + of_b
        common = gammaln(r + counts) - gammaln(r) + r * np.log(alpha)
        common += gammaln(a + b) + gammaln(b + stays) - gammaln(b) - gammaln(a + b + stays)
        stayed = -(of_r + x) * log_age
        left = np.where(chances > 0, np.log(of_a) - np.log(b_and_stays) - (of_r + x) * log_last, -np.inf)
        values = rows.of_count * common + rows.by_group(np.logaddexp(stayed, left))

        share = np.where(chances > 0, expit(left - stayed), 0.0)
        by_r = rows.of_count * (digamma(r + counts) - digamma(r) + np.log(alpha))
        by_r -= rows.by_group((1 - share) * log_age + share * log_last)
        by_alpha = rows.of_count * (r / alpha)
        by_alpha -= rows.by_group((of_r + x) * ((1 - share) / (of_alpha + age) + share / (of_alpha + last)))
        both = digamma(a + b) - digamma(a + b + stays)
        by_a = rows.of_count * both + rows.by_group(share) / a
        by_b = rows.of_count * (both + digamma(b + stays) - digamma(b)) - rows.by_group(share / b_and_stays)
        return values, np.stack([by_r, by_alpha, by_a, by_b])

    def _p_alive(self, x: Floats, last: Floats, age: Floats) -> Floats:
        """Return equation 7 of the note of 2008; one-time buyers of BG/NBD have had no chance to leave: 1."""
        chances = x + self.FIRST
        log_odds = np.log(self.a) - np.log(self.b + np.maximum(chances, 1) - 1)
        log_odds = log_odds + (self.r + x) * (np.log(self.alpha + age) - np.log(self.alpha + last))
        return np.where(chances > 0, expit(-log_odds), 1.0)

    def _expected(self, x: Floats, age: Floats) -> Callable[[Parameter], Floats]:
        """Return the mean of (1 - (A / (A + p t))^(r + x)) / p, A = alpha + T, over the chance p to leave.

        It is distributed as Beta(a, b + x): the integral behind the paper's equation 10, without its 2F1.
        """
        model, (x, age), place = self._distinct(x, age)
        a = np.broadcast_to(model.a, x.shape)
        (a, b), of_density, _ = unique_rows(a, model.b + x + self.FIRST)
        nodes, weights = cached_beta_nodes(a, b)
        shape, rate = np.broadcast_arrays(model.r + x, model.alpha + age)

        def expected(horizon: Parameter) -> Floats:
            rows = np.arange(len(x))[place] if np.ndim(horizon) else np.arange(len(x))
            alive = np.empty(len(rows))
            for begin in range(0, len(rows), _ROWS_AT_ONCE):
                part = rows[begin : begin + _ROWS_AT_ONCE]
                span = horizon[begin : begin + _ROWS_AT_ONCE] if np.ndim(horizon) else horizon  # type: ignore[index]
                p = nodes[of_density[part]]
                ratio = (span / rate[part])[:, None]
                gain = -np.expm1(-shape[part, None] * np.log1p(p * ratio)) / p
                alive[begin : begin + len(part)] = np.sum(weights[of_density[part]] * gain, axis=1)
            by_customer: Floats = alive if np.ndim(horizon) else alive[place]
            return by_customer

        return expected

    def _p_some(self, horizon: Floats, x: Floats, age: Floats) -> Floats:
        """Return 1 - ((alpha + T) / (alpha + T + t))^(r + x): leaving happens only right after a purchase."""
        some: Floats = -np.expm1(-(self.r + x) * np.log1p(horizon / (self.alpha + age)))
        return some

    def _p_count(self, count: Floats, horizon: Floats, x: Floats, age: Floats) -> Floats:
        """Return equation 8 of the paper with the posterior's parameters: so many purchases came and none was the
        last, or at least so many came and the last of them was.
        """
        r, alpha, a, b = self.r + x, self.alpha + age, self.a, self.b + x + self.FIRST
        share = horizon / (alpha + horizon)
        log_exactly = gammaln(r + count) - gammaln(r) - gammaln(count + 1) + xlog1py(r, -share) + xlogy(count, share)
        some = np.maximum(count, 1)
        stayed = np.exp(betaln(a, b + count) - betaln(a, b) + log_exactly)
        left = np.exp(betaln(a + 1, b + some - 1) - betaln(a, b)) * betainc(some, r, share)
        return stayed + np.where(count > 0, left, 0.0)


@dataclass(frozen=True)
class MBGNBD(BGNBD):
    """Parameters of the MBG/NBD model: BG/NBD where customers may also leave right after their first purchase.

    Args:
        r: shape of the gamma distribution of purchase rates.
        alpha: its rate, in time units.
        a: first shape of the beta distribution of the chance to leave after a purchase, the first included.
        b: its second shape.
        converged: whether the log alone pins the parameters down; False: regularised.

    Source: Batislam, Denizel, Filiztekin 2007, Empirical validation and comparison of models for customer base
    analysis.

    Examples:
        One-time buyers are not sure to be there.

        >>> from clv_core import MBGNBD
        >>> model = MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614)
        >>> round(model.p_alive(0, 0, 38.86), 3)
        0.39
    """

    FIRST: ClassVar[int] = 1


def beta_nodes(a: Parameter, b: Floats) -> tuple[Floats, Floats]:
    """Return nodes and weights such that ``sum(weights * g(nodes), axis=1)`` is the mean of g(p) under Beta(a, b).

    Exact for polynomials of degree ``2 * NODES - 1`` and stable for any a, b > 0, however peaked the density: where a
    hypergeometric function of the same integral overflows or cancels, this does not.

    Args:
        a: first shape parameter, of all densities or of each.
        b: second shape parameter of each density, shape [u].

    Returns:
        Nodes in (0, 1) and weights that sum to 1, each of shape [u, :data:`NODES`].

    Source: Golub and Welsch 1969, Calculation of Gauss quadrature rules; Jacobi recurrence with exponents b - 1, a - 1.
    Eigenvalues alone, and weights by the recurrence (Gautschi 2004, Orthogonal polynomials, 3.1.1.1), take a third of
    the time that eigenvectors do.
    """
    diagonal, beside = _jacobi_recurrence(np.broadcast_to(a, b.shape), b)
    found = [eigvalsh_tridiagonal(*rows, lapack_driver="sterf") for rows in zip(diagonal, beside, strict=True)]
    values = np.reshape(found, diagonal.shape)
    before, polynomial, total = np.zeros_like(values), np.ones_like(values), np.ones_like(values)
    last = np.zeros((len(b), 1))
    for k in range(NODES - 1):
        step = beside[:, k, None]
        above = ((values - diagonal[:, k, None]) * polynomial - last * before) / step
        before, polynomial, last = polynomial, above, step
        total += polynomial**2
    weights = 1 / total
    return np.clip((values + 1) / 2, np.finfo(float).tiny, 1.0), weights / weights.sum(axis=1, keepdims=True)


def cached_beta_nodes(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return :func:`beta_nodes` from a cache of each density's nodes; of many, without it."""
    if not 0 < len(b) <= _CACHED:
        return beta_nodes(a, b)
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    known = {pair: nodes for pair in pairs if (nodes := _nodes_of.get(pair)) is not None}
    if missing := [pair for pair in pairs if pair not in known]:
        first, second = np.array(missing).T
        made = dict(zip(missing, zip(*beta_nodes(first, second), strict=True), strict=True))
        known |= made
        if len(_nodes_of) + len(made) > _CACHED:
            _nodes_of.clear()
        _nodes_of.update(made)
    return np.stack([known[pair][0] for pair in pairs]), np.stack([known[pair][1] for pair in pairs])


_CACHED: Final = 2048
_nodes_of: Final[dict[tuple[float, float], tuple[Floats, Floats]]] = {}


def _jacobi_recurrence(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the tridiagonal matrix of each density: its diagonal [u, NODES], and what is beside it [u, NODES - 1]."""
    left, right = (a - 1.0)[:, None], (b - 1.0)[:, None]
    total = left + right
    k = np.arange(1, NODES, dtype=np.float64)[None, :]
    diagonal = np.empty((len(b), NODES))
    diagonal[:, :1] = (left - right) / (total + 2)
    diagonal[:, 1:] = (left - right) * total / ((2 * k + total) * (2 * k + total + 2))
    square = np.empty((len(b), NODES - 1))
    square[:, :1] = 4 * (1 + left) * (1 + right) / ((2 + total) ** 2 * (3 + total))
    k = k[:, 1:]
    square[:, 1:] = 4 * k * (k + left) * (k + right) * (k + total)
    square[:, 1:] /= (2 * k + total) ** 2 * (2 * k + total + 1) * (2 * k + total - 1)
    return diagonal, np.sqrt(square)
