"""Connections: how long uvicorn waits for a request, how much it keeps of one, and how many it holds at once.

uvicorn reads a head of any length for as long as it takes, and keeps it: a client that sends one without end would fill
the memory. Each connection takes a file descriptor: clients who begin requests and never end them would lock all others
out. Neither needs a key.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from typing import Any, Final, Self

from pydantic_core import to_json
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from clv_core.errors import ClvError

log = logging.getLogger(__name__)

HEAD_SECONDS: Final = 10.0
"""How long a head may take, from its first byte or, for the first one, from the connection's beginning."""
BODY_SECONDS: Final = 120.0
"""How long the body may take after it."""
STOPPING_SECONDS: Final = 5.0
"""How long it may still take when the service is stopped."""
MAX_HEAD_BYTES: Final = 65_536
"""Consecutive bytes outside of a body: a head, or the trailer of a chunked body."""
MAX_CONNECTIONS: Final = 4_096
"""Upper limit where descriptors allow more: the unread bytes of each are kept in memory."""
OWN_DESCRIPTORS: Final = 256
"""Left for files: threads that read the registry and the latest scores have a few open each."""
WORKER_DESCRIPTORS: Final = 4
"""For each process that scores."""
LOG_SECONDS: Final = 10.0
"""How often a full service is logged at most."""


class ConnectionLimit:
    """The open connections of a service. Beyond the limit, the one that has been idle for longest is closed.

    Idle is a connection whose client owes the service something: the rest of a request, the next one, or to read its
    answer. Where none is idle, the new connection is turned away.

    Args:
        most: connections at once.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._open: set[Connection] = set()
        self._idle: dict[Connection, None] = {}  # the longest first
        self._closed = self._turned_away = 0
        self._logged_at = -LOG_SECONDS

    @classmethod
    def of_process(cls, workers: int) -> Self:
        """Return the limit that this process has descriptors for, in addition to those of so many scoring processes."""
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if descriptors == resource.RLIM_INFINITY:
            return cls(MAX_CONNECTIONS)
        reserved = min(OWN_DESCRIPTORS + WORKER_DESCRIPTORS * (workers + 1), descriptors // 2)
        return cls(min(MAX_CONNECTIONS, descriptors - reserved))

    def enter(self, connection: Connection) -> None:
        """Count a new connection in; it has sent nothing yet."""
        self._open.add(connection)
        self.idle(connection)
        if len(self._open) <= self.most:
            return
        longest = next(iter(self._idle))
        self.leave(longest)
        if longest is connection:
            self._turned_away += 1
            connection.turn_away(self.most)
        else:
            self._closed += 1
            longest.give_way()
        self._log()

    def idle(self, connection: Connection) -> None:
        """Note that from now on a connection's client owes something."""
        if connection in self._open:
            self._idle.pop(connection, None)
            self._idle[connection] = None

    def busy(self, connection: Connection) -> None:
        """Note that a connection waits for the service."""
        self._idle.pop(connection, None)

    def leave(self, connection: Connection) -> None:
        """Count a connection out."""
        self._open.discard(connection)
        self._idle.pop(connection, None)

    def _log(self) -> None:
        now = time.monotonic()
        if now - self._logged_at >= LOG_SECONDS:
            log.warning(
                "All %d connections are in use (see ulimit -n). Since the last line like this one, "
                "closed for new ones, as silent for longest: %d; turned away, as all others were being answered: %d",
                *(self.most, self._closed, self._turned_away),
            )
            self._logged_at, self._closed, self._turned_away = now, 0, 0


class Connection(HttpToolsProtocol):
    """uvicorn's own, which closes itself where a request does not come.

    Args:
        limit: that counts it.
        named: uvicorn's arguments.
    """

    _head_bytes = 0
    _late: asyncio.TimerHandle | None = None

    def __init__(self, limit: ConnectionLimit, **named: Any) -> None:
        super().__init__(**named)
        self._limit = limit

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait(HEAD_SECONDS)
        self._limit.enter(self)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, up to the limit of a head."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self.send_400_response("Invalid HTTP request received.")
        elif self.cycle is None or self.cycle.response_complete:
            self._wait(HEAD_SECONDS)
        elif self.cycle.more_body:
            self._wait(BODY_SECONDS)
        else:  # a request is complete and being answered
            self._wait_no_more()
        self._note_whose_turn()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        self._limit.leave(self)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Answer complete requests, and wait shortly for incomplete ones."""
        super().shutdown()
        if self._late is not None:
            self._wait_no_more()
            self._wait(STOPPING_SECONDS)

    def give_way(self) -> None:
        """Close at once."""
        self.transport.abort()

    def turn_away(self, most: int) -> None:
        """Answer that the service is full, and close."""
        body = to_json({"error": ClvError("service_crowded", most=most).to_json()})
        head = b"content-type: application/json\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(STATUS_LINE[503] + head % len(body) + body)
        self.transport.close()

    def pause_writing(self) -> None:
        """Wait for a client who does not read the answer."""
        super().pause_writing()
        self._note_whose_turn()

    def resume_writing(self) -> None:
        """Resume answering."""
        super().resume_writing()
        self._note_whose_turn()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it is there."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._wait_no_more()  # uvicorn closes a connection that sends nothing more
        self._note_whose_turn()

    def on_headers_complete(self) -> None:
        """End a head."""
        super().on_headers_complete()
        self._wait_no_more()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; it is limited where it is kept."""
        self._head_bytes -= len(body)
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """Begin a chunk; the framing of earlier ones no longer counts."""
        self._head_bytes = 0

    def on_message_complete(self) -> None:
        """End a request."""
        self._head_bytes = 0
        super().on_message_complete()

    def _note_whose_turn(self) -> None:
        complete = self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete
        if complete and not self.flow.write_paused:
            self._limit.busy(self)
        else:
            self._limit.idle(self)

    def _wait(self, seconds: float) -> None:
        if self._late is None:
            self._late = self.loop.call_later(seconds, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
