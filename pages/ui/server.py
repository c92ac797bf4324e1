"""The app's server around Streamlit: headers and access rules of its responses, and its background tasks.

Whoever asks, answers say which sites may frame the app, and metrics take a token. While the server is up, it lets go of
files and runs the schedules that are due.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clv_core.environment import Environment
from clv_core.errors import UsageError, traced
from clv_core.i18n import closest_language, translate
from clv_core.monitoring import is_due
from clv_core.program_files import APP_FOLDER
from clv_core.workspace import Workspace
from pages.ui import upload_gate

METRICS: Final = "/_stcore/metrics"
"""Where Streamlit counts sessions and memory; next to it ``/_stcore/health`` stays open, for who restarts the app."""
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


LOOK_SECONDS: Final = 30
"""Seconds between two checks for due schedules, whose times are minutes."""
OFF: Final = "off"


@asynccontextmanager
async def while_up(app: Any) -> AsyncGenerator[None, None]:
    """Release files of ended sessions and run due schedules while the server runs."""
    async with upload_gate.letting_go(app):
        task = asyncio.create_task(_run_schedules())
        yield
        task.cancel()


async def _run_schedules() -> None:
    """Check at intervals whether a schedule is due; its chain runs in a process of its own, one at a time."""
    command, quiet = [sys.executable, "-m", "clv_core", "run-due", "--quiet"], asyncio.subprocess.DEVNULL
    while Environment.from_environment().schedules != OFF:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            if await asyncio.to_thread(is_due, Workspace.default(), datetime.now(UTC)):
                process = await asyncio.create_subprocess_exec(*command, cwd=APP_FOLDER, stdout=quiet, stderr=quiet)
                await process.wait()
        except Exception as error:  # one look that fails must not be the last
            logging.getLogger(__name__).error("schedules: %s", traced(error))
