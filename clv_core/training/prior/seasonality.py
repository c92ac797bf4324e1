"""What the calendar does to all customers of a shop: season, Christmas, trend, monthly shocks; by week."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.training.prior.shop_traits import Traits

Floats = NDArray[np.float64]

YEAR_DAYS: Final = 365.25
WEEK_DAYS: Final = 7
MONTH_WEEKS: Final = 4
CHRISTMAS_DAYS: Final = (318.0, 358.0)
AFTER_DAYS: Final = 30.0
"""How long after Christmas less is bought."""


def weekly_level(traits: Traits, begin: Floats, random: np.random.Generator) -> Floats:
    """Return the factor on everyone's rate in each week, mean about 1, [w].

    Args:
        traits: of the shop.
        begin: first day of each week, in days after the cutoff (negative before it), [w].
        random: source of chance.
    """
    of_year = year_day(traits.cutoff_day + begin + WEEK_DAYS / 2)
    level = np.exp(traits.season * np.sin(2 * np.pi * of_year / YEAR_DAYS + traits.season_turn))
    peak = (of_year >= CHRISTMAS_DAYS[0]) & (of_year < CHRISTMAS_DAYS[1])
    after = (of_year >= CHRISTMAS_DAYS[1]) | (of_year < CHRISTMAS_DAYS[1] + AFTER_DAYS - YEAR_DAYS)
    level *= 1 + traits.christmas * peak - min(0.4, traits.christmas / 4) * after
    level *= np.exp(traits.trend * begin / YEAR_DAYS)
    months = random.normal(0, traits.shock, len(begin) // MONTH_WEEKS + 1)
    return level * np.exp(np.repeat(months, MONTH_WEEKS)[: len(begin)])


def year_day(day: Floats) -> Floats:
    """Return the day of the year of days since 1970-01-01, near enough for a season."""
    return np.mod(day, YEAR_DAYS)
