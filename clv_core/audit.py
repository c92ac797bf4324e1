"""The audit log: who did what, and when. One JSON line for each action, append-only; no line names a customer.

``workspace/audit/log.jsonl``: ``{at, who, action, ..., number, previous}``. Other fields are a closed list
(:data:`FACTS`), so that no id, address or other personal data can slip in. ``number`` and ``previous`` make the lines a
chain (:mod:`clv_core.audit_chain`).
"""

from __future__ import annotations

import getpass
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from clv_core import audit_chain
from clv_core.audit_chain import CHECKPOINT, NUMBER, PREVIOUS, Head, Line, Verification
from clv_core.environment import Environment
from clv_core.locks import writing
from clv_core.records import JsonObject
from clv_core.workspace import Workspace, append_record, atomic_path, latest_records

FOLDER: Final = "audit"
FILE: Final = "log.jsonl"

FACTS: Final = (
    *("dataset", "renamed", "model", "format", "rows", "customers", "version", "certificate", "key", "outcome", "role"),
    *("source", "schedule", "destination", "purpose", "card", CHECKPOINT, "findings", "kind", "days"),
)
PRUNE: Final = "audit prune"
"""The action of the line that says what was pruned from the log itself."""
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
    path = path_of(workspace)
    with writing(path):
        append_record(path, _chained(audit_chain.head_of(path), _record(action, **facts)), 0o600)


def lines(workspace: Workspace, most: int | None = None) -> list[JsonObject]:
    """Return the lines of the log, the latest first, without a line that a crash cut off."""
    records = latest_records(workspace.place(FOLDER) / FILE)
    return list(islice((line for line in records if isinstance(line, dict) and line.get("action") != CHECKPOINT), most))


def head(workspace: Workspace) -> Head:
    """Return how many lines the log has had and the hash of the last one."""
    return audit_chain.head_of(workspace.place(FOLDER) / FILE)


def verify(workspace: Workspace, earlier: Head | None = None) -> Verification:
    """Return what the log's chain says of it, compared with an ``earlier`` head of it where there is one."""
    path = workspace.place(FOLDER) / FILE
    return audit_chain.verify(path.read_bytes() if path.exists() else b"", earlier)


def prune(workspace: Workspace, before: datetime, *, dry_run: bool = False) -> int:
    """Remove the log's lines from before a time, and return how many.

    The log then begins with a checkpoint, the count and hash of the last line removed, and a line of the chain repeats
    it; it also has the number of findings where the log had been tampered with.

    Args:
        workspace: whose log.
        before: the time, with a zone.
        dry_run: whether they are only counted.
    """
    path, limit = path_of(workspace), before.astimezone(UTC).isoformat(timespec="seconds")
    with writing(path):
        raw = path.read_bytes() if path.exists() else b""
        start, stored = audit_chain.split_checkpoint(audit_chain.read_log(raw))
        kept = next((place for place, line in enumerate(stored) if _at(line) >= limit), len(stored))
        if not kept or dry_run:
            return kept
        after = [*audit_chain.heads(start, stored)]
        cut, found = str(after[kept - 1]), audit_chain.verify(raw).found
        sealed = _chained(after[-1], _record(PRUNE, rows=kept, checkpoint=cut, findings=found or None, outcome="done"))
        first = {**_record(CHECKPOINT), CHECKPOINT: cut}
        texts = [json.dumps(record, ensure_ascii=False).encode() for record in (first, sealed)]
        with atomic_path(path) as temporary:
            temporary.touch(0o600)
            temporary.write_bytes(b"\n".join([texts[0], *(line.raw for line in stored[kept:]), texts[1], b""]))
            shutil.copymode(path, temporary)
        return kept


def _record(action: str, **facts: str | int | None) -> JsonObject:
    given = {name: value for name, value in facts.items() if value not in (None, "")}
    return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "who": actor(), "action": action, **given}


def _chained(before: Head, record: JsonObject) -> JsonObject:
    """Return a record as the line that follows a head."""
    return {**record, NUMBER: before.count + 1, PREVIOUS: before.hash}


def _at(line: Line) -> str:
    """Return when a line was written, as text; "" where it does not say."""
    at = (line.record or {}).get("at")
    return at if isinstance(at, str) else ""


def path_of(workspace: Workspace) -> Path:
    """Return the log file."""
    return workspace.folder(FOLDER) / FILE
