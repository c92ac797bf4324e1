"""A registry with three versions, each made in a millisecond."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.deployment.registry import Registry
from clv_core.workspace import Workspace
from tests.deployment.registry import tiny


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def registry(workspace: Workspace) -> Registry:
    """Return ``shop`` in three versions: 1 is champion, 3 challenges."""
    found = Registry(workspace)
    for seed in (1, 2, 3):
        found.register(tiny.save(workspace, seed, held=True))
    return found
