"""What can be asked for."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clv_core.deployment.api.api_errors import BadBody, language_of
from clv_core.deployment.api.call import example
from clv_core.deployment.api.model_info import ModelInfo
from clv_core.deployment.api.openapi import SECURED, page, problems
from clv_core.deployment.api.schemas import Health, KeptPrediction, ModelList, ScoreAnswer
from clv_core.deployment.api.scored import JSON, scored
from clv_core.deployment.api.service import Parts

SCORE: Final = "/v1/score"


def router(parts: Parts) -> APIRouter:
    """Return the routes of a service."""
    routes, secured = APIRouter(), {} if parts.settings.open else SECURED
    _scoring(routes, parts, secured)
    _looking_up(routes, parts, secured)
    _watching(routes, parts)
    return routes


def _scoring(routes: APIRouter, parts: Parts, secured: dict[str, Any]) -> None:
    """Add what computes."""

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


def _looking_up(routes: APIRouter, parts: Parts, secured: dict[str, Any]) -> None:
    """Add what is read from the registry and from the latest batch."""

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


def _watching(routes: APIRouter, parts: Parts) -> None:
    """Add what everybody may ask, with no key: whether the service runs, what it counted, how it is asked."""

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


def _once(request: Request, name: str) -> None:
    """Refuse a parameter that is given twice: nobody knows which is meant.

    Raises:
        BadBody: it is.
    """
    if len(request.query_params.getlist(name)) > 1:
        raise BadBody.of([{"loc": ("query", name), "type": "string_type"}], language_of(request))


def _health(serving: ModelInfo | None) -> dict[str, Any]:
    """Return what anybody may know of the model in memory, if one is: no name, which may be a customer's."""
    return {"status": "ok", "ready": serving is not None, "version": serving and serving.wanted.version}
