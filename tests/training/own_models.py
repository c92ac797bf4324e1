"""Models as users write them: one upon a model that ships, and one that is nothing but the protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.features.snapshot import Snapshot
from clv_core.model import NaiveModel, Predictions
from clv_core.training.own_models import register

DAYS: Final = 180


class RecentRate(NaiveModel):
    """Customers go on spending at the rate of their last 180 days."""

    def _value(self, snapshot: Snapshot) -> Callable[[float], NDArray[np.float64]]:
        rate = snapshot.features["net_value_180d"].fillna(0.0).clip(lower=0.0).to_numpy() / DAYS
        return lambda days: rate * days


class ShareOfBuyers:
    """Everybody buys with one chance, and goes on spending at the rate of the last 180 days."""

    def __init__(self, days: int = DAYS) -> None:
        self.days = days
        self.shares = np.zeros(0)

    def fit(self, train: Snapshot) -> Self:
        assert train.target is not None
        self.shares = np.array([(train.target > 0).mean()])
        return self

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        days = horizon_days or snapshot.horizon_days
        assert type(days) is int  # never a horizon with a discount
        mean = np.maximum(np.nan_to_num(snapshot.features["net_value_180d"].to_numpy(np.float64)), 0) / self.days * days
        share = float(-np.expm1(np.log1p(-self.shares[0]) * days / snapshot.horizon_days))
        quantiles = (factor * mean if q > 1 - share else 0 * mean for q, factor in ((0.1, 0.2), (0.5, 0.5), (0.9, 2.0)))
        return Predictions(np.full(len(snapshot), share), mean, *quantiles)

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"shares": self.shares}, {"days": self.days}

    @classmethod
    def from_state(cls, tensors: dict[str, Any], settings: dict[str, Any]) -> Self:
        model = cls()
        model.shares, model.days = tensors["shares"], settings["days"]
        return model


CODE: Final = register(RecentRate())
