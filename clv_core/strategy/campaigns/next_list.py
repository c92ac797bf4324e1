"""The next list: offers with the effects that campaigns measured, whom they are worth their cost, and what to test.

Campaigns with the same segments, window and cost are taken for one offer, named after the latest of them: nothing else
that is on record says what was sent. Only campaigns that are due and told apart from others teach anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd

from clv_core.collection.privacy import SuppressionList
from clv_core.collection.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored, Terms
from clv_core.errors import UsageError
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.strategy.campaigns.campaign import CAMPAIGN_DAYS, Campaign
from clv_core.strategy.campaigns.learned_effects import (
    GAIN,
    TRAIT,
    Test,
    TraitEffect,
    cheapest_test,
    effect_on,
    learned_effects,
    learned_trait_effects,
    whom_next,
)
from clv_core.strategy.campaigns.outcome import DUE, Outcome, traits_on
from clv_core.strategy.experiments.randomized_experiment import BEFORE_DAYS, residual_std
from clv_core.strategy.experiments.treatment_effect import MIN_GROUP_SIZE
from clv_core.strategy.plans.offers import ALL_TIERS, MAX_OFFERS, Effect, Offer
from clv_core.strategy.purchase_history import net_value
from clv_core.strategy.segments import DEFAULT_SCHEME, TIER, ValueTiers, load_scored_customers, parse_scheme

SCHEME: Final = "scheme"
"""Key of what a campaign's record says its list is about."""


@dataclass(frozen=True)
class LearnedOffer:
    """An offer whose effects campaigns measured.

    Args:
        name: of the latest campaign.
        campaigns: all of them, the latest first.
        scheme: text of the scheme whose segments the effects are of.
        window_days: for how long outcomes counted.
        cost: a customer, money.
        margin_rate: share of revenue that is margin; None: nobody said, and effects are revenue.
        effects: in money of margin a customer, by the number or key of the segment; "" is everyone.
        by_trait: the same of customers of each trait, where traits differ beyond chance; else empty.
    """

    name: str
    campaigns: tuple[str, ...]
    scheme: str
    window_days: int
    cost: float
    margin_rate: float | None
    effects: dict[str, Effect]
    by_trait: tuple[TraitEffect, ...] = ()

    def offer(self, segments: Sequence[str] = (), margin_rate: float = 1.0) -> Offer | None:
        """Return it as plans take it; None where none of its effects is on a segment of the plan.

        Args:
            segments: names of the plan's segments, in their order; of value tiers the effects name the numbers.
            margin_rate: of the plan, for effects that are revenue.
        """
        rate = margin_rate if self.margin_rate is None else 1.0
        numbered = {_number(name, segments): _times(rate, effect) for name, effect in self.effects.items()}
        known = {number: effect for number, effect in numbered.items() if number >= 0}
        return Offer(self.name, self.cost, known, window_days=self.window_days) if known else None


def _number(segment: str, segments: Sequence[str]) -> int:
    """Return the number of a segment that effects name, of a plan's segments; -1 where it is none of them."""
    if not segment:
        return ALL_TIERS
    return int(segment) if segment.isdigit() else segments.index(segment) + 1 if segment in segments else -1


def _times(rate: float, effect: Effect) -> Effect:
    """Return an effect times a share of it that is margin."""
    low, high = (None if end is None else rate * end for end in (effect.low, effect.high))
    return Effect(rate * effect.value, effect.unit, low, high)


def scheme_of(campaign: Campaign) -> str:
    """Return the scheme of a campaign's segments as plans name it: ``quantile`` with its cuts; "" for everyone."""
    text = str(campaign.about.get(SCHEME, ""))
    try:
        return str(ValueTiers.parse(text))
    except UsageError:
        return text


def learned_offers(outcomes: Sequence[Outcome]) -> list[LearnedOffer]:
    """Return the offers that campaigns taught something of, the one with the latest campaign first."""
    alike: dict[tuple[str, int, float], list[Outcome]] = {}
    for outcome in outcomes:
        campaign = outcome.campaign
        if outcome.state == DUE and not outcome.confounded_with:
            key = scheme_of(campaign), campaign.window_days, campaign.cost
            alike.setdefault(key, []).append(outcome)
    offers = []
    for (scheme, window_days, cost), group in alike.items():
        latest = group[0].campaign
        rate = 1.0 if latest.margin_rate is None else latest.margin_rate
        # The oldest first: of a tier's predictions the last one counts.
        effects = learned_effects([outcome.by_segment for outcome in reversed(group)], rate)
        if effects:
            by_trait = learned_trait_effects([outcome.by_trait for outcome in reversed(group)], rate)
            names = tuple(outcome.campaign.name for outcome in group)
            terms = window_days, cost, latest.margin_rate
            offers.append(LearnedOffer(names[0], names, scheme, *terms, effects, by_trait))
    return offers


def with_learned(
    offers: Sequence[Offer], learned: Sequence[LearnedOffer], scheme: str, terms: Terms, segments: Sequence[str] = ()
) -> tuple[Offer, ...]:
    """Return a plan's offers with what campaigns measured in place of assumptions, and the offers of campaigns besides.

    Args:
        offers: of the plan; one with the name of a campaign's offer keeps its cost and its capacity.
        learned: of :func:`learned_offers`; those measured in other segments, or for longer than the plan's horizon, are
            not used, nor more than a plan takes.
        scheme: of the plan, as a text.
        terms: of the plan.
        segments: names of the plan's segments, in their order.
    """
    by_name = {offer.name: offer for offer in offers}
    for one in learned:
        fits = one.window_days <= terms.horizon_days and one.scheme in (scheme, "")
        made = one.offer(segments, terms.margin_rate) if fits else None
        if made is None or (one.name not in by_name and len(by_name) >= MAX_OFFERS):
            continue
        entered = by_name.get(one.name)
        if entered is not None:
            made = replace(made, cost=entered.cost, capacity=entered.capacity)
        by_name[one.name] = made
    return tuple(by_name.values())


@dataclass(frozen=True, eq=False)
class NextList:
    """Whom to write to next.

    Args:
        offer: whose effects it goes by; None: nothing was measured yet.
        customers: customer_id, tier or segment, predicted_clv and expected_gain, the highest gain first; also
            trait where the offer goes by it.
        gain: expected incremental margin less cost of all of them, money.
        low: the same if every effect is at the lower end of its interval.
        high: at the upper end.
        unknown: names of the segments of which nothing is known.
        tests: the cheapest test in each of those that have enough customers, the cheapest first.
    """

    offer: LearnedOffer | None
    customers: pd.DataFrame
    gain: float
    low: float
    high: float
    unknown: tuple[str, ...]
    tests: tuple[Test, ...]


def choose_next_list(
    scored: Scored,
    learned: Sequence[LearnedOffer],
    *,
    cost: float | None = None,
    margin_rate: float = 1.0,
    most: int | None = None,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> NextList:
    """Return whom which offer is worth its cost, and the cheapest tests of what is not known of it.

    Of several offers that campaigns taught something of, the one with the highest expected gain is chosen.

    Args:
        scored: dataset and model.
        learned: of :func:`learned_offers`.
        cost: of an offer of which nothing is known, a customer; None: no test without a measured offer.
        margin_rate: of it.
        most: customers of the list.
        language: of the names of segments.
        progress: listener.
    """
    lists = [
        _list_of(scored, offer, offer.cost, offer.margin_rate or 1.0, most, language, progress) for offer in learned
    ]
    if lists:
        return max(lists, key=lambda made: made.gain)
    return _list_of(scored, None, cost or 0.0, margin_rate, most, language, progress)


def _list_of(
    scored: Scored,
    offer: LearnedOffer | None,
    cost: float,
    margin_rate: float,
    most: int | None,
    language: str,
    progress: Progress,
) -> NextList:
    """Return whom one offer is worth its cost."""
    dataset = scored.dataset
    scheme = parse_scheme(offer.scheme, dataset) if offer is not None and offer.scheme else DEFAULT_SCHEME
    loaded = load_scored_customers(scored, scheme, language=language, progress=progress)
    people = SuppressionList.of(scored.workspace, dataset).without(loaded.numbered())
    names = loaded.names(dataset, language)
    made = None if offer is None else offer.offer(names)
    tiers = range(1, len(names) + 1)
    effects = {str(tier): effect for tier in tiers if made and (effect := made.effect_on(tier))}
    by_trait = [
        replace(cell, segment=str(tier))
        for cell in (() if offer is None else offer.by_trait)
        for tier in tiers
        if _number(cell.segment, names) in (tier, ALL_TIERS)
    ]
    if by_trait:
        people = people.assign(**{TRAIT: traits_on(dataset, people[CUSTOMER_ID], scored.as_of)})
    chosen = whom_next(people, effects, cost, most, by_trait)
    low, high = (float((effect_on(chosen, effects, by_trait, end) - cost).sum()) for end in ("low", "high"))
    unknown = [tier for tier in tiers if str(tier) not in effects]
    window = CAMPAIGN_DAYS if offer is None else offer.window_days
    tests = _tests(dataset, people, unknown, window, cost, margin_rate) if cost > 0 and unknown else []
    return NextList(
        offer,
        chosen,
        float(chosen[GAIN].sum()),
        low,
        high,
        tuple(names[tier - 1] for tier in unknown),
        tuple(replace(test, segment=names[int(test.segment) - 1]) for test in tests),
    )


def _tests(
    dataset: Dataset, people: pd.DataFrame, tiers: Sequence[int], days: int, cost: float, margin_rate: float
) -> list[Test]:
    """Return the cheapest test in each of some tiers that have enough customers, the cheapest first."""
    outcome, before = _past_window(dataset, people, days)
    tests = []
    for tier in tiers:
        inside = (people[TIER] == tier).to_numpy()
        if inside.sum() < 2 * MIN_GROUP_SIZE:
            continue
        std = residual_std(outcome[inside], before[inside], np.ones(inside.sum()), [1])
        test = cheapest_test(str(tier), int(inside.sum()), std, cost, margin_rate)
        tests += [] if test is None else [test]
    return sorted(tests, key=lambda test: test.cost)


def _past_window(dataset: Dataset, people: pd.DataFrame, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what customers spent in the last days of the log, and in the year before, money, [n] both."""
    end = dataset.log_end
    start = end - timedelta(days=days)
    spans = ((start, end), (start - timedelta(days=BEFORE_DAYS), start))
    first, second = (net_value(dataset, *span).reindex(people[CUSTOMER_ID], fill_value=0.0) for span in spans)
    return first.to_numpy(float), second.to_numpy(float)
