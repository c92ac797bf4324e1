"""Chains run: what is due, one after the other, with retries, and a record of each night.

Something has to look whether a schedule is due, again and again: the app while it is up, or ``clv run-due`` from cron,
systemd or ``compose.yaml``. One chain runs at a time in a workspace. One that fails is tried again after 5, 15 and 60
minutes, each night anew. Whatever is wrong with one chain, the others run.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from clv_core import audit, jobs
from clv_core.errors import ClvError, Message, Refused, UsageError, traced
from clv_core.locks import FOLDER as LOCKS
from clv_core.locks import held_lock
from clv_core.monitoring import chain_notices
from clv_core.monitoring.night_record import figures_of
from clv_core.monitoring.schedules import (
    FOLDER,
    RUNNING,
    Run,
    Schedule,
    ScheduleState,
    Step,
    damaged_schedules,
    iso,
    list_schedules,
    load_schedule,
    read_run,
    running_record,
    save_state,
)
from clv_core.records import JsonObject, JsonRecord
from clv_core.workspace import Workspace, append_record, write_json

log = logging.getLogger(__name__)

RETRY_MINUTES: Final = (5, 15, 60)
"""Long enough for a database or a network to come back; a guess."""
LATE: Final = timedelta(hours=1)
"""A chain that is later than that did not run at its time; who looks does so every minute, or every hour. A guess."""
LONGEST_RUN: Final = timedelta(hours=12)
"""A chain that seems to run for longer was cut off; a training of 20 million events takes less."""
MANY: Final = 100
"""Missed runs beyond which they are not counted."""
POLL_SECONDS: Final = 0.2
DONE, FAILED, DAMAGED, MISSED, PAUSED, WAITING = "done", "failed", "damaged", "missed", "paused", "waiting"
UNWELL: Final = (FAILED, MISSED, DAMAGED)
"""States of :class:`ScheduleHealth` that somebody should look at."""


@dataclass(frozen=True)
class StepResult:
    """How a step ended.

    Args:
        error: as errors name themselves; None where it is done.
        result: what the command answered, as JSON; also of one that failed after it had done something.
    """

    error: Message | None = None
    result: JsonObject = field(default_factory=dict)


Execute = Callable[[Workspace, Sequence[str], str, str], StepResult]
"""Runs a command line in a language, under the name of its chain."""


@dataclass(frozen=True)
class ScheduleHealth(JsonRecord):
    """Whether a schedule works.

    Args:
        name: of the schedule.
        state: ``done`` and ``failed`` of its last run, ``running``, ``waiting`` for its first time, ``paused``,
            ``missed`` where nobody started it at its time, ``damaged`` where its file cannot be read.
        next: when it runs next or should have run, ISO UTC; empty where it is paused or damaged.
        last: when it ran last, ISO UTC; empty where it never did.
        error: of the last run, or of its file; None where there is none.
    """

    name: str
    state: str
    next: str = ""
    last: str = ""
    error: Message | None = None


def check_schedules(workspace: Workspace, now: datetime) -> list[ScheduleHealth]:
    """Return whether each schedule works, by name; nothing is changed."""
    running = _running(workspace, now)
    states = [_health(schedule, state, now, running) for schedule, state in list_schedules(workspace)]
    for name, error in damaged_schedules(workspace).items():
        states.append(ScheduleHealth(name, DAMAGED, error=Message(error.code, error.params)))
    return sorted(states, key=lambda one: one.name)


def _running(workspace: Workspace, now: datetime) -> set[str]:
    """Return the schedules whose chains run; one that was cut off long ago does not."""
    paths = workspace.place(FOLDER, RUNNING).glob("*.json")
    runs = {path.stem: run for path in paths if (run := read_run(path)) is not None}
    return {name for name, run in runs.items() if now - datetime.fromisoformat(run.started) < LONGEST_RUN}


def _health(schedule: Schedule, state: ScheduleState, now: datetime, running: set[str]) -> ScheduleHealth:
    last, error = ("", None) if state.last is None else (state.last.started, state.last.last.error)
    facts = ScheduleHealth(schedule.name, WAITING, "" if schedule.is_paused else state.next, last, error)
    if schedule.name in running:
        return replace(facts, state=RUNNING)
    if schedule.is_paused:
        return replace(facts, state=PAUSED)
    if not running and now - datetime.fromisoformat(state.next) > LATE:
        return replace(facts, state=MISSED)
    return facts if state.last is None else replace(facts, state=state.last.outcome)


def is_due(workspace: Workspace, now: datetime) -> bool:
    """Say whether there is something to run, or to tell."""
    due = any(_is_due(workspace, schedule, state, now) for schedule, state in list_schedules(workspace))
    return due or chain_notices.is_due(workspace, now)


def run_due(workspace: Workspace, now: datetime, execute: Execute | None = None) -> dict[str, str]:
    """Run the chains that are due, one after the other; one that was missed several times runs once.

    Messages that could not be sent before are sent now. In the audit log a chain acts in its own name.

    Args:
        workspace: whose schedules.
        now: the time that it is.
        execute: runs a step; None: as a job.

    Returns:
        Name of each schedule that ran -> ``done`` or ``failed``; of one whose file cannot be read ``damaged``, once a
        day.

    Raises:
        Refused: another process is running chains.
    """
    ran = {}
    with held_lock(workspace.folder(LOCKS) / "schedules.lock", Refused("schedules_running")):
        with _noted():
            _close_cut_off(workspace, now)
        for name, error in damaged_schedules(workspace).items():
            with _noted():
                if chain_notices.tell_damaged(workspace, name, error, now):
                    ran[name] = DAMAGED
        ends = [_end(state.last) for _, state in list_schedules(workspace) if state.last is not None]
        busy_until = max(ends, default=datetime.fromtimestamp(0, UTC))
        for schedule, state in list_schedules(workspace):
            if _is_due(workspace, schedule, state, now):
                with audit.acting_as(f"schedule {schedule.name}"):
                    missed = now - max(datetime.fromisoformat(state.next), busy_until) > LATE
                    ran[schedule.name] = _run_safely(workspace, schedule, state, now, execute, is_missed=missed)
        with _noted():
            chain_notices.remind(workspace, now)
    return ran


@contextmanager
def _noted() -> Iterator[None]:
    """Go on where a record cannot be written: the chains have to run."""
    try:
        yield
    except OSError as error:
        log.error("schedules: %s", traced(error))


def _end(run: Run) -> datetime:
    return datetime.fromisoformat(run.started) + timedelta(seconds=run.seconds)


def run_now(workspace: Workspace, name: str, execute: Execute | None = None) -> str:
    """Run a chain whether it is due or not, in the name of who asks for it, and return ``done`` or ``failed``.

    Raises:
        NotFound: there is no such schedule.
        Refused: another process is running chains, or its file is damaged.
    """
    schedule, state = load_schedule(workspace, name)
    with held_lock(workspace.folder(LOCKS) / "schedules.lock", Refused("schedules_running")):
        return _run(workspace, schedule, state, datetime.now(UTC), execute or run_as_job)


def run_as_job(workspace: Workspace, words: Sequence[str], language: str, label: str) -> StepResult:
    """Run a command line as a job, wait for its end and return how it ended."""
    job = jobs.start(workspace, words, language=language, label=label)
    while (status := job.status()).is_running:
        time.sleep(POLL_SECONDS)
    if status.state == jobs.DONE:
        return StepResult(result=status.result)
    error = Message("interrupted") if status.error is None else Message(status.error.code, status.error.params)
    return StepResult(error, status.result)


def _is_due(workspace: Workspace, schedule: Schedule, state: ScheduleState, now: datetime) -> bool:
    return (
        not schedule.is_paused
        and datetime.fromisoformat(state.next) <= now
        and not _is_held_back(workspace, schedule.name, now)
    )


def _run_safely(
    workspace: Workspace,
    schedule: Schedule,
    state: ScheduleState,
    now: datetime,
    execute: Execute | None,
    *,
    is_missed: bool,
) -> str:
    """Run a chain; where not even its outcome can be noted, as the disk is full, hold it back for an hour."""
    try:
        return _run(workspace, schedule, state, now, execute or run_as_job, is_missed=is_missed)
    except (OSError, ClvError) as error:
        log.error("schedule %s: %s", schedule.name, traced(error))
        _hold_back(workspace, schedule.name, now)
        chain_notices.tell_unnoted(schedule, error, now)
        return FAILED


def _hold_back(workspace: Workspace, name: str, now: datetime) -> None:
    """Leave an empty file with the time that it is, for which there is room on a full disk."""
    with suppress(OSError):
        path = workspace.place(LOCKS) / f"schedule-{name}.held"
        path.touch()
        os.utime(path, (now.timestamp(), now.timestamp()))


def _is_held_back(workspace: Workspace, name: str, now: datetime) -> bool:
    path = workspace.place(LOCKS) / f"schedule-{name}.held"
    return path.exists() and now.timestamp() - path.stat().st_mtime < 60 * RETRY_MINUTES[-1]


def _run(
    workspace: Workspace,
    schedule: Schedule,
    state: ScheduleState,
    now: datetime,
    execute: Execute,
    *,
    is_missed: bool = False,
) -> str:
    due = state.next if is_missed else ""
    if due:
        chain_notices.tell_missed(workspace, schedule, _missed(schedule, due, now), due, now)
    steps: list[Step] = []
    commands: list[list[str]] = []
    begun, record = time.monotonic(), running_record(workspace, schedule.name)
    try:
        schedule.next_after(now)
        commands = schedule.commands(now)
    except UsageError as error:  # none of its steps runs: its commands cannot be read
        steps.append(Step(error.params.get("step", schedule.cron), 0.0, Message(error.code, error.params)))
    try:
        for step, words in zip(schedule.steps, commands, strict=False):
            write_json(record, Run(iso(now), 0.0, RUNNING, tuple(steps), due=due).to_json())
            started = time.monotonic()
            ended = _attempt(workspace, schedule, words, execute)
            seconds = round(time.monotonic() - started, 1)
            steps.append(Step(step, seconds, ended.error, figures_of(words, ended.result)))
            if ended.error is not None:
                break
    finally:
        record.unlink(missing_ok=True)
    outcome = DONE if steps[-1].error is None else FAILED
    seconds = round(time.monotonic() - begun, 1)
    _note(workspace, schedule, state, Run(iso(now), seconds, outcome, tuple(steps), due=due), now)
    return outcome


def _attempt(workspace: Workspace, schedule: Schedule, words: list[str], execute: Execute) -> StepResult:
    """Run a step and return how it ended, whatever its error is: the chains after this one have to run."""
    try:
        return execute(workspace, words, schedule.language, schedule.name)
    except ClvError as error:
        return StepResult(Message(error.code, error.params))
    except Exception as error:
        log.error("schedule %s: %s", schedule.name, traced(error))
        return StepResult(Message("unexpected", {"kind": type(error).__name__}))


def _missed(schedule: Schedule, due: str, now: datetime) -> int:
    """Return how many runs should have been from ``due`` to now."""
    when, count = datetime.fromisoformat(due), 0
    while when <= now and count < MANY:
        count += 1
        try:
            when = schedule.next_after(when)
        except UsageError:
            break
    return count


def _note(workspace: Workspace, schedule: Schedule, state: ScheduleState, run: Run, now: datetime) -> None:
    """Save how a run went and when the next one is, and tell who has to know."""
    after = _next_state(schedule, state, run, now)
    run = replace(run, told=chain_notices.tell_run(workspace, schedule, run, after, now))
    append_record(workspace.folder(FOLDER) / f"{schedule.name}.jsonl", run.to_json())
    save_state(workspace, schedule.name, replace(after, last=run))
    (workspace.place(LOCKS) / f"schedule-{schedule.name}.held").unlink(missing_ok=True)
    audit.note(workspace, "schedule run", schedule=schedule.name, outcome=run.outcome)


def _next_state(schedule: Schedule, state: ScheduleState, run: Run, now: datetime) -> ScheduleState:
    """Return the state after a run: one that failed is tried again, each night anew, before the next regular one."""
    try:
        regular = schedule.next_after(now)
    except UsageError:
        regular = now + timedelta(days=1)
    if run.outcome == DONE:
        return ScheduleState(iso(regular), 0, run)
    if state.tries < len(RETRY_MINUTES):
        retry = now + timedelta(minutes=RETRY_MINUTES[state.tries])
        if retry < regular:
            return ScheduleState(iso(retry), state.failures + 1, run, state.tries + 1)
    return ScheduleState(iso(regular), state.failures + 1, run)


def _close_cut_off(workspace: Workspace, now: datetime) -> None:
    """Note the runs that ended without a word, as their process was killed or the machine went off, as failed."""
    for path in workspace.place(FOLDER, RUNNING).glob("*.json"):
        run = read_run(path)
        path.unlink(missing_ok=True)
        found = [saved for saved in list_schedules(workspace) if saved[0].name == path.stem]
        for schedule, state in found if run is not None else ():
            assert run is not None
            at = schedule.steps[min(len(run.steps), len(schedule.steps) - 1)]
            steps = (*run.steps, Step(at, 0.0, Message("interrupted")))
            following = datetime.fromisoformat(state.next)
            cut = replace(run, outcome=FAILED, steps=steps)
            after = replace(state, failures=state.failures + 1, last=cut)
            told = chain_notices.tell_run(workspace, schedule, cut, replace(after, next=iso(max(now, following))), now)
            append_record(workspace.folder(FOLDER) / f"{schedule.name}.jsonl", replace(cut, told=told).to_json())
            save_state(workspace, schedule.name, after)
