"""Metrics of the API in Prometheus' text format."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Bounds of buckets, densest around 25 ms, below which 99% of answers should stay (tests/bench/README.md, Serving)."""
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Bounds of buckets of customers a call, up to twice the default limit of a call."""
SCORE: Final = "/v1/score"
ROUTES: Final = (
    SCORE,
    "/v1/models",
    "/v1/customers",
    "/v1/forecast",
    "/v1/demand",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
)
METRICS_EXAMPLE: Final = 'clv_requests_total{route="/v1/score",status="200"} 3.0\n'
CLIENT_CLOSED: Final = 499
"""Status where the client closed the connection before the answer."""


class Metrics:
    """The metrics of a service. Reading them needs no key, so no label is a customer's or model's name."""

    def __init__(self) -> None:
        self.registry = to = CollectorRegistry()
        self.requests = Counter("clv_requests", "Requests answered", ("route", "status"), registry=to)
        self.seconds = Histogram("clv_request_seconds", "Time to the answer", ("route",), buckets=SECONDS, registry=to)
        self.customers = Counter("clv_customers_scored", "Customers scored", registry=to)
        self.calls = Histogram("clv_call_customers", "Customers of a scoring call", buckets=SIZES, registry=to)
        self.call_seconds = Histogram("clv_call_seconds", "Time of a scoring call", buckets=SECONDS, registry=to)
        self.loads = Counter("clv_model_loads", "Models that took a place in memory", registry=to)
        self.version = Gauge("clv_model_version", "Version that answers where no model is named", registry=to)
        self.losses = Counter("clv_processes_lost", "Scoring processes that ended by themselves", registry=to)

    def count_call(self, customers: int, seconds: float) -> None:
        """Count a scoring call."""
        self.customers.inc(customers)
        self.calls.observe(customers)
        self.call_seconds.observe(seconds)


def describe(registry: CollectorRegistry) -> str:
    """Return the names and meanings of a registry's numbers as a list in Markdown."""
    return "\n".join(f"- `{metric.name}` ({metric.type}): {metric.documentation}" for metric in registry.collect())


class Counted:
    """The application with every answer counted.

    Args:
        app: answers requests.
        score: answers ``POST /v1/score`` at once: a framework's way to a route costs as much as reading the request.
        metrics: counts.
    """

    def __init__(self, app: ASGIApp, score: ASGIApp, metrics: Metrics) -> None:
        self.app, self.score, self.metrics = app, score, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status, path = time.perf_counter(), CLIENT_CLOSED, scope["path"]

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            app = self.score if path == SCORE and scope["method"] == "POST" else self.app
            await app(scope, receive, send_counted)
        except Exception as error:  # answered already; the server would log its text, which may name a customer
            status = 500
            log.error("a request failed: %s", type(error).__name__)
        finally:
            route = next((prefix for prefix in ROUTES if path == prefix or path.startswith(f"{prefix}/")), "other")
            self.metrics.requests.labels(route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - started)
