"""Who buys when, and who leaves: a renewal process in each customer's own time, ended by her dropout.

Her time runs with the calendar (season, Christmas, trend, monthly shocks) and with what moves her own rate (moods,
rests, seasons of her own, age), all by week. Where a shop sells subscriptions, its orders are payments: who starts one
how long after signing up, when it renews, and when it is cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.training.prior.shop_traits import LARGEST_RATIO, Traits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

YEAR_DAYS: Final = 365.25
"""Leap years included."""
WEEK_DAYS: Final = 7
"""Step of the rates."""
MONTH_WEEKS: Final = 4
"""Shocks last about a month."""
CHRISTMAS_DAYS: Final = (318.0, 358.0)
"""First and last day of the year of the peak: mid November to Christmas Eve."""
AFTER_DAYS: Final = 30.0
"""How long after Christmas less is bought; a guess."""


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
    placed = buys_first | (passed < total[customer])
    customer, day = customer[placed], day[placed]
    order = np.lexsort((day, customer))
    customer, day = customer[order], day[order]
    bad = random.uniform(size=len(day)) < _varied(traits.bad_share, n, random)[customer]
    left = np.minimum(_time_of_leaving(traits, people, random), _left_after(traits, n, customer, day, bad, random))
    active = day <= left[customer]
    return Orders(customer[active], day[active], bad[active], left)


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
        leaving_chance = random.beta(mean * 3 * traits.life_shape, (1 - mean) * 3 * traits.life_shape, n)
        repeat = np.concatenate([[False], customer[1:] == customer[:-1]])[: len(customer)]
        may_leave = repeat | (traits.dropout == "by_order")
        chance = 1 - (1 - chance) * (1 - leaving_chance[customer] * may_leave)
    leaves = random.uniform(size=len(customer)) < chance
    left = np.full(n, np.inf)
    np.minimum.at(left, customer[leaves], day[leaves])
    return left


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


def own_level(
    traits: Traits, begin: Floats, arrival: Floats, random: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return the factors on each customer's rate by week, each [n, w].

    Args:
        traits: of the shop.
        begin: first day of each week, in days after the cutoff, [w].
        arrival: day on which each customer came, in days after the cutoff, [n].
        random: source of chance.

    Returns:
        The mood, which views may show; the intent, which carts may show; and the effect of age and a season of her own.
    """
    n, weeks = len(arrival), len(begin)
    mood = np.ones((n, weeks))
    if traits.mood_deviation:
        mood *= _moved(n, weeks, traits.mood_days, traits.mood_deviation, random)
    if traits.rest_share:
        mood *= _awake(n, weeks, traits, random) / (1 - traits.rest_share)
    age = np.maximum(begin - arrival[:, None], 0) / traits.horizon_days
    other = (1 + age) ** -traits.slow_down
    if traits.seasonal_share:
        is_seasonal = random.uniform(size=n) < traits.seasonal_share
        turn = np.where(is_seasonal, random.uniform(0, YEAR_DAYS, n), 0.0)
        distance = np.abs(year_day(traits.cutoff_day + begin[None, :] - turn[:, None]) - YEAR_DAYS / 2)
        other[is_seasonal] *= (distance[is_seasonal] < YEAR_DAYS / 8) * 4.0
    if traits.intent_deviation:
        return mood, _moved(n, weeks, traits.mood_days, traits.intent_deviation, random), other
    return mood, np.ones_like(mood), other


def _moved(n: int, weeks: int, days: float, deviation: float, random: np.random.Generator) -> Floats:
    """Return factors of mean 1 whose logs are walks of that deviation, [n, weeks]."""
    return np.exp(_walk(n, weeks, days, random) * deviation - deviation**2 / 2)


def _walk(n: int, weeks: int, days: float, random: np.random.Generator) -> Floats:
    """Return stationary walks of deviation 1 that forget half in about ``days``, [n, weeks]."""
    memory = 0.5 ** (WEEK_DAYS / days)
    step = np.sqrt(1 - memory**2)
    walk = random.standard_normal((weeks, n))
    for week in range(1, weeks):
        walk[week] = memory * walk[week - 1] + step * walk[week]
    return walk.T


def _awake(n: int, weeks: int, traits: Traits, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return whether each customer is awake in each week, [n, weeks]."""
    odds = traits.rest_share / (1 - traits.rest_share)
    wakes = min(0.9, WEEK_DAYS / traits.rest_days, 0.9 / odds)
    rests = wakes * odds
    chance = random.uniform(size=(weeks, n))
    awake = np.empty((weeks, n), bool)
    awake[0] = chance[0] >= traits.rest_share
    for week in range(1, weeks):
        awake[week] = np.where(awake[week - 1], chance[week] >= rests, chance[week] < wakes)
    return awake.T


MAX_STARTS: Final = 4
"""Subscriptions of a customer one after the other; it bounds the size of a log."""
LATEST_DAYS: Final = 5
"""Days by which a late payment is late at most; a guess."""


def draw_renewals(
    traits: Traits, people: Customers, random: np.random.Generator
) -> tuple[Customers, Orders, NDArray[np.bool_], Floats]:
    """Return customers of one rate, all payments, which of them are starts, bool [o], and their value, [o].

    Customers' chances to start and to cancel are beta distributed. ``left`` of the payments is when each customer stops
    looking: some days after the sign-up, or in the last period of her last subscription.
    """
    renewal = traits.renewal
    assert renewal is not None
    n, end = len(people.arrival), LARGEST_RATIO * traits.horizon_days
    converts = random.uniform(size=n) < _betas(renewal.converts, 1.0, n, random)
    delay = renewal.delay_days * (random.uniform(size=n) ** (-1 / renewal.fades) - 1)
    delay[random.uniform(size=n) < renewal.at_once] = 0.0
    begin = np.where(converts, people.arrival + delay, np.inf)
    left = people.arrival + random.exponential(renewal.free_days, n)
    region = np.exp(renewal.region * random.standard_normal(n))
    leaving = np.column_stack([_betas(mean, renewal.leaving_alike, n, random) for mean in renewal.leaving])
    customers, days, starts, values = [], [], [], []
    for _ in range(MAX_STARTS):
        who = np.flatnonzero(begin < end)
        longer = (random.uniform(size=len(who)) < renewal.longer).astype(np.int64)
        period = renewal.period_days * np.where(longer, renewal.times, 1.0)
        paid = np.minimum(random.geometric(leaving[who, longer]), np.ceil((end - begin[who]) / period)).astype(np.int64)
        row = np.repeat(np.arange(len(who)), paid)
        place = np.arange(len(row)) - np.repeat(np.cumsum(paid) - paid, paid)
        late = np.where((place > 0) & (random.uniform(size=len(row)) < renewal.late), 1.0, 0.0)
        customers.append(who[row])
        days.append(begin[who][row] + place * period[row] + late * random.integers(1, LATEST_DAYS + 1, len(row)))
        starts.append(place == 0)
        first = np.where(place == 0, 1 - renewal.discount, 1.0)
        values.append(region[who][row] * first * np.where(longer, renewal.times * renewal.cheaper, 1.0)[row])
        over = begin[who] + paid * period
        left[who] = over - period * np.where(
            random.uniform(size=len(who)) < renewal.shows, random.uniform(size=len(who)), 0
        )
        begin[:] = np.inf
        begin[who] = over + random.exponential(traits.horizon_days / max(renewal.returns, 1e-9), len(who))
    customer, day, start, value = (np.concatenate(part) for part in (customers, days, starts, values))
    order = np.lexsort((day, customer))
    payments = Orders(customer[order], day[order], np.zeros(len(order), bool), left)
    uniform = replace(people, rate=np.full(n, 1 / renewal.period_days))
    mean = value.mean() if len(value) else 1.0
    return uniform, payments, start[order], value[order] / mean


def _betas(mean: float, concentration: float, n: int, random: np.random.Generator) -> Floats:
    """Return beta draws with that mean, whose parameters add up to ``2 * concentration``, [n]; within 1e-3 and 1."""
    mean = min(max(mean, 1e-3), 0.999)
    return np.clip(random.beta(2 * concentration * mean, 2 * concentration * (1 - mean), n), 1e-3, 1.0)
