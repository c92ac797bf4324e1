"""Concurrent requests share scoring calls: what arrives while others run, or in quick succession, is scored together.

A call costs far more than a customer in it. So a call waits as long as others keep coming, but no longer than half of
what the last one took: under load calls are full, and a lone request does not wait. Where several workers score, their
calls begin evenly apart, so that a request that just missed one waits for the next, and no longer than that.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from clv_core.deployment.api.model_info import FIGURES, ModelInfo, ModelKey
from clv_core.deployment.api.request_events import CustomerEvents, read_customer
from clv_core.deployment.api.schemas import Customer
from clv_core.deployment.api.workers import Lost, Worker
from clv_core.errors import ClvError, NotFound
from clv_core.records import JsonObject

log = logging.getLogger(__name__)


class Busy(ClvError):
    """More customers wait than can be scored soon."""


@dataclass(frozen=True)
class ScoringTask:
    """Customers of one request.

    Args:
        model: that predicts them.
        as_of: midnight, log-local.
        customers: id, and events or why there is no prediction, of each.
        reasons: whether reasons are wanted.
        language: of sentences.
    """

    model: ModelInfo
    as_of: date
    customers: Sequence[tuple[str, CustomerEvents | ClvError]]
    reasons: bool = False
    language: str = "en"

    @classmethod
    def of(
        cls,
        model: ModelInfo,
        as_of: date,
        sent: Sequence[Customer],
        reasons: bool,
        language: str,
        objected: Collection[str] = (),
    ) -> ScoringTask:
        """Return the task for customers as they were sent; ``objected`` to profiling are refused one by one."""

        def read(customer: Customer) -> CustomerEvents | ClvError:
            if customer["customer_id"] in objected:
                return NotFound("customer_objected", customer=customer["customer_id"])
            try:
                return read_customer(customer, model.timezone, as_of, model.event_types)
            except ClvError as error:
                return error

        return cls(model, as_of, [(entry["customer_id"], read(entry)) for entry in sent], reasons, language)

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customers)


Answers = list[JsonObject]
Waiting = tuple[ScoringTask, "asyncio.Future[Answers]"]
Run = Callable[[Worker, Sequence[ScoringTask]], Awaitable[list[Answers]]]


async def run_tasks(worker: Worker, tasks: Sequence[ScoringTask]) -> list[Answers]:
    """Return the answers of each task's customers; those of one model and cutoff are scored in one call."""
    answers: list[Answers] = [[] for _ in tasks]
    calls: dict[tuple[ModelKey, date], list[int]] = {}
    for at, task in enumerate(tasks):
        calls.setdefault((task.model.key, task.as_of), []).append(at)
    for (key, as_of), members in calls.items():
        scorable = [events for at in members for _, events in tasks[at].customers if isinstance(events, CustomerEvents)]
        figures = iter(await worker.score(key, as_of, scorable) if scorable else ())
        for at in members:
            answers[at] = [_answer(*customer, figures, tasks[at].language) for customer in tasks[at].customers]
    for task, task_answers in zip(tasks, answers, strict=True):
        for (_, events), answer in zip(task.customers, task_answers, strict=True):
            if task.reasons and isinstance(events, CustomerEvents):
                answer.update(await worker.explain(task.model.key, task.as_of, events, task.language))
    return answers


def _answer(
    customer_id: str, events: CustomerEvents | ClvError, figures: Iterator[list[float]], language: str
) -> JsonObject:
    if isinstance(events, ClvError):
        return {"customer_id": customer_id, "events": 0, "error": events.to_json(language)}
    return {"customer_id": customer_id, "events": len(events.events), **dict(zip(FIGURES, next(figures), strict=True))}


class Batcher:
    """A queue before some workers.

    Args:
        workers: that score.
        run: has one of them score some tasks.
        max_customers: of a call.
        wait_seconds: how long a call waits for the next customer.
        max_waiting: customers in the queue.
        on_call: called after each call with its customers and seconds.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        run: Run,
        max_customers: int,
        wait_seconds: float,
        max_waiting: int,
        on_call: Callable[[int, float], None],
    ) -> None:
        self._workers, self._run_tasks, self._on_call = workers, run, on_call
        self._max_customers, self._wait_seconds, self._max_waiting = max_customers, wait_seconds, max_waiting
        self._queue: deque[Waiting] = deque()
        self._customers = 0
        self._filled, self._turn = asyncio.Event(), asyncio.Lock()
        self._began = self._last_seconds = 0.0
        self._loops: list[asyncio.Task[None]] = []

    async def score(self, task: ScoringTask) -> Answers:
        """Return the answers of a task's customers; large tasks are split, so that small ones need not wait.

        Raises:
            Busy: the queue is full.
            Lost: the process that scored them ended, twice.
        """
        if self._customers + len(task) > self._max_waiting:
            raise Busy("service_busy", waiting=self._customers)
        if not self._loops:
            self._loops = [asyncio.create_task(self._loop(worker)) for worker in self._workers]
        size = self._max_customers
        if len(task) <= size:
            return await self._put(task)
        slices = [task.customers[start : start + size] for start in range(0, len(task), size)]
        answers = await asyncio.gather(*(self._put(replace(task, customers=part)) for part in slices))
        return [answer for part in answers for answer in part]

    async def close(self) -> None:
        """Score queued customers whose requests are still open, then end."""
        while not all(future.done() for _, future in self._queue):
            await asyncio.sleep(0.01)
        for loop in self._loops:
            loop.cancel()

    def _put(self, task: ScoringTask) -> asyncio.Future[Answers]:
        future: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self._queue.append((task, future))
        self._customers += len(task)
        self._filled.set()
        return future

    async def _loop(self, worker: Worker) -> None:
        """Take calls from the queue for one worker until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await worker.ready()
            async with self._turn:
                await self._filled.wait()
                await self._wait_for_more(clock)
                batch = self._take()
                if not batch:
                    continue
                self._began = started = clock()
            tasks = [task for task, _ in batch]
            outcomes = await self._run(worker, tasks)
            self._last_seconds = clock() - started
            self._on_call(sum(map(len, tasks)), self._last_seconds)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():  # its client has disconnected
                    continue
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)

    async def _wait_for_more(self, clock: Callable[[], float]) -> None:
        """Wait until calls are evenly apart, and for other customers: a little for the next, and not for long."""
        await asyncio.sleep(self._began + self._last_seconds / len(self._workers) - clock())
        end, before = clock() + self._last_seconds / 2, 0
        little = min(self._wait_seconds, self._last_seconds / 8)
        while little and before < self._customers < self._max_customers and clock() < end:
            before = self._customers
            await asyncio.sleep(little)

    def _take(self) -> list[Waiting]:
        """Take a call from the queue, without tasks whose client no longer waits."""
        batch: list[Waiting] = []
        size = 0
        while self._queue and (not batch or size + len(self._queue[0][0]) <= self._max_customers):
            task, future = self._queue.popleft()
            self._customers -= len(task)
            if not future.done():
                batch.append((task, future))
                size += len(task)
        if not self._queue:
            self._filled.clear()
        return batch

    async def _run(self, worker: Worker, tasks: list[ScoringTask], retry: bool = True) -> list[Answers | Exception]:
        """Run tasks in one call, or, where that fails, one by one: one request must not fail another."""
        try:
            return list(await self._run_tasks(worker, tasks))
        except Exception as error:
            if len(tasks) > 1 or (isinstance(error, Lost) and retry):
                return [outcome for task in tasks for outcome in await self._run(worker, [task], retry=False)]
            log.error("a request could not be scored: %s", type(error).__name__)  # its text may name a customer
            return [error if isinstance(error, ClvError) else ClvError("unexpected", kind="scoring")]
