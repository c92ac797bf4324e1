"""A simulated shop as one log: events by customer and day before the cutoff, and each customer's value after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.columns import CART, PURCHASE, RATING_EVENT, RETURN, VIEW
from clv_core.training.prior.order_times import (
    WEEK_DAYS,
    YEAR_DAYS,
    Customers,
    Orders,
    draw_customers,
    draw_orders,
    draw_renewals,
)
from clv_core.training.prior.shop_traits import LARGEST_RATIO, Traits, draw_traits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SIGN_UP: Final = "signup"
KINDS: Final = (CART, PURCHASE, RATING_EVENT, RETURN, SIGN_UP, VIEW)
"""Event types of a shop by their code: sorted, as the vocabulary of a real log is."""
SHORTEST_RATIO: Final = 0.05
"""Shortest second span, in horizons: the network learns any span from it to :data:`LARGEST_RATIO`. A guess."""
SMALLEST: Final = 1e-3
"""Floor of an order's value, in mean orders."""
LONGEST_RETURN_DAYS: Final = 30.0
"""Usual terms of shops."""
BEFORE_ORDER_DAYS: Final = 1.7
"""Mean time from a view to the order that it leads to; a guess."""
MAX_VIEWS_A_WEEK: Final = 20.0
"""Expected views of a customer; it bounds the size of a log."""


@dataclass(frozen=True)
class ShopLog:
    """What a simulated shop knew at its cutoff, and what came after it.

    Rows are summed by customer, day and kind, ordered by customer, day and kind, as a real log's steps are.

    Args:
        traits: what was drawn of the shop.
        offsets: rows of customer i are ``offsets[i]:offsets[i + 1]``, int64 [c + 1]; each has one at least.
        day: days since 1970-01-01, before the cutoff, int32 [s].
        kind: position in :data:`KINDS`, int32 [s].
        amount: in mean orders, negative for returns, NaN where there is none, [s].
        lines: how many events a row sums, [s].
        rating: mean rating, NaN where there is none, [s].
        ratios: lengths of two spans after the cutoff in horizons, the first 1, [2].
        values: net value of each customer in them, [c, 2].
    """

    traits: Traits
    offsets: NDArray[np.int64]
    day: NDArray[np.int32]
    kind: NDArray[np.int32]
    amount: Floats
    lines: Floats
    rating: Floats
    ratios: Floats
    values: Floats


def simulate_shop(seed: Sequence[int]) -> ShopLog:
    """Return the shop of a seed; at least one customer was seen before its cutoff.

    Args:
        seed: integers, not negative; the same ones give the same shop.
    """
    random = np.random.default_rng(list(seed))
    while True:
        shop = _simulate(draw_traits(random), random)
        if shop is not None:
            return shop


def _simulate(traits: Traits, random: np.random.Generator) -> ShopLog | None:
    people = draw_customers(traits, random)
    nothing = Happenings.none()
    sign_ups = nothing
    if traits.renewal is None:
        orders = looked_for = draw_orders(traits, people, random)
        amount = draw_spend(traits, people, orders, random)
    else:
        people, orders, starts, amount = draw_renewals(traits, people, random)
        looked_for = Orders(orders.customer[starts], orders.day[starts], orders.bad[starts], orders.left)
        if traits.renewal.signs_up:
            sign_ups = Happenings(np.arange(len(people.arrival)), people.arrival, np.full(len(people.arrival), np.nan))
    returns = draw_returns(traits, people, orders, amount, random)
    views = draw_views(traits, people, looked_for, random) if traits.kinds[0] else nothing
    carts = draw_carts(traits, people, views, looked_for, random) if traits.kinds[1] else nothing
    ratings = draw_ratings(traits, people, orders, random) if traits.kinds[2] else nothing
    parts = {
        CART: carts,
        PURCHASE: Happenings(orders.customer, orders.day, amount),
        RATING_EVENT: ratings,
        RETURN: returns,
        SIGN_UP: sign_ups,
        VIEW: views,
    }
    return _packed(traits, parts, orders, np.exp(random.uniform(np.log(SHORTEST_RATIO), np.log(LARGEST_RATIO))))


def _packed(traits: Traits, parts: dict[str, Happenings], orders: Orders, ratio: float) -> ShopLog | None:
    customer = np.concatenate([part.customer for part in parts.values()])
    day = np.floor(np.concatenate([part.day for part in parts.values()])).astype(np.int64)
    kind = np.repeat(np.arange(len(KINDS)), [len(parts[name].day) for name in KINDS])
    value = np.concatenate([part.value for part in parts.values()])
    money = np.isin(kind, (KINDS.index(PURCHASE), KINDS.index(RETURN)))
    in_history = (day >= -traits.history_days) & (day < 0)
    seen = np.unique(customer[in_history])
    if not len(seen) or not (in_history & money).any():
        return None
    ratios = np.array([1.0, ratio])
    values = np.zeros((len(orders.left), 2))
    for column, days in enumerate(ratios * traits.horizon_days):
        span = money & (day >= 0) & (day < round(days))
        values[:, column] = np.bincount(customer[span], weights=value[span], minlength=len(values))
    customer, day, kind, value, money = (
        customer[in_history],
        day[in_history],
        kind[in_history],
        value[in_history],
        money[in_history],
    )
    key = ((customer * (traits.history_days + 1) + day + traits.history_days) * len(KINDS)) + kind
    rows, row = np.unique(key, return_inverse=True)
    lines = np.bincount(row).astype(np.float64)
    total = np.bincount(row, weights=np.nan_to_num(value))
    first = np.zeros(len(rows), np.int64)
    first[row] = np.arange(len(row))
    of_row, number = kind[first], np.searchsorted(seen, customer[first])
    rated = of_row == KINDS.index(RATING_EVENT)
    return ShopLog(
        traits=traits,
        offsets=np.concatenate([[0], np.cumsum(np.bincount(number, minlength=len(seen)))]).astype(np.int64),
        day=(day[first] + traits.cutoff_day).astype(np.int32),
        kind=of_row.astype(np.int32),
        amount=np.where(money[first], total, np.nan),
        lines=lines,
        rating=np.where(rated, total / lines, np.nan),
        ratios=ratios,
        values=values[seen],
    )


def draw_spend(traits: Traits, people: Customers, orders: Orders, random: np.random.Generator) -> Floats:
    """Return the value of each order, [o]: a customer's mean, gamma or lognormal about it, prices that drift."""
    n = len(people.arrival)
    rate = np.log(np.maximum(people.rate, 1e-9))
    has_rate = people.rate > 0
    deviation = float(rate[has_rate].std()) if has_rate.sum() > 1 else 0.0
    standard = np.where(has_rate, (rate - rate[has_rate].mean()) / deviation, 0.0) if deviation > 0 else np.zeros(n)
    log_mean = traits.spend_rate * np.clip(standard, -3, 3)
    log_mean = log_mean + np.sqrt(1 - traits.spend_rate**2) * random.standard_normal(n)
    if traits.spend_kind == "gamma_gamma":
        shape = 1 / np.expm1(traits.within**2)
        about = random.gamma(shape, 1 / shape, len(orders.day))
    else:
        about = random.lognormal(-(traits.within**2) / 2, traits.within, len(orders.day))
    mean = np.exp(traits.between * log_mean)
    mean[random.uniform(size=n) < traits.whales] *= np.exp(traits.whale_height)
    drift = np.exp(traits.price_drift * orders.day / YEAR_DAYS)
    value: Floats = np.maximum(mean[orders.customer] * about * drift, SMALLEST)
    return value


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
    """Return views: those on the way to an order, and others whose rate follows the mood or does not.

    Informative views follow a customer's mood and end when she leaves; others continue at a rate of their own.
    """
    n = len(people.arrival)
    buys = people.rate > 0
    usual = np.where(buys, people.rate, np.median(people.rate[buys]) if buys.any() else 0.0)
    usual = traits.views * (traits.signal * usual + (1 - traits.signal) * usual.mean())
    view_rate = usual * random.gamma(1.5, 1 / 1.5, n)
    mood_factor = traits.signal * people.mood + (1 - traits.signal)
    there = np.clip((people.begin[None, :] + WEEK_DAYS - people.arrival[:, None]) / WEEK_DAYS, 0, 1)
    has_left = people.begin[None, :] > orders.left[:, None]
    fades = np.where(has_left, 1 - traits.signal, 1.0) * there
    expected = np.minimum(view_rate[:, None] * mood_factor * fades * WEEK_DAYS, MAX_VIEWS_A_WEEK)
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
    intent_factor = traits.signal * people.intent[views.customer, week] + (1 - traits.signal)
    in_cart = random.uniform(size=len(views.day)) < np.minimum(traits.cart_share * intent_factor, 0.9)
    bought = random.uniform(size=len(orders.day)) < 0.8
    customer = np.concatenate([views.customer[in_cart], orders.customer[bought]])
    day = np.concatenate([views.day[in_cart], orders.day[bought]])
    return Happenings(customer, day, np.full(len(day), np.nan))


def draw_ratings(traits: Traits, people: Customers, orders: Orders, random: np.random.Generator) -> Happenings:
    """Return ratings of 1 to 5: low for bad orders, and about a customer's own mean."""
    rated = random.uniform(size=len(orders.day)) < traits.rated_share
    customer = orders.customer[rated]
    mean = 4.2 + random.normal(0, 0.5, len(people.arrival))[customer] - 2.2 * orders.bad[rated]
    value = np.clip(np.round(mean + random.normal(0, 0.6, len(customer))), 1, 5)
    return Happenings(customer, orders.day[rated] + random.uniform(1, 14, len(customer)), value)
