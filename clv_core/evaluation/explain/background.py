"""Choose the customers to explain and the background customers to compare them with."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

BACKGROUND: Final = 20
NEAREST: Final = 10
DRAWS: Final = 100
"""Backgrounds that are tried where several answers are explained."""


def background_rows(predicted: NDArray[np.float64], seed: int, size: int = BACKGROUND) -> NDArray[np.int64]:
    """Return customers who together stand for all: one from each of ``size`` equal slices of the ranking.

    Of each slice one of the ten customers nearest to the slice's mean is drawn, so that the background's mean, which
    explanations start from, is close to the mean of all. A slice of like value holds very different chances to buy:
    where there are further answers, of :data:`DRAWS` backgrounds the one is taken whose means are nearest for all.

    Args:
        predicted: predicted value, [n], or all answers of which it is the first, [n, answers].
        seed: of the draw.
        size: how many; fewer where there are fewer customers.
    """
    generator = np.random.default_rng(seed)
    answers = predicted.reshape(len(predicted), -1)
    value, near = answers[:, 0], []
    for part in np.array_split(np.argsort(value, kind="stable"), min(size, len(value))):
        near.append(part[np.argsort(np.abs(value[part] - value[part].mean()), kind="stable")[:NEAREST]])
    draws = 1 if answers.shape[1] == 1 else DRAWS
    drawn = np.array([[generator.choice(rows) for rows in near] for _ in range(draws)], np.int64)
    mean = answers.mean(axis=0)
    off = np.abs(answers[drawn].mean(axis=1) - mean) / np.maximum(np.abs(mean), 1e-300)  # [draws, answers]
    best: NDArray[np.int64] = drawn[off.sum(axis=1).argmin()]
    return best


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
