"""How the cells of the accuracy benchmark are judged: seeds averaged, resamples paired, a verdict by fixed rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from clv_core.evaluation.bootstrap import Bootstrap, Estimate
from clv_core.evaluation.metrics import METRICS, Metric
from clv_core.evaluation.sample import Draw
from clv_core.training.cost import DEFAULT
from tests.bench.cells import ATTAINABLE

OURS: Final = DEFAULT
"""The default model."""
FAMILY: Final = ("hybrid", "instant", "instant_tuned", "blend")
"""Models that may be the default: no rivals of each other."""
RANKING: Final = ("gini", "spearman", "capture10")
OF_MEAN: Final = ("gini", "spearman", "rmse", "mae", "decile_mape", "bias", "deviance")
JUDGED: Final = (*OF_MEAN, "mae_median", "crps")
INTERVALS: Final = ("pit10", "pit50", "pit90", "coverage80_top")
SHOWN: Final = (*JUDGED, "capture10", "auc", "brier", "coverage80", "width80", *INTERVALS)
CLOSE: Final = 0.01
"""A gap within this is a tie: relative to the rival's figure; of the bias, in points of the actual total."""
POWER: Final = 1.5
SMALLEST_MEAN: Final = 0.01
"""Floor of a prediction in the deviance, of the mean actual value: BG/NBD says 0 of all who never bought."""


def _deviance(draw: Draw) -> np.ndarray:
    """Tweedie deviance of power 1.5 of the mean, relative to the mean actual value.

    Source: Jorgensen (1987), Exponential dispersion models, JRSS B 49(2).
    """
    value = draw.sample.value / draw.sample.value.mean()
    mean = np.maximum(draw.sample.mean / draw.sample.value.mean(), SMALLEST_MEAN)
    terms = value ** (2 - POWER) / ((1 - POWER) * (2 - POWER)) - value * mean ** (1 - POWER) / (1 - POWER)
    return draw.mean(2 * (terms + mean ** (2 - POWER) / (2 - POWER)))


def _crps(draw: Draw) -> np.ndarray:
    """Weighted interval score of the median and the 80% interval: the CRPS as far as three quantiles tell it.

    Source: Bracher, Ray, Gneiting, Reich (2021), Evaluating epidemic forecasts in an interval format, PLOS Comput Biol
    17(2).
    """
    sample = draw.sample
    outside = np.maximum(sample.low - sample.value, 0) + np.maximum(sample.value - sample.high, 0)
    score = 0.5 * np.abs(sample.value - sample.middle) + 0.1 * (sample.high - sample.low) + outside
    return draw.mean(score / 1.5)


TABLE: Final = METRICS | {
    "deviance": Metric("deviance", "low", "score", _deviance),
    "crps": Metric("crps", "low", "money", _crps),
}
"""The program's metrics, and those that only this benchmark reads."""


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
        bootstrap = Bootstrap.of(predictions, SHOWN, resamples=resamples, table=TABLE)
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
        sign = 1.0 if TABLE[metric].better == "high" else -1.0
        value = sign * (self.size(model, metric) - self.size(other, metric))
        drawn = sign * (self.draws[model, metric] - self.draws[other, metric])
        low, high = np.nanquantile(drawn, [0.025, 0.975])
        return Estimate(value, float(low), float(high))

    def verdict(self, model: str, other: str, metric: str) -> tuple[str, float, Estimate]:
        """Return ``win``, ``tie`` or ``loss`` of ``model`` against ``other``, the gap, and the advantage.

        The gap is relative to the other's figure, positive where ``model`` is worse. A win or a loss is a difference of
        more than :data:`CLOSE` whose paired interval excludes 0; the rest is a tie.
        """
        advantage = self.advantage(model, other, metric)
        gap = -advantage.value / (1.0 if metric == "bias" else max(self.size(other, metric), 1e-9))
        if abs(gap) <= CLOSE or advantage.low <= 0 <= advantage.high:
            return "tie", gap, advantage
        return ("loss" if gap > 0 else "win"), gap, advantage

    def best(self, metric: str, among: list[str]) -> str:
        """Return the best of some models on one metric."""
        sign = -1.0 if TABLE[metric].better == "high" else 1.0
        return min(among, key=lambda model: sign * self.size(model, metric))

    def rivals(self) -> list[str]:
        """Return every model that is to be beaten."""
        return [model for model in self.models if model not in (*FAMILY, ATTAINABLE)]
