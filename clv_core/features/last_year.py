"""Seasonality from the year before a cutoff: how far off the anchor was, and when in the year orders come.

The anchor (BG/NBD) knows no season. A year later the same weeks are likely to be as busy or as quiet, so a span that is
not the trained one is measured in *even days*, of which a busy week has more than seven.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.records import JsonRecord

YEAR_DAYS: Final = 364
"""A year of 52 weeks, so that the weekdays of both spans agree."""
PART_DAYS: Final = 28
"""Four weeks: shorter parts have too few orders."""
PARTS: Final = YEAR_DAYS // PART_DAYS
LIKELY: Final = 0.5
"""Share of a pace or a level, in logs, that is taken to repeat; half of it held better on past origins."""
CALM: Final = 5.0
"""Orders at the expected pace that are added to each part: shrinkage of parts with few orders; a guess."""
EVEN: Final = (1.0,) * PARTS
"""The pace of a year without seasons."""


@dataclass(frozen=True)
class LastYear(JsonRecord):
    """Residual and pace of the year before a cutoff, as a forecast of the one after it.

    Args:
        residual: log of actual over the anchor's total in the span of the horizon, one year before the cutoff; 0 where
            no such span lies in the log.
        pace: how fast orders are likely to come in each :data:`PART_DAYS` days after the cutoff, relative to others.
    """

    residual: float = 0.0
    pace: tuple[float, ...] = EVEN

    @classmethod
    def of(cls, residual: float, orders: NDArray[np.float64], expected: NDArray[np.float64]) -> Self:
        """Return the pace from the orders of the year before and those that the anchor expected, [PARTS] each."""
        level = orders.sum() / expected.sum()
        pace = ((orders + CALM) / (expected * level + CALM)) ** LIKELY
        return cls(residual, tuple(pace.tolist()))

    def even_days(self, days: float, span: float) -> float:
        """Return how much of ``span`` has passed after ``days``, in days of an even year; it never falls.

        Args:
            days: from the cutoff on, shorter or longer than ``span``.
            span: the trained horizon, which keeps its length.
        """
        if days == span or self.pace == EVEN:
            return days
        return span * self._passed(days) / self._passed(span)

    def days(self, even_days: float, span: float) -> float:
        """Return after how many days :meth:`even_days` are ``even_days``."""
        if even_days == span or self.pace == EVEN:
            return even_days
        edges, passed = self._year()
        years, rest = divmod(even_days / span * self._passed(span), passed[-1])
        return float(years * YEAR_DAYS + np.interp(rest, passed, edges))

    def _passed(self, days: float) -> float:
        edges, passed = self._year()
        years, rest = divmod(days, YEAR_DAYS)
        return float(years * passed[-1] + np.interp(rest, edges, passed))

    def _year(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the days at which parts of the year begin and end, and what has passed by then."""
        passed = np.concatenate([[0.0], np.cumsum(self.pace)]) * PART_DAYS
        return np.arange(PARTS + 1.0) * PART_DAYS, passed
