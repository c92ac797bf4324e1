"""The command ``train``: what it says of the model's place beside earlier ones."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from clv_core.workspace import Workspace
from tests.commands.conftest import codes, done
from tests.conftest import own_copy


@pytest.mark.slow
def test_a_second_model_says_that_the_first_still_answers_and_the_command_that_changes_it(
    small_workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = own_copy(small_workspace, tmp_path)
    words = ("train", "shop", "--horizon-days", 60, "--model", "naive")
    first, second = done(workspace, *words), done(workspace, *words, "--seed", 2)
    assert [(one["name"], one["version"], one["role"]) for one in (first, second)] == [
        ("shop", 1, "champion"), ("shop", 2, "challenger"),
    ]  # fmt: skip
    assert "not_champion" not in codes(first)
    (message,) = [one["message"] for one in second["warnings"] if one["code"] == "not_champion"]
    assert message in capsys.readouterr().err and first["model"] in message
    promoted = done(workspace, *shlex.split(message.rpartition("python -m clv_core ")[2]))
    assert (promoted["version"], promoted["role"], promoted["model"]) == (2, "champion", second["model"])
