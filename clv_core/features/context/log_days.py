"""A log by customer and day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clv_core.columns import MONEY_TYPES
from clv_core.features.context.behaviour import KINDS, Behaviour, step_kinds
from clv_core.features.context.days import Days, Past
from clv_core.features.sequences import STEP_VALUES, Steps

Ints = NDArray[np.int64]


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
            behaviour=Behaviour.of(customers, customer, day, kind, lines, amount, rating),
        )
