"""The snapshot to score with: a snapshot without a target, with the seasonality of the year before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.config import TrainConfig
from clv_core.errors import NotEnoughData
from clv_core.features.anchor import Anchor
from clv_core.features.last_year import PART_DAYS, PARTS, YEAR_DAYS, LastYear
from clv_core.features.log import EventLog
from clv_core.features.relations import day_of
from clv_core.features.snapshot import Snapshot
from clv_core.records import JsonRecord

MIN_HISTORY_DAYS: Final = 182
"""Before last year's cutoff: an anchor fitted on less is no yardstick. A guess."""
MIN_BUYERS: Final = 100
"""Customers who bought in the horizon: with fewer, the residual of their total would be mostly chance. A guess."""
MIN_ORDERS: Final = 100
"""In a year of 13 parts; with fewer, the pace would be all chance. A guess."""


def scoring_snapshot(log: EventLog, cutoff: date, horizon_days: int, *, max_steps: int) -> Snapshot:
    """Return the snapshot of all customers seen before ``cutoff``, with last year's residual and pace."""
    snapshot = log.snapshot(cutoff, horizon_days, max_steps=max_steps)
    return replace(snapshot, last_year=last_year(log, cutoff, horizon_days))


def complete_snapshot(log: EventLog, cutoff: date, config: TrainConfig) -> Snapshot:
    """Return the snapshot to predict at ``cutoff``, with what came true.

    Raises:
        NotEnoughData: the horizon after it is not complete.
    """
    snapshot = scoring_snapshot(log, cutoff, config.horizon_days, max_steps=config.max_steps_back)
    if snapshot.target is None:
        raise NotEnoughData(
            "origin_incomplete", origin=cutoff.isoformat(), horizon=config.horizon_days, end=log.end.isoformat()
        )
    return snapshot


def scoring_parts(
    log: EventLog, cutoff: date, horizon_days: int, *, max_steps: int, customers_at_once: int, most: int | None = None
) -> Iterator[Snapshot]:
    """Yield the rows of :func:`scoring_snapshot` in parts of ``customers_at_once``, of many some (``most``)."""
    parts = log.parts(cutoff, horizon_days, max_steps=max_steps, customers_at_once=customers_at_once, most=most)
    calendar = last_year(log, cutoff, horizon_days)
    return (replace(part, last_year=calendar) for part in parts)


@dataclass(frozen=True)
class YearSums(JsonRecord):
    """What the buyers of one year before a cutoff bought since; the sums of parts of a log add up.

    Args:
        value: what they spent in the horizon, if all of it lies within the year.
        buyers: how many of them spent anything in it.
        expected_value: what the anchor expected of them in it.
        orders: theirs in each part of the year, [PARTS].
        expected_orders: the same as the anchor expected it, [PARTS].
    """

    value: float = 0.0
    buyers: int = 0
    expected_value: float = 0.0
    orders: tuple[float, ...] = (0.0,) * PARTS
    expected_orders: tuple[float, ...] = (0.0,) * PARTS

    def __add__(self, other: YearSums) -> YearSums:
        """Return the sums over the customers of both."""
        orders, expected = (
            tuple(map(sum, zip(*pair, strict=True)))
            for pair in ((self.orders, other.orders), (self.expected_orders, other.expected_orders))
        )
        return YearSums(
            self.value + other.value,
            self.buyers + other.buyers,
            self.expected_value + other.expected_value,
            orders,
            expected,
        )

    def last_year(self) -> LastYear:
        """Return residual and pace; neutral where too few bought to tell."""
        orders, expected = np.array(self.orders), np.array(self.expected_orders)
        if orders.sum() < MIN_ORDERS or expected.min() <= 0:
            return LastYear(self._residual)
        return LastYear.of(self._residual, orders, expected)

    @property
    def _residual(self) -> float:
        """Log of actual over the anchor's total in the horizon; 0 where too few bought to tell."""
        if self.buyers < MIN_BUYERS or self.value <= 0 or self.expected_value <= 0:
            return 0.0
        return float(np.log(self.value / self.expected_value))


def last_year(log: EventLog, cutoff: date, horizon_days: int) -> LastYear:
    """Return how the buyers of one year before ``cutoff`` bought since, relative to the anchor's forecast then.

    It is neutral where the log has less than 182 days before that. The residual also wants the horizon to lie within
    the year, and 100 customers who bought in it; the pace of the year wants 100 orders.
    """
    if not has_last_year(log.first_day, cutoff):
        return LastYear()
    return year_sums(log, cutoff, horizon_days).last_year()


def has_last_year(first_day: date, cutoff: date) -> bool:
    """Return whether a log that begins on a day has enough of it before the year before ``cutoff``."""
    return (year_before(cutoff) - first_day).days >= MIN_HISTORY_DAYS


def year_before(cutoff: date) -> date:
    """Return the day one year of :data:`~clv_core.features.last_year.YEAR_DAYS` before ``cutoff``."""
    return cutoff - timedelta(days=YEAR_DAYS)


def year_sums(log: EventLog, cutoff: date, horizon_days: int, anchor: Anchor | None = None) -> YearSums:
    """Return the sums of :func:`last_year` over all customers of a log.

    Args:
        log: holds at least one customer seen one year before ``cutoff``.
        cutoff: midnight, log-local.
        horizon_days: length of the predicted span.
        anchor: as fitted one year before ``cutoff`` on all of whom the log's customers are some; None fits it on them.
    """
    then = year_before(cutoff)
    past, target, anchor = log.history(then, horizon_days, anchor)
    bought = past["T"].notna().to_numpy()
    past = past[bought]
    if past.empty:
        return YearSums()
    begin = day_of(then)
    orders = log.store.orders_by_day(begin, begin + YEAR_DAYS).reshape(PARTS, PART_DAYS).sum(1)
    spent = np.zeros(0) if target is None or horizon_days > YEAR_DAYS else target[bought]
    return YearSums(
        float(spent.sum()),
        int((spent > 0).sum()),
        float(np.nansum(past["anchor_value"].to_numpy(np.float64))),
        tuple(orders.tolist()),
        tuple(_expected(past, anchor).tolist()),
    )


def _expected(past: pd.DataFrame, anchor: Anchor) -> NDArray[np.float64]:
    """Return the orders that the anchor expected of these buyers in each part of the year, [PARTS]."""
    frequency, since_first = past["frequency"], past["T"]
    alive = anchor.counts.p_alive(frequency, past["recency"], since_first, check=False)
    curve = anchor.counts.expected_if_alive(frequency, since_first)
    until = [float((alive * curve(float(PART_DAYS * part))).sum()) for part in range(1, PARTS + 1)]
    return np.diff([0.0, *until])
