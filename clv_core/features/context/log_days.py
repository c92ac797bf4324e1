"""A log by customer and day: events, orders, and what customers do besides buying, all kinds in one piece.

:class:`LogDays` is made of steps. Each thing in it that customers did on some days is :class:`Days`, which adds up any
span of them without a loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

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


@dataclass(frozen=True)
class LogDays:
    """A log by customer and day.

    Args:
        first: the log's first day.
        seen: day of each customer's first event, int64 [c].
        events: days with any event, and how many.
        net: days with purchases or returns, with their net value.
        orders: those of them whose net value is above 0.
        behaviour: events of each of :data:`BEHAVIOUR` by day, and what returns and ratings were worth.
    """

    first: int
    seen: Ints
    events: Days
    net: Days
    orders: Days
    behaviour: Behaviour

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.seen)

    @classmethod
    def of(cls, steps: Steps, before: int | None = None) -> LogDays:
        """Return the days of a log's steps, on or after ``before`` left out."""
        is_before = np.ones(len(steps.day), bool) if before is None else steps.day < before
        customers = len(steps.offsets) - 1
        customer = np.repeat(np.arange(customers), np.diff(steps.offsets))[is_before]
        day, kind = steps.day[is_before].astype(np.int64), step_kinds(steps)[is_before]
        amount, lines, rating = (
            steps.values[:, STEP_VALUES.index(name)][is_before].astype(np.float64)
            for name in ("amount", "lines", "rating")
        )
        amount, lines = np.where(np.isnan(amount), 0.0, amount), np.where(np.isnan(lines), 1.0, lines)
        purchases, returns = (kind == KINDS.index(name) for name in MONEY_TYPES)
        money = purchases | returns
        events = Days.of(customers, customer, day, lines)
        net = Days.of(customers, customer[money], day[money], amount[money])
        return cls(
            first=int(day.min()) if len(day) else 0,
            seen=Past(events.offsets[:-1], events.offsets[1:]).first(events.day, np.iinfo(np.int64).max),
            events=events,
            net=net,
            orders=net.only(net.value > 0),
            behaviour=Behaviour.of(customers, StepColumns(customer, day, kind, lines, amount, rating)),
        )


@dataclass(frozen=True)
class StepColumns:
    """Steps of a log that are ordered by customer and day, [s] each.

    Args:
        customer: whose step it is.
        day: days since 1970-01-01.
        kind: position in :data:`KINDS`; whatever a step is, its ratings count as ratings.
        lines: how many events it is.
        amount: money, 0 where there is none.
        rating: sum of its ratings, NaN where there is none.
    """

    customer: Ints
    day: Ints
    kind: Ints
    lines: Floats
    amount: Floats
    rating: Floats


@dataclass(frozen=True)
class Behaviour:
    """Behaviour days of c customers, of all of :data:`BEHAVIOUR` one after the other, for one look-up.

    Args:
        days: the days of the k-th kind of customer i are those of number ``k * c + i``; their value is how many events.
        worth: absolute value of what came back, sum of the ratings, by row of ``days``; 0 for other kinds, [d].
    """

    days: Days
    worth: Floats

    @classmethod
    def of(cls, customers: int, steps: StepColumns) -> Behaviour:
        """Return the behaviour days of the steps of so many customers."""
        rated, returned = BEHAVIOUR.index(RATING_EVENT), BEHAVIOUR.index(RETURN)
        counts = steps.kind == np.array([[KINDS.index(name)] for name in BEHAVIOUR])
        counts[rated] = np.isfinite(steps.rating)
        place, step = counts.nonzero()
        is_rated, number, day = place == rated, place * customers + steps.customer[step], steps.day[step]
        back = np.where(place == returned, np.abs(steps.amount[step]), 0.0)
        first = first_of_day(number, day)
        count = added_up(np.where(is_rated, 1.0, steps.lines[step]), first)
        worth = added_up(np.where(is_rated, exactly(steps.rating[step]), back), first)
        return cls(Days(offsets_of(number[first], len(BEHAVIOUR) * customers), day[first], count), worth)

    def in_units(self, unit: float) -> Behaviour:
        """Return what came back in units, as :meth:`Days.in_units` has it."""
        worth, returned = self.worth.copy(), self._rows(RETURN)
        worth[returned] = exactly(worth[returned] / unit)
        return Behaviour(self.days, worth)

    def since(self, name: str, customers: Ints, day: int) -> Floats:
        """Return the days from each customer's last day of one kind before ``day`` to it, infinite without any, [n]."""
        return self.days.since(BEHAVIOUR.index(name) * self._customers + customers, day)

    def numbers(self, customers: Ints) -> Ints:
        """Return the numbers of customers [n] in ``days``, those of each kind, [len(BEHAVIOUR), n]."""
        return np.arange(len(BEHAVIOUR))[:, None] * self._customers + customers

    def __getitem__(self, name: str) -> Days:
        """Return the days of one kind, and how many events."""
        return self._part(name, self.days.value)

    def worth_of(self, name: str) -> Days:
        """Return the days of one kind, and what they were worth."""
        return self._part(name, self.worth)

    @property
    def _customers(self) -> int:
        return (len(self.days.offsets) - 1) // len(BEHAVIOUR)

    def _rows(self, name: str) -> slice:
        first = BEHAVIOUR.index(name) * self._customers
        return slice(self.days.offsets[first], self.days.offsets[first + self._customers])

    def _part(self, name: str, values: Floats) -> Days:
        first, rows = BEHAVIOUR.index(name) * self._customers, self._rows(name)
        offsets = self.days.offsets[first : first + self._customers + 1] - rows.start
        return Days(offsets, self.days.day[rows], values[rows])


def step_kinds(steps: Steps) -> NDArray[np.int64]:
    """Return what each step is, as a position in :data:`KINDS`, int64 [s]."""
    names = [RATING_EVENT if text == REVIEW else text for text in steps.vocabularies[0]]
    other = KINDS.index("other")
    table = np.array([*(KINDS.index(name) if name in KINDS else other for name in names), other], np.int64)
    return table[steps.codes[:, 0]]


EXACT: Final = 2.0**-22
"""Unit of logs that are summed: sums are then exact in any order."""


def exactly(values: Floats) -> Floats:
    """Return values to the nearest :data:`EXACT`: doubles add up to 2 billion of such without rounding."""
    return np.round(values / EXACT) * EXACT


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
        first = first_of_day(customer, day)
        return cls(offsets_of(customer[first], customers), day[first], added_up(value, first))

    def in_units(self, unit: float) -> Days:
        """Return the values in units, to the nearest :data:`EXACT`: their sums are then the same bits in any order.

        A customer's own sum, the difference of two running ones, must not depend on the customers before her.
        """
        return Days(self.offsets, self.day, exactly(self.value / unit))

    def only(self, mask: NDArray[np.bool_]) -> Days:
        """Return the rows where ``mask`` [d] is true."""
        before = running(mask)
        return Days(before[self.offsets], self.day[mask], self.value[mask])

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
        positions: Ints = keys.searchsorted(customers * stride + at)
        return positions

    def count(self, customers: Ints, begin: Ints | int, end: Ints | int) -> Floats:
        """Return the number of rows on days ``begin <= day < end``, [n]."""
        return (self.before(customers, end) - self.before(customers, begin)).astype(np.float64)

    @cached_property
    def added(self) -> Floats:
        """Running sum of ``value`` with a leading 0, [d + 1]."""
        return running(self.value)

    def past(self, customers: Ints, day: int) -> Past:
        """Return each customer's rows before ``day``."""
        return Past(self.offsets[customers], self.before(customers, day))

    def sum(self, customers: Ints, begin: Ints | int, end: Ints | int) -> Floats:
        """Return the sum of values on days ``begin <= day < end``, [n]."""
        return self.added[self.before(customers, end)] - self.added[self.before(customers, begin)]

    def since(self, customers: Ints, day: int) -> Floats:
        """Return the days from each customer's last row before ``day`` to it, infinite where there is none, [n]."""
        past = self.past(customers, day)
        return np.where(past.some, day - past.last(self.day, 0), np.inf)


@dataclass(frozen=True)
class Past:
    """Rows of customers before a day.

    Args:
        begin: first row of each, int64 [n], or of each of k kinds [k, n].
        stop: one past the last of them; ``begin`` where there is none.
    """

    begin: Ints
    stop: Ints

    @cached_property
    def some(self) -> NDArray[np.bool_]:
        """Who has any."""
        return self.stop > self.begin

    def sum(self, added: Floats) -> Floats:
        """Return what a running sum with a leading 0, [d + 1], adds up over each customer's rows."""
        return added[self.stop] - added[self.begin]

    def first(self, values: NDArray[Any], otherwise: float) -> NDArray[Any]:
        """Return the value [d] of each customer's first row."""
        return np.concatenate([values, [otherwise]])[np.where(self.some, self.begin, -1)]

    def last(self, values: NDArray[Any], otherwise: float) -> NDArray[Any]:
        """Return the value [d] of each customer's last row."""
        return np.concatenate([values, [otherwise]])[np.where(self.some, self.stop - 1, -1)]


def running(values: NDArray[Any]) -> NDArray[Any]:
    """Return the running sum of values with a leading 0, [d + 1]."""
    added = np.zeros(len(values) + 1, np.float64 if values.dtype.kind == "f" else np.int64)
    values.cumsum(out=added[1:])
    return added


def offsets_of(customer: Ints, customers: int) -> Ints:
    """Return where each customer's rows begin, and the last one's end, [c + 1]; rows are ordered by customer."""
    return customer.searchsorted(np.arange(customers + 1))


def first_of_day(customer: Ints, day: Ints) -> Ints:
    """Return the first row of each customer and day."""
    new = np.ones(len(day), bool)
    new[1:] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
    return new.nonzero()[0]


def added_up(values: Floats, first: Ints) -> Floats:
    """Return the sums of stretches of values that begin at ``first``."""
    return np.add.reduceat(values, first) if len(first) else values
