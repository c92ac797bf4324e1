"""Drift of what a model sees of customers, and of what it predicts for them.

Customers are not drawn anew from one instant to the next: most are the same, only older. So no chance is stated; the
stability index between the cutoff and a later instant is an alert where it passes both the usual mark of practice
and three times what the reference itself shows between instants as far apart. Likewise the mean of predictions, by
its ratio. Features over a span longer than the log was at the cutoff only fill up, and are not looked at.
Source of the mark: Siddiqi (2006), Credit Risk Scorecards (below .1 no change, above .25 a major one).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import Final

import numpy as np

from clv_core.features.behaviour import FEATURES
from clv_core.monitoring.drift.check import Check
from clv_core.monitoring.drift.chunks import MONTH, chunks_after, edge, in_span
from clv_core.monitoring.drift.distances import psi
from clv_core.monitoring.drift.sights import PREDICTED, Sight

MARK: Final = 0.25
"""An index up to this is no alert, however still the reference was."""
OWN: Final = 3.0
"""Nor is one up to so many times what the reference itself shows."""
SMALLEST_MOVE: Final = 0.25
"""A mean that moved by less than this, on the log scale, is no alert."""
TINY: Final = 1e-9
"""Means are held to be at least this: there is no logarithm of nothing."""
FEWEST_CUSTOMERS: Final = 100
"""Of fewer customers no histogram is compared."""
MOST_SIGHTS: Final = 12
"""So many later instants are looked at: each is a pass over the features of customers."""
EARLIER: Final = 3
"""So many months before the cutoff say how far customers move anyway."""


def earlier_instants(cutoff: date, first_day: date) -> list[date]:
    """Return the cutoff and months before it, the latest first, from the later half of what lies before the cutoff."""
    middle = first_day + (cutoff - first_day) / 2
    found = [edge(cutoff, MONTH, -number) for number in range(EARLIER + 1)]
    return [instant for instant in found if instant >= middle]


def later_instants(cutoff: date, end: date) -> list[date]:
    """Return whole months after the cutoff, the last :data:`MOST_SIGHTS` of them."""
    return [chunk.end for chunk in chunks_after(cutoff, MONTH, end)][-MOST_SIGHTS:]


def check_customers(cutoff: date, first_day: date, known: Sequence[Sight], new: Sequence[Sight]) -> list[Check]:
    """Return one check for each feature, and two for each of :data:`PREDICTED`, at each later instant.

    Args:
        cutoff: of the model.
        first_day: of the log.
        known: the reference's sights, the cutoff's first; at least two.
        new: later ones.
    """
    if len(known) < 2 or known[0].customers < FEWEST_CUSTOMERS:
        return []
    here, found = known[0], []
    history = (cutoff - first_day).days
    for sight in new:
        months = _months(here, sight)
        if sight.customers < FEWEST_CUSTOMERS:
            continue
        for name in sight.counts:
            if name in here.counts and (_days(name) or 0) <= history:
                found.append(_shape(known, sight, name, months))
        found += [_mean(known, sight, name, months) for name in PREDICTED]
    return [replace(one, begin=cutoff.isoformat()) for one in found]


def _shape(known: Sequence[Sight], sight: Sight, name: str, months: int) -> Check:
    def distance(one: Sight, other: Sight) -> float:
        return psi(np.array(one.counts[name], float), np.array(other.counts[name], float))

    own, index = _own(known, distance, months), distance(sight, known[0])
    limit = max(MARK, OWN * own)
    return Check(months - 1, "sight", name, "", index, own, None, limit, None, index > limit, end=sight.as_of)


def _mean(known: Sequence[Sight], sight: Sight, name: str, months: int) -> Check:
    def distance(one: Sight, other: Sight) -> float:
        return abs(float(np.log(max(_mean_of(one, name), TINY) / max(_mean_of(other, name), TINY))))

    reach = max(SMALLEST_MOVE, OWN * _own(known, distance, months))
    mean, before = _mean_of(sight, name), _mean_of(known[0], name)
    low, high = before * np.exp(-reach), before * np.exp(reach)
    alert = distance(sight, known[0]) > reach
    return Check(months - 1, "level", name, "", mean, before, float(low), float(high), None, alert, end=sight.as_of)


def _mean_of(sight: Sight, name: str) -> float:
    return sight.predicted_mean if name == "predicted_clv" else sight.p_purchase_mean


def _days(name: str) -> int | None:
    return FEATURES[name].days if name in FEATURES else None


def _own(known: Sequence[Sight], distance: Callable[[Sight, Sight], float], months: int) -> float:
    """Return the largest distance between instants of the reference at most so far apart, carried on beyond that."""
    pairs = [(_months(one, other), distance(one, other)) for other, one in combinations(known, 2)]
    farthest = max(apart for apart, _ in pairs)
    return max(found for apart, found in pairs if apart <= months) * max(1.0, months / farthest)


def _months(earlier: Sight, later: Sight) -> int:
    one, other = date.fromisoformat(earlier.as_of), date.fromisoformat(later.as_of)
    return in_span(MONTH, (other - one).days)
