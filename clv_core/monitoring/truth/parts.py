"""A part of a horizon: how much of it is expected by then, and how much less sure that is than the whole.

A model's curve over shorter horizons knows no seasons, and how far off whole horizons were says nothing of parts of
them: a shop that sells most before Christmas brings a third of a half-year's steady share by August, and all of it by
December. So the log before the cutoff is asked what its own past horizons brought in as many days:

- ``season``: where the same days of the year before left the model's curve by more than chance explains, they give the
  share that is expected by then. How much years differ is learned from cutoffs that have a year before them, too.
- ``curve``: else the model's curve does, and past horizons, one after the other, say how far such shares leave it.
- where the log holds no such horizon with enough buyers, nothing is known, and nothing is said before the end.

    log(part / expected part) has the variance of the whole's error, plus t^2, plus the luck in last year's share

where t is the spread of a share on the log scale. It is held to be around 15% of what is still to come before any span
is seen (half-Cauchy for the curve, which knows nothing of seasons; half-normal where a year is there), and then
weighed by how well it explains past ones: the way of :mod:`clv_core.evaluation.levels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from clv_core.collection.stored.store import Dataset
from clv_core.evaluation.levels import LARGEST_SPREAD, SharedError, evenly
from clv_core.features.last_year import YEAR_DAYS
from clv_core.model.chance import by_luck
from clv_core.monitoring.truth.spans import PastSpan, past_spans

Floats = NDArray[np.float64]

WHOLE, SEASON, CURVE, UNKNOWN = "whole", "season", "curve", "unknown"
"""What a sum was held against: a whole horizon, or a part of it as above."""
MOST_SPANS: Final = 4
"""Past horizons, one after the other; with those of a year before each, at most twice as many are read."""
SHORTEST_HISTORY_DAYS: Final = 28
"""A past cutoff this soon after the log's beginning knows no customers."""
USUAL_SPREAD: Final = 0.15
CLEAR: Final = 3.0
"""In standard errors: so far must last year have left the curve to be a season."""
DRAWS: Final = 20_000


@dataclass(frozen=True, eq=False)
class Parts:
    """What is known of the parts of a horizon.

    Args:
        kind: :data:`SEASON` or :data:`CURVE`.
        factor: expected value of each part relative to the model's own curve, by number of days.
        spread: squared spread of the share, equally likely draws, [:data:`DRAWS`] by number of days.
    """

    kind: str
    factor: dict[int, float]
    spread: dict[int, Floats]

    @classmethod
    def of(cls, dataset: Dataset, cutoff: date, horizon_days: int, curve: Mapping[int, float]) -> Self | None:
        """Learn from the log before the cutoff.

        Args:
            dataset: the log.
            cutoff: of the model.
            horizon_days: of the model.
            curve: share of the horizon's value that the model expects by each number of days, all in (0, 1].

        Returns:
            None where the log holds no past horizon with enough buyers.
        """
        year = timedelta(days=YEAR_DAYS)
        last = [cutoff - timedelta(days=horizon_days * number) for number in range(1, MOST_SPANS + 1)]
        asked = {cutoff - year, *last, *(day - year for day in last)}
        first = dataset.log_start + timedelta(days=SHORTEST_HISTORY_DAYS)
        end = cutoff - timedelta(days=horizon_days)
        cutoffs = sorted(day for day in asked if first <= day <= end)
        days = list(curve)
        return cls.learned(past_spans(dataset, cutoffs, horizon_days, days), cutoff, last, curve)

    @classmethod
    def learned(cls, spans: list[PastSpan], cutoff: date, last: list[date], curve: Mapping[int, float]) -> Self | None:
        """Return what past spans say; see :meth:`of`.

        Args:
            spans: past horizons.
            cutoff: of the model.
            last: cutoffs that lie one horizon apart, for whose spans shares are held against what was known before.
            curve: as above; the days of the spans are its keys.
        """
        year, by = timedelta(days=YEAR_DAYS), {span.cutoff: span for span in spans}
        expected = np.log(np.array(list(curve.values())))
        then, recent = by.get(cutoff - year), [by[day] for day in last if day in by]
        kind = CURVE
        if then is not None and np.max(np.abs(then.shares - expected) / np.sqrt(then.noise)) > CLEAR:
            kind = SEASON
            pairs = [(span, by[span.cutoff - year]) for span in recent if span.cutoff - year in by]
            misses = [now.shares - before.shares for now, before in pairs]
            noise = [now.noise + before.noise for now, before in pairs]
            middle, luck = then.shares, then.noise
        elif recent:
            misses, noise = [span.shares - expected for span in recent], [span.noise for span in recent]
            middle, luck = expected, np.zeros(len(expected))
        else:
            return None
        factor, spread = {}, {}
        for place, (day, share) in enumerate(curve.items()):
            known = np.array([miss[place] for miss in misses]), np.array([one[place] for one in noise])
            scale = USUAL_SPREAD * (1 - min(share, float(np.exp(middle[place])), 1.0 - 1e-6))
            factor[day] = float(np.exp(middle[place] - expected[place]))
            spread[day] = _spread(*known, scale, kind) + luck[place]
        return cls(kind, factor, spread)

    def expected(self, scored: pd.DataFrame, days: int) -> pd.DataFrame:
        """Return the scores of a part of the horizon with as much value as the log's seasons let expect by then.

        Args:
            scored: by the model's own curve; only ``p_purchase`` and ``predicted_clv`` are changed.
            days: length of the part.
        """
        factor = self.factor[days]
        chance: Any = by_luck(scored["p_purchase"].to_numpy(np.float64), factor)
        return scored.assign(predicted_clv=factor * scored["predicted_clv"], p_purchase=chance)

    def wider(self, shared: SharedError, days: int) -> SharedError:
        """Return what is held of shared errors after so many days: those of whole horizons, and those of the share."""
        order = np.random.default_rng(0).permutation(DRAWS)
        drawn = evenly(shared.weights, DRAWS)
        return replace(
            shared,
            level=shared.level[drawn] + self.spread[days][order],
            own=shared.own[drawn],
            weights=np.full(DRAWS, 1 / DRAWS),
        )


def _spread(misses: Floats, noise: Floats, scale: float, kind: str) -> Floats:
    """Return draws of the squared spread, weighed by how well they explain past misses of the share.

    Args:
        misses: on the log scale, [k].
        noise: variance of each from the luck of customers, [k].
        scale: of the prior.
        kind: decides its tail.
    """
    even = (np.arange(DRAWS) + 0.5) / DRAWS
    prior = scipy.stats.halfcauchy if kind == CURVE else scipy.stats.halfnorm
    squared: Floats = np.minimum(prior.ppf(even) * scale, LARGEST_SPREAD) ** 2
    variance = squared[:, None] + noise
    fit = -0.5 * (np.log(variance) + misses**2 / variance).sum(axis=1)
    likely = np.exp(fit - fit.max())
    return squared[evenly(likely / likely.sum(), DRAWS)]
