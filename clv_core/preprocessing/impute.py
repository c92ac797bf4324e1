"""What stands in for an unknown number, learned from training rows only."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

IMPUTE: Final = ("mean", "median", "max", "constant", "drop")
"""Ways to fill a gap; ``drop`` leaves out the columns that have gaps in training, never a customer."""


def fill_value(known: NDArray[np.float64], how: str, constant: float = 0.0) -> float:
    """Return the number that fills the gaps of a column.

    Args:
        known: the finite values of the column in training, in the feature's own unit, float64 [k], k > 0.
        how: one of :data:`IMPUTE`; what ``drop`` keeps had no gap, a later gap gets the median.
        constant: the filling of ``constant``.

    Raises:
        ValueError: ``how`` is none of :data:`IMPUTE`.
    """
    if how == "mean":
        return mean_and_spread(known)[0]
    if how in ("median", "drop"):
        return _median(known)
    if how == "max":
        return float(known.max())
    if how == "constant":
        return float(constant)
    raise ValueError(f"unknown way to fill gaps: {how!r}")


def mean_and_spread(known: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and standard deviation, without overflow for any finite values, float64 [k], k > 0."""
    largest = float(np.abs(known).max())
    if largest == 0:
        return 0.0, 0.0
    shrunk = known / largest
    return float(shrunk.mean()) * largest, float(shrunk.std()) * largest


def _median(known: NDArray[np.float64]) -> float:
    return float(np.quantile(known, 0.5, method="lower"))
