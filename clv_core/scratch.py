"""Intermediate files of a process lie in the workspace that it works on: customers' rows are nowhere else.

    scratch/process-.../    spilled queries and unfinished tables of a process; removed when it ends
    datasets/.reading-...   logs that are being read
    uploads/browser-...     files that browsers have sent to the app, until a page has copied them

Each such folder holds a file ``held`` that its process locks. What a killed process leaves is removed when the next
one starts, and by an erasure. A process without a workspace, or with a read-only one, uses the system's folder for
temporary files.
"""

from __future__ import annotations

import atexit
import fcntl
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from clv_core import locks
from clv_core.errors import UsageError
from clv_core.locks import writing
from clv_core.workspace import Workspace

FOLDER: Final = "scratch"
READING: Final = ".reading-"
"""Prefix of the folders in ``datasets/`` in which logs are read."""
UPLOADS: Final = "uploads"
SENT: Final = "browser-"
"""Folder of what people uploaded, and prefix of the folders in it that hold what no page has copied yet."""
LOCK_FILE: Final = "held"

_folders: dict[Path, Path] = {}
"""This process's folder in each workspace, by the workspace's root."""
_current: Workspace | None = None
_making = threading.RLock()
_open = ExitStack()
atexit.register(_open.close)


def work_in(workspace: Workspace) -> None:
    """Keep intermediate files in a workspace from now on, and remove those that killed processes left there."""
    global _current
    with _making:
        if _current != workspace:
            _current = workspace
            sweep_killed(workspace)


def sweep_killed(workspace: Workspace) -> None:
    """Remove the intermediate files of processes that have ended."""
    if not workspace.read_only:
        with suppress(OSError):  # another account's
            _sweep(workspace, FOLDER, "")
            _sweep(workspace, "datasets", READING)
            _sweep(workspace, UPLOADS, SENT)


def held_elsewhere(workspace: Workspace) -> list[Path]:
    """Return the folders with intermediate files of other processes that are still running."""
    process_folder = _folders.get(workspace.root)
    folders = (path for path in sorted(workspace.place(FOLDER).glob("*")) if path.is_dir() and path != process_folder)
    return [path for path in folders if any(file.is_file() and file.name != LOCK_FILE for file in path.rglob("*"))]


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
    """Return a new folder that lasts as long as the process, if its caller does not remove it before."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=scratch_folder()))


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Yield a new folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=scratch_folder()) as folder:
        yield Path(folder)


def spill_place() -> Path:
    """Return where one database may spill; it makes the folder when it does, and removes it when it is closed."""
    return scratch_folder() / f"clv-spill-{uuid.uuid4().hex[:12]}"


@contextmanager
def own_folder(workspace: Workspace, place: str, prefix: str) -> Iterator[Path]:
    """Yield a new folder for intermediate files, removed at the end; those of killed processes are removed first.

    Args:
        workspace: whose.
        place: folder of the workspace that it is made in.
        prefix: of its name, and of the names of those that are removed.
    """
    parent = workspace.folder(place)
    _sweep(workspace, place, prefix)
    with ExitStack() as stack:
        with writing(_lock_path(workspace, place)):  # nobody sweeps a folder that is not locked yet
            folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            lock = stack.enter_context((folder / LOCK_FILE).open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _sweep(workspace: Workspace, place: str, prefix: str) -> None:
    """Remove the folders of :func:`own_folder` that killed processes left."""
    folders = [path for path in workspace.place(place).glob(f"{prefix}*") if path.is_dir()]
    if folders:
        with writing(_lock_path(workspace, place)):
            for folder in filter(_is_left, folders):
                shutil.rmtree(folder, ignore_errors=True)


def _lock_path(workspace: Workspace, place: str) -> Path:
    return workspace.folder(locks.FOLDER) / place


def _is_left(folder: Path) -> bool:
    """Return whether no process works in a folder of :func:`own_folder` any more."""
    if not folder.is_dir():
        return False
    try:
        with (folder / LOCK_FILE).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked, or another account's
        return False
    return True
