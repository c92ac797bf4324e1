"""How the effect of a feature group depends on its value, and the group that interacts with it most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.evaluation.explain.explanation import Explanation, live

Floats = NDArray[np.float64]

MIN_IN_BIN: Final = 12
"""Customers of like reading within which another part's level is compared; a guess: of fewer, a line fits anything."""
MAX_BINS: Final = 10
"""Deciles of the reading: within one, the reading itself changes the effect little."""
CHANCE_DRAWS: Final = 20
SURE: Final = 0.95
"""An interaction has to be stronger than this share of what shuffled customers show: than 19 of 20 draws."""


@dataclass(frozen=True)
class Dependence:
    """One part over the explained customers.

    Args:
        part: whose.
        points: ``reading`` (number or text), ``effect`` (unit of the answer), and ``other``, the interacting part's
            reading as a rank from 0 to 1, NaN without one; customers whose reading is unknown are left out.
        other: the part that changes the effect most among customers of like reading; None where none does so beyond
            chance.
        strength: share of the remaining spread that it explains, 0 to 1.
        low, high: mean effect in the lowest and the highest third of the readings; of texts, of the lowest and the
            highest text.
        low_reading, high_reading: the thirds' edges, or the texts.
        direction: rank correlation of reading and effect, 0 for texts.
    """

    part: str
    points: pd.DataFrame
    other: str | None
    strength: float
    low: float
    high: float
    low_reading: float | str
    high_reading: float | str
    direction: float


def explainable(explanation: Explanation) -> list[str]:
    """Return the parts whose reading varies among those explained, the strongest first."""
    return [
        part
        for part, strength in explanation.importance()[["part", "mean_abs"]].itertuples(index=False)
        if strength > 0 and explanation.readings[part].nunique() > 1
    ]


def dependence(explanation: Explanation, part: str) -> Dependence:
    """Return how one part's effect depends on its reading.

    Args:
        explanation: of many customers.
        part: one of :func:`explainable`.
    """
    column = explanation.readings[part].reset_index(drop=True)
    has_reading = column.notna().to_numpy()
    reading, effect = column[has_reading], explanation.values[has_reading, explanation.parts.index(part)]
    text = not pd.api.types.is_numeric_dtype(column)
    bins = _bins(reading, text)
    levels = _levels(explanation, part)[has_reading]
    strengths = _explained(effect, bins, levels.to_numpy())
    random = np.random.default_rng(1)
    shuffles = [
        _explained(effect, bins, levels.iloc[random.permutation(len(levels))].to_numpy()) for _ in range(CHANCE_DRAWS)
    ]
    by_chance = float(np.quantile([max(each, default=0.0) for each in shuffles], SURE)) if len(strengths) else 1.0
    best = int(np.argmax(strengths)) if len(strengths) else 0
    sure = len(strengths) > 0 and strengths[best] > by_chance
    other = str(levels.columns[best]) if sure else None
    points = pd.DataFrame({"reading": reading.to_numpy(), "effect": effect})
    points["other"] = levels[other].to_numpy() if other else np.nan
    low, high, low_reading, high_reading = _of_texts(points) if text else _of_thirds(points)
    rank = 0.0 if text else rank_correlation(points["reading"], points["effect"])
    return Dependence(
        part,
        points,
        other,
        strength=strengths[best] if sure else 0.0,
        low=low,
        high=high,
        low_reading=low_reading,
        high_reading=high_reading,
        direction=rank if np.isfinite(rank) else 0.0,
    )


def rank_correlation(reading: pd.Series, effect: pd.Series) -> float:
    """Return Spearman's correlation of two series without gaps, NaN where one is constant.

    pandas would import all of ``scipy.stats`` for it, half a second of a page.
    """
    return float(reading.rank().corr(effect.rank()))


def _levels(explanation: Explanation, part: str) -> pd.DataFrame:
    """Return the readings of other parts that matter and vary as ranks from 0 to 1; the unknown in the middle."""
    matter = live(explanation.values)
    other_parts = [
        candidate for candidate, matters in zip(explanation.parts, matter, strict=True) if matters and candidate != part
    ]
    numbers = explanation.readings[other_parts].reset_index(drop=True).select_dtypes("number")
    numbers = numbers.loc[:, numbers.nunique() > 1]
    return numbers.rank(pct=True).fillna(0.5)


def _bins(reading: pd.Series, text: bool) -> NDArray[np.int64]:
    """Return which customers have a like reading, [n]."""
    if text:
        return pd.factorize(reading)[0].astype(np.int64)
    count = int(np.clip(len(reading) // MIN_IN_BIN, 1, MAX_BINS))
    edges = np.unique(np.quantile(reading.astype(float), np.linspace(0, 1, count + 1)[1:-1]))
    return np.searchsorted(edges, reading.astype(float), side="left").astype(np.int64)


def _explained(effect: Floats, bins: NDArray[np.int64], levels: Floats) -> list[float]:
    """Return for each other part the share of the spread within bins that a line in its level explains there."""
    if not len(effect):
        return []

    def within(values: Floats) -> Floats:
        counts = np.maximum(np.bincount(bins), 1)
        return values - (np.bincount(bins, weights=values) / counts)[bins]

    rest = within(effect)
    shares = []
    for level in levels.T:
        centred = within(level)
        both, spread = np.bincount(bins, weights=centred * rest), np.bincount(bins, weights=centred**2)
        explained = np.divide(both**2, spread, out=np.zeros(len(both)), where=spread > 1e-12).sum()
        shares.append(float(explained / max((rest**2).sum(), 1e-300)))
    return shares


def _of_thirds(points: pd.DataFrame) -> tuple[float, float, float | str, float | str]:
    reading = points["reading"].astype(float)
    low, high = reading.quantile([1 / 3, 2 / 3])
    if low == high:
        low, high = reading.min(), max(high, reading[reading > reading.min()].min())
    few, many = points["effect"][reading <= low], points["effect"][reading >= high]
    return float(few.mean()), float(many.mean()), float(low), float(high)


def _of_texts(points: pd.DataFrame) -> tuple[float, float, float | str, float | str]:
    means = points.groupby("reading")["effect"].mean().sort_values()
    return float(means.iloc[0]), float(means.iloc[-1]), str(means.index[0]), str(means.index[-1])
