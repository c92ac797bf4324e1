"""Realised against predicted: what the customers of the cutoff brought, beside the part expected by then.

A prediction is for a whole horizon; after a part of it, it is held against what the same model expects of that part,
by its own curve over horizons (:mod:`clv_core.model.horizon`). How far off a sum may be follows from past origins
(:mod:`clv_core.evaluation.levels`); where there is none, nothing is said to be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES
from clv_core.errors import Message
from clv_core.evaluation.levels import FIFTHS, SharedError, customer_variance, fifth_of
from clv_core.evaluation.sums import sum_intervals
from clv_core.features.engine import Engine
from clv_core.monitoring.alerts import REALISED
from clv_core.monitoring.plain import Plain

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Realised(Plain):
    """What came true by one instant; money in the log's currency.

    Args:
        until: ISO date; counted is [cutoff, until).
        days: its length.
        realised: net value of the customers seen before the cutoff.
        newcomers: net value of everybody else: no prediction was made for them.
        expected: what the model expects of that part of the horizon.
        low: lower end of the 80% interval of the sum; None where no past origin says how far off sums are.
        high: its upper end.
        chance: how likely a sum at least as far off is where the model holds; None likewise.
        coverage: share of customers inside their own 80% interval.
        buyers: customers with a purchase in it.
        buyers_expected: sum of the chances.
    """

    until: str
    days: int
    realised: float
    newcomers: float
    expected: float
    low: float | None
    high: float | None
    chance: float | None
    coverage: float
    buyers: int
    buyers_expected: float


def outside(came: Sequence[Realised]) -> dict[str, Message]:
    """Return, by question, that the latest sum lies outside its 80% interval: one in five does by chance alone."""
    last = came[-1] if came else None
    if last is None or last.low is None or last.high is None or last.low <= last.realised <= last.high:
        return {}
    side = "above" if last.realised > last.high else "below"
    change = f"{abs(last.realised / last.expected - 1):.0%}" if last.expected else "-"
    return {REALISED: Message(f"light.realised.{side}", {"change": change, "until": last.until})}


def net_value(dataset: Dataset, cutoff: date, until: date) -> pd.DataFrame:
    """Return each customer's net value in [cutoff, until): ``customer_id``, ``value``, ``purchases`` (rows)."""
    engine = Engine()
    try:
        events = dataset.events(engine.connection)
        begin, end = (pd.Timestamp(day) for day in (cutoff, until))
        money = events.filter(
            events[EVENT_TYPE].isin(MONEY_TYPES), events[EVENT_TIME] >= begin, events[EVENT_TIME] < end
        )
        sums = money.group_by(CUSTOMER_ID).agg(
            value=money[AMOUNT].cast("decimal(38, 6)").sum().cast("float64"), purchases=(money[AMOUNT] > 0).sum()
        )
        frame: pd.DataFrame = sums.order_by(CUSTOMER_ID).to_pyarrow().to_pandas()
    finally:
        engine.close()
    return frame


def realised(dataset: Dataset, scored: pd.DataFrame, cutoff: date, days: int, shared: SharedError | None) -> Realised:
    """Return what came true in the first ``days`` after the cutoff.

    Args:
        dataset: the log.
        scored: scores as of the cutoff with that horizon, one row a customer.
        cutoff: of the model.
        days: so much of the horizon has passed.
        shared: what past origins say of the errors that customers share.
    """
    until = cutoff + timedelta(days=days)
    value, purchases, newcomers = actual_of(dataset, scored, cutoff, until)
    total, chance = float(np.round(value.sum(), 2)), None
    low = high = None
    if shared is not None:
        sums = sum_intervals(scored, np.zeros(len(scored), np.int64), 1, shared)
        low, high = float(sums.low[0]), float(sums.high[0])
        chance = chance_of(scored, total, shared)
    inside = (value >= scored["clv_p10"].to_numpy(float) - 1e-9) & (value <= scored["clv_p90"].to_numpy(float) + 1e-9)
    return Realised(
        until=until.isoformat(),
        days=days,
        realised=total,
        newcomers=newcomers,
        expected=float(scored["predicted_clv"].sum()),
        low=low,
        high=high,
        chance=chance,
        coverage=float(inside.mean()),
        buyers=int((purchases > 0).sum()),
        buyers_expected=float(scored["p_purchase"].sum()),
    )


def actual_of(dataset: Dataset, scored: pd.DataFrame, cutoff: date, until: date) -> tuple[Floats, Floats, float]:
    """Return value and purchases of each scored customer in [cutoff, until), [n] each, and the value of all others."""
    found = net_value(dataset, cutoff, until).set_index(CUSTOMER_ID)
    ours = found.reindex(scored[CUSTOMER_ID]).fillna(0.0)
    others = float(np.round(found.loc[~found.index.isin(scored[CUSTOMER_ID]), "value"].sum(), 2))
    return ours["value"].to_numpy(float), ours["purchases"].to_numpy(float), others


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
