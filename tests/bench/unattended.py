"""Thirty nights that nobody watches, on PostgreSQL, with failures on purpose: who is told, what runs, what it leaves.

    python -m tests.bench.unattended

A shop of Complete Journey (``tests/bench/nights.py``) changes each night; three chains read it, score, push, export,
monitor, mail a summary and prune. Rights are revoked, receivers answer with 500, the disk is full, a step's process and
``run-due`` itself are killed, a file that a step needs is gone, and for two nights nobody looks. ``run-due`` is called
every five minutes by a clock of its own. Prints a line a night, and fails where a message, an exit code or a chain is
another than what :data:`EXPECTED` says, or where the workspace grows on. Needs ``mount`` for a small disk.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from clv_core import jobs, pipeline
from clv_core.cli import main as command_line
from clv_core.collection.sources import add_source
from clv_core.commands import operations
from clv_core.config import TrainConfig
from clv_core.errors import Message
from clv_core.jobs import NoProgress
from clv_core.monitoring import chains
from clv_core.monitoring.chains import StepResult, run_as_job
from clv_core.monitoring.schedules import Schedule, add_schedule, history, read_run, running_record
from clv_core.preprocessing.refresh import refresh
from clv_core.strategy.destinations import add_destination
from clv_core.upkeep import retention
from clv_core.upkeep.retention import Retention, save_retention
from clv_core.workspace import Workspace
from tests import servers
from tests.bench.nights import KINDS, Shop, journey, make_reader, source_of

NIGHTS: Final = 30
HOUSEHOLDS: Final = 8
"""One household in so many."""
FIRST: Final = 150
"""Days that the shop sold before the first night."""
DISK: Final = "400m"
FIRST_NIGHT: Final = datetime(2030, 1, 1, 2, tzinfo=UTC)
"""After today, so that files of today are of no night yet."""
FIVE: Final = timedelta(minutes=5)
REVOKED, PUSH_500, RECEIVER_500, FULL, STEP_KILLED, KILLED = (4, 5, 6), (9,), (12,), (15,), (18,), (21,)
NOBODY, NO_FILE = (24, 25), (12, 27, 28)
"""Nights on which something is broken; a file that ``lists`` needs is gone while messages cannot be sent, too."""
EXPECTED: Final = {
    4: ["nightly failed"],
    5: ["nightly still"],
    6: ["nightly still"],
    7: ["nightly works"],
    9: ["nightly failed"],
    10: ["nightly works"],
    13: ["lists failed", "lists works", "nightly works"],
    15: ["nightly failed", "nightly works"],
    18: ["nightly failed", "nightly works"],
    21: ["nightly failed", "nightly works"],
    26: ["lists missed", "nightly missed", "watch missed"],
    27: ["lists failed"],
    28: ["lists still"],
    29: ["lists works"],
}
"""Night -> messages that arrive then, sorted. Of the night without a receiver, the failure of ``nightly`` is told with
its end, as that comes first; that of ``lists`` arrives before.
"""


class Clock(datetime):
    """A clock that the nights set."""

    today_is: datetime = FIRST_NIGHT - timedelta(hours=12)

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        """Return the time that it is for the chains."""
        return cls.today_is


class Receiver(ThreadingHTTPServer):
    """Takes messages at ``/hook`` and customers at ``/crm``; each may be told to answer with 500."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.broken: set[str] = set()
        self.messages: list[dict[str, Any]] = []
        self.customers = 0


class Answer(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path in self.server.broken:
            self.send_response(500)
            self.send_header("Retry-After", "0")
        else:
            self.send_response(204)
            if self.path == "/hook":
                self.server.messages.append(body)
            else:
                self.server.customers += len(body["customers"])
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Yield a folder on a disk of its own."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def in_process(workspace: Workspace, words: Sequence[str], language: str, label: str) -> StepResult:
    """Run a step by the same command line as a job does, without the seconds that a process of its own takes."""
    with redirect_stdout(StringIO()) as said, redirect_stderr(StringIO()):
        code = command_line([*words, "--workspace", str(workspace.root), "--lang", language, "--quiet"])
    answer = json.loads(said.getvalue().splitlines()[-1])
    error = Message(answer["error"]["code"], answer["error"]["params"]) if code else None
    return StepResult(error, answer.get("result", {}) if code else answer)


def kill_score(workspace: Workspace, words: Sequence[str], language: str, label: str) -> StepResult:
    """Run a step; of the first ``score`` the process is killed."""
    if words[0] != "score":
        return in_process(workspace, words, language, label)
    ended: list[StepResult] = []
    thread = threading.Thread(target=lambda: ended.append(run_as_job(workspace, words, language, label)))
    thread.start()
    while not (running := [job for job in jobs.jobs(workspace, "score") if job.status().pid]):
        time.sleep(0.05)
    os.kill(running[0].status().pid or 0, signal.SIGKILL)
    thread.join()
    return ended[0]


def killed_run(workspace: Workspace, now: datetime) -> None:
    """Start ``run-due`` as a process, and kill it with the step that it runs once it has run one."""
    script = (
        "import sys; from datetime import datetime; from pathlib import Path;"
        "from clv_core.monitoring.chains import run_due; from clv_core.workspace import Workspace;"
        "run_due(Workspace(Path(sys.argv[1])), datetime.fromisoformat(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(workspace.root), now.isoformat()])
    record = running_record(workspace, "nightly")
    while (run := read_run(record)) is None or not run.steps:
        time.sleep(0.05)
    process.kill()
    process.wait()
    for job in jobs.jobs(workspace):
        status = job.status()
        if status.is_running and status.pid:
            os.kill(status.pid, signal.SIGKILL)


def run_due(workspace: Workspace, execute: Callable[..., StepResult]) -> tuple[int, dict[str, str]]:
    """Call ``clv run-due``, and return its exit code and what ran."""
    chains.run_as_job = execute
    with redirect_stdout(StringIO()) as said, redirect_stderr(StringIO()):
        code = command_line(["run-due", "--workspace", str(workspace.root), "--quiet"])
    answer = json.loads(said.getvalue().splitlines()[-1])
    return code, answer.get("result", answer)["ran"]


def size(folder: Path) -> int:
    """Return the bytes below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def told(receiver: Receiver) -> list[str]:
    """Return what was told since it was last asked, sorted; summaries are none."""
    notices = [f"{message['schedule']} {message['kind']}" for message in receiver.messages if "kind" in message]
    receiver.messages.clear()
    return sorted(notices)


def prepare(workspace: Workspace, shop: Shop, where: str, receiver: Receiver, stop: Path) -> None:
    """Read the shop, train a model, and save the chains."""
    shop.create()
    shop.open(FIRST)
    add_source(workspace, source_of("postgresql", where, "env:SHOP_PASSWORD"))
    refresh(workspace, "shop")
    config = TrainConfig(horizon_days=30, model="bgnbd", cutoffs=2)
    pipeline.train(workspace, "shop", config, progress=NoProgress())
    address = f"http://127.0.0.1:{receiver.server_port}"
    os.environ["CLV_WEBHOOK_URL"] = f"{address}/hook"
    add_destination(workspace, "crm", "webhook", f"{address}/crm", "env:SHOP_PASSWORD", purpose="warehouse")
    save_retention(workspace, Retention(exports=5, jobs=5))
    champion, exports = "shop --model champion", workspace.exports
    nightly = (
        f"source run shop;score {champion} --out {exports}/scores-{{day}}.csv;push {champion} --to crm;"
        f"summary {champion};prune shop --keep 3;models prune shop --keep 3;prune --expired"
    )
    lists = f"export {champion} --format csv --suppress {stop} --out {exports}/list-{{day}}.csv"
    begin = Clock.today_is
    add_schedule(workspace, Schedule("nightly", "0 2 * * *", tuple(nightly.split(";"))), begin)
    add_schedule(workspace, Schedule("lists", "30 2 * * *", (lists,)), begin)
    add_schedule(workspace, Schedule("watch", "0 3 * * *", (f"monitor {champion}",)), begin)


def night(
    number: int, workspace: Workspace, receiver: Receiver, ballast: Path
) -> tuple[list[int], list[dict[str, str]]]:
    """Look every five minutes from two to half past four; return exit codes and what ran, where anything did."""
    begin, killed = Clock.today_is, False
    codes, ran = [], []
    for step in range(31):
        Clock.today_is = begin + step * FIVE
        if number in FULL and step in (0, 2):  # the disk is full until ten past two
            room = os.statvfs(workspace.root)
            ballast.write_bytes(
                b"0" * max(0, room.f_bavail * room.f_frsize - 300_000)
            ) if step == 0 else ballast.unlink()
        if number in KILLED and step == 0:
            killed_run(workspace, Clock.today_is)
            continue
        execute = in_process
        if number in STEP_KILLED and not killed:
            execute, killed = kill_score, True
        code, done = run_due(workspace, execute)
        codes += [code] if done else []
        ran += [done] if done else []
    return codes, ran


def main() -> None:
    os.environ["SHOP_PASSWORD"] = "pw"
    operations.datetime = retention.datetime = Clock  # type: ignore[misc]
    wrong, sizes = [], []
    with (
        TemporaryDirectory() as folder,
        small_disk(Path(folder) / "disk") as disk,
        servers.postgresql() as (port, run),
        servers.serving(Receiver()) as receiver,
    ):
        workspace, shop = Workspace(disk / "work"), Shop("postgresql", run, journey(HOUSEHOLDS), Random(1))
        stop, where = Path(folder) / "stop.txt", make_reader("postgresql", port, run)
        prepare(workspace, shop, where, receiver, stop)
        for number in range(1, NIGHTS + 1):
            began = time.monotonic()
            shop.open()
            KINDS[number % len(KINDS)](shop)
            right = "REVOKE {} FROM reader;" if number in REVOKED else "GRANT {} TO reader;"
            run(right.format("pg_read_all_data"))
            receiver.broken = {path for path, when in (("/crm", PUSH_500), ("/hook", RECEIVER_500)) if number in when}
            stop.unlink(missing_ok=True) if number in NO_FILE else stop.write_text("h1\n")
            Clock.today_is = FIRST_NIGHT + timedelta(days=number - 1)
            codes, ran = ([], []) if number in NOBODY else night(number, workspace, receiver, disk / "ballast")
            date_exports(workspace)
            arrived, sent = told(receiver), receiver.customers
            receiver.customers = 0
            sizes.append(size(workspace.root))
            last = {name: history(workspace, name)[0].outcome for name in ("nightly", "lists", "watch")}
            expected = {name: "failed" if name in failing(number) else "done" for name in last}
            is_odd = arrived != EXPECTED.get(number, []) or (number not in NOBODY and last != expected)
            is_odd |= any((code == 6) != ("failed" in done.values()) for code, done in zip(codes, ran, strict=True))
            wrong += [number] if is_odd else []
            words = [
                codes,
                last,
                arrived,
                f"{sent} sent",
                f"{sizes[-1] / 1e6:.1f} MB",
                f"{time.monotonic() - began:.0f} s",
            ]
            print(number, *words, "WRONG" if is_odd else "", flush=True)
    thirds = [max(sizes[begin : begin + 10]) / 1e6 for begin in (0, 10, 20)]
    print(f"largest size of each ten nights: {thirds} MB; nights that went otherwise: {wrong}")
    sys.exit(1 if wrong or thirds[2] > 1.25 * thirds[1] else 0)


def date_exports(workspace: Workspace) -> None:
    """Date the lists of this night by its clock, by which they go after some days."""
    made = Clock.today_is.timestamp()
    for path in workspace.exports.rglob("*.*"):
        if path.stat().st_mtime < FIRST_NIGHT.timestamp():
            os.utime(path, (made, made))


def failing(number: int) -> set[str]:
    """Return the chains that a night leaves failed."""
    nightly = number in (*REVOKED, *PUSH_500, *RECEIVER_500)
    return {*(["nightly"] if nightly else []), *(["lists"] if number in NO_FILE else [])}


if __name__ == "__main__":
    main()
