"""Figures of segments: how many customers they have, what these are worth, and what is typical of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv_core.evaluation import SharedError, Summands, sum_intervals
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.strategy.purchase_history import DAYS_SINCE_LAST, HISTORIC_VALUE, LAST_PURCHASE, PURCHASE_DAYS
from clv_core.strategy.segments.segmentation import P_PURCHASE, SEGMENT, TIER, VALUE, Assignment

MIN_BUYERS: Final = 5.0
"""Expected buyers from which a sum has an interval: of fewer, one more or less is most of the sum."""


@dataclass(frozen=True)
class Total:
    """Predicted value of some customers in the horizon, in the log's currency.

    Args:
        value: sum of predicted value.
        low: lower end of its 80% interval; None if there are no past origins to estimate it from, or fewer than
            :data:`MIN_BUYERS` of the customers are expected to buy.
        high: upper end.
        origins: how many past origins the interval is estimated from.
    """

    value: float
    low: float | None
    high: float | None
    origins: int


def total(scored: pd.DataFrame, shared: SharedError | None, chosen: npt.ArrayLike | None = None) -> Total:
    """Return the sum of customers' predicted value with its interval.

    Args:
        scored: ``score``'s columns of all customers, one row each, [n].
        shared: the error that customers share, estimated from past origins.
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
    """Return whether too few customers are expected to buy for an interval of their sum."""
    return buyers < MIN_BUYERS


def table(tiered: pd.DataFrame, names: Sequence[str], shared: SharedError | None = None) -> pd.DataFrame:
    """Return one row for each tier, the highest first, empty tiers too.

    Args:
        tiered: of :func:`~.value_tiers.assign_tiers`; with the purchase history, if its figures are wanted.
        names: of all tiers, the highest first.
        shared: the error that customers share, estimated from past origins.

    Returns:
        tier, name, and the columns of :func:`figures`.
    """
    where, tiers = tiered[TIER].to_numpy() - 1, len(names)
    summands = None if shared is None else Summands.of(tiered, shared)
    rows = figures(tiered, np.arange(len(tiered)), where, tiers, summands)
    rows.insert(0, "name", list(names))
    rows.insert(0, TIER, np.arange(1, tiers + 1))
    return rows


def segment_table(
    customers: pd.DataFrame,
    assignment: Assignment,
    shared: SharedError | Summands | None = None,
    language: str = DEFAULT_LANGUAGE,
) -> pd.DataFrame:
    """Return one row for each segment, in the scheme's order, empty ones too.

    Args:
        customers: ``score``'s columns with the purchase history, [n].
        assignment: their segments.
        shared: the error that customers share, or the summands of these customers with it.
        language: of names and descriptions.

    Returns:
        segment (its key), name, description, and the columns of :func:`figures`; if segments overlap, their sizes and
        sums add up to more than all customers.
    """
    members, where = assignment.members()
    summands = Summands.of(customers, shared) if isinstance(shared, SharedError) else shared
    rows = figures(customers, members, where, assignment.count, summands)
    rows.insert(0, "description", [one.description(language) for one in assignment.segments])
    rows.insert(0, "name", [one.name(language) for one in assignment.segments])
    rows.insert(0, SEGMENT, [one.key for one in assignment.segments])
    return rows


def figures(
    customers: pd.DataFrame,
    members: npt.NDArray[np.int64],
    where: npt.NDArray[np.int64],
    count: int,
    summands: Summands | None = None,
) -> pd.DataFrame:
    """Return figures of segments, one row each.

    Args:
        customers: ``score``'s columns, optionally with the purchase history, [n].
        members: rows of ``customers``; a customer in two segments has two entries, [m].
        where: the segment of each, 0 to ``count`` - 1, [m].
        count: number of segments.
        summands: of all customers, for the intervals; None if there are no past origins.

    Returns:
        customers, share_of_customers (0 to 1), value_mean, value_sum, value_sum_low and value_sum_high (the sum's 80%
        interval; NaN without ``summands``, and if :func:`too_few` are expected to buy), value_min, value_max,
        share_of_value (0 to 1, of the positive total of all customers), p_purchase_mean, buyers_expected, and with a
        purchase history also historic_value_mean, historic_value_sum, purchase_days_mean, buyers (customers who ever
        bought), days_since_last_median, last_purchase_median (date).
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
        low, high = (np.where(buyers < MIN_BUYERS, np.nan, ends) for ends in (sums.low, sums.high))
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
    """Return the lower median day, so that somebody bought on it; NaT if nobody did."""
    if not len(moments):
        return np.datetime64("NaT", "s")
    middle = (len(moments) - 1) // 2
    return np.datetime64(np.partition(moments, middle)[middle], "s")
