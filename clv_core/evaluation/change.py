"""Detect a recent change of behaviour: the last span of a log against earlier ones, relative to the BTYD expectation.

Growth and ageing are in the expectation, so they are no change. A season is one only where it was not so before: the
last span has to leave the range of the earlier ones by half of it, and the same span a year ago where the log has it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import MONEY_TYPES
from clv_core.features import EPOCH, STEP_CODES, STEP_VALUES, YEAR_DAYS, Anchor, EventLog, Steps, day_of
from clv_core.records import Amount, Count, Day

Floats = NDArray[np.float64]

MAX_CUSTOMERS: Final = 50_000
"""Of more customers, every k-th is read: the figures are about all of them together."""
MIN_SPAN_DAYS: Final = 28
"""Four weeks: in a shorter span a single campaign or holiday is a change. A guess."""
PARTS: Final = (1, 2)
"""The last horizon and its second half are looked at: a change need not begin where the horizon does."""
EARLIER: Final = 8
"""Earlier spans, evenly over the log; they may overlap."""
MIN_EARLIER: Final = 3
"""Of two spans the farthest from their middle says nothing of how far spans go; a guess."""
MIN_SPANS: Final = 2
"""So many spans without overlap have to lie before the last one: of one, nothing shows how much spans vary."""
MIN_CUSTOMERS: Final = 100
"""As many as a verdict needs buyers (``MIN_BUYERS`` of :mod:`clv_core.evaluation.trust`)."""
MATERIAL: Final = float(np.log(1.5))
"""A third less, or half as much again; smaller changes are within what totals may be off by anyway. A guess."""
BEYOND: Final = 1.5
"""How far from the middle of the earlier spans, in distances of the farthest of them; a guess."""
SURE: Final = 4.0
"""In standard errors over customers, of the last span and of an earlier one together; more than the usual two, as two
figures of two spans are tested for every model."""


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

    since: Day
    days: Count
    purchases: Amount
    order_value: Amount
    purchases_changed: bool
    order_value_changed: bool
    earlier: Count


def find_change(log: EventLog, horizon_days: int) -> Change | None:
    """Return the strongest change within the last horizon of a log; None where there is none, or too little to tell.

    Args:
        log: nothing at or after its end is read.
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
    changes = [_within(bought, first, end, horizon_days // part) for part in PARTS]
    strongest = max((change for change in changes if change is not None), key=lambda change: change[0], default=None)
    return None if strongest is None else strongest[1]


def _within(bought: PurchaseDays, first: int, end: int, days: int) -> tuple[float, Change] | None:
    """Return how many times the threshold the change of the last ``days`` is, and the change."""
    start = end - days
    history = max(MIN_SPAN_DAYS, days // 2)
    if days < MIN_SPAN_DAYS or start - first - history < MIN_SPANS * days:
        return None
    starts = {round(day) for day in np.linspace(first + history, start - days, EARLIER)}
    spans = [span_at(bought, day, days) for day in sorted(starts)]
    earlier = [span for span in spans if span is not None and span.customers >= MIN_CUSTOMERS]
    last = span_at(bought, start, days)
    if last is None or len(earlier) < MIN_EARLIER:
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


@dataclass(frozen=True)
class PurchaseDays:
    """The days on which customers bought, ordered by customer and day.

    Args:
        customer: number of the customer, int64 [d].
        day: days since 1970-01-01, int64 [d].
        net: net value of the day, above zero, float64 [d].
    """

    customer: NDArray[np.int64]
    day: NDArray[np.int64]
    net: Floats

    @classmethod
    def of(cls, steps: Steps, most: int = MAX_CUSTOMERS) -> Self:
        """Return the days whose purchases and returns together are above zero, of at most ``most`` customers."""
        sampled = np.arange(0, len(steps.customer_ids), max(1, -(-len(steps.customer_ids) // most)))
        size = steps.offsets[sampled + 1] - steps.offsets[sampled]
        rows = np.repeat(steps.offsets[sampled] - np.cumsum(size) + size, size) + np.arange(size.sum())
        customer = np.repeat(sampled, size)
        money = of_types(steps, MONEY_TYPES, rows)
        customer, rows = customer[money], rows[money]
        amount = np.nan_to_num(steps.values[rows, STEP_VALUES.index("amount")].astype(np.float64))
        day = steps.day[rows].astype(np.int64)
        new = np.ones(len(rows), np.bool_)
        new[1:] = (np.diff(customer) != 0) | (np.diff(day) != 0)
        first = np.flatnonzero(new)
        net = np.add.reduceat(amount, first) if len(first) else amount
        bought = net > 0
        return cls(customer[first][bought], day[first][bought], net[bought])

    def rfm(self, cutoff: int) -> pd.DataFrame:
        """Return the BTYD four of everyone who bought before ``cutoff``, indexed by the customer's number."""
        is_past = self.day < cutoff
        customer, day, net = self.customer[is_past], self.day[is_past], self.net[is_past]
        who, first, count = np.unique(customer, return_index=True, return_counts=True)
        total = np.add.reduceat(net, first) if len(first) else net
        repeat = count - 1
        mean = np.divide(total - net[first], repeat, out=np.zeros(len(who)), where=repeat > 0)
        last = day[first + count - 1] if len(first) else day
        columns = {"frequency": repeat, "recency": last - day[first], "T": cutoff - day[first], "monetary_value": mean}
        return pd.DataFrame({**columns, "net_value": total, "purchase_days": count}, index=who, dtype=np.float64)


@dataclass(frozen=True)
class Ratio:
    """Actual over expected, on a log scale.

    Args:
        log: natural logarithm of the ratio.
        error: its standard error over customers (of the ratio of two sums, by the delta method).
    """

    log: float
    error: float

    @classmethod
    def of(cls, above: Floats, below: Floats) -> Self:
        """Return the ratio of two sums over customers, [n] each."""
        ratio = float(above.sum() / below.sum())
        error = float(np.sqrt(np.sum((above - ratio * below) ** 2)) / above.sum())
        return cls(float(np.log(ratio)), error)


@dataclass(frozen=True)
class Span:
    """What the buyers before ``start`` did in a span, against what was expected of them there.

    Args:
        start: first day, in days since 1970-01-01.
        days: length.
        customers: who had bought before.
        purchases: purchase days, actual over expected.
        order_value: value of a purchase day, actual over expected.
    """

    start: int
    days: int
    customers: int
    purchases: Ratio
    order_value: Ratio


def of_types(steps: Steps, types: Collection[str], rows: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.bool_]:
    """Say which steps (of ``rows``, else all) are of some event types, bool [s]."""
    place = STEP_CODES.index("event_type")
    codes = [code for code, name in enumerate(steps.vocabularies[place]) if name in types]
    return np.isin(steps.codes[rows, place], codes)


def span_at(bought: PurchaseDays, start: int, days: int) -> Span | None:
    """Return the span [start, start + days); None where nothing was bought in it, or nothing expected.

    Args:
        bought: the purchase days of a log.
        start: first day; the anchor is fitted on what lies before it.
        days: length.
    """
    rfm = bought.rfm(start)
    if rfm.empty:
        return None
    anchor = Anchor.fit(rfm)
    expected = anchor.expected_count(rfm, days)
    worth = expected * anchor.expected_spend(rfm)
    inside = (bought.day >= start) & (bought.day < start + days) & np.isin(bought.customer, rfm.index)
    place = np.searchsorted(rfm.index.to_numpy(), bought.customer[inside])
    count = np.bincount(place, minlength=len(rfm)).astype(np.float64)
    value = np.bincount(place, weights=bought.net[inside], minlength=len(rfm)).astype(np.float64)
    if min(count.sum(), expected.sum(), value.sum(), worth.sum()) <= 0:
        return None
    spent, meant = Ratio.of(value, count), Ratio.of(worth, expected)
    order_value = Ratio(spent.log - meant.log, float(np.hypot(spent.error, meant.error)))
    return Span(start, days, len(rfm), Ratio.of(count, expected), order_value)
