"""Jobs: child processes that are watched through files."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from clv_core import cli, jobs
from clv_core.commands import simulation  # noqa: F401  registers the command
from clv_core.commands.parser import SPECS
from clv_core.errors import NotFound, Refused
from clv_core.i18n import translate
from clv_core.records import Unreadable
from clv_core.workspace import Workspace, read_json, write_json

pytestmark = pytest.mark.first(7)

SHORT = "simulate --scenario btyd --customers 50 --days 300 --seed 1".split()
LONG = "simulate --scenario browsing --customers 60000 --days 20000 --seed 1".split()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    yield Workspace(tmp_path / "workspace")
    while jobs._children:
        jobs._children.popitem()[1].wait(30)


def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.05)


def made_by_hand(workspace: Workspace, name: str, **status: object) -> jobs.Job:
    folder = workspace.jobs / name
    folder.mkdir()
    write_json(folder / "status.json", {"id": name, "command": "train", "started": 0.0, **status})
    return jobs.Job(folder)


def test_a_job_runs_to_its_result(workspace: Workspace, tmp_path: Path) -> None:
    job = jobs.start(workspace, [*SHORT, "--out", str(tmp_path / "log")], language="zh", label="试用")
    assert job.status().state == jobs.RUNNING
    wait(lambda: job.status().state != jobs.RUNNING)
    status = job.status()
    assert status.state == jobs.DONE, job.log()
    assert status.label == "试用" and status.command == "simulate" and status.args[0] == "simulate"
    assert status.result["customers"] == 50 and Path(status.result["events"]).exists()
    assert job.log() == ""
    assert [found.id for found in jobs.jobs(workspace, "simulate")] == [job.id]
    assert jobs.jobs(workspace, "train") == [] and jobs.find(workspace, job.id) == job


def test_a_job_that_fails_says_why_in_its_language(workspace: Workspace) -> None:
    job = jobs.start(workspace, ["train", "nothing", "--horizon-days", "30"], language="zh")
    wait(lambda: job.status().state != jobs.RUNNING)
    status = job.status()
    assert status.failure is not None and status.exit_code == Refused.exit_code
    assert status.failure.code == "no_dataset"
    assert status.failure.message == translate("error.no_dataset", "zh", **status.failure.params)


def test_a_log_tells_where_a_run_failed_and_quotes_no_cell(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cell = "anna-0001"

    def broken(*words: object) -> NoReturn:
        raise ValueError(f"could not convert string to float: {cell!r}")

    monkeypatch.delenv("CLV_DEBUG", raising=False)
    monkeypatch.setitem(SPECS, "simulate", replace(SPECS["simulate"], run=broken))
    job = made_by_hand(workspace, "2024-simulate", state=jobs.RUNNING, pid=None)
    assert cli.main(["--job", str(job.folder), *SHORT, "--out", str(tmp_path / "log")]) == 5
    failure, params = job.status().failure, {"kind": "ValueError"}
    assert failure == jobs.JobError("unexpected", params, translate("error.unexpected", **params))
    out, said = capfd.readouterr()
    assert "ValueError" in said and "in broken" in said and cell not in said + out
    assert cli.main(["--job", str(job.folder), "train", cell, "--horizon-days", "30"]) == Refused.exit_code
    failure = job.status().failure
    assert failure is not None and failure.code == "no_dataset" and capfd.readouterr() == ("", "")


def test_a_cancelled_job_stops_and_leaves_nothing(workspace: Workspace, tmp_path: Path) -> None:
    job = jobs.start(workspace, [*LONG, "--out", str(tmp_path / "log")], language="en")
    wait(lambda: job.status().stage == "simulate")
    job.cancel()
    wait(lambda: job.status().state != jobs.RUNNING)
    assert job.status().state == jobs.CANCELLED
    assert not list(tmp_path.rglob("*.csv")) and not list(tmp_path.rglob("*.tmp"))
    job.cancel()  # a second time asks nobody


def test_a_killed_job_is_interrupted(workspace: Workspace, tmp_path: Path) -> None:
    job = jobs.start(workspace, [*LONG, "--out", str(tmp_path / "log")], language="en")
    wait(lambda: job.status().pid is not None)
    os.kill(job.status().pid, signal.SIGKILL)
    wait(lambda: job.status().state != jobs.RUNNING)
    assert job.status().state == jobs.INTERRUPTED


def test_the_status_of_an_earlier_version_opens_and_is_written_as_it_was(workspace: Workspace) -> None:
    earlier = {"args": ["train", "shop"], "label": "shop", "actor": "ana", "state": "failed", "pid": 7, "updated": 9.5}
    error = {"code": "no_dataset", "params": {"name": "shop"}, "message": "There is no dataset “shop”."}
    job = made_by_hand(workspace, "earlier", **earlier, stage="features", done=1, total=3, result=None, error=error)
    status = job.status()
    assert (status.args, status.result, status.exit_code, status.put_away) == (("train", "shop"), {}, None, False)
    assert status.share == pytest.approx(1 / 3) and not status.runs_elsewhere
    assert status.failure is not None and status.failure.to_json() == error
    job.dismiss()
    written = read_json(job.folder / "status.json")
    assert written.pop("updated") > 9.5 and {**written, "put_away": False} == {
        **{"id": "earlier", "command": "train", "started": 0.0, "done": 1.0, "total": 3.0, "stage": "features"},
        **{name: value for name, value in earlier.items() if name != "updated"},
        **{"error": error, "put_away": False},
    }


@pytest.mark.parametrize(
    ("more", "field"),
    [({"state": "asleep"}, "state"), ({"of nobody": 1}, "of nobody"), ({"error": {"params": {}}}, "error.code")],
)
def test_a_status_that_cannot_be_meant_is_refused_by_its_field(
    workspace: Workspace, more: dict[str, object], field: str
) -> None:
    job = made_by_hand(workspace, "odd", **more)
    with pytest.raises(Unreadable, match=f"status.json .*“{field}”"):
        job.status()


@pytest.mark.parametrize("pid", [2**22 + 1, os.getpid()], ids=["gone", "somebody else's now"])
def test_a_job_of_another_server_whose_process_is_not_there_is_interrupted(workspace: Workspace, pid: int) -> None:
    job = made_by_hand(workspace, "elsewhere", state=jobs.RUNNING, pid=pid, label="shop")
    assert job.status().state == jobs.INTERRUPTED
    jobs.update_status(job.folder, stage="features", done=1)
    status = read_json(job.folder / "status.json")
    assert status["label"] == "shop" and status["stage"] == "features" and status["updated"] > 0


def test_a_run_that_ends_while_it_is_looked_at_is_over_and_cancelled_without_a_fault(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = made_by_hand(workspace, "ending", state=jobs.RUNNING, pid=2**22 + 1)
    with monkeypatch.context() as patch:  # it is there when asked, and gone when its name is read
        patch.setattr(jobs.os, "kill", lambda *words: None)
        assert job.status().state == jobs.INTERRUPTED
    monkeypatch.setattr(jobs, "_alive", lambda *words: True)
    job.cancel()


def test_jobs_are_listed_newest_first(workspace: Workspace) -> None:
    for name in ("20240101-000000-train-a", "20240103-000000-train-b", "20240102-000000-train-c"):
        made_by_hand(workspace, name, state=jobs.DONE, pid=None)
    assert [job.id[-1] for job in jobs.jobs(workspace)] == ["b", "c", "a"]


@pytest.mark.parametrize("name", ["nothing", "../jobs", "..", ".", "", "a/b"])
def test_an_unknown_job_is_not_found(workspace: Workspace, name: str) -> None:
    with pytest.raises(NotFound):
        jobs.find(workspace, name)


def test_history_keeps_every_figure_and_leaves_out_a_half_written_line(workspace: Workspace) -> None:
    job = made_by_hand(workspace, "training", state=jobs.RUNNING, pid=None)
    progress = jobs.JobProgress(job.folder)
    for step in range(50):
        progress.report("training", step, 50, loss=1 / (step + 1))
    with (job.folder / "history.jsonl").open("a") as file:
        file.write('{"stage": "trai')
    history = job.history()
    assert [row["done"] for row in history] == list(range(50))
    assert history[9]["loss"] == pytest.approx(0.1)


def test_status_is_written_seldom_but_every_stage_and_the_end_are(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = made_by_hand(workspace, "training", state=jobs.RUNNING, pid=None)
    writes: list[tuple[str, float]] = []
    monkeypatch.setattr(jobs, "update_status", lambda _, **changes: writes.append((changes["stage"], changes["done"])))
    progress = jobs.JobProgress(job.folder)
    for stage in ("features", "training"):
        for done in range(101):
            progress.report(stage, done, 100)
    assert writes[0] == ("features", 0) and ("training", 0) in writes and writes[-1] == ("training", 100)
    assert len(writes) < 20


def test_console_says_each_stage_once_and_its_end() -> None:
    stream = io.StringIO()
    progress = jobs.ConsoleProgress("zh", stream)
    for done in range(11):
        progress.report("simulate", done, 10, loss=0.5)
    lines = stream.getvalue().splitlines()
    assert 2 <= len(lines) < 11 and all(line.startswith(translate("stage.simulate", "zh")) for line in lines)
    assert "100%" in lines[-1] and "loss 0.5" in lines[-1]


def test_a_run_goes_on_where_nobody_reads_its_progress_any_more() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    jobs.ConsoleProgress("en", Gone()).report("simulate", 0, 1)


def test_parts_of_parts_add_up_to_one_run() -> None:
    heard: list[tuple[str, float, float, dict[str, float]]] = []

    class Heard:
        def report(self, stage: str, done: float, total: float, **figures: float) -> None:
            heard.append((stage, done, total, figures))

    first, second = jobs.parts_of(Heard(), [3, 3])
    inner = jobs.PartProgress(second, 0.5, 1)
    first.report("windows", 3, 3)
    inner.report("training", 0, 8)
    inner.report("training", 4, 8, step=4)
    inner.report("training", 0, 0)
    assert heard == [
        ("windows", 50, 100, {}),
        ("training", 75, 100, {}),
        ("training", 87.5, 100, {"step": 4, "part": 75}),
        ("training", 100, 100, {}),
    ]


def test_the_number_of_a_part_is_not_printed() -> None:
    stream = io.StringIO()
    jobs.PartProgress(jobs.ConsoleProgress("en", stream), 0.25, 0.5).report("training", 1, 5, loss=0.5)
    said = stream.getvalue()
    assert "30%" in said and "loss 0.5" in said and "part" not in said
