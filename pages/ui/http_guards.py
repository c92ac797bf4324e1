"""What the server adds to Streamlit's answers, and keeps back of them, whoever asks."""

from __future__ import annotations

import hmac
import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clv_core.environment import Environment
from clv_core.errors import UsageError
from clv_core.i18n import closest_language, translate

METRICS: Final = "/_stcore/metrics"
"""Where Streamlit counts sessions and memory; beside it ``/_stcore/health`` stays open, for who restarts the app."""
SOURCES: Final = re.compile(r"[!-+\--:<-~]+( [!-+\--:<-~]+)*")
"""Sources of a Content-Security-Policy: visible ASCII with blanks between; ``;`` and ``,`` end a directive."""


class Framing:
    """Tells browsers on which sites the app may be shown in a frame: elsewhere, a page could steer people's clicks.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.policy = app, f"frame-ancestors {frame_ancestors()}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. An answer that nothing has changed (304) renews the headers of what a browser has kept."""

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Content-Security-Policy", self.policy)
            await send(message)

        await self.app(scope, receive, with_policy)


def frame_ancestors() -> str:
    """Return the sites that may show the app in a frame, as the header has them.

    Raises:
        UsageError: ``CLV_FRAME_ANCESTORS`` would end the directive.
    """
    sources = Environment.from_environment().frame_ancestors.strip()
    if not SOURCES.fullmatch(sources):
        raise UsageError("frame_ancestors", variable=Environment.variable("frame_ancestors"), found=sources[:200])
    return sources


class MetricsDoor:
    """Keeps the server's metrics from who does not send the token that ``CLV_METRICS_TOKEN`` sets.

    Args:
        app: what answers all other requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answer = self.app
        if scope["type"] == "http" and scope["path"].endswith(METRICS):
            headers, token = Headers(scope=scope), Environment.from_environment().metrics_token
            sent = headers.get("authorization", "").encode()
            if not token or not hmac.compare_digest(sent, f"Bearer {token}".encode()):
                language, variable = (
                    closest_language(headers.get("accept-language")),
                    Environment.variable("metrics_token"),
                )
                sentence = translate("error.metrics_token", language, variable=variable)
                answer = PlainTextResponse(sentence, 401, {"WWW-Authenticate": "Bearer"})
        await answer(scope, receive, send)
