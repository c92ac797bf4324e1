"""Customers with predictions of three models, of known merit: the true mean with more and more noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from clv_core.jobs import NoProgress

NOISE = {"hybrid": 0.2, "bgnbd": 0.6, "naive": 1.5}
SPREAD = 0.6
"""Of the logarithms of what lognormal buyers spend."""


class Heard(NoProgress):
    """Remembers what is reported to it."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:
        self.rows.append({"stage": stage, "share": done / total, **figures})

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows)


def _make(n: int = 2000, seed: int = 0, level: float = 1.0, origin: str = "1998-01-01") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.4, 20, n)
    p = rate / (rate + 15)
    actual = np.where(rng.random(n) < p, rate * rng.gamma(2, 0.5, n) / np.maximum(p, 1e-9), 0.0)
    actual[rng.random(n) < 0.01] = -12.5
    about = pd.DataFrame({"customer_id": [f"c{i:06d}" for i in range(n)], "as_of": origin, "horizon_days": 182})
    frames = []
    for model, noise in NOISE.items():
        mean = level * rate * np.exp(noise * rng.normal(size=n) - noise**2 / 2)
        chance = np.round(np.clip(p * np.exp(noise * rng.normal(size=n)), 0, 1), 2)
        frame = about.assign(p_purchase=chance, predicted_clv=mean.round(0), clv_p10=0.0, clv_p50=mean / 2)
        frames.append(frame.assign(clv_p90=3 * mean, model=model, origin=origin, actual=actual))
    return pd.concat(frames, ignore_index=True)


def lognormal_shop(
    customers: int, seed: int, value: float = 1.0, spread: float = SPREAD, chance: float = 1.0
) -> pd.DataFrame:
    """Outcomes of lognormal buyers, and what a model says of them that is wrong by known factors."""
    random = np.random.default_rng(seed)
    p, middle = random.beta(0.35, 0.75, customers), np.exp(random.normal(4, 0.7, customers))
    bought = random.random(customers) < p
    actual = np.where(bought, middle * np.exp(random.normal(0, SPREAD, customers)), 0.0)
    said, worth = np.minimum(chance * p, 1.0), value * middle
    frame = pd.DataFrame({"p_purchase": said, "predicted_clv": said * worth * np.exp(SPREAD**2 / 2), "actual": actual})
    for level in (0.1, 0.5, 0.9):
        within = np.clip((level - (1 - said)) / np.maximum(said, 1e-12), 1e-9, 1 - 1e-9)
        frame[f"clv_p{100 * level:.0f}"] = np.where(level <= 1 - said, 0.0, worth * np.exp(spread * norm.ppf(within)))
    return frame


@pytest.fixture(scope="session")
def make() -> Callable[..., pd.DataFrame]:
    return _make


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    return _make()


@pytest.fixture
def ours(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions[predictions["model"] == "bgnbd"]
