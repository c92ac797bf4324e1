"""From the horizon that a model was trained on to another one: value, chance and quantiles, monotone by construction.

A model's curve is its expected value up to any day; :func:`discounted` adds up what the curve gains, each gain at its
worth today. Relative to the trained horizon that is the *exposure*, and the mean is multiplied by it.

How the chance of an order builds up: most customers who do not buy in a horizon have left; that the others were merely
unlucky is the smaller part. So a chance p in H days is the chance to be there, times the chance (BG/NBD's, the
anchor's) that somebody who is there buys within them, and only the second changes with the horizon:

    p(h) = p S(h) / S(H),  S(h) = 1 - (A / (A + h))^(r + x),  A = alpha + T.

Where p is above S(H), the customer is surely there and buys more often than the anchor thinks: the chance of no order
is then raised to log(1 + h / A) / log(1 + H / A), which continues the curve at p = S(H). Both are one law seen from any
of its horizons: from p(h), h days give what H days gave. BG/NBD has no estimate for never-buyers: their orders
are taken to come by luck, evenly. Quantiles go where the chance and the exposure lead them.

Source: Fader, Hardie, Lee 2005, "Counting your customers" the easy way (the time of the next purchase of a live one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.btyd import BGNBD
from clv_core.features import LastYear, Snapshot

Floats = NDArray[np.float64]
Curve = Callable[[float], Floats]
"""Days to what is expected of each row up to then, float64 [n]; 0 at 0, and never falling."""

DAYS_PER_YEAR: Final = 365.25
"""Leap years included."""
LARGEST_RATIO: Final = 3.0
"""No prediction exceeds the largest value seen in training windows by more than this factor; a guess."""
STEPS: Final = ((7, 28), (28, 364), (91, 1820))
"""Lengths of the steps in which value is discounted, and the day up to which each holds; years of 364 days from then
on."""


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


SMALLEST: Final = 1e-9
"""A chance of at most this is none: its quantiles go with the exposure alone."""


@dataclass(frozen=True)
class PurchaseSurvival:
    """When the next order of each of n customers comes, whoever is still there.

    Args:
        age: A, alpha + T in days, float64 [n]; NaN for those who have never bought.
        shape: r + x, [n].
        horizon_days: H, the horizon that chances are predicted for.
    """

    age: Floats
    shape: Floats
    horizon_days: float

    @classmethod
    def of(cls, snapshot: Snapshot, horizon_days: float) -> Self:
        """Return those of a snapshot's customers, each by the anchor of its cutoff."""
        age, shape = np.full(len(snapshot), np.nan), np.ones(len(snapshot))
        frequency, since_first = (snapshot.features[name].to_numpy(np.float64) for name in ("frequency", "T"))
        for day, anchor in snapshot.anchors.items():
            rows = np.flatnonzero((snapshot.cutoff_day == day) & ~np.isnan(since_first))
            age[rows] = anchor.counts.alpha + since_first[rows]
            shape[rows] = anchor.counts.r + frequency[rows]
        return cls(age, shape, horizon_days)

    @classmethod
    def of_one(cls, counts: BGNBD, frequency: float, T: float, horizon_days: float) -> Self:
        """Return those of one customer; ``T`` is NaN where nothing was ever bought."""
        return cls(np.array([counts.alpha + T]), np.array([counts.r + frequency]), horizon_days)

    def within(self, p: Floats, days: float) -> Floats:
        """Return the chance of an order in the first ``days``, never falling in them, float64 as ``p``.

        Args:
            p: chance in :attr:`horizon_days`, [n] or [k, n]; there it is the answer itself.
            days: from the cutoff on, shorter or longer.
        """
        if days == self.horizon_days:
            return p
        is_buyer = ~np.isnan(self.age)
        time, horizon_time = self._time(days), self._time(self.horizon_days)
        surely = np.where(is_buyer, -np.expm1(-self.shape * horizon_time), 0.0)
        share = np.expm1(-self.shape * time) / np.expm1(-self.shape * horizon_time)
        return np.where(p <= surely, p * share, by_luck(p, time / horizon_time))

    def day_of(self, p: Floats, chance: float) -> Floats:
        """Return the days within which the chance of an order reaches ``chance``, [n]; infinite where it never does.

        Args:
            p: chance in :attr:`horizon_days`, [n].
            chance: in (0, 1).
        """
        horizon_time = self._time(self.horizon_days)
        surely = np.where(np.isnan(self.age), 0.0, -np.expm1(-self.shape * horizon_time))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            share = np.where(chance < p / surely, chance * surely / p, 1.0)
            there = np.where(share < 1, -np.log1p(-share) / self.shape, np.inf)
            lucky = horizon_time * np.log1p(-chance) / np.log1p(-np.minimum(p, 1 - 1e-12))
            time = np.where(p <= surely, there, lucky)
            return np.where(np.isnan(self.age), time, self.age * np.expm1(time))

    def _time(self, days: float) -> Floats:
        """Return the time that the chance runs in: of a buyer log(1 + h / A), else days."""
        return np.where(np.isnan(self.age), days, np.log1p(days / self.age))


@dataclass(frozen=True)
class HorizonTransfer:
    """Another horizon than the trained one, or one that is discounted, of n customers.

    Args:
        times: of their next orders.
        horizon: the requested one.
        exposure: the anchor's expected purchases in it, discounted, relative to those in the trained one, [n].
        last_year: how time runs.
    """

    times: PurchaseSurvival
    horizon: Horizon
    exposure: Floats
    last_year: LastYear

    @classmethod
    def of(cls, snapshot: Snapshot, trained_days: int, horizon_days: int) -> Self | None:
        """Return the horizon of a snapshot's customers; None: it is the trained one, and nothing changes."""
        horizon = Horizon.of(horizon_days)
        if horizon == trained_days and not horizon.yearly_rate:
            return None
        exposure = discounted(growth(snapshot, trained_days), horizon)
        return cls(PurchaseSurvival.of(snapshot, trained_days), horizon, exposure, snapshot.last_year)

    def chance(self, p: Floats) -> Floats:
        """Return the chance of an order in it; a chance knows no discount.

        Args:
            p: in the trained horizon, [n] or [k, n].
        """
        return self._within(p, float(self.horizon))

    def worth(self, p: Floats) -> Floats:
        """Return the chance that quantiles are taken at: the gain of each day counts with that day's discount.

        With purchases discounted like value, a buyer's value grows with the horizon and falls with the rate.
        """
        return discounted(lambda days: self._within(p, days), self.horizon)

    def _within(self, p: Floats, days: float) -> Floats:
        return self.times.within(p, self.last_year.even_days(days, self.times.horizon_days))


def by_luck(p: Floats, exposure: Floats | float) -> Floats:
    """Return the chance of any event in ``exposure`` times the span in which it is ``p``, if events come by luck."""
    return -np.expm1(exposure * np.log1p(-np.minimum(p, 1 - 1e-12)))


def below_one(p: Floats) -> Floats:
    """Return chances of which none is quite 1."""
    return by_luck(p, 1.0)


def at_chance(p: Floats, later: Floats, exposure: Floats, q: float) -> tuple[Floats, Floats]:
    """Return where the q-quantile of another horizon lies in the distribution of the trained one.

    With the chance of any purchase p(h) and the mean e M, what a buyer is worth grows by e p / p(h), and the q-quantile
    is that factor times the trained quantile at 1 - (1 - q) p / p(h). Where e p / p(h) never falls in the horizon (a
    buyer's orders never get fewer), the quantile never does.

    Args:
        p: chance of any purchase in the trained horizon, [n].
        later: p(h), that in the other one, [n].
        exposure: e, expected purchases relative to the trained horizon, [n].
        q: the quantile, 0.1 to 0.9.

    Returns:
        Level in the trained distribution, [n], below 0 where the quantile is 0; factor of the value there, [n].
    """
    evenly = 1 / np.maximum(exposure, 1e-12)
    share = np.where(p > SMALLEST, np.maximum(p, SMALLEST) / np.maximum(below_one(later), 1e-300), evenly)
    return 1 - (1 - q) * share, exposure * share
