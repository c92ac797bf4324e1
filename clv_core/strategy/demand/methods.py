"""What each method expects of products from a cutoff on: customers' purchases, and methods that know no customers.

Customers' purchases are the shop's forecast by week (:mod:`clv_core.strategy.forecast`) times what such customers buy
(:mod:`.baskets`). Where more of the revenue is expected from customers still to be won than came from new ones lately,
products that new customers buy gain by that. A simple method takes the pieces of past weeks. One may say what
categories sell in all while another says how their products share that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Final, NamedTuple, Self

import numpy as np

from clv_core.strategy.demand.baskets import BLOCK, Baskets, Spreads, by_category, past_ends, shared
from clv_core.strategy.demand.product_days import WEEK, YEAR_WEEKS, Floats, Ints, ProductDays
from clv_core.strategy.forecast import PARTS, Forecast, PastForecast

MOST_AHEAD: Final = 13
"""Weeks ahead that are forecast: a quarter; tests are about the first four."""
CUSTOMERS: Final = PARTS
"""The method by the shop's forecast, called as there."""
SEASONAL_NAIVE, LAST_WEEKS = "seasonal_naive", "last_weeks"
SIMPLE: Final = (SEASONAL_NAIVE, LAST_WEEKS)
"""Last year's same weeks; the mean of the last eight weeks."""
MEAN_WEEKS: Final = 8
"""As the simple forecast of the shop has it."""
USUAL_ERROR: Final = 0.15
"""What the shop's forecast is off by where no past date shows it; the same guess as there."""
NEWCOMER_UNITS: Final = 30.0
"""Pieces of a product that its share of new customers is pulled to the shop's by; a guess."""
MOST_SHIFT: Final = 2.0
"""A change in the number of new customers moves a product by this factor at most; a guess."""
NORMAL_80: Final = 1.2815515655446004
"""The 90% quantile of a standard normal distribution: half the width of an 80% range."""


class Shown(NamedTuple):
    """What is shown: whose sums categories have, and by whose expectations products share them."""

    categories: str = CUSTOMERS
    products: str = CUSTOMERS


@dataclass(frozen=True, eq=False)
class Ahead:
    """What the shop is expected to take; money in the log's currency.

    Args:
        revenue: net revenue of each week, [w].
        won: share of customers still to be won in the revenue of ``span`` days.
        span: in days.
        week_error: relative variance of a week's revenue, [w].
        block_error: of the first four weeks' revenue.
    """

    revenue: Floats
    won: float
    span: int
    week_error: Floats
    block_error: float

    @classmethod
    def of(cls, made: Forecast) -> Ahead:
        """Read the weeks ahead of a forecast."""
        days = min(MOST_AHEAD * WEEK, made.days)
        total = made.known[:days] + made.won[:days]
        weeks = total.reshape(-1, WEEK).sum(axis=1)
        sums = made.sums()
        won = sums.won / sums.total if sums.total > 0 else 0.0
        if made.draws is None:
            return cls(weeks, won, made.horizon_days, np.full(len(weeks), USUAL_ERROR**2), USUAL_ERROR**2)
        courses = made.draws["total"][:, :days].reshape(len(made.draws["total"]), -1, WEEK).sum(axis=2)
        return cls(weeks, won, made.horizon_days, _relative(courses), float(_relative(courses[:, :BLOCK].sum(axis=1))))

    def until(self, weeks: int) -> Ahead:
        """Return the same of the first weeks."""
        return replace(self, revenue=self.revenue[:weeks], week_error=self.week_error[:weeks])

    @classmethod
    def of_past(cls, test: PastForecast) -> Ahead:
        """Read the weeks of a forecast as of a past date."""
        weeks = np.array(test.expected[: test.days // WEEK])
        total = test.known + test.won
        error = USUAL_ERROR**2
        if test.low is not None and test.high is not None and test.low > 0:
            error = float(np.log(test.high / test.low) / (2 * NORMAL_80)) ** 2
        return cls(weeks, test.won / total if total > 0 else 0.0, test.days, np.full(len(weeks), error), error)


@dataclass(frozen=True, eq=False)
class Expectation:
    """Expected pieces by a method with what its variances are, at one cutoff.

    Args:
        mean: [p, w].
        baskets: by what products share their categories' sums.
        spreads: how far it is off, but for the shop's revenue.
        week_error: relative variance by the shop's revenue, [w].
        block_error: of four weeks.
    """

    mean: Floats
    baskets: Baskets
    spreads: Spreads
    week_error: Floats
    block_error: float


@dataclass(frozen=True, eq=False)
class Methods:
    """What each method expects as of a cutoff; those that the log is too short for are left out.

    Args:
        units: pieces by product and week up to the cutoff, [p, w].
        learned: how products share what the shop takes.
        customers: pieces of each product and week by customers' purchases, [p, ahead].
        ahead: what the shop is expected to take.
    """

    units: Floats
    learned: Baskets
    customers: Floats
    ahead: Ahead

    @classmethod
    def of(cls, days: ProductDays, cutoff: date, ahead: Ahead, category: Ints) -> Self:
        """Learn from what lies before a cutoff."""
        units, shop = days.weekly(cutoff)
        learned = Baskets.of(units, shop, category, _known_price(days, cutoff))
        mean = learned.expected(units, shop, ahead.revenue) * _newcomers_factor(days, cutoff, ahead)[:, None]
        return cls(units, learned, mean, ahead)

    @cached_property
    def names(self) -> list[str]:
        """Methods that can answer."""
        return [CUSTOMERS, *simple_methods(self.units, 1)]

    @property
    def choices(self) -> list[Shown]:
        """All that could be shown."""
        return [Shown(categories, products) for categories in self.names for products in self.names]

    def mean(self, by: Shown) -> Floats:
        """Return pieces of each product and week ahead, [p, ahead]."""
        return self._shared(by, self.units, self.customers)

    def expected(self, by: Shown) -> Expectation:
        """Return these pieces with how far they may be off, as it was on the past dates that ``learned`` has."""
        if by == Shown():
            return Expectation(
                self.customers, self.learned, self.learned.spreads, self.ahead.week_error, self.ahead.block_error
            )
        pasts = []
        for end, past in zip(past_ends(self.units.shape[1]), self.learned.pasts, strict=True):
            if set(by) <= {CUSTOMERS, *simple_methods(self.units[:1, :end], 1)}:
                pasts.append(replace(past, mean=self._shared(by, self.units[:, :end], past.mean)))
        spreads = Spreads.of(pasts, self.learned.category, self.learned.known)
        if by.categories == CUSTOMERS:
            return Expectation(self.mean(by), self.learned, spreads, self.ahead.week_error, self.ahead.block_error)
        return Expectation(self.mean(by), self.learned, spreads, np.zeros(len(self.ahead.revenue)), 0.0)

    def _shared(self, by: Shown, units: Floats, customers: Floats) -> Floats:
        """Return pieces by ``by`` as of the end of ``units``, of which customers' purchases say ``customers``.

        Where what shares a category's sum expects nothing of it, customers' purchases share it.
        """
        category, weeks = self.learned.category, customers.shape[1]
        mean, wanted = customers, by_category(customers, category)
        if by.products != CUSTOMERS:
            simple = simple_methods(units, weeks)[by.products]
            mean = np.where(by_category(simple, category)[category] > 0, simple, customers)
        if by.categories != CUSTOMERS:
            groups = simple_methods(by_category(units, category), weeks)[by.categories]
            wanted = groups * self.learned.known[:, None]
        return customers if by == Shown() else shared(mean, wanted, category)


def simple_methods(units: Floats, ahead: int) -> dict[str, Floats]:
    """Return pieces of each product and week by methods that know no customers, [p, ahead] each.

    Args:
        units: pieces by product and week, up to a cutoff, [p, w].
        ahead: weeks.
    """
    found = {LAST_WEEKS: np.repeat(units[:, -MEAN_WEEKS:].mean(axis=1)[:, None], ahead, axis=1)}
    if units.shape[1] >= YEAR_WEEKS:
        begin = units.shape[1] - YEAR_WEEKS
        found[SEASONAL_NAIVE] = units[:, begin : begin + ahead]
    return found


def _known_price(days: ProductDays, cutoff: date) -> Floats:
    """Return what a piece of each product brought before a cutoff, [p]; what one of the shop did where that is 0."""
    sums = days.sums(0, days.day_of(cutoff))
    price, usual = price_of(sums), sums["revenue"].sum() / max(float(sums["units"].sum()), 1e-9)
    return np.where(price > 0, price, usual if usual > 0 else 1.0)


def _newcomers_factor(days: ProductDays, cutoff: date, ahead: Ahead) -> Floats:
    """Return by how much a product gains where another share of revenue comes from new customers than lately, [p]."""
    span = cutoff - timedelta(days=ahead.span), cutoff
    even = np.ones(len(days.products))
    first = days.day_of(span[0])
    if span not in days.newcomers or first < 0:
        return even
    new, money = days.newcomers[span]
    stop = days.day_of(cutoff)
    sold, total = days.sums(first, stop)["units"], float(days.shop[first:stop].sum())
    lately = money / total if total > 0 else 0.0
    if not (0.01 < lately < 0.9 and 0 < ahead.won < 1 and sold.sum() > 0):
        return even
    usual = new.sum() / sold.sum()
    share = (new + NEWCOMER_UNITS * usual) / (sold + NEWCOMER_UNITS)
    factor = (1 - share) * (1 - ahead.won) / (1 - lately) + share * ahead.won / lately
    level = float((factor * sold).sum() / sold.sum())  # the shop's forecast has the level
    clipped: Floats = np.clip(factor / level, 1 / MOST_SHIFT, MOST_SHIFT)
    return clipped


def price_of(sums: Mapping[str, Floats]) -> Floats:
    """Return what a piece brought of each row of :meth:`ProductDays.sums`; 0 where none was sold."""
    return share_of(sums["revenue"], sums["units"])


def share_of(part: Floats, whole: Floats) -> Floats:
    """Return parts of wholes, [n]; 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _relative(draws: Floats) -> Floats:
    mean = np.maximum(draws.mean(axis=0), 1e-9)
    relative: Floats = draws.var(axis=0) / mean**2
    return relative
