"""Small expressions that features share."""

from __future__ import annotations

from typing import Any


def total(values: Any, where: Any = None) -> Any:
    """Return the exact sum of ``values`` as float64; NULL where no row qualifies."""
    return values.sum(where=where).cast("float64")


def ratio(part: Any, whole: Any) -> Any:
    """Return ``part / whole``, unknown where the whole is 0."""
    return part.cast("float64") / whole.cast("float64").nullif(0)


def spread(values: Any) -> Any:
    """Return the sample standard deviation of whole numbers, from exact sums; unknown below two values."""
    count, first, second = values.count().cast("float64"), total(values), total(values.cast("int64") * values)
    return ((second - first * first / count) / (count - 1).nullif(0)).abs().sqrt()
