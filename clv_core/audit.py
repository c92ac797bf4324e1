"""The audit log: who did what, and when. One JSON line for each action, append-only; no line names a customer.

``workspace/audit/log.jsonl``: ``{at, who, action, ...}``. Other fields are a closed list (:data:`FACTS`), so that no
id, address or other personal data can slip in.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from clv_core.environment import Environment
from clv_core.records import JsonObject
from clv_core.workspace import Workspace, append_record, latest_records

FOLDER: Final = "audit"
FILE: Final = "log.jsonl"

FACTS: Final = (
    *("dataset", "renamed", "model", "format", "rows", "customers", "version", "certificate", "key", "outcome", "role"),
    *("source", "schedule", "destination", "purpose"),
)
_actor: ContextVar[str] = ContextVar("actor", default="")


def set_actor(who: str) -> None:
    """Set who acts from now on in this thread, "" for the account that runs the program."""
    _actor.set(who)


@contextmanager
def acting_as(who: str) -> Iterator[None]:
    """Let ``who`` act in this thread until the block ends."""
    before = _actor.set(who)
    try:
        yield
    finally:
        _actor.reset(before)


def actor() -> str:
    """Return who acts: the signed-in person, whoever started the run, or the account that runs the program."""
    try:
        return _actor.get() or Environment.from_environment().actor or getpass.getuser()
    except (OSError, KeyError):
        return ""


def note(workspace: Workspace, action: str, **facts: str | int | None) -> None:
    """Add a line to the audit log of a workspace.

    Args:
        workspace: whose log.
        action: a word of the command line or ``login``.
        facts: some of :data:`FACTS`; None and "" are left out.

    Raises:
        ValueError: a fact that is not in the list.
    """
    if unknown := set(facts) - set(FACTS):
        raise ValueError(f"the audit log takes no {', '.join(sorted(unknown))}")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    given = {name: value for name, value in facts.items() if value not in (None, "")}
    append_record(path_of(workspace), {"at": at, "who": actor(), "action": action, **given}, 0o600)


def lines(workspace: Workspace, most: int | None = None) -> list[JsonObject]:
    """Return the lines of the log, the latest first, without a line that a crash cut off."""
    return list(islice(latest_records(workspace.place(FOLDER) / FILE), most))


def path_of(workspace: Workspace) -> Path:
    """Return the log file."""
    return workspace.folder(FOLDER) / FILE
