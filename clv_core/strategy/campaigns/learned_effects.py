"""What campaigns taught: an offer's effect by tier, for the next plan; whom to write to next; the cheapest test.

A tier's effect is taken as a share of what its customers were predicted to bring: an offer that works alike everywhere
has one share, and more money where more is bought. A tier's shares in several campaigns are averaged, then those of all
tiers are drawn towards their common mean, the more the less sure each is and the less they differ beyond chance
(empirical Bayes). To take each tier's own figure would be to pick the luckiest. Where tiers do not differ beyond chance
they have one share, and the next list goes by value as before.

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
from clv_core.strategy.segments.segmentation import SEGMENT, TIER, VALUE

Floats = npt.NDArray[np.float64]

GAIN: Final = "expected_gain"
"""Column of lists: expected incremental margin less cost, money."""


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
    """

    segment: str
    listed: int
    control: int
    effect: float
    error: float
    predicted: float


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


def learned_effects(campaigns: Sequence[Sequence[TierUplift]], margin_rate: float = 1.0) -> dict[str, Effect]:
    """Return an offer's effect on each tier that was tried, in money of margin a customer, with 90% intervals.

    Args:
        campaigns: of each campaign with the offer and the same window what it brought by tier; groups smaller than
            :data:`~clv_core.strategy.experiments.treatment_effect.MIN_GROUP_SIZE` do not count.
        margin_rate: share of revenue that is margin.

    Returns:
        By the text of the tier; empty where nothing was measured.
    """
    by_tier: dict[str, list[TierUplift]] = {}
    for one in (one for campaign in campaigns for one in campaign):
        if min(one.listed, one.control) >= MIN_GROUP_SIZE and one.error > 0:
            by_tier.setdefault(one.segment, []).append(one)
    if not by_tier:
        return {}
    # Of one tier the latest prediction counts, which is what the next list goes by.
    scale = np.array([uplifts[-1].predicted for uplifts in by_tier.values()])
    if not (np.isfinite(scale) & (scale > 0)).all():
        scale = np.ones(len(scale))
    pooled = [
        random_effects([one.effect for one in uplifts], [one.error for one in uplifts]) for uplifts in by_tier.values()
    ]
    shares = random_effects(
        np.array([tier.mean for tier in pooled]) / scale, np.array([tier.error for tier in pooled]) / scale
    )
    half = scipy.special.ndtri((1 + CONFIDENCE) / 2) * shares.effect_error
    ends = margin_rate * scale * np.stack([shares.effect, shares.effect - half, shares.effect + half])
    effects = {
        segment: Effect(value, MONEY, low, high)
        for segment, (value, low, high) in zip(by_tier, ends.T.tolist(), strict=True)
    }
    return dict(sorted(effects.items()))


def whom_next(
    customers: pd.DataFrame, effects: Mapping[str, Effect], cost: float, most: int | None = None
) -> pd.DataFrame:
    """Return to whom the offer is worth its cost, the highest expected gain first; of the same gain the highest value.

    Args:
        customers: with predicted_clv, and ``tier`` or ``segment`` as in the campaigns.
        effects: of :func:`learned_effects`; who is in no tier of them is not in the list.
        cost: of the offer, a customer, money.
        most: customers; None is no limit.

    Returns:
        The rows of ``customers`` with :data:`GAIN`, above 0.
    """
    segment = customers[SEGMENT if SEGMENT in customers else TIER].astype("str")
    gain = segment.map({name: effect.value - cost for name, effect in effects.items()}).astype(float)
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
