"""Drafts: the files in hand and the answers about them, kept for a day beside the files, for their owner alone.

A draft lies in the folder of the files under ``uploads``: it goes with them when they are dropped, saved or erased.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from clv_core.collection import Answers
from clv_core.errors import ClvError
from clv_core.records import StoredRecord
from clv_core.upkeep import SAMPLE
from clv_core.workspace import read_json, write_json
from pages.ui import access, received, session

DRAFT_FILE: Final = "draft.json"
KEPT_SECONDS: Final = 86_400
"""A day."""


@dataclass(frozen=True)
class Draft(StoredRecord):
    """What a person had in hand.

    Args:
        owner: who; "" where nobody signs in.
        paths: the files.
        answers: what was answered about them, as :class:`Answers` has it.
    """

    FILE: ClassVar[str] = DRAFT_FILE
    owner: str
    paths: tuple[str, ...]
    answers: dict[str, Any]


def keep(folder: Path, paths: Sequence[Path], given: dict[str, Any]) -> None:
    """Write the current user's draft into the folder of its files; one that was removed stays so."""
    if folder.is_dir():
        write_json(folder / DRAFT_FILE, Draft(access.current_user(), tuple(map(str, paths)), given).to_json())


def forget(folder: Path) -> None:
    """Remove a draft, not its files: a run has them now, and is offered to a new session itself."""
    (folder / DRAFT_FILE).unlink(missing_ok=True)


def latest() -> tuple[Path, tuple[Path, ...], dict[str, Any]] | None:
    """Return the folder, files and answers of the current user's latest draft; older ones than a day are removed."""
    uploads = session.workspace().folder("uploads")
    received.sweep(uploads)
    if not access.may("change"):
        return None
    found = [path for path in uploads.glob(f"*/{DRAFT_FILE}") if time.time() - path.stat().st_mtime <= KEPT_SECONDS]
    for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            draft = Draft.from_json(read_json(path))
            Answers.exactly({**Answers().to_json(), **draft.answers})
            if draft.paths and draft.owner == access.current_user():
                return path.parent, tuple(_checked(Path(text), path.parent) for text in draft.paths), draft.answers
        except (ClvError, ValueError, OSError):
            continue
    return None


def _checked(path: Path, folder: Path) -> Path:
    """Return a file that may still be read: one of ours, or one that the person may still name."""
    if path == SAMPLE or path.parent == folder and path.is_file():
        return path
    return received.checked_path(str(path))
