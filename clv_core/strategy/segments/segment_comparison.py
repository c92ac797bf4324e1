"""Segments compared: over time, with those of another scheme, and predicted with realized value.

Value can be realized for the holdout's predictions (the measured model never saw that span) and for saved scores whose
horizon the log has passed since, by a model trained on nothing after their cutoff. A model that has seen the span would
be rewarded for its memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored, origin_predictions, saved_score_files
from clv_core.evaluation import SharedError, Summands
from clv_core.strategy.purchase_history import net_value, purchase_history, with_history
from clv_core.strategy.segments.segment_figures import figures
from clv_core.strategy.segments.segmentation import VALUE, Assignment, Floats, Ints

HOLDOUT, SAVED = "holdout", "kept"
ACTUAL: Final = "actual"


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
        others = self.customers * (1 - np.eye(len(self.customers), dtype=np.int64))
        if not others.any():
            return None
        start, end = np.unravel_index(int(others.argmax()), others.shape)
        return int(start), int(end), int(others.max())


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
    return sorted(past, key=lambda one: one.cutoff, reverse=True)


def read_past(past: PastPredictions, scored: Scored) -> pd.DataFrame:
    """Return the customers of past predictions with scores, their purchase history of that day, and ``actual``.

    ``actual`` is net value in the horizon, in the log's currency.
    """
    model, dataset = scored.model, scored.dataset
    customers = model.holdout(model.record.model) if past.path is None else None
    if customers is None:
        customers = pd.read_parquet(str(past.path))
        actual = net_value(dataset, past.cutoff, past.cutoff + timedelta(days=past.horizon_days))
        customers = customers.assign(**{ACTUAL: actual.reindex(customers[CUSTOMER_ID]).fillna(0.0).to_numpy()})
    return with_history(customers, purchase_history(dataset, past.cutoff), past.cutoff)


def other_origins_error(scored: Scored, past: PastPredictions) -> SharedError | None:
    """Return the error that customers share, estimated from all other origins than this one."""
    origins, own = origin_predictions(scored.workspace, scored.model), past.cutoff.isoformat()
    others = {day: frame for day, frame in origins.items() if day != own}
    return SharedError.of(list(others.values()))


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
