"""What campaigns taught: an offer's effect by tier, for the next plan; whom to write to next; the cheapest test.

A tier's effect is taken as a share of what its customers were predicted to bring: an offer that works alike everywhere
has one share, and more money where more is bought. A tier's shares in several campaigns are averaged, then those of all
tiers are drawn towards their common mean, the more the less sure each is and the less they differ beyond chance
(empirical Bayes). To take each tier's own figure would be to pick the luckiest. Where tiers do not differ beyond chance
they have one share, and the next list goes by value as before.

    tau^2 = max(0, (Q - k + 1) / (sum w - sum w^2 / sum w))     w = 1 / error^2     Q = sum w (effect - mean)^2

An offer may also work otherwise on new, active and lapsed customers (:data:`TRAITS`). Where these differ within tiers
beyond chance, each tier and trait has a share of its own, drawn towards what its tier and its trait have in common:

    share = mean + tier + trait + rest + error        each of the three normal, with a variance of its own

How much tiers, traits and rest vary, a few cells do not tell; what they say is averaged over what they may be, weighted
by likelihood (REML). Where traits do not differ, lists go by tier: cells would only add noise
(``tests/bench/campaigns.py``).

Sources: DerSimonian, Laird (1986), Meta-analysis in clinical trials; Morris (1983), Parametric empirical Bayes
inference (the error of a shrunken effect); Robinson (1991), That BLUP is a good thing (crossed effects); Harville
(1977), Maximum likelihood approaches to variance component estimation (REML).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from clv_core.strategy.experiments.randomized_experiment import required_sample_size
from clv_core.strategy.experiments.treatment_effect import CONFIDENCE, MIN_GROUP_SIZE
from clv_core.strategy.plans.offers import MONEY, Effect
from clv_core.strategy.segments.segmentation import SEGMENT, TIER, VALUE

Floats = npt.NDArray[np.float64]

GAIN: Final = "expected_gain"
"""Column of lists: expected incremental margin less cost, money."""
NEW: Final = "new"
ACTIVE: Final = "active"
LAPSED: Final = "lapsed"
TRAITS: Final = (NEW, ACTIVE, LAPSED)
"""What a customer was when she joined: first seen lately; else whether she bought lately."""
TRAIT: Final = "trait"
"""Column of lists: one of :data:`TRAITS`."""
TRAIT_DAYS: Final = 90
"""How long ago is lately: a quarter, by which shops speak of new and of lapsed customers; a guess."""
TRAITS_P_VALUE: Final = 0.1
"""Traits that differ as much as theirs only with this probability have effects of their own. Lists of shops in which
they do not differ lose up to 1% by it, of those in which they do gain a fifth and more; at 5% they gain less
(``tests/bench/campaigns.py``, 100 shops)."""
SPREADS: Final = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Standard deviations of tiers, traits and rest that are averaged over, in medians of the cells' standard errors: from
nothing to what chance hides no more; a guess."""


@dataclass(frozen=True)
class TierUplift:
    """What one campaign brought in one tier.

    Args:
        segment: number of a tier, 1 = highest, or a segment's name, as a text.
        listed: customers who got it.
        control: customers in the control group.
        effect: net revenue a customer in the window, money.
        error: its standard error.
        predicted: mean predicted value of its customers, money; of any horizon, but that of all tiers.
        trait: one of :data:`TRAITS` where it is of those of the tier alone; "" for the whole tier.
    """

    segment: str
    listed: int
    control: int
    effect: float
    error: float
    predicted: float
    trait: str = ""


@dataclass(frozen=True)
class TraitEffect:
    """An offer's effect on customers of one trait in one tier, by all campaigns with it.

    Args:
        segment: as of :class:`TierUplift`.
        trait: one of :data:`TRAITS`.
        listed: customers who got it, in all campaigns together.
        control: customers in the control groups.
        effect: in money of margin a customer.
    """

    segment: str
    trait: str
    listed: int
    control: int
    effect: Effect


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """Estimates of related effects, taken together.

    Args:
        mean: of the effects that they are drawn from.
        error: standard error of the mean.
        between: standard deviation of the effects beyond chance; 0 where chance explains all.
        effect: each effect, drawn towards the mean, [k].
        effect_error: standard error of each, [k].
    """

    mean: float
    error: float
    between: float
    effect: Floats
    effect_error: Floats


def trait_of(since_first: npt.ArrayLike, bought_lately: npt.ArrayLike) -> npt.NDArray[np.str_]:
    """Return which of :data:`TRAITS` customers are on a day.

    Args:
        since_first: days since each was first seen, [n].
        bought_lately: whether she bought in the last :data:`TRAIT_DAYS`, bool, [n].
    """
    return np.where(np.asarray(since_first) <= TRAIT_DAYS, NEW, np.where(bought_lately, ACTIVE, LAPSED))


def random_effects(effect: npt.ArrayLike, error: npt.ArrayLike) -> RandomEffects:
    """Return what estimates say together, and each of them with what the others say.

    Args:
        effect: estimates, [k], k at least 1.
        error: standard error of each, above 0, [k].
    """
    estimate, variance = np.asarray(effect, float), np.asarray(error, float) ** 2
    weight = 1 / variance
    q = float((weight * (estimate - np.average(estimate, weights=weight)) ** 2).sum())
    spread = float(weight.sum() - (weight**2).sum() / weight.sum())
    between = max(0.0, (q - len(estimate) + 1) / spread) if len(estimate) > 1 and spread > 0 else 0.0
    weight = 1 / (variance + between)
    mean, mean_variance = float(np.average(estimate, weights=weight)), float(1 / weight.sum())
    shrinkage = variance * weight
    left = (1 - shrinkage) * variance + shrinkage**2 * mean_variance
    return RandomEffects(
        mean, mean_variance**0.5, between**0.5, mean + (1 - shrinkage) * (estimate - mean), np.sqrt(left)
    )


def crossed_effects(
    effect: npt.ArrayLike, error: npt.ArrayLike, tier: npt.ArrayLike, trait: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Return estimates of tiers and traits, each drawn towards what its tier and its trait have in common.

    Args:
        effect: estimates, [k], k at least 2.
        error: standard error of each, above 0, [k].
        tier: of each, [k].
        trait: of each, [k]; no tier and trait twice.

    Returns:
        The effects and their standard errors, [k] both.
    """
    estimate, deviation = np.asarray(effect, float), np.asarray(error, float)
    alike = [np.equal.outer(names, names) for names in (np.asarray(tier), np.asarray(trait), np.arange(len(estimate)))]
    spreads = np.array(list(product(SPREADS, repeat=3))) * np.median(deviation)
    between = np.einsum("gc,cij->gij", spreads**2, np.array(alike, float))
    weight = np.linalg.inv(between + np.diag(deviation**2))
    of_mean = weight.sum(axis=-1)
    mean_variance = 1 / of_mean.sum(axis=-1)
    mean = mean_variance * (of_mean @ estimate)
    rest = estimate - mean[:, None]
    misfit = np.einsum("gi,gij,gj->g", rest, weight, rest)
    likelihood = (np.linalg.slogdet(weight).logabsdet + np.log(mean_variance) - misfit) / 2
    share = scipy.special.softmax(likelihood)
    shrunk = between @ weight
    drawn = mean[:, None] + np.einsum("gij,gj->gi", shrunk, rest)
    # What is not known of the mean reaches an effect as far as its own estimate does not.
    of_own = 1 - shrunk.sum(axis=-1)
    variance = np.einsum("gii->gi", between - shrunk @ between) + of_own**2 * mean_variance[:, None]
    found = share @ drawn
    return found, np.sqrt(share @ (variance + (drawn - found) ** 2))


def traits_p_value(effect: npt.ArrayLike, error: npt.ArrayLike, tier: npt.ArrayLike, trait: npt.ArrayLike) -> float:
    """Return how probable it is that traits differ as much as these where they do not, tiers being as they are.

    Arguments are :func:`crossed_effects`'s. 1 where no tier has two traits.
    """
    estimate, weight = np.asarray(effect, float), 1 / np.asarray(error, float)
    tiers, traits = (np.equal.outer(np.asarray(names), np.unique(names)).astype(float) for names in (tier, trait))
    left, freedom = [], []
    for known in (tiers, np.column_stack([tiers, traits])):
        found, _, rank, _ = np.linalg.lstsq(weight[:, None] * known, weight * estimate, rcond=None)
        left.append(float((weight**2 * (estimate - known @ found) ** 2).sum()))
        freedom.append(int(rank))
    more = freedom[1] - freedom[0]
    return float(scipy.stats.chi2.sf(left[0] - left[1], more)) if more else 1.0


def learned_effects(campaigns: Sequence[Sequence[TierUplift]], margin_rate: float = 1.0) -> dict[str, Effect]:
    """Return an offer's effect on each tier that was tried, in money of margin a customer, with 90% intervals.

    Args:
        campaigns: of each campaign with the offer and the same window what it brought by tier; groups smaller than
            :data:`~clv_core.strategy.experiments.treatment_effect.MIN_GROUP_SIZE` do not count.
        margin_rate: share of revenue that is margin.

    Returns:
        By the text of the tier; empty where nothing was measured.
    """
    by_tier = _measured(campaigns)
    if not by_tier:
        return {}
    scale, share, error = _shares(list(by_tier.values()))
    found = random_effects(share, error)
    effects = _in_money(found.effect, found.effect_error, margin_rate * scale)
    return {segment: effect for (segment, _), effect in sorted(zip(by_tier, effects, strict=True))}


def learned_trait_effects(
    campaigns: Sequence[Sequence[TierUplift]], margin_rate: float = 1.0
) -> tuple[TraitEffect, ...]:
    """Return an offer's effect by tier and trait, where traits differ beyond chance; empty where they do not.

    Args:
        campaigns: as :func:`learned_effects` takes them, but by tier and trait.
        margin_rate: share of revenue that is margin.
    """
    by_cell = dict(sorted(_measured(campaigns).items(), key=lambda item: (item[0][0], TRAITS.index(item[0][1]))))
    if len(by_cell) < 2:
        return ()
    scale, share, error = _shares(list(by_cell.values()))
    tier, trait = np.array(list(by_cell)).T
    if traits_p_value(share, error, tier, trait) >= TRAITS_P_VALUE:
        return ()
    effects = _in_money(*crossed_effects(share, error, tier, trait), margin_rate * scale)
    return tuple(
        TraitEffect(*cell, sum(one.listed for one in uplifts), sum(one.control for one in uplifts), effect)
        for (cell, uplifts), effect in zip(by_cell.items(), effects, strict=True)
    )


def _measured(campaigns: Sequence[Sequence[TierUplift]]) -> dict[tuple[str, str], list[TierUplift]]:
    """Return what counts of each tier and trait, in the order of the campaigns."""
    found: dict[tuple[str, str], list[TierUplift]] = {}
    for one in (one for campaign in campaigns for one in campaign):
        if min(one.listed, one.control) >= MIN_GROUP_SIZE and one.error > 0:
            found.setdefault((one.segment, one.trait), []).append(one)
    return found


def _shares(cells: Sequence[Sequence[TierUplift]]) -> tuple[Floats, Floats, Floats]:
    """Return what a share of one is in each cell, money, its share over all campaigns, and the share's error, [k]."""
    # Of one cell the latest prediction counts, which is what the next list goes by.
    scale = np.array([uplifts[-1].predicted for uplifts in cells])
    if not (np.isfinite(scale) & (scale > 0)).all():
        scale = np.ones(len(scale))
    pooled = [random_effects([one.effect for one in uplifts], [one.error for one in uplifts]) for uplifts in cells]
    mean, error = (np.array([getattr(one, name) for one in pooled]) for name in ("mean", "error"))
    return scale, mean / scale, error / scale


def _in_money(share: Floats, error: Floats, scale: Floats) -> list[Effect]:
    """Return effects in money with their intervals; ``scale`` is what a share of one is, money, [k]."""
    half = scipy.special.ndtri((1 + CONFIDENCE) / 2) * error
    ends = scale * np.stack([share, share - half, share + half])
    return [Effect(value, MONEY, low, high) for value, low, high in ends.T.tolist()]


def effect_on(
    customers: pd.DataFrame, effects: Mapping[str, Effect], by_trait: Sequence[TraitEffect] = (), end: str = "value"
) -> pd.Series[float]:
    """Return an offer's effect on each customer, money: of her tier and trait, or of her tier where that is not known.

    Args:
        customers: as :func:`whom_next` takes them, [n].
        effects: by tier.
        by_trait: by tier and trait.
        end: ``value``, or ``low`` or ``high`` of the intervals.

    Returns:
        NaN for who is in no tier of them, [n].
    """
    segment = customers[SEGMENT if SEGMENT in customers else TIER].astype("str")
    found = segment.map({name: getattr(effect, end) for name, effect in effects.items()}).astype(float)
    for cell in by_trait:
        found = found.mask((segment == cell.segment) & (customers[TRAIT] == cell.trait), getattr(cell.effect, end))
    return found


def whom_next(
    customers: pd.DataFrame,
    effects: Mapping[str, Effect],
    cost: float,
    most: int | None = None,
    by_trait: Sequence[TraitEffect] = (),
) -> pd.DataFrame:
    """Return to whom the offer is worth its cost, the highest expected gain first; of the same gain the highest value.

    Args:
        customers: with predicted_clv, ``tier`` or ``segment`` as in the campaigns, and ``trait`` where ``by_trait`` is.
        effects: of :func:`learned_effects`; who is in no tier of them is not in the list.
        cost: of the offer, a customer, money.
        most: customers; None is no limit.
        by_trait: of :func:`learned_trait_effects`.

    Returns:
        The rows of ``customers`` with :data:`GAIN`, above 0.
    """
    gain = effect_on(customers, effects, by_trait) - cost
    worth = customers.assign(**{GAIN: gain}).loc[gain > 0]
    return worth.sort_values([GAIN, VALUE], ascending=False, kind="stable").head(len(worth) if most is None else most)


@dataclass(frozen=True)
class Test:
    """The cheapest test that shows whether an offer pays in a tier.

    Args:
        segment: number or name of the tier, as a text.
        customers: in the tier.
        listed: who get the offer; the others are the control group.
        control: those.
        cost: of the offer for all who get it, money.
        effect: net revenue a customer that it detects in four of five cases: that at which the offer pays its cost.
    """

    segment: str
    customers: int
    listed: int
    control: int
    cost: float
    effect: float

    __test__ = False


def cheapest_test(segment: str, customers: int, std: float, cost: float, margin_rate: float = 1.0) -> Test | None:
    """Return the test of an offer with the lowest cost; None where the tier has too few customers for any.

    A control group costs nothing, so it is the rest of the tier: with L who get the offer and N - L who do not, the
    effect is seen where 1 / L + 1 / (N - L) is at most 1 / k, of which the smaller root is the fewest.

    Args:
        segment: its number or name.
        customers: N, in the tier.
        std: standard deviation of what a customer brings in the window, after CUPED, money.
        cost: of the offer, a customer, money, above 0.
        margin_rate: share of revenue that is margin.
    """
    effect = cost / margin_rate
    # Of two equal groups together 4 k customers are needed.
    k = required_sample_size(effect, std, 0.5) / 4
    if customers < 4 * k:
        return None
    listed = max(int(np.ceil((customers - np.sqrt(customers * (customers - 4 * k))) / 2)), MIN_GROUP_SIZE)
    if customers - listed < MIN_GROUP_SIZE:
        return None
    return Test(segment, customers, listed, customers - listed, listed * cost, effect)
