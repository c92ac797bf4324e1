"""What can be asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from clv_core.deployment.service.batching import Batcher, Busy
from clv_core.deployment.service.call import example
from clv_core.deployment.service.document import SECURED, page, problems
from clv_core.deployment.service.gate import Gate
from clv_core.deployment.service.latest import Latest
from clv_core.deployment.service.loaded import Loaded
from clv_core.deployment.service.metrics import Metrics
from clv_core.deployment.service.noticed import noticed
from clv_core.deployment.service.problems import BadBody, TooLarge, WrongType, language_of, problem
from clv_core.deployment.service.reading import midnight_after
from clv_core.deployment.service.roster import Roster
from clv_core.deployment.service.scoring import Ask
from clv_core.deployment.service.settings import ServiceSettings
from clv_core.deployment.service.wire import REQUEST, Health, KeptPrediction, ModelList, ScoreAnswer, ScoreRequest
from clv_core.deployment.service.workers import Workers
from clv_core.errors import ClvError, Message
from clv_core.workspace import Workspace

T = TypeVar("T")
log = logging.getLogger(__name__)

SCORE: Final = "/v1/score"
JSON: Final = "application/json"
MOST_EXPLAINED: Final = 20
"""Customers of a request that asks for reasons."""
READ_BESIDE_BYTES: Final = 100_000
"""A larger body is read in a thread, so that others are not kept waiting."""


@dataclass
class Parts:
    """What the routes work with; the last five are made when the service starts."""

    workspace: Workspace
    settings: ServiceSettings
    metrics: Metrics
    gate: Gate = field(init=False)
    workers: Workers = field(init=False)
    roster: Roster = field(init=False)
    latest: Latest = field(init=False)
    lanes: dict[str, Batcher] = field(init=False)


def router(parts: Parts) -> APIRouter:
    """Return the routes of a service."""
    routes, secured = APIRouter(), {} if parts.settings.open else SECURED

    @routes.post(
        SCORE,
        summary="Score customers from their events",
        responses={200: {"model": ScoreAnswer}, **problems(401, 404, 409, 413, 415, 422, 429, 503)},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {JSON: {"schema": {"$ref": "#/components/schemas/ScoreRequest"}}},
            },
            **secured,
        },
    )
    async def score(request: Request) -> Response:
        """Predict what each customer is worth in the model's horizon, with an 80% interval.

        All rules of reading a log hold. A customer who cannot be scored carries an error; the others are scored.
        """
        return await scored(parts, request)

    @routes.get(
        "/v1/models",
        summary="List models",
        responses={200: {"model": ModelList}, **problems(401, 404, 422, 429, 503)},
        openapi_extra=secured,
    )
    async def models(request: Request, name: Annotated[str | None, Query(max_length=200)] = None) -> Response:
        """List all versions in the registry, or those of one name, with what was measured of them."""
        parts.gate.admit(request)
        _once(request, "name")
        found = await run_in_threadpool(parts.roster.registry.versions, name)
        serving = parts.roster.serving()
        said = {"serving": serving and serving.wanted.bundle, "models": [one.to_json() for one in found]}
        return Response(to_json(said), media_type=JSON)

    @routes.get(
        "/v1/customers/{customer_id:path}",
        summary="Look a customer up in the latest batch",
        responses={200: {"model": KeptPrediction}, **problems(401, 404, 422, 429, 503)},
        openapi_extra=secured,
    )
    async def customer(
        request: Request,
        customer_id: Annotated[str, Path(min_length=1, max_length=200)],
        name: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    ) -> Response:
        """Return what the latest run of `score` said of a customer: no event is read, nothing is computed."""
        parts.gate.admit(request)
        _once(request, "name")
        known = name or (await parts.roster.get(None)).wanted.name
        return Response(to_json(await run_in_threadpool(parts.latest.of, known, customer_id)), media_type=JSON)

    @routes.head("/healthz", include_in_schema=False)
    @routes.get("/healthz", summary="Say whether the service runs", responses={200: {"model": Health}})
    async def healthz() -> Response:
        """Answer as long as the process does; `ready` says whether a model is in memory."""
        return Response(to_json(_health(parts.roster.serving())), media_type=JSON)

    @routes.head("/readyz", include_in_schema=False)
    @routes.get(
        "/readyz",
        summary="Say whether the service can score",
        responses={200: {"model": Health}, 503: {"model": Health, "description": "No model is in memory yet"}},
    )
    async def readyz() -> Response:
        """Answer what `/healthz` does, with 503 until a model is in memory."""
        serving = parts.roster.serving()
        return Response(to_json(_health(serving)), 503 if serving is None else 200, media_type=JSON)

    @routes.get("/metrics", summary="Count what was answered", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Return numbers of requests, customers, times and models in Prometheus' text format."""
        text, kind = parts.metrics.text()
        return Response(text, media_type=kind)

    @routes.get("/", include_in_schema=False)
    async def described(request: Request) -> Response:
        call = example(str(request.base_url), secured=not parts.settings.open)
        return HTMLResponse(page(request.app.openapi(), language_of(request), call))

    return routes


async def scored(parts: Parts, request: Request) -> Response:
    """Answer a request to score."""
    language = language_of(request)
    parts.gate.admit(request)
    body = await _body(request, parts.settings.max_bytes)
    beside = len(body) > READ_BESIDE_BYTES
    asked = await _maybe(beside, _asked, body, parts.settings, language)
    try:
        async with asyncio.timeout(parts.settings.answer_seconds):
            model = await parts.roster.get(asked.get("model"))
            tomorrow = midnight_after(datetime.now(UTC), model.timezone)
            as_of = asked.get("as_of") or tomorrow
            words = model, as_of, asked["customers"], asked.get("reasons", False), language
            ask = await _maybe(beside, Ask.read, *words)
            notices = await _maybe(beside, noticed, model, as_of, asked["customers"], tomorrow)
            said = await parts.lanes["reasons" if ask.reasons else "plain"].score(ask)
    except TimeoutError as error:
        raise Busy("service_late", limit=parts.settings.answer_seconds) from error
    return Response(to_json(_about(ask, notices, language) | {"predictions": said}), media_type=JSON)


def direct(parts: Parts) -> ASGIApp:
    """Return what answers requests to score without the framework in between."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await scored(parts, request)
        except ClvError as error:
            response = problem(error, language_of(request))
        except ClientDisconnect:
            return
        except Exception as error:
            log.error("a request failed: %s", type(error).__name__)
            response = problem(ClvError("unexpected", kind=type(error).__name__), language_of(request))
        await response(scope, receive, send)

    return answer


async def _maybe(beside: bool, call: Callable[..., T], *words: Any) -> T:
    """Return what a call returns, made in a thread beside where it takes long."""
    return await run_in_threadpool(call, *words) if beside else call(*words)


def _asked(body: bytes, settings: ServiceSettings, language: str) -> ScoreRequest:
    """Return what the body of a request to score says.

    Raises:
        TooLarge: it holds more than a request may.
        BadBody: it does not have the form that is described.
    """
    try:
        asked = REQUEST.validate_json(body)
    except ValidationError as error:
        raise BadBody.of(error.errors(include_url=False, include_input=False), language) from error
    most = min(MOST_EXPLAINED, settings.max_customers) if asked.get("reasons") else settings.max_customers
    if len(asked["customers"]) > most:
        raise TooLarge("service_customers", found=len(asked["customers"]), most=most)
    longest = max(len(one["events"]) for one in asked["customers"])
    if longest > settings.max_events:
        raise TooLarge("service_events", found=longest, most=settings.max_events)
    return asked


async def _body(request: Request, most: int) -> bytes:
    """Return the body of a request to score, read no further than ``most`` bytes.

    Raises:
        WrongType: it does not say that it is JSON, or it is packed.
        TooLarge: there is more of it.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise WrongType("service_type", found=kind[:100] or "-", needed=JSON)
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise WrongType("service_encoding", found=coding[:100])
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge("service_bytes", most=most)
        parts.append(part)
    return b"".join(parts)


def _once(request: Request, name: str) -> None:
    """Refuse a parameter that is given twice: nobody knows which is meant.

    Raises:
        BadBody: it is.
    """
    if len(request.query_params.getlist(name)) > 1:
        raise BadBody.of([{"loc": ("query", name), "type": "string_type"}], language_of(request))


def _health(serving: Loaded | None) -> dict[str, Any]:
    """Return what is said of the model in memory, if one is."""
    said: dict[str, Any] = {"name": None, "version": None, "model": None}
    if serving is not None:
        of = serving.wanted
        said = {"name": of.name, "version": of.version, "model": of.bundle}
    return {"status": "ok", "ready": serving is not None, **said}


def _about(ask: Ask, notices: Sequence[Message], language: str) -> dict[str, Any]:
    """Return what holds for all customers of an answer."""
    model = ask.model
    return {
        "name": model.wanted.name,
        "version": model.wanted.version,
        "model": model.wanted.bundle,
        "as_of": ask.as_of.isoformat(),
        "horizon_days": model.horizon_days,
        "currency": model.currency,
        "warnings": [one.to_json(language) for one in (*model.warnings, *notices)],
    }
