"""Returns, views, carts and ratings: what they say about a customer goes from nothing to a lot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.training.prior.order_times import Customers, Orders
from clv_core.training.prior.seasonality import WEEK_DAYS
from clv_core.training.prior.shop_traits import Traits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LONGEST_RETURN_DAYS: Final = 30.0
BEFORE_ORDER_DAYS: Final = 1.7
"""Mean time from a view to the order that it leads to."""
MOST_VIEWS_A_WEEK: Final = 20.0


@dataclass(frozen=True)
class Happenings:
    """Events of one kind: ``customer`` int64 [e], ``day`` after the cutoff [e], ``value`` [e] (amount or rating)."""

    customer: Ints
    day: Floats
    value: Floats

    @classmethod
    def none(cls) -> Happenings:
        """Return no event."""
        return cls(np.empty(0, np.int64), np.empty(0), np.empty(0))


def draw_returns(
    traits: Traits, people: Customers, orders: Orders, amount: Floats, random: np.random.Generator
) -> Happenings:
    """Return what comes back, with negative amounts; bad orders do so more often."""
    if not traits.returned:
        return Happenings.none()
    taste = np.exp(traits.returned_spread * random.standard_normal(len(people.arrival)))
    chance = np.clip(traits.returned * taste[orders.customer] * np.where(orders.bad, 3.0, 0.7), 0, 0.9)
    back = random.uniform(size=len(amount)) < chance
    part = np.where(random.uniform(size=back.sum()) < 0.6, 1.0, random.uniform(0.2, 1.0, back.sum()))
    day = orders.day[back] + random.uniform(0, LONGEST_RETURN_DAYS, back.sum())
    return Happenings(orders.customer[back], day, -part * amount[back])


def draw_views(traits: Traits, people: Customers, orders: Orders, random: np.random.Generator) -> Happenings:
    """Return views: those on the way to an order, and others whose rate tells the mood or does not.

    Telling views follow a customer's mood and end when she leaves; others go on at a rate of their own.
    """
    n = len(people.arrival)
    buys = people.rate > 0
    usual = np.where(buys, people.rate, np.median(people.rate[buys]) if buys.any() else 0.0)
    usual = traits.views * (traits.telling * usual + (1 - traits.telling) * usual.mean())
    own = usual * random.gamma(1.5, 1 / 1.5, n)
    tells = traits.telling * people.mood + (1 - traits.telling)
    there = np.clip((people.begin[None, :] + WEEK_DAYS - people.arrival[:, None]) / WEEK_DAYS, 0, 1)
    gone = people.begin[None, :] > orders.left[:, None]
    fades = np.where(gone, 1 - traits.telling, 1.0) * there
    expected = np.minimum(own[:, None] * tells * fades * WEEK_DAYS, MOST_VIEWS_A_WEEK)
    count = random.poisson(expected)
    customer, week = np.nonzero(count)
    times = count[customer, week]
    customer, week = np.repeat(customer, times), np.repeat(week, times)
    end = people.begin[week] + WEEK_DAYS
    day = end - (end - np.maximum(people.begin[week], people.arrival[customer])) * random.uniform(size=len(week))
    looked = random.uniform(size=len(orders.day)) < 0.8
    before = orders.day[looked] - random.exponential(BEFORE_ORDER_DAYS, looked.sum())
    came = np.arange(n)
    customer = np.concatenate([customer, orders.customer[looked], came])
    day = np.concatenate([day, np.maximum(before, people.arrival[orders.customer[looked]]), people.arrival])
    return Happenings(customer, day, np.full(len(day), np.nan))


def draw_carts(
    traits: Traits, people: Customers, views: Happenings, orders: Orders, random: np.random.Generator
) -> Happenings:
    """Return carts: of views, more of them the stronger the intent, and of most orders on their own day."""
    week = np.clip(((views.day - people.begin[0]) // WEEK_DAYS).astype(np.int64), 0, len(people.begin) - 1)
    tells = traits.telling * people.intent[views.customer, week] + (1 - traits.telling)
    kept = random.uniform(size=len(views.day)) < np.minimum(traits.cart_share * tells, 0.9)
    bought = random.uniform(size=len(orders.day)) < 0.8
    customer = np.concatenate([views.customer[kept], orders.customer[bought]])
    day = np.concatenate([views.day[kept], orders.day[bought]])
    return Happenings(customer, day, np.full(len(day), np.nan))


def draw_ratings(traits: Traits, people: Customers, orders: Orders, random: np.random.Generator) -> Happenings:
    """Return ratings of 1 to 5: low for bad orders, and about a customer's own mean."""
    rated = random.uniform(size=len(orders.day)) < traits.rated_share
    customer = orders.customer[rated]
    mean = 4.2 + random.normal(0, 0.5, len(people.arrival))[customer] - 2.2 * orders.bad[rated]
    value = np.clip(np.round(mean + random.normal(0, 0.6, len(customer))), 1, 5)
    return Happenings(customer, orders.day[rated] + random.uniform(1, 14, len(customer)), value)
