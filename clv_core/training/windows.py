"""Which past cutoffs a model learns from, and the training snapshot of all of them.

A complete window has its full horizon before the end. The cutoffs of the last horizon have only a part of theirs:
those partial windows show what customers do now, at the ages that they have when they are scored, and count for what
they cover (:attr:`~clv_core.features.snapshot.Snapshot.exposure`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection import history_days
from clv_core.config import TrainConfig
from clv_core.errors import NotEnoughData
from clv_core.features import BASIS, HISTORY, EventLog, Snapshot, concat, windows_at
from clv_core.jobs import Progress
from clv_core.model import exposure

MIN_BUYERS = 30
"""Below it a mean over buyers is off by a fifth and more: nothing to learn from. A guess."""
MOST_ORIGINS: Final = 5
"""By default as many origins as the log allows, at most these: each costs a training."""
MIN_WINDOWS: Final = 50
"""A guess: as many as one leaf of boosted trees holds (``min_data_in_leaf``)."""
SHORTEST_LABEL: Final = 0.25
"""Smallest part of the horizon that a partial window covers: a shorter one holds few orders. A guess."""
MIN_WINDOWS_ALLOWED: Final = 150_000
"""Enough for CDNOW (:data:`WINDOWS_AN_EVENT`); a log of many events has more to learn from."""
WINDOWS_AN_EVENT: Final = 2
"""Twice as many of CDNOW, three events a customer, teach nothing more (tests/bench/README.md)."""
EPOCH = date(1970, 1, 1)


def training_cutoffs(first_day: date, end: date, horizon_days: int, count: int) -> list[date]:
    """Return up to ``count`` cutoffs, the latest first, whose label windows end by ``end``.

    They are spaced max(7 days, horizon / 8) and leave at least 28 days (or the horizon, if shorter) of history.
    """
    last = end - timedelta(days=horizon_days)
    cutoffs = (last - number * _step(horizon_days) for number in range(count))
    return [cutoff for cutoff in cutoffs if cutoff >= _earliest(first_day, horizon_days)]


def rolling_origins(first_day: date, end: date, horizon_days: int, count: int = MOST_ORIGINS) -> list[date]:
    """Return up to ``count`` origins one horizon apart, the earliest first, the last with its horizon just complete.

    Each leaves at least one training cutoff whose label window ends before it.

    Args:
        first_day: local date of the log's first event.
        end: first midnight after the log.
        horizon_days: length of the predicted span.
        count: most origins.
    """
    origins = []
    for number in range(1, count + 1):
        origin = end - timedelta(days=number * horizon_days)
        if not training_cutoffs(first_day, origin, horizon_days, 1):
            break
        origins.append(origin)
    return sorted(origins)


def partial_cutoffs(first_day: date, end: date, horizon_days: int) -> list[date]:
    """Return the cutoffs between those of :func:`training_cutoffs` and ``end``, at the same distance, the latest first.

    Their label windows are cut off by ``end``, and at least a quarter of the horizon is left of each.
    """
    step = _step(horizon_days)
    most = (horizon_days - max(1, round(SHORTEST_LABEL * horizon_days))) // step.days
    complete = end - timedelta(days=horizon_days)
    cutoffs = (complete + number * step for number in range(most, 0, -1))
    return [cutoff for cutoff in cutoffs if cutoff >= _earliest(first_day, horizon_days)]


def longest_horizon(first_day: date, end: date) -> int:
    """Return the longest horizon, in days, that leaves one training cutoff before ``end``; 0 where none does."""
    days = (end - first_day).days
    return next((horizon for horizon in range(days, 0, -1) if horizon + history_days(horizon) <= days), 0)


def training_data(log: EventLog, end: date, config: TrainConfig, progress: Progress) -> Snapshot:
    """Return the snapshot of all customers at all past cutoffs with their targets.

    Args:
        log: the events.
        end: nothing at or after this midnight is learned from.
        config: horizon, cutoffs, partial windows, steps of a window, and the seed of the sample that is taken where
            there are more than :func:`most_windows`.
        progress: listener.

    Raises:
        NotEnoughData: no cutoff fits, or fewer than 30 complete windows hold a purchase after their cutoff.
    """
    horizon_days, max_steps = config.horizon_days, config.max_steps_back
    limit = most_windows(config, int((log.steps.day < (end - EPOCH).days).sum()))
    complete = training_cutoffs(log.first_day, end, horizon_days, config.cutoffs)
    if not complete:
        longest, days = longest_horizon(log.first_day, log.end), (log.end - log.first_day).days
        facts = {"horizon": horizon_days, "days": days, "end": log.end.isoformat()}
        if longest < 1:
            raise NotEnoughData("log_too_short", **facts)
        raise NotEnoughData("horizon_too_long", **facts, longest=longest)
    latest = partial_cutoffs(log.first_day, end, horizon_days) if config.partial_windows else []
    cutoffs = [*complete, *latest]
    sizes = [len(windows_at(log.steps, (cutoff - EPOCH).days, max_steps)[0]) for cutoff in cutoffs]
    of_complete, of_all = (min(1.0, limit / max(1, sum(some))) for some in (sizes[: len(complete)], sizes))
    rng = np.random.default_rng(config.seed)
    parts, columns = list[Snapshot](), list[dict[str, NDArray[Any]]]()
    for number, (cutoff, size) in enumerate(zip(cutoffs, sizes, strict=True)):
        progress.report("windows", number, len(cutoffs))
        if size == 0:
            continue
        part = _labelled(log, cutoff, horizon_days, min(horizon_days, (end - cutoff).days), max_steps)
        share = of_complete if number < len(complete) else of_all
        keep = np.sort(rng.permutation(size)[: max(1, round(size * share))]).astype(np.int64)
        part = part if share == 1.0 else part.take(keep)
        columns.append(_columns(part.features))
        parts.append(replace(part, table=part.features[[]]))
    progress.report("windows", len(cutoffs), len(cutoffs))
    train = concat(parts) if parts else None
    if train is not None:  # column by column: a second frame next to those of the parts would take twice the memory
        joined = {name: np.concatenate([part.pop(name) for part in columns]) for name in list(columns[0])}
        train = replace(train, table=pd.DataFrame(joined, train.features.index, copy=False))
    buyers = 0
    if train is not None and train.target is not None:
        is_complete = True if train.exposure is None else train.exposure == 1
        buyers = int(((train.target > 0) & is_complete).sum())
    if train is None or buyers < MIN_BUYERS:
        raise NotEnoughData("too_few_buyers", buyers=buyers, needed=MIN_BUYERS, horizon=horizon_days)
    return thinned(train, limit, config.seed)


def _columns(features: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Return a copy of each feature: what models start from in float64, all other numbers in float32."""
    exact = {*BASIS, *HISTORY}
    return {
        str(name): column.to_numpy(np.float32 if column.dtype == np.float64 and name not in exact else None, copy=True)
        for name, column in features.items()
    }


def _labelled(log: EventLog, cutoff: date, horizon_days: int, label_days: int, max_steps: int) -> Snapshot:
    """Return the snapshot at ``cutoff`` whose target covers ``label_days``, with its exposure where that is a part."""
    part = log.snapshot(cutoff, horizon_days, max_steps=max_steps, label_days=label_days)
    if label_days < horizon_days:
        part = replace(part, exposure=np.minimum(exposure(part, horizon_days, label_days), 1 - 1e-9))
    return replace(part, levels={(cutoff - EPOCH).days: _level(part)})


def _level(part: Snapshot) -> float:
    """Return the anchor's total over the actual one of the buyers of one cutoff; 1 where either is nothing."""
    assert part.target is not None
    expected = part.anchor_value
    if part.exposure is not None:
        expected = expected * part.exposure
    anchors, actual = float(expected[part.bought].sum()), float(part.target[part.bought].sum())
    return anchors / actual if anchors > 0 and actual > 0 else 1.0


def _step(horizon_days: int) -> timedelta:
    return timedelta(days=max(7, round(horizon_days / 8)))


def _earliest(first_day: date, horizon_days: int) -> date:
    return first_day + timedelta(days=history_days(horizon_days))


def most_windows(config: TrainConfig, events: int) -> int:
    """Return how many windows are learned from at most: a log of few events repeats itself in more."""
    return min(config.max_windows, max(MIN_WINDOWS_ALLOWED, WINDOWS_AN_EVENT * events))


def thinned(train: Snapshot, rows: int, seed: int) -> Snapshot:
    """Return the snapshot with as many of its complete windows as make it ``rows`` long; partial ones all stay."""
    if train.exposure is None or len(train) <= rows:
        return train
    partial, complete = np.flatnonzero(train.exposure < 1), np.flatnonzero(train.exposure == 1)
    left = np.random.default_rng(seed).permutation(complete)[: max(MIN_WINDOWS, rows - len(partial))]
    return train.take(np.sort(np.concatenate([partial, left])))
