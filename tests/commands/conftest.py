"""The command line: words in, its exit code and the JSON of its last line out."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.cli import main
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_scores import Scored
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace


def run(workspace: Workspace, *words: object) -> tuple[int, dict[str, Any]]:
    """Give the command line these words; return its exit code and the JSON of its last line."""
    with redirect_stdout(io.StringIO()) as printed:
        code = main([*map(str, words), "--workspace", str(workspace.root)])
    return code, json.loads(printed.getvalue().splitlines()[-1])


def done(workspace: Workspace, *words: object) -> dict[str, Any]:
    """Return what a command answers, which must succeed."""
    code, answer = run(workspace, *words)
    assert code == 0, answer
    return answer


def refused(workspace: Workspace, *words: object) -> tuple[int, str]:
    """Return the exit code and the error's code of a command that must not succeed."""
    code, answer = run(workspace, *words)
    error = answer["error"]
    assert error["code"] == "usage" or "{" not in error["message"]
    return code, error["code"]


def codes(answer: dict[str, Any]) -> list[str]:
    """Return the codes of the warnings in an answer."""
    return [warning["code"] for warning in answer["warnings"]]


def side_file(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what lies beside the file that a command wrote."""
    found: dict[str, Any] = json.loads(Path(answer["side_file"]).read_text(encoding="utf-8"))
    return found


def last_export(workspace: Workspace) -> dict[str, Any]:
    """Return the last line of the log of exports."""
    found: dict[str, Any] = json.loads((workspace.exports / "log.jsonl").read_text("utf-8").splitlines()[-1])
    return found


@dataclass(frozen=True)
class Shop:
    """The small shop and the hybrid trained on it; what is run names both."""

    workspace: Workspace
    model: Bundle

    def run(self, command: str, *words: object) -> tuple[int, dict[str, Any]]:
        return run(self.workspace, command, "shop", "--model", self.model.id, *words)

    def done(self, command: str, *words: object) -> dict[str, Any]:
        return done(self.workspace, command, "shop", "--model", self.model.id, *words)

    def refused(self, command: str, *words: object) -> tuple[int, str]:
        return refused(self.workspace, command, "shop", "--model", self.model.id, *words)

    def scores(self) -> pd.DataFrame:
        return Scored.open(self.workspace, "shop", self.model.id).scores(NoProgress())


@pytest.fixture
def shop(small_workspace: Workspace, small_bundle: Bundle) -> Shop:
    return Shop(small_workspace, small_bundle)
