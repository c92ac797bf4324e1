"""Day by day: moods change, visits happen, carts are bought, and a bad experience may end it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.simulate.population import Population, mood_chances
from clv_core.collection.simulate.shop import (
    BUY,
    CART,
    CURIOUS,
    GONE,
    KEEN,
    LEAVE_WHEN_BAD,
    MOODS,
    QUIET,
    VISIT,
    Shift,
    season,
)
from clv_core.collection.simulate.simulation import SimulationPlan

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Visits:
    """v visits in order of days.

    Args:
        customer: position of the customer, int64 [v].
        day: days since the log's start, int64 [v].
        mood: mood at the visit, int64 [v].
        carted: whether something went into the cart, bool [v].
        bought: whether the cart was bought, bool [v].
        bad: whether the order was a bad experience, bool [v].
        mood_at_cutoff: each customer's mood when the cutoff's day begins, -1 before her first visit, int64 [n].
    """

    customer: Ints
    day: Ints
    mood: Ints
    carted: Flags
    bought: Flags
    bad: Flags
    mood_at_cutoff: Ints


def walk(plan: SimulationPlan, people: Population, shift: Shift, random: np.random.Generator) -> Visits:
    """Return all visits of all customers; the loop is over days, each day is one step for everybody.

    Args:
        plan: size of the log.
        people: the customers.
        shift: the regime change, if any.
        random: source of chance.
    """
    mood = np.full(plan.customers, -1, np.int64)
    at_cutoff = mood
    edges = np.cumsum(mood_chances(people), axis=2)
    arriving = np.argsort(people.arrival, kind="stable")
    bounds = np.searchsorted(people.arrival[arriving], np.arange(plan.days + 1))
    seasons = season(np.arange(plan.days), shift.season)
    parts: list[tuple[Ints, Ints, Ints, Flags, Flags, Flags]] = []
    for day in range(plan.days):
        if day == plan.cutoff_day:
            at_cutoff = mood.copy()
        if day == shift.day:
            edges = np.cumsum(mood_chances(people, shift.leaving), axis=2)
        if day == shift.offer_day and shift.wakes is not None:
            mood[np.isin(mood, (QUIET, CURIOUS)) & (random.uniform(size=len(mood)) < shift.wakes)] = KEEN
        new = arriving[bounds[day] : bounds[day + 1]]
        mood[new] = people.mood[new]
        active = np.flatnonzero(mood > GONE)
        factor = seasons[day] * (shift.visits if day >= shift.day else 1.0)
        visiting = random.uniform(size=len(active)) < np.minimum(VISIT[mood[active]] * factor, 0.95)
        who = active[visiting | (people.arrival[active] == day)]
        now = mood[who]
        chance = random.uniform(size=(4, len(who)))
        carted = chance[0] < CART[now]
        bought = carted & (chance[1] < BUY[now])
        bad = bought & (chance[2] < people.pickiness[who])
        parts.append((who, np.full(len(who), day), now, carted, bought, bad))
        above = random.uniform(size=len(active))[:, None] > edges[active, mood[active], : MOODS - 1]
        mood[active] = above.sum(1)
        mood[who[bad & (chance[3] < LEAVE_WHEN_BAD)]] = GONE
        mood[who[bought & people.seeker[who]]] = GONE
    customer, days, moods, carted, bought, bad = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Visits(customer, days, moods, carted, bought, bad, at_cutoff)
