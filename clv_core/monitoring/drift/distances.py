"""How far the new differs from the reference, and how far it may.

Two distributions have a distance: the population stability index (:func:`psi`), or Kolmogorov and Smirnov's
(:func:`ks`).

A series has control limits (:func:`forecast`): how far a new period may differ, by how far periods of the reference
differ. A series of the reference y_1 ... y_n, each with sampling variance v_t, is forecast by the mean of its last w
values. The same forecast is made within the reference, at the same distance, and its squared errors are divided by what
sampling alone would give: their mean ratio is the *dispersion* phi at that distance. So a series that wanders gets wide
limits, and wider ones the longer ago the reference ended: phi never falls with the distance, and beyond the last
distance with :data:`MIN_ERRORS` errors it grows in proportion to it. As phi rests on few errors, one below 1 is shrunk
towards 1 with the weight of :data:`PRIOR` errors; limits are never narrower than sampling alone makes them. They are
those of a t distribution with as many degrees of freedom as there are errors and prior ones; the more the reference
varies beyond sampling, the less the prior ones count.
Source: Smyth (2004), Linear models and empirical Bayes methods, SAGMB 3(1) (moderated variance).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PSEUDO_COUNT: Final = 0.5
"""Added to the count of each bin, so that an empty one has a logarithm."""
MEAN_SQUARE: Final = float(np.pi**2 / 12)
"""Mean of the square of Kolmogorov's distribution."""
PRIOR: Final = 8.0
"""Errors that the prior of 1 weighs: two months of weeks. A guess; false alarms are counted in
``tests/bench/drift.py``."""
MIN_VALUES: Final = 4
"""A series with fewer values is not forecast."""
MAX_WINDOW: Final = 13
"""A forecast is the mean of at most so many periods: a quarter of weeks."""
MIN_ERRORS: Final = 3
"""At a distance with fewer errors than this, dispersion is extrapolated from shorter ones."""
SURE_TAIL: Final = 0.1
"""A dispersion is taken so large that with this chance the true one is larger."""


def psi(current: Floats, reference: Floats) -> float:
    """Return the population stability index of two sets of counts, [b] each; half a count is added to every bin.

    Source: Lewis (1994), An Introduction to Credit Scoring: sum (p - q) log(p / q).
    """
    p, q = ((counts + PSEUDO_COUNT) / (counts.sum() + PSEUDO_COUNT * len(counts)) for counts in (current, reference))
    return float(np.sum((p - q) * np.log(p / q)))


def by_chance(current: Floats, reference: Floats) -> float:
    """Return the index that two samples of the same distribution have on average: (b - 1)(1/n + 1/m).

    Source: Yurdakul, Naranjo (2020), Statistical properties of the population stability index, J. Risk Model Valid.
    """
    return float((len(current) - 1) * (1 / max(1.0, current.sum()) + 1 / max(1.0, reference.sum())))


def psi_chance(index: float, current: Floats, reference: Floats, dispersion: float) -> float:
    """Return how likely an index at least this large is of periods with that dispersion."""
    bins = len(current) - 1
    return float(scipy.stats.chi2.sf(index / (dispersion * by_chance(current, reference)) * bins, bins))


def psi_limit(alpha: float, current: Floats, reference: Floats, dispersion: float) -> float:
    """Return the index whose chance is ``alpha``."""
    bins = len(current) - 1
    return float(scipy.stats.chi2.isf(alpha, bins) / bins * dispersion * by_chance(current, reference))


def ks(current: Floats, reference: Floats) -> tuple[float, float]:
    """Return the largest distance between two samples' distribution functions, and it by chance's own measure K."""
    distance = float(scipy.stats.ks_2samp(current, reference, method="asymp").statistic)
    return distance, distance * float(np.sqrt(len(current) * len(reference) / (len(current) + len(reference))))


def ks_chance(scaled: float, dispersion: float) -> float:
    """Return how likely a K at least this large is of periods with that dispersion."""
    return float(scipy.stats.kstwobign.sf(scaled / np.sqrt(dispersion)))


def ks_limit(alpha: float, current: int, reference: int, dispersion: float) -> float:
    """Return the distance whose chance is ``alpha``."""
    return float(scipy.stats.kstwobign.isf(alpha) * np.sqrt(dispersion * (current + reference) / (current * reference)))


@dataclass(frozen=True, eq=False)
class Forecast:
    """What a series is expected to be in k later periods.

    Args:
        level: mean of its last values.
        scale: standard deviation of a new value around the level, [k].
        freedom: degrees of freedom of that scale.
    """

    level: float
    scale: Floats
    freedom: float

    def p_value(self, values: Floats) -> Floats:
        """Return the two-sided p-values, [k]."""
        p: Floats = 2 * scipy.stats.t.sf(np.abs(values - self.level) / self.scale, self.freedom)
        return p

    def limits(self, alpha: float) -> tuple[Floats, Floats]:
        """Return the lower and upper limits at level ``alpha``, [k] each."""
        half_width = float(scipy.stats.t.isf(alpha / 2, self.freedom)) * self.scale
        return self.level - half_width, self.level + half_width


def forecast(past: Floats, variance: Floats, distance: NDArray[np.int64], new_variance: Floats) -> Forecast:
    """Forecast a series.

    Args:
        past: values of the reference, oldest first, [n], n at least :data:`MIN_VALUES`.
        variance: sampling variance of each, [n].
        distance: how many periods lie between the reference and each new one, 0 for the next, [k].
        new_variance: sampling variance of each new value, [k].
    """
    width = max(1, min(MAX_WINDOW, len(past) // 2))
    sums = np.concatenate([[0.0], np.cumsum(past)])
    variance_sums = np.concatenate([[0.0], np.cumsum(variance)])
    means = (sums[width:] - sums[:-width]) / width  # [n - w + 1], of the windows that end at w, w + 1, ...
    noise = (variance_sums[width:] - variance_sums[:-width]) / width**2
    ratios: list[float] = []
    for gap in range(len(past) - width):
        until = len(past) - width - gap
        if until < MIN_ERRORS:
            break
        errors = past[width + gap :] - means[:until]
        ratios.append(float(np.mean(errors**2 / (variance[width + gap :] + noise[:until]))))
    seen = np.array(ratios or [1.0])
    weight = len(past) - width
    prior = PRIOR / max(1.0, seen[0])
    phi = np.maximum.accumulate(np.maximum(seen, (prior + weight * seen) / (prior + weight)))
    last = len(phi) - 1
    beyond = np.maximum(distance - last, 0) / (last + 1)
    scale = np.sqrt(np.maximum(phi[np.minimum(distance, last)] * (1 + beyond), 1.0) * (new_variance + noise[-1]))
    return Forecast(float(means[-1]), scale, prior + weight)


def dispersion(ratios: Floats) -> float:
    """Return the most that a ratio of seen to expected distance plausibly is on average, at least 1.

    Args:
        ratios: of each period of the reference; 1 on average where periods differ by chance alone, [n].
    """
    freedom = max(1, len(ratios) - 1)
    plausible = freedom / float(scipy.stats.chi2.ppf(SURE_TAIL, freedom))
    return max(1.0, float(np.mean(ratios))) * plausible
