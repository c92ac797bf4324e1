"""Requests to score: what their body says, and the answer, with or without the framework in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from clv_core.deployment.api.api_errors import BadBody, TooLarge, WrongType, language_of, problem
from clv_core.deployment.api.api_settings import ServiceSettings
from clv_core.deployment.api.batcher import Busy
from clv_core.deployment.api.noticed import noticed
from clv_core.deployment.api.request_events import next_midnight
from clv_core.deployment.api.schemas import REQUEST, ScoreRequest
from clv_core.deployment.api.scoring import Ask
from clv_core.deployment.api.service import Parts
from clv_core.errors import ClvError, Message

T = TypeVar("T")
log = logging.getLogger(__name__)

JSON: Final = "application/json"
MAX_EXPLAINED: Final = 20
"""Customers of a request that asks for reasons."""
READ_BESIDE_BYTES: Final = 100_000
"""A larger body is read in a thread, so that others are not kept waiting."""


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
            tomorrow = next_midnight(datetime.now(UTC), model.timezone)
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
    most = min(MAX_EXPLAINED, settings.max_customers) if asked.get("reasons") else settings.max_customers
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
