"""Files that browsers send: taken only of sessions that have come past the door of sign-in, and let go when those end.

Streamlit takes files of every session, also of one that stands before a closed door, and holds them in memory. Of a
browser that has left, it forgets the session after a while, and keeps the files for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from clv_core.i18n import closest_language, translate

_inside: set[str] = set()
"""Ids of the sessions that may send files."""


def let_in() -> None:
    """Take files of the session that runs the page, from now on."""
    context = get_script_run_ctx()
    if context is not None:
        _inside.add(context.session_id)


def shut_out() -> None:
    """Take no files of the session that runs the page any more, and let go of what it has sent."""
    context = get_script_run_ctx()
    if context is not None:
        _inside.discard(context.session_id)
        context.uploaded_file_mgr.remove_session_files(context.session_id)


class Door:
    """Refuses the files of who is not inside, before any byte of them is read.

    Args:
        app: what answers all other requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. Files alone are PUT here, to ``.../<session>/<file>``."""
        answer = self.app
        if scope["type"] == "http" and scope["method"] == "PUT" and _session(scope["path"]) not in _inside:
            language = closest_language(Headers(scope=scope).get("accept-language"))
            answer = PlainTextResponse(translate("error.upload_outside", language), 403)
        await answer(scope, receive, send)


def _session(path: str) -> str:
    return path.rpartition("/")[0].rpartition("/")[2]


@asynccontextmanager
async def letting_go(_: Any) -> AsyncGenerator[None, None]:
    """Let go of the files of ended sessions for as long as the server runs."""
    task = asyncio.create_task(_let_go())
    yield
    task.cancel()


async def _let_go() -> None:
    """Look for sessions without a browser again and again; one found so twice can no longer be taken up."""
    server, disconnected = runtime.get_instance(), set[str]()
    files = cast(MemoryUploadedFileManager, server.uploaded_file_mgr)
    while True:
        await asyncio.sleep(max(1, st.get_option("server.disconnectedSessionTTL")))
        now = {one for one in (*_inside, *files.file_storage) if not server.is_active_session(one)}
        for one in disconnected & now:
            _inside.discard(one)
            files.remove_session_files(one)
        disconnected = now - disconnected
