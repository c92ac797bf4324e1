"""Distances between two distributions: the population stability index, and Kolmogorov and Smirnov's."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HALF: Final = 0.5
MEAN_SQUARE: Final = float(np.pi**2 / 12)
"""Mean of the square of Kolmogorov's distribution."""


def psi(current: Floats, reference: Floats) -> float:
    """Return the population stability index of two sets of counts, [b] each; half a count is added to every bin.

    Source: Lewis (1994), An Introduction to Credit Scoring: sum (p - q) log(p / q).
    """
    p, q = ((counts + HALF) / (counts.sum() + HALF * len(counts)) for counts in (current, reference))
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
