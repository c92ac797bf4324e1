"""A workspace with the sample and a model of it, which campaigns of all tests here begin with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.config import TrainConfig
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

SAMPLE = Path(__file__).resolve().parents[3] / "tests" / "sample.csv"


@pytest.fixture(scope="session")
def with_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the sample and a BG/NBD model of it; tests copy it."""
    root = tmp_path_factory.mktemp("with_model")
    workspace = Workspace(root)
    ingest(workspace, SAMPLE, "shop", currency="EUR")
    config = TrainConfig(horizon_days=90, model="bgnbd", cutoffs=3)
    pipeline.train(workspace, "shop", config, progress=NoProgress())
    return root


@pytest.fixture
def workspace(with_model: Path, tmp_path: Path) -> Workspace:
    """A copy that may be changed."""
    shutil.copytree(with_model, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")
