"""What campaigns taught: an offer's effect by tier, for the next plan; whom to write to next; the cheapest test.

A tier's effects in several campaigns are averaged, then those of all tiers are drawn towards their common mean, the
more the less sure each is and the less they differ beyond chance (empirical Bayes). To take each tier's own figure
would be to pick the luckiest. Where tiers do not differ beyond chance they have one effect, and the next list goes by
value as before.

    tau^2 = max(0, (Q - k + 1) / (sum w - sum w^2 / sum w))     w = 1 / error^2     Q = sum w (effect - mean)^2

Sources: DerSimonian, Laird (1986), Meta-analysis in clinical trials; Morris (1983), Parametric empirical Bayes
inference (the error of a shrunken effect).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from clv_core.strategy.experiments.randomized_experiment import required_sample_size
from clv_core.strategy.experiments.treatment_effect import CONFIDENCE, MIN_GROUP_SIZE
from clv_core.strategy.plans.offers import MONEY, Effect
from clv_core.strategy.segments.segmentation import TIER, VALUE

Floats = npt.NDArray[np.float64]

GAIN: Final = "expected_gain"
"""Column of lists: expected incremental margin less cost, money."""


@dataclass(frozen=True)
class TierUplift:
    """What one campaign brought in one tier.

    Args:
        tier: number of the tier, 1 = highest.
        listed: customers who got it.
        control: customers in the control group.
        effect: net revenue a customer in the window, money.
        error: its standard error.
    """

    tier: int
    listed: int
    control: int
    effect: float
    error: float


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


def learned_effects(campaigns: Sequence[Sequence[TierUplift]], margin_rate: float = 1.0) -> dict[int, Effect]:
    """Return an offer's effect on each tier that was tried, in money of margin, with 90% intervals.

    Args:
        campaigns: of each campaign with the offer and the same window what it brought by tier; groups smaller than
            :data:`~clv_core.strategy.experiments.treatment_effect.MIN_GROUP_SIZE` do not count.
        margin_rate: share of revenue that is margin.

    Returns:
        By tier, the highest first; empty where nothing was measured.
    """
    by_tier: dict[int, list[TierUplift]] = {}
    for uplift in (uplift for campaign in campaigns for uplift in campaign):
        if min(uplift.listed, uplift.control) >= MIN_GROUP_SIZE and uplift.error > 0:
            by_tier.setdefault(uplift.tier, []).append(uplift)
    if not by_tier:
        return {}
    tiers = sorted(by_tier)
    pooled = [
        random_effects([one.effect for one in by_tier[tier]], [one.error for one in by_tier[tier]]) for tier in tiers
    ]
    shrunk = random_effects([tier.mean for tier in pooled], [tier.error for tier in pooled])
    half = scipy.special.ndtri((1 + CONFIDENCE) / 2) * shrunk.effect_error
    ends = margin_rate * np.stack([shrunk.effect, shrunk.effect - half, shrunk.effect + half])
    return {
        tier: Effect(value, MONEY, low, high) for tier, (value, low, high) in zip(tiers, ends.T.tolist(), strict=True)
    }


def whom_next(
    customers: pd.DataFrame, effects: Mapping[int, Effect], cost: float, most: int | None = None
) -> pd.DataFrame:
    """Return to whom the offer is worth its cost, the highest expected gain first; of the same gain the highest value.

    Args:
        customers: with ``tier`` and ``predicted_clv``.
        effects: of :func:`learned_effects`; who is in no tier of them is not in the list.
        cost: of the offer, a customer, money.
        most: customers; None is no limit.

    Returns:
        The rows of ``customers`` with :data:`GAIN`, above 0.
    """
    gain = customers[TIER].map({tier: effect.value - cost for tier, effect in effects.items()}).astype(float)
    worth = customers.assign(**{GAIN: gain}).loc[gain > 0]
    return worth.sort_values([GAIN, VALUE], ascending=False, kind="stable").head(most)


@dataclass(frozen=True)
class Test:
    """The cheapest test that shows whether an offer pays in a tier.

    Args:
        tier: its number.
        customers: in the tier.
        listed: who get the offer; the others are the control group.
        control: those.
        cost: of the offer for all who get it, money.
        effect: net revenue a customer that it detects in four of five cases: that at which the offer pays its cost.
    """

    tier: int
    customers: int
    listed: int
    control: int
    cost: float
    effect: float

    __test__ = False


def cheapest_test(tier: int, customers: int, std: float, cost: float, margin_rate: float = 1.0) -> Test | None:
    """Return the test of an offer with the lowest cost; None where the tier has too few customers for any.

    A control group costs nothing, so it is the rest of the tier: with L who get the offer and N - L who do not, the
    effect is seen where 1 / L + 1 / (N - L) is at most 1 / k, of which the smaller root is the fewest.

    Args:
        tier: its number.
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
    return Test(tier, customers, listed, customers - listed, listed * cost, effect)
