"""What campaigns brought, in words: the same at all doors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import pandas as pd

from clv_core.errors import Message
from clv_core.i18n import DEFAULT_LANGUAGE, has, say_clauses, say_count, say_money, translate
from clv_core.records import JsonObject
from clv_core.strategy.campaigns.learned_effects import TRAIT, TierUplift
from clv_core.strategy.campaigns.next_list import LearnedOffer, NextList
from clv_core.strategy.campaigns.outcome import (
    CONFOUNDED,
    DECLINED,
    DUE,
    EARLY,
    TOO_FEW,
    WAITING,
    Money,
    Outcome,
)
from clv_core.strategy.campaigns.uplift import EARLY_ERROR, SECONDARY_CONFIDENCE
from clv_core.strategy.experiments.treatment_effect import MIN_GROUP_SIZE
from clv_core.strategy.plans.offers import Effect

NOTHING: Final = Money(0.0, 0.0, 0.0)
OUTCOME_COLUMNS: Final = (
    *("campaign", "started", "due", "state", "verdict", "customers", "control", "left_out"),
    *("cost", "incremental_margin", "gain", "gain_low", "gain_high", "return"),
)


def total_gain(outcomes: Sequence[Outcome]) -> Money | None:
    """Return what all campaigns that are due and told apart brought after their costs; None where there are none.

    Groups of different campaigns are independent, so that errors add up as squares.
    """
    gains = [outcome.gain for outcome in final(outcomes)]
    known = [gain for gain in gains if gain is not None]
    if not known:
        return None
    value = sum(gain.value for gain in known)
    half = math.hypot(*(gain.high - gain.value for gain in known))
    return Money(value, value - half, value + half)


def final(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes that are due and told apart from others."""
    return [outcome for outcome in outcomes if outcome.state == DUE and not outcome.confounded_with]


def headline(outcomes: Sequence[Outcome], currency: str, language: str = DEFAULT_LANGUAGE) -> Message:
    """Return the sentence on all campaigns of a dataset."""
    gain = total_gain(outcomes)
    if gain is not None:
        many = len(final(outcomes))
        ending = "" if gain.low > 0 else ".lost" if gain.high < 0 else ".unsure"
        return Message(f"results.headline{ending}", {"campaigns": many, **_span(gain, currency, language)})
    due = [outcome.due for outcome in outcomes if outcome.state in (WAITING, EARLY)]
    if due:
        return Message("results.headline.waiting", {"campaigns": len(due), "due": min(due).isoformat()})
    return Message("results.headline.unmeasured" if outcomes else "results.headline.none", {"campaigns": len(outcomes)})


def say_outcome(outcome: Outcome, currency: str, language: str = DEFAULT_LANGUAGE) -> Message:
    """Return the sentence on one campaign: whether it paid, by how much, and how sure that is."""
    named = {"name": outcome.campaign.name}
    if outcome.verdict == DECLINED:
        return Message("results.said.declined", named)
    if outcome.verdict == WAITING:
        return Message("results.said.waiting", {**named, "due": outcome.due.isoformat()})
    if outcome.verdict == TOO_FEW:
        sizes = {"list": outcome.listed, "control": outcome.control, "fewest": MIN_GROUP_SIZE}
        return Message("results.said.too_few", {**named, **sizes})
    if outcome.verdict == CONFOUNDED:
        return Message("results.said.confounded", {**named, "others": list(outcome.confounded_with)})
    said = {**named, **_span(outcome.gain or NOTHING, currency, language)}
    if outcome.state == EARLY:
        return Message("results.said.early", {**said, "due": outcome.due.isoformat()})
    return Message(f"results.said.{outcome.verdict}", said)


def notes_on(outcome: Outcome, language: str = DEFAULT_LANGUAGE) -> tuple[Message, ...]:
    """Return what has to be said beside an outcome: its interval, others of the same days, who is left out, doubts."""
    notes = []
    if outcome.state == EARLY:
        notes.append(Message("results.note.early", {"share": f"{EARLY_ERROR:.0%}", "due": outcome.due.isoformat()}))
    if outcome.secondary:
        notes.append(Message("results.note.secondary", {"level": f"{SECONDARY_CONFIDENCE:.0%}"}))
    if outcome.uplift is not None and outcome.campaign.margin_rate is None:
        notes.append(Message("results.note.revenue"))
    if outcome.told_apart:
        notes.append(Message("results.note.told_apart", {"others": list(outcome.told_apart)}))
    for destination, customers in outcome.campaign.control_there.items():
        notes.append(Message("results.note.control_there", {"name": destination, "customers": customers}))
    if left_out := {**outcome.campaign.left_out, **outcome.left_out}:
        notes.append(Message("results.note.left_out", {"reasons": say_left_out(left_out, language)}))
    return (*notes, *outcome.warnings)


def say_left_out(left_out: dict[str, int], language: str = DEFAULT_LANGUAGE) -> str:
    """Return how many customers were left out of a campaign, by reason."""
    colon = "：" if language == "zh" else ": "
    keys = {
        why: f"{'results' if has(f'results.left_out.{why}', language) else 'export'}.left_out.{why}" for why in left_out
    }
    return say_clauses(
        [f"{translate(keys[why], language)}{colon}{say_count(many, language)}" for why, many in left_out.items()],
        language,
    )


def say_next(made: NextList, currency: str, language: str = DEFAULT_LANGUAGE) -> tuple[Message, ...]:
    """Return whom to write to next, and the cheapest test of what nobody knows yet."""
    said = []
    if made.offer is not None and len(made.customers):
        gain = _span(Money(made.gain, made.low, made.high), currency, language)
        said.append(Message("results.next", {"offer": made.offer.name, "customers": len(made.customers), **gain}))
    elif made.offer is not None:
        said.append(Message("results.next.nobody", {"offer": made.offer.name}))
    if made.offer is not None and made.offer.by_trait:
        said.append(Message("results.next.traits"))
    if made.unknown:
        said.append(Message("results.unknown", {"tiers": list(made.unknown)}))
        if made.tests:
            test = made.tests[0]
            params = {"tier": test.segment, "list": test.listed, "control": test.control}
            cost, effect = (say_money(value, currency, language) for value in (test.cost, test.effect))
            said.append(Message("results.test", {**params, "cost": cost, "effect": effect}))
    return tuple(said)


def outcome_json(outcome: Outcome, currency: str, language: str = DEFAULT_LANGUAGE) -> JsonObject:
    """Return an outcome for programs; sums are of all customers in the list, effects of one."""
    campaign, margin, gain, effect = outcome.campaign, outcome.margin, outcome.gain, outcome.uplift
    return {
        "name": campaign.name,
        "started": campaign.started,
        "window_days": campaign.window_days,
        "control_share": campaign.share,
        "state": outcome.state,
        "verdict": outcome.verdict,
        "due": outcome.due.isoformat(),
        "days": outcome.days,
        "customers": outcome.listed,
        "control": outcome.control,
        "cost": outcome.cost,
        "margin_rate": campaign.margin_rate,
        "effect": None if effect is None else vars(effect),
        "incremental_margin": None if margin is None else vars(margin),
        "gain": None if gain is None else vars(gain),
        "return": outcome.returned,
        "secondary": {name: vars(one) for name, one in outcome.secondary.items()},
        "by_segment": [_without_trait(one) for one in outcome.by_segment],
        "by_trait": [vars(one) for one in outcome.by_trait],
        "told_apart": list(outcome.told_apart),
        "confounded_with": list(outcome.confounded_with),
        "left_out": {**campaign.left_out, **outcome.left_out},
        "message": say_outcome(outcome, currency, language).display(language),
        "notes": [note.to_json(language) for note in notes_on(outcome, language)],
    }


def outcome_table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return a row for each outcome, as a table for programs; money is of all customers in the list.

    Returns:
        campaign, started, due (ISO days), state, verdict, customers, control, left_out (in neither group), cost,
        incremental_margin, gain (after costs) with gain_low and gain_high, and return (for each unit of cost). NaN
        where nothing can be said.
    """
    rows = []
    for outcome in outcomes:
        margin, gain = outcome.margin, outcome.gain
        ends = (math.nan,) * 3 if gain is None else (gain.value, gain.low, gain.high)
        known = [outcome.campaign.name, outcome.campaign.started, outcome.due.isoformat()]
        counts = [outcome.listed, outcome.control, sum({**outcome.campaign.left_out, **outcome.left_out}.values())]
        money = [outcome.cost, math.nan if margin is None else margin.value, *ends]
        returned = math.nan if outcome.returned is None else outcome.returned
        rows.append([*known, outcome.state, outcome.verdict, *counts, *money, returned])
    return pd.DataFrame(rows, columns=list(OUTCOME_COLUMNS))


def offer_json(offer: LearnedOffer) -> JsonObject:
    """Return what campaigns taught of an offer, for programs; ``text`` is what ``plan --offer`` takes."""
    made = offer.offer()
    return {
        "name": offer.name,
        "campaigns": list(offer.campaigns),
        "scheme": offer.scheme,
        "window_days": offer.window_days,
        "cost": offer.cost,
        "margin_rate": offer.margin_rate,
        "effects": {segment: _effect_json(effect) for segment, effect in offer.effects.items()},
        "by_trait": [
            {
                "segment": cell.segment,
                "trait": cell.trait,
                "customers": cell.listed,
                "control": cell.control,
                **_effect_json(cell.effect),
            }
            for cell in offer.by_trait
        ],
        "text": None if made is None else str(made),
    }


def _without_trait(uplift: TierUplift) -> JsonObject:
    return {name: value for name, value in vars(uplift).items() if name != TRAIT}


def _effect_json(effect: Effect) -> JsonObject:
    return {"value": effect.value, "low": effect.low, "high": effect.high}


def summary_lines(outcomes: Sequence[Outcome], currency: str, language: str = DEFAULT_LANGUAGE) -> list[str]:
    """Return a line on each campaign that has something to say, for the night's summary."""
    told = [outcome for outcome in outcomes if outcome.state != DECLINED]
    return [say_outcome(outcome, currency, language).display(language) for outcome in told]


def _span(money: Money, currency: str, language: str) -> JsonObject:
    ends = {name: say_money(getattr(money, name), "", language) for name in ("low", "high")}
    return {"gain": say_money(money.value, currency, language), **ends}
