"""The shop's customers: who they are, and what stays true of each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.simulate.plan import SimulationPlan
from clv_core.collection.simulate.shop import (
    CATEGORIES,
    CURIOUS,
    DISCOUNTS,
    EXTRA_LINES,
    GONE,
    KEEN,
    MOODS,
    POPULARITY,
    QUIET,
    Floats,
    discount_chance,
)

CHANNELS: Final = ("search", "social", "email", "direct", "affiliate")
CHANNEL_SHARE: Final = np.array([0.34, 0.24, 0.14, 0.18, 0.10])
CHANNEL_INTEREST: Final = np.array([1.0, 0.8, 1.35, 1.25, 0.65])
COUNTRIES: Final = ("US", "GB", "DE", "FR", "CN", "SG")
COUNTRY_SHARE: Final = np.array([0.38, 0.16, 0.12, 0.08, 0.18, 0.08])
BASE_SHARE: Final = 0.35
"""Share of customers already there when the log begins; the others come evenly over it."""
FIRST_MOODS_OF_BASE: Final = (0.75, 0.15, 0.10)
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


def populate(plan: SimulationPlan, random: np.random.Generator) -> Population:
    """Return ``plan.customers`` different customers."""
    n = plan.customers
    channel = random.choice(len(CHANNELS), n, p=CHANNEL_SHARE)
    there = random.uniform(size=n) < BASE_SHARE
    arrival = np.floor(random.uniform(size=n) * np.where(there, min(30, plan.days), plan.days)).astype(np.int64)
    taste = random.normal(0.0, 1.0, n)
    weight = np.exp(np.outer(taste, [-0.9, 0.0, 0.9]) + np.array([0.4, 0.5, -0.5]))
    return Population(
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
    )


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
    kept = 1 - DISCOUNTS.mean() * discount_chance(people.deals, np.array(day))
    value: Floats = line * price_factor * (1 + people.extra_quantity) * (1 + EXTRA_LINES) * kept
    return value
