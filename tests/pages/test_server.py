"""What every answer of the app's server carries, and which of Streamlit's own answers it keeps back."""

from __future__ import annotations

import runpy

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from clv_core.errors import UsageError
from pages.ui.server import Framing, MetricsDoor, frame_ancestors

TOKEN = "5be8e9b9d2c2d0a1"


def client() -> TestClient:
    """The guards before an app with a page, counts and a health check."""
    routes = [
        Route("/", lambda _: HTMLResponse("<p>page")),
        Route("/_stcore/metrics", lambda _: PlainTextResponse("active_sessions 1")),
        Route("/_stcore/health", lambda _: PlainTextResponse("ok")),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Framing), Middleware(MetricsDoor)]))


@pytest.mark.parametrize("sites", ["", "'none'", "'self' https://portal.shop.example https://*.shop.example:8443"])
def test_other_sites_may_not_frame_the_app_but_for_those_that_are_named(
    monkeypatch: pytest.MonkeyPatch, sites: str
) -> None:
    monkeypatch.setenv("CLV_FRAME_ANCESTORS", sites)
    for path in ("/", "/_stcore/metrics", "/_stcore/health", "/nowhere"):
        header = client().get(path).headers["content-security-policy"]
        assert header == "frame-ancestors " + (sites or "'self'"), path


@pytest.mark.parametrize("sites", ["'self'; script-src *", "https://a.example, https://b.example", "a\nb", "门户"])
def test_sites_that_would_be_another_rule_end_the_start_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, sites: str
) -> None:
    monkeypatch.setenv("CLV_FRAME_ANCESTORS", sites)
    with pytest.raises(UsageError):
        frame_ancestors()
    with pytest.raises(SystemExit, match="CLV_FRAME_ANCESTORS is"):
        runpy.run_module("pages.ui", run_name="__main__")


@pytest.mark.parametrize(
    ("token", "sent", "status"),
    [
        ("", "", 401),
        ("", "Bearer ", 401),
        (TOKEN, "", 401),
        (TOKEN, TOKEN, 401),
        (TOKEN, f"Bearer {TOKEN}x", 401),
        (TOKEN, f"Basic {TOKEN}", 401),
        (TOKEN, f"Bearer {TOKEN}", 200),
    ],
)
def test_metrics_need_the_token_and_the_health_check_needs_none(
    monkeypatch: pytest.MonkeyPatch, token: str, sent: str, status: int
) -> None:
    monkeypatch.setenv("CLV_METRICS_TOKEN", token)
    for path in ("/_stcore/metrics", "/_stcore%2Fmetrics"):
        answer = client().get(path, headers={"authorization": sent, "accept-language": "zh-CN"})
        assert answer.status_code == status and ("active_sessions" in answer.text) is (status == 200)
        assert status == 200 or ("令牌" in answer.text and answer.headers["www-authenticate"] == "Bearer")
    assert client().get("/_stcore/health").text == "ok"
