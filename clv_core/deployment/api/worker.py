"""Who scores, as those see it who must not wait; and the simplest one, in threads of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from clv_core.deployment.api.model_info import ModelInfo, ModelKey
from clv_core.deployment.api.model_runner import Work
from clv_core.deployment.api.request_events import Person
from clv_core.errors import ClvError
from clv_core.workspace import Workspace

P = ParamSpec("P")
T = TypeVar("T")


class Lost(ClvError):
    """The process that scored has ended."""


class Worker(Protocol):
    """What :class:`~clv_core.deployment.api.model_runner.Work` does, for whom must not wait."""

    async def ready(self) -> None:
        """Return once it can be asked."""

    async def load(self, wanted: ModelKey) -> ModelInfo:
        """See :meth:`Work.load`; meanwhile it goes on scoring."""

    async def hold(self, wanted: Collection[ModelKey]) -> None:
        """See :meth:`Work.hold`."""

    async def score(self, wanted: ModelKey, as_of: date, people: Sequence[Person]) -> list[list[float]]:
        """See :meth:`Work.score`."""

    async def reasons(self, wanted: ModelKey, as_of: date, person: Person, language: str) -> dict[str, Any]:
        """See :meth:`Work.reasons`."""

    async def close(self) -> None:
        """Let go of all."""


class ThreadWorker:
    """Scores in a thread of this process, and loads in another."""

    def __init__(self, workspace: Workspace) -> None:
        self._work = Work(workspace)
        self._scoring, self._loading = ThreadPoolExecutor(1, "scoring"), ThreadPoolExecutor(1, "loading")

    async def ready(self) -> None:
        """Return at once."""

    async def load(self, wanted: ModelKey) -> ModelInfo:
        """Load a model."""
        return await self._in(self._loading, self._work.load, wanted)

    async def hold(self, wanted: Collection[ModelKey]) -> None:
        """Let go of all other models."""
        await self._in(self._scoring, self._work.hold, wanted)

    async def score(self, wanted: ModelKey, as_of: date, people: Sequence[Person]) -> list[list[float]]:
        """Return the figures of people."""
        return await self._in(self._scoring, self._work.score, wanted, as_of, people)

    async def reasons(self, wanted: ModelKey, as_of: date, person: Person, language: str) -> dict[str, Any]:
        """Return reasons."""
        return await self._in(self._scoring, self._work.reasons, wanted, as_of, person, language)

    async def close(self) -> None:
        """End the threads."""
        for one in (self._scoring, self._loading):
            one.shutdown(wait=True, cancel_futures=True)

    async def _in(self, thread: ThreadPoolExecutor, call: Callable[P, T], *words: P.args, **named: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, partial(call, *words, **named))
