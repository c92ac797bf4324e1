"""Chains: retries of each night, runs that did not take place, runs that were cut off, and a full disk."""

from __future__ import annotations

import errno
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clv_core.monitoring import chains
from clv_core.monitoring.chains import StepResult, check_schedules, is_due, run_due
from clv_core.monitoring.schedules import (
    Schedule,
    ScheduleState,
    add_schedule,
    damaged_schedules,
    history,
    list_schedules,
    load_schedule,
    pause,
    remove_schedule,
    save_state,
)
from clv_core.workspace import Workspace, write_json
from tests.monitoring.conftest import Receiver, Steps

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIX = NOW + timedelta(hours=18)
STEPS = ("source run orders", "score shop --model champion --out lists/{day}.csv")
DAY = timedelta(days=1)


@pytest.fixture
def nightly(workspace: Workspace) -> Workspace:
    add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS), NOW)
    return workspace


def state(workspace: Workspace, now: datetime, name: str = "nightly") -> str:
    """Return the state of a schedule, as the status says it."""
    return {one.name: one.state for one in check_schedules(workspace, now)}[name]


def test_retries_start_anew_each_night(nightly: Workspace) -> None:
    for night in range(3):
        now = SIX + night * DAY
        for minutes in (5, 15, 60):
            assert run_due(nightly, now, Steps("source")) == {"nightly": "failed"}
            following = datetime.fromisoformat(load_schedule(nightly, "nightly")[1].next)
            assert following - now == timedelta(minutes=minutes)
            now = following
        run_due(nightly, now, Steps("source"))
        assert load_schedule(nightly, "nightly")[1].next == (SIX + (night + 1) * DAY).isoformat()
    assert load_schedule(nightly, "nightly")[1].failures == 12


@pytest.mark.parametrize(
    ("cron", "begin", "times"),
    [
        ("30 2 * * *", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),  # 2:30 comes twice
        ("30 2 * * *", "2026-03-28T12:00", ["2026-03-29T01:30", "2026-03-30T00:30"]),  # 2:30 does not come: 3:30
        ("0 * * * *", "2026-10-24T23:30", ["2026-10-25T00:00", "2026-10-25T02:00"]),  # midnight, 2, 3 by the clock
        ("0 * * * *", "2026-03-29T00:30", ["2026-03-29T01:00", "2026-03-29T02:00"]),
    ],
)
def test_an_hour_that_comes_twice_runs_once_and_one_that_is_skipped_runs(
    workspace: Workspace, cron: str, begin: str, times: list[str]
) -> None:
    """In Berlin; each minute of two days is looked at, as cron does."""
    start = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    add_schedule(workspace, Schedule("x", cron, STEPS, "Europe/Berlin"), start)
    ran, now = [], start
    while len(ran) < 2:
        now = datetime.fromisoformat(load_schedule(workspace, "x")[1].next)
        assert run_due(workspace, now - timedelta(minutes=1), Steps()) == {}
        assert run_due(workspace, now, Steps()) == {"x": "done"}
        ran.append(f"{now:%Y-%m-%dT%H:%M}")
    assert ran == times


def test_a_run_that_did_not_take_place_is_seen_and_told_by_the_next(nightly: Workspace, receiver: Receiver) -> None:
    assert state(nightly, NOW) == "waiting"
    assert state(nightly, SIX + timedelta(minutes=59)) == "waiting"
    late = SIX + 3 * DAY + timedelta(hours=2)
    assert state(nightly, late) == "missed"
    assert run_due(nightly, late, Steps()) == {"nightly": "done"}
    assert receiver.subjects == ["the schedule “nightly” did not run"]
    assert "3 Mar 2026 06:00" in receiver.posted[0]["text"] and "4 runs" in receiver.posted[0]["text"]
    assert history(nightly, "nightly")[0].due == SIX.isoformat()
    assert state(nightly, late) == "done"


def test_a_chain_that_waited_for_another_one_has_not_been_missed(workspace: Workspace, receiver: Receiver) -> None:
    add_schedule(workspace, Schedule("long", "0 6 * * *", STEPS), NOW)
    add_schedule(workspace, Schedule("next", "30 6 * * *", STEPS), NOW)
    run_due(workspace, SIX, Steps())
    schedule, before = load_schedule(workspace, "long")
    assert before.last is not None
    ended = {**before.to_json(), "last": {**before.last.to_json(), "seconds": 3 * 3600.0}}
    save_state(workspace, schedule.name, ScheduleState.from_json(ended))
    assert run_due(workspace, SIX + timedelta(hours=3, minutes=1), Steps()) == {"next": "done"}
    assert receiver.posted == [] and history(workspace, "next")[0].due == ""


def test_a_run_that_was_cut_off_is_noted_told_and_run_again(nightly: Workspace, receiver: Receiver) -> None:
    class Killed(BaseException):
        pass

    def killed(_: Workspace, words: Sequence[str], language: str, label: str) -> StepResult:
        assert state(nightly, SIX + timedelta(hours=2)) == "running"
        if words[0] == "score":
            raise Killed
        return StepResult()

    record = nightly.place("schedules", "running") / "nightly.json"
    kept = ""

    def kill(*arguments: Any) -> StepResult:
        nonlocal kept
        kept = record.read_text()
        return killed(*arguments)

    with pytest.raises(Killed):
        run_due(nightly, SIX, kill)
    record.write_text(kept)  # a process that is killed cannot tidy up
    assert history(nightly, "nightly") == [] and state(nightly, SIX + timedelta(hours=13)) == "missed"
    assert run_due(nightly, SIX + timedelta(minutes=1), Steps()) == {"nightly": "done"}
    done, cut = history(nightly, "nightly")
    assert (done.outcome, cut.outcome, cut.last.step) == ("done", "failed", STEPS[1])
    assert cut.last.error is not None and cut.last.error.code == "interrupted" and len(cut.steps) == 2
    assert receiver.subjects == ["the schedule “nightly” failed", "the schedule “nightly” works again"]


def test_a_damaged_file_is_named_once_a_day_and_the_others_are_listed_and_run(
    nightly: Workspace, receiver: Receiver
) -> None:
    add_schedule(nightly, Schedule("torn", "0 6 * * *", STEPS), NOW)
    path = nightly.place("schedules") / "torn.json"
    path.write_bytes(path.read_bytes()[:50])
    assert [schedule.name for schedule, _ in list_schedules(nightly)] == ["nightly"]
    (error,) = damaged_schedules(nightly).values()
    assert "torn.json" in error.message() and "backup" in error.message()
    assert state(nightly, NOW, "torn") == "damaged"
    assert is_due(nightly, NOW)
    assert run_due(nightly, SIX, Steps()) == {"torn": "damaged", "nightly": "done"}
    assert not is_due(nightly, SIX + timedelta(hours=1))
    assert run_due(nightly, SIX + timedelta(hours=1), Steps()) == {}
    assert run_due(nightly, SIX + DAY, Steps()) == {"torn": "damaged", "nightly": "done"}
    assert receiver.subjects == ["the schedule “torn” cannot be read"] * 2
    remove_schedule(nightly, "torn")
    assert damaged_schedules(nightly) == {}


def test_where_no_outcome_can_be_noted_it_is_told_the_chain_is_held_back_and_the_others_run(
    nightly: Workspace, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_schedule(nightly, Schedule("other", "0 6 * * *", STEPS), NOW)
    write = chains.append_record

    def full(path: Any, record: Any) -> None:
        if path.stem == "nightly":
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, record)

    monkeypatch.setattr(chains, "append_record", full)
    assert run_due(nightly, SIX, Steps()) == {"nightly": "failed", "other": "done"}
    assert receiver.subjects == ["the schedule “nightly” could not be noted"]
    assert "No space left" in receiver.posted[0]["text"]
    assert run_due(nightly, SIX + timedelta(minutes=59), Steps()) == {}
    monkeypatch.undo()
    assert run_due(nightly, SIX + timedelta(minutes=61), Steps()) == {"nightly": "done"}


def test_a_paused_schedule_is_neither_due_nor_missed(nightly: Workspace) -> None:
    pause(nightly, "nightly", paused=True)
    assert state(nightly, SIX + 9 * DAY) == "paused" and not is_due(nightly, SIX + 9 * DAY)


def test_schedules_of_an_earlier_version_run(workspace: Workspace) -> None:
    """As 0.1 wrote them: without what later versions added."""
    folder = workspace.folder("schedules")
    error = {"code": "no_source", "params": {"name": "a", "known": "-"}}
    run = {"started": "2026-03-01T06:00:00+00:00", "seconds": 3.0, "outcome": "failed", "told": True}
    run["steps"] = [{"step": "source run orders", "seconds": 3.0, "error": error}]
    schedule = {"name": "old", "cron": "0 6 * * *", "steps": ["source run orders"], "timezone": "UTC", "language": "zh"}
    state = {"next": "2026-03-02T06:00:00+00:00", "failures": 2, "last": run}
    write_json(folder / "old.json", {"schedule": {**schedule, "is_paused": False}, "state": state})
    (folder / "old.jsonl").write_text(json.dumps(run) + "\n")
    assert run_due(workspace, datetime(2026, 3, 2, 6, tzinfo=UTC), Steps()) == {"old": "done"}
    assert [one.outcome for one in history(workspace, "old")] == ["done", "failed"]
