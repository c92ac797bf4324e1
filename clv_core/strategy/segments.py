"""Segments: scored customers cut into tiers, and the table that says what each tier is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv_core.errors import NotEnoughData
from clv_core.evaluation.levels import SharedError
from clv_core.evaluation.sums import Summands, sum_intervals
from clv_core.strategy.history import DAYS_SINCE_LAST, HISTORIC_VALUE, LAST_PURCHASE, PURCHASE_DAYS
from clv_core.strategy.tiers import DEFAULT_SCHEME, Scheme

TIER: Final = "tier"
VALUE: Final = "predicted_clv"
P_PURCHASE: Final = "p_purchase"
FEWEST_BUYERS: Final = 5.0
"""Expected buyers from which on a sum has an interval: of fewer, one more or less is most of the sum."""


def assign(scored: pd.DataFrame, scheme: Scheme = DEFAULT_SCHEME) -> pd.DataFrame:
    """Return the scored customers with their ``tier`` (int, 1 = highest), in the same order.

    Args:
        scored: at least ``predicted_clv``, one row a customer.
        scheme: how to cut.

    Raises:
        NotEnoughData: there is no customer.
        Refused: a value is not finite, or shares are asked of customers without any value.
    """
    if scored.empty:
        raise NotEnoughData("no_scored_customers")
    return scored.assign(**{TIER: scheme.tier_of(scored[VALUE].to_numpy())})


@dataclass(frozen=True)
class Total:
    """What some customers are worth together in the horizon, in the log's currency.

    Args:
        value: sum of predicted value.
        low: lower end of its 80% interval; None where no past origin says how far off sums are, or fewer than
            :data:`FEWEST_BUYERS` of the customers are expected to buy.
        high: upper end.
        origins: how many past origins the interval rests on.
    """

    value: float
    low: float | None
    high: float | None
    origins: int


def total(scored: pd.DataFrame, shared: SharedError | None, chosen: npt.ArrayLike | None = None) -> Total:
    """Return what customers are worth together.

    Args:
        scored: ``score``'s columns of all customers, one row each, [n].
        shared: what past origins say of the errors that customers share.
        chosen: who is added up, bool [n]; None is everyone.
    """
    inside = np.ones(len(scored), bool) if chosen is None else np.asarray(chosen, bool)
    few = too_few(float(scored[P_PURCHASE].to_numpy(float)[inside].sum()))
    if shared is None or few:
        origins = 0 if shared is None else shared.origins
        return Total(float(scored[VALUE].to_numpy(float)[inside].sum()), None, None, origins)
    sums = sum_intervals(scored, inside.astype(np.int64) - 1, 1, shared)
    return Total(float(sums.value[0]), float(sums.low[0]), float(sums.high[0]), shared.origins)


def too_few(buyers: float) -> bool:
    """Return whether so few customers are expected to buy that no interval of their sum can be told."""
    return buyers < FEWEST_BUYERS


def table(tiered: pd.DataFrame, names: Sequence[str], shared: SharedError | None = None) -> pd.DataFrame:
    """Return one row for each tier, the highest first, empty tiers too.

    Args:
        tiered: of :func:`assign`; the history columns of :mod:`clv_core.strategy.history` are summed up where present.
        names: of all tiers, the highest first.
        shared: what past origins say of the errors that customers share.

    Returns:
        tier, name, and the columns of :func:`figures`.
    """
    where, tiers = tiered[TIER].to_numpy() - 1, len(names)
    summands = None if shared is None else Summands.of(tiered, shared)
    rows = figures(tiered, np.arange(len(tiered)), where, tiers, summands)
    rows.insert(0, "name", list(names))
    rows.insert(0, TIER, np.arange(1, tiers + 1))
    return rows


def figures(
    customers: pd.DataFrame,
    members: npt.NDArray[np.int64],
    where: npt.NDArray[np.int64],
    count: int,
    summands: Summands | None = None,
) -> pd.DataFrame:
    """Return how many customers a segment has, what they are worth, and what is typical of them; one row a segment.

    Args:
        customers: ``score``'s columns, with the history's where there is one, [n].
        members: places in ``customers``; who is in two segments stands twice, [m].
        where: the segment of each, 0 to ``count`` - 1, [m].
        count: number of segments.
        summands: of all customers, for the intervals; None where no past origin is known.

    Returns:
        customers, share_of_customers (0 to 1), value_mean, value_sum, value_sum_low and value_sum_high (the sum's 80%
        interval; NaN without ``summands``, and where :func:`too_few` are expected to buy), value_min, value_max,
        share_of_value (0 to 1, of the positive total of all customers), p_purchase_mean, buyers_expected, and with a
        history also historic_value_mean, historic_value_sum, purchase_days_mean, buyers (customers who ever bought),
        days_since_last_median, last_purchase_median (date).
        Means and medians of an empty segment are NaN.
    """
    size = np.bincount(where, minlength=count)
    everybody = np.array_equal(members, np.arange(len(customers)))

    def add(column: str) -> npt.NDArray[np.float64]:
        amounts = customers[column].to_numpy(float)
        return np.bincount(where, amounts if everybody else amounts[members], minlength=count).astype(float)

    order = np.argsort(where.astype(np.int16), kind="stable")
    ends = np.cumsum(size)
    pieces = [members[order[end - many : end]] for many, end in zip(size, ends, strict=True)]
    value = customers[VALUE].to_numpy(float)
    value_sum, everyone = add(VALUE), float(value.sum())
    low = high = np.full(count, np.nan)
    buyers = add(P_PURCHASE)
    if summands is not None:
        sums = summands.sums(members, where, count)
        low, high = (np.where(buyers < FEWEST_BUYERS, np.nan, ends) for ends in (sums.low, sums.high))
    rows = pd.DataFrame(
        {
            "customers": size,
            "share_of_customers": size / max(len(customers), 1),
            "value_mean": _mean(value_sum, size),
            "value_sum": value_sum,
            "value_sum_low": low,
            "value_sum_high": high,
            "value_min": [value[piece].min() if len(piece) else np.nan for piece in pieces],
            "value_max": [value[piece].max() if len(piece) else np.nan for piece in pieces],
            "share_of_value": value_sum / everyone if everyone > 0 else np.full(count, np.nan),
            "p_purchase_mean": _mean(buyers, size),
            "buyers_expected": buyers,
        }
    )
    if HISTORIC_VALUE not in customers:
        return rows
    historic = add(HISTORIC_VALUE)
    return rows.assign(
        historic_value_mean=_mean(historic, size),
        historic_value_sum=historic,
        purchase_days_mean=_mean(add(PURCHASE_DAYS), size),
        **_last_bought(customers, pieces),
    )


def _last_bought(customers: pd.DataFrame, pieces: Sequence[npt.NDArray[np.int64]]) -> dict[str, Any]:
    """Return how many of each piece ever bought, and when they last did, as columns of :func:`figures`."""
    since = customers[DAYS_SINCE_LAST].to_numpy(float)
    last = customers[LAST_PURCHASE].to_numpy().astype("datetime64[s]")
    bought = [piece[~np.isnan(since[piece])] for piece in pieces]
    return {
        "buyers": [len(piece) for piece in bought],
        "days_since_last_median": [float(np.median(since[piece])) if len(piece) else np.nan for piece in bought],
        "last_purchase_median": pd.Series([_median_day(last[piece]) for piece in bought], dtype="datetime64[s]"),
    }


def _mean(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))


def _median_day(moments: np.ndarray) -> np.datetime64:
    """The lower median day, so that it is a day on which somebody bought; NaT where nobody did."""
    if not len(moments):
        return np.datetime64("NaT", "s")
    middle = (len(moments) - 1) // 2
    return np.datetime64(np.partition(moments, middle)[middle], "s")
