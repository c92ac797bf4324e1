"""What a log itself says about how much can be learned from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from clv_core.columns import PURCHASE
from clv_core.evaluation.spans import of_types
from clv_core.features.log import EventLog
from clv_core.features.relations import day_of

LOYAL_ORDERS: Final = 3


@dataclass(frozen=True)
class LogFacts:
    """Sizes of a log up to its end.

    Args:
        days: from the first event to the end.
        customers: who was seen.
        buyers: how many of them ever bought.
        loyal: how many bought on :data:`LOYAL_ORDERS` days or more.
        quiet_days: from the last purchase to the end.
    """

    days: int
    customers: int
    buyers: int
    loyal: int
    quiet_days: int

    @classmethod
    def of(cls, log: EventLog) -> Self:
        """Return the facts of a log."""
        bought = of_types(log.steps, (PURCHASE,))
        before = np.concatenate([[0], np.cumsum(bought)])
        orders = before[log.steps.offsets[1:]] - before[log.steps.offsets[:-1]]
        days = (log.end - log.first_day).days
        last = int(log.steps.day.max(where=bought, initial=np.iinfo(np.int32).min))
        return cls(
            days=days,
            customers=len(orders),
            buyers=int((orders > 0).sum()),
            loyal=int((orders >= LOYAL_ORDERS).sum()),
            quiet_days=day_of(log.end) - 1 - last if bought.any() else days,
        )
