"""A log at one cutoff as an untrained network needs it; made when it is asked for, and once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from clv_core.features.btyd import BGNBD
from clv_core.features.context.anchored import history
from clv_core.features.context.customer_statistics import Columns, customer_statistics
from clv_core.features.context.log_days import LogDays
from clv_core.features.context.log_statistics import log_statistics, usual_of
from clv_core.features.context.lookup import Lookup
from clv_core.features.sequences import Steps, Windows
from clv_core.records import JsonRecord

if TYPE_CHECKING:
    from clv_core.features.event_store import EventStore

MOST_CUSTOMERS: Final = 60_000
"""More customers add nothing to a log's statistics but time."""
RANGES: Final = 200
"""A sample is taken in so many ranges of consecutive customers: ids often follow the order in which customers came."""


@dataclass(frozen=True)
class Context(JsonRecord):
    """What is known of a log at a cutoff.

    Args:
        cutoff_day: days since 1970-01-01.
        horizon_days: length of the predicted span, the unit of time.
        usual: mean gap (horizons), its variation, mean order (currency).
        lookup: what came of whom in complete windows.
        numbers: statistics of the log by name.
    """

    cutoff_day: int
    horizon_days: int
    usual: dict[str, float]
    lookup: Lookup
    numbers: dict[str, float]

    @classmethod
    def of(cls, steps: Steps, cutoff_day: int, horizon_days: int, counts: BGNBD | None = None) -> Context:
        """Return the context of a log; steps at or after the cutoff change nothing.

        Args:
            steps: of all customers or a sample of them.
            cutoff_day: days since 1970-01-01.
            horizon_days: length of the predicted span.
            counts: BG/NBD as fitted on the log before the cutoff, in days; None fits it on the steps.
        """
        log = LogDays.of(_before(steps, cutoff_day))
        if counts is None:
            past = history(log, cutoff_day).dropna()
            counts = BGNBD.fit(past["frequency"], past["recency"], past["T"])
        usual, lookup = usual_of(log, horizon_days), Lookup.of(log, cutoff_day, horizon_days, counts)
        return cls(
            cutoff_day, horizon_days, usual, lookup, log_statistics(log, cutoff_day, horizon_days, usual, lookup)
        )

    def customers(self, windows: Windows) -> Columns:
        """Return the statistics of customers at this cutoff, by name, each [n].

        Args:
            windows: whose; their steps hold each customer's whole past.
        """
        log = LogDays.of(windows.steps, self.cutoff_day)
        customers = np.searchsorted(windows.steps.offsets, windows.start, side="right") - 1
        return customer_statistics(log, customers, self.cutoff_day, self.horizon_days, self.usual, self.lookup)


def _before(steps: Steps, cutoff_day: int) -> Steps:
    """Return the steps before the cutoff of the customers who have any."""
    kept = steps.day < cutoff_day
    added = np.concatenate([[0], np.cumsum(kept)])
    counts = added[steps.offsets[1:]] - added[steps.offsets[:-1]]
    seen = counts > 0
    return steps.select(kept, steps.customer_ids[seen], counts[seen])


@dataclass(frozen=True, eq=False)
class LazyContext:
    """The context of a log, made at the first time that it is asked for: most models never ask.

    Args:
        steps: returns the steps of all customers or of a sample of them.
        cutoff_day: days since 1970-01-01.
        horizon_days: length of the predicted span.
        kept: the context where it was made before and kept; then ``steps`` is never called.
        counts: BG/NBD as fitted on the log before the cutoff, in days.
    """

    steps: Callable[[], Steps]
    cutoff_day: int
    horizon_days: int
    kept: Context | None = None
    counts: BGNBD | None = None

    @cached_property
    def known(self) -> Context:
        """The context."""
        return self.kept or Context.of(self.steps(), self.cutoff_day, self.horizon_days, self.counts)

    @property
    def asked(self) -> bool:
        """Whether anyone has asked for the context yet."""
        return "known" in vars(self) or self.kept is not None


def sample_steps(store: EventStore, cutoff_day: int, most: int = MOST_CUSTOMERS) -> Steps:
    """Return the steps before a cutoff of at most ``most`` customers, in ranges spread evenly over those seen by then.

    Who comes later changes nothing: neither who is in the sample nor what is said of them.
    """
    seen = store.seen(cutoff_day)
    wide = most // RANGES
    begins = (
        np.linspace(0, len(seen) - wide, RANGES).astype(np.int64) if len(seen) > most else range(0, len(seen), wide)
    )
    ranges = [seen[begin : begin + wide] for begin in begins]
    return Steps.joined([_before(store.steps(int(part[0]), int(part[-1]) + 1), cutoff_day) for part in ranges])
