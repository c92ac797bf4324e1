"""Realised against predicted: what the customers of the cutoff brought, beside the part expected by then.

A prediction is for a whole horizon; after a part of it, it is held against what is expected of that part by the log's
own seasons, or else by the model's curve over horizons, and with less certainty than the whole
(:mod:`clv_core.monitoring.truth.parts`). How far off a sum may be follows from past origins
(:mod:`clv_core.evaluation.levels`); where there is none, or nothing is known of parts, nothing is said to be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from clv_core.collection.stored.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message
from clv_core.evaluation.levels import FIFTHS, SharedError, customer_variance, fifth_of
from clv_core.evaluation.metrics import METRICS
from clv_core.evaluation.sums import sum_intervals
from clv_core.monitoring.alerts import REALISED
from clv_core.monitoring.plain import Plain
from clv_core.monitoring.truth.parts import SEASON, UNKNOWN, WHOLE
from clv_core.strategy.history import net_value

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Realised(Plain):
    """What came true by one instant; money in the log's currency.

    Args:
        until: ISO date; counted is [cutoff, until).
        days: its length.
        realised: net value of the customers seen before the cutoff.
        newcomers: net value of everybody else: no prediction was made for them.
        expected: what is expected of that part of the horizon.
        low: lower end of the 80% interval of the sum; None where nothing says how far off such sums are.
        high: its upper end.
        chance: how likely a sum at least as far off is where the model holds; None likewise.
        coverage: share of customers inside their own 80% interval, once the horizon is complete; None before.
        buyers: customers whose net value in it is above 0.
        buyers_expected: sum of the chances of that; None for a part that is shaped by seasons: they are known of
            value, not of who brings it.
        held_against: ``whole`` (the horizon is complete), or of a part of it ``season``, ``curve`` or ``unknown``
            (:mod:`clv_core.monitoring.truth.parts`).
    """

    until: str
    days: int
    realised: float
    newcomers: float
    expected: float
    low: float | None
    high: float | None
    chance: float | None
    coverage: float | None
    buyers: int
    buyers_expected: float | None
    held_against: str = WHOLE


def outside(came: Sequence[Realised]) -> dict[str, Message]:
    """Return, by question, that the latest sum lies outside its 80% interval: one in five does by chance alone."""
    last = came[-1] if came else None
    if last is None or last.low is None or last.high is None or last.low <= last.realised <= last.high:
        return {}
    side = "above" if last.realised > last.high else "below"
    change = f"{abs(last.realised / last.expected - 1):.0%}" if last.expected else "-"
    return {REALISED: Message(f"light.realised.{side}", {"change": change, "until": last.until})}


def so_far(came: Sequence[Realised]) -> dict[str, Message]:
    """Return, by question, what is said where nothing is wrong and only a part of a horizon could be judged."""
    last = came[-1] if came else None
    if last is None or last.held_against in (WHOLE, UNKNOWN):
        return {}
    by = SEASON if last.held_against == SEASON else "part"
    return {REALISED: Message(f"light.realised.green.{by}", {"days": last.days})}


def realised(
    dataset: Dataset,
    scored: pd.DataFrame,
    cutoff: date,
    days: int,
    shared: SharedError | None,
    held_against: str = WHOLE,
) -> Realised:
    """Return what came true in the first ``days`` after the cutoff.

    Args:
        dataset: the log.
        scored: what is expected of that span as of the cutoff, as scores, one row a customer.
        cutoff: of the model.
        days: so much of the horizon has passed.
        shared: what is held of the errors that customers share in that span; None where nothing is known of them.
        held_against: what span that is.
    """
    until = cutoff + timedelta(days=days)
    value, newcomers = actual_of(dataset, scored, cutoff, until)
    total, chance = float(np.round(value.sum(), 2)), None
    low = high = None
    if shared is not None:
        sums = sum_intervals(scored, np.zeros(len(scored), np.int64), 1, shared)
        low, high = float(sums.low[0]), float(sums.high[0])
        chance = chance_of(scored, total, shared)
    whole = held_against == WHOLE
    return Realised(
        until=until.isoformat(),
        days=days,
        realised=total,
        newcomers=newcomers,
        expected=float(scored["predicted_clv"].sum()),
        low=low,
        high=high,
        chance=chance,
        coverage=METRICS["coverage80"].value(value, scored) if whole else None,
        buyers=int((value > 0).sum()),
        buyers_expected=None if held_against == SEASON else float(scored["p_purchase"].sum()),
        held_against=held_against,
    )


def actual_of(dataset: Dataset, scored: pd.DataFrame, cutoff: date, until: date) -> tuple[Floats, float]:
    """Return the net value of each scored customer in [cutoff, until), [n], and that of all others together."""
    found = net_value(dataset, cutoff, until)
    others = float(np.round(found[~found.index.isin(scored[CUSTOMER_ID])].sum(), 2))
    return np.asarray(found.reindex(scored[CUSTOMER_ID]).fillna(0.0), np.float64), others


def chance_of(scored: pd.DataFrame, total: float, shared: SharedError) -> float:
    """Return how likely a sum at least as far from the predicted one as ``total`` is, two-sided.

    The distribution is that of :mod:`clv_core.evaluation.sums`.
    """
    predicted = scored["predicted_clv"].to_numpy(np.float64)
    if predicted.sum() <= 0:
        return 1.0
    shares = np.bincount(fifth_of(predicted), predicted, minlength=FIFTHS) / predicted.sum()
    luck = float(np.log1p(customer_variance(scored, shared.dispersion).sum() / predicted.sum() ** 2))
    off = np.log(max(total, 1e-9) / predicted.sum()) + luck / 2
    spread = np.sqrt(luck + shared.level + shared.own @ shares**2)
    return float(2 * (ndtr(-abs(off) / spread) @ shared.weights))
