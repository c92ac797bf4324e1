"""The application that uvicorn runs, in one process; other processes score."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from clv_core import __version__
from clv_core.deployment.api.api_errors import BadBody, error_response, language_of
from clv_core.deployment.api.api_metrics import CLIENT_CLOSED, Counted, Metrics
from clv_core.deployment.api.model_info import SWITCH_SECONDS
from clv_core.deployment.api.routes import openapi_document, router
from clv_core.deployment.api.service import FindDemand, FindForecast, Service
from clv_core.environment import ServiceSettings
from clv_core.errors import ClvError
from clv_core.scratch import work_in
from clv_core.workspace import Workspace

log = logging.getLogger(__name__)

HTTP_CODES: Final = {404: "service_no_route", 405: "service_method"}
"""Codes of errors that the framework raises before any of ours."""


def create(find_forecast: FindForecast, find_demand: FindDemand) -> Counted:
    """Return the application by the environment of the process (uvicorn's factory)."""
    sys.setswitchinterval(SWITCH_SECONDS)
    work_in(Workspace.default())
    return make(Workspace.default(), ServiceSettings.from_environment(), find_forecast, find_demand)


def make(
    workspace: Workspace, settings: ServiceSettings, find_forecast: FindForecast, find_demand: FindDemand
) -> Counted:
    """Return the application.

    Args:
        workspace: of models, datasets and keys.
        settings: of the service.
        find_forecast: finds saved forecasts, which a later room makes.
        find_demand: finds saved demand, which a later room makes.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = app.state.service = Service(workspace, settings, metrics, find_forecast, find_demand)
        metrics.version.set_function(lambda: model.key.version if (model := service.models.default) else 0)
        watching = asyncio.create_task(service.models.watch(settings.poll_seconds))
        gc.freeze()
        yield
        watching.cancel()
        await service.close()

    app = FastAPI(
        title="CLV Studio",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # behind a proxy that ends TLS they would lead customers and key to plain HTTP
    )
    app.include_router(router(secured=not settings.open))
    _handle_errors(app)
    app.openapi = lambda: openapi_document(app, secured=not settings.open)  # type: ignore[method-assign]
    return Counted(app, _score_directly(app), metrics)


def _score_directly(app: FastAPI) -> ASGIApp:
    """Return what answers requests to score without FastAPI in between."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await app.state.service.score(request)
        except ClientDisconnect:
            return
        except ClvError as error:
            response = error_response(error, language_of(request))
        except Exception as error:  # its text may name a customer
            log.error("a request failed: %s", type(error).__name__)
            response = error_response(ClvError("unexpected", kind=type(error).__name__), language_of(request))
        await response(scope, receive, send)

    return answer


def _handle_errors(app: FastAPI) -> None:
    """Have every error answered in the same form."""

    @app.exception_handler(ClvError)
    async def expected(request: Request, error: ClvError) -> Response:
        return error_response(error, language_of(request))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        language = language_of(request)
        return error_response(BadBody.of(error.errors(), language), language)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        code = HTTP_CODES.get(error.status_code, "service_refused")
        params: dict[str, Any] = {"method": request.method, "path": request.url.path[:200]}
        response = error_response(ClvError(code, **params), language_of(request), error.status_code)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(ClientDisconnect)
    async def closed(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=CLIENT_CLOSED)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return error_response(ClvError("unexpected", kind=type(error).__name__), language_of(request))
