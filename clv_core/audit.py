"""The audit log: who did what, and when. One JSON line an action, only ever added to; no line names a customer.

``workspace/audit/log.jsonl``: ``{at, who, action, ...}``. What a line may say beside these is a closed list
(:data:`FACTS`), so that no id, no address and no text of a person's data can slip in.
"""

from __future__ import annotations

import getpass
import os
from contextvars import ContextVar
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from clv_core.workspace import Workspace, append_record, latest_records

FOLDER: Final = "audit"
FILE: Final = "log.jsonl"
ACTOR: Final = "CLV_ACTOR"
"""Environment variable that tells a run who started it."""

FACTS: Final = (
    *("dataset", "renamed", "model", "format", "rows", "customers", "version", "certificate", "key", "outcome", "role"),
)
_actor: ContextVar[str] = ContextVar("actor", default="")


def acting_as(who: str) -> None:
    """Say who acts from now on in this thread, "" for the account that runs the program."""
    _actor.set(who)


def actor() -> str:
    """Return who acts: the person who is signed in, who started the run, or the account that runs the program."""
    try:
        return _actor.get() or os.environ.get(ACTOR) or getpass.getuser()
    except (OSError, KeyError):
        return ""


def note(workspace: Workspace, action: str, **facts: str | int | None) -> None:
    """Add a line to the audit log of a workspace.

    Args:
        workspace: whose log.
        action: what was done, a word of the command line or ``login``.
        facts: some of :data:`FACTS`; None and "" are left out.

    Raises:
        ValueError: a fact that no line may hold.
    """
    if unknown := set(facts) - set(FACTS):
        raise ValueError(f"the audit log takes no {', '.join(sorted(unknown))}")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    kept = {name: value for name, value in facts.items() if value not in (None, "")}
    append_record(path_of(workspace), {"at": at, "who": actor(), "action": action, **kept}, 0o600)


def lines(workspace: Workspace, most: int | None = None) -> list[dict[str, Any]]:
    """Return the lines of the log, the latest first; one that was cut off by a crash is left out."""
    return list(islice(latest_records(workspace.place(FOLDER) / FILE), most))


def path_of(workspace: Workspace) -> Path:
    """Return where the log lies."""
    return workspace.folder(FOLDER) / FILE
