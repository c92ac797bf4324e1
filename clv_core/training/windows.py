"""Which past cutoffs a model learns from, and the training snapshot of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from clv_core.errors import NotEnoughData
from clv_core.features.log import EventLog
from clv_core.features.sequences import windows_at
from clv_core.features.snapshot import Snapshot, concat
from clv_core.jobs import Progress

SHORTEST_HISTORY_DAYS = 28
FEWEST_BUYERS = 30
EPOCH = date(1970, 1, 1)


def training_cutoffs(first_day: date, end: date, horizon_days: int, count: int) -> list[date]:
    """Return up to ``count`` cutoffs, the latest first, whose label windows end by ``end``.

    They are spaced max(7 days, horizon / 8) and leave at least 28 days (or the horizon, if shorter) of history.
    """
    step = timedelta(days=max(7, round(horizon_days / 8)))
    last = end - timedelta(days=horizon_days)
    earliest = first_day + timedelta(days=min(SHORTEST_HISTORY_DAYS, max(horizon_days, 7)))
    return [cutoff for cutoff in (last - number * step for number in range(count)) if cutoff >= earliest]


def longest_horizon(first_day: date, end: date) -> int:
    """Return the longest horizon, in days, that leaves one training cutoff before ``end``; 0 where none does."""
    return max(0, (end - first_day).days - SHORTEST_HISTORY_DAYS)


def training_snapshot(
    log: EventLog,
    cutoffs: Sequence[date],
    horizon_days: int,
    *,
    max_windows: int,
    max_steps: int,
    seed: int,
    progress: Progress,
) -> Snapshot:
    """Return the snapshot of all customers at all ``cutoffs`` with their targets, sampled to ``max_windows`` rows.

    Raises:
        NotEnoughData: no cutoff fits, or fewer than 30 windows hold a purchase after their cutoff.
    """
    if not cutoffs:
        possible = longest_horizon(log.first_day, log.end)
        raise NotEnoughData(
            "horizon_too_long",
            horizon=horizon_days,
            days=(log.end - log.first_day).days,
            longest=possible,
            end=log.end.isoformat(),
        )
    rng = np.random.default_rng(seed)
    sizes = [len(windows_at(log.steps, (cutoff - EPOCH).days, max_steps)[0]) for cutoff in cutoffs]
    share = min(1.0, max_windows / max(1, sum(sizes)))
    parts = []
    for number, (cutoff, size) in enumerate(zip(cutoffs, sizes, strict=True)):
        progress.report("windows", number, len(cutoffs))
        if size == 0:
            continue
        part = log.snapshot(cutoff, horizon_days, max_steps=max_steps)
        keep = np.sort(rng.permutation(size)[: max(1, round(size * share))]).astype(np.int64)
        parts.append(part if share == 1.0 else part.take(keep))
    progress.report("windows", len(cutoffs), len(cutoffs))
    train = concat(parts) if parts else None
    buyers = 0 if train is None or train.target is None else int((train.target > 0).sum())
    if train is None or buyers < FEWEST_BUYERS:
        raise NotEnoughData("too_few_buyers", buyers=buyers, needed=FEWEST_BUYERS, horizon=horizon_days)
    return train
