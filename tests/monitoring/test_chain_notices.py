"""Who is told of a chain: a failure on its first night and each day that it lasts, its end, and all of it if late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clv_core.errors import ClvError, Message
from clv_core.monitoring import chain_notices
from clv_core.monitoring.chains import is_due, run_due
from clv_core.monitoring.schedules import Schedule, add_schedule, history
from clv_core.workspace import Workspace
from tests.monitoring.conftest import Receiver, Steps

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIX = NOW + timedelta(hours=18)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
STEPS = ("source run orders", "score shop --model champion --out lists/{day}.csv")
FAILED, WORKS = "the schedule “nightly” failed", "the schedule “nightly” works again"
STILL = "the schedule “nightly” has failed since 3 Mar 2026 06:00"


def night(workspace: Workspace, number: int, *fail: str) -> None:
    """Look each five minutes, for two hours from six on."""
    for step in range(24):
        run_due(workspace, SIX + number * DAY + step * 5 * MINUTE, Steps(*fail))


@pytest.fixture
def nightly(workspace: Workspace) -> Workspace:
    add_schedule(workspace, Schedule("nightly", "0 6 * * *", STEPS), NOW)
    return workspace


def test_a_failure_is_told_on_the_first_night_then_daily_and_once_when_it_works_again(
    nightly: Workspace, receiver: Receiver
) -> None:
    for number, fails in enumerate((False, True, True, True, False, False)):
        night(nightly, number, *(["score"] if fails else []))
    since = STILL.replace("3 Mar", "4 Mar")
    assert receiver.subjects == [FAILED, since, since, WORKS]
    text = receiver.posted[0]["text"]
    assert "score shop" in text and "current model" in text and "4 Mar 2026 06:05" in text
    assert [run.told for run in history(nightly, "nightly")][:2] == [None, True]


def test_a_failure_that_a_retry_mends_is_told_and_taken_back(nightly: Workspace, receiver: Receiver) -> None:
    run_due(nightly, SIX, Steps("source"))
    run_due(nightly, SIX + 5 * MINUTE, Steps())
    assert receiver.subjects == [FAILED, WORKS]


def test_a_chain_of_every_hour_is_told_of_once_a_day(workspace: Workspace, receiver: Receiver) -> None:
    add_schedule(workspace, Schedule("hourly", "0 * * * *", STEPS), NOW)
    for hour in range(1, 73):
        run_due(workspace, NOW + timedelta(hours=hour), Steps("source"))
    assert len(receiver.posted) == 4  # on the 2nd at one o'clock, and on each day after it


def test_a_chain_of_every_week_is_told_of_each_day_that_it_lasts(workspace: Workspace, receiver: Receiver) -> None:
    add_schedule(workspace, Schedule("weekly", "0 6 * * 1", STEPS), NOW)
    monday = NOW.replace(day=9, hour=6)
    now = monday
    while now < monday + 3 * DAY:
        if is_due(workspace, now):
            run_due(workspace, now, Steps("source"))
        now += 5 * MINUTE
    assert len(receiver.posted) == 3


def test_what_could_not_be_sent_is_sent_later_and_nothing_twice(nightly: Workspace, receiver: Receiver) -> None:
    receiver.status = 500
    night(nightly, 0, "score")
    assert receiver.posted == [] and 2 < receiver.tried <= 2 * 4 + 3  # each quarter of an hour, and at each run
    first = history(nightly, "nightly")[-1].told
    assert isinstance(first, Message) and first.code == "webhook_failed"
    receiver.status = 200
    assert is_due(nightly, SIX + timedelta(hours=4))
    assert run_due(nightly, SIX + timedelta(hours=4), Steps()) == {}
    assert not is_due(nightly, SIX + timedelta(hours=5))
    run_due(nightly, SIX + timedelta(hours=5), Steps())
    assert receiver.subjects == [FAILED]
    night(nightly, 1)
    assert receiver.subjects == [FAILED, WORKS]


def test_of_a_failure_that_never_arrived_its_end_is_told(nightly: Workspace, receiver: Receiver) -> None:
    receiver.status = 500
    night(nightly, 0, "score")
    night(nightly, 1)
    receiver.status = 200
    night(nightly, 2)
    assert receiver.subjects == [WORKS] and "3 Mar 2026 06:00" in receiver.posted[0]["text"]


def test_where_nobody_can_be_told_nothing_waits(nightly: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLV_WEBHOOK_URL", raising=False)
    monkeypatch.delenv("CLV_SMTP_HOST", raising=False)
    run_due(nightly, SIX, Steps("score"))
    assert history(nightly, "nightly")[0].told is False and not is_due(nightly, SIX + 4 * MINUTE)


def test_messages_speak_the_schedules_language_and_times_are_those_of_its_zone(
    workspace: Workspace, receiver: Receiver
) -> None:
    add_schedule(workspace, Schedule("每夜", "0 6 * * *", STEPS, "Asia/Shanghai", "zh"), NOW)
    run_due(workspace, NOW + timedelta(hours=10), Steps("source"))
    (message,) = receiver.posted
    assert message["text"].startswith("CLV Studio：计划“每夜”失败") and "2026年3月3日 06:05" in message["text"]


def test_only_the_way_that_failed_is_tried_again(nightly: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhook and mail are both set; the mail server is down at first."""
    for name, value in {"WEBHOOK_URL": "https://chat.example/x", "SMTP_HOST": "mail", "SMTP_TO": "a@b"}.items():
        monkeypatch.setenv(f"CLV_{name}", value)
    sent: list[str] = []
    down = {"email"}

    def deliver(way: str, *_: object) -> None:
        if way in down:
            raise ClvError("smtp_failed", host="mail", port=25, reason="down")
        sent.append(way)

    monkeypatch.setattr(chain_notices, "deliver", deliver)
    run_due(nightly, SIX, Steps("score"))
    assert sent == ["webhook"] and getattr(history(nightly, "nightly")[0].told, "code", "") == "smtp_failed"
    down.clear()
    run_due(nightly, SIX + 20 * MINUTE, Steps("score"))
    assert sent == ["webhook", "email"]
