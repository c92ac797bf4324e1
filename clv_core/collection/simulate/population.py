"""The shop's customers: who they are, what stays true of each of them, and what they are worth in expectation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.simulate.channels import MONTH_DAYS, NAMES, SEEKERS_DISCOUNTS, Assigned, assign_channels
from clv_core.collection.simulate.shop import (
    BUY,
    CART,
    CATEGORIES,
    CURIOUS,
    DISCOUNTS,
    EXTRA_LINES,
    GONE,
    KEEN,
    LEAVE_WHEN_BAD,
    MOODS,
    POPULARITY,
    QUIET,
    RETURN_WHEN_BAD,
    RETURN_WHEN_GOOD,
    VISIT,
    Floats,
    Shift,
    discount_chance,
    returned_by,
    sale,
    season,
)
from clv_core.collection.simulate.simulation import SimulationPlan

CHANNELS: Final = ("search", "social", "email", "direct", "affiliate")
CHANNEL_SHARE: Final = np.array([0.34, 0.24, 0.14, 0.18, 0.10])
CHANNEL_INTEREST: Final = np.array([1.0, 0.8, 1.35, 1.25, 0.65])
COUNTRIES: Final = ("US", "GB", "DE", "FR", "CN", "SG")
COUNTRY_SHARE: Final = np.array([0.38, 0.16, 0.12, 0.08, 0.18, 0.08])
BASE_SHARE: Final = 0.35
"""Share of customers already there when the log begins; the others come evenly over it."""
FIRST_MOODS_OF_BASE: Final = (0.75, 0.15, 0.10)
"""The same for customers who are there when the log begins: most have become quiet."""
FIRST_MOODS: Final = (0.3, 0.5, 0.2)
"""Shares of quiet, curious and keen at the first visit."""
FAVOURITE: Final = 0.5
"""Chance that a customer looks at her favourite category rather than at any."""


@dataclass(frozen=True)
class Population:
    """n customers.

    Args:
        arrival: day of the first visit since the log's start, int64 [n].
        interest: factor on becoming curious or keen, mean about 1, [n].
        restlessness: factor on leaving, mean about 1, [n].
        pickiness: chance that an order is a bad experience, [n].
        deals: chance of a discount on a line on a plain day, [n].
        extra_quantity: mean quantity of a line beyond 1, [n].
        levels: chance of each price level, [n, 3].
        favourite: position in ``CATEGORIES``, int64 [n].
        channel: position in :data:`CHANNELS`, int64 [n].
        country: position in :data:`COUNTRIES`, int64 [n].
        mood: mood at the first visit, int64 [n].
        channels: names that ``channel`` counts.
        seeker: whether she orders once, for a discount, and never again, bool [n].
    """

    arrival: NDArray[np.int64]
    interest: Floats
    restlessness: Floats
    pickiness: Floats
    deals: Floats
    extra_quantity: Floats
    levels: Floats
    favourite: NDArray[np.int64]
    channel: NDArray[np.int64]
    country: NDArray[np.int64]
    mood: NDArray[np.int64]
    channels: tuple[str, ...]
    seeker: NDArray[np.bool_]


def populate(plan: SimulationPlan, random: np.random.Generator) -> Population:
    """Return ``plan.customers`` different customers."""
    n = plan.customers
    channel = random.choice(len(CHANNELS), n, p=CHANNEL_SHARE)
    there = random.uniform(size=n) < BASE_SHARE
    arrival = np.floor(random.uniform(size=n) * np.where(there, min(30, plan.days), plan.days)).astype(np.int64)
    taste = random.normal(0.0, 1.0, n)
    weight = np.exp(np.outer(taste, [-0.9, 0.0, 0.9]) + np.array([0.4, 0.5, -0.5]))
    people = Population(
        arrival=arrival,
        interest=random.gamma(1.2, 1 / 1.2, n) * CHANNEL_INTEREST[channel],
        restlessness=random.gamma(2.0, 0.5, n),
        pickiness=random.beta(0.8, 3.6, n),
        deals=random.beta(1.0, 4.0, n),
        extra_quantity=np.minimum(random.lognormal(-1.8, 1.1, n), 12.0),
        levels=weight / weight.sum(1, keepdims=True),
        favourite=random.choice(len(CATEGORIES), n, p=POPULARITY),
        channel=channel,
        country=random.choice(len(COUNTRIES), n, p=COUNTRY_SHARE),
        mood=np.where(there, _moods(random, n, FIRST_MOODS_OF_BASE), _moods(random, n, FIRST_MOODS)),
        channels=CHANNELS,
        seeker=np.zeros(n, bool),
    )
    return _through_channels(people, assign_channels(plan)) if plan.channels else people


def _through_channels(people: Population, won: Assigned) -> Population:
    """Return the customers as they are if they came through the channels of :mod:`.channels`."""
    interest = people.interest / CHANNEL_INTEREST[people.channel] * won.quality
    mood = np.where(won.seeker, KEEN, people.mood)
    return replace(people, interest=interest, channel=won.channel, channels=NAMES, seeker=won.seeker, mood=mood)


def _moods(random: np.random.Generator, n: int, shares: tuple[float, float, float]) -> NDArray[np.int64]:
    return random.choice(np.array([QUIET, CURIOUS, KEEN]), n, p=shares)


def mood_chances(people: Population, leaving: float = 1.0) -> Floats:
    """Return each customer's daily chances to go from mood to mood, shape [n, from, to], float64.

    Args:
        people: the customers.
        leaving: factor on the chance to leave.
    """
    chances = np.zeros((len(people.arrival), MOODS, MOODS))
    leave = people.restlessness * leaving
    chances[:, QUIET, GONE] = np.minimum(0.5, leave / 600)
    chances[:, CURIOUS, GONE] = np.minimum(0.5, leave / 1500)
    chances[:, KEEN, GONE] = np.minimum(0.5, leave / 2500)
    chances[:, QUIET, CURIOUS] = np.minimum(0.2, people.interest / 150)
    chances[:, CURIOUS, KEEN] = np.minimum(0.2, people.interest / 80)
    chances[:, CURIOUS, QUIET] = 1 / 45
    chances[:, KEEN, CURIOUS] = 1 / 70
    chances[:, KEEN, QUIET] = 1 / 150
    diagonal = np.arange(MOODS)
    chances[:, diagonal, diagonal] = 1 - chances.sum(2)
    return chances


def order_value(people: Population, prices: Floats, day: int, price_factor: float) -> Floats:
    """Return each customer's expected value of an order on ``day``, discounts taken off, shape [n].

    Args:
        people: the customers.
        prices: the catalogue, [categories, levels, products].
        day: days since the log's start.
        price_factor: the regime's factor on prices.
    """
    cell = prices.mean(2)
    line = FAVOURITE * np.einsum("nl,nl->n", people.levels, cell[people.favourite])
    line += (1 - FAVOURITE) * people.levels @ (POPULARITY @ cell)
    paid_share = 1 - DISCOUNTS.mean() * discount_chance(people.deals, np.array(day))
    paid_share = np.where(people.seeker, 1 - SEEKERS_DISCOUNTS.mean(), paid_share)
    value: Floats = line * price_factor * (1 + people.extra_quantity) * (1 + EXTRA_LINES) * paid_share
    return value


def future_value(
    plan: SimulationPlan, people: Population, prices: Floats, mood: NDArray[np.int64], shift: Shift
) -> Floats:
    """Return the expected net value of orders placed in the horizon, returns within it taken off, shape [n].

    Exact: a backward recursion over days, V_d(mood) = P(order) x value + (1 - P(order ends it)) x E[V_{d+1}].

    Args:
        plan: size of the log; the horizon is its last ``horizon_days``.
        people: the customers.
        prices: the catalogue.
        mood: each customer's mood at the cutoff; below 0 counts as not there.
        shift: the regime change, if any.
    """
    n = len(mood)
    value = np.zeros((n, MOODS))
    returned = people.pickiness * RETURN_WHEN_BAD + (1 - people.pickiness) * RETURN_WHEN_GOOD
    changed = mood_chances(people, shift.leaving)
    plain = mood_chances(people)
    for day in range(plan.days - 1, plan.cutoff_day - 1, -1):
        after = day >= shift.day
        factor = season(np.array(day), shift.season) * (shift.visits if after else 1.0)
        order = np.minimum(VISIT * factor, 0.95) * CART * BUY
        worth = order_value(people, prices, day, shift.price if after else 1.0)
        worth = worth * (1 - returned * returned_by(np.array(plan.days - 1 - day)))
        stays = 1 - order * leaves_with_order(people)[:, None]
        value = order * worth[:, None] + stays * np.einsum("nst,nt->ns", changed if after else plain, value)
    return np.where(mood >= 0, value[np.arange(n), np.maximum(mood, 0)], 0.0)


def leaves_with_order(people: Population) -> Floats:
    """Return each customer's chance that an order is her last, [n]."""
    return np.where(people.seeker, 1.0, people.pickiness * LEAVE_WHEN_BAD)


def value_by_age(plan: SimulationPlan, people: Population, prices: Floats) -> Floats:
    """Return each customer's expected net value in each month since her first visit, [n, months].

    Exact but for returns, which count on the day of their order.
    """
    plain, on_sale = orders_by_age(plan, people)
    sale_day = int(np.argmax(sale(np.arange(366))))
    value: Floats = plain * order_value(people, prices, 0, 1.0)[:, None]
    value += on_sale * order_value(people, prices, sale_day, 1.0)[:, None]
    return value


def orders_by_age(plan: SimulationPlan, people: Population) -> tuple[Floats, Floats]:
    """Return each customer's expected orders in each month since her first visit, on plain and on sale days.

    Forward over days, with the chances of all moods; an order counts as the part of it that is not returned.

    Returns:
        Two of float64 [n, months].
    """
    n, months = len(people.arrival), int(plan.days / MONTH_DAYS) + 1
    orders, mood = np.zeros((2, n, months)), np.zeros((n, MOODS))
    returned = people.pickiness * RETURN_WHEN_BAD + (1 - people.pickiness) * RETURN_WHEN_GOOD
    chances, last, on_sale = mood_chances(people), leaves_with_order(people), sale(np.arange(plan.days))
    for day in range(plan.days):
        new = people.arrival == day
        mood[new, people.mood[new]] = 1.0
        visit = np.where(new[:, None], 1.0, np.minimum(VISIT * season(np.array(day)), 0.95))
        ordered = mood * visit * CART * BUY
        not_returned = 1 - returned * returned_by(np.array(plan.days - 1 - day))
        month = np.maximum(((day - people.arrival) / MONTH_DAYS).astype(np.int64), 0)
        orders[int(on_sale[day]), np.arange(n), month] += ordered.sum(axis=1) * not_returned
        mood = np.einsum("nst,ns->nt", chances, mood - ordered * last[:, None])
    return orders[0], orders[1]


def pending_returns(
    plan: SimulationPlan, day: NDArray[np.int64], amount: Floats, bad: NDArray[np.bool_], back: NDArray[np.bool_]
) -> Floats:
    """Return the expected value, in the horizon, of returns of orders placed before the cutoff, shape [lines], >= 0.

    Args:
        plan: size of the log.
        day: day of each line's order, [lines].
        amount: net value of each line, [lines].
        bad: whether the order was a bad experience, [lines].
        back: whether it came back before the cutoff, [lines].
    """
    chance = np.where(bad, RETURN_WHEN_BAD, RETURN_WHEN_GOOD)
    before, by_end = returned_by(plan.cutoff_day - 1 - day), returned_by(plan.days - 1 - day)
    open_chance = chance * (by_end - before) / (1 - chance * before)
    return np.where((day < plan.cutoff_day) & ~back, amount * open_chance, 0.0)
