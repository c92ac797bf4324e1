"""Quantiles for a model that only knows a mean: what came true in training windows, by predicted decile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVELS: Final = (0.1, 0.5, 0.9)
BINS: Final = 10


@dataclass(frozen=True)
class ResidualQuantiles:
    """Quantiles of actual over predicted value within each decile of predicted value.

    A ratio, not a difference: a customer predicted at ten times the next gets an interval ten times as wide, and the
    quantile of a large spender grows with the prediction.

    Args:
        edges: predicted values that part the bins, ascending, [k - 1].
        ratios: quantiles of actual / predicted at :data:`LEVELS` in each bin, [k, 3].
        zero: quantiles of the actual value where the prediction is 0, [3].
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

    def predict(self, predicted: Floats) -> Floats:
        """Return the quantiles at :data:`LEVELS` around each mean, float64 [n, 3], ascending in each row."""
        bins = np.searchsorted(self.edges, predicted, side="right")
        return np.where((predicted > 0)[:, None], predicted[:, None] * self.ratios[bins], self.zero)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {"edges": self.edges, "ratios": self.ratios, "zero": self.zero}

    @classmethod
    def from_state(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """Return what :meth:`state` described."""
        return cls(*(np.asarray(arrays[name], dtype=np.float64) for name in ("edges", "ratios", "zero")))
