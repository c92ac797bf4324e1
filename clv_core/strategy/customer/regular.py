"""A customer who orders like clockwork: when the next order comes, by that customer's own pauses.

BG/NBD takes every purchase for a matter of luck, at a rate of the customer's own: the day after an order another one is
as near as it ever is. Of somebody who orders every thirty days that is false. Where a customer's pauses vary little,
the next one is drawn from the same normal law as those before, whose mean and spread are only known from them:
Student's t about their mean. The pause of whom has not ordered yet is longer than the days since the last order.

Few customers of chance alone seem regular: of exponential pauses, four vary as little as :data:`STEADY` in one case of
a hundred, more of them hardly ever.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

FEWEST_GAPS: Final = 4
LATEST_GAPS: Final = 12
"""How many pauses are looked at, from the last one back: habits change."""
STEADY: Final = 0.2
"""Largest coefficient of variation of pauses that are called regular."""
SMALLEST_SPREAD: Final = 0.5
"""Days; that no pause differed yet does not say that none will."""
OVERDUE: Final = 0.95
"""Chance of a shorter pause than the present one, from which on the customer has left the rhythm."""


@dataclass(frozen=True)
class Regular:
    """The next pause of one regular customer: Student's t, given that it is at least as long as the present one.

    Args:
        mean: of the pauses, days.
        spread: scale of the law of the next one, days.
        freedom: its degrees of freedom.
        since: days from the last order to the cutoff.
    """

    mean: float
    spread: float
    freedom: int
    since: int

    @classmethod
    def of(cls, bought: NDArray[np.datetime64], cutoff: np.datetime64, horizon_days: int) -> Self | None:
        """Return the law of a customer's next pause; None: no regular customer, out of rhythm, or not due by then.

        Args:
            bought: days of purchase before the cutoff, ascending, [n].
            cutoff: first day of the horizon.
            horizon_days: by its end the next order must be more likely due than not.
        """
        gaps = np.diff(bought).astype(np.float64)[-LATEST_GAPS:]
        if len(gaps) < FEWEST_GAPS or gaps.std(ddof=1) > STEADY * gaps.mean():
            return None
        spread = max(float(gaps.std(ddof=1)), SMALLEST_SPREAD) * math.sqrt(1 + 1 / len(gaps))
        since = int((cutoff - bought[-1]).astype(np.int64))
        found = cls(float(gaps.mean()), spread, len(gaps) - 1, since)
        if found._shorter(since) > OVERDUE or found._within(horizon_days) < 0.5:
            return None
        return found

    def day_of(self, share: float, horizon_days: int) -> int:
        """Return the day of the horizon, 0 is its first, by which next to ``share`` of its orders have come.

        Of somebody regular a single day holds many of them: the day counts by which the share is nearest.
        """
        before = self._shorter(self.since)
        level = before + (1 - before) * share * self._within(horizon_days)
        pause = self.mean + self.spread * float(stdtrit(self.freedom, level))
        return min(max(0, round(pause - 0.5) - self.since), horizon_days - 1)

    def _within(self, horizon_days: int) -> float:
        """Return the chance that the pause ends in the horizon, given that it has not ended yet."""
        before = self._shorter(self.since)
        return (self._shorter(self.since + horizon_days) - before) / (1 - before)

    def _shorter(self, days: int) -> float:
        """Return the chance of a pause of fewer days; pauses are whole days."""
        return float(stdtr(self.freedom, (days - 0.5 - self.mean) / self.spread))
