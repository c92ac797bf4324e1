"""Which horizons a log can support, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clv_core.errors import Message

HORIZONS: Final = (7, 14, 30, 60, 90, 182, 365, 730)
WINDOWS_TO_TRAIN: Final = 2
"""History to learn from and the window to predict, both as long as the horizon."""

WINDOWS_TO_MEASURE: Final = 3
"""One window more, held out."""

BUYERS_TO_MEASURE: Final = 100

USUAL_HORIZONS: Final = (30, 60, 90, 182, 365)
"""What people plan in."""


@dataclass(frozen=True)
class HorizonSupport:
    """What a log allows for one horizon.

    Args:
        horizon_days: the horizon.
        verdict: ``measured`` (train and measure on the past), ``unmeasured`` (train only) or ``too_short``.
        reason: why.
    """

    horizon_days: int
    verdict: str
    reason: Message


def usual_horizon(log_days: int) -> int:
    """Return the longest usual horizon of which a log holds three; half of a shorter log, and 1 day at least."""
    roomy = [days for days in USUAL_HORIZONS if WINDOWS_TO_MEASURE * days <= log_days]
    return max(roomy, default=max(1, min(USUAL_HORIZONS[0], log_days // WINDOWS_TO_TRAIN)))


def supported_horizons(log_days: int, buyers: Mapping[int, int]) -> tuple[HorizonSupport, ...]:
    """Return one verdict for each of :data:`HORIZONS`.

    Args:
        log_days: days from the first to the last event.
        buyers: customers who bought in the last n days, by n.
    """
    return tuple(_support(days, log_days, buyers.get(days, 0)) for days in HORIZONS)


def _support(days: int, log_days: int, buyers: int) -> HorizonSupport:
    params: dict[str, int] = {"days": days, "found": log_days}
    if log_days < WINDOWS_TO_TRAIN * days:
        needed = WINDOWS_TO_TRAIN * days
        return HorizonSupport(days, "too_short", Message("horizon.too_short", {**params, "needed": needed}))
    if log_days < WINDOWS_TO_MEASURE * days:
        needed = WINDOWS_TO_MEASURE * days
        return HorizonSupport(days, "unmeasured", Message("horizon.unmeasured", {**params, "needed": needed}))
    if buyers < BUYERS_TO_MEASURE:
        few = {"days": days, "found": buyers, "needed": BUYERS_TO_MEASURE}
        return HorizonSupport(days, "unmeasured", Message("horizon.few_buyers", few))
    return HorizonSupport(days, "measured", Message("horizon.measured", {"days": days}))
