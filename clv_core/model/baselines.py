"""Simple models to beat: the spend rate of the past, and BTYD models with Gamma-Gamma."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.btyd import BGNBD, ParetoNBD
from clv_core.features import Snapshot
from clv_core.model.earlier_quantiles import ResidualQuantiles
from clv_core.model.horizon import Curve, PurchaseSurvival, below_one, by_luck, discounted, even_growth, largest_allowed
from clv_core.model.predictions import Predictions
from clv_core.model.predictive_distribution import (
    BuyerShape,
    LearnedShapes,
    PredictiveDistribution,
    compound_shape,
)
from clv_core.records import JsonObject

Floats = NDArray[np.float64]

YOUNGEST_DAYS: Final = 30.0
"""A spend rate is taken over at least this long, a guess: one order of yesterday is not an order a day."""
FREQUENCY_EDGES: Final = np.array([1.0, 2.0, 3.0, 5.0, 8.0])
"""Bins of repeat purchase days within which the share of buyers is counted; a guess, finer where most customers are."""

STATE_NAMES: Final = ("horizon_days_", "largest_", "never_value_", "never_share_")


class Baseline(ABC):
    """A mean and a chance for buyers; never-buyers, intervals and bounds are the same for all baselines.

    Attributes:
        horizon_days_: the horizon of the training windows.
        largest_: largest value in the horizon seen there, in the log's currency.
        never_value_: mean value of never-buyers there; never_share_: the share of them who bought.
        shapes_: how the values of buyers lie around their mean.
        earlier_: quantiles of a model that was saved before there was one law, in place of ``shapes_``.
    """

    horizon_days_: int
    largest_: float
    never_value_: float
    never_share_: float
    shapes_: LearnedShapes
    earlier_: ResidualQuantiles | None = None

    def _learn(self, train: Snapshot, target: Floats) -> None:  # noqa: B027 - the BTYD models learn no targets
        """Learn the parameters of the model itself."""

    @abstractmethod
    def _chance(self, snapshot: Snapshot, horizon_days: float) -> Floats:
        """Return p_purchase of every row in even days; rows of never-buyers are replaced afterwards."""

    @abstractmethod
    def _value(self, snapshot: Snapshot) -> Curve:
        """Return the mean of every row by even days; rows of never-buyers are replaced afterwards."""

    def _own_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what :meth:`_learn` learned."""
        return {}

    def fit(self, train: Snapshot) -> Self:
        """Learn from windows whose horizon has passed; all of them end before the cutoff to be predicted.

        Raises:
            ValueError: the snapshot has no target.
        """
        if train.target is None:
            raise ValueError("a baseline learns from windows whose horizon has passed")
        target = np.maximum(train.target, 0.0)
        never = _never(train)
        self.horizon_days_ = train.horizon_days
        self.largest_ = float(target.max(initial=0.0))
        self.never_value_ = float(target[never].mean()) if never.any() else 0.0
        self.never_share_ = float((target[never] > 0).mean()) if never.any() else 0.0
        self._learn(train, target)
        learned = self._learned(train)
        mean, chance = self._own(self._mean(train)), self._p(train, self.horizon_days_)
        self.shapes_ = LearnedShapes.fit(mean[learned], chance[learned], target[learned])
        return self

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict every row.

        Args:
            snapshot: who is to be predicted.
            horizon_days: length of the predicted span; None is the snapshot's.
        """
        if self.earlier_ is not None:
            return self._predict_before(snapshot, horizon_days, self.earlier_)
        return self.distribution(snapshot, horizon_days).predictions()

    def distribution(self, snapshot: Snapshot, horizon_days: int | None = None) -> PredictiveDistribution:
        """Return the law of every row, of which :meth:`predict` returns some figures.

        Args:
            snapshot: who is to be predicted.
            horizon_days: length of the predicted span; None is the snapshot's.
        """
        horizon, curve = horizon_days or snapshot.horizon_days, self._mean(snapshot)
        top = largest_allowed(self.largest_, self.horizon_days_, horizon)
        mean = np.clip(discounted(curve, horizon), 0.0, top)
        return PredictiveDistribution(
            self._p(snapshot, int(horizon)), mean, self._shape(snapshot, self._own(curve), int(horizon)), top
        )

    def _learned(self, train: Snapshot) -> NDArray[np.bool_]:
        """Return whose shape is learned from windows, bool [n]: by default everybody's."""
        return np.ones(len(train), np.bool_)

    def _shape(self, snapshot: Snapshot, trained_mean: Floats, horizon_days: int) -> BuyerShape:
        """Return how the values of buyers lie around their mean.

        Args:
            snapshot: who is to be predicted.
            trained_mean: means in the trained horizon, [n].
            horizon_days: length of the predicted span.
        """
        return self.shapes_.of(trained_mean)

    def _predict_before(self, snapshot: Snapshot, horizon_days: int | None, earlier: ResidualQuantiles) -> Predictions:
        """Return what a model that was saved before there was one law predicts."""
        horizon, curve = horizon_days or snapshot.horizon_days, self._mean(snapshot)
        trained_mean, mean = curve(self.horizon_days_), discounted(curve, horizon)
        evenly = discounted(lambda days: np.full(len(snapshot), days / self.horizon_days_), horizon)
        exposure = np.where(trained_mean > 0, mean / np.where(trained_mean > 0, trained_mean, 1.0), evenly)
        chance = self._p(snapshot, self.horizon_days_)
        top = largest_allowed(self.largest_, self.horizon_days_, horizon)
        worth = discounted(lambda days: self._p(snapshot, days), horizon)
        quantiles = earlier.beyond(self._own(curve), chance, worth, exposure)
        return Predictions(
            self._p(snapshot, int(horizon)), np.clip(mean, 0.0, top), *(np.minimum(value, top) for value in quantiles)
        )

    def state(self) -> tuple[dict[str, NDArray[Any]], JsonObject]:
        """Return arrays by name, and a JSON-ready dictionary."""
        law = self.shapes_ if self.earlier_ is None else self.earlier_
        return {**law.state(), **self._own_arrays()}, {name: getattr(self, name) for name in STATE_NAMES}

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: JsonObject) -> Self:
        """Return the model that :meth:`state` described.

        Raises:
            KeyError: something of it is missing.
            ValueError: an array is of another shape.
        """
        model = cls()
        for name in STATE_NAMES:
            setattr(model, name, state[name])
        if "zero" in tensors:
            model.earlier_ = ResidualQuantiles.from_state(tensors)
        else:
            model.shapes_ = LearnedShapes.from_state(tensors)
        for name, size in model._own_sizes().items():
            values = np.asarray(tensors[name], dtype=np.float64)
            if values.shape != (size,):
                raise ValueError(f"{name} has shape {values.shape}, not {(size,)}")
            setattr(model, f"{name}_", values)
        return model

    def _own_sizes(self) -> dict[str, int]:
        """Return the length of each array of :meth:`_own_arrays`."""
        return {}

    def _mean(self, snapshot: Snapshot) -> Curve:
        """Return the mean of every row by horizon, never-buyers included; nothing is bounded yet."""
        never, buyers = _never(snapshot), self._value(snapshot)

        def curve(days: float) -> Floats:
            even = snapshot.last_year.even_days(days, self.horizon_days_)
            return np.where(never, self.never_value_ * even / self.horizon_days_, buyers(even))

        return curve

    def _own(self, curve: Curve) -> Floats:
        """Return the mean in the trained horizon, within its bound."""
        top = largest_allowed(self.largest_, self.horizon_days_, self.horizon_days_)
        return np.clip(curve(self.horizon_days_), 0.0, top)

    def _p(self, snapshot: Snapshot, horizon_days: float) -> Floats:
        even = snapshot.last_year.even_days(horizon_days, self.horizon_days_)
        never = by_luck(np.full(len(snapshot), self.never_share_), even / self.horizon_days_)
        return np.where(_never(snapshot), never, self._chance(snapshot, even))


class NaiveModel(Baseline):
    """Everyone goes on spending at the rate since the first purchase; the chance is the share of buyers by frequency.

    Attributes:
        shares_: share of customers who bought in the horizon, by repeat purchase days (:data:`FREQUENCY_EDGES`).
    """

    shares_: Floats

    def _learn(self, train: Snapshot, target: Floats) -> None:
        bought = ~_never(train)
        bins = self._bins(train)[bought]
        size = len(FREQUENCY_EDGES) + 1
        buyers = np.bincount(bins, weights=(target[bought] > 0).astype(np.float64), minlength=size)
        self.shares_ = (buyers + 0.5) / (np.bincount(bins, minlength=size) + 1.0)

    def _chance(self, snapshot: Snapshot, horizon_days: float) -> Floats:
        shares, times = self.shares_[self._bins(snapshot)], PurchaseSurvival.of(snapshot, self.horizon_days_)
        return below_one(times.within(shares, horizon_days))

    def _value(self, snapshot: Snapshot) -> Curve:
        age = np.maximum(_column(snapshot, "T"), YOUNGEST_DAYS)
        rate = np.maximum(_column(snapshot, "net_value"), 0.0) / age
        return lambda days: rate * days

    def _own_arrays(self) -> dict[str, NDArray[Any]]:
        return {"shares": self.shares_}

    def _own_sizes(self) -> dict[str, int]:
        return {"shares": len(FREQUENCY_EDGES) + 1}

    @staticmethod
    def _bins(snapshot: Snapshot) -> NDArray[np.int64]:
        return np.searchsorted(FREQUENCY_EDGES, _column(snapshot, "frequency"), side="right")


class CompoundBaseline(Baseline):
    """A count of purchase days times Gamma-Gamma spend: buyers have the compound law of both, nothing is learned."""

    @abstractmethod
    def _counts_at(self, day: int, snapshot: Snapshot) -> BGNBD | ParetoNBD:
        """Return the counts of a cutoff."""

    def _learned(self, train: Snapshot) -> NDArray[np.bool_]:
        return _never(train)

    def _shape(self, snapshot: Snapshot, trained_mean: Floats, horizon_days: int) -> BuyerShape:
        days = float(snapshot.last_year.even_days(horizon_days, self.horizon_days_))
        shape = self.shapes_.of(trained_mean)
        for day, anchor in snapshot.anchors.items():
            rows = np.flatnonzero((snapshot.cutoff_day == day) & snapshot.bought)
            if len(rows):
                frequency, _, age = _rfm(snapshot.features.iloc[rows])
                compound = compound_shape(self._counts_at(day, snapshot), anchor.spend, frequency, age, days)
                shape = shape.replaced(rows, compound)
        return shape


class BGNBDModel(CompoundBaseline):
    """BG/NBD counts times Gamma-Gamma spend, fitted by the snapshot at each of its cutoffs."""

    def _counts_at(self, day: int, snapshot: Snapshot) -> BGNBD:
        return snapshot.anchors[day].counts

    def _chance(self, snapshot: Snapshot, horizon_days: float) -> Floats:
        p = np.zeros(len(snapshot))
        for day, anchor in snapshot.anchors.items():
            rows = np.flatnonzero(snapshot.cutoff_day == day)
            p[rows] = anchor.p_purchase(snapshot.features.iloc[rows], horizon_days)
        return p

    def _value(self, snapshot: Snapshot) -> Curve:
        at_horizon = _column(snapshot, "anchor_count") * _column(snapshot, "anchor_spend")
        longer: list[Curve] = []

        def curve(days: float) -> Floats:
            if days == snapshot.horizon_days:
                return at_horizon
            if not longer:
                longer.append(even_growth(snapshot, snapshot.horizon_days))
            return at_horizon * longer[0](days)

        return curve


def _never(snapshot: Snapshot) -> NDArray[np.bool_]:
    return snapshot.features["T"].isna().to_numpy()


def _column(snapshot: Snapshot, name: str) -> Floats:
    """Return a feature with unknown read as 0 (only never-buyers have unknown ones here)."""
    values: Floats = np.nan_to_num(snapshot.features[name].to_numpy(dtype=np.float64))
    return values


FIT_CUSTOMERS: Final = 20_000
"""Four parameters are estimated well enough on a sample of so many buyers; more cost time."""


class ParetoNBDModel(CompoundBaseline):
    """Pareto/NBD counts times Gamma-Gamma spend, both fitted on what lies before each cutoff.

    Snapshots carry the Gamma-Gamma fit; the counts are fitted here, on all buyers of the snapshot to be predicted. To
    predict some customers as if among all of them, predict with :meth:`settled`.

    Attributes:
        counts_: the fixed fit of each cutoff day, whoever else is in the snapshot.
        every_: one fit for all cutoffs; None: there is none.
    """

    counts_: dict[int, ParetoNBD]
    every_: ParetoNBD | None

    def __init__(self) -> None:
        self.counts_ = {}
        self.every_ = None

    def settled(self, snapshot: Snapshot) -> Self:
        """Return the same model with the counts of ``snapshot``'s cutoffs fixed.

        Args:
            snapshot: all customers of its cutoffs.
        """
        return self._with({day: self._counts_at(day, snapshot) for day in snapshot.anchors})

    def settled_at(self, counts: ParetoNBD) -> Self:
        """Return the same model with one counts model for all cutoffs."""
        model = self._with({})
        model.every_ = counts
        return model

    def _with(self, counts: dict[int, ParetoNBD]) -> Self:
        model = type(self).from_state(*self.state())
        model.counts_, model.every_ = counts, self.every_
        return model

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict every row; the counts are fitted once a call."""
        return super(ParetoNBDModel, self.settled(snapshot)).predict(snapshot, horizon_days)

    def _chance(self, snapshot: Snapshot, horizon_days: float) -> Floats:
        p = np.zeros(len(snapshot))
        for rows, counts, buyers in self._parts(snapshot):
            p[rows] = counts.p_purchase(horizon_days, *buyers, check=False)
        return p

    def _value(self, snapshot: Snapshot) -> Curve:
        spend = np.nan_to_num(snapshot.features["anchor_spend"].to_numpy(np.float64))
        parts = [
            (rows, counts.p_alive(*buyers, check=False) * spend[rows], counts.expected_if_alive(buyers[0], buyers[2]))
            for rows, counts, buyers in self._parts(snapshot)
        ]

        def curve(days: float) -> Floats:
            mean = np.zeros(len(snapshot))
            for rows, worth, expected in parts:
                mean[rows] = worth * expected(days)
            return mean

        return curve

    def _parts(self, snapshot: Snapshot) -> Iterator[tuple[NDArray[np.intp], ParetoNBD, list[Floats]]]:
        """Yield each cutoff's buyers, their counts model, and frequency, recency and T."""
        for day in snapshot.anchors:
            rows = np.flatnonzero((snapshot.cutoff_day == day) & snapshot.bought)
            yield rows, self._counts_at(day, snapshot), _rfm(snapshot.features.iloc[rows])

    def _counts_at(self, day: int, snapshot: Snapshot) -> ParetoNBD:
        if self.every_ is not None:
            return self.every_
        if day in self.counts_:
            return self.counts_[day]
        return counts_of(snapshot.features[snapshot.cutoff_day == day])


def counts_of(customers: pd.DataFrame) -> ParetoNBD:
    """Return the counts of all customers of one cutoff, fitted on those who have bought.

    Args:
        customers: the features frequency, recency and T, [n].
    """
    buyers = customers[customers["T"].notna().to_numpy()]
    if len(buyers) > FIT_CUSTOMERS:
        sample = np.random.default_rng(0).permutation(len(buyers))[:FIT_CUSTOMERS]
        buyers = buyers.iloc[np.sort(sample)]
    return ParetoNBD.fit(*_rfm(buyers))


def _rfm(features: pd.DataFrame) -> list[Floats]:
    return [features[name].to_numpy(np.float64) for name in ("frequency", "recency", "T")]
