"""Value tiers since the cutoff: what each was expected to bring and brought, and who moved to another one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.levels import SharedError
from clv_core.evaluation.sums import sum_intervals
from clv_core.monitoring.plain import Plain
from clv_core.strategy.tiers import DEFAULT_SCHEME

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tier(Plain):
    """One tier of the cutoff, 1 the most valuable.

    Args:
        tier: its number.
        customers: who were in it at the cutoff.
        expected: value expected of them by now, in the log's currency.
        realised: value that they brought.
        low: lower end of the 80% interval of the sum; None where no past origin says how far off sums are.
        high: its upper end.
        now: how many of them are in each tier today, the most valuable first, by the bounds of the cutoff.
        newcomers: customers first seen since, who are in this tier today.
    """

    tier: int
    customers: int
    expected: float
    realised: float
    low: float | None
    high: float | None
    now: list[int]
    newcomers: int


def tiers_since(
    then: pd.DataFrame, part: pd.DataFrame, actual: Floats, now: pd.DataFrame, shared: SharedError | None
) -> list[Tier]:
    """Return the tiers of the cutoff, cut by the default scheme.

    Args:
        then: scores as of the cutoff for the whole horizon: who was in which tier.
        part: scores as of the cutoff for what has passed of it, in the order of ``then``.
        actual: what each of them brought, [n].
        now: scores as of today for a whole horizon: ``customer_id``, ``predicted_clv``.
        shared: what past origins say of the errors that customers share.
    """
    count = DEFAULT_SCHEME.tiers
    values = then["predicted_clv"].to_numpy(float)
    tier = DEFAULT_SCHEME.tier_of(values)
    bounds = [values[tier <= number].min() if (tier <= number).any() else np.inf for number in range(1, count)]
    today = pd.Series(1 + (now["predicted_clv"].to_numpy(float)[:, None] < np.array(bounds)).sum(axis=1))
    today.index = pd.Index(now[CUSTOMER_ID])
    moved = today.reindex(then[CUSTOMER_ID]).to_numpy(float)
    fresh = today[~today.index.isin(then[CUSTOMER_ID])].to_numpy()
    sums = None if shared is None else sum_intervals(part, tier - 1, count, shared)
    expected = np.bincount(tier, part["predicted_clv"].to_numpy(float), minlength=count + 1)[1:]
    brought = np.bincount(tier, actual, minlength=count + 1)[1:]
    return [
        Tier(
            tier=number,
            customers=int((tier == number).sum()),
            expected=float(expected[number - 1]),
            realised=float(np.round(brought[number - 1], 2)),
            low=None if sums is None else float(sums.low[number - 1]),
            high=None if sums is None else float(sums.high[number - 1]),
            now=[int((moved[tier == number] == other).sum()) for other in range(1, count + 1)],
            newcomers=int((fresh == number).sum()),
        )
        for number in range(1, count + 1)
    ]
