"""The snapshot to score with: a snapshot without a target, and what the anchor missed in the same span last year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from clv_core.features.log import EventLog
from clv_core.features.snapshot import Snapshot

YEAR_DAYS: Final = 364
"""A year of whole weeks, so that the weekdays of both spans agree."""
SHORTEST_HISTORY_DAYS: Final = 182
FEWEST_BUYERS: Final = 100


def scoring_snapshot(log: EventLog, cutoff: date, horizon_days: int, *, max_steps: int) -> Snapshot:
    """Return the snapshot of all customers seen before ``cutoff``, with last year's residual."""
    snapshot = log.snapshot(cutoff, horizon_days, max_steps=max_steps)
    return replace(snapshot, last_year_residual=last_year_residual(log, cutoff, horizon_days))


def scoring_parts(
    log: EventLog,
    cutoff: date,
    horizon_days: int,
    *,
    max_steps: int,
    customers_at_once: int,
    most: int | None = None,
) -> Iterator[Snapshot]:
    """Yield the rows of :func:`scoring_snapshot` in parts of ``customers_at_once``, of many some (``most``)."""
    parts = log.parts(cutoff, horizon_days, max_steps=max_steps, customers_at_once=customers_at_once, most=most)
    residual = last_year_residual(log, cutoff, horizon_days)
    return (replace(part, last_year_residual=residual) for part in parts)


def last_year_residual(log: EventLog, cutoff: date, horizon_days: int) -> float:
    """Return log(actual / anchor) of the buyers' total in the same span one year before ``cutoff``.

    0 where the span is not complete before the cutoff, has less than 182 days of history, or fewer than 100 buyers.
    """
    then = cutoff - timedelta(days=YEAR_DAYS)
    if horizon_days > YEAR_DAYS or (then - log.first_day).days < SHORTEST_HISTORY_DAYS:
        return 0.0
    past, target = log.history(then, horizon_days)
    if target is None:
        return 0.0
    bought = past["T"].notna().to_numpy()
    actual = float(target[bought].sum())
    expected = float(np.nansum(past["anchor_value"].to_numpy(np.float64)[bought]))
    if int((target[bought] > 0).sum()) < FEWEST_BUYERS or actual <= 0 or expected <= 0:
        return 0.0
    return float(np.log(actual / expected))
