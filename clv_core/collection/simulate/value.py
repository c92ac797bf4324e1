"""What customers of the shop are worth in expectation, given everything latent at the cutoff."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.simulate.plan import SimulationPlan
from clv_core.collection.simulate.population import Population, mood_chances, order_value
from clv_core.collection.simulate.shop import (
    BUY,
    CART,
    LEAVE_WHEN_BAD,
    MOODS,
    RETURN_WHEN_BAD,
    RETURN_WHEN_GOOD,
    VISIT,
    Floats,
    Shift,
    returned_by,
    season,
)


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
        factor = season(np.array(day)) * (shift.visits if after else 1.0)
        order = np.minimum(VISIT * factor, 0.95) * CART * BUY
        worth = order_value(people, prices, day, shift.price if after else 1.0)
        worth = worth * (1 - returned * returned_by(np.array(plan.days - 1 - day)))
        stays = 1 - order * people.pickiness[:, None] * LEAVE_WHEN_BAD
        value = order * worth[:, None] + stays * np.einsum("nst,nt->ns", changed if after else plain, value)
    return np.where(mood >= 0, value[np.arange(n), np.maximum(mood, 0)], 0.0)


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
