"""Scenario ``noise``: every customer is the same, so nothing that happened tells anything about what will.

Views and purchases of each customer are two independent Poisson processes with the same rates for all, from a first
view on; amounts are drawn from one lognormal distribution. The best prediction is the same number for everybody.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from clv_core import columns
from clv_core.collection.simulate.simulation import START, Simulation, SimulationPlan

PURCHASES_PER_DAY: Final = 0.012
VIEWS_PER_DAY: Final = 0.02
LOG_AMOUNT: Final = (3.2, 0.7)
"""Mean and standard deviation of the log of an amount."""


def noise(plan: SimulationPlan) -> Simulation:
    """Return a log in which no model can rank customers, and its truth: one expectation for all."""
    random = np.random.default_rng(plan.seed)
    n = plan.customers
    first = random.uniform(0, max(1.0, plan.cutoff_day * 0.3), n)

    def times(per_day: float) -> tuple[np.ndarray, np.ndarray]:
        counts = random.poisson(per_day * (plan.days - first))
        customer = np.repeat(np.arange(n), counts)
        return customer, first[customer] + random.uniform(size=len(customer)) * (plan.days - first)[customer]

    viewer, viewed = times(VIEWS_PER_DAY)
    buyer, bought = times(PURCHASES_PER_DAY)
    amount = np.round(random.lognormal(*LOG_AMOUNT, len(buyer)), 2)
    in_horizon = bought >= plan.cutoff_day
    mean_amount = float(np.exp(LOG_AMOUNT[0] + LOG_AMOUNT[1] ** 2 / 2))
    expected = np.full(n, PURCHASES_PER_DAY * plan.horizon_days * mean_amount)
    truth = pd.DataFrame(
        {
            columns.CUSTOMER_ID: plan.customer_ids(),
            "actual_value": np.round(np.bincount(buyer[in_horizon], weights=amount[in_horizon], minlength=n), 2),
            "expected_value": expected,
            "attainable_value": expected,
        }
    )
    customer = np.concatenate([np.arange(n), viewer, buyer])
    day = np.concatenate([first, viewed, bought])
    order = np.lexsort((customer, day))
    types = np.repeat([columns.VIEW, columns.PURCHASE], [n + len(viewer), len(buyer)]).astype(object)
    events = pd.DataFrame(
        {
            columns.CUSTOMER_ID: plan.customer_ids()[customer[order]],
            columns.EVENT_TIME: np.datetime64(START, "s") + (day[order] * 86_400).astype("timedelta64[s]"),
            columns.EVENT_TYPE: types[order],
            columns.AMOUNT: np.concatenate([np.full(n + len(viewer), np.nan), amount])[order],
        }
    )
    return Simulation(plan, events, truth)
