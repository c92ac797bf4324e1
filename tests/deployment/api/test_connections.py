"""A connection: what of a request it waits for, how long, and what it does not keep."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import httpx
import pytest
import uvicorn
from uvicorn.server import ServerState

from clv_core.deployment.api.connections import (
    BODY_SECONDS,
    HEAD_SECONDS,
    MAX_HEAD_BYTES,
    STOPPING_SECONDS,
    Connection,
    ConnectionLimit,
)
from clv_core.workspace import Workspace
from tests.deployment.api.conftest import process

pytestmark = pytest.mark.first(5)

HEAD = b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\n"


class Clock:
    """A loop that runs nothing, and remembers what it was asked to call later."""

    def __init__(self) -> None:
        self.later: list[tuple[float, Callable[[], Any]]] = []

    def call_later(self, seconds: float, call: Callable[[], Any]) -> Any:
        entry = (seconds, call)
        self.later.append(entry)
        return MagicMock(cancel=lambda: self.later.remove(entry))

    def create_task(self, work: Any, **_: Any) -> MagicMock:
        work.close()
        return MagicMock()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connection(clock: Clock) -> Connection:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        """Answer nothing."""

    config = uvicorn.Config(app, log_config=None, lifespan="off")
    config.load()
    made = Connection(ConnectionLimit(8), config=config, server_state=ServerState(), app_state={}, _loop=clock)
    made.connection_made(MagicMock())
    return made


def closed(connection: Connection) -> bool:
    return bool(connection.transport.close.called)  # type: ignore[attr-defined]


def test_half_sent_requests_without_descriptors_lock_nobody_out_and_no_log_line_names_a_customer(
    tmp_path: Path,
) -> None:
    with process(Workspace(tmp_path / "workspace"), before=["sh", "-c", 'ulimit -n 128; exec "$@"', "-"]) as (url, log):
        address = url.host, url.port or 0
        held = [socket.create_connection(address, timeout=10) for _ in range(150)]
        for one in held:
            one.sendall(HEAD)
        started = time.monotonic()
        assert httpx.get(f"{url}/healthz", timeout=30).status_code == 200
        assert time.monotonic() - started < 10
        for one in held:
            one.close()
        httpx.get(f"{url}/v1/customers/somebody-7", timeout=30)
        upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
        httpx.get(
            f"{url}/v1/customers/somebody-7", headers={**upgrade, "sec-websocket-key": "A" * 22 + "=="}, timeout=30
        )
    assert "All 64 connections are in use" in log.read_text()
    assert "somebody-7" not in log.read_text()


@pytest.mark.parametrize(
    ("sent", "most"),
    [
        (b"", HEAD_SECONDS),
        (b"\r\n", HEAD_SECONDS),
        (b"GET / HT", HEAD_SECONDS),
        (HEAD + b"Content-Length: 9\r\n\r\n{", BODY_SECONDS),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", BODY_SECONDS),
    ],
    ids=["nothing", "a blank line", "half a head", "half a body", "a body without an end"],
)
def test_what_does_not_come_in_time_is_waited_for_no_more(
    sent: bytes, most: float, connection: Connection, clock: Clock
) -> None:
    for byte in sent:
        connection.data_received(bytes([byte]))
    ((seconds, give_up),) = clock.later
    assert seconds == most and not closed(connection)
    give_up()
    assert closed(connection)


@pytest.mark.parametrize("pieces", [1, 3, 60])
def test_who_sent_a_request_may_wait_for_the_answer(pieces: int, connection: Connection, clock: Clock) -> None:
    whole = HEAD + b"Content-Length: 4\r\n\r\n{}  "
    size = -(-len(whole) // pieces)
    for start in range(0, len(whole), size):
        connection.data_received(whole[start : start + size])
    assert clock.later == [] and connection.cycle.body == b"{}  "
    connection.cycle.response_complete = True
    connection.data_received(b"P")
    assert len(clock.later) == 1
    connection.connection_lost(None)
    assert clock.later == []


def test_a_service_that_is_stopped_waits_less_for_what_has_not_come(connection: Connection, clock: Clock) -> None:
    connection.data_received(HEAD + b"Content-Length: 4\r\n\r\n{")
    connection.shutdown()
    ((seconds, give_up),) = clock.later
    assert seconds == STOPPING_SECONDS and not closed(connection)
    give_up()
    assert closed(connection)


def test_a_service_that_is_stopped_still_answers_what_has_come(connection: Connection, clock: Clock) -> None:
    connection.data_received(HEAD + b"Content-Length: 2\r\n\r\n{}")
    connection.shutdown()
    assert clock.later == [] and not closed(connection)


@pytest.mark.parametrize(
    "begun",
    [HEAD + b"X-Long: ", HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX-Long: "],
    ids=["a head", "what follows a body"],
)
def test_what_is_no_body_and_has_no_end_is_not_kept(begun: bytes, connection: Connection) -> None:
    connection.data_received(begun)
    assert not closed(connection)
    connection.data_received(b"y" * (MAX_HEAD_BYTES + 1))
    assert closed(connection)


@pytest.mark.parametrize("size", [1, 50_000])
def test_a_body_may_be_long_however_it_comes(size: int, connection: Connection) -> None:
    connection.data_received(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(20_000 if size == 1 else 4):
        connection.data_received(b"%x\r\n%b\r\n" % (size, b" " * size))
    connection.data_received(b"0\r\n\r\n")
    assert not closed(connection) and not connection.cycle.more_body
    connection.cycle.response_complete = True
    connection.data_received(HEAD + b"Content-Length: 200000\r\n\r\n")
    for _ in range(2):
        connection.data_received(b" " * 100_000)
    assert not closed(connection) and not connection.cycle.more_body


def test_who_comes_while_as_many_as_there_may_be_are_answered_is_told_so_and_others_are_still_answered() -> None:
    """Silent ones give way: a connection that was answered and asks no more, and one that was never asked on."""
    going = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await going.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    listening = socket.create_server(("127.0.0.1", 0))
    address: tuple[str, int] = listening.getsockname()
    made: Any = partial(Connection, ConnectionLimit(2))
    server = uvicorn.Server(uvicorn.Config(app, http=made, lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()

    def ask(path: bytes) -> socket.socket:
        asking = socket.create_connection(address, timeout=20)
        asking.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path)
        return asking

    idle = ask(b"/")
    assert idle.recv(1000).startswith(b"HTTP/1.1 200")
    unasked = socket.create_connection(address, timeout=20)
    slow = [ask(b"/slow")]
    assert idle.recv(1) == b""
    slow.append(ask(b"/slow"))
    assert unasked.recv(1) == b""
    refused = socket.create_connection(address, timeout=20)
    said = refused.recv(10_000)
    assert said.startswith(b"HTTP/1.1 503") and b"retry-after: 1" in said and b"service_crowded" in said
    loop = next(iter(server.server_state.connections)).loop  # type: ignore[union-attr]
    loop.call_soon_threadsafe(going.set)
    assert all(one.recv(1000).startswith(b"HTTP/1.1 200") for one in slow)
    server.should_exit = True
    thread.join(20)
    for one in (idle, unasked, refused, *slow):
        one.close()
