"""Purchases and order values of past spans against the BG/NBD and Gamma-Gamma fits made before each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import MONEY_TYPES
from clv_core.features.btyd import Anchor
from clv_core.features.sequences import STEP_CODES, STEP_VALUES, Steps

Floats = NDArray[np.float64]

MOST_CUSTOMERS: Final = 50_000
"""Of more customers, every k-th is looked at: the figures are about all of them together."""


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
    def of(cls, steps: Steps, most: int = MOST_CUSTOMERS) -> Self:
        """Return the days whose purchases and returns together are above zero, of at most ``most`` customers."""
        chosen = np.arange(0, len(steps.customer_ids), max(1, -(-len(steps.customer_ids) // most)))
        size = steps.offsets[chosen + 1] - steps.offsets[chosen]
        rows = np.repeat(steps.offsets[chosen] - np.cumsum(size) + size, size) + np.arange(size.sum())
        customer = np.repeat(chosen, size)
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
        known = self.day < cutoff
        customer, day, net = self.customer[known], self.day[known], self.net[known]
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
