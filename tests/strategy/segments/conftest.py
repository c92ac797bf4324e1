"""Customers with scores and a history that all tests of schemes share."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.config import TrainConfig
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

SAMPLE = Path(__file__).resolve().parents[3] / "tests" / "sample.csv"
CUTOFF = np.datetime64("2024-12-31", "s")


def people(count: int, seed: int) -> pd.DataFrame:
    """Return made-up scored customers with a history; a third have never bought, most buyers bought once."""
    rng = np.random.default_rng(seed)
    orders = np.where(rng.random(count) < 1 / 3, 0, rng.geometric(0.6, count))
    since = np.where(orders > 0, rng.integers(1, 600, count).astype(float), np.nan)
    last = np.where(orders > 0, CUTOFF - np.nan_to_num(since).astype("timedelta64[D]"), np.datetime64("NaT", "s"))
    chance = rng.beta(0.7, 3, count)
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:05}" for number in range(count)],
            "p_purchase": chance,
            "predicted_clv": (chance * rng.lognormal(4, 0.8, count)).round(2),
            "last_purchase": last.astype("datetime64[s]"),
            "days_since_last": since,
            "purchase_days": orders,
            "historic_value": (orders * rng.lognormal(3.5, 0.6, count)).round(2),
            "country": rng.choice(["Germany", "France", "中国"], count),
        }
    )


@pytest.fixture(scope="session")
def customers() -> pd.DataFrame:
    """3,000 of them; not to be written to."""
    return people(3000, 7)


@pytest.fixture(scope="session")
def with_bgnbd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the sample and a BG/NBD model of it; tests that change it copy it first."""
    root = tmp_path_factory.mktemp("with_bgnbd")
    workspace = Workspace(root)
    ingest(workspace, SAMPLE, "shop", currency="EUR")
    config = TrainConfig(horizon_days=90, model="bgnbd", cutoffs=3)
    pipeline.train(workspace, "shop", config, progress=NoProgress())
    return root


@pytest.fixture
def workspace(with_bgnbd: Path, tmp_path: Path) -> Workspace:
    """A copy that may be changed."""
    shutil.copytree(with_bgnbd, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")
