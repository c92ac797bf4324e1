"""Plans: scored customers and offers made into who gets what, what it is expected to bring, and what that rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.errors import NotEnoughData, UsageError
from clv_core.strategy.budget.budget import Allocation, allocate, next_coin, worth_of
from clv_core.strategy.budget.comparison import random_plan, uniform_plan
from clv_core.strategy.budget.experiment import Experiment
from clv_core.strategy.budget.filling import NOBODY
from clv_core.strategy.budget.offers import ALL_TIERS, MONEY, Effect, Offer, checked, expected_gains
from clv_core.strategy.segments import TIER, VALUE

OFFER: Final = "offer"
GAIN: Final = "expected_gain"
COST: Final = "cost"
EVIDENCE: Final = "evidence"
DRAWS: Final = 5
"""Plans by chance whose mean a plan is compared with."""
SAME: Final = 1e-6
"""Plans whose gains differ by less than this part bring the same."""
MANY: Final = 500_000
"""Of so many customers one such plan is enough: it scatters by 1.4%, as the mean of five does of a fifth of them."""


@dataclass(frozen=True)
class Basis:
    """What a plan's expected gain rests on; money after costs.

    Args:
        assumed: gain of offers whose effect is assumed.
        measured: gain of offers whose effect was measured.
        low: lower end of the 90% interval of ``measured``, by the experiments alone.
        high: upper end.
    """

    assumed: float
    measured: float
    low: float
    high: float


@dataclass(frozen=True)
class Next:
    """Where more money would go first.

    Args:
        offer: its name.
        tier: of the customer who would get it.
        per_coin: expected gain by each further unit of money.
    """

    offer: str
    tier: int
    per_coin: float


@dataclass(frozen=True, eq=False)
class BudgetPlan:
    """Who gets what.

    Args:
        customers: customer_id, tier, predicted_clv, offer, expected_gain, cost, evidence (``assumed`` or ``measured``)
            of those who get one, the highest gain first.
        table: one row an offer and tier that gets it: offer, tier, customers, cost, expected_gain, evidence.
        found: the allocation.
        basis: what the gain rests on.
        next: where more money would go; None where it would change nothing.
        gain_uniform: expected gain of the best single offer for evenly picked customers, for the same budget.
        gain_random: mean expected gain of offers by chance.
    """

    customers: pd.DataFrame
    table: pd.DataFrame
    found: Allocation
    basis: Basis
    next: Next | None
    gain_uniform: float
    gain_random: float

    @property
    def even(self) -> bool:
        """Whether one offer spread evenly would bring as much: then it makes no difference who is chosen."""
        return 0 < self.found.gain <= self.gain_uniform * (1 + SAME)


def capacities(offers: Sequence[Offer]) -> np.ndarray:
    """Return the offers' places, infinite where they have no limit, [k]."""
    return np.array([math.inf if offer.capacity is None else offer.capacity for offer in offers])


def costs(offers: Sequence[Offer]) -> np.ndarray:
    """Return the offers' costs, [k]."""
    return np.array([offer.cost for offer in offers])


def make_plan(tiered: pd.DataFrame, tiers: int, offers: Sequence[Offer], budget: float) -> BudgetPlan:
    """Return the plan that is expected to bring most.

    Args:
        tiered: customer_id, predicted_clv and tier (the number of a tier or segment, from 1), one row a customer.
        tiers: number of tiers or segments of the scheme.
        offers: what can be given.
        budget: money, >= 0.

    Raises:
        UsageError: no offers, too many, two of one name, a tier that is not there, or a budget below 0.
        NotEnoughData: there is no customer.
    """
    if tiered.empty:
        raise NotEnoughData("no_scored_customers")
    given = checked(offers)
    for offer in given:
        if max(offer.effects) > tiers:
            raise UsageError("offer_tier", name=offer.name, tier=max(offer.effects), tiers=tiers)
    gains = expected_gains(given, tiered[VALUE].to_numpy(), tiered[TIER].to_numpy(), tiers)
    cost, places = costs(given), capacities(given)
    found = allocate(gains, cost, places, budget)
    rows = np.flatnonzero(found.offer != NOBODY)
    which = found.offer[rows]
    customers = pd.DataFrame(
        {
            CUSTOMER_ID: tiered[CUSTOMER_ID].to_numpy()[rows],
            TIER: tiered[TIER].to_numpy()[rows],
            VALUE: tiered[VALUE].to_numpy()[rows],
            OFFER: np.array([offer.name for offer in given], object)[which],
            GAIN: gains[rows, which],
            COST: cost[which],
            EVIDENCE: np.array(["measured" if offer.measured else "assumed" for offer in given], object)[which],
        }
    ).sort_values(GAIN, ascending=False, kind="stable", ignore_index=True)
    table = (
        customers.groupby([OFFER, TIER, EVIDENCE], sort=True)
        .agg(**{"customers": (COST, "size"), COST: (COST, "sum"), GAIN: (GAIN, "sum")})
        .reset_index()
    )
    coin = next_coin(gains, cost, places, found)
    further = None
    if coin is not None:
        further = Next(given[coin.offer].name, int(tiered[TIER].iloc[coin.customer]), coin.per_coin)
    draws = range(DRAWS if len(gains) < MANY else 1)
    by_chance = [worth_of(gains.T, random_plan(gains, cost, places, budget, seed)) for seed in draws]
    return BudgetPlan(
        customers,
        table,
        found,
        basis(table, given),
        further,
        worth_of(gains.T, uniform_plan(gains, cost, places, budget)),
        float(np.mean(by_chance)),
    )


def basis(table: pd.DataFrame, offers: Sequence[Offer]) -> Basis:
    """Return what is assumed and what is measured of a plan; tiers that one figure speaks of are off together.

    Tiers of an offer with the very same effect and interval have it from one figure.

    Args:
        table: of a :class:`BudgetPlan`.
        offers: those of the plan.
    """
    named = {offer.name: offer for offer in offers}
    sums = {kind: float(table.loc[table[EVIDENCE] == kind, GAIN].sum()) for kind in ("assumed", "measured")}
    counts: dict[tuple[str, Effect], float] = {}
    widths: dict[tuple[str, Effect], tuple[float, float]] = {}
    for row in table[table[EVIDENCE] == "measured"].itertuples():
        offer = named[str(row.offer)]
        effect = offer.effect_on(int(str(row.tier)))
        if effect is None or effect.low is None or effect.high is None:
            continue
        place = (offer.name, effect)
        counts[place] = counts.get(place, 0.0) + float(str(row.customers))
        widths[place] = (effect.value - effect.low, effect.high - effect.value)
    below, above = (math.sqrt(sum((counts[p] * widths[p][side]) ** 2 for p in counts)) for side in (0, 1))
    return Basis(sums["assumed"], sums["measured"], sums["measured"] - below, sums["measured"] + above)


def with_measured(offer: Offer, experiment: Experiment, margin_rate: float = 1.0, *, by_tier: bool = True) -> Offer:
    """Return the offer with the effects that an experiment measured in place of what was assumed.

    They hold for the tiers in which the experiment had enough customers; no other tier gets the offer. The effect on
    all counts for each of them, unless they differ by more than chance allows: then each has its own. Where the plan's
    customers are not cut into the tiers of the experiment, the effect on all counts for everyone; if there are tiers
    that it was not tried in, or no tier had enough customers, it is carried over to them as an assumption, without an
    interval.

    Args:
        offer: whose cost and capacity stay.
        experiment: what it showed.
        margin_rate: share of the measured net value that is margin.
        by_tier: whether the plan's customers are cut into the tiers of the experiment.
    """
    found: dict[int, Effect] = {}
    for one in experiment.effects:
        if one.effect is not None and one.low is not None and one.high is not None:
            numbers = (margin_rate * one.effect, margin_rate * one.low, margin_rate * one.high)
            found[one.tier] = Effect(numbers[0], MONEY, numbers[1], numbers[2])
    everyone, tried = found[ALL_TIERS], experiment.tried_tiers
    everywhere = len(tried) == len(experiment.effects) - 1
    if not everywhere and not (tried and by_tier):
        return replace(offer, effects={ALL_TIERS: Effect(everyone.value, MONEY)}, window_days=None)
    if by_tier and experiment.tiers_differ:
        effects = {tier: found[tier] for tier in tried}
    else:
        effects = {ALL_TIERS: everyone} if everywhere else dict.fromkeys(tried, everyone)
    return replace(offer, effects=effects, window_days=experiment.window_days)


def with_experiments(
    offers: Sequence[Offer],
    found: Mapping[str, Experiment],
    horizon_days: int,
    margin_rate: float = 1.0,
    *,
    by_tier: bool = True,
) -> tuple[Offer, ...]:
    """Return the offers, those that were tried with what was measured.

    An experiment whose outcomes counted for longer than the plan looks ahead is left out.

    Args:
        offers: what can be given.
        found: experiments by the name of the offer that was tried.
        horizon_days: how far ahead the plan looks.
        margin_rate: share of the measured net value that is margin.
        by_tier: as in :func:`with_measured`.
    """
    short = {name: one for name, one in found.items() if one.window_days <= horizon_days}
    return tuple(
        with_measured(one, short[one.name], margin_rate, by_tier=by_tier) if one.name in short else one
        for one in offers
    )


def settings(offers: Sequence[Offer], budget: float) -> dict[str, Any]:
    """Return what a plan was made for, as its side file says it: budget and offers."""
    return {"budget": budget, "offers": [offer.to_json() for offer in offers]}
