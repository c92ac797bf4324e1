"""Models that requests name. A new champion is loaded while the old one answers, and then replaces it at once."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import ParamSpec, TypeVar

from clv_core.deployment.api.model_info import ModelInfo, ModelKey, current_trust, resolve_model
from clv_core.deployment.api.workers import Worker
from clv_core.deployment.registry import Registry
from clv_core.errors import ClvError, NotFound, UsageError
from clv_core.workspace import Workspace

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class ModelCache:
    """Models in memory by what requests name: a registry name or a model's id.

    Args:
        workspace: of models and datasets.
        scoring: workers that hold every model.
        explaining: the worker that loads a model when it first explains.
        name: of the default model; empty: the only name in the registry.
        max_models: other models in memory.
        on_load: called for each model that was loaded.
    """

    def __init__(
        self,
        workspace: Workspace,
        scoring: Sequence[Worker],
        explaining: Worker,
        name: str,
        max_models: int,
        on_load: Callable[[], None],
    ) -> None:
        self._workspace, self._scoring, self._explaining = workspace, scoring, explaining
        self._name, self._max_models, self._on_load = name, max_models, on_load
        self.registry = Registry(workspace)
        self._models: OrderedDict[str, tuple[ModelKey, ModelInfo]] = OrderedDict()
        self._loading: dict[str, asyncio.Task[ModelInfo]] = {}
        self._thread = ThreadPoolExecutor(1, "registry")
        self._only_name = ""

    @property
    def default(self) -> ModelInfo | None:
        """The model that answers where a request names none, if it is loaded."""
        model = self._models.get(self._name or self._only_name)
        return model and model[1]

    async def get(self, name_or_id: str | None) -> ModelInfo:
        """Return a loaded model; None asks for the default one.

        Raises:
            NotFound: there is none.
            UsageError: none was named, and the registry has several names.
            Refused: it is damaged.
        """
        requested = name_or_id or self._name or self._only_name
        if not requested:
            requested = await self._in_thread(self._find_only_name)
        if requested in self._models:
            self._models.move_to_end(requested)
            return self._models[requested][1]
        if requested not in self._loading:
            task = self._loading[requested] = asyncio.create_task(self._load(requested))
            task.add_done_callback(partial(self._loaded, requested))
        return await asyncio.shield(self._loading[requested])

    async def refresh(self) -> None:
        """Reload models whose champion, log or verdict changed; where loading fails, the loaded one stays."""
        if self._only_name:
            try:
                await self._in_thread(self._find_only_name)
            except (NotFound, UsageError) as error:
                log.warning("no name is served by itself any more: %s", error.code)
            except Exception as error:
                log.warning("%s stays the only name: %s", self._only_name, _logged(error))
        for requested, (before, info) in list(self._models.items()):
            try:
                if await self._in_thread(resolve_model, self._workspace, self.registry, requested) != before:
                    await self._load(requested)
                else:
                    await self._judge(requested, before, info)
            except NotFound:
                self._models.pop(requested, None)
            except Exception as error:
                log.warning("model %s stays: %s", requested, _logged(error))
        if not self._loading:
            keys = [info.key for _, info in self._models.values()]
            workers = (*self._scoring, self._explaining)
            await asyncio.gather(*(worker.retain(keys) for worker in workers), return_exceptions=True)

    async def watch(self, seconds: float) -> None:
        """Refresh until cancelled, and load the default model as soon as there is one."""
        while True:
            if self.default is None:
                try:
                    await self.get(None)
                except ClvError as error:
                    log.debug("no model yet: %s", error.code)
                except Exception as error:
                    log.warning("no model: %s", _logged(error))
            await asyncio.sleep(seconds)
            await self.refresh()

    def close(self) -> None:
        """End the thread that reads the registry."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _load(self, requested: str) -> ModelInfo:
        key = await self._in_thread(resolve_model, self._workspace, self.registry, requested)
        first, *other_workers = self._scoring
        info = await first.load(key)
        # its key, not the requested one: where the champion is damaged, the first worker loaded another version
        await asyncio.gather(*(worker.load(info.key) for worker in other_workers))
        self._models[requested] = key, info
        protected = (self._name or self._only_name, requested)
        for old in [cached for cached in self._models if cached not in protected][
            : max(0, len(self._models) - 1 - self._max_models)
        ]:
            del self._models[old]
        self._on_load()
        return info

    async def _judge(self, requested: str, key: ModelKey, info: ModelInfo) -> None:
        """Give a loaded model today's verdict, unless another took its place meanwhile."""
        trust = await self._in_thread(current_trust, self._workspace, self.registry, info.key.bundle)
        place = self._models.get(requested)
        if trust != info.trust and place is not None and place[1] is info:
            self._models[requested] = key, replace(info, trust=trust)

    def _loaded(self, requested: str, task: asyncio.Task[ModelInfo]) -> None:
        """Forget a load that ended; asyncio would log the error of an abandoned one, and that may name a customer."""
        self._loading.pop(requested, None)
        if not task.cancelled():
            task.exception()

    def _find_only_name(self) -> str:
        names = self.registry.names()
        self._only_name = names[0] if len(names) == 1 else ""
        if not names:
            raise NotFound("service_no_model")
        if not self._only_name:
            raise UsageError("service_which_model", known=", ".join(names))
        return self._only_name

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *args, **kwargs))


def _logged(error: Exception) -> str:
    """Return an error as text for the log; the text of an unexpected one may name a customer."""
    return str(error) if isinstance(error, ClvError) else type(error).__name__
