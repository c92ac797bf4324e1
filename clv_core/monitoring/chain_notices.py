"""Who is told of chains: failures on the first night and each day that they last, and once when a chain works again.

Also runs that did not take place, and files that cannot be read. Messages go to where alerts go. What was told of a
schedule is in ``schedules/told/<name>.json``, with the messages that could not be sent: they are sent later.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from clv_core.environment import Environment
from clv_core.errors import ClvError, Message, Refused
from clv_core.i18n import DEFAULT_LANGUAGE, say_day, translate
from clv_core.monitoring.notifications.sending import channels, chat_payload, deliver
from clv_core.monitoring.schedules import (
    FOLDER,
    TOLD,
    Run,
    Schedule,
    ScheduleState,
    damaged_schedules,
    iso,
    list_schedules,
)
from clv_core.records import JsonObject, StoredRecord
from clv_core.workspace import Workspace, read_json, write_json

log = logging.getLogger(__name__)

RESEND: Final = timedelta(minutes=15)
"""Between two tries to send a message: a receiver that is down is not asked every minute. A guess."""
HALF_A_DAY: Final = timedelta(hours=12)
"""A retry shortly after midnight is still of the night before."""
TIMES: Final = frozenset({"since", "when", "due", "next"})
"""Parameters of a message that are times, ISO UTC."""
Kind = Literal["failed", "still", "works", "missed", "damaged", "unnoted"]


@dataclass(frozen=True)
class Notice(StoredRecord):
    """A message about a schedule.

    Args:
        kind: of message: ``schedule.mail.<kind>.subject`` and ``.text`` are its sentences.
        params: of both sentences; times are ISO UTC.
        error: that it tells.
        language: of it.
        timezone: of its times.
        left: ways that it could not be sent by yet.
    """

    kind: Kind
    params: JsonObject = field(default_factory=dict)
    error: Message | None = None
    language: str = DEFAULT_LANGUAGE
    timezone: str = "UTC"
    left: tuple[str, ...] = ()

    def text(self) -> tuple[str, str]:
        """Return the subject and the text."""
        params = dict(self.params)
        for name in TIMES & params.keys():
            params[name] = say_moment(datetime.fromisoformat(params[name]), self.timezone, self.language)
        if self.error is not None:
            params["error"] = ClvError(self.error.code, **self.error.params).message(self.language)
        subject = translate(f"schedule.mail.{self.kind}.subject", self.language, **params)
        return subject, translate(f"schedule.mail.{self.kind}.text", self.language, **params)


def say_moment(when: datetime, timezone: str, language: str) -> str:
    """Return a time in a zone as a sentence has it, to the minute; of a zone that there is not, in UTC."""
    try:
        local = when.astimezone(ZoneInfo(timezone))
    except (ValueError, KeyError, OSError):
        local = when.astimezone(UTC)
    return f"{say_day(local.date(), language)} {local:%H:%M}"


@dataclass(frozen=True)
class Told(StoredRecord):
    """What was told of a schedule.

    Args:
        since: when the first of the runs that failed in a row began, ISO UTC; empty where the last one was done.
        told: when the failure was told last, ISO UTC; empty where it was not.
        tried: when messages were last tried to be sent.
        unsent: messages that could not be sent: one on whether the chain works, one on runs that it missed.
    """

    since: str = ""
    told: str = ""
    tried: str = ""
    unsent: tuple[Notice, ...] = ()


def tell_run(
    workspace: Workspace, schedule: Schedule, run: Run, after: ScheduleState, now: datetime
) -> bool | Message | None:
    """Tell of a run where it is due: a failure on its first night and then each day, and that a chain works again.

    Returns:
        Whether a message was sent, or why that failed; None where none was due.
    """
    told = _load(workspace, schedule.name)
    if run.last.error is None:
        if not told.told:
            return _tell(workspace, schedule, replace(told, since=""), None, now) if told != Told() else None
        params = {"name": schedule.name, "since": told.since, "when": run.started}
        return _tell(workspace, schedule, replace(told, since="", told=""), _notice("works", schedule, params), now)
    told = replace(told, since=told.since or run.started)
    if told.told and not _is_another_day(schedule, told.told, now):
        return _tell(workspace, schedule, told, None, now)
    return _tell(workspace, schedule, replace(told, told=iso(now)), _failure(schedule, run, after, told), now)


def _failure(schedule: Schedule, run: Run, after: ScheduleState, told: Told) -> Notice:
    """Return the message on a failed run, the first one or one of a failure that lasts."""
    params = {"name": schedule.name, "step": run.last.step, "since": told.since, "next": after.next}
    kind: Kind = "still" if told.told else "failed"
    return _notice(kind, schedule, params, run.last.error)


def _notice(kind: Kind, schedule: Schedule, params: JsonObject, error: Message | None = None) -> Notice:
    return Notice(kind, params, error, schedule.language, schedule.timezone)


def _is_another_day(schedule: Schedule, before: str, now: datetime) -> bool:
    then = datetime.fromisoformat(before)
    try:
        zone = ZoneInfo(schedule.timezone)
    except (ValueError, KeyError, OSError):
        zone = ZoneInfo("UTC")
    return now - then >= HALF_A_DAY and now.astimezone(zone).date() != then.astimezone(zone).date()


def tell_missed(workspace: Workspace, schedule: Schedule, runs: int, due: str, now: datetime) -> None:
    """Tell that so many runs did not take place, the first of which was due at ``due``."""
    notice = _notice("missed", schedule, {"name": schedule.name, "n": runs, "due": due})
    _tell(workspace, schedule, _load(workspace, schedule.name), notice, now)


def tell_damaged(workspace: Workspace, name: str, error: ClvError, now: datetime) -> bool:
    """Tell that the file of a schedule cannot be read, once a day; return whether it was time to."""
    if not _is_news(workspace, name, now):
        return False
    schedule, told = Schedule(name, "", ()), _load(workspace, name)
    notice = _notice("damaged", schedule, {"name": name}, Message(error.code, error.params))
    _tell(workspace, schedule, replace(told, since=told.since or iso(now), told=iso(now)), notice, now)
    return True


def _is_news(workspace: Workspace, name: str, now: datetime) -> bool:
    """Return whether a damaged file was not told of today."""
    told = _load(workspace, name).told
    return not told or _is_another_day(Schedule(name, "", ()), told, now)


def tell_unnoted(schedule: Schedule, error: Exception, now: datetime) -> None:
    """Tell at once that the outcome of a chain could not even be noted."""
    about = error if isinstance(error, ClvError) else ClvError("unnoted", reason=getattr(error, "strerror", "") or "")
    notice = _notice("unnoted", schedule, {"name": schedule.name}, Message(about.code, about.params))
    _send(replace(notice, left=channels(Environment.from_environment())))


def remind(workspace: Workspace, now: datetime) -> None:
    """Tell of chains that have failed and run less often than daily, and send what could not be sent before."""
    for schedule, state in list_schedules(workspace):
        told = _load(workspace, schedule.name)
        if _lasts(schedule, state, told, now) and state.last is not None:
            notice = _failure(schedule, state.last, state, told)
            _tell(workspace, schedule, replace(told, told=iso(now)), notice, now)
    for name in _waiting(workspace, now):
        _tell(workspace, Schedule(name, "", ()), _load(workspace, name), None, now)


def is_due(workspace: Workspace, now: datetime) -> bool:
    """Say whether there is something that :func:`remind` or :func:`tell_damaged` tells, or sends."""
    lasting = (
        _lasts(schedule, state, _load(workspace, schedule.name), now) for schedule, state in list_schedules(workspace)
    )
    news = any(_is_news(workspace, name, now) for name in damaged_schedules(workspace))
    return news or any(lasting) or bool(_waiting(workspace, now))


def _lasts(schedule: Schedule, state: ScheduleState, told: Told, now: datetime) -> bool:
    is_told = bool(told.told) and now - datetime.fromisoformat(told.told) >= timedelta(days=1)
    return is_told and bool(state.failures) and not schedule.is_paused


def _waiting(workspace: Workspace, now: datetime) -> list[str]:
    """Return the schedules of which messages wait and were not tried just now."""
    names = [path.stem for path in sorted(workspace.place(FOLDER, TOLD).glob("[!.]*.json"))]
    waiting = {name: told for name in names if (told := _load(workspace, name)).unsent}
    return [name for name, told in waiting.items() if now - datetime.fromisoformat(told.tried) >= RESEND]


def _tell(
    workspace: Workspace, schedule: Schedule, told: Told, notice: Notice | None, now: datetime
) -> bool | Message | None:
    """Save what is told, send it with what waits, and keep what could not be sent.

    It is saved before it is sent: a message that is sent twice is better than one that is sent each minute.
    """
    path = workspace.folder(FOLDER, TOLD) / f"{schedule.name}.json"
    ways = channels(Environment.from_environment())
    unsent = [_still(one, ways) for one in told.unsent]
    if notice is not None:
        unsent = [
            one for one in unsent if (one.kind == "missed") != (notice.kind == "missed")
        ]  # a newer one replaces it
        unsent.append(replace(notice, left=ways))
    unsent = [one for one in unsent if one.left]
    if notice is None and not unsent and told == _load(workspace, schedule.name):
        return None
    told = replace(told, tried=iso(now) if unsent else "", unsent=tuple(unsent))
    write_json(path, told.to_json())
    results = [_send(one) for one in unsent]
    left = tuple(one for one, _ in results if one.left)
    if unsent:
        write_json(path, replace(told, unsent=left).to_json())
    if notice is None:
        return None
    fault = next((fault for _, fault in results if fault is not None), None)
    return fault or any(len(one.left) < len(ways) for one, _ in results)


def _still(notice: Notice, ways: Iterable[str]) -> Notice:
    return replace(notice, left=tuple(way for way in notice.left if way in ways))


def _send(notice: Notice) -> tuple[Notice, Message | None]:
    """Send a message by all ways that are left; return it with those that failed, and the first failure."""
    environment, (subject, text), left, fault = Environment.from_environment(), notice.text(), [], None
    facts = {"schedule": notice.params["name"], "kind": notice.kind}
    for way in notice.left:
        try:
            deliver(way, environment, subject, text, chat_payload(environment.webhook_url, subject, [text], facts))
        except ClvError as failure:
            left.append(way)
            fault = fault or Message(failure.code, failure.params)
    return replace(notice, left=tuple(left)), fault


def _load(workspace: Workspace, name: str) -> Told:
    path: Path = workspace.place(FOLDER, TOLD) / f"{name}.json"
    if path.exists():
        with suppress(OSError, ValueError, Refused):  # a file that is damaged tells a failure once more, at worst
            return Told.from_json(read_json(path))
        log.error("%s cannot be read", path.name)
    return Told()
