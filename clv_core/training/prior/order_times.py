"""Who buys when, and who leaves: a renewal process in each customer's own time, ended by her dropout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clv_core.training.prior.rate_drift import own_level
from clv_core.training.prior.seasonality import WEEK_DAYS, weekly_level
from clv_core.training.prior.shop_traits import LARGEST_RATIO, Traits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Customers:
    """The customers of a shop, and how their rates move.

    Args:
        arrival: day on which each came, in days after the cutoff, [n].
        rate: orders a day at level 1, [n]; 0 for those who never come back.
        visitor: whether she came for a visit only, [n].
        begin: first day of each week, [w].
        mood: of each customer by week, [n, w].
        intent: what else moves her own rate, [n, w].
        level: the factor on her rate by week, all of that and the calendar together, [n, w].
    """

    arrival: Floats
    rate: Floats
    visitor: NDArray[np.bool_]
    begin: Floats
    mood: Floats
    intent: Floats
    level: Floats


@dataclass(frozen=True)
class Orders:
    """All orders, in order of customer and time.

    Args:
        customer: int64 [o].
        day: days after the cutoff, [o].
        bad: whether it was a bad one, [o].
        left: day after which each customer does nothing more, [n].
    """

    customer: Ints
    day: Floats
    bad: NDArray[np.bool_]
    left: Floats


def draw_customers(traits: Traits, random: np.random.Generator) -> Customers:
    """Return a shop's customers."""
    n, history = traits.customers, float(traits.history_days)
    spread = random.uniform(size=n)
    older = -history - traits.older_days * random.uniform(size=n)
    arrival = {
        "even": -history * spread,
        "burst": -history * (1 - traits.burst_share * spread),
        "growing": -history * (1 - np.sqrt(spread)),
        "settled": older,
        "mixed": np.where(random.uniform(size=n) < 0.5, older, -history * spread),
    }[traits.acquisition]
    shape = traits.rate_spread
    if traits.rate_kind == "gamma":
        rate = random.gamma(shape, 1 / shape, n)
    else:
        rate = random.lognormal(-(shape**2) / 2, shape, n)
    place = (arrival - arrival.min()) / max(float(np.ptp(arrival)), 1.0)
    rate = rate * traits.rate / traits.horizon_days * np.exp(traits.cohort_slope * (place - 0.5))
    rate[random.uniform(size=n) < traits.one_time_share] = 0.0
    first, last = min(float(arrival.min()), -history), LARGEST_RATIO * traits.horizon_days
    begin = np.arange(first, last + WEEK_DAYS, WEEK_DAYS)
    mood, intent, other = own_level(traits, begin, arrival, random)
    level = mood * intent * other * weekly_level(traits, begin, random)
    return Customers(arrival, rate, random.uniform(size=n) < traits.visitors, begin, mood, intent, level)


def draw_orders(traits: Traits, people: Customers, random: np.random.Generator) -> Orders:
    """Return what customers order until the last simulated day."""
    n = len(people.arrival)
    weeks = np.minimum(np.maximum(people.begin[None, :] + WEEK_DAYS - people.arrival[:, None], 0), WEEK_DAYS)
    own_time = np.cumsum(people.level * people.rate[:, None] * weeks, axis=1)
    total = own_time[:, -1]
    count = np.ceil(total + 4 * np.sqrt(total / traits.regularity + 1)).astype(np.int64) + 1
    customer = np.repeat(np.arange(n), count)
    starts = np.cumsum(count) - count
    gap = random.gamma(traits.regularity, 1 / traits.regularity, len(customer))
    gap[starts] *= np.where(people.visitor, random.uniform(size=n), 0.0)
    passed = np.cumsum(gap)
    passed -= np.repeat(passed[starts] - gap[starts], count)
    day = _calendar(people, own_time, customer, passed)
    first = np.zeros(len(customer), bool)
    first[starts] = True
    buys_first = first & ~people.visitor[customer]
    day[buys_first] = people.arrival[customer[buys_first]]
    known = buys_first | (passed < total[customer])
    customer, day = customer[known], day[known]
    order = np.lexsort((day, customer))
    customer, day = customer[order], day[order]
    bad = random.uniform(size=len(day)) < _varied(traits.bad_share, n, random)[customer]
    left = np.minimum(_time_of_leaving(traits, people, random), _left_after(traits, n, customer, day, bad, random))
    kept = day <= left[customer]
    return Orders(customer[kept], day[kept], bad[kept], left)


def _calendar(people: Customers, own_time: Floats, customer: Ints, passed: Floats) -> Floats:
    """Return the days at which customers' own times have passed, [o]."""
    n, width = len(own_time), float(own_time[:, -1].max()) + 1.0
    grid = np.concatenate([np.zeros((n, 1)), own_time], axis=1) + width * np.arange(n)[:, None]
    edges = np.append(people.begin, people.begin[-1] + WEEK_DAYS)
    days = np.maximum(edges[None, :], people.arrival[:, None])
    within = np.minimum(passed, own_time[customer, -1])
    day: Floats = np.interp(width * customer + within, grid.ravel(), days.ravel())
    return day


def _varied(share: float, n: int, random: np.random.Generator) -> Floats:
    """Return a chance of each customer with mean about ``share``, [n]."""
    return random.beta(max(share, 0.01) * 3, (1 - min(share, 0.99)) * 3, n)


def _time_of_leaving(traits: Traits, people: Customers, random: np.random.Generator) -> Floats:
    n, days = len(people.arrival), traits.life * traits.horizon_days
    if traits.dropout == "gamma":
        return people.arrival + random.exponential(size=n) * days / random.gamma(
            traits.life_shape, 1 / traits.life_shape, n
        )
    if traits.dropout == "weibull":
        return people.arrival + days * random.weibull(np.clip(traits.life_shape, 0.5, 3), n)
    return np.full(n, np.inf)


def _left_after(
    traits: Traits, n: int, customer: Ints, day: Floats, bad: NDArray[np.bool_], random: np.random.Generator
) -> Floats:
    """Return the day of the order after which each customer left, infinite for those who stay, [n]."""
    chance = np.where(bad, traits.bad_leaves, 0.0)
    if traits.dropout in ("by_order", "by_repeat"):
        mean = min(0.9, 1 / (1 + traits.life * max(traits.rate, 0.3)))
        own = random.beta(mean * 3 * traits.life_shape, (1 - mean) * 3 * traits.life_shape, n)
        repeat = np.concatenate([[False], customer[1:] == customer[:-1]])[: len(customer)]
        may_leave = repeat | (traits.dropout == "by_order")
        chance = 1 - (1 - chance) * (1 - own[customer] * may_leave)
    leaves = random.uniform(size=len(customer)) < chance
    left = np.full(n, np.inf)
    np.minimum.at(left, customer[leaves], day[leaves])
    return left
