"""The snapshot to score with: a snapshot without a target, with the seasonality of the year before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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


def last_year(log: EventLog, cutoff: date, horizon_days: int) -> LastYear:
    """Return how the buyers of one year before ``cutoff`` bought since, relative to the anchor's forecast then.

    It is neutral where the log has less than 182 days before that. The residual also wants the horizon to lie within
    the year, and 100 customers who bought in it; the pace of the year wants 100 orders.
    """
    then = cutoff - timedelta(days=YEAR_DAYS)
    if (then - log.first_day).days < MIN_HISTORY_DAYS:
        return LastYear()
    past, target, anchor = log.history(then, horizon_days)
    past = past.assign(target=0.0 if target is None else target).dropna(subset=["T"])
    if past.empty:
        return LastYear()
    residual = 0.0 if target is None or horizon_days > YEAR_DAYS else _residual(past)
    begin = day_of(then)
    orders = log.store.orders_by_day(begin, begin + YEAR_DAYS).reshape(PARTS, PART_DAYS).sum(1)
    expected = _expected(past, anchor)
    if orders.sum() < MIN_ORDERS or expected.min() <= 0:
        return LastYear(residual)
    return LastYear.of(residual, orders, expected)


def _residual(past: pd.DataFrame) -> float:
    """Return log(actual / anchor) of the buyers' total in the horizon; 0 where too few bought to tell."""
    target, actual = past["target"], float(past["target"].sum())
    expected = float(np.nansum(past["anchor_value"].to_numpy(np.float64)))
    if int((target > 0).sum()) < MIN_BUYERS or actual <= 0 or expected <= 0:
        return 0.0
    return float(np.log(actual / expected))


def _expected(past: pd.DataFrame, anchor: Anchor) -> NDArray[np.float64]:
    """Return the orders that the anchor expected of these buyers in each part of the year, [PARTS]."""
    frequency, since_first = past["frequency"], past["T"]
    alive = anchor.counts.p_alive(frequency, past["recency"], since_first, check=False)
    curve = anchor.counts.expected_if_alive(frequency, since_first)
    until = [float((alive * curve(float(PART_DAYS * part))).sum()) for part in range(1, PARTS + 1)]
    return np.diff([0.0, *until])
