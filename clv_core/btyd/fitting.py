"""Maximum likelihood on the distinct customers of a log, with a regularised answer where the plain one does not exist.

``Rows`` is the table that every model is fitted on. ``maximise`` finds the parameters: of many rows first on a coarse
table of a few thousand, then by Newton's steps on all: a fit costs some passes over the rows and not some hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
LogLikelihood = Callable[[Floats], tuple[float, Floats]]
"""Parameters to the summed log-likelihood and its gradient by parameter."""

LIMIT: Final = 1e4
"""Parameters (in scaled units) are sought in [1/LIMIT, LIMIT]; a maximum at the edge counts as none."""
GRADIENT_TOLERANCE: Final = 1e-5
"""Of the log-posterior a customer: a search that stops with a steeper gradient has stalled."""
SPREAD: Final = 1.5
"""Standard deviation of the prior of each log-parameter."""
SHIFTS: Final = (0.0, -1.0, 1.0)
"""Of log-parameters, from the first guess to where a search begins; the next is tried where one ends at no maximum."""
STEP: Final = 1e-4
"""Of log-parameters, for differences of the gradient."""
MANY_ROWS: Final = 5_000
"""From so many distinct rows on, a fit begins on a coarse table: below, that saves less than the table costs."""
CELLS: Final = 16
"""Of the coarse table, along age, and along recency as a share of it; counts of 8 and more in ranges of a fifth."""
NEWTON_STEPS: Final = 25
"""Passes that a fit may take from the coarse maximum; it takes 4 to 7 (200,000 simulated customers, CDNOW)."""
NEWTON_TOLERANCE: Final = 1e-9
"""Of the gradient a customer where they end; a search by L-BFGS-B ends at 1e-8."""


class Rows(NamedTuple):
    """The distinct customers of a likelihood; what depends on the group alone is worked out once for each.

    A group is a number of purchases, and the covariates where there are some.

    Args:
        x: repeat purchases, [u].
        last: first to last purchase, [u].
        age: first purchase to cutoff, [u].
        weight: how many customers share each row, [u].
        group: place of each row among the groups, [u].
        counts: ``x`` of each group, [g].
        of_count: how many customers each group has, [g].
        covariates: of each group, [m, g].
    """

    x: Floats
    last: Floats
    age: Floats
    weight: Floats
    group: NDArray[np.int64]
    counts: Floats
    of_count: Floats
    covariates: Floats

    @classmethod
    def of(cls, x: Floats, last: Floats, age: Floats, weights: Floats | None = None, *covariates: Floats) -> Self:
        """Return the distinct rows of customers, [n] each."""
        (x, last, age, *others), place, weight = unique_rows(x, last, age, *covariates)
        if weights is not None:
            weight = np.bincount(place, weights, len(x))
            some = weight > 0
            x, last, age, weight = x[some], last[some], age[some], weight[some]
            others = [column[some] for column in others]
        return cls._grouped(x, last, age, weight.astype(np.float64), others)

    @classmethod
    def _grouped(cls, x: Floats, last: Floats, age: Floats, weight: Floats, others: Sequence[Floats]) -> Self:
        (counts, *of_group), group, _ = unique_rows(x, *others)
        of_count = np.bincount(group, weight, len(counts)).astype(np.float64)
        covariates = np.reshape(of_group, (len(of_group), len(counts)))
        return cls(x, last, age, weight, group, counts, of_count, covariates)

    def by_group(self, values: Floats) -> Floats:
        """Return the sums over customers of what is known of each row, [g]."""
        return np.bincount(self.group, self.weight * values, len(self.counts)).astype(np.float64)

    def spread(self, value: Floats | float) -> Floats | float:
        """Return a parameter of each row: of all groups one, or one of each group."""
        return value[self.group] if np.ndim(value) else value  # type: ignore[index]

    def scaled(self, scale: float) -> Self:
        """Return the same rows in another unit of time."""
        return self._replace(last=self.last / scale, age=self.age / scale)

    def coarse(self) -> Self | None:
        """Return a table of some thousand mean customers in the place of many; None where there are not many."""
        if len(self.x) < MANY_ROWS or len(self.covariates):
            return None
        count = np.where(self.x < 8, self.x, np.floor(8 + np.log(np.maximum(self.x, 8) / 8) / np.log(1.2)))
        top = float(self.age.max())
        age = np.minimum(np.floor(self.age / top * CELLS), CELLS - 1)
        share = np.minimum(np.floor(self.last / np.maximum(self.age, 1e-300) * CELLS), CELLS - 1)
        _, cell, _ = unique_rows(count, age, share)
        weight = np.bincount(cell, self.weight).astype(np.float64)
        x, last, age = (np.bincount(cell, self.weight * column) / weight for column in (self.x, self.last, self.age))
        return self._grouped(x, np.minimum(last, age), age, weight, ())


class Found(NamedTuple):
    """Where a search ended: log-parameters [k], minus the log-posterior a customer, whether it is a maximum."""

    place: Floats
    cost: float
    converged: bool


class Scale(NamedTuple):
    """How parameters are searched for: the first ``logs`` of them, which are positive, by their logarithms."""

    logs: int

    def parameters(self, at: Floats) -> Floats:
        """Return the parameters at a place of the search."""
        return np.concatenate([np.exp(at[: self.logs]), at[self.logs :]])

    def place(self, parameters: Floats) -> Floats:
        """Return the place of parameters."""
        return np.concatenate([np.log(parameters[: self.logs]), parameters[self.logs :]])

    def stretch(self, parameters: Floats) -> Floats:
        """Return by how much each parameter moves where its place moves by one."""
        return np.concatenate([parameters[: self.logs], np.ones(len(parameters) - self.logs)])

    def slope(self, log_likelihood: LogLikelihood, at: Floats) -> Floats:
        """Return the gradient of a log-likelihood by places."""
        parameters = self.parameters(at)
        return log_likelihood(parameters)[1] * self.stretch(parameters)


def maximise(
    log_likelihood: LogLikelihood,
    size: float,
    start: Sequence[float],
    *,
    effects: int = 0,
    coarse: LogLikelihood | None = None,
) -> tuple[Floats, bool]:
    """Return the parameters of highest likelihood, and whether that maximum exists inside the bounds.

    The search runs on log-parameters by L-BFGS-B. Where it ends at a bound or stalls, or where the log holds less
    information than the prior about any direction (few customers, all of them one-time buyers, constant spend), the
    answer is the mode under independent lognormal priors around ``start``: it always exists, and approaches the
    likelihood's as the log grows.

    Args:
        log_likelihood: summed over customers.
        size: number of customers that the sum runs over (0 is allowed: the answer is ``start``).
        start: first guess, and centre of the prior, in scaled units.
        effects: how many parameters of any sign follow, which are 0 at first.
        coarse: about the same log-likelihood, of the same customers in fewer rows.

    Returns:
        Parameters [k] and ``converged``: False where the prior was needed.
    """
    scale = Scale(len(start))
    centre = scale.place(np.array([*start, *(0.0 for _ in range(effects))], np.float64))
    if coarse is not None and size > 0:
        near, converged = maximise(coarse, size, start)
        found = _newton(log_likelihood, coarse, size, scale.place(near), scale) if converged else None
        if found is not None:
            return scale.parameters(found), True
    starts = [centre + shift * (np.arange(len(centre)) < scale.logs) for shift in SHIFTS]

    def search(prior: float, origin: Floats) -> Found:
        return _search(log_likelihood, size, centre, prior, origin, scale)

    if size > 0:
        place, _, converged = _first(starts, lambda origin: search(0.0, origin))
        if converged and _information(log_likelihood, place, scale) > 1 / SPREAD**2:
            return scale.parameters(place), True
    return scale.parameters(_first(starts, lambda origin: search(1.0, origin)).place), False


def _search(
    log_likelihood: LogLikelihood, size: float, centre: Floats, prior: float, origin: Floats, scale: Scale
) -> Found:
    """Search from ``origin`` on; ``prior`` is how much the pull to the centre weighs."""
    from scipy.optimize import minimize

    customers, edge = max(size, 1.0), np.log(LIMIT)

    def objective(at: Floats) -> tuple[float, Floats]:
        parameters = scale.parameters(at)
        value, gradient = log_likelihood(parameters)
        pull = prior * (at - centre) / SPREAD**2
        penalty = 0.5 * float(pull @ (at - centre))
        return (penalty - value) / customers, (pull - gradient * scale.stretch(parameters)) / customers

    result = minimize(
        objective,
        origin,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-edge, edge)] * len(centre),
        options={"maxiter": 500, "maxls": 50, "ftol": 1e-14, "gtol": 1e-8},
    )
    inside = bool(np.all(np.abs(result.x) < 0.999 * edge))
    still = bool(np.max(np.abs(np.asarray(result.jac))) < GRADIENT_TOLERANCE)
    return Found(result.x, float(result.fun), inside and still and bool(np.isfinite(result.fun)))


def _newton(
    log_likelihood: LogLikelihood, coarse: LogLikelihood, size: float, place: Floats, scale: Scale
) -> Floats | None:
    """Go from the coarse maximum to that of all rows by the coarse curvature; None: the steps lead nowhere."""
    across = np.linalg.inv(_curvature(coarse, place, scale))
    edge = 0.999 * np.log(LIMIT)
    for _ in range(NEWTON_STEPS):
        slope = scale.slope(log_likelihood, place)
        if not np.isfinite(slope).all() or np.abs(place).max() >= edge:
            return None
        if np.abs(slope).max() < NEWTON_TOLERANCE * size:
            return place
        place = place + across @ slope
    return None


def _first(starts: Sequence[Floats], search: Callable[[Floats], Found]) -> Found:
    """Return the first search that ended at a maximum, else the best of all.

    In 1,015 fits (CDNOW and parts of it down to one customer, simulated logs) all searches that ended at a maximum
    ended at the same one, to 1.4e-5 of a log-parameter.
    """
    ended = list[Found]()
    for origin in starts:
        ended.append(search(origin))
        if ended[-1].converged:
            return ended[-1]
    return min(ended, key=lambda result: result.cost)


def covariance_of(log_likelihood: LogLikelihood, parameters: Floats, logs: int | None = None) -> Floats:
    """Return the covariance of fitted parameters, [k, k], from the observed information of their logarithms.

    Args:
        log_likelihood: summed over customers.
        parameters: where it is highest.
        logs: how many of them are positive; None: all.

    Returns:
        NaN where the log does not pin the parameters down.
    """
    scale = Scale(len(parameters) if logs is None else logs)
    curvature = _curvature(log_likelihood, scale.place(parameters), scale)
    if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0:
        return np.full((len(parameters), len(parameters)), np.nan)
    stretch = scale.stretch(parameters)
    return np.linalg.inv(curvature) * np.outer(stretch, stretch)


def _information(log_likelihood: LogLikelihood, place: Floats, scale: Scale) -> float:
    """Return the curvature of the log-likelihood in its flattest direction."""
    return float(np.linalg.eigvalsh(_curvature(log_likelihood, place, scale))[0])


def _curvature(log_likelihood: LogLikelihood, place: Floats, scale: Scale) -> Floats:
    """Return minus the second derivatives of a log-likelihood by places, by differences of the gradient."""
    rows = [
        (scale.slope(log_likelihood, place - shift) - scale.slope(log_likelihood, place + shift)) / (2 * STEP)
        for shift in STEP * np.eye(len(place))
    ]
    curvature = np.stack(rows)
    return (curvature + curvature.T) / 2


def unique_rows(*columns: ArrayLike) -> tuple[list[Floats], NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct rows of equally long columns, sorted, with each input row's place and each row's weight.

    Args:
        columns: numbers, each of shape [n].

    Returns:
        The columns of the distinct rows [u] each; position of every input row among them [n]; weight of each [u].
    """
    arrays = [np.asarray(column, dtype=np.float64) for column in columns]
    code = np.zeros(len(arrays[0]), dtype=np.int64)
    for array in arrays:
        values, inverse = np.unique(array, return_inverse=True)
        _, code = np.unique(code * len(values) + inverse, return_inverse=True)
    _, first, counts = np.unique(code, return_index=True, return_counts=True)
    return [array[first] for array in arrays], code, counts.astype(np.int64)


def purchases_at_rate(rate: Floats, days: Floats | float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw Poisson counts of which none is 0: the first purchase comes within the time, others in what is left of it.

    Args:
        rate: of purchases a day, [d].
        days: how long they come, [d] or for all.
        random: source of the draws.

    Returns:
        Counts of 1 or more, [d]; the chance of any purchase, which is what each draw weighs, [d].
    """
    expected = rate * days
    some = -np.expm1(-expected)
    first = -np.log1p(-random.random(len(rate)) * some)
    purchases = 1.0 + random.poisson(np.maximum(expected - first, 0.0))
    return np.asarray(purchases, np.float64), np.asarray(some, np.float64)
