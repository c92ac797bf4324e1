"""Customers with predictions of three models, of known merit: the true mean with more and more noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

NOISE = {"hybrid": 0.2, "bgnbd": 0.6, "naive": 1.5}


def _make(n: int = 2000, seed: int = 0, level: float = 1.0, origin: str = "1998-01-01") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.4, 20, n)
    p = rate / (rate + 15)
    actual = np.where(rng.random(n) < p, rate * rng.gamma(2, 0.5, n) / np.maximum(p, 1e-9), 0.0)
    actual[rng.random(n) < 0.01] = -12.5
    frames = []
    for model, noise in NOISE.items():
        mean = level * rate * np.exp(noise * rng.normal(size=n) - noise**2 / 2)
        frames.append(
            pd.DataFrame(
                {
                    "customer_id": [f"c{i:06d}" for i in range(n)],
                    "as_of": origin,
                    "horizon_days": 182,
                    "p_purchase": np.round(np.clip(p * np.exp(noise * rng.normal(size=n)), 0, 1), 2),
                    "predicted_clv": mean.round(0),
                    "clv_p10": 0.0,
                    "clv_p50": mean / 2,
                    "clv_p90": 3 * mean,
                    "model": model,
                    "origin": origin,
                    "actual": actual,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="session")
def make() -> Callable[..., pd.DataFrame]:
    return _make


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    return _make()
