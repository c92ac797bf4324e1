"""Figures of segments: how many customers they have, what these are worth, what is typical of them, and comparisons.

Segments are compared over time, with those of another scheme, and predicted with realized value. Value can be realized
for the holdout's predictions (the measured model never saw that span) and for saved scores whose horizon the log has
passed since, by a model trained on nothing after their cutoff. A model that has seen the span would be rewarded for its
memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored, origin_predictions, saved_score_files
from clv_core.evaluation import SharedError, Summands, sum_intervals
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.strategy.purchase_history import (
    DAYS_SINCE_LAST,
    HISTORIC_VALUE,
    LAST_PURCHASE,
    PURCHASE_DAYS,
    net_value,
    purchase_history,
    with_history,
)
from clv_core.strategy.segments.segmentation import P_PURCHASE, SEGMENT, TIER, VALUE, Assignment, Floats, Ints

MIN_BUYERS: Final = 5.0
"""Expected buyers from which a sum has an interval: of fewer, one more or less is most of the sum."""
HOLDOUT, SAVED = "holdout", "kept"
ACTUAL: Final = "actual"


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


def total(scored: pd.DataFrame, shared: SharedError | None, selected: npt.ArrayLike | None = None) -> Total:
    """Return the sum of customers' predicted value with its interval.

    Args:
        scored: ``score``'s columns of all customers, one row each, [n].
        shared: the error that customers share, estimated from past origins.
        selected: who is added up, bool [n]; None is everyone.
    """
    inside = np.ones(len(scored), bool) if selected is None else np.asarray(selected, bool)
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
    rows.insert(0, "description", [segment.description(language) for segment in assignment.segments])
    rows.insert(0, "name", [segment.name(language) for segment in assignment.segments])
    rows.insert(0, SEGMENT, [segment.key for segment in assignment.segments])
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


@dataclass(frozen=True, eq=False)
class Movement:
    """Customers by their earlier and their later segment.

    Args:
        customers: those seen at both times, by earlier (rows) and later segment, [k, k].
        value: their predicted value at the later time, [k, k].
        new: customers first seen since, by later segment, [k].
        lost: customers of the earlier time who are not among the later ones, by earlier segment, [k].
    """

    customers: Ints
    value: Floats
    new: Ints
    lost: Ints

    @property
    def stayed(self) -> int:
        """How many are in the segment that they were in."""
        return int(np.trace(self.customers))

    @property
    def moved(self) -> int:
        """How many are in another one."""
        return int(self.customers.sum()) - self.stayed

    def largest(self) -> tuple[int, int, int] | None:
        """Return from, to, and how many, of the largest move; None if nobody moved."""
        moves = self.customers * (1 - np.eye(len(self.customers), dtype=np.int64))
        if not moves.any():
            return None
        start, end = np.unravel_index(int(moves.argmax()), moves.shape)
        return int(start), int(end), int(moves.max())


def movement(earlier: pd.DataFrame, before: Assignment, later: pd.DataFrame, now: Assignment) -> Movement:
    """Return who moved between segments of one scheme; of overlapping ones, the first of each customer counts.

    Args:
        earlier: customers of the earlier time with their ids, [n].
        before: their segments.
        later: customers of the later time with ids and predicted value, [m].
        now: their segments.
    """
    count = now.count
    row = pd.Index(earlier[CUSTOMER_ID]).get_indexer(pd.Index(later[CUSTOMER_ID]))
    both = row >= 0
    start, end = before.where[row[both]], now.where[both]
    cell = start * count + end
    value = later[VALUE].to_numpy(float)[both]
    seen = np.zeros(len(earlier), bool)
    seen[row[both]] = True
    return Movement(
        customers=np.bincount(cell, minlength=count**2).reshape(count, count),
        value=np.bincount(cell, value, minlength=count**2).reshape(count, count).astype(np.float64),
        new=np.bincount(now.where[~both], minlength=count),
        lost=np.bincount(before.where[~seen], minlength=count),
    )


@dataclass(frozen=True)
class PastPredictions:
    """Predictions whose horizon has passed.

    Args:
        kind: ``holdout``, or ``kept`` for saved scores.
        cutoff: as of when.
        horizon_days: how far ahead.
        path: of saved scores; None for the holdout.
    """

    kind: str
    cutoff: date
    horizon_days: int
    path: Path | None = None


def past_predictions(scored: Scored) -> list[PastPredictions]:
    """Return the predictions that can be compared with the log, the latest cutoff first."""
    bundle, dataset, horizon = scored.model, scored.dataset, scored.trained_days
    past = []
    if bundle.record.holdout and bundle.has_holdout:
        past.append(PastPredictions(HOLDOUT, bundle.record.holdout.cutoff, horizon))
    trained = bundle.record.cutoff
    for cutoff, path in saved_score_files(scored.workspace, bundle.id, dataset.name):
        if trained <= cutoff <= dataset.log_end - timedelta(days=horizon):
            past.append(PastPredictions(SAVED, cutoff, horizon, path))
    return sorted(past, key=lambda period: period.cutoff, reverse=True)


def read_past(past: PastPredictions, scored: Scored) -> pd.DataFrame:
    """Return the customers of past predictions with scores, their purchase history of that day, and ``actual``.

    ``actual`` is net value in the horizon, in the log's currency.
    """
    model, dataset = scored.model, scored.dataset
    customers = model.holdout(model.record.model) if past.path is None else None
    if customers is None:
        customers = scored.without_objected(pd.read_parquet(str(past.path)))
        actual = net_value(dataset, past.cutoff, past.cutoff + timedelta(days=past.horizon_days))
        customers = customers.assign(**{ACTUAL: actual.reindex(customers[CUSTOMER_ID]).fillna(0.0).to_numpy()})
    return with_history(scored.without_objected(customers), purchase_history(dataset, past.cutoff), past.cutoff)


def other_origins_error(scored: Scored, past: PastPredictions) -> SharedError | None:
    """Return the error that customers share, estimated from all other origins than this one."""
    origins, day_of_past = origin_predictions(scored.workspace, scored.model), past.cutoff.isoformat()
    other_origins = {day: frame for day, frame in origins.items() if day != day_of_past}
    return SharedError.of(list(other_origins.values()))


def realized_by_segment(customers: pd.DataFrame, assignment: Assignment, shared: SharedError | None) -> pd.DataFrame:
    """Return each segment's predicted and realized value.

    Args:
        customers: of :func:`read_past`, [n].
        assignment: their segments.
        shared: of :func:`other_origins_error`.

    Returns:
        One row a segment: customers, predicted, low and high (80% interval, NaN without other origins),
        actual, ratio (actual over predicted, NaN if nothing was predicted), buyers_predicted, buyers_actual.
    """
    members, where = assignment.members()
    rows = figures(
        customers, members, where, assignment.count, None if shared is None else Summands.of(customers, shared)
    )
    actual = customers[ACTUAL].to_numpy(float)
    realized, bought = (
        np.bincount(where, amounts[members], minlength=assignment.count)
        for amounts in (actual, (actual > 0).astype(float))
    )
    predicted = rows["value_sum"].to_numpy()
    return pd.DataFrame(
        {
            "customers": rows["customers"],
            "predicted": predicted,
            "low": rows["value_sum_low"],
            "high": rows["value_sum_high"],
            "actual": realized,
            "ratio": np.divide(realized, predicted, out=np.full(len(realized), np.nan), where=predicted > 0),
            "buyers_predicted": rows["buyers_expected"],
            "buyers_actual": bought,
        }
    )
