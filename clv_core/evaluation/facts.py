"""Facts of a log that limit what can be learned from it: its length, its buyers, its loyal customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from clv_core.columns import AMOUNT, PURCHASE
from clv_core.evaluation.spans import of_types
from clv_core.features.log import EventLog
from clv_core.features.relations import day_of
from clv_core.features.sequences import STEP_VALUES

AMOUNT_AT: Final = STEP_VALUES.index(AMOUNT)
LOYAL_ORDERS: Final = 3
CUSTOMERS_AT_ONCE: Final = 100_000


@dataclass(frozen=True)
class LogFacts:
    """Sizes of a log up to its end.

    Args:
        days: from the first event to the end.
        customers: who was seen.
        buyers: how many of them ever bought.
        loyal: how many bought on :data:`LOYAL_ORDERS` days or more.
        quiet_days: from the last purchase to the end.
        top_share: of what was paid in all, what the customer paid who paid most; 0 where nothing was.
    """

    days: int
    customers: int
    buyers: int
    loyal: int
    quiet_days: int
    top_share: float = 0.0

    @classmethod
    def of(cls, log: EventLog) -> Self:
        """Return the facts of a log, some of its customers at a time."""
        orders, last = [], np.iinfo(np.int32).min
        most = total = 0.0
        for steps in log.steps_in_parts(CUSTOMERS_AT_ONCE):
            bought = of_types(steps, (PURCHASE,))
            before = np.concatenate([[0], np.cumsum(bought)])
            orders.append(before[steps.offsets[1:]] - before[steps.offsets[:-1]])
            amounts = np.where(bought, np.nan_to_num(steps.values[:, AMOUNT_AT].astype(np.float64)), 0.0)
            customers = np.bincount(np.repeat(np.arange(len(orders[-1])), np.diff(steps.offsets)), amounts)
            total += float(amounts.sum())
            most = max(most, float(customers.max(initial=0.0)))
            last = max(last, int(steps.day.max(where=bought, initial=last)))
        counts = np.concatenate(orders)
        days = (log.end - log.first_day).days
        return cls(
            days=days,
            customers=len(counts),
            buyers=int((counts > 0).sum()),
            loyal=int((counts >= LOYAL_ORDERS).sum()),
            quiet_days=day_of(log.end) - 1 - last if counts.any() else days,
            top_share=most / total if total > 0 else 0.0,
        )
