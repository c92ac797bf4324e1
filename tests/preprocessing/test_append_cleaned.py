"""Cleaning rules that are on stay on when a log grows, and a growth that they forbid leaves the log as it was."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import Cancelled
from clv_core.jobs import NoProgress
from clv_core.preprocessing.clean import append, clean
from clv_core.workspace import Workspace

HEAD = "customer_id,event_time,amount\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "a.csv").write_text(HEAD + "a,2024-01-01,1\na,2024-01-01,1\nb,2024-01-02,2\n")
    (tmp_path / "b.csv").write_text(HEAD + "a,2024-01-01,1\nc,2024-02-01,5\nc,2024-02-01,5\n")
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, tmp_path / "a.csv", "log")
    return workspace


def test_the_rules_are_applied_to_the_whole_log_again(workspace: Workspace, tmp_path: Path) -> None:
    before = clean(workspace, "log", {"repeated": None})
    assert before.rows_kept == 2
    made = append(workspace, "log", tmp_path / "b.csv")
    assert made == open_dataset(workspace, "log").manifest and made.rules == before.rules
    assert (made.rows_read, made.rows_kept, made.rows_set_aside, made.rows_duplicate) == (6, 3, 2, 1)
    assert made.raw_version not in ("", before.raw_version)
    assert clean(workspace, "log", {}).rows_kept == 5


def test_a_growth_that_is_stopped_leaves_the_log_with_its_rules(workspace: Workspace, tmp_path: Path) -> None:
    """Stopped at the first, the second and each further time that figures are counted, until one growth is through."""
    before = clean(workspace, "log", {"repeated": None})

    class Stopping(NoProgress):
        def __init__(self, left: int) -> None:
            self.left = left

        def report(self, stage: str, done: float, total: float, **figures: float) -> None:
            assert open_dataset(workspace, "log").manifest == before, "killed here, the rules would be off"
            self.left -= stage == "figures"
            if self.left < 0:
                raise Cancelled

    for stops in count():
        try:
            made = append(workspace, "log", tmp_path / "b.csv", progress=Stopping(stops))
            break
        except Cancelled:
            assert open_dataset(workspace, "log").manifest == before
    assert stops >= 2 and made.rules == before.rules


def test_a_file_that_brings_nothing_changes_nothing(workspace: Workspace, tmp_path: Path) -> None:
    before = clean(workspace, "log", {"repeated": None})
    made = append(workspace, "log", tmp_path / "a.csv")
    assert made.version == before.version and open_dataset(workspace, "log").manifest == before
    assert "warning.nothing_new" in [message.code for message in made.messages]
