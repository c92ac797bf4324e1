"""How far a difference of two group means may be off, where groups are of unequal size and amounts are skewed.

Welch's standard error takes each group's variance from the group itself. Of a small group of skewed amounts it misses
the rare large ones most of the time: the mean then comes out too low and its error too small at once, and intervals
hold the truth too rarely. The pooled standard error has seen the large amounts of the larger group, but is wrong where
the offer changes the spread. So Welch's is raised towards the pooled one as far as each group's own variance may be too
small by chance: by two standard errors of a variance, sqrt((kurtosis - 1) / n), the kurtosis of both groups together.
It is never below Welch's, and is Welch's for groups of the same size.

Sources: Welch (1947), The generalization of Student's problem; Boos and Brownie (2004), Comparing variances and other
measures of dispersion (the standard error of a variance); Cochran (1977), Sampling techniques, section 2.15 (25 times
the squared skewness).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BY_CHANCE: Final = 2.0
"""Standard errors of a variance that it may be too small by."""
COCHRAN: Final = 25.0
"""Customers for each unit of squared skewness, from which on the normal approximation of a mean is good."""


@dataclass(frozen=True, eq=False)
class Spread:
    """How far a difference of two means may be off.

    Args:
        variance: of the difference, squared unit of the values, [...].
        freedom: Welch's degrees of freedom, at least 1, [...].
        skewness: of the values inside each group, [..., 2]; 0 where all are alike.
    """

    variance: Floats
    freedom: Floats
    skewness: Floats


def spread(inside: Floats, groups: tuple[Floats, Floats]) -> Spread:
    """Return how far the difference of two means may be off.

    Args:
        inside: values less the mean of their group, [..., n].
        groups: who is in each group, 1 or 0, [..., n]; two customers at least in each.
    """
    counts = np.stack([group.sum(axis=-1) for group in groups], axis=-1)
    squares = np.stack([(inside**2 * group).sum(axis=-1) for group in groups], axis=-1)
    cubes = np.stack([(inside**3 * group).sum(axis=-1) for group in groups], axis=-1)
    variances = squares / (counts - 1)
    errors = variances / counts
    own = errors.sum(axis=-1)
    customers = counts.sum(axis=-1)
    pooled = squares.sum(axis=-1) / (customers - 2) * (1 / counts).sum(axis=-1)
    level = squares.sum(axis=-1) / customers
    kurtosis = _ratio((inside**4).sum(axis=-1) / customers, level**2)
    doubt = BY_CHANCE * np.sqrt(np.maximum(kurtosis - 1, 0)[..., None] / counts)
    highest = (errors * (1 + doubt)).sum(axis=-1)
    freedom = _ratio(own**2, (errors**2 / (counts - 1)).sum(axis=-1))
    return Spread(
        np.maximum(own, np.minimum(pooled, highest)),
        np.clip(freedom, 1, None),
        _ratio(cubes / counts, (squares / counts) ** 1.5),
    )


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return the quotient; 0 where there is nothing below."""
    return np.asarray(np.divide(above, below, out=np.zeros_like(below), where=below > 1e-300))
