"""What a run goes on from: held by one run, left by a kill or a failure, and gone otherwise."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from contextvars import Context
from pathlib import Path

import pytest

from clv_core.errors import Cancelled, ClvError, NotEnoughData, Refused
from clv_core.locks import exclusive_lock
from clv_core.training.states import check_no_run, state_folder, states_of
from clv_core.workspace import Workspace

SHOP = ("shop", "version", {"seed": 1})


class Killed(BaseException):
    """Stands for a kill: nothing is caught, nothing is tidied."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def begin(workspace: Workspace, end: BaseException | None, search: bool = False) -> set[str]:
    """Run until ``end``; return the files that are left."""
    with suppress(*([type(end)] if end else [])), state_folder(workspace, *SHOP) as folder:
        (folder / "refit").mkdir(exist_ok=True)
        for name in ("refit/train.safetensors", "plan.json", *(["journal.log"] if search else [])):
            (folder / name).write_bytes(b"state")
        if end is not None:
            raise end
    return {path.name for path in workspace.runs.rglob("*.*")}


def full_disk() -> ValueError:
    full = ValueError("could not save")
    full.__cause__ = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return full


@pytest.mark.parametrize("end", [None, Cancelled(), KeyboardInterrupt(), NotEnoughData("no_origin"), full_disk()])
def test_a_run_that_is_done_stopped_refused_or_fills_the_disk_leaves_nothing(
    workspace: Workspace, end: BaseException | None
) -> None:
    assert begin(workspace, end) == set()
    assert list(workspace.runs.iterdir()) == []


@pytest.mark.parametrize("end", [Killed(), ClvError("training_failed"), OSError("disk full")])
def test_a_run_that_is_killed_or_fails_leaves_its_state_to_the_next_one(
    workspace: Workspace, end: BaseException
) -> None:
    assert begin(workspace, end, search=True) == {"train.safetensors", "plan.json", "journal.log"}
    with state_folder(workspace, *SHOP) as folder:
        assert (folder / "refit" / "train.safetensors").exists()
    assert list(workspace.runs.iterdir()) == []


def test_a_stop_leaves_only_what_holds_nothing_of_a_customer(workspace: Workspace) -> None:
    assert begin(workspace, Cancelled(), search=True) == {"journal.log"}
    assert begin(workspace, None, search=True) == set()


def test_the_same_run_is_refused_and_others_go_on_beside_it(workspace: Workspace) -> None:
    with state_folder(workspace, *SHOP) as folder:
        with pytest.raises(Refused, match="shop"):
            Context().run(begin, workspace, None)
        with pytest.raises(Refused):
            Context().run(check_no_run, workspace, "shop")
        with state_folder(workspace, "shop", "other version") as other:
            assert other != folder
        Context().run(check_no_run, workspace, "sho")
        assert folder.is_dir()
    assert folder not in states_of(workspace, "shop")


def test_no_run_begins_during_an_erasure(workspace: Workspace) -> None:
    with exclusive_lock(workspace), pytest.raises(Refused) as refused:
        Context().run(begin, workspace, None)
    assert refused.value.code == "erasure_running"


def test_what_was_cut_off_long_ago_goes_with_the_next_run_of_its_dataset(workspace: Workspace) -> None:
    """Killed each night on a log that grew, a training would leave a folder a night that nobody goes on from."""
    old, recent, shop2 = "shop-" + 16 * "0", "shop-" + 16 * "1", "shop2-" + 16 * "0"
    for name, days in ((old, 8), (recent, 6), (shop2, 8)):
        state = workspace.runs / name / "refit" / "train.safetensors"
        state.parent.mkdir(parents=True)
        state.write_bytes(b"state")
        for path in (state, state.parent, state.parent.parent):
            os.utime(path, times=2 * (time.time() - days * 86_400,))
    with state_folder(workspace, *SHOP):
        assert (workspace.runs / recent / "refit" / "train.safetensors").exists()
        assert not (workspace.runs / old).exists() and (workspace.runs / shop2).exists()


def test_what_a_search_has_tried_stays_however_long_ago_it_was_stopped(workspace: Workspace) -> None:
    begin(workspace, Killed(), search=True)
    for path in (*workspace.runs.rglob("*"), *workspace.runs.iterdir()):
        os.utime(path, times=2 * (time.time() - 8 * 86_400,))
    with state_folder(workspace, "shop", "another version"):
        assert {path.name for path in workspace.runs.rglob("*.*")} == {"journal.log"}
