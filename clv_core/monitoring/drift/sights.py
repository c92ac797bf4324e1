"""What a model sees of customers at one instant: a histogram of each feature, and one of what it predicts.

Of very many customers some tell as much: a share of a hundred thousand is off by a fifth of a percent. The bins are the
tenths of the cutoff's own distribution, of predictions and of what the anchor expects doublings, and one more for
unknown. A sight tells of no single customer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.config import TrainConfig
from clv_core.deployment.dataset_scoring import CUSTOMERS_AT_ONCE
from clv_core.features.log import EventLog
from clv_core.features.season import scoring_parts, scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.features.table import ANCHORS
from clv_core.model.predictions import Predictions
from clv_core.monitoring.plain import Plain

if TYPE_CHECKING:
    from clv_core.training.fit import Model

Floats = NDArray[np.float64]

PREDICTED: Final = ("predicted_clv", "p_purchase")
SHARED: Final = (*PREDICTED, *ANCHORS)
"""Columns in which thousands of customers hold one value that a fit decides: it moves a little from day to day."""
TENTHS: Final = np.linspace(0.1, 0.9, 9)
MOST_DOUBLINGS: Final = 12
SOME: Final = 102_400
"""Of more customers so many are looked at, where not everybody's prediction is asked for,"""
SOME_AT_ONCE: Final = 2_048
"""in so many places evenly among all."""
KERNEL: Final = np.array([0.25, 0.5, 0.25])


@dataclass(frozen=True)
class Sight(Plain):
    """One instant.

    Args:
        as_of: ISO date.
        customers: how many were looked at.
        counts: customers in each bin, by feature and by :data:`PREDICTED`.
        predicted_mean: mean predicted value, in the log's currency.
        p_purchase_mean: mean chance of a purchase.
    """

    as_of: str
    customers: int
    counts: dict[str, list[int]]
    predicted_mean: float
    p_purchase_mean: float


def look_at(log: EventLog, model: Model, config: TrainConfig, as_of: date, *, everybody: bool = False) -> pd.DataFrame:
    """Return the numeric features of customers seen before an instant, float32, beside :data:`PREDICTED`.

    Indexed by ``customer_id``. Networks read some customers at a time, as in scoring, so that only columns are kept.

    Args:
        log: where they are seen.
        model: what predicts them.
        config: its settings.
        as_of: the instant, midnight.
        everybody: whether all are wanted, however many they are; else networks read at most :data:`SOME`.

    Raises:
        NotEnoughData: nobody was seen before it.
    """
    from clv_core.model.levelled import Levelled

    how = {"horizon_days": config.horizon_days, "max_steps": config.max_steps_back}
    features: list[pd.DataFrame] = []

    def noted(parts: Iterator[Snapshot]) -> Iterator[Snapshot]:
        for part in parts:
            features.append(part.features.select_dtypes("number").astype("float32"))
            yield part

    answers: list[Predictions]
    if isinstance(model, Levelled):
        many = len(log.holder.customer_ids) > SOME and not everybody
        size, most = (SOME_AT_ONCE, SOME) if many else (CUSTOMERS_AT_ONCE, None)
        parts = scoring_parts(log, as_of, **how, customers_at_once=size, most=most)
        answers = list(model.predict_parts(noted(parts), config.horizon_days))
    else:
        whole = noted(iter([scoring_snapshot(log, as_of, **how)]))
        answers = [model.predict(part, config.horizon_days) for part in whole]
    found = pd.concat(features) if len(features) > 1 else features[0]
    predicted = {name: np.concatenate([getattr(part, name) for part in answers]) for name in PREDICTED}
    return found.assign(**predicted)


def bins_of(seen: pd.DataFrame) -> dict[str, list[float]]:
    """Return the upper ends of all bins but the last, by column; columns with one value only are left out."""
    bins = {}
    for name in seen.columns:
        values = seen[name].to_numpy(np.float64)
        known = values[np.isfinite(values)]
        if len(known) and known.min() < known.max():
            ends = _doublings(known) if name in SHARED else np.unique(np.quantile(known, TENTHS))
            bins[str(name)] = [float(end) for end in ends]
    return bins


def _shared_out(predicted: Floats, ends: Floats) -> list[int]:
    """Return the customers at each end, each shared between the ends around its prediction, or the anchor's.

    Thousands of customers share a prediction; as it moves a little, so do their shares, and nobody jumps over an edge
    into a bin that was empty.
    """
    last = len(ends) - 1
    position = np.clip(np.log2(np.maximum(predicted, ends[0]) / ends[0]), 0, last)
    lower = np.minimum(position.astype(np.int64), last)
    share = position - lower
    found = np.bincount(lower, 1 - share, minlength=last + 2) + np.bincount(lower + 1, share, minlength=last + 2)
    padded = np.pad(found[: last + 1], 1, mode="edge")
    smooth = np.convolve(padded, KERNEL, mode="valid")
    return [int(count) for count in np.round(smooth * found.sum() / max(smooth.sum(), 1.0))]


def _doublings(predicted: Floats) -> Floats:
    """Return powers of 2 over the bulk of predictions: many customers share one, and tenths would cut beside it."""
    low, high = np.quantile(predicted[predicted > 0], (0.02, 0.995)) if (predicted > 0).any() else (1.0, 1.0)
    ends: Floats = 2.0 ** np.arange(np.floor(np.log2(low)), np.ceil(np.log2(high)) + 1)
    return ends[-MOST_DOUBLINGS:]


def sight_of(seen: pd.DataFrame, bins: dict[str, list[float]], as_of: date) -> Sight:
    """Return the histograms of what :func:`look_at` returned."""
    counts = {}
    for name, ends in bins.items():
        if name not in seen:
            continue
        values = seen[name].to_numpy(np.float64)
        known = np.isfinite(values)
        if name in SHARED:
            unknown = [] if name in PREDICTED else [int((~known).sum())]
            counts[name] = _shared_out(values[known], np.array(ends)) + unknown
            continue
        place = np.where(known, np.searchsorted(np.array(ends), values, side="left"), len(ends) + 1)
        counts[name] = [int(count) for count in np.bincount(place, minlength=len(ends) + 2)]
    means = [float(seen[name].mean()) for name in PREDICTED]
    return Sight(as_of.isoformat(), len(seen), counts, *means)
