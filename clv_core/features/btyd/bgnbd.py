"""BG/NBD: Poisson purchases at a gamma-distributed rate, a beta-geometric chance to leave after each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, expit, gammaln

from clv_core.features.btyd.fitting import maximise, purchases_at_rate, standard_errors, unique_rows
from clv_core.records import JsonRecord

Floats = NDArray[np.float64]

NODES: Final = 64
"""Of the quadrature, exact for polynomials of degree 127: predictions agree with lifetimes to 3e-13
(tests/bench/README.md)."""
_CHUNK: Final = 256
"""Densities of one pass: 256 matrices of 64 x 64 take 8 MB."""
FEW_ROWS: Final = 32
"""Of so few rows, finding the same ones takes longer than working each of them out."""


@dataclass(frozen=True)
class BGNBD(JsonRecord):
    """Parameters of the BG/NBD model; ages in the unit of ``alpha`` (days, where :meth:`fit` saw days).

    Args:
        r: shape of the gamma distribution of purchase rates.
        alpha: its rate, in time units.
        a: first shape of the beta distribution of the chance to leave after a purchase.
        b: its second shape.
        converged: whether the log alone pins the parameters down; False: regularised.

    Source: Fader, Hardie, Lee 2005, "Counting your customers" the easy way.

    Examples:
        The paper's CDNOW, in weeks: who bought twice more, last in week 30.43 of 38.86, is expected to buy 1.226 times
        in the next 39.

        >>> from clv_core import BGNBD
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> model.expected_purchases(39, [2], [30.43], [38.86]).round(3)
        array([1.226])
    """

    r: float
    alpha: float
    a: float
    b: float
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
            >>> from clv_core import BGNBD
            >>> once, lost, regular = [0, 0, 200], [3, 60, 365], [12, 340, 365]
            >>> frequency, recency, T = np.repeat([once, lost, regular], 40, axis=0).T
            >>> model = BGNBD.fit(frequency, recency, T)
            >>> model.p_alive(*np.transpose([lost, regular])).round(2)
            array([0.04, 0.92])
        """
        rows = _Rows.of(frequency, recency, T)
        scale = float(np.average(rows.age, weights=rows.weight)) if len(rows.age) and rows.age.max() > 0 else 1.0
        scaled = rows._replace(last=rows.last / scale, age=rows.age / scale)

        def log_likelihood(parameters: Floats) -> tuple[float, Floats]:
            return _log_likelihood(parameters, scaled)

        (r, alpha, a, b), converged = maximise(log_likelihood, float(rows.weight.sum()), start=(0.5, 0.5, 0.8, 2.5))
        return cls(float(r), float(alpha) * scale, float(a), float(b), converged)

    def log_likelihood(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> float:
        """Return the log-likelihood summed over customers (equation 6 of the paper).

        Examples:
            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> round(model.log_likelihood([0, 2], [0, 30.43], [38.86, 38.86]), 3)
            -10.013
        """
        return _log_likelihood(np.array([self.r, self.alpha, self.a, self.b]), _Rows.of(frequency, recency, T))[0]

    def standard_errors(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> dict[str, float]:
        """Return the standard error of each parameter, from the customers that the model was fitted on.

        Examples:
            >>> import numpy as np
            >>> from clv_core import BGNBD
            >>> customers = np.repeat([[0, 0, 200], [1, 90, 300], [4, 320, 365], [9, 100, 365]], 50, axis=0).T
            >>> model = BGNBD.fit(*customers)
            >>> errors = model.standard_errors(*customers)
            >>> {name: round(error / getattr(model, name), 2) for name, error in errors.items()}
            {'r': 0.12, 'alpha': 0.16, 'a': 0.65, 'b': 0.67}
        """
        rows = _Rows.of(frequency, recency, T)
        parameters = np.array([self.r, self.alpha, self.a, self.b])
        errors = standard_errors(lambda at: _log_likelihood(at, rows), parameters)
        return dict(zip(("r", "alpha", "a", "b"), map(float, errors), strict=True))

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Return the probability that each customer has not left by the cutoff, [n] in [0, 1].

        One-time buyers have had no chance to leave: 1.

        Source: Fader, Hardie 2008, Computing P(alive) using the BG/NBD model.

        Examples:
            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> model.p_alive([2, 2], [30.43, 5.0], [38.86, 38.86]).round(3)
            array([0.727, 0.124])
        """
        x, last, age = _arrays(frequency, recency, T)
        log_odds = np.log(self.a) - np.log(self.b + np.maximum(x, 1) - 1)
        log_odds += (self.r + x) * (np.log(self.alpha + age) - np.log(self.alpha + last))
        return np.where(x > 0, expit(-log_odds), 1.0)

    def expected_purchases(self, horizon_days: float, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Return the expected purchase days of each customer in the horizon after the cutoff, [n].

        The mean over the posterior of the chance to leave, Beta(a, b + x), of (1 - ((A / (A + p t))^(r + x)) / p with
        A = alpha + T, times p_alive: the integral behind the paper's equation 10, without its 2F1.

        Args:
            horizon_days: t, in the unit of T.
            frequency: x, [n].
            recency: first to last purchase, [n].
            T: first purchase to cutoff, [n].

        Examples:
            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> model.expected_purchases(39, [0, 2], [0, 30.43], [38.86, 38.86]).round(3)
            array([0.195, 1.226])
        """
        return self.expected_if_alive(frequency, T)(horizon_days) * self.p_alive(frequency, recency, T)

    def expected_if_alive(self, frequency: ArrayLike, T: ArrayLike) -> Callable[[float], Floats]:
        """Return the expected purchase days of customers who have not left, as a function of the horizon.

        What does not depend on the horizon is worked out once.

        Args:
            frequency: x, [n].
            T: first purchase to cutoff, [n].

        Returns:
            Horizon, in the unit of T, to expected purchase days, [n].

        Examples:
            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> expected = model.expected_if_alive([2], [38.86])
            >>> [expected(weeks).round(3).tolist() for weeks in (39, 78)]
            [[1.687], [2.96]]
        """
        x, age = _arrays(frequency, T)
        place: Any = slice(None)
        if len(x) > FEW_ROWS:
            (x, age), place, _ = unique_rows(x, age)
        counts, of_count = np.unique(x, return_inverse=True)
        nodes, weights = cached_beta_nodes(self.a, self.b + counts)

        def expected(horizon_days: float) -> Floats:
            alive = np.empty(len(x))
            for begin in range(0, len(x), 65_536):
                part = slice(begin, begin + 65_536)
                p = nodes[of_count[part]]
                ratio = (horizon_days / (self.alpha + age[part]))[:, None]
                gain = -np.expm1(-(self.r + x[part])[:, None] * np.log1p(p * ratio)) / p
                alive[part] = np.sum(weights[of_count[part]] * gain, axis=1)
            by_customer: Floats = alive[place]
            return by_customer

        return expected

    def p_purchase(self, horizon_days: float, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Return the probability of at least one purchase in the horizon after the cutoff, [n] in [0, 1].

        Leaving happens only right after a purchase, so the first purchase comes like a gamma-mixed Poisson event:
        p_alive * (1 - ((alpha + T) / (alpha + T + t))^(r + x)).

        Examples:
            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> model.p_purchase(39, [0, 2], [0, 30.43], [38.86, 38.86]).round(3)
            array([0.145, 0.555])
        """
        x, last, age = _arrays(frequency, recency, T)
        some = -np.expm1(-(self.r + x) * np.log1p(horizon_days / (self.alpha + age)))
        return some * self.p_alive(x, last, age)

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
        leaves_after = random.geometric(np.clip(random.beta(self.a, self.b + frequency, size), 1e-9, 1.0))
        purchases, weight = purchases_at_rate(rate, horizon_days, random)
        return np.minimum(purchases, leaves_after), weight


def _arrays(*columns: ArrayLike) -> list[Floats]:
    return [np.asarray(column, dtype=np.float64) for column in columns]


class _Rows(NamedTuple):
    """The distinct customers of a likelihood; what depends on x alone is worked out once for each of its few values.

    Args:
        x: repeat purchase days, [u].
        last: first to last purchase, [u].
        age: first purchase to cutoff, [u].
        weight: how many customers share each row, [u].
        counts: distinct values of ``x``, [k].
        of_count: how many customers have each of them, [k].
    """

    x: Floats
    last: Floats
    age: Floats
    weight: NDArray[np.int64]
    counts: Floats
    of_count: Floats

    @classmethod
    def of(cls, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Self:
        (x, last, age), _, weight = unique_rows(frequency, recency, T)
        counts, place = np.unique(x, return_inverse=True)
        return cls(x, last, age, weight, counts, np.bincount(place, weight, len(counts)).astype(np.float64))


def _log_likelihood(parameters: Floats, rows: _Rows) -> tuple[float, Floats]:
    r, alpha, a, b = parameters
    x, last, age, weight, counts, of_count = rows
    log_age, log_last = np.log(alpha + age), np.log(alpha + last)
    b_and_repeats = np.maximum(x, 1) - 1 + b  # b + x - 1 of those who came back
    common = gammaln(r + counts) - gammaln(r) + r * np.log(alpha)
    common += gammaln(a + b) + gammaln(b + counts) - gammaln(b) - gammaln(a + b + counts)
    stayed = -(r + x) * log_age
    left = np.where(x > 0, np.log(a) - np.log(b_and_repeats) - (r + x) * log_last, -np.inf)
    value = float(of_count @ common + weight @ np.logaddexp(stayed, left))

    share = np.where(x > 0, expit(left - stayed), 0.0)
    by_r = of_count @ (digamma(r + counts) - digamma(r) + np.log(alpha))
    by_r -= weight @ ((1 - share) * log_age + share * log_last)
    by_alpha = weight @ (r / alpha - (r + x) * ((1 - share) / (alpha + age) + share / (alpha + last)))
    both = digamma(a + b) - digamma(a + b + counts)
    by_a = of_count @ both + weight @ share / a
    by_b = of_count @ (both + digamma(b + counts) - digamma(b)) - weight @ (share / b_and_repeats)
    return value, np.array([by_r, by_alpha, by_a, by_b])


def beta_nodes(a: float, b: Floats) -> tuple[Floats, Floats]:
    """Return nodes and weights such that ``sum(weights * g(nodes), axis=1)`` is the mean of g(p) under Beta(a, b).

    Exact for polynomials of degree ``2 * NODES - 1`` and stable for any a, b > 0, however peaked the density: where a
    hypergeometric function of the same integral overflows or cancels, this does not.

    Args:
        a: first shape parameter.
        b: second shape parameter of each density, shape [u].

    Returns:
        Nodes in (0, 1) and weights that sum to 1, each of shape [u, :data:`NODES`].

    Source: Golub and Welsch 1969, Calculation of Gauss quadrature rules; Jacobi recurrence with exponents b - 1, a - 1.
    """
    points = np.empty((len(b), NODES))
    weights = np.empty((len(b), NODES))
    for begin in range(0, len(b), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        values, vectors = np.linalg.eigh(_jacobi_matrices(a, b[part]))
        points[part] = np.clip((values + 1) / 2, np.finfo(float).tiny, 1.0)
        weights[part] = vectors[:, 0, :] ** 2
    return points, weights


def cached_beta_nodes(a: float, b: Floats) -> tuple[Floats, Floats]:
    """Return :func:`beta_nodes` from a cache of each density's nodes."""
    if not len(b):
        return beta_nodes(a, b)
    pairs = [_nodes_of(a, float(shape)) for shape in b]
    return np.stack([nodes for nodes, _ in pairs]), np.stack([weights for _, weights in pairs])


@lru_cache(maxsize=2048)
def _nodes_of(a: float, b: float) -> tuple[Floats, Floats]:
    nodes, weights = beta_nodes(a, np.array([b]))
    return nodes[0], weights[0]


def _jacobi_matrices(a: float, b: Floats) -> Floats:
    left, right = a - 1.0, (b - 1.0)[:, None]
    total = left + right
    k = np.arange(1, NODES, dtype=np.float64)[None, :]
    matrices = np.zeros((len(b), NODES, NODES))
    diagonal = np.arange(NODES)
    matrices[:, 0, 0] = ((left - right) / (total + 2))[:, 0]
    matrices[:, diagonal[1:], diagonal[1:]] = (left - right) * total / ((2 * k + total) * (2 * k + total + 2))
    square = np.empty((len(b), NODES - 1))
    square[:, :1] = 4 * (1 + left) * (1 + right) / ((2 + total) ** 2 * (3 + total))
    k = k[:, 1:]
    square[:, 1:] = 4 * k * (k + left) * (k + right) * (k + total)
    square[:, 1:] /= (2 * k + total) ** 2 * (2 * k + total + 1) * (2 * k + total - 1)
    off_diagonal = np.sqrt(square)
    matrices[:, diagonal[1:], diagonal[:-1]] = off_diagonal
    matrices[:, diagonal[:-1], diagonal[1:]] = off_diagonal
    return matrices
