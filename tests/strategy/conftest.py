"""The command line, on the workspace of a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from clv_core import cli
from clv_core.workspace import Workspace

Clv = Callable[..., dict[str, Any]]


@pytest.fixture
def clv(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Clv:
    """Return what runs a command, checks its exit code and reads its answer."""

    def run(*words: str, code: int = 0) -> dict[str, Any]:
        assert cli.main([*words, "--workspace", str(workspace.root)]) == code
        answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return answer

    return run
