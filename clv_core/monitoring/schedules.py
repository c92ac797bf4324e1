"""Schedules: chains of commands that run unattended, such as source, score, monitor, export, prune.

One JSON file a schedule in ``workspace/schedules`` and a log of its runs. How they run is in
:mod:`clv_core.monitoring.chains`, who is told of it in :mod:`clv_core.monitoring.chain_notices`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from clv_core.errors import ClvError, Message, NotFound, Refused, UsageError
from clv_core.locks import writing
from clv_core.records import JsonObject, StoredRecord
from clv_core.workspace import Workspace, check_name, latest_records, read_json, write_json

FOLDER: Final = "schedules"
RUNNING: Final = "running"
"""Folder in :data:`FOLDER` with the record of a chain that runs; one that was cut off leaves its record there."""
TOLD: Final = "told"
"""Folder there with what was told of each schedule (:mod:`clv_core.monitoring.chain_notices`)."""
STEPS: Final = (
    *("source run", "score", "monitor", "segment", "export", "report", "summary", "push", "backup", "prune"),
    "models prune",
)
"""What a step may be: how its command line begins."""
DAY: Final = "{day}"
"""Stands in a step for the day of the run, in the schedule's time zone: ``--out scores-{day}.csv``."""


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
            if not f"{step} ".startswith(tuple(f"{begin} " for begin in STEPS)):
                raise UsageError("schedule_step", step=step[:60], known=list(STEPS))
        if not self.steps:
            raise UsageError("schedule_step", step="-", known=list(STEPS))

    def next_after(self, now: datetime) -> datetime:
        """Return the next time after ``now``, in UTC.

        Of an hour that comes twice, as clocks go back, the first one counts; a time that clocks skip, such as 2:30, is
        the one that comes as long after the hour before: 3:30.

        Raises:
            UsageError: the expression or the zone is none.
        """
        from croniter import croniter

        try:
            if len(self.cron.split()) != 5:
                raise ValueError(self.cron)
            zone = ZoneInfo(self.timezone)
            times = croniter(self.cron, now.astimezone(zone).replace(tzinfo=None))  # as a clock on the wall has them
            while True:
                local: datetime = times.get_next(datetime)
                following = local.replace(tzinfo=zone).astimezone(UTC)
                if following > now:
                    return following
        except (ValueError, KeyError, OSError) as error:
            raise UsageError("schedule_when", cron=self.cron[:60], timezone=self.timezone[:60]) from error

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
        figures: counts of its answer that the night's record tells (:mod:`clv_core.monitoring.night_record`).
    """

    OMITTED: ClassVar = frozenset({"figures"})

    step: str
    seconds: float
    error: Message | None
    figures: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Run(StoredRecord):
    """A run of a chain.

    Args:
        started: ISO UTC.
        seconds: that it took.
        outcome: ``done``, ``failed``, or ``running``.
        steps: those that ran.
        told: whether a message about it was sent, or why that failed; None where none was due.
        due: when it should have run, ISO UTC, where nobody started it then; else empty.
    """

    OMITTED: ClassVar = frozenset({"told", "due"})

    started: str
    seconds: float
    outcome: str
    steps: tuple[Step, ...]
    told: bool | Message | None = None
    due: str = ""

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
        tries: failed runs of this night: where there are any, the next one is a retry.
    """

    next: str
    failures: int = 0
    last: Run | None = None
    tries: int = 0


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
        write_json(path, {"schedule": schedule.to_json(), "state": ScheduleState(iso(following)).to_json()})


def list_schedules(workspace: Workspace) -> list[tuple[Schedule, ScheduleState]]:
    """Return all schedules by name, each with its state, but for those of :func:`damaged_schedules`."""
    return [saved for _, saved in _read_all(workspace) if not isinstance(saved, ClvError)]


def damaged_schedules(workspace: Workspace) -> dict[str, ClvError]:
    """Return the schedules whose files cannot be read, each with the error that says so."""
    return {name: saved for name, saved in _read_all(workspace) if isinstance(saved, ClvError)}


def _read_all(workspace: Workspace) -> Iterator[tuple[str, tuple[Schedule, ScheduleState] | ClvError]]:
    for path in sorted(workspace.place(FOLDER).glob("[!.]*.json")):
        try:
            yield path.stem, _read(path)
        except ClvError as error:
            yield path.stem, error


def _read(path: Path) -> tuple[Schedule, ScheduleState]:
    """Return a schedule and its state from their file.

    Raises:
        Refused: it cannot be read.
    """
    try:
        record = read_json(path)
        return Schedule.from_json(record["schedule"]), ScheduleState.from_json(record["state"])
    except (OSError, ValueError, KeyError, TypeError, Refused) as error:
        raise Refused("schedule_damaged", name=path.stem, file=path.name) from error


def load_schedule(workspace: Workspace, name: str) -> tuple[Schedule, ScheduleState]:
    """Return a schedule and its state.

    Raises:
        NotFound: there is none of this name; the error names those that there are.
        Refused: its file is damaged.
    """
    return _read(_path(workspace, name))


def _path(workspace: Workspace, name: str) -> Path:
    """Return the file of a schedule that there is.

    Raises:
        NotFound: there is none of this name.
    """
    names = [known for known, _ in _read_all(workspace)]
    if name not in names:
        raise NotFound("no_schedule", name=name[:80], known=names or "-")
    return workspace.place(FOLDER) / f"{name}.json"


def pause(workspace: Workspace, name: str, *, paused: bool) -> None:
    """Let a schedule wait, or go on from its next time.

    Raises:
        NotFound: there is none of this name.
    """
    schedule, state = load_schedule(workspace, name)
    following = iso(schedule.next_after(datetime.now(UTC)))
    save_state(workspace, name, replace(state, next=following, failures=0, tries=0), is_paused=paused)


def remove_schedule(workspace: Workspace, name: str) -> None:
    """Remove a schedule; the log of its runs stays.

    Raises:
        NotFound: there is none of this name.
    """
    _path(workspace, name).unlink()
    for folder in (RUNNING, TOLD):
        (workspace.place(FOLDER, folder) / f"{name}.json").unlink(missing_ok=True)


def history(workspace: Workspace, name: str) -> list[Run]:
    """Return the runs of a schedule, the latest first."""
    return [Run.from_json(line) for line in latest_records(workspace.place(FOLDER) / f"{name}.jsonl")]


def save_state(workspace: Workspace, name: str, state: ScheduleState, **changes: Any) -> None:
    """Save the state of a schedule that there still is, and ``changes`` of the schedule itself.

    Raises:
        Refused: its file was damaged meanwhile.
    """
    path = workspace.folder(FOLDER) / f"{name}.json"
    with writing(path):
        if path.exists():
            schedule = replace(_read(path)[0], **changes)
            write_json(path, {"schedule": schedule.to_json(), "state": state.to_json()})


def running_record(workspace: Workspace, name: str) -> Path:
    """Return where the record of a chain is while it runs."""
    return workspace.place(FOLDER, RUNNING) / f"{name}.json"


def read_run(path: Path) -> Run | None:
    """Return the run of a :func:`running_record`; None where there is none, as it has just ended."""
    try:
        return Run.from_json(read_json(path))
    except (OSError, ValueError, Refused):
        return None


def iso(when: datetime) -> str:
    """Return a time as files have it, ISO UTC."""
    return when.astimezone(UTC).isoformat(timespec="seconds")
