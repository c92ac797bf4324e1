"""Uploaded files are read in separate processes: a file that crashes its reader crashes nothing else.

A reader is ``python -m clv_core.reader_process``. It takes calls on its standard input and answers on its standard
output, and ends with the process that started it. Readers are reused, as Python takes long to start. A pool of
``multiprocessing`` (pebble's, too) would run the page's script anew in each worker, and ends none by its memory.
"""

from __future__ import annotations

import atexit
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from clv_core import scratch
from clv_core.errors import ClvError, Refused, traced
from clv_core.workspace import Workspace

P = ParamSpec("P")
T = TypeVar("T")
MAX_READERS: Final = max(2, os.cpu_count() or 1)
"""At a time; further calls wait."""
MAX_SECONDS: Final = 600
"""For one file. A guess, well above what a full worksheet takes: a file made to be slow would never end."""
MAX_IDLE_BYTES: Final = 260_000_000
"""A reader that holds more after its call is ended: Python rarely returns memory."""

_slots = threading.BoundedSemaphore(MAX_READERS)
_idle: queue.LifoQueue[subprocess.Popen[bytes]] = queue.LifoQueue(MAX_READERS)


def run(workspace: Workspace, file: Path, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``function`` returns in another process, or raise what it raises there.

    Args:
        workspace: where its intermediate files go.
        file: what is read, for error messages.
        function: a function of a module; it, its arguments and its result are pickled.
        args: of the function.
        kwargs: of the function.

    Raises:
        Refused: the process ended before it answered, or it took longer than :data:`MAX_SECONDS`.
    """
    with _slots:
        reader = _reader()
        limit = threading.Timer(MAX_SECONDS, reader.kill)
        limit.start()
        try:
            assert reader.stdin is not None and reader.stdout is not None  # noqa: S101 - both are pipes
            pickle.dump((workspace, function, args, kwargs), reader.stdin)
            reader.stdin.flush()
            result, error = pickle.load(reader.stdout)  # noqa: S301 - our own process
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            _end(reader)
            scratch.sweep_killed(workspace)
            raise Refused("reader_ended", file=file.name, minutes=MAX_SECONDS // 60) from None
        except BaseException:  # Streamlit reruns the page: the next call would get this answer
            _end(reader)
            raise
        finally:
            limit.cancel()
        _release(reader)
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def _reader() -> subprocess.Popen[bytes]:
    try:
        while (reader := _idle.get_nowait()).poll() is not None:
            _end(reader)
    except queue.Empty:
        command = [sys.executable, "-m", "clv_core.reader_process"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return reader


def _release(reader: subprocess.Popen[bytes]) -> None:
    if _memory_bytes(reader.pid) > MAX_IDLE_BYTES or _idle.full():
        _end(reader)
    else:
        _idle.put(reader)


def _memory_bytes(process: int) -> int:
    """Return the memory of a process, 0 where the system has no /proc."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _end(reader: subprocess.Popen[bytes]) -> None:
    for pipe in (reader.stdin, reader.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:  # the reader has ended, and written text is left
                pass
    reader.kill()
    reader.wait()


@atexit.register
def _end_all() -> None:
    while not _idle.empty():
        _end(_idle.get_nowait())


def _serve() -> None:
    """Answer calls until the standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that libraries that print do not break the protocol
    while True:
        try:
            workspace, function, args, kwargs = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own process
        except EOFError:
            return
        scratch.work_in(workspace)
        result, error = None, None
        try:
            result = function(*args, **kwargs)
        except Exception as raised:
            error = raised
            if not isinstance(error, ClvError):
                print(traced(error), file=sys.stderr, flush=True)
        pickle.dump((result, error), answers)
        answers.flush()


if __name__ == "__main__":
    _serve()
