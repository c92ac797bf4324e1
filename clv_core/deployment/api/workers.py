"""All who score for one service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from clv_core.deployment.api.model_info import ModelInfo, ModelKey
from clv_core.deployment.api.process_worker import ProcessWorker
from clv_core.deployment.api.worker import ThreadWorker, Worker
from clv_core.workspace import Workspace


class Workers:
    """All that score for one service, and one for reasons: explaining takes a hundred times as long.

    Args:
        workspace: where models and logs are.
        processes: how many score; 0: a thread of this process, and another one for reasons.
        lost: hears each time that a process ended by itself.
    """

    def __init__(self, workspace: Workspace, processes: int, lost: Callable[[], None]) -> None:
        self.scoring: list[Worker]
        if processes:
            self.scoring = [ProcessWorker(workspace, lost) for _ in range(processes)]
            self.explaining: Worker = ProcessWorker(workspace, lost)
        else:
            self.scoring, self.explaining = [ThreadWorker(workspace)], ThreadWorker(workspace)

    async def load(self, wanted: ModelKey) -> ModelInfo:
        """Have a model loaded by all that score, the same one by each; who explains loads it when it is asked.

        Raises:
            NotFound: it is gone by now.
            Refused: it is damaged, and no version of its name is sound.
            Lost: a process ended meanwhile.
        """
        first, *others = self.scoring
        loaded = await first.load(wanted)
        await asyncio.gather(*(one.load(loaded.wanted) for one in others))
        return loaded

    async def hold(self, wanted: Collection[ModelKey]) -> None:
        """Let go of all other models."""
        await asyncio.gather(*(one.hold(wanted) for one in (*self.scoring, self.explaining)), return_exceptions=True)

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*(one.close() for one in (*self.scoring, self.explaining)))
