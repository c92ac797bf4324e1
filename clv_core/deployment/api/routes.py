"""The routes, and the OpenAPI document and page that describe them. Docstrings of routes are part of the document."""

from __future__ import annotations

from html import escape
from typing import Annotated, Final

from fastapi import APIRouter, FastAPI, Path, Query
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clv_core.deployment.api.api_errors import BadBody, language_of
from clv_core.deployment.api.api_metrics import METRICS_EXAMPLE, SCORE, Metrics, describe
from clv_core.deployment.api.model_info import ModelInfo
from clv_core.deployment.api.schemas import (
    EXAMPLE_REQUEST,
    LEAST_WEEKS,
    MAX_DAYS,
    MAX_PRODUCTS,
    MAX_SHARE,
    MOST_WEEKS,
    REQUEST,
    DemandRows,
    ForecastUnit,
    Health,
    KeptPrediction,
    ModelList,
    Problems,
    ProductDemand,
    RevenueForecast,
    ScoreAnswer,
    example_call,
)
from clv_core.deployment.api.service import JSON, Service
from clv_core.i18n import DEFAULT_LANGUAGE, LANGUAGES, translate
from clv_core.records import JsonObject

REFERENCE: Final = "#/components/schemas/{model}"
NEEDS_KEY: Final[list[JsonObject]] = [{"bearer": []}, {"key": []}]
"""Either will do."""
NEEDS_NONE: Final[list[JsonObject]] = []
SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key of `clv keys add`."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
}
ABOUT: Final = (
    "Predicted customer lifetime value. Every answer about customers carries today's verdict on the model and how old"
    " model and scores are. An answer that is none is `{error: {code, params, message}}`; codes never change their"
    " meaning, and sentences are in the language of Accept-Language."
)
LANGUAGE: Final[JsonObject] = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": f"Of sentences in the answer: {', '.join(LANGUAGES)}; others are answered in {DEFAULT_LANGUAGE}.",
    "schema": {"type": "string"},
    "example": "zh-CN,zh;q=0.9,en;q=0.5",
}
MEANINGS: Final = {
    401: "No key, or one that is not known; without keys, a host that is not this machine",
    404: "No such model or customer", 405: "Another method than those of this address",
    409: "The model or the registry cannot be used", 413: "More than a request may hold",
    415: "The body is no JSON, or it is packed", 422: "The request does not have this form",
    429: "The key was used too often", 500: "An error of the service itself",
    503: "Too many wait, or keys or registry cannot be read now: ask again",
}  # fmt: skip
RETRY: Final = {"Retry-After": "Seconds to wait."}
HEADERS: Final[dict[int, dict[str, str]]] = {
    401: {"WWW-Authenticate": "How to show a key."}, 405: {"Allow": "Methods of this address."}, 429: RETRY, 503: RETRY,
}  # fmt: skip
ALWAYS: Final = (405, 500, 503)
"""Statuses that any route may answer with."""
RegistryName = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        description="A name of the registry; left out: that of the model that answers.",
        examples=["orders"],
    ),
]


def router(*, secured: bool) -> APIRouter:
    """Return the routes of a service that is ``app.state.service`` once it has started.

    Args:
        secured: whether keys are required.
    """
    routes, security = APIRouter(), NEEDS_KEY if secured else NEEDS_NONE
    for_customers: JsonObject = {"security": security, "parameters": [LANGUAGE]}
    for_all: JsonObject = {"security": NEEDS_NONE}

    @routes.post(
        SCORE,
        summary="Score customers from their events",
        responses={
            200: {"model": ScoreAnswer, "description": "Predictions, and what to know of them"},
            **_problems(401, 404, 409, 413, 415, 422, 429),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "description": "Customers with their events.",
                "content": {JSON: {"schema": {"$ref": "#/components/schemas/ScoreRequest"}}},
            },
            **for_customers,
        },
    )
    async def score(request: Request) -> Response:
        """Predict what each customer is worth in the model's horizon, with an 80% interval.

        All rules of reading a log hold. A customer who cannot be scored carries an error; the others are scored.
        """
        return await service_of(request).score(request)

    @routes.get(
        "/v1/models",
        summary="List models",
        responses={
            200: {"model": ModelList, "description": "The versions, and which of them answers"},
            **_problems(401, 404, 409, 422, 429),
        },
        openapi_extra=for_customers,
    )
    async def models(
        request: Request,
        name: Annotated[
            str | None,
            Query(max_length=200, description="A name of the registry; left out: all names.", examples=["orders"]),
        ] = None,
    ) -> Response:
        """List all versions in the registry, or those of one name, with what was measured of them and their verdict."""
        service = service_of(request)
        service.auth.authenticate(request.headers)
        _refuse_repeated(request, "name")
        versions = await run_in_threadpool(service.models.registry.versions, name)
        model = service.models.default
        listed = await run_in_threadpool(service.listed, versions, language_of(request))
        return Response(to_json({"serving": model and model.key.bundle, "models": listed}), media_type=JSON)

    @routes.get(
        "/v1/customers/{customer_id:path}",
        summary="Look a customer up in the latest batch",
        responses={
            200: {"model": KeptPrediction, "description": "The prediction, and how old it is"},
            **_problems(401, 404, 409, 422, 429),
        },
        openapi_extra=for_customers,
    )
    async def customer(
        request: Request,
        customer_id: Annotated[
            str, Path(min_length=1, max_length=200, description="As the log has it.", examples=["c1"])
        ],
        name: RegistryName = None,
    ) -> Response:
        """Return what the latest run of `score` said of a customer: no event is read, nothing is computed.

        `days_since_as_of` is how old the scores are, `days_since_cutoff` how old the model was by then.
        """
        service = service_of(request)
        service.auth.authenticate(request.headers)
        _refuse_repeated(request, "name")
        name = name or (await service.models.get(None)).key.name
        scores = await run_in_threadpool(service.latest.of, name, customer_id, language_of(request))
        return Response(to_json(scores), media_type=JSON)

    @routes.get(
        "/v1/forecast",
        summary="Look up the revenue that is expected",
        responses={
            200: {"model": RevenueForecast, "description": "The saved forecast, and what to know of it"},
            **_problems(401, 404, 409, 422, 429),
        },
        openapi_extra=for_customers,
    )
    async def forecast(
        request: Request,
        name: RegistryName = None,
        days: Annotated[
            int | None,
            Query(ge=1, le=MAX_DAYS, description="How far ahead; left out: the model's horizon.", examples=[90]),
        ] = None,
        unit: Annotated[
            ForecastUnit, Query(description="Of the periods: day, week (from as_of on) or calendar month.")
        ] = "week",
        new_customers: Annotated[
            float | None,
            Query(
                ge=0,
                le=MAX_SHARE,
                allow_inf_nan=False,
                description="What if: as many new customers as in the last four weeks, times this share; left out: the"
                " log's own trend.",
                examples=[1.2],
            ),
        ] = None,
    ) -> Response:
        """Return expected revenue of customers known today, of those still to be won, and of both, with 80% ranges.

        It is read from the forecast that `forecast` or `score` saved of the log's end; nothing is made. Without one
        the answer is 404 and the command that makes it.
        """
        service = service_of(request)
        service.auth.authenticate(request.headers)
        for parameter in ("name", "days", "unit", "new_customers"):
            _refuse_repeated(request, parameter)
        name = name or (await service.models.get(None)).key.name
        asked: JsonObject = {"days": days, "unit": unit, "new_customers": new_customers}
        found = await run_in_threadpool(service.forecast, name, language_of(request), **asked)
        return Response(to_json(found), media_type=JSON)

    @routes.get(
        "/v1/demand",
        summary="Look up what will be bought of each product",
        responses={
            200: {"model": ProductDemand, "description": "The saved demand, and what to know of it"},
            **_problems(401, 404, 409, 422, 429),
        },
        openapi_extra=for_customers,
    )
    async def demand(
        request: Request,
        name: RegistryName = None,
        weeks: Annotated[
            int, Query(ge=LEAST_WEEKS, le=MOST_WEEKS, description="How far ahead.", examples=[LEAST_WEEKS])
        ] = LEAST_WEEKS,
        by: Annotated[DemandRows, Query(description="What has a row for each week: product or category.")] = "product",
        most: Annotated[
            int,
            Query(ge=1, le=MAX_PRODUCTS, description="How many of them, those of the highest expected revenue first."),
        ] = 100,
    ) -> Response:
        """Return the pieces and the net revenue that are expected of each product or category by week, with 80% ranges.

        It is read from the demand that `demand` or its page saved of the log's end; nothing is made. Without one the
        answer is 404 and the command that makes it.
        """
        service = service_of(request)
        service.auth.authenticate(request.headers)
        for parameter in ("name", "weeks", "by", "most"):
            _refuse_repeated(request, parameter)
        name = name or (await service.models.get(None)).key.name
        asked: JsonObject = {"weeks": weeks, "by": by, "most": most}
        found = await run_in_threadpool(service.demand, name, language_of(request), **asked)
        return Response(to_json(found), media_type=JSON)

    @routes.head("/healthz", include_in_schema=False)
    @routes.get(
        "/healthz",
        summary="Say whether the service runs",
        responses={200: {"model": Health, "description": "It runs"}, **_problems()},
        openapi_extra=for_all,
    )
    async def healthz(request: Request) -> Response:
        """Answer as long as the process does; `ready` says whether a model is in memory."""
        return Response(to_json(_health(service_of(request).models.default)), media_type=JSON)

    @routes.head("/readyz", include_in_schema=False)
    @routes.get(
        "/readyz",
        summary="Say whether the service can score",
        responses={
            200: {"model": Health, "description": "It can score"},
            **_problems(),
            503: {"model": Health | Problems, "description": "No model is in memory yet, or too many wait"},
        },
        openapi_extra=for_all,
    )
    async def readyz(request: Request) -> Response:
        """Answer what `/healthz` does, with 503 until a model is in memory."""
        model = service_of(request).models.default
        return Response(to_json(_health(model)), 503 if model is None else 200, media_type=JSON)

    @routes.get(
        "/metrics",
        summary="Count what was answered",
        description=f"Numbers since the start, in Prometheus' text format:\n\n{describe(Metrics().registry)}",
        response_class=PlainTextResponse,
        responses={
            200: {
                "description": "Counts and times; no label names a dataset, a model or a customer",
                "content": {"text/plain": {"schema": {"type": "string"}, "example": METRICS_EXAMPLE}},
            },
            **_problems(),
        },
        openapi_extra=for_all,
    )
    async def metrics(request: Request) -> Response:
        return Response(generate_latest(service_of(request).metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/", include_in_schema=False)
    async def described(request: Request) -> Response:
        call = example_call(str(request.base_url), secured=secured)
        return HTMLResponse(html_page(request.app.openapi(), language_of(request), call))

    return routes


def service_of(request: Request) -> Service:
    """Return the service of a request's application."""
    service: Service = request.app.state.service
    return service


def _refuse_repeated(request: Request, name: str) -> None:
    """Refuse a parameter that is given twice: either may be meant.

    Raises:
        BadBody: it is.
    """
    if len(request.query_params.getlist(name)) > 1:
        raise BadBody.of([{"loc": ("query", name), "type": "string_type"}], language_of(request))


def _health(model: ModelInfo | None) -> JsonObject:
    """Return what needs no key: no name, which may be a customer's."""
    return {"status": "ok", "ready": model is not None, "version": model and model.key.version}


def _problems(*codes: int) -> dict[int | str, JsonObject]:
    """Return the answers with an error that a route may give: these, and :data:`ALWAYS`."""
    return {
        code: {
            "model": Problems,
            "description": MEANINGS[code],
            "headers": {
                name: {"description": words, "schema": {"type": "string"}}
                for name, words in HEADERS.get(code, {}).items()
            },
        }
        for code in sorted({*codes, *ALWAYS})
    }


def openapi_document(app: FastAPI, *, secured: bool) -> JsonObject:
    """Return the OpenAPI document of an application, made once.

    Args:
        app: its routes are those of :func:`router`.
        secured: whether keys are required.
    """
    if not app.openapi_schema:
        document = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
        document["security"] = NEEDS_KEY if secured else NEEDS_NONE
        schemas = document["components"]["schemas"]
        schema = REQUEST.json_schema(ref_template=REFERENCE) | {"examples": [EXAMPLE_REQUEST]}
        schemas |= schema.pop("$defs")
        schemas["ScoreRequest"] = schema
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        document["components"]["securitySchemes"] = SCHEMES
        app.openapi_schema = document
    return app.openapi_schema


def html_page(document: JsonObject, language: str, call: str) -> str:
    """Return a page that lists the routes; it loads nothing from anywhere.

    Args:
        document: of :func:`openapi_document`.
        language: of the page.
        call: an example.
    """
    routes = []
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            answers = "".join(
                f"<li><code>{escape(code)}</code> {escape(answer['description'])}</li>"
                for code, answer in about["responses"].items()
            )
            words = escape(about.get("description", "")).replace("\n\n", "<br>").replace("\n-", "<br>-")
            routes.append(
                f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>"
                f"<p>{escape(about['summary'])}. {words}</p><ul>{answers}</ul></section>"
            )
    title, lead = translate("service.page.title", language), translate("service.page.lead", language)
    shown = f"<p>{escape(translate('service.page.example', language))}</p><pre>{escape(call)}</pre>"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>pre { white-space: pre-wrap; overflow-wrap: anywhere }</style></head>"
        '<body style="font-family: sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem">'
        f'<h1>{escape(title)}</h1><p>{escape(lead)} <a href="openapi.json">openapi.json</a></p>{shown}{"".join(routes)}'
        "</body></html>"
    )
