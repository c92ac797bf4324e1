"""Which past cutoffs a log allows to measure at."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

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
