"""From the horizon that a model was trained on to another one: value, monotone by construction.

A model's curve says what it expects up to any day; :func:`discounted` adds up what the curve gains, each gain at its
worth today. Relative to the trained horizon that is the *exposure*, and the mean is multiplied by it. Chances and
quantiles follow by :mod:`clv_core.model.chance`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, count
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.features import Snapshot

Floats = NDArray[np.float64]
Curve = Callable[[float], Floats]
"""Days to what is expected of each row up to then, float64 [n]; 0 at 0, and never falling."""

DAYS_PER_YEAR: Final = 365.25
LARGEST_RATIO: Final = 3.0
"""No prediction exceeds the largest value seen in training windows by more than this factor."""
STEPS: Final = ((7, 28), (28, 364), (91, 1820))
"""Lengths of the steps in which value is discounted, and the day up to which each holds; whole years from then on."""


class Horizon(int):
    """A length of time in days, with the yearly rate at which value in it is discounted.

    It is a number of days wherever one is expected; a plain number of days is one without discount.

    Attributes:
        yearly_rate: 0.1 is 10%: a coin in a year is worth 1 / 1.1 today.
    """

    yearly_rate: float

    def __new__(cls, days: int, yearly_rate: float = 0.0) -> Self:
        """Return the horizon of ``days``."""
        self = super().__new__(cls, days)
        self.yearly_rate = yearly_rate
        return self

    @classmethod
    def of(cls, days: int) -> Horizon:
        """Return ``days`` as a horizon; one that is a horizon already stays what it is."""
        return days if isinstance(days, Horizon) else cls(days)


def discounted(curve: Curve, horizon_days: int) -> Floats:
    """Return what ``curve`` expects in the horizon, discounted at its yearly rate, [n].

    The gain of each step counts with the step's mean discount, also where the horizon ends within it. So a longer
    horizon never counts less, and a higher rate never counts more.
    """
    horizon = Horizon.of(horizon_days)
    if horizon.yearly_rate == 0:
        return curve(float(horizon))
    force = np.log1p(horizon.yearly_rate) / DAYS_PER_YEAR
    before = curve(0.0)
    total = np.zeros_like(before)
    for begin, end in _steps():
        if begin >= horizon:
            break
        now = curve(float(min(end, horizon)))
        weight = np.exp(-force * begin) * -np.expm1(-force * (end - begin)) / (force * (end - begin))
        total, before = total + weight * np.maximum(now - before, 0.0), now
    return total


def growth(snapshot: Snapshot, trained_days: int) -> Curve:
    """Return the anchor's expected purchases relative to those in ``trained_days``, as a curve.

    Time runs as it did in the year before (:class:`~clv_core.features.last_year.LastYear`).
    """
    even = even_growth(snapshot, trained_days)
    return lambda days: even(snapshot.last_year.even_days(days, trained_days))


def even_growth(snapshot: Snapshot, trained_days: int) -> Curve:
    """Return the same of an even year.

    The chance to be alive cancels out. Customers who have never bought are taken to spread their value evenly.
    """
    parts = []
    for day, anchor in snapshot.anchors.items():
        rows = np.flatnonzero((snapshot.cutoff_day == day) & snapshot.bought)
        features = snapshot.features.iloc[rows]
        expected = anchor.counts.expected_if_alive(features["frequency"], features["T"])
        parts.append((rows, expected, expected(trained_days)))

    def curve(days: float) -> Floats:
        ratio = np.full(len(snapshot), days / trained_days)
        for rows, expected, trained in parts:
            ratio[rows] = expected(days) / trained
        return ratio

    return curve


def exposure(snapshot: Snapshot, trained_days: int, horizon_days: int) -> Floats:
    """Return the expected purchases in the horizon, discounted, relative to those in ``trained_days``, float64 [n]."""
    if Horizon.of(horizon_days).yearly_rate == 0 and horizon_days == trained_days:
        return np.ones(len(snapshot))
    return discounted(growth(snapshot, trained_days), horizon_days)


def largest_allowed(largest: float, trained_days: int, horizon_days: int) -> float:
    """Return the bound of any prediction: 3 times the largest value seen in a trained horizon.

    A longer span holds that many trained ones, so the bound grows with it; a shorter one can hold all that the
    trained one did, so there it stays.
    """
    return LARGEST_RATIO * max(largest, 0.0) * max(1.0, horizon_days / trained_days)


def _steps() -> Iterator[tuple[int, int]]:
    edges = [
        range(begin, end, step) for (step, end), begin in zip(STEPS, (0, *(end for _, end in STEPS)), strict=False)
    ]
    days = chain(*edges, count(STEPS[-1][1], 364))
    begin = next(days)
    for end in days:
        yield begin, end
        begin = end
