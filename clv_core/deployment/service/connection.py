"""A connection that waits for nobody for ever: what comes of a request comes soon, and is a body but for a little.

uvicorn reads a head of any length for as long as it takes, and keeps it: a client that sends one without end would fill
the memory, and many that never end theirs would leave no connection to others. Neither needs a key.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

RECEIVE_SECONDS: Final = 120.0
"""How long a request may take to come, from its first byte or, of the first one, from the connection's beginning."""
STOPPING_SECONDS: Final = 5.0
"""How long it may still take when the service is stopped."""
MOST_BESIDE_BYTES: Final = 65_536
"""Most bytes in a row that are no body: a head, or what follows the last piece of a body."""


class Connection(HttpToolsProtocol):
    """uvicorn's own, which closes itself where a request does not come."""

    _beside = 0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Read what came, as long as it is not too much."""
        self._beside += len(data)
        super().data_received(data)
        if self._beside > MOST_BESIDE_BYTES:
            self.send_400_response("Invalid HTTP request received.")
        elif self.cycle is None or self.cycle.more_body or self.cycle.response_complete:
            self._wait()
        else:  # a request is whole and being answered
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Answer what has come, and wait little for what has not."""
        super().shutdown()
        if self._late is not None:
            self._wait_no_more()
            self._wait(STOPPING_SECONDS)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; it counts by itself, where it is kept."""
        self._beside -= len(body)
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """Begin a piece of a body of unknown length: what framed those before it is not kept."""
        self._beside = 0

    def on_message_complete(self) -> None:
        """End a request."""
        self._beside = 0
        super().on_message_complete()

    def _wait(self, seconds: float = RECEIVE_SECONDS) -> None:
        if self._late is None:
            self._late = self.loop.call_later(seconds, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
