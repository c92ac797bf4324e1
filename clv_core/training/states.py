"""Where a run keeps what it goes on from after a kill: ``runs/<dataset>-<identity>``, held by one run at a time."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from clv_core.disk import disk_error
from clv_core.errors import Cancelled, Refused
from clv_core.locks import run_lock
from clv_core.workspace import Workspace

KEPT_DAYS: Final = 7
"""Days for which the state of a killed run is kept, so that it can be resumed."""
JOURNAL: Final = "journal.log"
"""What a search has tried, in its folder: it holds nothing of a customer, and only the search's end removes it."""


def identity(*parts: Any) -> str:
    """Return a short name for a run: the hash of everything that decides its result (JSON types only)."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def state_folder(workspace: Workspace, dataset: str, *decides: Any) -> Iterator[Path]:
    """Yield the folder of the run that ``decides`` identifies, which may hold the state of a killed one.

    It goes when the run is done. When it is stopped or refused, or the disk is full, where it would be in the way of
    all else, everything goes but the :data:`JOURNAL`. A run that is killed or fails otherwise leaves it to the next one
    of the same dataset and settings; where none came within :data:`KEPT_DAYS`, as for a log that grew since, the next
    run of the dataset does with it as after a stop.

    Args:
        workspace: where.
        dataset: name of the dataset, which need not decide anything: a renamed one's folders follow it.
        decides: all that the result depends on (JSON types only).

    Raises:
        Refused: the same run is going on, or customers are being erased.
    """
    name = f"{dataset}-{identity(*decides)}"
    folder = workspace.runs / name
    with run_lock(workspace, name, dataset):
        folder.mkdir(exist_ok=True)
        _clear_old(workspace, dataset, folder)
        try:
            yield folder
        except (Cancelled, Refused, KeyboardInterrupt):
            _clear(folder)
            raise
        except Exception as error:
            if (failure := disk_error(error, [folder])) and failure.code == "disk_full":
                _clear(folder)
            raise
        shutil.rmtree(folder, ignore_errors=True)


def states_of(workspace: Workspace, dataset: str) -> list[Path]:
    """Return the folders of a dataset's runs that were cut off or are going on."""
    pattern = re.compile(rf"{re.escape(dataset)}-[0-9a-f]{{16}}")
    return [path for path in sorted((workspace.root / "runs").glob("*")) if pattern.fullmatch(path.name)]


def move_states(workspace: Workspace, dataset: str, new: str) -> None:
    """Let the folders of a renamed dataset's runs bear its new name."""
    for path in states_of(workspace, dataset):
        target = path.with_name(new + path.name.removeprefix(dataset))
        shutil.rmtree(target, ignore_errors=True)
        os.rename(path, target)


def check_no_run(workspace: Workspace, dataset: str) -> None:
    """Refuse while a run is going on that trains on a dataset, whoever started it.

    Raises:
        Refused: there is one.
    """
    for path in states_of(workspace, dataset):
        with run_lock(workspace, path.name, dataset):
            pass


def _clear_old(workspace: Workspace, dataset: str, current: Path) -> None:
    """Remove what runs of a dataset left that were killed long ago."""
    oldest = time.time() - KEPT_DAYS * 86_400
    for folder in states_of(workspace, dataset):
        with suppress(Refused, FileNotFoundError):
            if folder != current and all(path.stat().st_mtime < oldest for path in (folder, *folder.rglob("*"))):
                with run_lock(workspace, folder.name, dataset):
                    _clear(folder)


def _clear(folder: Path) -> None:
    for path in folder.glob("*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != JOURNAL:
            path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
