"""How the cells of the accuracy benchmark are judged: seeds averaged, resamples paired, a verdict by fixed rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from clv_core.evaluation.bootstrap import Bootstrap, Estimate
from clv_core.evaluation.metrics import METRICS
from clv_core.training.cost import DEFAULT
from tests.bench.cells import ATTAINABLE

OURS: Final = DEFAULT
"""The default model."""
FAMILY: Final = ("hybrid", "instant", "instant_tuned", "blend")
"""Models that may be the default: no rivals of each other."""
JUDGED: Final = ("gini", "spearman", "rmse", "mae", "decile_mape", "bias")
INTERVALS: Final = ("pit10", "pit50", "pit90", "coverage80_top")
SHOWN: Final = (*JUDGED, "mae_median", "auc", "brier", "coverage80", "width80", *INTERVALS)
CLOSE: Final = 0.01
"""A gap within this is a tie: relative to the baseline's figure; of the bias, in points of the actual total."""
NOT_FAR: Final = 0.03
"""So is one within this whose interval holds 0."""


@dataclass(frozen=True, eq=False)
class Figures:
    """Every model's figures at one origin, seeds averaged, with their paired resamples.

    A bias loses its sign before seeds are averaged: one total too high and one too low are two errors.

    Args:
        values: by (model, metric); the bias with its sign, for tables.
        sizes: what is compared, by the same keys: the bias without its sign.
        draws: ``sizes`` on each resample.
        seeds: how many runs stand behind each model.
    """

    values: dict[tuple[str, str], float]
    sizes: dict[tuple[str, str], float]
    draws: dict[tuple[str, str], np.ndarray]
    seeds: dict[str, int]

    @classmethod
    def of(cls, predictions: pd.DataFrame, resamples: int) -> Figures:
        """Return the figures of one origin; ``hybrid#2`` is the second run of ``hybrid``."""
        bootstrap = Bootstrap.of(predictions, SHOWN, resamples=resamples)
        values: dict[tuple[str, str], list[float]] = {}
        draws: dict[tuple[str, str], list[np.ndarray]] = {}
        for (_, run, metric), value in bootstrap.values.items():
            key = (run.partition("#")[0], metric)
            drawn = bootstrap.draws[bootstrap.origins[0], run, metric]
            values.setdefault(key, []).append(value)
            draws.setdefault(key, []).append(np.abs(drawn) if metric == "bias" else drawn)
        seeds = {model: len(runs) for (model, _), runs in values.items()}
        return cls(
            {key: float(np.mean(runs)) for key, runs in values.items()},
            {key: float(np.mean(np.abs(runs) if key[1] == "bias" else runs)) for key, runs in values.items()},
            {key: np.mean(runs, axis=0) for key, runs in draws.items()},
            seeds,
        )

    @property
    def models(self) -> list[str]:
        """Models in the order in which they ran."""
        return list(dict.fromkeys(model for model, _ in self.values))

    def size(self, model: str, metric: str) -> float:
        """Return the figure as it is compared: the bias without its sign."""
        return self.sizes[model, metric]

    def interval(self, model: str, metric: str) -> tuple[float, float]:
        """Return the 95% interval of a figure (of the bias: of its distance from 0)."""
        low, high = np.nanquantile(self.draws[model, metric], [0.025, 0.975])
        return float(low), float(high)

    def advantage(self, model: str, other: str, metric: str) -> Estimate:
        """Return by how much ``model`` is better (negative: worse), with its paired 95% interval."""
        sign = 1.0 if METRICS[metric].better == "high" else -1.0
        value = sign * (self.size(model, metric) - self.size(other, metric))
        drawn = sign * (self.draws[model, metric] - self.draws[other, metric])
        low, high = np.nanquantile(drawn, [0.025, 0.975])
        return Estimate(value, float(low), float(high))

    def verdict(self, model: str, other: str, metric: str) -> tuple[str, float, Estimate]:
        """Return ``win``, ``tie`` or ``loss`` of ``model`` against ``other``, the gap, and the advantage.

        The gap is relative to the other's figure, positive where ``model`` is worse. A better figure whose interval
        excludes 0 is a win. Any other better one is a tie, as is a worse one within :data:`CLOSE`, or within
        :data:`NOT_FAR` where the interval holds 0; the rest is a loss.
        """
        advantage = self.advantage(model, other, metric)
        gap = -advantage.value / (1.0 if metric == "bias" else max(self.size(other, metric), 1e-9))
        unsure = advantage.low <= 0 <= advantage.high
        if gap < 0 and advantage.low > 0:
            return "win", gap, advantage
        return ("tie" if gap <= CLOSE or (unsure and gap <= NOT_FAR) else "loss"), gap, advantage

    def best(self, metric: str, among: list[str]) -> str:
        """Return the best of some models on one metric."""
        sign = -1.0 if METRICS[metric].better == "high" else 1.0
        return min(among, key=lambda model: sign * self.size(model, metric))

    def rivals(self) -> list[str]:
        """Return every model that is to be beaten."""
        return [model for model in self.models if model not in (*FAMILY, ATTAINABLE)]
