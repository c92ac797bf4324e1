"""Where predictions contradict themselves or each other: the law that every model keeps to, for one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from scipy.stats import norm

from clv_core.features.snapshot import Snapshot
from clv_core.model import Horizon, Predictions, PredictiveDistribution, contradictory

HORIZONS: Final = (7, 30, 90, 182, 365, 730, 1826)
"""Days; the last is the lifetime of five years."""
RATES: Final = (0.0, 0.1, 0.5)
"""Yearly discount."""
NORMAL: Final = np.linspace(-7, 7, 701)
"""Levels of buyers are those of a normal distribution at these: even ones would miss the tail, which holds much."""
SMALL_CHANCE: Final = 1e-4
"""Below it, levels of all lie too close to 1 to tell those of buyers."""
ROUNDING: Final = 1e-6


def mean_of_quantiles(law: PredictiveDistribution) -> np.ndarray:
    """Return the integral of each customer's quantiles over all levels, [n]."""
    weight = norm.pdf(NORMAL) / norm.pdf(NORMAL).sum()
    levels = 1 - law.chance * norm.sf(NORMAL)[:, None]
    parts = zip(np.array_split(levels, 10), np.array_split(weight, 10), strict=True)
    return law.chance * np.sum([part @ law.quantile(level) for level, part in parts], axis=0)


def violations(
    model: Any, snapshot: Snapshot, horizons: Sequence[int] = HORIZONS, rates: Sequence[float] = RATES
) -> dict[str, int]:
    """Return how many customers break each rule, over horizons and discounts; rules that hold are left out.

    Args:
        model: a fitted one.
        snapshot: who is predicted.
        horizons: days, ascending.
        rates: yearly discounts, ascending.
    """
    broken: dict[str, int] = {}

    def count(rule: str, wrong: Any) -> None:
        if (rows := int(np.sum(wrong))) > 0:
            broken[rule] = broken.get(rule, 0) + rows

    for number, rate in enumerate(rates):
        shorter: Predictions | None = None
        for days in horizons:
            found = model.predict(snapshot, Horizon(days, rate))
            count("mass at 0", contradictory(found))
            count("order", (found.clv_p10 > found.clv_p50) | (found.clv_p50 > found.clv_p90))
            count("value without a chance", (found.p_purchase == 0) & (found.predicted_clv > 0))
            if shorter is not None:
                count("chance falls", found.p_purchase < shorter.p_purchase - ROUNDING)
                less = shorter.predicted_clv * (1 - ROUNDING) - ROUNDING
                count("value falls", found.predicted_clv < less)
            if number:
                plain = model.predict(snapshot, Horizon(days))
                count("a discount adds", found.predicted_clv > plain.predicted_clv * (1 + ROUNDING) + ROUNDING)
                count("a discount moves a chance", found.p_purchase != plain.p_purchase)
            if hasattr(model, "distribution"):
                law: PredictiveDistribution = model.distribution(snapshot, Horizon(days, rate))
                uncut = PredictiveDistribution(law.chance, law.mean, law.shape)
                off = np.abs(mean_of_quantiles(uncut) - found.predicted_clv)
                count("mean of quantiles", (off > 0.005 * found.predicted_clv + ROUNDING) & (law.chance > SMALL_CHANCE))
            shorter = found
    return broken
