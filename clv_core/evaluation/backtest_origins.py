"""Choose the past cutoffs at which a log allows a backtest, and make the snapshots to predict there."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from clv_core.config import TrainConfig
from clv_core.errors import NotEnoughData
from clv_core.features.log import EventLog
from clv_core.features.season import scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.training.windows import training_cutoffs

MOST_ORIGINS: Final = 5
"""Where nobody says how many: as many as the log allows, at most these."""


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
