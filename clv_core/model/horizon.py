"""From the horizon that a model was trained on to another one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clv_core.features.snapshot import Snapshot


def exposure(snapshot: Snapshot, trained_days: int, horizon_days: int) -> NDArray[np.float64]:
    """Return the expected purchases in ``horizon_days`` relative to those in ``trained_days``, float64 [n].

    The ratio is the anchor's, which makes whatever is multiplied with it monotone in the horizon; customers of whom the
    anchor expects nothing are taken to spread their value evenly.
    """
    ratio = np.full(len(snapshot), horizon_days / trained_days)
    if horizon_days == trained_days:
        return ratio
    for day, anchor in snapshot.anchors.items():
        rows = np.flatnonzero(snapshot.cutoff_day == day)
        features = snapshot.features.iloc[rows]
        before = anchor.expected_count(features, trained_days)
        after = anchor.expected_count(features, horizon_days)
        ratio[rows] = np.where(before > 1e-9, after / np.maximum(before, 1e-9), ratio[rows])
    return ratio


def stretch(p: NDArray[np.float64], exposure: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the chance of any event in ``exposure`` times the span in which it is ``p``."""
    chance: NDArray[np.float64] = -np.expm1(exposure * np.log1p(-np.minimum(p, 1 - 1e-12)))
    return chance
