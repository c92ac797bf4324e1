"""A log by customer and day: events, orders, and what customers do beside buying, all kinds in one piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.columns import CART, MONEY_TYPES, PURCHASE, RATING_EVENT, RETURN, REVIEW, VIEW
from clv_core.features.context.days import Days, Past, added_up, exactly, first_of_day, offsets_of
from clv_core.features.sequences import STEP_VALUES, Steps

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS: Final = (PURCHASE, VIEW, CART, RETURN, RATING_EVENT, "other")
"""What a step can be to the network, by code."""
BEHAVIOUR: Final = (VIEW, CART, RETURN, RATING_EVENT, "other")
"""Kinds of behaviour days; rated reviews count as ratings, and every other event but a purchase as ``other``."""


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
    """Behaviour days of c customers, of all of :data:`BEHAVIOUR` one after the other, so that all are asked together.

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
        kept = np.ones(len(steps.day), bool) if before is None else steps.day < before
        customers = len(steps.offsets) - 1
        customer = np.repeat(np.arange(customers), np.diff(steps.offsets))[kept]
        day, kind = steps.day[kept].astype(np.int64), step_kinds(steps)[kept]
        amount, lines, rating = (
            steps.values[:, STEP_VALUES.index(name)][kept].astype(np.float64) for name in ("amount", "lines", "rating")
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
