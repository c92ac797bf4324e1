"""The application: what uvicorn runs, in one process that talks; others score."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from clv_core import __version__
from clv_core.deployment.api.api_errors import BadBody, language_of, plain_problem, problem
from clv_core.deployment.api.api_metrics import Counted, Metrics
from clv_core.deployment.api.api_settings import ServiceSettings
from clv_core.deployment.api.batcher import Batcher
from clv_core.deployment.api.gate import Authenticator
from clv_core.deployment.api.latest_scores import LatestScores
from clv_core.deployment.api.model_cache import ModelCache
from clv_core.deployment.api.model_runner import SWITCH_SECONDS
from clv_core.deployment.api.openapi import document
from clv_core.deployment.api.routes import SCORE, router
from clv_core.deployment.api.scored import direct
from clv_core.deployment.api.scoring import answer
from clv_core.deployment.api.service import Parts
from clv_core.deployment.api.workers import Workers
from clv_core.errors import ClvError
from clv_core.scratch import work_in
from clv_core.workspace import Workspace


def create() -> Counted:
    """Return the application of a process, by its environment (uvicorn's factory)."""
    sys.setswitchinterval(SWITCH_SECONDS)
    work_in(Workspace.default())
    return make(Workspace.default(), ServiceSettings.from_environment())


def make(workspace: Workspace, settings: ServiceSettings) -> Counted:
    """Return the application.

    Args:
        workspace: where models, logs and keys are.
        settings: of the service.
    """
    metrics = Metrics()
    parts = Parts(workspace, settings, metrics)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        parts.gate, parts.workers = (
            Authenticator(workspace, settings),
            Workers(workspace, settings.workers, metrics.lost),
        )
        parts.roster = ModelCache(workspace, parts.workers, settings.name, settings.max_models, metrics.swapped)
        metrics.version.set_function(lambda: loaded.wanted.version if (loaded := parts.roster.serving()) else 0)
        parts.latest = LatestScores(workspace, parts.roster.registry)
        limits = settings.batch, settings.wait_ms / 1e3, settings.max_waiting
        workers = {"plain": parts.workers.scoring, "reasons": [parts.workers.explaining]}
        parts.lanes = {lane: Batcher(own, answer, *limits, metrics.scored) for lane, own in workers.items()}
        watching = asyncio.create_task(parts.roster.watch(settings.poll_seconds))
        gc.freeze()
        yield
        watching.cancel()
        for lane in parts.lanes.values():
            await lane.close()
        parts.roster.close()
        await parts.workers.close()

    app = FastAPI(
        title="CLV Studio",
        version=__version__,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a proxy speaks TLS, and they would lead customers and key out of it
    )
    app.include_router(router(parts))
    _answer_errors(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    return Counted(app, metrics, {("POST", SCORE): direct(parts)})


def _answer_errors(app: FastAPI) -> None:
    """Have everything that goes wrong answered in words."""

    @app.exception_handler(ClvError)
    async def known(request: Request, error: ClvError) -> Response:
        return problem(error, language_of(request))

    @app.exception_handler(RequestValidationError)
    async def unreadable(request: Request, error: RequestValidationError) -> Response:
        language = language_of(request)
        return problem(BadBody.of(error.errors(), language), language)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        code = {404: "service_no_route", 405: "service_method"}.get(error.status_code, "service_refused")
        words: dict[str, Any] = {"method": request.method, "path": request.url.path[:200]}
        answered = plain_problem(code, error.status_code, language_of(request), **words)
        answered.headers.update(error.headers or {})
        return answered

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=499)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return plain_problem("unexpected", 500, language_of(request), kind=type(error).__name__)
