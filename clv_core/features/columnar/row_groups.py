"""Groups of consecutive sorted rows, and aggregates of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FEW_ROWS: Final = 4096
"""Up to so many rows, a call costs more than what it computes: asking several windows and kinds of steps at once
(:mod:`clv_core.features.filling`) saves 13% of a request of the service."""


@dataclass(frozen=True)
class Groups:
    """g stretches that cover n rows without a gap.

    Args:
        starts: first row of each, int64, ascending, [g].
        stops: one past the last row of each, int64, [g]; no stretch is empty.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    @classmethod
    def of(cls, keys: Sequence[Array]) -> Self:
        """Return the stretches of rows whose ``keys`` are all the same, [n] each; such rows lie side by side."""
        edge = np.empty(len(keys[0]) + 1, bool)
        edge[0] = edge[-1] = True
        inner = edge[1:-1]
        np.not_equal(keys[0][1:], keys[0][:-1], out=inner)
        for key in keys[1:]:
            inner |= key[1:] != key[:-1]
        bounds = edge.nonzero()[0]
        return cls(bounds[:-1], bounds[1:])

    def sizes(self) -> NDArray[np.int64]:
        """Return the rows of each stretch, int64 [g]."""
        return self.stops - self.starts

    def count(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many of each stretch's rows are marked, int64 [g]."""
        return self.sum(mask)

    def sum(self, values: Array) -> NDArray[np.int64]:
        """Return each stretch's sum of integers or marks, int64 [g], or of each of k rows of them [k, g].

        Exact where it fits 63 bits: sums up to a row may overflow, their differences are right all the same.
        """
        if values.shape[-1] <= FEW_ROWS:
            return np.add.reduceat(values, self.starts, axis=-1, dtype=np.int64)
        before = np.zeros(len(values) + 1, np.int64)
        values.cumsum(out=before[1:])
        return before[self.stops] - before[self.starts]

    def least(self, values: Array) -> Array:
        """Return each stretch's smallest value, [g]."""
        return np.minimum.reduceat(values, self.starts) if len(self.starts) else values[:0]

    def greatest(self, values: Array) -> Array:
        """Return each stretch's largest value, [g]."""
        return np.maximum.reduceat(values, self.starts) if len(self.starts) else values[:0]

    def repeat(self, values: Array) -> Array:
        """Return each stretch's value once for each of its rows, [n]."""
        return values.repeat(self.sizes())


def all_true(mask: NDArray[np.bool_]) -> bool:
    """Return whether all of a mask holds; of few rows its own ``all`` takes three times as long."""
    return bool(np.count_nonzero(mask) == len(mask))


def sort_keys(keys: list[Array]) -> list[Array]:
    """Return keys that sort and differ as ``keys`` do, the first weighs most: of many rows a single one, [n] each."""
    return keys if len(keys) == 1 or len(keys[0]) <= FEW_ROWS else [packed(keys)]


def order_of(keys: list[Array]) -> NDArray[np.int64] | None:
    """Return the order of rows that sorts :func:`sort_keys`, int64 [n]; None where they are sorted."""
    if len(keys) == 1:
        key = keys[0]
        return None if all_true(key[1:] >= key[:-1]) else key.argsort()
    order = np.lexsort(keys[::-1])
    return None if all_true(order[1:] > order[:-1]) else order


def packed(keys: list[Array]) -> NDArray[np.int64]:
    """Return one integer a row that sorts as ``keys`` do, the first weighs most, int64 [n].

    Keys whose range is too wide for 63 bits together are replaced by their ranks.
    """
    if not len(keys[0]) or (len(keys) == 1 and keys[0].dtype.kind == "i"):
        return keys[0].astype(np.int64)
    least = [key.min() for key in keys]
    spans = [int(key.max()) - int(low) + 1 for key, low in zip(keys, least, strict=True)]
    if math.prod(spans) >= 2**62:
        wide = spans.index(max(spans))
        ranks = np.unique(keys[wide], return_inverse=True)[1]
        if int(ranks.max()) + 1 == spans[wide]:
            raise OverflowError("keys do not fit into 63 bits")
        return packed([*keys[:wide], ranks, *keys[wide + 1 :]])
    key = np.zeros(len(keys[0]), np.int64)
    for values, low, span in zip(keys, least, spans, strict=True):
        key *= span
        key += (values - low).astype(np.int64, copy=False)  # of hashes, which are unsigned
    return key
