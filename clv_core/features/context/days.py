"""Order days and behaviour days of customers, and sums over any span of them without a loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.columns import CART, MONEY_TYPES, PURCHASE, RATING_EVENT, RETURN, REVIEW, VIEW
from clv_core.features.sequences import STEP_VALUES, Steps

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS: Final = (PURCHASE, VIEW, CART, RETURN, RATING_EVENT, "other")
"""What a step can be to the network, by code."""
BEHAVIOUR: Final = (VIEW, CART, RETURN, RATING_EVENT, "other")
"""Kinds of behaviour days; rated reviews count as ratings, and every other event but a purchase as ``other``."""


EXACT: Final = 2.0**-22


def exactly(values: Floats) -> Floats:
    """Return values to the nearest :data:`EXACT`: doubles add up to 2 billion of such without rounding."""
    rounded: Floats = np.round(values / EXACT) * EXACT
    return rounded


@dataclass(frozen=True)
class Days:
    """Something that customers did on some days, at most one row a customer and day.

    Args:
        offsets: rows of customer i are ``offsets[i]:offsets[i + 1]``, int64 [c + 1].
        day: days since 1970-01-01, ascending within a customer, int64 [d].
        value: what is added up, [d].
    """

    offsets: Ints
    day: Ints
    value: Floats

    @classmethod
    def of(cls, customers: int, customer: Ints, day: Ints, value: Floats) -> Days:
        """Return the days of rows that are ordered by customer and day; rows of one day are added up."""
        new = np.ones(len(day), bool)
        new[1:] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
        first = np.flatnonzero(new)
        counts = np.bincount(customer[first], minlength=customers)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        added = np.add.reduceat(value, first) if len(first) else value
        return cls(offsets, day[first].astype(np.int64), added)

    def in_units(self, unit: float) -> Days:
        """Return the values in units, to the nearest :data:`EXACT`: their sums are then the same bits in any order.

        A customer's own sum, the difference of two running ones, must not depend on who stands before her.
        """
        return Days(self.offsets, self.day, exactly(self.value / unit))

    def only(self, kept: NDArray[np.bool_]) -> Days:
        """Return the rows where ``kept`` [d] holds."""
        before = np.concatenate([[0], np.cumsum(kept)])
        return Days(before[self.offsets], self.day[kept], self.value[kept])

    @cached_property
    def _keys(self) -> tuple[int, int, Ints]:
        """First day, stride of a customer, and the rows' ascending keys."""
        first = int(self.day.min(initial=0)) if len(self.day) else 0
        stride = int(self.day.max(initial=0)) - first + 2 if len(self.day) else 2
        customer = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        return first, stride, customer * stride + (self.day - first)

    @cached_property
    def customer(self) -> Ints:
        """The customer of each row, int64 [d]."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def before(self, customers: Ints, day: Ints | int) -> Ints:
        """Return the position after each customer's last row before ``day``, int64 [n]; of k days, [n, 1] and [k]."""
        first, stride, keys = self._keys
        at = np.minimum(np.maximum(day, first) - first, stride - 1)
        found: Ints = keys.searchsorted(customers * stride + at)
        return found

    def count(self, customers: Ints, begin: Ints | int, end: Ints | int) -> Floats:
        """Return the number of rows on days ``begin <= day < end``, [n]."""
        found: Floats = (self.before(customers, end) - self.before(customers, begin)).astype(np.float64)
        return found

    @cached_property
    def added(self) -> Floats:
        """Running sum of ``value`` with a leading 0, [d + 1]."""
        return np.concatenate([[0.0], np.cumsum(self.value)])

    def sum(self, customers: Ints, begin: Ints | int, end: Ints | int) -> Floats:
        """Return the sum of values on days ``begin <= day < end``, [n]."""
        found: Floats = self.added[self.before(customers, end)] - self.added[self.before(customers, begin)]
        return found

    def since(self, customers: Ints, day: int) -> Floats:
        """Return the days from each customer's last row before ``day`` to it, infinite where there is none, [n]."""
        stop = self.before(customers, day)
        last = np.append(self.day, 0)[np.maximum(stop - 1, 0)]
        return np.where(stop > self.offsets[customers], day - last, np.inf)


@dataclass(frozen=True)
class LogDays:
    """A log by customer and day.

    Args:
        first: the log's first day.
        seen: day of each customer's first event, int64 [c].
        events: days with any event, and how many.
        net: days with purchases or returns, with their net value.
        orders: those of them whose net value is above 0.
        behaviour: events of each of :data:`BEHAVIOUR` by day; returns and ratings with what they were worth in
            ``returned`` and ``rating``.
        returned: absolute value of what came back, by day.
        rating: sum of ratings by day; ``behaviour[RATING_EVENT]`` counts the rated days' ratings.
    """

    first: int
    seen: Ints
    events: Days
    net: Days
    orders: Days
    behaviour: Mapping[str, Days]
    returned: Days
    rating: Days

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.seen)

    @classmethod
    def of(cls, steps: Steps, before: int | None = None) -> LogDays:
        """Return the days of a log's steps, on or after ``before`` left out."""
        kept = np.ones(len(steps.day), bool) if before is None else steps.day < before
        customers = len(steps.offsets) - 1
        customer = np.repeat(np.arange(customers), np.diff(steps.offsets))[kept]
        day, kind = steps.day[kept].astype(np.int64), step_kinds(steps)[kept]
        amount, lines, rating = (
            steps.values[:, STEP_VALUES.index(name)][kept].astype(np.float64) for name in ("amount", "lines", "rating")
        )
        amount, lines = np.nan_to_num(amount), np.nan_to_num(lines, nan=1.0)

        def days(rows: NDArray[np.bool_], value: Floats) -> Days:
            return Days.of(customers, customer[rows], day[rows], value[rows])

        money = np.isin(kind, [KINDS.index(name) for name in MONEY_TYPES])
        net = days(money, amount)
        rated = np.isfinite(rating)
        behaviour = {name: days(kind == KINDS.index(name), lines) for name in BEHAVIOUR if name != RATING_EVENT}
        behaviour[RATING_EVENT] = days(rated, np.ones(len(day)))
        seen = np.full(customers, np.iinfo(np.int64).max)
        np.minimum.at(seen, customer, day)
        return cls(
            first=int(day.min()) if len(day) else 0,
            seen=seen,
            events=days(np.ones(len(day), bool), lines),
            net=net,
            orders=net.only(net.value > 0),
            behaviour=behaviour,
            returned=days(kind == KINDS.index(RETURN), np.abs(amount)),
            rating=days(rated, exactly(np.nan_to_num(rating))),
        )


def step_kinds(steps: Steps) -> NDArray[np.int64]:
    """Return what each step is, as a position in :data:`KINDS`, int64 [s]."""
    names = [RATING_EVENT if text == REVIEW else text for text in steps.vocabularies[0]]
    other = KINDS.index("other")
    table = np.array([*(KINDS.index(name) if name in KINDS else other for name in names), other], np.int64)
    found: NDArray[np.int64] = table[steps.codes[:, 0]]
    return found
