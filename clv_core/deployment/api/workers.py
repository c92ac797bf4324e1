"""Workers: a :class:`~clv_core.deployment.api.model_runner.ModelRunner` in a process or a thread of its own.

The process that answers HTTP must not wait for one that computes, and in Python two threads wait for each other:
scoring in its own process took p99 of the blend to 0.68 (at 0.7 of the rate under a crowd). Customers go there as one
JSON line a call, and figures come back; no object is ever unpickled.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json, to_json

from clv_core import errors
from clv_core.deployment.api.model_info import MODEL_INFO, ModelInfo, ModelKey
from clv_core.deployment.api.request_events import CustomerEvents
from clv_core.errors import ClvError
from clv_core.records import JsonObject
from clv_core.workspace import Workspace

log = logging.getLogger(__name__)

MODULE: Final = "clv_core.deployment.api.model_runner"
MAX_LINE_BYTES: Final = 1 << 30
"""Of one answer of a process; asyncio's default of 64 KB is less than a large batch takes."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds before a process that ended is started again; doubled each time it ends before it was ready."""


class Lost(ClvError):
    """The process that scored has ended."""


class Worker(ABC):
    """Calls the methods of a model runner of its own without blocking the event loop."""

    async def ready(self) -> None:  # noqa: B027 - a thread always is
        """Return once calls are answered."""

    async def load(self, key: ModelKey) -> ModelInfo:
        """Load a model; meanwhile others are scored."""
        return MODEL_INFO.validate_python(await self._call("load", key))

    async def retain(self, keys: Collection[ModelKey]) -> None:
        """Release all other models."""
        await self._call("retain", list(keys))

    async def score(self, key: ModelKey, as_of: date, customers: Sequence[CustomerEvents]) -> list[list[float]]:
        """Return the figures of customers, [n][5].

        Raises:
            Lost: the process ended meanwhile.
        """
        figures: list[list[float]] = await self._call("score", key, as_of, customers)
        return figures

    async def explain(self, key: ModelKey, as_of: date, customer: CustomerEvents, language: str) -> JsonObject:
        """Return ``base`` and ``reasons`` of a prediction.

        Raises:
            Lost: the process ended meanwhile.
        """
        explained: JsonObject = await self._call("explain", key, as_of, customer, language)
        return explained

    @abstractmethod
    async def close(self) -> None:
        """End the process or threads."""

    @abstractmethod
    async def _call(self, method: str, *arguments: Any) -> Any: ...


class ThreadWorker(Worker):
    """Scores in a thread of this process, and loads in another."""

    def __init__(self, workspace: Workspace) -> None:
        from clv_core.deployment.api.model_runner import ModelRunner  # loads torch

        self._runner = ModelRunner(workspace)
        self._scoring, self._loading = ThreadPoolExecutor(1, "scoring"), ThreadPoolExecutor(1, "loading")

    async def close(self) -> None:
        """End the threads."""
        for thread in (self._scoring, self._loading):
            thread.shutdown(wait=True, cancel_futures=True)

    async def _call(self, method: str, *arguments: Any) -> Any:
        thread = self._loading if method == "load" else self._scoring
        return await asyncio.get_running_loop().run_in_executor(thread, getattr(self._runner, method), *arguments)


class ProcessWorker(Worker):
    """Scores in a process of its own, which is started at the first call, and again should it end.

    Args:
        workspace: of models and datasets.
        on_lost: called each time that the process ended by itself.
    """

    def __init__(self, workspace: Workspace, on_lost: Callable[[], None]) -> None:
        self._workspace, self._on_lost = workspace, on_lost
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._keys: set[ModelKey] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._running: asyncio.Task[None] | None = None
        self._up = asyncio.Event()

    async def ready(self) -> None:
        """Return once the process runs, with the models that it held before."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await self._up.wait()

    async def load(self, key: ModelKey) -> ModelInfo:
        """Load a model; meanwhile others are scored.

        Raises:
            Lost: the process ended meanwhile.
        """
        await self.ready()
        return await self._load(key)

    async def retain(self, keys: Collection[ModelKey]) -> None:
        """Release all other models."""
        self._keys &= set(keys)
        if self._up.is_set():
            await super().retain(keys)

    async def close(self) -> None:
        """End the process."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _call(self, method: str, *arguments: Any) -> Any:
        if method in ("score", "explain"):
            await self.ready()
        process, number = self._process, next(self._numbers)
        if process is None or process.stdin is None or process.stdin.is_closing():
            self._up.clear()  # it has ended, though the end of its answers has not been seen yet
            raise Lost("service_lost")
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        process.stdin.write(to_json({"number": number, "method": method, "arguments": arguments}) + b"\n")
        return await future

    async def _load(self, key: ModelKey) -> ModelInfo:
        info = await super().load(key)
        self._keys.add(info.key)
        return info

    async def _load_again(self) -> None:
        for key in sorted(self._keys, key=str):
            with suppress(ClvError):  # a request for it gets the error
                await self._load(key)

    async def _run(self) -> None:
        """Keep a process running until cancelled."""
        pause = FIRST_PAUSE
        while True:
            try:
                self._process = process = await self._start()
            except OSError as error:
                log.error("a scoring process cannot be started: %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            listening = asyncio.create_task(self._listen(process))
            loading = asyncio.create_task(self._load_again())
            try:
                await asyncio.wait([loading, listening], return_when=asyncio.FIRST_COMPLETED)
                if not listening.done():
                    self._up.set()
                    pause = FIRST_PAUSE
                await asyncio.wait([listening])
            finally:
                self._up.clear()
                self._process = None
                for future in self._waiting.values():
                    if not future.done():
                        future.set_exception(Lost("service_lost"))
                self._waiting.clear()
                if process.returncode is None:
                    process.kill()
                await listening
                code = await process.wait()
            log.warning("a scoring process ended (%s) and is started again", code)
            self._on_lost()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _start(self) -> asyncio.subprocess.Process:
        """Start a process in a session of its own: the terminal's signals do not reach it."""
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", MODULE, str(self._workspace.root), stdin=pipe, stdout=pipe, limit=MAX_LINE_BYTES,
            start_new_session=True, cwd=Path(__file__).resolve().parents[3],
        )  # fmt: skip

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Pass results on until there are no more; an incomplete last line is dropped."""
        assert process.stdout is not None
        while (line := await process.stdout.readline()).endswith(b"\n"):
            answer = from_json(line)
            future = self._waiting.pop(answer["number"], None)
            if future is None or future.done():  # its caller no longer waits
                continue
            if "error" in answer:
                future.set_exception(_error(**answer["error"]))
            else:
                future.set_result(answer["result"])


def _error(kind: str, code: str, params: JsonObject) -> ClvError:
    """Return the error that a process reported."""
    error_type: type[ClvError] = getattr(errors, kind, ClvError)
    return error_type(code, **params)
