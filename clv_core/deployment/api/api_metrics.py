"""What is counted, in Prometheus' text format."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
ROUTES: Final = ("/v1/score", "/v1/models", "/v1/customers", "/healthz", "/readyz", "/metrics", "/openapi.json")
GONE: Final = 499
"""Status of who did not wait for the answer."""


class Metrics:
    """All numbers of a service; whoever reads them needs no key, so no label is a name."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.requests = Counter("clv_requests", "Requests answered", ("route", "status"), registry=registry)
        self.seconds = Histogram(
            "clv_request_seconds", "Time to the answer", ("route",), buckets=SECONDS, registry=registry
        )
        self.customers = Counter("clv_customers_scored", "Customers scored", registry=registry)
        self.calls = Histogram("clv_call_customers", "Customers of a scoring call", buckets=SIZES, registry=registry)
        self.call_seconds = Histogram("clv_call_seconds", "Time of a scoring call", buckets=SECONDS, registry=registry)
        self.swaps = Counter("clv_model_loads", "Models that took a place in memory", registry=registry)
        self.version = Gauge("clv_model_version", "Version that answers where no model is named", registry=registry)
        self.losses = Counter("clv_processes_lost", "Scoring processes that ended by themselves", registry=registry)

    def scored(self, customers: int, seconds: float) -> None:
        """Count a scoring call."""
        self.customers.inc(customers)
        self.calls.observe(customers)
        self.call_seconds.observe(seconds)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        count, times = self._of(route, status)
        count.inc()
        times.observe(seconds)

    @cache  # noqa: B019 - as long as the process
    def _of(self, route: str, status: int) -> tuple[Counter, Histogram]:
        return self.requests.labels(route, str(status)), self.seconds.labels(route)

    def swapped(self) -> None:
        """Count a model that was loaded."""
        self.swaps.inc()

    def lost(self) -> None:
        """Count a process that ended."""
        self.losses.inc()

    def text(self) -> tuple[bytes, str]:
        """Return all numbers in the text format, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


class Counted:
    """The application with every answer counted.

    Args:
        app: what answers.
        metrics: where it is counted.
        direct: what answers at once, by method and path: a framework's way to a route costs as much as scoring.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, direct: Mapping[tuple[str, str], ASGIApp]) -> None:
        self.app, self.metrics, self.direct = app, metrics, direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), GONE

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        path = scope["path"]
        try:
            await self.direct.get((scope["method"], path), self.app)(scope, receive, noted)
        except Exception as error:  # answered already; the server would log its text, which may name a customer
            status = 500
            log.error("a request failed: %s", type(error).__name__)
        finally:
            route = next((one for one in ROUTES if path == one or path.startswith(f"{one}/")), "other")
            self.metrics.answered(route, status, time.perf_counter() - started)
