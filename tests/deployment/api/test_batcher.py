"""Concurrent asks share scoring calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from clv_core.deployment.api.batcher import Batcher, ScoringTask
from clv_core.deployment.api.workers import Lost, Worker
from clv_core.errors import ClvError, NotFound

ASK = ScoringTask(model=None, as_of=None, customers=[{}])  # type: ignore[arg-type, list-item]
Said = list[list[dict[str, Any]]]


class Idle:
    """A worker that can always be asked."""

    async def ready(self) -> None:
        pass


def batcher_of(answer: Any, workers: int = 1, most: int = 128) -> Batcher:
    return Batcher([Idle()] * workers, answer, most, 0.001, 1000, lambda customers, seconds: None)  # type: ignore[list-item]


def test_what_comes_while_a_call_runs_goes_together_in_the_next_one() -> None:
    sizes: list[int] = []

    async def run() -> Said:
        running, going = asyncio.Event(), asyncio.Event()

        async def answer(worker: Worker, asks: Sequence[ScoringTask]) -> Said:
            sizes.append(len(asks))
            running.set()
            await going.wait()
            return [[{"said": len(ask)}] for ask in asks]

        batcher = batcher_of(answer)
        first = asyncio.create_task(batcher.score(ASK))
        await running.wait()
        later = [asyncio.create_task(batcher.score(ASK)) for _ in range(7)]
        await asyncio.sleep(0)
        going.set()
        return list(await asyncio.gather(first, *later))

    assert asyncio.run(run()) == [[{"said": 1}]] * 8 and sizes == [1, 7]


def test_while_one_worker_scores_another_takes_what_comes() -> None:
    async def run() -> list[Any]:
        ending = asyncio.Event()

        async def answer(worker: Worker, asks: Sequence[ScoringTask]) -> Said:
            if asks[0].language == "slow":
                await ending.wait()
            return [[{"said": ask.language}] for ask in asks]

        batcher = batcher_of(answer, workers=2)
        slow = asyncio.create_task(batcher.score(ScoringTask(None, None, [{}], language="slow")))  # type: ignore[arg-type, list-item]
        await asyncio.sleep(0.01)
        said: list[Any] = [await batcher.score(ASK) for _ in range(3)]
        assert not slow.done()
        ending.set()
        return [*said, await slow]

    assert asyncio.run(run()) == [*[[{"said": "en"}]] * 3, [{"said": "slow"}]]


@pytest.mark.parametrize("error", [Lost("service_lost"), NotFound("service_no_model"), ValueError("c1 is a secret")])
def test_one_ask_that_breaks_the_call_fails_alone_and_what_was_lost_is_asked_once_more(error: Exception) -> None:
    async def run() -> list[Any]:
        asked: list[str] = []

        async def answer(worker: Worker, asks: Sequence[ScoringTask]) -> Said:
            asked.extend(ask.language for ask in asks)
            if "bad" in [ask.language for ask in asks]:
                raise error
            return [[{"said": ask.language}] for ask in asks]

        batcher = batcher_of(answer)
        asks = [ScoringTask(None, None, [{}], language=language) for language in ("a", "bad", "b")]  # type: ignore[arg-type, list-item]
        said = await asyncio.gather(*(batcher.score(ask) for ask in asks), return_exceptions=True)
        assert asked.count("bad") == 2
        return list(said)

    first, bad, second = asyncio.run(run())
    assert (first, second) == ([{"said": "a"}], [{"said": "b"}])
    assert isinstance(bad, ClvError) and "secret" not in str(bad)
    assert bad is error or not isinstance(error, ClvError)


def test_one_alone_in_a_call_whose_worker_died_is_asked_once_more_and_no_more_often() -> None:
    async def run(deaths: int) -> tuple[int, Any]:
        asked: list[int] = []

        async def answer(worker: Worker, asks: Sequence[ScoringTask]) -> Said:
            asked.append(len(asks))
            if len(asked) <= deaths:
                raise Lost("service_lost")
            return [[{"said": "a"}]]

        (said,) = await asyncio.gather(batcher_of(answer).score(ASK), return_exceptions=True)
        return len(asked), said

    assert asyncio.run(run(1)) == (2, [{"said": "a"}])
    calls, said = asyncio.run(run(5))
    assert calls == 2 and isinstance(said, Lost)


def test_whose_client_no_longer_waits_is_not_scored() -> None:
    async def run() -> list[str]:
        asked: list[str] = []
        running, going = asyncio.Event(), asyncio.Event()

        async def answer(worker: Worker, asks: Sequence[ScoringTask]) -> Said:
            asked.extend(ask.language for ask in asks)
            running.set()
            await going.wait()
            return [[{"said": ask.language}] for ask in asks]

        batcher = batcher_of(answer)
        named = [ScoringTask(None, None, [{}], language=name) for name in ("first", "gone", "stays", "alone")]  # type: ignore[arg-type, list-item]
        first = asyncio.create_task(batcher.score(named[0]))
        await running.wait()
        gone, stays = (asyncio.create_task(batcher.score(one)) for one in named[1:3])
        await asyncio.sleep(0)
        gone.cancel()
        going.set()
        await asyncio.gather(first, stays)
        running.clear(), going.clear()
        first = asyncio.create_task(batcher.score(named[0]))
        await running.wait()
        alone = asyncio.create_task(batcher.score(named[3]))
        await asyncio.sleep(0)
        alone.cancel()
        going.set()
        await first
        await batcher.close()
        return asked

    assert asyncio.run(run()) == ["first", "stays", "first"]


def test_who_no_longer_waits_keeps_nobody_from_ending_where_no_process_starts() -> None:
    class Never(Idle):
        async def ready(self) -> None:
            await asyncio.Event().wait()

    async def run() -> None:
        batcher = Batcher([Never()], None, 128, 0.001, 1000, lambda customers, seconds: None)  # type: ignore[arg-type, list-item]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(batcher.score(ASK), 0.05)
        await asyncio.wait_for(batcher.close(), 2)

    asyncio.run(run())
