"""Figures that every chunk has one of: volumes, return rate, gaps, orders, price level; each on a scale of its own.

Counts go on a log scale, shares by the arcsine of their root, whose variance is 1/(4n) whatever the share; so a share
that has always been 0 has limits too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import EVENT_TYPE, PURCHASE, RETURN
from clv_core.monitoring.drift.profile import PRICES, Profile

Floats = NDArray[np.float64]
Bounds = Callable[[float], tuple[float, float]]

FEWEST_EVENTS: Final = 20
"""An event type with fewer events a chunk is looked at only for being lost."""
ALWAYS_MISSING: Final = 0.995
HALF: Final = 0.5
TINY: Final = 1e-12
"""What is usual is held to be at least this: of nothing there is no share."""


@dataclass(frozen=True, eq=False)
class Series:
    """One figure, chunk by chunk.

    Args:
        test: ``volume``, ``share`` or ``level``.
        subject: of :class:`~clv_core.monitoring.drift.check.Check`.
        value: of it, likewise.
        y: on its scale, NaN where the chunk has nothing to count, [n].
        variance: of ``y`` by counting alone, [n].
        back: from the scale, [n], to the figure itself, [n].
        bounds: of what is usual, the figures below and above which a change matters.
    """

    test: str
    subject: str
    value: str
    y: Floats
    variance: Floats
    back: Callable[[Floats], Floats]
    bounds: Bounds


def all_series(profile: Profile, known: Profile) -> Iterator[Series]:
    """Yield the figures of a profile's chunks; which ones there are is decided by the reference.

    Args:
        profile: whose figures; may be the reference itself.
        known: the reference.
    """
    rows, customers = profile.table(EVENT_TYPE)
    usual = known.table(EVENT_TYPE)[0].mean()
    days = np.array([chunk.days for chunk in profile.chunks], float)
    for name in usual.index[usual >= FEWEST_EVENTS]:
        if name:
            yield _volume(EVENT_TYPE, str(name), _column(rows, str(name)), days)
    yield _volume("customers", "", _column(customers, ""), days)
    orders, buyers = (_column(table, "") for table in profile.table("orders"))
    ratio = np.where(buyers > 0, orders / np.maximum(buyers, 1), np.nan)
    yield Series("level", "orders", "", np.log(ratio), 1 / np.maximum(buyers, 1), np.exp, _by(0.1))
    if usual.get(RETURN, 0) > 0 and usual.get(PURCHASE, 0) > 0:
        back, bought = _column(rows, RETURN), _column(rows, PURCHASE)
        yield _share("returns", "", back, back + bought, _by(0.25))
    for scope in ("missing:purchase", "missing:other"):
        yield from _missing(scope, profile, known)
    for price in PRICES:
        yield from _level(price, profile)


def _missing(scope: str, profile: Profile, known: Profile) -> Iterator[Series]:
    rows, _ = profile.table(scope)
    before, _ = known.table(scope)
    for name in before.columns:
        every = before[""].sum()
        if name and every > 0 and before[name].sum() / every < ALWAYS_MISSING:
            yield _share(scope, str(name), _column(rows, str(name)), _column(rows, ""), _points(0.01))


def _level(price: str, profile: Profile) -> Iterator[Series]:
    part = profile.prices[profile.prices["subject"] == price]
    if part.empty:
        return
    logs = part.assign(number=np.log(part["number"])).groupby("chunk")["number"].agg(["mean", "var", "count"])
    logs = logs.reindex([chunk.number for chunk in profile.chunks])
    variance = (logs["var"].mean() / logs["count"].clip(lower=1)).fillna(1.0).to_numpy(float)
    yield Series("level", price, "", logs["mean"].to_numpy(float), variance, np.exp, _by(0.05))


def _volume(subject: str, value: str, rows: Floats, days: Floats) -> Series:
    def back(y: Floats) -> Floats:
        """Return rows a day: the half row that gives none of them a logarithm is taken off again."""
        a_day: Floats = np.maximum(np.round(np.exp(y) - HALF / days, 9), 0.0)
        return a_day

    return Series("volume", subject, value, np.log((rows + HALF) / days), 1 / np.maximum(rows, 1), back, _by(0.2))


def _share(subject: str, value: str, part: Floats, whole: Floats, bounds: Bounds) -> Series:
    share = np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
    return Series("share", subject, value, np.arcsin(np.sqrt(share)), 0.25 / np.maximum(whole, 1), _share_of, bounds)


def _share_of(y: Floats) -> Floats:
    shares: Floats = np.sin(np.clip(y, 0, np.pi / 2)) ** 2
    return shares


def _by(factor: float) -> Bounds:
    """Say that a change matters from this relative size on, either way."""
    return lambda usual: (max(usual, TINY) / (1 + factor), max(usual, TINY) * (1 + factor))


def _points(share: float) -> Bounds:
    """Say that a change of a share matters from so much of the whole on, either way."""
    return lambda usual: (usual - share, usual + share)


def _column(table: pd.DataFrame, name: str) -> Floats:
    found: Floats = table[name].to_numpy(float) if name in table else np.zeros(len(table))
    return found


def known_part(series: Series) -> tuple[Floats, Floats]:
    """Return the values and variances of the chunks that have one; the reference needs not have one in each."""
    there = np.isfinite(series.y)
    return series.y[there], series.variance[there]
