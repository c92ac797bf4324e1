"""Warnings of a plan: what is assumed, what is left out, and what its money means."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from clv_core.deployment import Terms
from clv_core.errors import Message, UsageError
from clv_core.strategy.experiments.randomization import CONTROL, GROUP
from clv_core.strategy.experiments.treatment_effect import MIN_GROUP_SIZE, Experiment
from clv_core.strategy.plans.budget_plan import COST, OFFER, BudgetPlan
from clv_core.strategy.plans.offers import Offer


def all_warnings(
    plan: BudgetPlan, offers: Sequence[Offer], names: Sequence[str], terms: Terms, experiments: Mapping[str, Experiment]
) -> tuple[Message, ...]:
    """Return the warnings of a plan, those of its experiments too.

    ``names`` are of all tiers or segments, in the scheme's order; ``experiments`` by the name of the offer.

    Raises:
        UsageError: as :func:`window_warnings`.
    """
    return (
        *assumption_warnings(offers, experiments),
        *effect_warnings(offers, names, terms),
        *gain_warnings(plan, terms),
        *(warning for experiment in experiments.values() for warning in experiment.warnings),
    )


def assumption_warnings(offers: Sequence[Offer], tried: Collection[str] = ()) -> tuple[Message, ...]:
    """Return a warning for each offer whose effect is assumed, or extrapolated from customers who were tried.

    ``tried`` names the offers that an experiment was made on.
    """
    return tuple(
        Message("warning.offer_carried" if offer.name in tried else "warning.offer_assumed", {"offer": offer.name})
        for offer in offers
        if not offer.measured
    )


def effect_warnings(offers: Sequence[Offer], names: Sequence[str], terms: Terms) -> tuple[Message, ...]:
    """Return what measured effects leave out: tiers, days and the discount.

    ``names`` are of all tiers or segments, in the scheme's order.

    Raises:
        UsageError: as :func:`window_warnings`.
    """
    warnings = []
    for offer in offers:
        without = [name for tier, name in enumerate(names, 1) if offer.effect_on(tier) is None]
        if offer.measured and without:
            warnings.append(Message("warning.offer_untried", {"offer": offer.name, "tiers": without}))
    warnings += window_warnings(offers, terms.horizon_days)
    if terms.discount_rate and any(offer.measured for offer in offers):
        warnings.append(Message("warning.offer_undiscounted"))
    return tuple(warnings)


def window_warnings(offers: Sequence[Offer], horizon_days: int) -> tuple[Message, ...]:
    """Return a warning for each offer whose effect was measured over fewer days than the plan's horizon.

    Raises:
        UsageError: an effect was measured over more days: it would count what comes after the horizon.
    """
    warnings = []
    for offer in offers:
        if offer.window_days is None or offer.window_days == horizon_days:
            continue
        params = {"offer": offer.name, "days": offer.window_days, "horizon": horizon_days}
        if offer.window_days > horizon_days:
            raise UsageError("offer_window", **params)
        warnings.append(Message("warning.offer_window", params))
    return tuple(warnings)


def gain_warnings(plan: BudgetPlan, terms: Terms) -> tuple[Message, ...]:
    """Return a warning where the gain is revenue, and one where it does not depend on who is chosen."""
    revenue = (Message("warning.gain_revenue"),) if terms.margin_rate == 1 else ()
    return (*revenue, Message("warning.plan_even")) if plan.even else revenue


def randomization_warnings(listed: pd.DataFrame) -> tuple[Message, ...]:
    """Return how many of a plan's customers get their offer, and at what cost, where there is a control group.

    The plan's own figures count all of them. An offer whose groups are too small to be measured is named.

    Args:
        listed: the plan's customers with ``offer``, ``cost`` and ``group``, [n].
    """
    control = listed[GROUP] == CONTROL
    counts = {"treated": int((~control).sum()), "control": int(control.sum())}
    warnings = [Message("warning.plan_drawn", {**counts, "spent": float(listed.loc[~control, COST].sum())})]
    for offer, inside in control.groupby(listed[OFFER], sort=False):
        sizes = {"treated": int((~inside).sum()), "control": int(inside.sum())}
        if min(sizes.values()) < MIN_GROUP_SIZE:
            params = {"offer": str(offer), **sizes, "fewest": MIN_GROUP_SIZE}
            warnings.append(Message("warning.plan_drawn_few", params))
    return tuple(warnings)
