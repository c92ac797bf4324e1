"""The expected value of a part of a horizon, and how much less certain it is than that of the full horizon.

A model's curve over shorter horizons has no seasons, and past errors of full horizons do not measure those of parts: a
shop that sells most before Christmas has a third of a half-year's steady share by August, and all of it by December. So
the share of past horizons is read from the log before the cutoff:

- ``season``: where the same days of the year before left the model's curve by more than chance explains, they give the
  expected share. How much years differ is estimated from cutoffs that have a year before them, too.
- ``curve``: else the model's curve does, and past horizons show how far such shares are from it.
- ``unknown``: where the log holds no such horizon with enough buyers, parts are not compared.

    log(part / expected part) has the variance of the full error, plus t^2, plus the sampling variance of last year's

where t is the standard deviation of a share on the log scale. Its prior is around 15% of what is still to come
(half-Cauchy for the curve, which has no seasons; half-normal where a year is there), weighted by how well it explains
past shares, as in :mod:`clv_core.evaluation.levels`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES
from clv_core.evaluation import MAX_SPREAD, SharedError, evenly
from clv_core.features import YEAR_DAYS, Engine
from clv_core.model import by_luck

Floats = NDArray[np.float64]

WHOLE, SEASON, CURVE, UNKNOWN = "whole", "season", "curve", "unknown"
"""What a sum is compared with: a full horizon, or a part of it as above."""
MAX_SPANS: Final = 4
"""Past horizons, one after the other; with those of a year before each, at most twice as many are read."""
MIN_HISTORY_DAYS: Final = 28
"""A past cutoff this soon after the log's beginning has no customers."""
MIN_BUYERS: Final = 100
"""Past horizons with fewer buyers are left out."""
MIN_SHARE: Final = 0.002
"""A smaller share of a horizon counts as this one, as there is no logarithm of 0."""
PRIOR_SCALE: Final = 0.15
"""Of the share that is still to come, on the log scale; a guess."""
CLEAR: Final = 3.0
"""A season is there where last year's shares are so many standard errors from the curve."""
DRAWS: Final = 20_000


@dataclass(frozen=True, eq=False)
class PastSpan:
    """The shares of one past horizon.

    Args:
        cutoff: its first day; only customers seen before count.
        shares: log of the share of the horizon's value after each number of days, [d].
        noise: sampling variance of that logarithm, [d].
    """

    cutoff: date
    shares: Floats
    noise: Floats


@dataclass(frozen=True, eq=False)
class PartialHorizon:
    """What is expected of the parts of a horizon.

    Args:
        kind: :data:`SEASON` or :data:`CURVE`.
        factor: expected value of each part relative to the model's own curve, by number of days.
        variance: of the log share, equally likely draws, [:data:`DRAWS`] by number of days.
    """

    kind: str
    factor: dict[int, float]
    variance: dict[int, Floats]

    @classmethod
    def of(cls, dataset: Dataset, cutoff: date, horizon_days: int, curve: Mapping[int, float]) -> Self | None:
        """Estimate from the log before the cutoff.

        Args:
            dataset: the log.
            cutoff: of the model.
            horizon_days: of the model.
            curve: share of the horizon's value that the model expects by each number of days, all in (0, 1].

        Returns:
            None where the log holds no past horizon with enough buyers.
        """
        year = timedelta(days=YEAR_DAYS)
        last = [cutoff - timedelta(days=horizon_days * number) for number in range(1, MAX_SPANS + 1)]
        first = dataset.log_start + timedelta(days=MIN_HISTORY_DAYS)
        candidates = {cutoff - year, *last, *(day - year for day in last)}
        cutoffs = sorted(day for day in candidates if first <= day <= last[0])
        return cls.learned(past_spans(dataset, cutoffs, horizon_days, list(curve)), cutoff, last, curve)

    @classmethod
    def learned(cls, spans: list[PastSpan], cutoff: date, last: list[date], curve: Mapping[int, float]) -> Self | None:
        """Estimate from past spans; see :meth:`of`.

        Args:
            spans: past horizons.
            cutoff: of the model.
            last: cutoffs one horizon apart, whose shares are compared with what was expected of them.
            curve: as above; its keys are the days of the spans.
        """
        year, by_cutoff = timedelta(days=YEAR_DAYS), {span.cutoff: span for span in spans}
        expected = np.log(np.array(list(curve.values())))
        then, recent = by_cutoff.get(cutoff - year), [by_cutoff[day] for day in last if day in by_cutoff]
        if then is not None and np.max(np.abs(then.shares - expected) / np.sqrt(then.noise)) > CLEAR:
            kind, centre, luck = SEASON, then.shares, then.noise
            pairs = [(span, by_cutoff[span.cutoff - year]) for span in recent if span.cutoff - year in by_cutoff]
            errors = [now.shares - before.shares for now, before in pairs]
            noise = [now.noise + before.noise for now, before in pairs]
        elif recent:
            kind, centre, luck = CURVE, expected, np.zeros(len(expected))
            errors, noise = [span.shares - expected for span in recent], [span.noise for span in recent]
        else:
            return None
        factor, variance = {}, {}
        for place, (day, share) in enumerate(curve.items()):
            past = np.array([values[place] for values in errors]), np.array([values[place] for values in noise])
            scale = PRIOR_SCALE * (1 - min(share, float(np.exp(centre[place])), 1.0 - 1e-6))
            factor[day] = float(np.exp(centre[place] - expected[place]))
            variance[day] = _posterior_variance(*past, scale, kind) + luck[place]
        return cls(kind, factor, variance)

    def expected(self, scored: pd.DataFrame, days: int) -> pd.DataFrame:
        """Return the scores of a part of the horizon with the value that is expected by then.

        Args:
            scored: by the model's own curve; only ``p_purchase`` and ``predicted_clv`` are changed.
            days: length of the part.
        """
        factor = self.factor[days]
        chance: Any = by_luck(scored["p_purchase"].to_numpy(np.float64), factor)
        return scored.assign(predicted_clv=factor * scored["predicted_clv"], p_purchase=chance)

    def wider(self, shared: SharedError, days: int) -> SharedError:
        """Return the shared errors of a part: those of full horizons, and those of the share."""
        order = np.random.default_rng(0).permutation(DRAWS)
        drawn = evenly(shared.weights, DRAWS)
        return replace(
            shared,
            level=shared.level[drawn] + self.variance[days][order],
            own=shared.own[drawn],
            weights=np.full(DRAWS, 1 / DRAWS),
        )


def _posterior_variance(errors: Floats, noise: Floats, scale: float, kind: str) -> Floats:
    """Return draws of the variance of a log share, weighted by how well they explain past errors.

    Args:
        errors: on the log scale, [k].
        noise: sampling variance of each, [k].
        scale: of the prior.
        kind: decides the prior's tail.
    """
    even = (np.arange(DRAWS) + 0.5) / DRAWS
    prior = scipy.stats.halfcauchy if kind == CURVE else scipy.stats.halfnorm
    squared: Floats = np.minimum(prior.ppf(even) * scale, MAX_SPREAD) ** 2
    variance = squared[:, None] + noise
    fit = -0.5 * (np.log(variance) + errors**2 / variance).sum(axis=1)
    likelihood = np.exp(fit - fit.max())
    return squared[evenly(likelihood / likelihood.sum(), DRAWS)]


def past_spans(dataset: Dataset, cutoffs: Sequence[date], horizon_days: int, days: Sequence[int]) -> list[PastSpan]:
    """Return the spans after some cutoffs, in their order; those with fewer than :data:`MIN_BUYERS` are left out.

    Args:
        dataset: the log; all spans lie within it.
        cutoffs: first days of the spans.
        horizon_days: length of each.
        days: parts of it, d numbers of days below the horizon.
    """
    engine = Engine()
    try:
        events = dataset.events(engine.connection)
        first = events.group_by(CUSTOMER_ID).agg(first=events[EVENT_TIME].min())
        seen = engine.connection.create_table("seen", first, temp=True)
        spans = []
        for cutoff in cutoffs:
            begin = pd.Timestamp(cutoff)
            ends = [begin + timedelta(days=int(day)) for day in (*days, horizon_days)]
            money = events.filter(
                events[EVENT_TYPE].isin(MONEY_TYPES), events[EVENT_TIME] >= begin, events[EVENT_TIME] < ends[-1]
            )
            value = money[AMOUNT].cast("float64")
            sums = money.group_by(CUSTOMER_ID).agg(
                **{f"d{place}": value.sum(where=money[EVENT_TIME] < end) for place, end in enumerate(ends)}
            )
            customers = sums.join(seen.filter(seen["first"] < begin), CUSTOMER_ID)
            parts = [customers[f"d{place}"].fill_null(0.0) for place in range(len(ends))]
            total = parts[-1]
            figures = {"buyers": (total > 0).sum()}
            for place, part in enumerate(parts):
                figures |= {
                    f"sum{place}": part.sum(),
                    f"square{place}": (part * part).sum(),
                    f"both{place}": (part * total).sum(),
                }
            (row,) = customers.aggregate(**figures).to_pyarrow().to_pylist()
            span = _span(cutoff, row, len(days))
            if span is not None:
                spans.append(span)
    finally:
        engine.close()
    return spans


def _span(cutoff: date, row: dict[str, float | None], count: int) -> PastSpan | None:
    """Return the shares of one span, with their sampling variances by the delta method."""
    values = {name: float(value or 0.0) for name, value in row.items()}
    total = values[f"sum{count}"]
    if values["buyers"] < MIN_BUYERS or total <= 0:
        return None
    sums, squares, both = (
        np.array([values[f"{name}{place}"] for place in range(count)]) for name in ("sum", "square", "both")
    )
    sums = np.maximum(sums, MIN_SHARE * total)
    noise = squares / sums**2 - 2 * both / (sums * total) + values[f"square{count}"] / total**2
    return PastSpan(cutoff, np.log(sums / total), np.maximum(noise, 1e-9))
