"""Concurrent asks share scoring calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from clv_core.deployment.service.batching import Batcher
from clv_core.deployment.service.scoring import Ask


def test_what_comes_while_a_call_runs_goes_together_in_the_next_one() -> None:
    sizes: list[int] = []

    async def run() -> list[list[dict[str, Any]]]:
        loop, running, going = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def answer(asks: Sequence[Ask]) -> list[list[dict[str, Any]]]:
            sizes.append(len(asks))
            if len(sizes) == 1:
                loop.call_soon_threadsafe(running.set)
                asyncio.run_coroutine_threadsafe(going.wait(), loop).result(10)
            return [[{"said": len(ask)}] for ask in asks]

        batcher = Batcher(answer, 128, 0.001, 1000, lambda customers, seconds: None)
        ask = Ask(scorer=None, as_of=None, customers=[{}])  # type: ignore[arg-type, list-item]
        first = asyncio.create_task(batcher.score(ask))
        await running.wait()
        later = [asyncio.create_task(batcher.score(ask)) for _ in range(7)]
        await asyncio.sleep(0)
        going.set()
        return list(await asyncio.gather(first, *later))

    assert asyncio.run(run()) == [[{"said": 1}]] * 8 and sizes == [1, 7]
