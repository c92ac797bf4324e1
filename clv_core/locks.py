"""Who may work in a workspace at the same time: locks that the kernel frees when a process ends, however it ends.

    locks/runs.lock              held by all runs together, and by an erasure alone
    locks/datasets/<name>.lock   held by whoever makes a version, from reading the one in use to turning to the new one
    locks/runs/<run>.lock        held by a run that keeps its state in runs/<run>
    <folder>/held                held by a run in the folder for its intermediate files (:func:`own_folder`)

Nobody waits for these: a run that finds one taken is refused at once, so that no two can wait for each other. Who
changes a small file (:func:`writing`) holds its ``.<name>.lock`` for as long as that takes, and others wait.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from clv_core.errors import Refused
from clv_core.workspace import Workspace, check_name

P = ParamSpec("P")
T = TypeVar("T")
FOLDER: Final = "locks"
RUNS: Final = "runs.lock"
HELD: Final = "held"

_held: ContextVar[frozenset[tuple[Path, int]]] = ContextVar("held", default=frozenset())
"""Locks of this thread: the file, and how it is held."""


@contextmanager
def running(workspace: Workspace) -> Iterator[None]:
    """Keep an erasure out while something of customers is read or written; other runs may go on beside it.

    In a workspace that this account may only read, a lock that nobody else has made is not needed.

    Raises:
        Refused: customers are being erased.
    """
    path = workspace.place(FOLDER) / RUNS
    if workspace.read_only and not path.exists():
        yield
        return
    with _lock(workspace.folder(FOLDER) / RUNS, fcntl.LOCK_SH, Refused("erasure_running")):
        yield


@contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """Keep every run out of the workspace.

    Raises:
        Refused: there is one.
    """
    with _lock(workspace.folder(FOLDER) / RUNS, fcntl.LOCK_EX, Refused("workspace_in_use")):
        yield


@contextmanager
def changing(workspace: Workspace, name: str) -> Iterator[None]:
    """Keep everybody else from changing the dataset ``name``, which need not be there yet.

    Raises:
        Refused: somebody is changing it, or customers are being erased; or it is no name.
    """
    path = workspace.folder(FOLDER, "datasets") / f"{check_name(name)}.lock"
    with running(workspace), _lock(path, fcntl.LOCK_EX, Refused("dataset_changing", name=name)):
        yield


@contextmanager
def going_on(workspace: Workspace, run: str, dataset: str) -> Iterator[None]:
    """Keep everybody else from ``runs/<run>``, the state of a run that trains on ``dataset``.

    Raises:
        Refused: that run is going on, or customers are being erased.
    """
    path = workspace.folder(FOLDER, "runs") / f"{run}.lock"
    with running(workspace), _lock(path, fcntl.LOCK_EX, Refused("run_going_on", name=dataset)):
        yield


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Wait for who is changing a small file, and keep others waiting while it is read, changed and written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def own_folder(workspace: Workspace, place: str, prefix: str) -> Iterator[Path]:
    """Yield a new folder for intermediate files, which goes at the end; those that killed runs left go first.

    Args:
        workspace: whose.
        place: folder of the workspace that it is made in.
        prefix: of its name, and of the names of those that go.
    """
    parent = workspace.folder(place)
    sweep(workspace, place, prefix)
    with ExitStack() as stack:
        with writing(workspace.folder(FOLDER) / place):  # nobody takes a folder for left that is not held yet
            folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            held = stack.enter_context((folder / HELD).open("w"))
            fcntl.flock(held, fcntl.LOCK_EX)
        yield folder


def sweep(workspace: Workspace, place: str, prefix: str) -> None:
    """Remove the folders of :func:`own_folder` that killed runs left."""
    found = [path for path in workspace.place(place).glob(f"{prefix}*") if path.is_dir()]
    if found:
        with writing(workspace.folder(FOLDER) / place):
            for path in filter(_left, found):
                shutil.rmtree(path, ignore_errors=True)


def _left(folder: Path) -> bool:
    """Say whether nobody works in a folder of :func:`own_folder` any more."""
    if not folder.is_dir():
        return False
    try:
        with (folder / HELD).open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or another account's
        return False
    return True


def changes(function: Callable[Concatenate[Workspace, str, P], T]) -> Callable[Concatenate[Workspace, str, P], T]:
    """Return a function that holds :func:`changing` on the dataset that its second argument names."""

    @wraps(function)
    def held(workspace: Workspace, name: str, /, *words: P.args, **named: P.kwargs) -> T:
        with changing(workspace, name):
            return function(workspace, name, *words, **named)

    return held


@contextmanager
def _lock(path: Path, how: int, refusal: Refused) -> Iterator[None]:
    """Hold a lock; one that this thread holds already is held on, where it keeps as many others out."""
    if {(path, how), (path, fcntl.LOCK_EX)} & _held.get():
        yield
        return
    shut = how == fcntl.LOCK_SH and path.exists() and not os.access(path, os.W_OK)
    descriptor = os.open(path, os.O_RDONLY if shut else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refusal from None
        token = _held.set(_held.get() | {(path, how)})
        try:
            yield
        finally:
            _held.reset(token)
    finally:
        os.close(descriptor)
