"""Drift of customers: histograms of each feature and of what a model predicts, month by month, and their checks.

Bins are the deciles of the cutoff's own distribution, and one more for missing values. For predictions and what the
anchor expects they are the powers of 2 around its quantiles .02 and .995 (of those above 0; the largest 12): a customer
between two is split between them on the log scale, and counts are smoothed with weights 1/4, 1/2, 1/4. No histogram
identifies a customer.

Customers are not sampled anew from one month to the next: most are the same, only older. So no p-value is computed; the
stability index between the cutoff and a later instant is an alert where it passes both the usual mark of practice and
three times what the reference itself shows between instants as far apart. Likewise the mean of predictions, by its
ratio. Features over a span longer than the log was at the cutoff only fill up, and are not checked.
Source of the mark: Siddiqi (2006), Credit Risk Scorecards (below .1 no change, above .25 a major one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.config import TrainConfig
from clv_core.deployment import CUSTOMERS_AT_ONCE
from clv_core.features import ANCHORS, FEATURES, EventLog, Snapshot, scoring_parts, scoring_snapshot
from clv_core.monitoring.drift.distances import psi
from clv_core.monitoring.drift.periods import MONTH, Check, period_start, periods_after, periods_in

if TYPE_CHECKING:
    from clv_core.training import Model

Floats = NDArray[np.float64]

PREDICTED: Final = ("predicted_clv", "p_purchase")
SHARED: Final = (*PREDICTED, *ANCHORS)
"""Columns in which thousands of customers have the same fitted value, which moves a little from day to day."""
DECILES: Final = np.linspace(0.1, 0.9, 9)
MAX_DOUBLINGS: Final = 12
"""Bins of powers of 2: the largest value is up to 4,096 times the smallest, and what is below shares the first."""
KERNEL: Final = np.array([0.25, 0.5, 0.25])
SAMPLE_CUSTOMERS: Final = 102_400
"""Of more customers only so many are read where not everybody is needed: a share of them is off by 0.2%."""
SAMPLE_AT_ONCE: Final = 2_048
"""The sample is runs of so many customers, evenly over all."""
MARK: Final = 0.25
"""An index up to this is no alert, however stable the reference was."""
OWN_FACTOR: Final = 3.0
"""Nor is one up to so many times what the reference itself shows; a guess."""
MIN_LOG_RATIO: Final = 0.25
"""A mean that moved by less than this, on the log scale, is no alert: about as much as a total may be off and hold
(:data:`~clv_core.evaluation.evidence.LEVEL_TOLERANCE`)."""
MIN_MEAN: Final = 1e-9
"""A mean of 0 counts as this one, as there is no logarithm of 0."""
MIN_CUSTOMERS: Final = 100
"""Histograms of fewer customers are not compared."""
MAX_INSTANTS: Final = 12
"""So many later instants are checked: each is a pass over the features of customers."""
MONTHS_BEFORE: Final = 3
"""So many months before the cutoff show how far customers move anyway."""


@dataclass(frozen=True)
class FeatureHistograms:
    """The customers at one instant.

    Args:
        as_of: ISO date.
        customers: how many were read.
        counts: customers in each bin, by feature and by :data:`PREDICTED`.
        predicted_mean: mean predicted value, in the log's currency.
        p_purchase_mean: mean purchase probability.
    """

    as_of: str
    customers: int
    counts: dict[str, list[int]]
    predicted_mean: float
    p_purchase_mean: float

    def mean(self, name: str) -> float:
        """Return the mean of one of :data:`PREDICTED`."""
        return self.predicted_mean if name == "predicted_clv" else self.p_purchase_mean


def features_with_predictions(
    log: EventLog, model: Model, config: TrainConfig, as_of: date, *, everybody: bool = False
) -> pd.DataFrame:
    """Return the numeric features of customers seen before an instant, float32, and :data:`PREDICTED`.

    Indexed by ``customer_id``. Networks read some customers at a time, as in scoring, so that only columns are held in
    memory.

    Args:
        log: the events.
        model: what predicts.
        config: its settings.
        as_of: the instant, midnight.
        everybody: whether to read all customers; else networks read at most :data:`SAMPLE_CUSTOMERS`.

    Raises:
        NotEnoughData: no customer was seen before it.
    """
    from clv_core.model import CalibratedModel

    settings = {"horizon_days": config.horizon_days, "max_steps": config.max_steps_back}
    features: list[pd.DataFrame] = []

    def collected(snapshots: Iterator[Snapshot]) -> Iterator[Snapshot]:
        for snapshot in snapshots:
            features.append(snapshot.features.select_dtypes("number").astype("float32"))
            yield snapshot

    if isinstance(model, CalibratedModel):
        sample = len(log.store.customer_ids) > SAMPLE_CUSTOMERS and not everybody
        size, most = (SAMPLE_AT_ONCE, SAMPLE_CUSTOMERS) if sample else (CUSTOMERS_AT_ONCE, None)
        snapshots = scoring_parts(log, as_of, **settings, customers_at_once=size, most=most)
        predictions = list(model.predict_parts(collected(snapshots), config.horizon_days))
    else:
        snapshot = scoring_snapshot(log, as_of, **settings)
        predictions = [model.predict(batch, config.horizon_days) for batch in collected(iter([snapshot]))]
    predicted = {name: np.concatenate([getattr(part, name) for part in predictions]) for name in PREDICTED}
    return pd.concat(features).assign(**predicted)


def choose_bins(customers: pd.DataFrame) -> dict[str, list[float]]:
    """Return the upper ends of all bins but the last, by column; columns with one value only are left out.

    Args:
        customers: of :func:`features_with_predictions`.
    """
    bins = {}
    for name in customers.columns:
        values = customers[name].to_numpy(np.float64)
        finite = values[np.isfinite(values)]
        if len(finite) and finite.min() < finite.max():
            ends = _doublings(finite) if name in SHARED else np.unique(np.quantile(finite, DECILES))
            bins[str(name)] = [float(end) for end in ends]
    return bins


def make_histograms(customers: pd.DataFrame, bins: dict[str, list[float]], as_of: date) -> FeatureHistograms:
    """Return the histograms of what :func:`features_with_predictions` returned."""
    counts = {}
    for name, ends in bins.items():
        if name not in customers:
            continue
        values = customers[name].to_numpy(np.float64)
        finite = np.isfinite(values)
        if name in SHARED:
            missing = [] if name in PREDICTED else [int((~finite).sum())]
            counts[name] = _smooth_counts(values[finite], np.array(ends)) + missing
            continue
        place = np.where(finite, np.searchsorted(np.array(ends), values, side="left"), len(ends) + 1)
        counts[name] = [int(count) for count in np.bincount(place, minlength=len(ends) + 2)]
    means = [float(customers[name].mean()) for name in PREDICTED]
    return FeatureHistograms(as_of.isoformat(), len(customers), counts, *means)


def _doublings(values: Floats) -> Floats:
    """Return powers of 2 over the bulk of the values; many customers share one, where deciles would cut."""
    low, high = np.quantile(values[values > 0], (0.02, 0.995)) if (values > 0).any() else (1.0, 1.0)
    ends: Floats = 2.0 ** np.arange(np.floor(np.log2(low)), np.ceil(np.log2(high)) + 1)
    return ends[-MAX_DOUBLINGS:]


def _smooth_counts(values: Floats, ends: Floats) -> list[int]:
    """Return the customers at each end, each split between the ends around its value, and smoothed.

    Thousands of customers share a value; as it moves a little, so do their shares, and they do not all change bins.
    """
    last = len(ends) - 1
    position = np.clip(np.log2(np.maximum(values, ends[0]) / ends[0]), 0, last)
    lower = np.minimum(position.astype(np.int64), last)
    share = position - lower
    counts = np.bincount(lower, 1 - share, minlength=last + 2) + np.bincount(lower + 1, share, minlength=last + 2)
    smooth = np.convolve(np.pad(counts[: last + 1], 1, mode="edge"), KERNEL, mode="valid")
    return [int(count) for count in np.round(smooth * counts.sum() / max(smooth.sum(), 1.0))]


def earlier_instants(cutoff: date, first_day: date) -> list[date]:
    """Return the cutoff and months before it, the latest first, from the later half of what lies before the cutoff."""
    middle = first_day + (cutoff - first_day) / 2
    instants = [period_start(cutoff, MONTH, -number) for number in range(MONTHS_BEFORE + 1)]
    return [instant for instant in instants if instant >= middle]


def later_instants(cutoff: date, end: date) -> list[date]:
    """Return the ends of complete months after the cutoff, the last :data:`MAX_INSTANTS` of them."""
    return [period.end for period in periods_after(cutoff, MONTH, end)][-MAX_INSTANTS:]


def check_customers(
    cutoff: date, first_day: date, reference: Sequence[FeatureHistograms], current: Sequence[FeatureHistograms]
) -> list[Check]:
    """Return one check for each feature, and two for each of :data:`PREDICTED`, at each later instant.

    Args:
        cutoff: of the model.
        first_day: of the log.
        reference: the cutoff's histograms, then those of months before it; at least two.
        current: later ones.
    """
    if len(reference) < 2 or reference[0].customers < MIN_CUSTOMERS:
        return []
    history, checks = (cutoff - first_day).days, []
    for later in current:
        if later.customers < MIN_CUSTOMERS:
            continue
        names = [name for name in later.counts if name in reference[0].counts and (_days(name) or 0) <= history]
        checks += [_shape_check(reference, later, name) for name in names]
        checks += [_mean_check(reference, later, name) for name in PREDICTED]
    return checks


def _shape_check(reference: Sequence[FeatureHistograms], later: FeatureHistograms, name: str) -> Check:
    def distance(left: FeatureHistograms, right: FeatureHistograms) -> float:
        return psi(np.array(left.counts[name], float), np.array(right.counts[name], float))

    cutoff, months = reference[0], _months(reference[0], later)
    usual, index = _own_distance(reference, distance, months), distance(later, cutoff)
    limit = max(MARK, OWN_FACTOR * usual)
    dates = (cutoff.as_of, later.as_of)
    return Check(months - 1, "sight", name, "", index, usual, None, limit, None, index > limit, {}, *dates)


def _mean_check(reference: Sequence[FeatureHistograms], later: FeatureHistograms, name: str) -> Check:
    def distance(left: FeatureHistograms, right: FeatureHistograms) -> float:
        return abs(float(np.log(max(left.mean(name), MIN_MEAN) / max(right.mean(name), MIN_MEAN))))

    cutoff, months = reference[0], _months(reference[0], later)
    limit = max(MIN_LOG_RATIO, OWN_FACTOR * _own_distance(reference, distance, months))
    usual, mean = cutoff.mean(name), later.mean(name)
    low, high = float(usual * np.exp(-limit)), float(usual * np.exp(limit))
    alert, dates = distance(later, cutoff) > limit, (cutoff.as_of, later.as_of)
    return Check(months - 1, "level", name, "", mean, usual, low, high, None, alert, {}, *dates)


def _days(name: str) -> int | None:
    return FEATURES[name].days if name in FEATURES else None


def _own_distance(
    reference: Sequence[FeatureHistograms],
    distance: Callable[[FeatureHistograms, FeatureHistograms], float],
    months: int,
) -> float:
    """Return the largest distance within the reference at most so many months apart, extrapolated beyond that."""
    pairs = [(_months(earlier, later), distance(earlier, later)) for later, earlier in combinations(reference, 2)]
    farthest = max(apart for apart, _ in pairs)
    return max(value for apart, value in pairs if apart <= months) * max(1.0, months / farthest)


def _months(earlier: FeatureHistograms, later: FeatureHistograms) -> int:
    return periods_in(MONTH, (date.fromisoformat(later.as_of) - date.fromisoformat(earlier.as_of)).days)
