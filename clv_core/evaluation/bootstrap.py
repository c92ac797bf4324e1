"""Confidence intervals of metrics from paired resamples of customers, the same for all models and origins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.evaluation.levels import USUAL_LEVEL_SPREAD
from clv_core.evaluation.metrics import METRICS, Metric
from clv_core.evaluation.sample import Draw, Sample
from clv_core.records import Number

Floats = NDArray[np.float64]
Key = tuple[str, str, str]
"""Origin, model, metric."""

RESAMPLES: Final = 500
"""From seed to seed an end moves by about 3% of the interval's width (sampling error of a 2.5% quantile of a normal
distribution); four times as many would halve that."""
CONFIDENCE: Final = 0.95
"""The usual convention; every interval of a metric in records, tables and sentences has it."""
MAX_CUSTOMERS: Final = 50_000
"""Of more customers, this many evenly chosen ones are resampled, and their spread is scaled to all customers."""
_CELLS_AT_ONCE: Final = 1_500_000
"""Weights of customers times resamples that are held at once, 12 MB."""


@dataclass(frozen=True)
class Estimate:
    """A figure with the interval that holds it.

    Args:
        value: the figure itself.
        low: lower end of its 95% interval.
        high: upper end.
    """

    value: Number
    low: Number
    high: Number


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Values of all metrics, of all models, at all origins, and on every resample.

    Args:
        values: on all customers, by (origin, model, metric); figures that do not exist are left out.
        draws: on each resample, float64 [B], by the same keys.
        centres: on the customers that were resampled (all, or the chosen ones), by the same keys.
        scale: what a resample's distance from its centre is multiplied with: 1, or sqrt(chosen / all).
    """

    values: dict[Key, float]
    draws: dict[Key, Floats]
    centres: dict[Key, float]
    scale: float

    @classmethod
    def of(
        cls,
        predictions: pd.DataFrame,
        metrics: Sequence[str] = tuple(METRICS),
        *,
        resamples: int = RESAMPLES,
        seed: int = 0,
        threshold: float = 0.5,
        table: Mapping[str, Metric] = METRICS,
    ) -> Self:
        """Resample customers, each with all its origins and models together.

        Args:
            predictions: ``score``'s columns, ``origin`` and ``actual``; rows of all models, in column ``model``.
            metrics: ids to compute.
            resamples: number of resamples B.
            seed: of the random numbers.
            threshold: a customer with ``p_purchase >= threshold`` is expected to buy.
            table: the metrics by id.
        """
        code, ids = pd.factorize(predictions["customer_id"], sort=True)
        selected = resampled(len(ids), seed)
        place = np.full(len(ids), -1)
        place[selected] = np.arange(len(selected))
        values: dict[Key, float] = {}
        centres: dict[Key, float] = {}
        parts: list[tuple[str, str, NDArray[np.int64], Sample]] = []
        for (origin, model), frame in predictions.assign(_code=code).groupby(["origin", "model"], sort=False):
            everyone = Sample.of(frame["actual"], frame, threshold)
            where = place[frame["_code"].to_numpy()]
            drawn = everyone
            if len(selected) < len(ids):
                drawn = Sample.of(frame["actual"][where >= 0], frame[where >= 0], threshold)
            parts.append((str(origin), str(model), where[where >= 0], drawn))
            for metric in metrics:
                key = (str(origin), str(model), metric)
                values[key] = float(table[metric].compute(Draw.unweighted(everyone))[0])
                centres[key] = (
                    values[key] if drawn is everyone else float(table[metric].compute(Draw.unweighted(drawn))[0])
                )
        draws: dict[Key, list[Floats]] = {key: [] for key in values}
        for weights in resample_weights(len(selected), resamples, seed):
            for origin, model, where, sample in parts:
                everybody = np.array_equal(where, np.arange(len(selected)))
                draw = Draw(sample, weights if everybody else weights[:, where])
                for metric in metrics:
                    draws[origin, model, metric].append(table[metric].compute(draw))
        finite = [key for key, value in values.items() if np.isfinite(value)]
        return cls(
            {key: values[key] for key in finite},
            {key: np.concatenate(draws[key]) for key in finite},
            {key: centres[key] for key in finite},
            float(np.sqrt(len(selected) / max(1, len(ids)))),
        )

    @property
    def origins(self) -> list[str]:
        """Origins, the earliest first."""
        return sorted({origin for origin, _, _ in self.values})

    def estimate(self, origin: str, model: str, metric: str) -> Estimate:
        """Return a figure with its interval.

        Raises:
            KeyError: the figure does not exist.
        """
        key = (origin, model, metric)
        return _estimate(self.values[key], self.scale * (self.draws[key] - self.centres[key]))

    def advantage(self, model: str, other: str, metric: str, origins: Sequence[str] | None = None) -> Estimate:
        """Return by how much ``model`` is better than ``other`` (negative: worse), averaged over origins.

        The resamples are paired: luck that both models share cancels. On level it does not: what moves the total of all
        customers of an origin together is no luck of single ones, so each resample moves it by as much as totals
        usually move (:data:`~clv_core.evaluation.levels.USUAL_LEVEL_SPREAD`), by the same factor for both models.

        Raises:
            KeyError: the figure does not exist at one of the origins.
        """
        selected = self.origins if origins is None else list(origins)
        advantages = [self._advantage(model, other, metric, origin, place) for place, origin in enumerate(selected)]
        return _estimate(*(sum(part) / len(selected) for part in zip(*advantages, strict=True)))

    def advantage_of_settings(
        self, runs: Sequence[tuple[str, str]], metric: str, origins: Sequence[str] | None = None
    ) -> Estimate:
        """Return by how much some settings are better than others (negative: worse), on average over random starts.

        The same settings give other figures from another random start, on the same customers: what two models differ by
        is no proof of their settings. So each are trained several times, and the interval holds the luck of the starts
        as well as that of the customers. Of so few starts the spread is uncertain itself: it is Student's.

        One of the two may be a single model, such as the current champion, the same in each run: it too is from some
        start, and its luck is taken to spread as that of the other's starts.

        Args:
            runs: of each random start, what the settings in question made and what the others did, at least two.
            metric: id.
            origins: averaged over, as in :meth:`advantage`.

        Raises:
            KeyError: the figure does not exist for one of them.
        """
        selected, better = self.origins if origins is None else list(origins), METRICS[metric].advantage
        advantages = [
            self._advantage(*run, metric, origin, place) for run in runs for place, origin in enumerate(selected)
        ]
        value, drawn = (sum(part) / len(advantages) for part in zip(*advantages, strict=True))
        sides = [list(dict.fromkeys(names)) for names in zip(*runs, strict=True)]
        spreads: list[float] = []
        for names in sides:
            figures = np.array([[self.values[origin, name, metric] for origin in selected] for name in names])
            if len(names) > 1:
                spreads.append(float(np.var(better(figures, figures[:1]).mean(axis=1), ddof=1)))
        spread = sum(spreads) / len(spreads) * sum(1 / len(names) for names in sides)
        free = sum(len(names) - 1 for names in sides)
        luck = np.random.default_rng(len(runs)).standard_t(free, len(drawn))
        return _estimate(value, drawn + np.sqrt(spread) * luck)

    def _advantage(self, model: str, other: str, metric: str, origin: str, place: int) -> tuple[float, Floats]:
        """Return an advantage at one origin, the one at ``place``, and how far each resample is from it, [B]."""
        better = METRICS[metric].advantage
        ours, theirs = (origin, model, metric), (origin, other, metric)
        value = float(better(np.array(self.values[ours]), np.array(self.values[theirs])))
        centre = better(np.array(self.centres[ours]), np.array(self.centres[theirs]))
        drawn: Floats = self.scale * (better(self.draws[ours], self.draws[theirs]) - centre)
        if METRICS[metric].better == "zero":
            total = np.exp(USUAL_LEVEL_SPREAD * np.random.default_rng(place).normal(size=len(drawn)))
            moved = better((1 + self.values[ours]) / total - 1, (1 + self.values[theirs]) / total - 1)
            drawn = drawn + moved - value
        return value, drawn


def resampled(customers: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the places, in order of customers, of those who are resampled: all, or :data:`MAX_CUSTOMERS`."""
    if customers <= MAX_CUSTOMERS:
        return np.arange(customers)
    return np.sort(np.random.default_rng([seed, 1]).permutation(customers)[:MAX_CUSTOMERS])


def resample_weights(customers: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each customer is drawn in each resample, in chunks of [b, customers] that fit in memory."""
    rng = np.random.default_rng([seed, 0])
    at_once = max(1, min(resamples, _CELLS_AT_ONCE // max(1, customers)))
    for begin in range(0, resamples, at_once):
        rows = min(at_once, resamples - begin)
        drawn = rng.integers(0, customers, size=(rows, customers)) + customers * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * customers)
        yield counts.reshape(rows, customers).astype(np.float64)


def _estimate(value: float, shifts: Floats) -> Estimate:
    """Return the percentile interval of ``value + shifts``, without resamples on which the figure does not exist."""
    finite = shifts[np.isfinite(shifts)]
    if len(finite) == 0:
        return Estimate(value, value, value)
    low, high = np.quantile(value + finite, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, float(low), float(high))
