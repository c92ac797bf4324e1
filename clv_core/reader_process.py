"""Files of strangers are read in a process of their own: one that ends its reader ends nothing else.

A reader is ``python -m clv_core.reader_process``. It takes calls on its standard input and answers on its standard
output, one after the other, and ends with the process that began it. It waits for the next call, so that only the
first calls wait for Python to begin.
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
MOST_READERS: Final = max(2, os.cpu_count() or 1)
"""At a time; further calls wait."""
LONGEST_SECONDS: Final = 600
KEPT_BYTES: Final = 260_000_000
"""A reader that holds more after its call ends: what Python has once taken it keeps."""

_places = threading.BoundedSemaphore(MOST_READERS)
_waiting: queue.LifoQueue[subprocess.Popen[bytes]] = queue.LifoQueue(MOST_READERS)


def run(workspace: Workspace, file: Path, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``function`` returns in another process, or raise what it raises there.

    Args:
        workspace: where its intermediate files go.
        file: what is read, for the sentence that says so.
        function: a function of a module; it, its arguments and its result are pickled.
        args: of the function.
        kwargs: of the function.

    Raises:
        Refused: the process ended before it answered, or it took longer than :data:`LONGEST_SECONDS`.
    """
    with _places:
        reader = _reader()
        limit = threading.Timer(LONGEST_SECONDS, reader.kill)
        limit.start()
        try:
            assert reader.stdin is not None and reader.stdout is not None  # noqa: S101 - both are pipes
            pickle.dump((workspace, function, args, kwargs), reader.stdin)
            reader.stdin.flush()
            result, error = pickle.load(reader.stdout)  # noqa: S301 - our own process
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            _end(reader)
            scratch.sweep_killed(workspace)
            raise Refused("reader_ended", file=file.name, minutes=LONGEST_SECONDS // 60) from None
        except BaseException:  # the page is run anew meanwhile: its answer would be taken for that of the next call
            _end(reader)
            raise
        finally:
            limit.cancel()
        _keep(reader)
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def _reader() -> subprocess.Popen[bytes]:
    try:
        while (reader := _waiting.get_nowait()).poll() is not None:
            _end(reader)
    except queue.Empty:
        command = [sys.executable, "-m", "clv_core.reader_process"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return reader


def _keep(reader: subprocess.Popen[bytes]) -> None:
    if _held_bytes(reader.pid) > KEPT_BYTES or _waiting.full():
        _end(reader)
    else:
        _waiting.put(reader)


def _held_bytes(process: int) -> int:
    """Return the memory of a process, 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _end(reader: subprocess.Popen[bytes]) -> None:
    for pipe in (reader.stdin, reader.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:  # it was written to, and nobody reads
                pass
    reader.kill()
    reader.wait()


@atexit.register
def _end_all() -> None:
    while not _waiting.empty():
        _end(_waiting.get_nowait())


def _serve() -> None:
    """Answer calls until nobody calls any more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed is no answer
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
