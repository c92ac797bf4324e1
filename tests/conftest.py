"""Shared by all tests: a small log with known truth, read and trained once a session."""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.config import TrainConfig
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    from clv_core.deployment.bundle import Bundle

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

LONGEST = (
    "test_pipeline.py",
    "test_backtest.py",
    "test_nothing_later.py",
    "test_erasing.py",
    "test_signals.py",
    "test_walk.py",
)
"""Files of few tests that take from half a minute to three."""

SMALL = TrainConfig(horizon_days=90, ensemble=2, steps=60, batch_size=64, cutoffs=4, processes=1, device="cpu")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: begun last, one of them would leave all other workers idle."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def small_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace with the dataset ``shop``: 900 customers of the browsing scenario over 540 days."""
    folder = tmp_path_factory.mktemp("small")
    simulate("browsing", SimulationPlan(900, 540, 1, 90)).write(folder / "log")
    workspace = Workspace(folder / "workspace")
    ingest(
        workspace,
        folder / "log" / "events.csv",
        "shop",
        mapping={},
        timezone="UTC",
        currency="EUR",
        progress=NoProgress(),
    )
    return workspace


@pytest.fixture(scope="session")
def small_bundle(small_workspace: Workspace) -> Bundle:
    """Return a hybrid trained on ``shop``; tests must not change it."""
    from clv_core import pipeline

    return pipeline.train(small_workspace, "shop", SMALL, progress=NoProgress())


@pytest.fixture(scope="session")
def cdnow_file() -> Path:
    """Return the real CDNOW log that the lifetimes wheel carries."""
    from importlib.util import find_spec

    spec = find_spec("lifetimes")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"


@pytest.fixture(scope="session")
def lifetimes() -> Iterator[types.ModuleType]:
    """Return the lifetimes package, an implementation of BTYD that is not ours; importing it warns on pandas 3."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        yield lifetimes
