"""Plans of a budget: who gets which offer, what it is expected to bring, how sure that is, and two baselines.

Warnings (:func:`all_warnings`) name assumptions, what is left out, and what a plan's money means.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Terms
from clv_core.errors import Message, NotEnoughData, UsageError
from clv_core.records import JsonObject
from clv_core.strategy.experiments.randomized_experiment import CONTROL, GROUP
from clv_core.strategy.experiments.treatment_effect import MIN_GROUP_SIZE, Experiment
from clv_core.strategy.plans.allocation import (
    CENT,
    NO_OFFER,
    Allocation,
    OfferNumbers,
    allocate,
    marginal_return,
    total_gain,
)
from clv_core.strategy.plans.offers import Effect, Offer, check_offers, expected_gains
from clv_core.strategy.segments import TIER, VALUE

OFFER: Final = "offer"
GAIN: Final = "expected_gain"
COST: Final = "cost"
EVIDENCE: Final = "evidence"
RANDOM_PLANS: Final = 5
"""Random plans whose mean a plan is compared with."""
MANY_CUSTOMERS: Final = 500_000
"""Of so many customers one random plan is enough: it scatters by 1.4%, as the mean of five does of a fifth of them."""
SAME_GAIN: Final = 1e-6
"""Plans whose gains differ by less than this share bring the same."""


@dataclass(frozen=True)
class GainEvidence:
    """What a plan's expected gain is based on; money after costs.

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
class MarginalReturn:
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
        allocation: the offer of each customer, with the gain's upper bound.
        evidence: what the gain is based on.
        marginal_return: where more money would go; None where it would change nothing.
        gain_uniform: expected gain of the best single offer for evenly picked customers, for the same budget.
        gain_random: mean expected gain of random plans.
    """

    customers: pd.DataFrame
    table: pd.DataFrame
    allocation: Allocation
    evidence: GainEvidence
    marginal_return: MarginalReturn | None
    gain_uniform: float
    gain_random: float

    @property
    def even(self) -> bool:
        """Whether the uniform plan brings as much: then it makes no difference who is chosen."""
        return 0 < self.allocation.gain <= self.gain_uniform * (1 + SAME_GAIN)


def capacities(offers: Sequence[Offer]) -> np.ndarray:
    """Return the offers' capacities, infinite where they have no limit, [k]."""
    return np.array([math.inf if offer.capacity is None else offer.capacity for offer in offers])


def costs(offers: Sequence[Offer]) -> np.ndarray:
    """Return the offers' costs, [k]."""
    return np.array([offer.cost for offer in offers])


def settings(offers: Sequence[Offer], budget: float) -> JsonObject:
    """Return budget and offers of a plan as JSON types, for its side file."""
    return {"budget": budget, "offers": [offer.to_json() for offer in offers]}


def make_plan(tiered: pd.DataFrame, tiers: int, offers: Sequence[Offer], budget: float) -> BudgetPlan:
    """Return the plan with the highest expected gain.

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
    offers = check_offers(offers)
    for offer in offers:
        if max(offer.effects) > tiers:
            raise UsageError("offer_tier", name=offer.name, tier=max(offer.effects), tiers=tiers)
    gains = expected_gains(offers, tiered[VALUE].to_numpy(), tiered[TIER].to_numpy(), tiers)
    cost, places = costs(offers), capacities(offers)
    allocation = allocate(gains, cost, places, budget)
    customers = _customers(tiered, offers, gains, allocation)
    table = (
        customers.groupby([OFFER, TIER, EVIDENCE], sort=True)
        .agg(**{"customers": (COST, "size"), COST: (COST, "sum"), GAIN: (GAIN, "sum")})
        .reset_index()
    )
    upgrade = marginal_return(gains, cost, places, allocation)
    further = None
    if upgrade is not None:
        number, row, rate = upgrade
        further = MarginalReturn(offers[number].name, int(tiered[TIER].iloc[row]), rate)
    seeds = range(RANDOM_PLANS if len(gains) < MANY_CUSTOMERS else 1)
    by_chance = [total_gain(gains.T, random_plan(gains, cost, places, budget, seed)) for seed in seeds]
    uniform = total_gain(gains.T, uniform_plan(gains, cost, places, budget))
    evidence = _evidence(table, offers)
    return BudgetPlan(customers, table, allocation, evidence, further, uniform, float(np.mean(by_chance)))


def _customers(
    tiered: pd.DataFrame, offers: Sequence[Offer], gains: npt.NDArray[np.float64], allocation: Allocation
) -> pd.DataFrame:
    """Return the customers of a :class:`BudgetPlan`."""
    rows = np.flatnonzero(allocation.offer != NO_OFFER)
    number = allocation.offer[rows]
    given = tiered[[CUSTOMER_ID, TIER, VALUE]].iloc[rows].reset_index(drop=True)
    given[OFFER] = np.array([offer.name for offer in offers], object)[number]
    given[GAIN] = gains[rows, number]
    given[COST] = costs(offers)[number]
    given[EVIDENCE] = np.array(["measured" if offer.measured else "assumed" for offer in offers], object)[number]
    return given.sort_values(GAIN, ascending=False, kind="stable", ignore_index=True)


def _evidence(table: pd.DataFrame, offers: Sequence[Offer]) -> GainEvidence:
    """Return what is assumed and what is measured; errors of one measured figure add up over tiers, others do not.

    Tiers of an offer with the very same effect and interval have it from one figure.
    """
    sums = {kind: float(table.loc[table[EVIDENCE] == kind, GAIN].sum()) for kind in ("assumed", "measured")}
    named, counts = {offer.name: offer for offer in offers}, Counter[tuple[str, Effect]]()
    for name, tier, count in zip(table[OFFER], table[TIER], table["customers"], strict=True):
        effect = named[name].effect_on(tier)
        if effect is not None and effect.measured:
            counts[name, effect] += count
    errors = [
        (count * (effect.value - effect.low), count * (effect.high - effect.value))
        for (_, effect), count in counts.items()
        if effect.low is not None and effect.high is not None
    ]
    below, above = (math.hypot(*(error[side] for error in errors)) for side in (0, 1))
    return GainEvidence(sums["assumed"], sums["measured"], sums["measured"] - below, sums["measured"] + above)


def uniform_plan(gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike, budget: float) -> OfferNumbers:
    """Return the best plan of one offer for customers picked evenly, as many as the budget pays for.

    Args:
        gains: expected gain after cost, money, [n, k]; -inf where an offer must not be given.
        costs: [k].
        capacities: [k].
        budget: money.

    Returns:
        Number of each customer's offer, -1 for none, [n]; nobody gets anything where each single offer loses money.
    """
    gain, cost = np.asarray(gains, float), np.asarray(costs, float)
    places = np.broadcast_to(np.asarray(capacities, float), len(cost))
    best, top = np.full(len(gain), NO_OFFER), 0.0
    for number, price in enumerate(cost.tolist()):
        able = np.flatnonzero(np.isfinite(gain[:, number]))
        count = int(min(len(able), places[number], budget * CENT / price if price > 0 else np.inf))
        if not count:
            continue
        offer = np.full(len(gain), NO_OFFER)
        offer[able[np.linspace(0, len(able) - 1, count).round().astype(np.int64)]] = number
        total = total_gain(gain.T, offer)
        if total > top:
            best, top = offer, total
    return best


def random_plan(
    gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike, budget: float, seed: int
) -> OfferNumbers:
    """Return a plan of random offers for random customers, until the budget is spent.

    Args:
        gains: as :func:`uniform_plan` takes them, [n, k]; only where an offer may be given counts.
        costs: [k].
        capacities: [k].
        budget: money.
        seed: of the random numbers.
    """
    gain, cost = np.asarray(gains, float), np.asarray(costs, float)
    rng = np.random.default_rng(seed)
    customers = rng.permutation(len(gain))
    order = np.ascontiguousarray(rng.random(gain.shape).T)
    for number in range(len(cost)):
        order[number, ~np.isfinite(gain[:, number])[customers]] = -1.0
    choice = np.where(order.max(axis=0, initial=-1.0) >= 0, order.argmax(axis=0), NO_OFFER)
    for number, places in enumerate(np.broadcast_to(np.asarray(capacities, float), len(cost)).tolist()):
        mine = np.flatnonzero(choice == number)
        choice[mine[int(min(places, len(mine))) :]] = NO_OFFER
    paid = np.where(choice == NO_OFFER, 0.0, cost[choice])
    choice[np.cumsum(paid) > budget * CENT] = NO_OFFER
    offer = np.full(len(gain), NO_OFFER)
    offer[customers] = choice
    return offer


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
        *cost_warnings(offers),
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


def cost_warnings(offers: Sequence[Offer]) -> tuple[Message, ...]:
    """Return that costs are assumed, where any offer costs something: no experiment measures them."""
    return (Message("warning.offer_costs"),) if any(offer.cost > 0 for offer in offers) else ()


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
