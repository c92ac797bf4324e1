"""Something that customers did on some days, and sums over any span of them without a loop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EXACT: Final = 2.0**-22


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

        A customer's own sum, the difference of two running ones, must not depend on who stands before her.
        """
        return Days(self.offsets, self.day, exactly(self.value / unit))

    def only(self, kept: NDArray[np.bool_]) -> Days:
        """Return the rows where ``kept`` [d] holds."""
        before = running(kept)
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
