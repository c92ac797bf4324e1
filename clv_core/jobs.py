"""Jobs: long runs as child processes of the command line, watched through files.

A page never trains by itself. It starts ``python -m clv_core --job DIR COMMAND ...`` and reads ``DIR/status.json``, so
closing the browser, reloading, or a second person never stops or mixes a run.

    status.json    a :class:`JobStatus`
    history.jsonl  one line for each report with figures (loss curves)
    log.txt        what the child printed; results and errors are in the status alone, as they may name a customer
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Protocol, TextIO

from clv_core import audit, pace
from clv_core.environment import Environment
from clv_core.errors import ClvError, NotFound
from clv_core.i18n import translate
from clv_core.pace import Phase
from clv_core.records import JsonObject, StoredRecord
from clv_core.workspace import Workspace, read_json, write_json

State = Literal["running", "done", "failed", "cancelled", "interrupted"]
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
INTERRUPTED: Final = "interrupted"
"""Its process ended without writing a final status; derived when a status is read, never stored."""
STATUS: Final = "status.json"
MIN_SECONDS_BETWEEN_WRITES = 0.25
"""Of the status: pages read it once a second, and a step of training takes milliseconds."""
SECONDS_TO_WRITE = 0.5
"""That a status takes on a busy machine, while pages still go by the one before."""
DOUBLE_CLICK_SECONDS = 5.0
"""The same command again within so short a time is a double click."""
NEWEST_JOBS = 10
"""How many of the newest jobs are checked for a double click."""
LEARNED_FROM = 5
"""How many of the newest runs of a command tell how long the next one takes."""
COMPARED = 30
"""Of how many of the newest those are chosen."""


class Progress(Protocol):
    """Listener of a long run."""

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:
        """Report how much of ``stage`` (catalogue key ``stage.<stage>``) is done, with figures such as a loss."""


class NoProgress:
    """A listener that ignores all reports."""

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:
        """Do nothing."""


FULL_SCALE: Final = 100.0
"""Total in the reports of :class:`PartProgress`."""


@dataclass(frozen=True)
class PartProgress:
    """Turns the reports of one part of a run into reports of the run.

    Args:
        listener: of the run.
        begin: share of the run that is done when the part begins, 0 to 1.
        end: share that is done when it ends.
    """

    listener: Progress
    begin: float
    end: float

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:
        """Pass on stage and figures with the share of the run, and with figures also the ``part`` that they are of."""
        span, share = self.end - self.begin, done / total if total else 1.0
        if figures:
            figures["part"] = FULL_SCALE * self.begin + span * figures.get("part", 0.0)
        self.listener.report(stage, FULL_SCALE * (self.begin + span * share), FULL_SCALE, **figures)


def parts_of(listener: Progress, weights: Iterable[float]) -> list[PartProgress]:
    """Return listeners of consecutive parts of a run, each as long as its weight relative to the others."""
    ends = [*accumulate(weights, initial=0.0)]
    return [PartProgress(listener, begin / ends[-1], end / ends[-1]) for begin, end in pairwise(ends)]


@dataclass
class ConsoleProgress:
    """Prints a line a stage, at most twice a second, for people at a terminal.

    With a ``plan``, the share in a line is the whole run's, as :attr:`JobStatus.share`; without one it is the stage's.
    """

    language: str
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    last: float = 0.0
    stage: str = ""
    plan: tuple[Phase, ...] = ()
    phases: tuple[Phase, ...] = ()
    began: float = field(default_factory=time.monotonic)

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:
        """Print the stage, the share done and its figures; a closed terminal does not end the run."""
        passed = time.monotonic() - self.began
        self.phases = pace.reported(self.phases, stage, _share(done, total), passed, self.plan)
        if not self.is_due(stage, done, total):
            return
        whole = pace.share_done(self.plan, self.phases, passed) if self.plan else done / total if total > 1 else None
        share = "" if whole is None else f" {whole:4.0%}"
        tail = "".join(f"  {name} {value:.4g}" for name, value in figures.items() if name != "part")
        with suppress(OSError):
            print(f"{translate(f'stage.{stage}', self.language)}{share}{tail}", file=self.stream, flush=True)

    def is_due(self, stage: str, done: float, total: float) -> bool:
        """Return whether a report is to be shown: of one stage its end, and no more than two others a second."""
        now = time.monotonic()
        if stage == self.stage and now - self.last < 0.5 and done < total:
            return False
        self.last, self.stage = now, stage
        return True


@dataclass
class JobProgress:
    """Writes ``status.json`` and ``history.jsonl`` in a job's folder."""

    folder: Path
    last: float = 0.0
    stage: str = ""
    phases: tuple[Phase, ...] = ()
    written: tuple[Phase, ...] = ()

    @cached_property
    def begun(self) -> JobStatus:
        """The status as it was at the first report."""
        return JobStatus.of(self.folder)

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:
        """Update the status at most four times a second; figures of every report go to the history."""
        if figures:
            with (self.folder / "history.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"stage": stage, "done": done, **figures}) + "\n")
        elapsed, plan = self.begun.elapsed, self.begun.expected_phases
        self.phases = pace.reported(self.phases, stage, _share(done, total), elapsed, plan)
        now = time.monotonic()
        if stage == self.stage and now - self.last < MIN_SECONDS_BETWEEN_WRITES and done < total:
            return
        self.last, self.stage = now, stage
        shown = pace.share_done(plan, self.written, elapsed + SECONDS_TO_WRITE)
        self.phases = self.written = pace.not_below(self.phases, shown)
        update_status(self.folder, stage=stage, done=done, total=total, phases=self.phases)


@dataclass(frozen=True)
class JobError(StoredRecord):
    """Why a run failed.

    Args:
        code: of the :class:`~clv_core.errors.ClvError`.
        params: of it.
        message: the sentence, in the language of the run.
    """

    FILE: ClassVar[str] = STATUS

    code: str
    params: JsonObject = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True)
class JobStatus(StoredRecord):
    """How far a run is, and what became of it: its ``status.json``.

    Args:
        id: of the job.
        command: the first word of its command line.
        args: that line, after ``python -m clv_core``.
        label: what the person sees, for example the dataset's name.
        actor: who started it, as the audit log names people.
        state: :data:`RUNNING` until the run writes how it ended.
        pid: of its process, None until it has one.
        started: when, in seconds since 1970.
        updated: when it was last written, in the same.
        stage: what it does now (catalogue key ``stage.<stage>``), "" before the first report.
        done: how much of it is done.
        total: of how much.
        phases: its stages so far, the last one at work.
        plan: the phases that earlier runs of the command let expect; empty where there was none.
        result: what the command answered, as JSON; empty while there is none.
        error: why it failed or was stopped, None otherwise.
        exit_code: of a run that failed or was stopped, None otherwise.
        put_away: whether its owner has seen how it ended.
    """

    FILE: ClassVar[str] = STATUS
    OMITTED: ClassVar[frozenset[str]] = frozenset({"stage", "phases", "plan", "result", "error", "exit_code"})

    id: str
    command: str = ""
    args: tuple[str, ...] = ()
    label: str = ""
    actor: str = ""
    state: State = RUNNING
    pid: int | None = None
    started: float = 0.0
    updated: float = 0.0
    stage: str = ""
    done: float = 0.0
    total: float = 0.0
    phases: tuple[Phase, ...] = ()
    plan: tuple[Phase, ...] = ()
    result: JsonObject = field(default_factory=dict)
    error: JobError | None = None
    exit_code: int | None = None
    put_away: bool = False

    @classmethod
    def upgrade(cls, raw: JsonObject) -> JsonObject:
        """Return a status as this version writes it: earlier ones wrote null where there was nothing yet."""
        return {key: value for key, value in raw.items() if value is not None}

    @classmethod
    def of(cls, folder: Path) -> JobStatus:
        """Return the status in a job's folder.

        Raises:
            Unreadable: its file holds something else than a status.
        """
        return cls.from_json({"id": folder.name, **read_json(folder / STATUS)})

    @property
    def is_running(self) -> bool:
        """Whether the run has not ended."""
        return self.state == RUNNING

    @property
    def runs_elsewhere(self) -> bool:
        """Whether the run has not ended and is in another process than this one."""
        return self.is_running and self.pid != os.getpid()

    @property
    def failure(self) -> JobError | None:
        """Why the run failed; None of one that runs, is done, or was stopped."""
        return self.error if self.state == FAILED else None

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return max(0.0, time.time() - self.started)

    @property
    def share(self) -> float:
        """How much of the whole run is done, 0 to 1; it never shrinks."""
        if self.stage and not self.phases:  # an earlier version runs it
            return _share(self.done, self.total)
        return pace.share_done(self.expected_phases, self.phases, self.elapsed)

    @property
    def expected_phases(self) -> tuple[Phase, ...]:
        """Its plan, else the phases that such a run usually has."""
        return self.plan or pace.usual(self.args)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest of the run takes at the pace seen so far; None while there is no telling."""
        return pace.seconds_left(self.plan, self.share, self.elapsed)


def update_status(folder: Path, **changes: Any) -> None:
    """Set fields of a job's :class:`JobStatus`, by name, in its file."""
    path = folder / STATUS
    status = JobStatus.of(folder) if path.exists() else JobStatus(folder.name)
    write_json(path, replace(status, **changes, updated=time.time()).to_json())


@dataclass(frozen=True)
class Job:
    """One run, read from its folder."""

    folder: Path

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    def status(self) -> JobStatus:
        """Return the status; :data:`INTERRUPTED` for a run whose process ended without writing a final one."""
        status = JobStatus.of(self.folder)
        if status.is_running and not _alive(status, self.folder):
            status = JobStatus.of(self.folder)  # the final one may have been written since
            if status.is_running:
                status = replace(status, state=INTERRUPTED)
        elif self.id in _children:
            _children[self.id].poll()  # reaps a finished child
        return status

    def history(self) -> list[JsonObject]:
        """Return all figures reported so far; a half-written last line is left out."""
        path = self.folder / "history.jsonl"
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines if line]

    def log(self, characters: int = 4000) -> str:
        """Return the end of what the child printed."""
        path = self.folder / "log.txt"
        return path.read_text(encoding="utf-8", errors="replace")[-characters:] if path.exists() else ""

    def dismiss(self) -> None:
        """Mark a run that has ended as seen by its owner: pages stop announcing it."""
        if not self.status().is_running:
            update_status(self.folder, put_away=True)

    def cancel(self) -> None:
        """Ask the run to stop; it removes its unfinished results."""
        status, child = self.status(), _children.get(self.id)
        process = status.pid or (child.pid if child else None)
        if status.is_running and process:
            with suppress(ProcessLookupError):  # it has just ended
                os.killpg(process, signal.SIGTERM)


def start(
    workspace: Workspace, command: Sequence[str], *, language: str, label: str = "", without: Sequence[str] = ()
) -> Job:
    """Start ``python -m clv_core COMMAND`` as a job of its own process group.

    Args:
        workspace: where the job and its results live.
        command: command line after ``python -m clv_core``.
        language: of the messages it prints.
        label: what the person sees, for example the dataset's name.
        without: environment variables that it does not get.
    """
    folder = workspace.jobs / f"{time.strftime('%Y%m%d-%H%M%S')}-{command[0]}-{secrets.token_hex(3)}"
    folder.mkdir()
    words, plan = tuple(command), plan_of(workspace, command)
    status = JobStatus(folder.name, command[0], words, label, audit.actor(), started=time.time(), plan=plan)
    write_json(folder / STATUS, replace(status, updated=status.started).to_json())
    arguments = [sys.executable, "-m", "clv_core", "--job", str(folder), *command]
    arguments += ["--workspace", str(workspace.root), "--lang", language]
    environment = {name: value for name, value in os.environ.items() if name not in without}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            arguments,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd=Path(__file__).resolve().parent.parent,
            env={**environment, Environment.variable("actor"): audit.actor()},
        )
    _children[folder.name] = process
    return Job(folder)


def plan_of(workspace: Workspace, command: Sequence[str]) -> tuple[Phase, ...]:
    """Return the phases to expect of a command: of the newest runs that were done, those with most of its words."""
    newest = [job for job in jobs(workspace) if f"-{command[0]}-" in job.id][:COMPARED]
    runs = [run for run in (job.status() for job in newest) if pace.kind_of(run.args) == pace.kind_of(command)]
    done = [(len({*command} & {*run.args}), run.phases) for run in runs if run.state == DONE and run.phases]
    nearest = max((shared for shared, _ in done), default=0)
    return pace.learned([phases for shared, phases in done if shared == nearest][:LEARNED_FROM])


def just_started(workspace: Workspace, command: Sequence[str]) -> Job | None:
    """Return the job that runs the same command and began within :data:`DOUBLE_CLICK_SECONDS`, None without one."""
    for job in jobs(workspace)[:NEWEST_JOBS]:
        status = job.status()
        if status.args == tuple(command) and status.is_running:
            return job if time.time() - status.started < DOUBLE_CLICK_SECONDS else None
    return None


def running_of(workspace: Workspace, actor: str) -> Job | None:
    """Return the newest running job that ``actor`` has started, None without one."""
    for job in jobs(workspace):
        status = job.status()
        if status.is_running and status.actor == actor:
            return job
    return None


def jobs(workspace: Workspace, command: str | None = None) -> list[Job]:
    """Return all jobs, the newest first, optionally of one command."""
    folders = sorted((path.parent for path in workspace.place("jobs").glob(f"*/{STATUS}")), reverse=True)
    all_jobs = [Job(folder) for folder in folders]
    return all_jobs if command is None else [job for job in all_jobs if job.status().command == command]


def find(workspace: Workspace, job_id: str) -> Job:
    """Return the job ``job_id``.

    Raises:
        NotFound: there is none.
    """
    folder = workspace.place("jobs") / job_id
    if Path(job_id).name != job_id or not (folder / STATUS).exists():
        raise NotFound("no_job", job=job_id)
    return Job(folder)


def finish(folder: Path, language: str, *, result: JsonObject | None = None, error: ClvError | None = None) -> None:
    """Write a job's final status."""
    if error is None:
        status = JobStatus.of(folder)
        update_status(folder, state=DONE, result=result or {}, phases=pace.closed(status.phases, status.elapsed))
    else:
        state, why = CANCELLED if error.code == "cancelled" else FAILED, JobError(**error.to_json(language))
        update_status(folder, state=state, result=result or {}, error=why, exit_code=error.exit_code)


def _share(done: float, total: float) -> float:
    return min(1.0, max(0.0, done / total)) if total else 0.0


_children: dict[str, subprocess.Popen[bytes]] = {}


def _alive(status: JobStatus, folder: Path) -> bool:
    pid, child = status.pid, _children.get(folder.name)
    if child is not None:
        return child.poll() is None
    if pid is None:
        return time.time() - status.started < 30
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return folder.name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended, or this system has no /proc
        return not Path("/proc/self").exists()
