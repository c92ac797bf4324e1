"""Two runs that would change one dataset, and an erasure beside any run: one of them is refused, none is lost."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextvars import Context
from pathlib import Path

import pandas as pd
import pytest

from clv_core import cli
from clv_core.collection.ingest import ingest, scratch_folder
from clv_core.collection.merge.append import append, combine
from clv_core.collection.merge.merging import merge_logs
from clv_core.collection.store.version_store import list_datasets, open_dataset, restore
from clv_core.erasure.erase import erase
from clv_core.errors import ClvError, Refused
from clv_core.jobs import NoProgress
from clv_core.locks import changing, exclusive_lock, running
from clv_core.preprocessing.add_customers import remove_customers
from clv_core.preprocessing.clean import clean
from clv_core.upkeep.lifecycle import delete
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(4)

FIRST = "customer_id,event_time,amount\nanna-0001,2024-01-01,5\nbert-0002,2024-01-02,6\n"
NEXT = "customer_id,event_time,amount\ncleo-0003,2024-02-01,5\nbert-0002,2024-02-02,6\n"


KILLED = """
import os, signal, sys
from pathlib import Path
from clv_core.collection.ingest import scratch_folder
from clv_core.workspace import Workspace
with scratch_folder(Workspace(Path(sys.argv[1]))):
    os.kill(os.getpid(), signal.SIGKILL)
"""


KILLED_SAVING = """
import os, signal, sys
from clv_core import cli
replace = os.replace
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL) if os.path.isdir(paths[0]) else replace(*paths)
cli.main([*sys.argv[1:], "--quiet"])
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name, rows in (("first", FIRST), ("next", NEXT)):
        (tmp_path / f"{name}.csv").write_text(rows)
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, tmp_path / "first.csv", "shop")
    return workspace


def elsewhere(call: Callable[[], object]) -> ClvError | None:
    """Call as another run would, which holds no lock of ours; return what it was refused with."""
    try:
        Context().run(call)
    except ClvError as error:
        return error
    return None


def held_customers(workspace: Workspace) -> set[str]:
    return set(pd.read_parquet(open_dataset(workspace, "shop").events_path)["customer_id"])


@pytest.mark.parametrize(("beside", "code"), [("erasure", "workspace_in_use"), ("append", "dataset_changing")])
def test_an_erasure_and_another_append_beside_an_append_are_refused_and_nobody_comes_back(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: str, code: str
) -> None:
    """No job record tells of the append, as where cron starts it: it has read the old log, and stores it at its end."""
    met: list[ClvError | None] = []

    def meanwhile(*words: object, **named: object) -> object:
        calls: dict[str, Callable[[], object]] = {
            "erasure": lambda: erase(workspace, ["anna-0001"], progress=NoProgress()),
            "append": lambda: append(workspace, "shop", tmp_path / "next.csv"),
        }
        met.append(elsewhere(calls[beside]))
        return merge_logs(*words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("clv_core.collection.merge.append.merge_logs", meanwhile)
    append(workspace, "shop", tmp_path / "next.csv")
    assert [error.code for error in met if error] == [code]
    assert held_customers(workspace) == {"anna-0001", "bert-0002", "cleo-0003"}
    erase(workspace, ["anna-0001"], progress=NoProgress())
    assert held_customers(workspace) == {"bert-0002", "cleo-0003"}


def test_whatever_makes_a_version_is_refused_while_another_does(workspace: Workspace, tmp_path: Path) -> None:
    version = open_dataset(workspace, "shop").version
    ingest(workspace, tmp_path / "next.csv", "other")
    calls: list[Callable[[], object]] = [
        lambda: append(workspace, "shop", tmp_path / "next.csv"),
        lambda: ingest(workspace, tmp_path / "next.csv", "shop"),
        lambda: clean(workspace, "shop", {}),
        lambda: remove_customers(workspace, "shop"),
        lambda: restore(workspace, "shop", version),
        lambda: combine(workspace, ["shop", "other"], "shop", progress=NoProgress()),
        lambda: delete(workspace, "shop", progress=NoProgress()),
        lambda: erase(workspace, ["anna-0001"], progress=NoProgress()),
    ]
    with changing(workspace, "shop"):
        codes = [error.code for call in calls if (error := elsewhere(call))]
        restore(workspace, "shop", version)  # who holds it may go on
    assert codes == [*["dataset_changing"] * 7, "workspace_in_use"]
    assert open_dataset(workspace, "shop").version == version


def test_nothing_begins_during_an_erasure_and_runs_go_on_beside_each_other(
    workspace: Workspace, tmp_path: Path
) -> None:
    words = ["explore", "shop", "--workspace", str(workspace.root)]
    with exclusive_lock(workspace):
        for call in (lambda: scratch_folder(workspace).__enter__(), lambda: changing(workspace, "new").__enter__()):
            error = elsewhere(call)
            assert error is not None and error.code == "erasure_running"
        assert Context().run(cli.main, words) == 4
    with running(workspace):
        assert elsewhere(lambda: ingest(workspace, tmp_path / "next.csv", "other")) is None


def test_a_run_is_not_alone_within_itself(workspace: Workspace) -> None:
    with running(workspace), running(workspace), pytest.raises(Refused) as caught, exclusive_lock(workspace):
        pass
    assert caught.value.code == "workspace_in_use"
    with exclusive_lock(workspace), running(workspace), exclusive_lock(workspace):
        assert elsewhere(lambda: running(workspace).__enter__()) is not None


def test_a_killed_process_frees_its_lock(workspace: Workspace, tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from clv_core.locks import changing;"
        "from clv_core.workspace import Workspace\n"
        "with changing(Workspace(Path(sys.argv[1])), 'shop'): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(workspace.root)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        with pytest.raises(Refused):
            append(workspace, "shop", tmp_path / "next.csv")
        process.kill()
    append(workspace, "shop", tmp_path / "next.csv")
    assert "cleo-0003" in held_customers(workspace)


def test_who_may_only_read_needs_no_lock_that_nobody_has_made_and_minds_the_one_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, real = Workspace(tmp_path), os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **how: real(path, mode, **how) and not mode & os.W_OK)
    with running(work):
        assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(os, "access", real)
    with exclusive_lock(work):
        pass
    monkeypatch.setattr(os, "access", lambda path, mode, **how: real(path, mode, **how) and not mode & os.W_OK)
    with running(work), (tmp_path / "locks" / "runs.lock").open() as held:
        with pytest.raises(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (tmp_path / "locks" / "runs.lock").open() as erasing:
        fcntl.flock(erasing, fcntl.LOCK_EX)
        with pytest.raises(Refused, match="being erased"), running(work):
            pass


def test_a_killed_reading_leaves_its_files_until_the_next_one_and_no_longer(workspace: Workspace) -> None:
    left = workspace.datasets / ".reading-killed"
    (left / "file-1").mkdir(parents=True)
    with scratch_folder(workspace) as first:
        assert not left.exists() and first.is_dir()
        (first / "rows").write_text("ours")
        held = [sys.executable, "-c", KILLED, str(workspace.root)]
        assert subprocess.run(held, check=False).returncode == -signal.SIGKILL
        killed = {path for path in workspace.datasets.glob(".reading-*") if path != first}
        assert len(killed) == 1
        with scratch_folder(workspace) as second:
            assert set(workspace.datasets.glob(".reading-*")) == {first, second}
            assert (first / "rows").read_text() == "ours"
    assert not list(workspace.datasets.glob(".reading-*"))


@pytest.mark.parametrize("first", [True, False])
def test_versions_that_killed_runs_left_half_written_go_when_the_dataset_is_next_opened(
    workspace: Workspace, tmp_path: Path, first: bool
) -> None:
    words = ["ingest", str(tmp_path / "next.csv"), "--name", *(["new"] if first else ["shop", "--append"])]
    call = [sys.executable, "-c", KILLED_SAVING, *words, "--workspace", str(workspace.root)]
    assert subprocess.run(call, check=False).returncode == -signal.SIGKILL
    (left,) = workspace.datasets.glob("*/.*.tmp")
    assert any(path.suffix == ".parquet" for path in left.iterdir())
    with changing(workspace, left.parent.name):  # a run that is writing keeps its folder
        elsewhere(lambda: list_datasets(workspace))
    assert left.exists()
    if first:
        assert [one.name for one in list_datasets(workspace)] == ["shop"]
    else:
        open_dataset(workspace, "shop")
    assert not left.exists()
