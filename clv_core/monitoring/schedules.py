"""Schedules: chains of commands that run unattended, such as source, score, monitor, export.

One JSON file a schedule in ``workspace/schedules`` and a log of its runs. Something has to look whether one
is due, again and again: the app while it is up, or ``clv run-due`` from cron, systemd or ``compose.yaml``. One chain
runs at a time in a workspace. A chain that fails is tried again after 5, 15 and 60 minutes; when it has failed twice in
a row, that is sent to where alerts are sent. Whatever is wrong with one chain, the others run.
"""

from __future__ import annotations

import dataclasses
import logging
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from clv_core import audit, jobs
from clv_core.environment import Environment
from clv_core.errors import ClvError, Message, NotFound, Refused, UsageError, traced
from clv_core.i18n import translate
from clv_core.locks import FOLDER as LOCKS
from clv_core.locks import held_lock, writing
from clv_core.monitoring.notifications.sending import Smtp, checked_url, post, send
from clv_core.records import StoredRecord
from clv_core.workspace import Workspace, append_record, check_name, latest_records, read_json, write_json

log = logging.getLogger(__name__)

FOLDER: Final = "schedules"
STEPS: Final = ("source run", "score", "monitor", "segment", "export", "report", "summary", "push", "backup", "prune")
"""What a step may be: how its command line begins."""
DAY: Final = "{day}"
"""Stands in a step for the day of the run, in the schedule's time zone: ``--out scores-{day}.csv``."""
RETRY_MINUTES: Final = (5, 15, 60)
"""Long enough for a database or a network to come back; a guess."""
NOTIFY_AFTER: Final = 2
"""Failures in a row after which a notification is sent: one is often mended by the retry."""
POLL_SECONDS: Final = 0.2
Execute = Callable[[Workspace, Sequence[str], str, str], Message | None]
"""Runs a command line and returns its error, as errors name themselves; None where it is done."""


@dataclass(frozen=True)
class Schedule(StoredRecord):
    """A chain and when it runs.

    Args:
        name: of the schedule.
        cron: minute, hour, day, month, day of the week.
        steps: command lines without the program's name; the chain ends at the first that fails.
        timezone: IANA name of the zone that ``cron`` is in.
        language: of the messages.
        is_paused: whether it waits until somebody resumes it.
    """

    name: str
    cron: str
    steps: tuple[str, ...]
    timezone: str = "UTC"
    language: str = "en"
    is_paused: bool = False

    def check(self) -> None:
        """Refuse a schedule that could never run.

        Raises:
            UsageError: the expression, the zone or a step is none.
            Refused: its name cannot be one.
        """
        check_name(self.name)
        self.next_after(datetime.now(UTC))
        self.commands()
        for step in self.steps:
            if not step.startswith(tuple(f"{begin} " for begin in STEPS)):
                raise UsageError("schedule_step", step=step[:60], known=list(STEPS))
        if not self.steps:
            raise UsageError("schedule_step", step="-", known=list(STEPS))

    def next_after(self, now: datetime) -> datetime:
        """Return the next time after ``now``, in UTC.

        Raises:
            UsageError: the expression or the zone is none.
        """
        from croniter import croniter

        try:
            if len(self.cron.split()) != 5:
                raise ValueError(self.cron)
            local: datetime = croniter(self.cron, now.astimezone(ZoneInfo(self.timezone))).get_next(datetime)
        except (ValueError, KeyError, OSError) as error:
            raise UsageError("schedule_when", cron=self.cron[:60], timezone=self.timezone[:60]) from error
        return local.astimezone(UTC)

    def commands(self, now: datetime | None = None) -> list[list[str]]:
        """Return the words of each step, :data:`DAY` as the day of ``now`` where that is given.

        Raises:
            UsageError: a step cannot be split into words; the error names it.
        """
        day = DAY if now is None else f"{now.astimezone(ZoneInfo(self.timezone)):%Y-%m-%d}"
        commands = []
        for step in self.steps:
            try:
                commands.append(shlex.split(step.replace(DAY, day)))
            except ValueError as error:
                raise UsageError("schedule_step_open", step=step[:60]) from error
        return commands


@dataclass(frozen=True)
class Step(StoredRecord):
    """A step that ran.

    Args:
        step: its command line.
        seconds: that it took.
        error: of it, None where it is done.
    """

    step: str
    seconds: float
    error: Message | None


@dataclass(frozen=True)
class Run(StoredRecord):
    """A run of a chain.

    Args:
        started: ISO UTC.
        seconds: that it took.
        outcome: ``done`` or ``failed``.
        steps: those that ran.
        told: whether a notification of the failure was sent, or why that failed too; None where none was due.
    """

    OMITTED: ClassVar = frozenset({"told"})

    started: str
    seconds: float
    outcome: str
    steps: tuple[Step, ...]
    told: bool | Message | None = None

    @property
    def last(self) -> Step:
        """The step that it ended with."""
        return self.steps[-1]


@dataclass(frozen=True)
class ScheduleState(StoredRecord):
    """When a schedule runs next, and the outcome of its runs.

    Args:
        next: ISO UTC.
        failures: in a row.
        last: the last run, None before the first.
    """

    next: str
    failures: int = 0
    last: Run | None = None


def add_schedule(workspace: Workspace, schedule: Schedule, now: datetime | None = None) -> None:
    """Save a new schedule.

    Raises:
        UsageError: see :meth:`Schedule.check`.
        Refused: likewise, or there is one of this name.
    """
    schedule.check()
    path = workspace.folder(FOLDER) / f"{schedule.name}.json"
    with writing(path):
        if path.exists():
            raise Refused("schedule_exists", name=schedule.name)
        following = schedule.next_after(now or datetime.now(UTC))
        write_json(path, {"schedule": schedule.to_json(), "state": ScheduleState(_iso(following)).to_json()})


def list_schedules(workspace: Workspace) -> list[tuple[Schedule, ScheduleState]]:
    """Return all schedules by name, each with its state."""
    paths = sorted(path for path in workspace.place(FOLDER).glob("*.json") if not path.name.startswith("."))
    records = [read_json(path) for path in paths]
    return [(Schedule.from_json(record["schedule"]), ScheduleState.from_json(record["state"])) for record in records]


def load_schedule(workspace: Workspace, name: str) -> tuple[Schedule, ScheduleState]:
    """Return a schedule and its state.

    Raises:
        NotFound: there is none of this name; the error names those that there are.
    """
    schedules = {schedule.name: (schedule, state) for schedule, state in list_schedules(workspace)}
    if name not in schedules:
        raise NotFound("no_schedule", name=name[:80], known=list(schedules) or "-")
    return schedules[name]


def pause(workspace: Workspace, name: str, *, paused: bool) -> None:
    """Let a schedule wait, or go on from its next time.

    Raises:
        NotFound: there is none of this name.
    """
    schedule, state = load_schedule(workspace, name)
    following = _iso(schedule.next_after(datetime.now(UTC)))
    _save(workspace, name, dataclasses.replace(state, next=following, failures=0), is_paused=paused)


def remove_schedule(workspace: Workspace, name: str) -> None:
    """Remove a schedule; the log of its runs stays.

    Raises:
        NotFound: there is none of this name.
    """
    load_schedule(workspace, name)
    (workspace.folder(FOLDER) / f"{name}.json").unlink()


def history(workspace: Workspace, name: str) -> list[Run]:
    """Return the runs of a schedule, the latest first."""
    return [Run.from_json(line) for line in latest_records(workspace.place(FOLDER) / f"{name}.jsonl")]


def is_due(workspace: Workspace, now: datetime) -> bool:
    """Say whether a schedule is due."""
    return any(_due(schedule, state, now) for schedule, state in list_schedules(workspace))


def run_due(workspace: Workspace, now: datetime, execute: Execute | None = None) -> dict[str, str]:
    """Run the chains that are due, one after the other; one that was missed several times runs once.

    In the audit log a chain acts in its own name.

    Args:
        workspace: whose schedules.
        now: the time that it is.
        execute: runs a step; None: as a job.

    Returns:
        Name of each schedule that ran -> ``done`` or ``failed``.

    Raises:
        Refused: another process is running chains.
    """
    ran = {}
    with held_lock(workspace.folder(LOCKS) / "schedules.lock", Refused("schedules_running")):
        for schedule, state in list_schedules(workspace):
            if _due(schedule, state, now):
                with audit.acting_as(f"schedule {schedule.name}"):
                    ran[schedule.name] = _run(workspace, schedule, state, now, execute or run_as_job)
    return ran


def run_now(workspace: Workspace, name: str, execute: Execute | None = None) -> str:
    """Run a chain whether it is due or not, in the name of who asks for it, and return ``done`` or ``failed``.

    Raises:
        NotFound: there is no such schedule.
        Refused: another process is running chains.
    """
    schedule, state = load_schedule(workspace, name)
    with held_lock(workspace.folder(LOCKS) / "schedules.lock", Refused("schedules_running")):
        return _run(workspace, schedule, state, datetime.now(UTC), execute or run_as_job)


def run_as_job(workspace: Workspace, words: Sequence[str], language: str, label: str) -> Message | None:
    """Run a command line as a job, wait for its end and return its error."""
    job = jobs.start(workspace, words, language=language, label=label)
    while (status := job.status()).is_running:
        time.sleep(POLL_SECONDS)
    if status.state == jobs.DONE:
        return None
    return Message("interrupted") if status.error is None else Message(status.error.code, status.error.params)


def _due(schedule: Schedule, state: ScheduleState, now: datetime) -> bool:
    return not schedule.is_paused and datetime.fromisoformat(state.next) <= now


def _run(workspace: Workspace, schedule: Schedule, state: ScheduleState, now: datetime, execute: Execute) -> str:
    steps: list[Step] = []
    commands: list[list[str]] = []
    begun, following = time.monotonic(), now + timedelta(minutes=RETRY_MINUTES[-1])
    try:
        following, commands = schedule.next_after(now), schedule.commands(now)
    except UsageError as error:  # none of its steps runs: its commands cannot be read
        steps.append(Step(error.params.get("step", schedule.cron), 0.0, Message(error.code, error.params)))
    for step, words in zip(schedule.steps, commands, strict=False):
        started = time.monotonic()
        fault = _attempt(workspace, schedule, words, execute)
        steps.append(Step(step, round(time.monotonic() - started, 1), fault))
        if fault is not None:
            break
    failed = steps[-1].error is not None
    outcome = "failed" if failed else "done"
    failures = state.failures + 1 if failed else 0
    seconds = round(time.monotonic() - begun, 1)
    run = Run(_iso(now), seconds, outcome, tuple(steps))
    if failures == NOTIFY_AFTER and steps[-1].error is not None:
        run = dataclasses.replace(run, told=_notify(schedule, steps[-1].step, steps[-1].error))
    if failed and failures <= len(RETRY_MINUTES):
        following = min(following, now + timedelta(minutes=RETRY_MINUTES[failures - 1]))
    append_record(workspace.folder(FOLDER) / f"{schedule.name}.jsonl", run.to_json())
    _save(workspace, schedule.name, ScheduleState(_iso(following), failures, run))
    audit.note(workspace, "schedule run", schedule=schedule.name, outcome=outcome)
    return outcome


def _attempt(workspace: Workspace, schedule: Schedule, words: list[str], execute: Execute) -> Message | None:
    """Run a step and return its error, whatever it is: the chains after this one have to run."""
    try:
        return execute(workspace, words, schedule.language, schedule.name)
    except ClvError as error:
        return Message(error.code, error.params)
    except Exception as error:
        log.error("schedule %s: %s", schedule.name, traced(error))
        return Message("unexpected", {"kind": type(error).__name__})


def _notify(schedule: Schedule, step: str, fault: Message) -> bool | Message:
    """Send by webhook and mail that a chain fails; return whether either was sent, or the error of trying."""
    environment, error = Environment.from_environment(), ClvError(fault.code, **fault.params)
    facts = {"name": schedule.name, "step": step, "error": error.message(schedule.language)}
    subject, text = (translate(f"schedule.mail.{part}", schedule.language, **facts) for part in ("subject", "text"))
    is_sent = False
    try:
        if environment.webhook_url:
            post(checked_url(environment.webhook_url), {"text": f"{subject}\n{text}", "schedule": schedule.name})
            is_sent = True
        if environment.smtp_host and environment.smtp_to:
            send(Smtp.of(environment), subject, text)
            is_sent = True
    except ClvError as failure:
        return Message(failure.code, failure.params)
    return is_sent


def _save(workspace: Workspace, name: str, state: ScheduleState, **changes: Any) -> None:
    """Save the state of a schedule that there still is, and ``changes`` of the schedule itself."""
    path = workspace.folder(FOLDER) / f"{name}.json"
    with writing(path):
        if path.exists():
            write_json(path, {"schedule": {**read_json(path)["schedule"], **changes}, "state": state.to_json()})


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds")
