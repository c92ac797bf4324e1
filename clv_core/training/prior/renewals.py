"""Subscriptions: who starts one how long after signing up, when it renews, and when it is cancelled."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.training.prior.order_times import Customers, Orders
from clv_core.training.prior.shop_traits import LARGEST_RATIO, Traits

Floats = NDArray[np.float64]

MOST_STARTS: Final = 4
LATEST_DAYS: Final = 5


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
    for _ in range(MOST_STARTS):
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
    alike = replace(people, rate=np.full(n, 1 / renewal.period_days))
    mean = value.mean() if len(value) else 1.0
    return alike, payments, start[order], value[order] / mean


def _betas(mean: float, alike: float, n: int, random: np.random.Generator) -> Floats:
    """Return beta draws with that mean, whose parameters add up to ``2 * alike``, [n]; within 1e-3 and 1."""
    mean = min(max(mean, 1e-3), 0.999)
    return np.clip(random.beta(2 * alike * mean, 2 * alike * (1 - mean), n), 1e-3, 1.0)
