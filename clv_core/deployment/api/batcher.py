"""Concurrent requests share scoring calls: what arrives while others run, or in quick succession, goes together.

A call costs far more than a customer in it. So a call waits as long as others keep coming, but no longer than half of
what the last one took: at a crowd, calls are full, and alone, nobody waits for nobody. Where several workers score,
their calls begin evenly apart: whoever comes just after one began waits for the next, and no longer than that.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from clv_core.deployment.api.scoring import Ask
from clv_core.deployment.api.worker import Lost, Worker
from clv_core.errors import ClvError

log = logging.getLogger(__name__)

Said = list[dict[str, Any]]
Waiting = tuple[Ask, "asyncio.Future[Said]"]
Answer = Callable[[Worker, Sequence[Ask]], Awaitable[list[Said]]]
Told = Callable[[int, float], None]


class Busy(ClvError):
    """More waits than can be scored soon."""


class Batcher:
    """A queue before some workers.

    Args:
        workers: who score.
        answer: has asks scored by one of them.
        most: most customers of a call.
        wait_seconds: how long a call waits for the next customer.
        most_waiting: most customers in the queue.
        told: hears of each call: customers and seconds.
    """

    def __init__(
        self, workers: Sequence[Worker], answer: Answer, most: int, wait_seconds: float, most_waiting: int, told: Told
    ) -> None:
        self._workers, self._answer = workers, answer
        self._most, self._wait, self._most_waiting = most, wait_seconds, most_waiting
        self._told = told
        self._queue: deque[Waiting] = deque()
        self._customers = 0
        self._came, self._turn = asyncio.Event(), asyncio.Lock()
        self._began = self._last_seconds = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def score(self, ask: Ask) -> Said:
        """Return what is said of the ask's customers, once its turn has come.

        Raises:
            Busy: the queue is full.
            Lost: who scored them has ended, twice.
        """
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._run(worker)) for worker in self._workers]
        parts = [self._put(part) for part in self._parts(ask)]
        return [one for said in await asyncio.gather(*parts) for one in said] if len(parts) > 1 else await parts[0]

    async def close(self) -> None:
        """Score what somebody waits for and end."""
        while not all(future.done() for _, future in self._queue):
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()

    def _parts(self, ask: Ask) -> list[Ask]:
        """Return an ask in parts that fit a call, so that small ones need not wait for all of a large one."""
        if self._customers + len(ask) > self._most_waiting:
            raise Busy("service_busy", waiting=self._customers)
        if len(ask) <= self._most:
            return [ask]
        starts = range(0, len(ask), self._most)
        return [ask.of(ask.people[start : start + self._most]) for start in starts]

    def _put(self, ask: Ask) -> asyncio.Future[Said]:
        future: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._queue.append((ask, future))
        self._customers += len(ask)
        self._came.set()
        return future

    async def _run(self, worker: Worker) -> None:
        """Take from the queue for one worker, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await worker.ready()
            async with self._turn:
                await self._came.wait()
                await self._gather(loop)
                batch = self._take()
                if not batch:
                    continue
                self._began = started = loop.time()
            asks = [ask for ask, _ in batch]
            said = await self._each(worker, asks)
            self._last_seconds = loop.time() - started
            self._told(sum(map(len, asks)), self._last_seconds)
            for (_, future), one in zip(batch, said, strict=True):
                if future.done():  # its client has gone
                    continue
                if isinstance(one, Exception):
                    future.set_exception(one)
                else:
                    future.set_result(one)

    async def _gather(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until calls are evenly apart, and for others to come: a little for the next one, and not for long."""
        await asyncio.sleep(self._began + self._last_seconds / len(self._workers) - loop.time())
        end, before = loop.time() + self._last_seconds / 2, 0
        little = min(self._wait, self._last_seconds / 8)
        while little and before < self._customers < self._most and loop.time() < end:
            before = self._customers
            await asyncio.sleep(little)

    def _take(self) -> list[Waiting]:
        """Take what goes into a call; whose client no longer waits is left out."""
        batch: list[Waiting] = []
        size = 0
        while self._queue and (not batch or size + len(self._queue[0][0]) <= self._most):
            ask, future = self._queue.popleft()
            self._customers -= len(ask)
            if not future.done():
                batch.append((ask, future))
                size += len(ask)
        if not self._queue:
            self._came.clear()
        return batch

    async def _each(self, worker: Worker, asks: list[Ask], again: bool = True) -> list[Said | Exception]:
        """Answer all asks together, or, where that fails, each alone: one request must not fail another."""
        try:
            return list(await self._answer(worker, asks))
        except Exception as error:
            lost = isinstance(error, Lost)
            if len(asks) > 1 or (lost and again):
                return [found for ask in asks for found in await self._each(worker, [ask], again=False)]
            log.error("a request could not be scored: %s", type(error).__name__)  # its text may name a customer
            return [error if isinstance(error, ClvError) else ClvError("unexpected", kind="scoring")]
