"""What has to be known of a plan beside its figures: what is assumed, what is left out, and what its money is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from clv_core.deployment.terms import Terms
from clv_core.errors import Message, UsageError
from clv_core.strategy.budget.draw import CONTROL
from clv_core.strategy.budget.experiment import FEWEST, Experiment
from clv_core.strategy.budget.experiment_file import GROUP
from clv_core.strategy.budget.offers import Offer
from clv_core.strategy.budget.plans import COST, OFFER, BudgetPlan


def notes(
    plan: BudgetPlan, offers: Sequence[Offer], names: Sequence[str], terms: Terms, found: Mapping[str, Experiment]
) -> tuple[Message, ...]:
    """Return what has to be known of a plan, one sentence each; what speaks against its experiments too.

    Args:
        plan: who gets what.
        offers: those of the plan.
        names: of all tiers or segments, in the scheme's order.
        terms: what the predicted values speak of.
        found: experiments, by the name of the offer that was tried.

    Raises:
        UsageError: as :func:`window_notes`.
    """
    against = [one for experiment in found.values() for one in experiment.warnings]
    return (
        *assumptions(offers, found),
        *effect_notes(offers, names, terms),
        *gain_notes(plan, terms),
        *against,
    )


def effect_notes(offers: Sequence[Offer], names: Sequence[str], terms: Terms) -> tuple[Message, ...]:
    """Return what measured effects leave out: tiers, days and the discount.

    Args:
        offers: those of the plan.
        names: of all tiers or segments, in the scheme's order.
        terms: what the predicted values speak of.

    Raises:
        UsageError: as :func:`window_notes`.
    """
    said = [*untried(offers, names), *window_notes(offers, terms.horizon_days)]
    if terms.discount_rate and any(offer.measured for offer in offers):
        said.append(Message("warning.offer_undiscounted"))
    return tuple(said)


def gain_notes(plan: BudgetPlan, terms: Terms) -> tuple[Message, ...]:
    """Return what the expected gain is, where it is not what a reader takes it for.

    Args:
        plan: who gets what.
        terms: what the predicted values speak of.
    """
    said = [Message("warning.gain_revenue")] if terms.margin_rate == 1 else []
    return (*said, Message("warning.plan_even")) if plan.even else tuple(said)


def draw_notes(listed: pd.DataFrame) -> tuple[Message, ...]:
    """Return how many of a plan's customers get their offer where a control group was drawn, and at what cost.

    The plan's own figures count all of them. An offer whose groups are too small to be measured is named.

    Args:
        listed: the plan's customers with ``offer``, ``cost`` and ``group``, [n].
    """
    control = listed[GROUP] == CONTROL
    counts = {"treated": int((~control).sum()), "control": int(control.sum())}
    said = [Message("warning.plan_drawn", {**counts, "spent": float(listed.loc[~control, COST].sum())})]
    for offer, without in control.groupby(listed[OFFER], sort=False):
        sizes = {"treated": int((~without).sum()), "control": int(without.sum())}
        if min(sizes.values()) < FEWEST:
            said.append(Message("warning.plan_drawn_few", {"offer": str(offer), **sizes, "fewest": FEWEST}))
    return tuple(said)


def assumptions(offers: Sequence[Offer], tried: Collection[str] = ()) -> tuple[Message, ...]:
    """Return one sentence for each offer whose effect is assumed, or carried over from customers who were tried.

    Args:
        offers: those of the plan.
        tried: names of offers that an experiment was made on.
    """
    return tuple(
        Message("warning.offer_carried" if offer.name in tried else "warning.offer_assumed", {"offer": offer.name})
        for offer in offers
        if not offer.measured
    )


def untried(offers: Sequence[Offer], names: Sequence[str]) -> tuple[Message, ...]:
    """Return one sentence for each offer whose effect was measured in some tiers only.

    Args:
        offers: those of the plan.
        names: of all tiers or segments, in the scheme's order.
    """
    said = []
    for offer in offers:
        without = [name for tier, name in enumerate(names, 1) if offer.effect_on(tier) is None]
        if offer.measured and without:
            said.append(Message("warning.offer_untried", {"offer": offer.name, "tiers": list(without)}))
    return tuple(said)


def window_notes(offers: Sequence[Offer], horizon_days: int) -> tuple[Message, ...]:
    """Return one sentence for each offer whose effect was counted for less time than the plan looks ahead.

    Args:
        offers: those of the plan.
        horizon_days: how far ahead the plan looks.

    Raises:
        UsageError: an effect was counted for longer than that: it would count what comes after the horizon.
    """
    notes = []
    for offer in offers:
        if offer.window_days is None or offer.window_days == horizon_days:
            continue
        said = {"offer": offer.name, "days": offer.window_days, "horizon": horizon_days}
        if offer.window_days > horizon_days:
            raise UsageError("offer_window", **said)
        notes.append(Message("warning.offer_window", said))
    return tuple(notes)
