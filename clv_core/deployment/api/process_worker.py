"""Who scores in a process of its own.

The process that talks HTTP must not wait for one that computes, and in Python two threads wait for each other. So what
is computed goes to processes: customers as they were read, one JSON line a call, and back come figures. No object is
ever unpickled.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json, to_json

from clv_core import errors
from clv_core.deployment.api.model_info import ModelInfo, ModelKey
from clv_core.deployment.api.request_events import Person
from clv_core.deployment.api.worker import Lost
from clv_core.errors import ClvError
from clv_core.workspace import Workspace

log = logging.getLogger(__name__)

MODULE: Final = "clv_core.deployment.api.process"
LONGEST_LINE: Final = 1 << 30
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds before a process that ended is started again; twice as long each time it ends before it was ready."""


class ProcessWorker:
    """Scores in a process of its own, which is started when it is first asked, and again should it end.

    Args:
        workspace: where models and logs are.
        lost: hears each time that the process ended by itself.
    """

    def __init__(self, workspace: Workspace, lost: Callable[[], None]) -> None:
        self._workspace, self._lost = workspace, lost
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._held: set[ModelKey] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._living: asyncio.Task[None] | None = None
        self._up = asyncio.Event()

    async def ready(self) -> None:
        """Return once the process runs, with the models that it held before."""
        if self._living is None:
            self._living = asyncio.create_task(self._live())
        await self._up.wait()

    async def load(self, wanted: ModelKey) -> ModelInfo:
        """Load a model.

        Raises:
            Lost: the process ended meanwhile.
        """
        await self.ready()
        return await self._load(wanted)

    async def hold(self, wanted: Collection[ModelKey]) -> None:
        """Let go of all other models."""
        self._held &= set(wanted)
        if self._up.is_set():
            await self._ask("hold", wanted=[asdict(one) for one in wanted])

    async def score(self, wanted: ModelKey, as_of: date, people: Sequence[Person]) -> list[list[float]]:
        """Return the figures of people.

        Raises:
            Lost: the process ended meanwhile.
        """
        await self.ready()
        rows = [(one.seconds, one.events, one.attributes) for one in people]
        said: list[list[float]] = await self._ask("score", wanted=asdict(wanted), as_of=as_of, people=rows)
        return said

    async def reasons(self, wanted: ModelKey, as_of: date, person: Person, language: str) -> dict[str, Any]:
        """Return reasons.

        Raises:
            Lost: the process ended meanwhile.
        """
        await self.ready()
        row = person.seconds, person.events, person.attributes
        said: dict[str, Any] = await self._ask(
            "reasons", wanted=asdict(wanted), as_of=as_of, person=row, language=language
        )
        return said

    async def close(self) -> None:
        """End the process."""
        if self._living is not None:
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)

    async def _load_held(self) -> None:
        for one in sorted(self._held, key=str):
            with suppress(ClvError):  # who asks for it will hear of it
                await self._load(one)

    async def _load(self, wanted: ModelKey) -> ModelInfo:
        loaded = ModelInfo.from_json(await self._ask("load", wanted=asdict(wanted)))
        self._held.add(loaded.wanted)
        return loaded

    async def _ask(self, do: str, **words: Any) -> Any:
        process, number = self._process, next(self._numbers)
        if process is None or process.stdin is None or process.stdin.is_closing():
            self._up.clear()  # it has ended, though the end of its answers has not been seen yet
            raise Lost("service_lost")
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        process.stdin.write(to_json({"number": number, "do": do, "words": words}) + b"\n")
        return await future

    async def _live(self) -> None:
        """Keep a process running for ever."""
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
            loading = asyncio.create_task(self._load_held())
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
            self._lost()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _start(self) -> asyncio.subprocess.Process:
        """Return a new process, deaf to what the terminal tells this one."""
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", MODULE, str(self._workspace.root), stdin=pipe, stdout=pipe, limit=LONGEST_LINE,
            start_new_session=True, cwd=Path(__file__).resolve().parents[3],
        )  # fmt: skip

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Worker on answers until there are no more; a line that breaks off is none."""
        assert process.stdout is not None
        while (line := await process.stdout.readline()).endswith(b"\n"):
            answer = from_json(line)
            future = self._waiting.pop(answer["number"], None)
            if future is None or future.done():  # nobody waits any more
                continue
            if "error" in answer:
                future.set_exception(_error(**answer["error"]))
            else:
                future.set_result(answer["said"])


def _error(kind: str, code: str, params: dict[str, Any]) -> ClvError:
    """Return the error that a process told of."""
    known: type[ClvError] = getattr(errors, kind, ClvError)
    return known(code, **params)
