"""Quantiles of models that were saved before there was one law (:mod:`clv_core.model.predictive_distribution`).

They score as they did: quantiles of residuals of all customers, buyers or not, and a lognormal whose learned residuals
need not have its mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clv_core.model.heads import RESIDUAL_LEVELS, Head, MeanHead, Params, Ziln, at_places
from clv_core.model.horizon import at_chance

Floats = NDArray[np.float64]

LEVELS: Final = np.append(np.arange(1, 100) / 100, [0.995, 0.999])
"""Finer at the top: a longer horizon reaches further into the tail."""
BINS: Final = 10
"""Deciles of the prediction."""
QUANTILES: Final = (0.1, 0.5, 0.9)
"""The quantiles that predictions have."""


@dataclass(frozen=True)
class ResidualQuantiles:
    """Quantiles of actual over predicted value within each decile of predicted value.

    A ratio, not a difference: a customer predicted at ten times the next gets an interval ten times as wide, and the
    quantile of a large spender grows with the prediction.

    Args:
        edges: predicted values that part the bins, ascending, [k - 1].
        ratios: quantiles of actual / predicted at :data:`LEVELS` in each bin, [k, l].
        zero: quantiles of the actual value where the prediction is 0, [l].
    """

    edges: Floats
    ratios: Floats
    zero: Floats

    @classmethod
    def fit(cls, predicted: Floats, actual: Floats) -> Self:
        """Learn the quantiles from training windows.

        Args:
            predicted: means of windows whose horizon has passed, [n].
            actual: net value in the horizon; negative values count as 0, [n].
        """
        actual = np.maximum(actual, 0.0)
        some = predicted > 0
        value, ratio = predicted[some], actual[some] / predicted[some]
        if len(value):
            edges = np.unique(np.quantile(value, np.arange(1, BINS) / BINS))
            bins = np.searchsorted(edges, value, side="right")
            edges = np.delete(edges, [b for b in range(len(edges)) if not (bins == b).any()])
            bins = np.searchsorted(edges, value, side="right")
            ratios = np.stack([np.quantile(ratio[bins == number], LEVELS) for number in range(len(edges) + 1)])
        else:
            edges, ratios = np.zeros(0), np.ones((1, len(LEVELS)))
        zero = np.quantile(actual[~some], LEVELS) if (~some).any() else np.zeros(len(LEVELS))
        return cls(edges, ratios, zero)

    def predict(self, predicted: Floats, level: Floats | float) -> Floats:
        """Return the quantile at ``level`` around each mean, float64 [n], ascending in the level.

        Args:
            predicted: means, [n].
            level: of each row, or of all; outside of :data:`LEVELS` the nearest one counts, and 0 or less is value 0.
        """
        levels = np.broadcast_to(np.asarray(level, dtype=np.float64), predicted.shape)
        upper = np.clip(np.searchsorted(LEVELS, levels), 1, len(LEVELS) - 1)
        weight = np.clip((levels - LEVELS[upper - 1]) / (LEVELS[upper] - LEVELS[upper - 1]), 0.0, 1.0)
        bins = np.searchsorted(self.edges, predicted, side="right")

        def at(place: NDArray[np.intp]) -> Floats:
            return np.where(predicted > 0, predicted * self.ratios[bins, place], self.zero[place])

        low = at(upper - 1)
        return np.where(levels > 0, low + weight * (at(upper) - low), 0.0)

    def beyond(self, predicted: Floats, p: Floats, later: Floats, exposure: Floats) -> list[Floats]:
        """Return the 10%, 50% and 90% quantiles at another horizon than the trained one, three times [n].

        Args:
            predicted: means of the trained horizon, [n].
            p: chances of any purchase in it, [n].
            later: those in the other one, [n].
            exposure: expected purchases relative to it, [n]; 1 is the trained horizon itself.
        """
        quantiles = []
        for q in QUANTILES:
            level, factor = at_chance(p, later, exposure, q)
            quantiles.append(factor * self.predict(predicted, level))
        return quantiles

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {"edges": self.edges, "ratios": self.ratios, "zero": self.zero}

    @classmethod
    def from_state(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """Return what :meth:`state` described.

        Raises:
            KeyError: an array is missing.
            ValueError: the arrays do not fit each other.
        """
        edges, ratios, zero = (np.asarray(arrays[name], dtype=np.float64) for name in ("edges", "ratios", "zero"))
        if edges.ndim != 1 or ratios.shape != (len(edges) + 1, len(LEVELS)) or zero.shape != (len(LEVELS),):
            raise ValueError(f"quantiles of shapes {edges.shape}, {ratios.shape} and {zero.shape}")
        return cls(edges, ratios, zero)


def quantile(head: Head, params: Params, q: Tensor) -> Tensor:
    """Return the q-quantiles of what a head says, [l, k, n].

    Args:
        head: of k networks.
        params: as :meth:`Head.rescale` returns them, [k, n] each.
        q: levels, [l, 1, 1].
    """
    if isinstance(head, Ziln):
        return _lognormal(head, params, q)
    assert isinstance(head, MeanHead)
    return _of_residuals(head, params, q)


def _lognormal(head: Ziln, params: Params, q: Tensor) -> Tensor:
    p = head.p_purchase(params)
    none = 1 - p
    inside = ((q - none) / p).clamp(1e-7, 1 - 1e-7)
    value = torch.exp(head.mu(params) + params["sigma"] * head.residual(inside.double()).to(p.dtype))
    return torch.where(q <= none, 0.0, value)


def _of_residuals(head: MeanHead, params: Params, q: Tensor) -> Tensor:
    """Return mean x residual ratio at q, interpolated between the learned levels.

    What a buyer is worth grows by the mean's factor over that of the chance to buy, and q stands for the level at which
    the same share of buyers is above.
    """
    mean, trained_mean = head.mean(params), params.get("own_log_mean", params["log_mean"]).exp()
    share = params.get("own_logit", params["logit"]).sigmoid() / params["logit"].sigmoid()
    level = 1 - (1 - q) * share
    position = ((level - 0.01) / 0.98).clamp(0.0, 1.0) * (RESIDUAL_LEVELS - 1)
    lower = position.long().clamp(max=RESIDUAL_LEVELS - 2)
    weight, bins = position - lower, torch.searchsorted(head.edges.to(trained_mean.dtype), trained_mean)
    ratios, place = head.ratios.flatten(-2), bins * RESIDUAL_LEVELS + lower
    ratio = at_places(ratios, place) * (1 - weight) + at_places(ratios, place + 1) * weight
    return torch.where(level > 0, mean * share * ratio, torch.zeros_like(mean))
