"""Which customers an explanation looks at: those explained, and those they are compared with."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

BACKGROUND: Final = 20
NEAREST: Final = 10


def background_rows(predicted: NDArray[np.float64], seed: int, size: int = BACKGROUND) -> NDArray[np.int64]:
    """Return customers who together stand for all: one from each of ``size`` equal slices of the ranking.

    Of each slice one of the ten customers nearest to the slice's mean is drawn, so that the background's mean, which
    explanations start from, is close to the mean of all.

    Args:
        predicted: predicted value, [n].
        seed: of the draw.
        size: how many; fewer where there are fewer customers.
    """
    generator = np.random.default_rng(seed)
    rows = []
    for part in np.array_split(np.argsort(predicted, kind="stable"), min(size, len(predicted))):
        nearest = part[np.argsort(np.abs(predicted[part] - predicted[part].mean()), kind="stable")[:NEAREST]]
        rows.append(int(generator.choice(nearest)))
    return np.array(rows, np.int64)


def sample_rows(predicted: NDArray[np.float64], seed: int, size: int) -> NDArray[np.int64]:
    """Return ``size`` customers evenly spread over the ranking by predicted value, in the order of the rows.

    Args:
        predicted: predicted value, [n].
        seed: of the first place taken.
        size: how many; all where there are fewer customers.
    """
    count = len(predicted)
    if size >= count:
        return np.arange(count)
    step = count / size
    places = (np.random.default_rng(seed).random() * step + step * np.arange(size)).astype(np.int64)
    return np.sort(np.argsort(predicted, kind="stable")[np.minimum(places, count - 1)])
