"""Pareto/NBD + Gamma-Gamma as a baseline."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.features.btyd import ParetoNbd
from clv_core.features.snapshot import Snapshot
from clv_core.model.baselines import Baseline

Floats = NDArray[np.float64]

FIT_CUSTOMERS: Final = 20_000
"""More buyers than these add nothing to four parameters but time."""


class ParetoNbdModel(Baseline):
    """Pareto/NBD counts times Gamma-Gamma spend, both fitted on what lies before each cutoff.

    Snapshots carry the Gamma-Gamma fit; the counts are fitted here, on all buyers of the snapshot to be predicted. To
    predict some customers as if among all of them, predict with :meth:`settled`.

    Attributes:
        counts_: fits that stand for their cutoff day, whoever else is in the snapshot.
    """

    counts_: dict[int, ParetoNbd]

    def __init__(self) -> None:
        self.counts_ = {}

    def settled(self, snapshot: Snapshot) -> Self:
        """Return the same model with the counts of ``snapshot``'s cutoffs fixed.

        Args:
            snapshot: all customers of its cutoffs.
        """
        model = type(self).from_state(*self.state())
        model.counts_ = {day: self._counts(day, snapshot) for day in snapshot.anchors}
        return model

    def _learn(self, train: Snapshot, target: Floats) -> None:
        """The parameters are each cutoff's: there is nothing to learn from targets."""

    def _of_buyers(self, snapshot: Snapshot, horizon_days: int) -> tuple[Floats, Floats]:
        p, mean = np.zeros(len(snapshot)), np.zeros(len(snapshot))
        for day in snapshot.anchors:
            rows = np.flatnonzero((snapshot.cutoff_day == day) & snapshot.features["T"].notna().to_numpy())
            counts, buyers = self._counts(day, snapshot), _rfm(snapshot.features.iloc[rows])
            p[rows] = counts.p_purchase(horizon_days, *buyers)
            spend = snapshot.features["anchor_spend"].to_numpy(np.float64)[rows]
            mean[rows] = counts.expected_purchases(horizon_days, *buyers) * spend
        return p, mean

    def _counts(self, day: int, snapshot: Snapshot) -> ParetoNbd:
        if day in self.counts_:
            return self.counts_[day]
        buyers = snapshot.features[(snapshot.cutoff_day == day) & snapshot.features["T"].notna().to_numpy()]
        if len(buyers) > FIT_CUSTOMERS:
            chosen = np.random.default_rng(0).permutation(len(buyers))[:FIT_CUSTOMERS]
            buyers = buyers.iloc[np.sort(chosen)]
        return ParetoNbd.fit(*_rfm(buyers))

    def _own_arrays(self) -> dict[str, NDArray[Any]]:
        return {}


def _rfm(features: pd.DataFrame) -> list[Floats]:
    return [features[name].to_numpy(np.float64) for name in ("frequency", "recency", "T")]
