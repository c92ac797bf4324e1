"""Offers whose assumed effects are replaced by what experiments measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from clv_core.deployment import Scored
from clv_core.jobs import Progress
from clv_core.strategy.experiments.measurement import measure_experiment
from clv_core.strategy.experiments.treatment_effect import Experiment
from clv_core.strategy.plans.offers import ALL_TIERS, MONEY, Effect, Offer
from clv_core.strategy.segments.segmentation import Segmentation
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, ValueTiers


def measure_offers(
    scored: Scored,
    offers: Sequence[Offer],
    files: Mapping[str, Path],
    *,
    scheme: Segmentation = DEFAULT_SCHEME,
    progress: Progress,
) -> tuple[tuple[Offer, ...], dict[str, Experiment]]:
    """Return the offers with measured effects where there are files, and the experiments by the offer's name.

    Args:
        scored: dataset, and model whose predictions are subtracted from the outcomes, at the terms of the plan:
            outcomes count for its horizon at most, and its margin is applied to them.
        offers: what can be given.
        files: of experiments, by the offer's name.
        scheme: of the plan; where its segments are no value tiers, the effect on all customers counts.
        progress: listener.

    Raises:
        ClvError: a file cannot be used, or shows too little.
    """
    terms = scored.terms
    by_tier = isinstance(scheme, ValueTiers)
    tiers = scheme if isinstance(scheme, ValueTiers) else DEFAULT_SCHEME
    experiments = {
        offer: measure_experiment(scored, path, most_days=terms.horizon_days, scheme=tiers, progress=progress)
        for offer, path in files.items()
    }
    return with_experiments(offers, experiments, terms.horizon_days, terms.margin_rate, by_tier=by_tier), experiments


def with_experiments(
    offers: Sequence[Offer],
    experiments: Mapping[str, Experiment],
    horizon_days: int,
    margin_rate: float = 1.0,
    *,
    by_tier: bool = True,
) -> tuple[Offer, ...]:
    """Return the offers with the effects of their experiments.

    An experiment whose outcomes counted for longer than the plan's horizon is not used.

    Args:
        offers: what can be given.
        experiments: by the name of the offer that was tried.
        horizon_days: of the plan.
        margin_rate: share of the measured net value that is margin.
        by_tier: as in :func:`with_measured_effects`.
    """
    short = {name: one for name, one in experiments.items() if one.window_days <= horizon_days}
    return tuple(
        with_measured_effects(offer, short[offer.name], margin_rate, by_tier=by_tier) if offer.name in short else offer
        for offer in offers
    )


def with_measured_effects(
    offer: Offer, experiment: Experiment, margin_rate: float = 1.0, *, by_tier: bool = True
) -> Offer:
    """Return the offer with the effects that an experiment measured.

    They hold for the tiers in which the experiment had enough customers; no other tier gets the offer. The effect on
    all customers counts for each of them, unless they differ by more than chance allows: then each has its own. Where
    the plan's customers are not cut into the tiers of the experiment, the effect on all counts for everyone. If there
    are tiers that it was not tried in, or no tier had enough customers, it is then an assumption without an interval.

    Args:
        offer: whose cost and capacity stay.
        experiment: what it showed.
        margin_rate: share of the measured net value that is margin.
        by_tier: whether the plan's customers are cut into the tiers of the experiment.
    """
    effects = {
        one.tier: Effect(margin_rate * one.effect, MONEY, margin_rate * one.low, margin_rate * one.high)
        for one in experiment.effects
        if one.effect is not None and one.low is not None and one.high is not None
    }
    overall, tried = effects.pop(ALL_TIERS), experiment.tried_tiers
    in_all_tiers = len(tried) == len(experiment.effects) - 1
    if not in_all_tiers and not (tried and by_tier):
        return replace(offer, effects={ALL_TIERS: Effect(overall.value, MONEY)}, window_days=None)
    if not (by_tier and experiment.tiers_differ):
        effects = {ALL_TIERS: overall} if in_all_tiers else dict.fromkeys(tried, overall)
    return replace(offer, effects=effects, window_days=experiment.window_days)
