"""Shapley values by permutation, with the model asked in big batches.

A permutation shows a customer's parts one after the other, and then hides them in the same order: the worth that each
adds on the way there and takes on the way back is averaged. Both ways together are exact where no more than two parts
interact, and any permutation's values add up to the prediction.

Source: Castro, Gomez, Tejada (2009), Polynomial calculation of the Shapley value based on sampling; antithetic pairs as
in Mitchell et al. (2022), Sampling Permutations for Shapley Value Estimation, section 4.2.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Value = Callable[[NDArray[np.int64]], Floats]
"""Predicts the mixtures described by their codes [N, m]: the game's worth function, or q of them, [N] or [N, q]."""


def shapley(
    value: Value,
    codes: NDArray[np.int64],
    background: NDArray[np.int64],
    names: list[str],
    *,
    permutations: int,
    seed: int,
) -> tuple[Floats, Any]:
    """Divide each customer's prediction among the parts.

    Args:
        value: the worth of mixtures.
        codes: content of each part of the customers to explain, [n, m]; equal codes are equal content.
        background: the same for the background, [b, m].
        names: of the customers, [n]; each has permutations of its own, whoever else is explained.
        permutations: how many orders of the parts are tried, each forward and backward.
        seed: of the permutations.

    Returns:
        Shapley values [n, m], and the base: the mean prediction of the background. base + sum of a row = prediction.
        Of q worth functions [n, m, q] and [q].
    """
    total = np.zeros(0)
    for number in range(permutations):
        order = _orders(names, codes.shape[1], seed, number)
        worth = _walk(value, codes, background, order)  # [n, 2, m + 1] or [n, 2, m + 1, q]
        steps = np.diff(worth, axis=2)
        added = (steps[:, 0] - steps[:, 1]) / 2
        place = np.argsort(order, axis=1)
        found = np.take_along_axis(added, place.reshape(place.shape + (1,) * (added.ndim - 2)), axis=1)
        total = found if number == 0 else total + found
    base = distinct(value, background).mean(axis=0)
    return total / permutations, float(base) if base.ndim == 0 else base


def _walk(value: Value, codes: NDArray[np.int64], background: NDArray[np.int64], order: NDArray[np.int64]) -> Floats:
    """Return the worth while parts are shown in ``order``, then hidden in it, over the mean of the background."""
    size, width = codes.shape
    place = np.argsort(order, axis=1)
    there = place[:, None] < np.arange(width + 1)[:, None]  # [n, m + 1, m]
    shown = np.stack([there, ~there], axis=1)
    mixed = np.where(shown[..., None, :], codes[:, None, None, None], background)  # [n, 2, m + 1, b, m]
    said = distinct(value, mixed.reshape(-1, width))
    return np.asarray(said.reshape(size, 2, width + 1, len(background), *said.shape[1:]).mean(axis=3))


def _orders(names: list[str], width: int, seed: int, number: int) -> NDArray[np.int64]:
    """Return one order of the parts for each customer, [n, m], drawn by the customer's own name."""
    own = np.array([zlib.crc32(name.encode()) for name in names], np.uint64)
    with np.errstate(over="ignore"):
        start = (
            own * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed) * np.uint64(0xD1B54A32D192ED03) + np.uint64(number)
        )
        drawn = _scrambled(np.add(_scrambled(start)[:, None], np.arange(width, dtype=np.uint64), dtype=np.uint64))
    return np.argsort(drawn, axis=1)


def _scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers that look random; splitmix64 (Steele, Lea, Flood 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))


def distinct(value: Value, questions: NDArray[np.int64]) -> Floats:
    """Return what ``value`` says of ``questions`` [N, m]; each distinct mixture is predicted once."""
    small = np.ascontiguousarray(questions.astype(np.int32))
    rows = small.view(np.dtype((np.void, small.itemsize * small.shape[1]))).ravel()
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    return np.asarray(value(questions[first])[inverse], np.float64)
