"""Files that browsers send: taken only of sessions of people who may upload, kept on disk, let go when those end.

Streamlit takes files of every session, also of one that is not signed in, and reads each completely into memory,
where a page that takes several files at once gets all of them once more. Of a browser that has left, it forgets the
session after a while, and keeps the files for good. Here a file goes to disk in blocks while it arrives, so that many
at once need no more memory than one, and the server's memory has the names alone. Pages read a content through
:mod:`pages.ui.received`; the ``UploadedFile`` that a widget gives them is empty.
"""

from __future__ import annotations

import asyncio
import atexit
import io
import shutil
import threading
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime import memory_uploaded_file_manager
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.server.server_util import is_xsrf_enabled
from streamlit.web.server.starlette.starlette_app_utils import validate_xsrf_token
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

from clv_core import scratch
from clv_core.errors import ClvError
from clv_core.i18n import closest_language, translate
from clv_core.workspace import Workspace
from pages.ui import access

MIB: Final = 1024 * 1024
"""Bytes; ``server.maxUploadSize`` counts in these."""
FRAMING_BYTES: Final = MIB
"""A body is so much longer than its file at most: the lines between its parts, and the file's name."""

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
    """Takes files, alone of who is inside: of the others no byte is read.

    Args:
        app: what answers all other requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. Files alone are PUT here, to ``.../<session>/<file>``."""
        answer = self.app
        if scope["type"] == "http" and scope["method"] == "PUT":
            answer = await _take(scope, receive)
        await answer(scope, receive, send)


async def _take(scope: Scope, receive: Receive) -> Response:
    """Write the file of a request to disk, on the conditions of Streamlit's own route; return the answer."""
    session, file_id = scope["path"].split("/")[-2:]
    megabytes = st.get_option("server.maxUploadSize")
    request = Request(scope, _limited(receive, megabytes * MIB + FRAMING_BYTES))
    language = closest_language(Headers(scope=scope).get("accept-language"))

    def refuse(code: str, status: int, **params: Any) -> Response:
        return PlainTextResponse(translate(f"error.{code}", language, **params), status)

    marks = request.headers.get("X-Xsrftoken"), request.cookies.get(XSRF_COOKIE_NAME)
    if is_xsrf_enabled() and not validate_xsrf_token(*marks):
        return PlainTextResponse("XSRF token missing or invalid", 403)
    if session not in _inside or not runtime.get_instance().is_active_session(session):
        role = translate(f"access.role.{access.ACTIONS['upload']}", language)
        return refuse("upload_outside", 403, role=role)
    too_large = refuse("upload_size", 413, size=megabytes)
    if int(request.headers.get("content-length", 0)) > megabytes * MIB + FRAMING_BYTES:
        return too_large
    try:
        async with request.form(max_files=1) as form:
            file = next((upload for upload in form.values() if isinstance(upload, UploadFile)), None)
            if file is None:
                return PlainTextResponse("no file", 400)
            if (file.size or 0) > megabytes * MIB:
                return too_large
            kind = file.content_type or "application/octet-stream"
            record = UploadedFileRec(file_id, file.filename or "", kind, b"")
            await run_in_threadpool(_files().add_stream, session, record, file.file)
    except HTTPException as error:
        return too_large if error.status_code == 413 else PlainTextResponse(error.detail, error.status_code)
    except ClientDisconnect:
        return Response(status_code=400)
    except ClvError as error:
        return PlainTextResponse(error.message(language), 507)
    except OSError as error:
        return refuse("upload_disk", 507, reason=error.strerror or type(error).__name__)
    return Response(status_code=204)


def _limited(receive: Receive, most: int) -> Receive:
    """Return what receives a body of ``most`` bytes; a longer one, which may not say so, ends in an HTTPException."""
    left = most

    async def within() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        return message

    return within


def _files() -> UploadsOnDisk:
    files = runtime.get_instance().uploaded_file_mgr
    if not isinstance(files, UploadsOnDisk):
        raise TypeError(f"uploads would stay in memory: Streamlit made a {type(files).__name__}")
    return files


@asynccontextmanager
async def letting_go(_: Any) -> AsyncGenerator[None, None]:
    """Let go of the files of ended sessions for as long as the server runs; first, of those of a killed server.

    Raises:
        TypeError: Streamlit would keep files in memory.
    """
    files = _files()
    scratch.sweep_killed(Workspace.default())
    task = asyncio.create_task(_let_go(files))
    yield
    task.cancel()


async def _let_go(files: UploadsOnDisk) -> None:
    """Check for sessions without a browser at intervals; one that has none twice in a row can no longer be resumed."""
    server, disconnected = runtime.get_instance(), set[str]()
    while True:
        await asyncio.sleep(max(1, st.get_option("server.disconnectedSessionTTL")))
        now = {session_id for session_id in (*_inside, *files.file_storage) if not server.is_active_session(session_id)}
        for session_id in disconnected & now:
            _inside.discard(session_id)
            files.remove_session_files(session_id)
        disconnected = now - disconnected


COPY_BYTES: Final = 8_000_000
"""What is in memory of a file while it is copied."""


class UploadsOnDisk(MemoryUploadedFileManager):
    """The files of all sessions, in a folder of this process below ``uploads`` that only its account may read.

    A file is removed when it is taken out, or its session ends; all are when the process ends, and those of a killed
    one when the next starts (:func:`clv_core.scratch.sweep_killed`). An erasure removes them as well: a file
    deleted from disk is not listed any more, and its widget is empty.
    """

    def __init__(self, upload_endpoint: str) -> None:
        super().__init__(upload_endpoint)
        self._paths: dict[tuple[str, str], Path] = {}
        self._folder: Path | None = None
        self._making = threading.Lock()
        self._open = ExitStack()
        atexit.register(self._open.close)

    def add_stream(self, session_id: str, file: UploadedFileRec, content: BinaryIO) -> None:
        """Write a file to disk in blocks; one of the same id is replaced.

        Args:
            session_id: whose.
            file: its names, without data.
            content: read from where it is.

        Raises:
            OSError: the disk is full.
            UsageError: the workspace cannot be written to.
        """
        path = self._own_folder() / uuid.uuid4().hex
        try:
            with path.open("xb") as target:
                shutil.copyfileobj(content, target, COPY_BYTES)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        self.remove_file(session_id, file.file_id)
        self._paths[session_id, file.file_id] = path
        super().add_file(session_id, file)

    def add_file(self, session_id: str, file: UploadedFileRec) -> None:
        """Write a file to disk that is in memory."""
        self.add_stream(session_id, file._replace(data=b""), io.BytesIO(file.data))

    def get_files(self, session_id: str, file_ids: Sequence[str]) -> list[UploadedFileRec]:
        """Return the files that are still there, without data."""
        records = [
            (file, self._paths.get((session_id, file.file_id))) for file in super().get_files(session_id, file_ids)
        ]
        return [file for file, path in records if path is not None and path.is_file()]

    def path_of(self, session_id: str, file_id: str) -> Path:
        """Return where the content of a file of :meth:`get_files` lies."""
        return self._paths[session_id, file_id]

    def remove_file(self, session_id: str, file_id: str) -> None:
        """Remove a file, where it is there."""
        super().remove_file(session_id, file_id)
        self._unlink((session_id, file_id))

    def remove_session_files(self, session_id: str) -> None:
        """Remove all files of a session."""
        super().remove_session_files(session_id)
        for key in [key for key in list(self._paths) if key[0] == session_id]:
            self._unlink(key)

    def _unlink(self, key: tuple[str, str]) -> None:
        path = self._paths.pop(key, None)
        if path is not None:
            path.unlink(missing_ok=True)

    def _own_folder(self) -> Path:
        with self._making:
            if self._folder is None or not self._folder.is_dir():  # an erasure removes it
                folder = scratch.own_folder(Workspace.default(), scratch.UPLOADS, scratch.SENT)
                self._folder = self._open.enter_context(folder)
            return self._folder


def keep_on_disk() -> None:
    """Make servers of this process keep uploads on disk.

    ``st.App`` makes its manager by this name when it starts, and has no setting for another
    (``pages.ui.upload_gate`` stops a start that came to another one).
    """
    memory_uploaded_file_manager.MemoryUploadedFileManager = UploadsOnDisk  # type: ignore[misc]
