"""Schedules: when chains run, what becomes of failures, and who is told; the clock is given."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clv_core import audit
from clv_core.errors import Message, NotFound, Refused, UsageError
from clv_core.monitoring.chains import StepResult, run_as_job, run_due, run_now
from clv_core.monitoring.schedules import (
    Schedule,
    add_schedule,
    history,
    list_schedules,
    load_schedule,
    pause,
    remove_schedule,
)
from clv_core.workspace import Workspace, read_json, write_json
from tests.monitoring.conftest import Receiver, Steps

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
STEPS = ("source run orders", "score shop --model champion --out 'my lists/{day}.csv'")


def test_a_chain_runs_when_it_is_due_and_once_where_it_was_missed(workspace: Workspace) -> None:
    steps = Steps()
    add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS), NOW)
    assert run_due(workspace, NOW, steps) == {}
    assert run_due(workspace, NOW + timedelta(days=4, hours=3), steps) == {"nightly": "done"}
    assert steps.ran == [
        ["source", "run", "orders"],
        ["score", "shop", "--model", "champion", "--out", "my lists/2026-03-06.csv"],
    ]
    assert load_schedule(workspace, "nightly")[1].next == "2026-03-07T06:00:00+00:00"
    assert run_due(workspace, NOW + timedelta(days=4, hours=4), steps) == {}


def test_times_are_those_of_the_schedules_zone_also_when_clocks_change() -> None:
    schedule = Schedule("x", "30 6 * * 1", STEPS, "Europe/Berlin")
    winter = schedule.next_after(datetime(2026, 3, 20, tzinfo=UTC))
    assert (winter, schedule.next_after(winter)) == (
        datetime(2026, 3, 23, 5, 30, tzinfo=UTC),
        datetime(2026, 3, 30, 4, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("zone", "now", "day"),
    [
        ("Asia/Shanghai", datetime(2026, 3, 2, 23, 30, tzinfo=UTC), "2026-03-03"),  # 7:30 in the morning
        ("America/New_York", datetime(2026, 3, 3, 1, tzinfo=UTC), "2026-03-02"),  # 8 in the evening
    ],
)
def test_a_file_bears_the_day_that_it_is_in_the_schedules_zone(
    workspace: Workspace, zone: str, now: datetime, day: str
) -> None:
    steps = Steps()
    add_schedule(workspace, Schedule("nightly", "0 7,20 * * *", STEPS, zone), NOW)
    assert run_due(workspace, now, steps) == {"nightly": "done"}
    assert steps.ran[-1][-1] == f"my lists/{day}.csv"


def test_a_failed_chain_stops_there_is_tried_again_and_goes_on_from_its_next_time(workspace: Workspace) -> None:
    steps = Steps("source")
    add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS), NOW)
    now, waits = NOW + timedelta(hours=18), []
    for _ in range(4):
        assert run_due(workspace, now, steps) == {"nightly": "failed"}
        following = datetime.fromisoformat(load_schedule(workspace, "nightly")[1].next)
        waits.append((following - now).total_seconds() / 60)
        now = following
    assert waits[:3] == [5, 15, 60] and waits[3] > 60  # then the next morning
    assert {words[0] for words in steps.ran} == {"source"}
    assert run_due(workspace, now, Steps()) == {"nightly": "done"}
    assert load_schedule(workspace, "nightly")[1].failures == 0
    assert [run.outcome for run in history(workspace, "nightly")] == ["done", *["failed"] * 4]


def test_a_paused_schedule_waits_and_a_pause_during_its_run_stays(workspace: Workspace) -> None:
    add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS), NOW)
    late, steps = NOW + timedelta(days=1), Steps()

    def pausing(*arguments: Any) -> StepResult:
        pause(workspace, "nightly", paused=True)
        return steps(*arguments)

    run_due(workspace, late, pausing)
    assert load_schedule(workspace, "nightly")[0].is_paused and len(steps.ran) == 2
    assert run_due(workspace, late + timedelta(days=9000), steps) == {}
    pause(workspace, "nightly", paused=False)
    assert run_due(workspace, datetime.now(UTC) + timedelta(days=1), steps) == {"nightly": "done"}


def test_one_process_at_a_time_runs_chains(workspace: Workspace) -> None:
    add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS), NOW)
    refused = []

    def meanwhile(*_: Any) -> StepResult:
        other = threading.Thread(target=lambda: refused.append(attempt()))
        other.start(), other.join()
        return StepResult()

    def attempt() -> str:
        with pytest.raises(Refused) as raised:
            run_now(workspace, "nightly", Steps())
        return raised.value.code

    assert run_now(workspace, "nightly", meanwhile) == "done"
    assert refused == ["schedules_running"] * 2


@pytest.mark.parametrize(
    ("cron", "steps", "zone"),
    [
        ("61 * * * *", STEPS, "UTC"),
        ("* * * * * *", STEPS, "UTC"),
        ("0 6 * * *", STEPS, "Mars"),
        ("0 6 * * *", (), "UTC"),
        ("0 6 * * *", ("erase 1",), "UTC"),
        ("0 6 * * *", ("source remove x",), "UTC"),
        ("0 6 * * *", ("scoreboard",), "UTC"),
        ("0 6 * * *", ("score shop \\",), "UTC"),
    ],
)
def test_a_schedule_that_could_never_run_is_not_saved(
    workspace: Workspace, cron: str, steps: tuple[str, ...], zone: str
) -> None:
    with pytest.raises(UsageError):
        add_schedule(workspace, Schedule("x", cron, steps, zone))
    assert list_schedules(workspace) == []


def test_a_step_that_cannot_be_read_is_refused_with_what_to_close(workspace: Workspace) -> None:
    for language, quote in (("en", "quotation mark"), ("zh", "引号")):
        with pytest.raises(UsageError) as raised:
            add_schedule(workspace, Schedule("x", "0 6 * * *", (STEPS[0], 'score "unclosed')))
        said = raised.value.message(language)
        assert 'score "unclosed' in said and quote in said


def broken(workspace: Workspace, name: str, **changed: Any) -> None:
    """Save a schedule that an earlier version took, or that somebody wrote by hand."""
    add_schedule(workspace, Schedule(name, "0 6 * * *", STEPS), NOW)
    path = workspace.folder("schedules") / f"{name}.json"
    stored = read_json(path)
    write_json(path, {**stored, "schedule": {**stored["schedule"], **changed}})


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"steps": ["source run orders", 'score "unclosed']}, "schedule_step_open"),
        ({"timezone": "Mars"}, "schedule_when"),
        ({"cron": "0 6 * *"}, "schedule_when"),
    ],
)
def test_a_chain_that_cannot_run_fails_by_name_and_the_others_run(
    workspace: Workspace, receiver: Receiver, changed: dict[str, Any], code: str
) -> None:
    broken(workspace, "broken", **changed)
    add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS), NOW)
    late, steps = NOW + timedelta(hours=18), Steps()
    assert run_due(workspace, late, steps) == {"broken": "failed", "nightly": "done"}
    assert [words[0] for words in steps.ran] == ["source", "score"], "only the other chain's"
    state = load_schedule(workspace, "broken")[1]
    assert state.failures == 1 and history(workspace, "broken")[0].last.error.code == code
    assert (datetime.fromisoformat(state.next) - late).total_seconds() / 60 == 5
    assert run_due(workspace, late + timedelta(minutes=5), steps) == {"broken": "failed"}
    assert receiver.subjects == ["the schedule “broken” failed"]


def test_a_step_that_breaks_in_an_unforeseen_way_fails_and_the_others_run(workspace: Workspace) -> None:
    """A file with a zero byte in a step: no process can be started with it."""
    broken(workspace, "broken", steps=["score shop\0"])
    add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS), NOW)

    def execute(workspace: Workspace, words: Sequence[str], language: str, label: str) -> StepResult:
        return run_as_job(workspace, words, language, label) if label == "broken" else StepResult()

    assert run_due(workspace, NOW + timedelta(hours=18), execute) == {"broken": "failed", "nightly": "done"}
    assert history(workspace, "broken")[0].steps[0].error == Message("unexpected", {"kind": "ValueError"})


def test_the_audit_log_names_who_started_a_chain(workspace: Workspace) -> None:
    acted: list[str] = []

    def execute(*_: Any) -> StepResult:
        acted.append(audit.actor())
        return StepResult()

    add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS), NOW)
    with audit.acting_as("ana@shop.example"):
        run_now(workspace, "nightly", execute)
    run_due(workspace, datetime.now(UTC) + timedelta(days=1), execute)
    assert acted == ["ana@shop.example"] * 2 + ["schedule nightly"] * 2
    runs = [(line["who"], line["schedule"]) for line in audit.lines(workspace) if line["action"] == "schedule run"]
    assert runs == [("schedule nightly", "nightly"), ("ana@shop.example", "nightly")]


def test_a_schedule_can_be_removed(workspace: Workspace) -> None:
    add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS), NOW)
    with pytest.raises(Refused):
        add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS), NOW)
    remove_schedule(workspace, "nightly")
    with pytest.raises(NotFound):
        load_schedule(workspace, "nightly")
