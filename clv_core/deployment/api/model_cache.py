"""Who answers to which name. A new champion is loaded beside the old one and takes its place between two requests."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from clv_core.deployment.api.model_info import ModelInfo, ModelKey, resolve_model
from clv_core.deployment.api.workers import Workers
from clv_core.deployment.registry import Registry
from clv_core.errors import ClvError, NotFound, UsageError
from clv_core.workspace import Workspace

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class ModelCache:
    """What was loaded, by what it was asked for.

    Args:
        workspace: where models and logs are.
        workers: who hold the models in memory.
        name: what answers where nothing is asked for; empty: the only name that there is.
        most: how many others are held.
        swapped: called for each model that takes a place.
    """

    def __init__(
        self, workspace: Workspace, workers: Workers, name: str, most: int, swapped: Callable[[], None]
    ) -> None:
        self.workspace, self._workers, self._name, self._most, self._swapped = workspace, workers, name, most, swapped
        self.registry = Registry(workspace)
        self._held: OrderedDict[str, tuple[ModelKey, ModelInfo]] = OrderedDict()
        self._loading: dict[str, asyncio.Task[ModelInfo]] = {}
        self._thread = ThreadPoolExecutor(1, "registry")
        self._only = ""

    def serving(self) -> ModelInfo | None:
        """Return what answers where nothing is asked for, if it is in memory."""
        held = self._held.get(self._name or self._only)
        return None if held is None else held[1]

    async def get(self, asked: str | None) -> ModelInfo:
        """Return what answers to a name or a model's id; None asks for the service's own.

        Raises:
            NotFound: there is none.
            UsageError: nothing was asked for, and there are several names.
            Refused: it is damaged.
        """
        key = asked or self._name or self._only
        if not key:
            key = await self._in_thread(self._find_only)
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
            return held[1]
        if key not in self._loading:
            task = self._loading[key] = asyncio.create_task(self._load(key))
            task.add_done_callback(lambda _: self._loading.pop(key, None))
        return await asyncio.shield(self._loading[key])

    async def refresh(self) -> None:
        """Look whether another version speaks, a log has grown, or the only name is another one, or one of several.

        What cannot be loaded changes nothing.
        """
        if self._only:
            try:
                await self._in_thread(self._find_only)
            except (NotFound, UsageError) as error:
                log.warning("no name is served by itself any more: %s", error.code)
            except Exception as error:
                log.warning("%s stays the only name: %s", self._only, getattr(error, "code", type(error).__name__))
        for key, (before, _) in list(self._held.items()):
            try:
                if await self._in_thread(resolve_model, self.workspace, self.registry, key) != before:
                    await self._load(key)
            except NotFound:
                self._held.pop(key, None)
            except Exception as error:
                log.warning("model %s stays: %s", key, error if isinstance(error, ClvError) else type(error).__name__)
        if not self._loading:
            await self._workers.hold([loaded.wanted for _, loaded in self._held.values()])

    async def watch(self, seconds: float) -> None:
        """Refresh for ever, and load the service's own model as soon as there is one."""
        while True:
            if self.serving() is None:
                try:
                    await self.get(None)
                except ClvError as error:
                    log.debug("no model yet: %s", error.code)
                except Exception as error:
                    log.warning("no model: %s", type(error).__name__)
            await asyncio.sleep(seconds)
            await self.refresh()

    def close(self) -> None:
        """End the thread that reads the registry."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _load(self, key: str) -> ModelInfo:
        wanted = await self._in_thread(resolve_model, self.workspace, self.registry, key)
        loaded = await self._workers.load(wanted)
        self._held[key] = wanted, loaded
        own = self._name or self._only
        for old in [one for one in self._held if one not in (own, key)][: max(0, len(self._held) - 1 - self._most)]:
            del self._held[old]
        self._swapped()
        return loaded

    def _find_only(self) -> str:
        names = self.registry.names()
        self._only = names[0] if len(names) == 1 else ""
        if not self._only:
            if not names:
                raise NotFound("service_no_model")
            raise UsageError("service_which_model", known=", ".join(names))
        return self._only

    async def _in_thread(self, call: Callable[P, T], *words: P.args, **named: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *words, **named))
