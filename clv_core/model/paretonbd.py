"""Pareto/NBD + Gamma-Gamma as a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.features.btyd import ParetoNbd
from clv_core.features.snapshot import Snapshot
from clv_core.model.baselines import Baseline
from clv_core.model.horizon import Curve
from clv_core.model.predictions import Predictions

Floats = NDArray[np.float64]

FIT_CUSTOMERS: Final = 20_000
"""More buyers than these add nothing to four parameters but time."""


class ParetoNbdModel(Baseline):
    """Pareto/NBD counts times Gamma-Gamma spend, both fitted on what lies before each cutoff.

    Snapshots carry the Gamma-Gamma fit; the counts are fitted here, on all buyers of the snapshot to be predicted. To
    predict some customers as if among all of them, predict with :meth:`settled`.

    Attributes:
        counts_: fits that stand for their cutoff day, whoever else is in the snapshot.
        every_: a fit that stands for every cutoff; None: there is none.
    """

    counts_: dict[int, ParetoNbd]
    every_: ParetoNbd | None

    def __init__(self) -> None:
        self.counts_ = {}
        self.every_ = None

    def settled(self, snapshot: Snapshot) -> Self:
        """Return the same model with the counts of ``snapshot``'s cutoffs fixed.

        Args:
            snapshot: all customers of its cutoffs.
        """
        return self._with({day: self._counts(day, snapshot) for day in snapshot.anchors})

    def settled_at(self, counts: ParetoNbd) -> Self:
        """Return the same model with counts that stand for every cutoff."""
        model = self._with({})
        model.every_ = counts
        return model

    def _with(self, counts: dict[int, ParetoNbd]) -> Self:
        model = type(self).from_state(*self.state())
        model.counts_, model.every_ = counts, self.every_
        return model

    def _learn(self, train: Snapshot, target: Floats) -> None:
        """The parameters are each cutoff's: there is nothing to learn from targets."""

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict every row; the counts are fitted once for all that is asked of them."""
        return super(ParetoNbdModel, self.settled(snapshot)).predict(snapshot, horizon_days)

    def _chance(self, snapshot: Snapshot, horizon_days: float) -> Floats:
        p = np.zeros(len(snapshot))
        for rows, counts, buyers in self._parts(snapshot):
            p[rows] = counts.p_purchase(horizon_days, *buyers)
        return p

    def _value(self, snapshot: Snapshot) -> Curve:
        spend = np.nan_to_num(snapshot.features["anchor_spend"].to_numpy(np.float64))
        parts = [
            (rows, counts.p_alive(*buyers) * spend[rows], counts.expected_if_alive(buyers[0], buyers[2]))
            for rows, counts, buyers in self._parts(snapshot)
        ]

        def curve(days: float) -> Floats:
            mean = np.zeros(len(snapshot))
            for rows, worth, expected in parts:
                mean[rows] = worth * expected(days)
            return mean

        return curve

    def _parts(self, snapshot: Snapshot) -> Iterator[tuple[NDArray[np.intp], ParetoNbd, list[Floats]]]:
        """Yield each cutoff's buyers, their counts model, and frequency, recency and T."""
        for day in snapshot.anchors:
            rows = np.flatnonzero((snapshot.cutoff_day == day) & snapshot.bought)
            yield rows, self._counts(day, snapshot), _rfm(snapshot.features.iloc[rows])

    def _counts(self, day: int, snapshot: Snapshot) -> ParetoNbd:
        if self.every_ is not None:
            return self.every_
        if day in self.counts_:
            return self.counts_[day]
        return counts_of(snapshot.features[snapshot.cutoff_day == day])

    def _own_arrays(self) -> dict[str, NDArray[Any]]:
        return {}


def counts_of(customers: pd.DataFrame) -> ParetoNbd:
    """Return the counts of all customers of one cutoff, fitted on those who have bought.

    Args:
        customers: the features frequency, recency and T, [n].
    """
    buyers = customers[customers["T"].notna().to_numpy()]
    if len(buyers) > FIT_CUSTOMERS:
        chosen = np.random.default_rng(0).permutation(len(buyers))[:FIT_CUSTOMERS]
        buyers = buyers.iloc[np.sort(chosen)]
    return ParetoNbd.fit(*_rfm(buyers))


def _rfm(features: pd.DataFrame) -> list[Floats]:
    return [features[name].to_numpy(np.float64) for name in ("frequency", "recency", "T")]
