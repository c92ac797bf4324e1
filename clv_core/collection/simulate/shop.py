"""The simulated shop: what it sells, and the rules that its customers follow.

A customer is in one of four moods: gone, quiet, curious, keen. The mood decides how often she visits, how likely a
visit is to fill a cart, and how likely a cart is to be bought; it changes from day to day by a Markov chain of her
own. Moods are hidden, but views and carts show them long before a purchase does. A bad experience with an order
may end it all at once, and shows in ratings and returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.simulate.simulation import START

Floats = NDArray[np.float64]

GONE, QUIET, CURIOUS, KEEN = 0, 1, 2, 3
"""Moods, as positions in the arrays below."""
MOODS: Final = 4
"""Their number."""
VISIT: Final = np.array([0.0, 0.003, 0.04, 0.055])
"""Chance of a visit on a plain day, by mood."""
CART: Final = np.array([0.0, 0.05, 0.10, 0.65])
"""Chance that a visit fills a cart, by mood."""
BUY: Final = np.array([0.0, 0.40, 0.50, 0.65])
"""Chance that a cart is bought, by mood."""
EXTRA_VIEWS: Final = np.array([0.0, 0.3, 0.6, 0.6])
"""Mean number of views of a visit beyond the first, by mood."""

EXTRA_LINES: Final = 0.3
"""Mean number of lines of an order beyond the first."""
LEAVE_WHEN_BAD: Final = 0.7
"""Chance that a bad experience ends it."""
RETURN_WHEN_BAD, RETURN_WHEN_GOOD = 0.35, 0.03
"""Chance that an order is returned, after a bad and a good experience."""
RETURN_DAYS: Final = 14
"""A return comes 1 to this many days after its order, each day equally likely."""
DISCOUNTS: Final = np.array([0.1, 0.2, 0.3])
"""Shares taken off, each equally likely where there is a discount at all."""

CATEGORIES: Final = ("Coffee", "Tea", "Kitchen", "Garden", "Books", "Toys", "Sport", "Electronics")
POPULARITY: Final = np.array([0.2, 0.1, 0.16, 0.1, 0.16, 0.1, 0.1, 0.08])
BASE_PRICE: Final = np.array([11.0, 9.0, 24.0, 19.0, 14.0, 17.0, 34.0, 75.0])
LEVEL_PRICE: Final = np.array([0.5, 1.0, 2.4])
"""Price of the basic, standard and premium level against the category's base."""
PER_CELL: Final = 6
"""Products of one category and level."""


@dataclass(frozen=True)
class Shift:
    """A change of regime from one day on, an offer, and how strong the season is; the default changes nothing.

    Args:
        day: first day of the new regime.
        visits: factor on visits.
        price: factor on prices.
        leaving: factor on the daily chance to leave.
        offer_day: day on which an offer is sent.
        wakes: each customer's chance that the offer makes her keen where she is quiet or curious, [n]; None: no offer.
        season: strength of the season.
    """

    day: int = 10**9
    visits: float = 1.0
    price: float = 1.0
    leaving: float = 1.0
    offer_day: int = -1
    wakes: Floats | None = None
    season: float = 1.0


def catalogue(random: np.random.Generator) -> Floats:
    """Return the list prices, in cents' precision, shape [categories, levels, PER_CELL]."""
    spread = random.lognormal(0.0, 0.25, (len(CATEGORIES), len(LEVEL_PRICE), PER_CELL))
    prices: Floats = np.round(BASE_PRICE[:, None, None] * LEVEL_PRICE[None, :, None] * spread, 2)
    return prices


def season(day: NDArray[np.int64], strength: float = 1.0) -> Floats:
    """Return the factor on visits of each day since the log's start: a slow wave, and a peak in early December.

    Args:
        day: days since the log's start.
        strength: factor on how far it goes from 1.
    """
    of_year = (day + START.timetuple().tm_yday - 1) % 365.25
    wave = 0.15 * np.sin(2 * np.pi * (of_year - 200) / 365.25) + 0.7 * np.exp(-(((of_year - 338) / 13) ** 2))
    factor: Floats = 1 + strength * wave
    return factor


def sale(day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which days since the log's start are sale days (late June, late November), when discounts are frequent."""
    dates = np.datetime64(START) + day.astype("timedelta64[D]")
    month = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    of_month = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    on_sale: NDArray[np.bool_] = ((month == 6) & (of_month >= 20)) | ((month == 11) & (of_month >= 20))
    return on_sale


def discount_chance(deals: Floats, day: NDArray[np.int64]) -> Floats:
    """Return the chance that a line is discounted, for customers' proneness and the day."""
    return np.minimum(1.0, deals * np.where(sale(day), 3.0, 1.0))


def returned_by(days_left: NDArray[np.int64]) -> Floats:
    """Return the share of an order's returns that come within ``days_left`` days."""
    return np.clip(days_left, 0, RETURN_DAYS) / RETURN_DAYS
