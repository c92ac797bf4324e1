"""Detect a recent change of behaviour: the last span of a log against earlier ones, relative to the BTYD expectation.

Growth and ageing are in the expectation, so they are no change. A season is one only where it was not so before: the
last span has to leave the range of the earlier ones by half of it, and the same span a year ago where the log has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Final

import numpy as np

from clv_core.evaluation.spans import PurchaseDays, Ratio, span_at
from clv_core.features.last_year import YEAR_DAYS
from clv_core.features.log import EventLog
from clv_core.features.relations import EPOCH, day_of

SHORTEST_DAYS: Final = 28
PARTS: Final = (1, 2)
"""The last horizon and its second half are looked at: a change need not begin where the horizon does."""
EARLIER: Final = 8
"""Earlier spans, evenly over the log; they may overlap."""
FEWEST_EARLIER: Final = 3
FEWEST_SPANS: Final = 2
"""So many spans have to lie beside each other before the last one: what varies can be told only then."""
FEWEST_CUSTOMERS: Final = 100
MATERIAL: Final = float(np.log(1.5))
"""A third less, or half as much again."""
BEYOND: Final = 1.5
"""How far from the middle of the earlier spans, in distances of the farthest of them."""
SURE: Final = 4.0
"""In standard errors over customers, of the last span and of an earlier one together."""


@dataclass(frozen=True)
class Change:
    """A break of customers' behaviour.

    Args:
        since: ISO date of the first day of the span in which it shows.
        days: length of the span.
        purchases: purchases a customer, as a ratio to what earlier spans let expect.
        order_value: value of a purchase, likewise.
        purchases_changed: whether the first of them is a break by itself.
        order_value_changed: whether the second is.
        earlier: number of earlier spans that it was held against.
    """

    since: str
    days: int
    purchases: float
    order_value: float
    purchases_changed: bool
    order_value_changed: bool
    earlier: int


def find_change(log: EventLog, horizon_days: int) -> Change | None:
    """Return the strongest change within the last horizon of a log; None where there is none, or too little to tell.

    Args:
        log: nothing at or after its end is known.
        horizon_days: the horizon.
    """
    end = day_of(log.end)
    return change_at(PurchaseDays.of(log.sample(end)), day_of(log.first_day), end, horizon_days)


def change_at(bought: PurchaseDays, first: int, end: int, horizon_days: int) -> Change | None:
    """Return :func:`find_change` of purchase days.

    Args:
        bought: of the log; those at or after ``end`` are not looked at.
        first: first day of the log, in days since 1970-01-01.
        end: first day after it.
        horizon_days: the horizon.
    """
    found = [_within(bought, first, end, horizon_days // part) for part in PARTS]
    strongest = max((one for one in found if one is not None), key=lambda one: one[0], default=None)
    return None if strongest is None else strongest[1]


def _within(bought: PurchaseDays, first: int, end: int, days: int) -> tuple[float, Change] | None:
    """Return how many times the threshold the change of the last ``days`` is, and the change."""
    start = end - days
    history = max(SHORTEST_DAYS, days // 2)
    if days < SHORTEST_DAYS or start - first - history < FEWEST_SPANS * days:
        return None
    starts = {round(day) for day in np.linspace(first + history, start - days, EARLIER)}
    spans = [span_at(bought, day, days) for day in sorted(starts)]
    earlier = [span for span in spans if span is not None and span.customers >= FEWEST_CUSTOMERS]
    last = span_at(bought, start, days)
    if last is None or len(earlier) < FEWEST_EARLIER:
        return None
    year_ago = start - YEAR_DAYS
    then = span_at(bought, year_ago, days) if year_ago >= first + history else None
    (purchases, fewer), (orders, smaller) = (
        _break(of(last), [of(span) for span in earlier], None if then is None else of(then))
        for of in map(attrgetter, ("purchases", "order_value"))
    )
    if max(purchases, orders) <= 1:
        return None
    since = (EPOCH + timedelta(days=start)).isoformat()
    return max(purchases, orders), Change(since, days, fewer, smaller, purchases > 1, orders > 1, len(earlier))


def _break(last: Ratio, earlier: Sequence[Ratio], year_ago: Ratio | None) -> tuple[float, float]:
    """Return how far a ratio is from the middle of the earlier ones, or of a year ago if that is nearer: in thresholds,
    and as a ratio.

    A rise where the log has no year to compare with may be a season's: it is no shift.
    """
    logs = np.array([ratio.log for ratio in earlier])
    middle = float(np.median(logs))
    shift = last.log - middle
    if year_ago is None:
        shift = min(shift, 0.0)
    elif abs(last.log - year_ago.log) < abs(shift):
        same_side = (last.log - year_ago.log) * shift > 0
        shift = last.log - year_ago.log if same_side else 0.0
    error = float(np.hypot(last.error, np.median([ratio.error for ratio in earlier])))
    least = max(MATERIAL, BEYOND * float(np.abs(logs - middle).max()), SURE * error)
    return abs(shift) / least, float(np.exp(shift))
