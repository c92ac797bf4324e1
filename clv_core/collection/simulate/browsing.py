"""Scenario ``browsing``: a shop in which views, carts, ratings and returns tell more than purchases do.

See :mod:`clv_core.collection.simulate.shop` for the rules. The attainable expectation has no closed form here (it
would be a hidden Markov filter over unknown traits), so the truth carries the latent expectation only.

Scenario ``regime``: the same shop, until everything changes at the start of the last horizon. From then on there are
half as many visits, prices are a third lower, and customers leave four times as fast. No past shows it, so a model that
is measured on that horizon has to be found wrong.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from clv_core import columns
from clv_core.collection.simulate.channels import channel_truth, priced, spend_table
from clv_core.collection.simulate.plan import Simulation, SimulationPlan
from clv_core.collection.simulate.population import future_value, pending_returns, populate, value_by_age
from clv_core.collection.simulate.shop import Shift, catalogue
from clv_core.collection.simulate.trade import trade
from clv_core.collection.simulate.visits import walk

MOOD_NAMES = np.array(["gone", "quiet", "curious", "keen"], dtype=object)


def browsing(plan: SimulationPlan) -> Simulation:
    """Return the log of a shop with telling behaviour, and its truth."""
    return run_shop(plan, Shift())


def run_shop(plan: SimulationPlan, shift: Shift) -> Simulation:
    """Return the log and truth of the shop under ``shift``."""
    random = np.random.default_rng(plan.seed)
    prices = catalogue(random)
    people = populate(plan, random)
    visits = walk(plan, people, shift, random)
    made = trade(plan, people, prices, visits, shift, random)

    day, buyer, amount = visits.day[made.visit], visits.customer[made.visit], made.amount
    returned = made.return_day
    in_horizon = np.where(day >= plan.cutoff_day, amount, 0.0)
    in_horizon -= np.where((returned >= plan.cutoff_day) & (returned < plan.days), amount, 0.0)
    back = (returned >= 0) & (returned < plan.cutoff_day)
    pending = pending_returns(plan, day, amount, visits.bad[made.visit], back)

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(buyer, weights=values, minlength=plan.customers)

    mood = visits.mood_at_cutoff
    expected = future_value(plan, people, prices, mood, shift) - total(pending)
    seen = np.flatnonzero(mood >= 0)
    truth = pd.DataFrame(
        {
            columns.CUSTOMER_ID: plan.customer_ids(),
            "actual_value": np.round(total(in_horizon), 2),
            "expected_value": expected,
            "attainable_value": np.nan,
            "mood_at_cutoff": MOOD_NAMES[np.maximum(mood, 0)],
            "interest": people.interest,
            "restlessness": people.restlessness,
            "pickiness": people.pickiness,
            "deals": people.deals,
        }
    )
    simulation = Simulation(plan, made.events, truth.iloc[seen].reset_index(drop=True))
    if not plan.channels:
        return simulation
    values = channel_truth(plan, people.channel, people.arrival, value_by_age(plan, people, prices))
    spend = spend_table(plan, people.arrival, people.channel, float(values["value"].mean()))
    return replace(simulation, spend=spend, channels=priced(plan, values, spend))


def regime(plan: SimulationPlan) -> Simulation:
    """Return the log of a shop that changes at the cutoff, and its truth."""
    return run_shop(plan, Shift(day=plan.cutoff_day, visits=0.5, price=0.67, leaving=4.0))
