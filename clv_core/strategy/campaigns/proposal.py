"""The control group that is proposed for a list: how large, and which uplift a customer it would show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.strategy.experiments.randomized_experiment import (
    detectable_effect,
    net_revenue_around,
    residual_std,
)
from clv_core.strategy.experiments.treatment_effect import MIN_GROUP_SIZE
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME

SHARES: Final = (0.05, 0.1, 0.15, 0.2)
"""Shares that are proposed, the smallest that shows enough; more than a fifth of a list is a high price. A guess."""
MAX_SHARE: Final = 0.5
"""Of small lists, where more than the largest of :data:`SHARES` make a group that can be measured."""
GOOD_EFFECT: Final = 0.2
"""An uplift of this share of what customers spend is one that marketers hope for; a guess."""
STEP: Final = 0.05
"""Shares of small lists are multiples of it."""


@dataclass(frozen=True, eq=False)
class PastSpending:
    """What customers spent in the last days of the log, and what was known of them before.

    Args:
        before: net revenue in the year before, money, [n].
        outcome: net revenue in the window, money, [n].
        tier: by the order of ``before``, with the shares of the default scheme, [n].
        window_days: length of the window.
    """

    before: npt.NDArray[np.float64]
    outcome: npt.NDArray[np.float64]
    tier: npt.NDArray[np.int64]
    window_days: int

    @classmethod
    def of(cls, dataset: Dataset, window_days: int) -> PastSpending | None:
        """Return it for the last ``window_days`` of a log; None where as many did not come before them."""
        start = dataset.log_end - timedelta(days=window_days)
        if (start - dataset.log_start).days < window_days:
            return None
        before, outcome = net_revenue_around(dataset, start, window_days)
        if not len(before):
            return None
        order = pd.Series(before).rank(method="first").to_numpy(float)  # of many who spent nothing some in each tier
        return cls(before, outcome, DEFAULT_SCHEME.tier_of(order), window_days)


@dataclass(frozen=True)
class Proposal:
    """A control group for a list.

    Args:
        customers: of the list and the control group.
        share: of the control group; 0 where there are too few customers for two groups.
        effect: uplift of net revenue a customer that shows with a probability of 80%, money; None where the log is too
            short to tell, or there are too few customers.
        spending: what such customers spent in such a window, money a customer; None the same.
    """

    customers: int
    share: float
    effect: float | None
    spending: float | None


def propose_control(
    past: PastSpending | None, tiers: npt.ArrayLike, share: float | None = None, *, customers: int | None = None
) -> Proposal:
    """Return the control group that is proposed for a list, or what another share of it would show.

    Args:
        past: what customers spent; None where the log is too short.
        tiers: value tier of each customer of the list, [m].
        share: of the control group; None proposes one.
        customers: how many of them may be contacted; None is all.
    """
    offered = np.asarray(tiers, np.int64)
    customers = len(offered) if customers is None else customers
    if customers < 2 * MIN_GROUP_SIZE:
        return Proposal(customers, 0.0, None, None)
    fits = [candidate for candidate in SHARES if candidate * customers >= MIN_GROUP_SIZE]
    fits = fits or [min(MAX_SHARE, round(float(np.ceil(MIN_GROUP_SIZE / customers / STEP)) * STEP, 2))]
    std, spending = (np.nan, np.nan) if past is None else _spread(past, offered)
    if not std > 0:
        return Proposal(customers, fits[-1] if share is None else share, None, None)
    effects = {candidate: _shown(customers, candidate, std) for candidate in fits}
    if share is None:
        share = next((fit for fit, effect in effects.items() if effect <= GOOD_EFFECT * spending), fits[-1])
    return Proposal(customers, share, _shown(customers, share, std), spending)


def _spread(past: PastSpending, offered: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Return the deviation of such customers' spending from what was known before, and its mean; NaN for unknown."""
    std = residual_std(past.outcome, past.before, past.tier, offered)
    means = pd.Series(past.outcome).groupby(past.tier).mean()
    return std, float(means.reindex(offered).mean(skipna=False))


def _shown(customers: int, share: float, std: float) -> float:
    control = max(1, round(share * customers))
    return detectable_effect(max(1, customers - control), control, std)
