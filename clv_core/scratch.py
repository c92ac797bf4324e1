"""Intermediate files of a process lie in the workspace that it works on: customers' rows are nowhere else.

    scratch/<process>/      spilled queries, tables under way; removed when the process ends
    datasets/.reading-...   logs that are being read (:func:`clv_core.locks.own_folder`)

What a killed process leaves is swept when the next one starts, and by an erasure. A process that was told of no
workspace, or of one that it may only read, takes the system's folder for temporary files.
"""

from __future__ import annotations

import atexit
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from clv_core.errors import UsageError
from clv_core.locks import HELD, own_folder, sweep
from clv_core.workspace import Workspace

FOLDER: Final = "scratch"
READING: Final = ".reading-"
"""Prefix of the folders in ``datasets/`` in which logs are read."""

_folders: dict[Path, Path] = {}
"""This process's folder in each workspace, by the workspace's."""
_current: Workspace | None = None
_making = threading.RLock()
_open = ExitStack()
atexit.register(_open.close)


def work_in(workspace: Workspace) -> None:
    """Keep this process's intermediate files in a workspace from now on, and sweep what killed processes left there."""
    global _current
    with _making:
        if _current != workspace:
            _current = workspace
            sweep_killed(workspace)


def sweep_killed(workspace: Workspace) -> None:
    """Remove the intermediate files of processes that have ended."""
    if not workspace.read_only:
        with suppress(OSError):  # another account's
            sweep(workspace, FOLDER, "")
            sweep(workspace, "datasets", READING)


def held_elsewhere(workspace: Workspace) -> list[Path]:
    """Return the folders with intermediate files of other processes, which are still running."""
    own = _folders.get(workspace.root)
    folders = (path for path in sorted(workspace.place(FOLDER).glob("*")) if path.is_dir() and path != own)
    return [path for path in folders if any(one.is_file() and one.name != HELD for one in path.rglob("*"))]


def scratch_folder() -> Path:
    """Return the folder for this process's intermediate files, made on first use."""
    with _making:
        if _current is None or not _current.root.is_dir() or _current.read_only:
            return Path(tempfile.gettempdir())
        folder = _folders.get(_current.root)
        if folder is None or not folder.is_dir():
            try:
                folder = _open.enter_context(own_folder(_current, FOLDER, "process-"))
            except (OSError, UsageError):  # another account's
                return Path(tempfile.gettempdir())
            _folders[_current.root] = folder
        return folder


def new_folder(prefix: str) -> Path:
    """Return a new folder that goes with the process, or when whoever asked for it removes it."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=scratch_folder()))


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Yield a new folder that goes at the end."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=scratch_folder()) as folder:
        yield Path(folder)


def spill_place() -> Path:
    """Return where one database may spill; it makes the folder when it does, and removes it when it is closed."""
    return scratch_folder() / f"clv-spill-{uuid.uuid4().hex[:12]}"
