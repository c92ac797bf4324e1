"""The command ``train``: what it says of the model's place beside earlier ones."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from clv_core.cli import main
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(1)

TRAIN = ("train", "shop", "--horizon-days", "60", "--model", "naive")


@pytest.fixture
def root(small_workspace: Workspace, tmp_path: Path) -> Path:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "datasets").symlink_to(small_workspace.datasets)
    return tmp_path / "workspace"


def said(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, Any], str]:
    code = main([*words, "--workspace", str(root)])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return json.loads(captured.out.splitlines()[-1]), captured.err


@pytest.mark.slow
def test_a_second_model_says_that_the_first_still_answers_and_the_command_that_changes_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = said(root, capsys, *TRAIN)
    assert (first["name"], first["version"], first["role"]) == ("shop", 1, "champion")
    assert [one for one in first["warnings"] if one["code"] == "not_champion"] == []

    second, text = said(root, capsys, *TRAIN, "--seed", "2")
    assert (second["name"], second["version"], second["role"]) == ("shop", 2, "challenger")
    (told,) = [one["message"] for one in second["warnings"] if one["code"] == "not_champion"]
    assert told in text and first["model"] in told
    found, _ = said(root, capsys, *shlex.split(told.rpartition("python -m clv_core ")[2]))
    assert (found["version"], found["role"], found["model"]) == (2, "champion", second["model"])
