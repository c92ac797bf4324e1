"""Scenario ``regime``: the shop of ``browsing``, until everything changes at the start of the last horizon.

From that day on there are half as many visits, prices are a third lower, and customers leave four times as fast. No
past shows it, so a model measured on that horizon has to be found wrong.
"""

from __future__ import annotations

from typing import Final

from clv_core.collection.simulate.browsing import run_shop
from clv_core.collection.simulate.plan import Simulation, SimulationPlan
from clv_core.collection.simulate.shop import Shift

VISITS: Final = 0.5
PRICE: Final = 0.67
LEAVING: Final = 4.0


def regime(plan: SimulationPlan) -> Simulation:
    """Return the log of a shop that changes at the cutoff, and its truth."""
    return run_shop(plan, Shift(day=plan.cutoff_day, visits=VISITS, price=PRICE, leaving=LEAVING))
