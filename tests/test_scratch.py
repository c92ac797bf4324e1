"""Intermediate files of a process: in its workspace, never elsewhere, and swept after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clv_core.collection.engine import connect_memory
from clv_core.collection.ingest import ingest
from clv_core.erasure.certificate import Remains
from clv_core.erasure.erase import erase
from clv_core.jobs import NoProgress
from clv_core.scratch import work_in
from clv_core.workspace import Workspace

SPILLING = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from clv_core import cli
from clv_core.commands import datasets
from clv_core.commands.parser import SPECS
from clv_core.features.duckdb_engine import Engine

def run(options, context):
    engine = Engine(24)
    engine.connection.raw_sql(
        "CREATE TABLE ids AS SELECT 'customer-' || i AS id, random() AS r FROM range(600000) t(i) ORDER BY r"
    )
    (Path.cwd() / "spilled").touch()
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))

SPECS["datasets"] = replace(SPECS["datasets"], run=run)
cli.main(["datasets", "--quiet", "--workspace", sys.argv[2]])
"""


PLACE = "SELECT current_setting('temp_directory')"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    log = tmp_path / "log.csv"
    log.write_text("customer_id,event_time,amount\nanna-0001,2024-01-01,5\nbert-0002,2024-01-02,6\n")
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, log, "shop")
    return workspace


def spill(workspace: Workspace, ended_by: str) -> list[Path]:
    """Let a command spill and be ended by a signal; return the large files that it left, wherever it could write."""
    elsewhere = workspace.root.parent / "elsewhere"
    elsewhere.mkdir()
    call = [sys.executable, "-c", SPILLING, ended_by, str(workspace.root)]
    root = Path(__file__).resolve().parent.parent
    environment = {**os.environ, "TMPDIR": str(elsewhere), "PYTHONPATH": str(root)}
    subprocess.run(call, check=False, cwd=elsewhere, env=environment, capture_output=True)
    assert (elsewhere / "spilled").exists()
    return [path for path in workspace.root.parent.rglob("*") if path.is_file() and path.stat().st_size > 1_000_000]


@pytest.mark.slow
def test_spilled_queries_of_a_killed_run_lie_in_the_workspace_until_the_next_one_starts(workspace: Workspace) -> None:
    left = spill(workspace, "SIGKILL")
    assert left and all(path.is_relative_to(workspace.root / "scratch") for path in left)
    next_one = [sys.executable, "-m", "clv_core", "datasets", "--workspace", str(workspace.root)]
    assert subprocess.run(next_one, check=False, capture_output=True).returncode == 0
    assert not list((workspace.root / "scratch").iterdir())


def test_every_connection_spills_there_and_each_in_a_place_of_its_own(workspace: Workspace) -> None:
    work_in(workspace)
    with connect_memory() as one, connect_memory() as other:
        places = {str(row[0]) for each in (one, other) for row in each.execute(PLACE).fetchall()}
    assert len(places) == 2 and all(Path(place).is_relative_to(workspace.root / "scratch") for place in places)


def test_an_erasure_sweeps_them_too(workspace: Workspace) -> None:
    left = spill(workspace, "SIGKILL")
    told = erase(workspace, ["anna-0001"], progress=NoProgress())
    assert told.remains == [] and left and not any(path.exists() for path in left)


@pytest.mark.slow
def test_a_run_that_is_stopped_leaves_none(workspace: Workspace) -> None:
    assert spill(workspace, "SIGTERM") == []
    assert not list((workspace.root / "scratch").iterdir())


def test_files_of_a_process_that_still_runs_are_named_by_an_erasure(workspace: Workspace) -> None:
    program = """
import sys, time
from pathlib import Path
from clv_core.scratch import new_folder, work_in
from clv_core.workspace import Workspace
work_in(Workspace(Path(sys.argv[1])))
(new_folder("clv-log-") / "rows").write_text("of somebody")
print("made", flush=True)
time.sleep(60)
"""
    call = [sys.executable, "-c", program, str(workspace.root)]
    with subprocess.Popen(call, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"made\n"
            told = erase(workspace, ["anna-0001"], progress=NoProgress())
        finally:
            process.send_signal(signal.SIGKILL)
    (folder,) = (workspace.root / "scratch").glob("process-*")
    assert told.remains == [Remains("process", str(folder.relative_to(workspace.root)))]
