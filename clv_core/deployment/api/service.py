"""The service: from a request to predictions. It holds the keys, workers, models and queues that routes use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clv_core.deployment.api.api_errors import BadBody, TooLarge, WrongType, language_of
from clv_core.deployment.api.api_metrics import Metrics
from clv_core.deployment.api.auth import Authenticator
from clv_core.deployment.api.batcher import Batcher, Busy, ScoringTask, run_tasks
from clv_core.deployment.api.latest_scores import LatestScores
from clv_core.deployment.api.model_cache import ModelCache
from clv_core.deployment.api.request_events import next_midnight, request_warnings
from clv_core.deployment.api.schemas import REQUEST, ScoreRequest
from clv_core.deployment.api.workers import ProcessWorker, ThreadWorker, Worker
from clv_core.environment import ServiceSettings
from clv_core.errors import Message
from clv_core.workspace import Workspace

T = TypeVar("T")

JSON: Final = "application/json"
MAX_EXPLAINED: Final = 20
"""Customers of a request that asks for reasons."""
LARGE_BODY_BYTES: Final = 100_000
"""A larger body is read in a thread, so that others are not kept waiting."""


class Service:
    """What answers requests to score and to look up, once the application has started.

    Explaining takes a hundred times as long as scoring, so it has a worker and a queue of its own.

    Args:
        workspace: of models, datasets and keys.
        settings: of the service.
        metrics: of calls, loads and lost processes.
    """

    def __init__(self, workspace: Workspace, settings: ServiceSettings, metrics: Metrics) -> None:
        def worker() -> Worker:
            return ProcessWorker(workspace, metrics.losses.inc) if settings.workers else ThreadWorker(workspace)

        scoring, explaining = [worker() for _ in range(settings.workers or 1)], worker()
        limits = settings.batch, settings.wait_ms / 1e3, settings.max_waiting, metrics.count_call
        self.settings, self.metrics = settings, metrics
        self.auth = Authenticator(workspace, settings)
        self.models = ModelCache(workspace, scoring, explaining, settings.name, settings.max_models, metrics.loads.inc)
        self.latest = LatestScores(workspace, self.models.registry)
        self._workers = [*scoring, explaining]
        self._scoring, self._explaining = (Batcher(own, run_tasks, *limits) for own in (scoring, [explaining]))

    async def score(self, request: Request) -> Response:
        """Answer a request to score.

        Raises:
            ClvError: it is refused; :func:`~clv_core.deployment.api.api_errors.error_response` has the answer.
        """
        language = language_of(request)
        self.auth.authenticate(request.headers)
        body = await _read_body(request, self.settings.max_bytes)
        large = len(body) > LARGE_BODY_BYTES
        parsed = await _run(large, _parse, body, self.settings, language)
        sent, reasons = parsed["customers"], parsed.get("reasons", False)
        try:
            async with asyncio.timeout(self.settings.answer_seconds):
                model = await self.models.get(parsed.get("model"))
                tomorrow = next_midnight(datetime.now(UTC), model.timezone)
                as_of = parsed.get("as_of") or tomorrow
                task = await _run(large, ScoringTask.of, model, as_of, sent, reasons, language)
                warnings = await _run(large, request_warnings, model, as_of, sent, tomorrow)
                predictions = await (self._explaining if reasons else self._scoring).score(task)
        except TimeoutError as error:
            raise Busy("service_late", limit=self.settings.answer_seconds) from error
        return Response(to_json(_answer(task, predictions, warnings)), media_type=JSON)

    async def close(self) -> None:
        """Answer what waits, then end workers and threads."""
        for batcher in (self._scoring, self._explaining):
            await batcher.close()
        self.models.close()
        await asyncio.gather(*(worker.close() for worker in self._workers))


async def _run(in_thread: bool, call: Callable[..., T], *arguments: Any) -> T:
    return await run_in_threadpool(call, *arguments) if in_thread else call(*arguments)


async def _read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body of a request to score, read no further than ``max_bytes``.

    Raises:
        WrongType: its content type is not JSON, or it is compressed.
        TooLarge: there is more of it.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise WrongType("service_type", found=kind[:100] or "-", needed=JSON)
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise WrongType("service_encoding", found=coding[:100])
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            raise TooLarge("service_bytes", most=max_bytes)
    return bytes(body)


def _parse(body: bytes, settings: ServiceSettings, language: str) -> ScoreRequest:
    """Return a body's request to score.

    Raises:
        TooLarge: it holds more than a request may.
        BadBody: it does not match the schema.
    """
    try:
        parsed = REQUEST.validate_json(body)
    except ValidationError as error:
        raise BadBody.of(error.errors(include_url=False, include_input=False), language) from error
    most = min(MAX_EXPLAINED, settings.max_customers) if parsed.get("reasons") else settings.max_customers
    if len(parsed["customers"]) > most:
        raise TooLarge("service_customers", found=len(parsed["customers"]), most=most)
    longest = max(len(one["events"]) for one in parsed["customers"])
    if longest > settings.max_events:
        raise TooLarge("service_events", found=longest, most=settings.max_events)
    return parsed


def _answer(task: ScoringTask, predictions: list[dict[str, Any]], warnings: Sequence[Message]) -> dict[str, Any]:
    model = task.model
    return {
        "name": model.key.name,
        "version": model.key.version,
        "model": model.key.bundle,
        "as_of": task.as_of.isoformat(),
        "horizon_days": model.horizon_days,
        "currency": model.currency,
        "warnings": [one.to_json(task.language) for one in (*model.warnings, *warnings)],
        "predictions": predictions,
    }
