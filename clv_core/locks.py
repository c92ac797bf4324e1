"""Who may work in a workspace at the same time: locks that the kernel frees when a process ends, however it ends.

    locks/runs.lock              shared by all runs, exclusive to an erasure
    locks/datasets/<name>.lock   held while a version is made, from reading the current one to switching to the new one
    locks/runs/<run>.lock        held by a run that keeps its state in runs/<run>

Nobody waits for these: a run that needs a lock that is held is refused at once, so that no two can wait for each other.
Whoever changes a small file (:func:`writing`) holds its ``.<name>.lock`` for as long as that takes, and others wait.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

_held: ContextVar[frozenset[tuple[Path, int]]] = ContextVar("held", default=frozenset())
"""Locks of this thread: the file, and how it is held."""


@contextmanager
def running(workspace: Workspace) -> Iterator[None]:
    """Keep erasures out while customers' data is read or written; other runs may work at the same time.

    In a workspace that this account may only read, a lock file that nobody else has made is not needed.

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
def exclusive_lock(workspace: Workspace) -> Iterator[None]:
    """Keep every run out of the workspace.

    Raises:
        Refused: there is one.
    """
    with _lock(workspace.folder(FOLDER) / RUNS, fcntl.LOCK_EX, Refused("workspace_in_use")):
        yield


@contextmanager
def changing(workspace: Workspace, name: str) -> Iterator[None]:
    """Keep others from changing the dataset ``name``, which need not exist yet.

    Raises:
        Refused: another run changes it, customers are being erased, or it is not a valid name.
    """
    path = workspace.folder(FOLDER, "datasets") / f"{check_name(name)}.lock"
    with running(workspace), _lock(path, fcntl.LOCK_EX, Refused("dataset_changing", name=name)):
        yield


def changes(function: Callable[Concatenate[Workspace, str, P], T]) -> Callable[Concatenate[Workspace, str, P], T]:
    """Return a function that holds :func:`changing` on the dataset that its second argument names."""

    @wraps(function)
    def locked(workspace: Workspace, name: str, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with changing(workspace, name):
            return function(workspace, name, *args, **kwargs)

    return locked


@contextmanager
def run_lock(workspace: Workspace, run: str, dataset: str, refusal: str = "run_going_on") -> Iterator[None]:
    """Keep others from ``runs/<run>``, the state of a run that trains on ``dataset``.

    Raises:
        Refused: another process continues that run (``refusal``, about ``dataset``), or customers are being erased.
    """
    path = workspace.folder(FOLDER, "runs") / f"{run}.lock"
    with running(workspace), _lock(path, fcntl.LOCK_EX, Refused(refusal, name=dataset)):
        yield


@contextmanager
def held_lock(path: Path, refusal: Refused) -> Iterator[None]:
    """Hold a lock of one's own for as long as the context lasts.

    Raises:
        Refused: ``refusal``, where another process holds it.
    """
    with _lock(path, fcntl.LOCK_EX, refusal):
        yield


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Hold the exclusive lock of a small file while it is read, changed and written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _lock(path: Path, mode: int, refusal: Refused) -> Iterator[None]:
    """Hold a lock; one that this thread already holds in this mode, or exclusively, is held on."""
    if {(path, mode), (path, fcntl.LOCK_EX)} & _held.get():
        yield
        return
    read_only = mode == fcntl.LOCK_SH and path.exists() and not os.access(path, os.W_OK)
    descriptor = os.open(path, os.O_RDONLY if read_only else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refusal from None
        token = _held.set(_held.get() | {(path, mode)})
        try:
            yield
        finally:
            _held.reset(token)
    finally:
        os.close(descriptor)
