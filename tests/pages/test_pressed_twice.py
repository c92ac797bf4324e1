"""A button that is pressed twice starts one run, and the page follows it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from clv_core import jobs
from clv_core.workspace import Workspace
from pages.ui import access, state

COMMAND = ["ingest", "log.csv", "--name", "shop"]


class Interrupted(Exception):
    """Ends the run of a page, as a second press does."""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace whose jobs do nothing but last."""
    children: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def lasting(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        children.append(start(["sleep", "60"]))
        return children[-1]

    monkeypatch.setattr(jobs.subprocess, "Popen", lasting)
    monkeypatch.setattr(state, "workspace", lambda: Workspace(tmp_path))
    monkeypatch.setattr(state, "language", lambda: "en")
    monkeypatch.setattr(access, "require_run", lambda command: None)
    yield Workspace(tmp_path)
    for child in children:
        child.kill()
        child.wait()


def test_the_second_press_follows_the_run_of_the_first(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[str] = []

    def follow(job: jobs.Job) -> None:
        followed.append(job.id)
        if len(followed) == 1:
            raise Interrupted  # as Streamlit does where the session's state is touched and a press is waiting

    monkeypatch.setattr(state, "follow", follow)
    with pytest.raises(Interrupted):
        state.start_job(COMMAND, "shop")
    again = state.start_job(COMMAND, "shop")
    assert [job.id for job in jobs.jobs(workspace)] == [again.id] and followed == [again.id, again.id]


def test_another_command_and_the_same_one_later_start_runs_of_their_own(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "follow", lambda job: None)
    first = state.start_job(COMMAND, "shop")
    assert state.start_job([*COMMAND, "--append"], "shop").id != first.id
    monkeypatch.setattr(jobs, "PRESSED_TWICE_SECONDS", 0.0)
    assert state.start_job(COMMAND, "shop").id != first.id
