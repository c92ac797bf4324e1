"""Simulated event logs, with the true values of their customers.

Real logs never hold what a customer was worth in expectation; these do. Each scenario is one function from a
:class:`~clv_core.collection.simulate.simulation.SimulationPlan` to a
:class:`~clv_core.collection.simulate.simulation.Simulation`, and one line of :data:`SCENARIOS`.

    btyd      BG/NBD purchases with Gamma-Gamma spend, exactly: the field's own model is true
    browsing  a shop whose views, carts, ratings and returns predict more than its purchases do
    regime    the same shop, until everything changes at the start of the last horizon
    subscription  free sign-ups of whom few ever pay; monthly and yearly renewals on their day
    noise     spend that no past can rank
    store     the demo's shop: ``browsing`` in euros, with a voucher test and a campaign
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from clv_core.collection.simulate.closed_form import btyd, noise
from clv_core.collection.simulate.shop_scenarios import browsing, regime, store, store_spend
from clv_core.collection.simulate.simulation import Simulation, SimulationPlan
from clv_core.collection.simulate.subscription import subscription
from clv_core.errors import UsageError

SCENARIOS: Final[dict[str, Callable[[SimulationPlan], Simulation]]] = {
    "btyd": btyd,
    "browsing": browsing,
    "regime": regime,
    "noise": noise,
    "store": store,
    "subscription": subscription,
}

WITH_CHANNELS: Final = ("browsing", "subscription")
"""Scenarios whose customers may come through channels with a cost (``SimulationPlan.channels``)."""

__all__ = ["SCENARIOS", "WITH_CHANNELS", "SimulationPlan", "Simulation", "simulate", "store_spend"]


def simulate(scenario: str, plan: SimulationPlan) -> Simulation:
    """Return a log and its truth; the same plan gives the same rows.

    Raises:
        UsageError: there is no such scenario.
    """
    if scenario not in SCENARIOS:
        raise UsageError("simulate_scenario", scenario=scenario, known=list(SCENARIOS))
    return SCENARIOS[scenario](plan)
