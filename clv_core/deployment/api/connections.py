"""A connection that waits for nobody for ever: what comes of a request comes soon, and is a body but for a little.

uvicorn reads a head of any length for as long as it takes, and keeps it: a client that sends one without end would fill
the memory, and many that never end theirs would leave no connection to others. Neither needs a key.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from pydantic_core import to_json
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from clv_core.deployment.api.crowd import ConnectionLimit
from clv_core.errors import ClvError

HEAD_SECONDS: Final = 10.0
"""How long a head may take to come, from its first byte or, of the first one, from the connection's beginning."""
BODY_SECONDS: Final = 120.0
"""How long the body may take after it."""
STOPPING_SECONDS: Final = 5.0
"""How long it may still take when the service is stopped."""
MOST_BESIDE_BYTES: Final = 65_536
"""Most bytes in a row that are no body: a head, or what follows the last piece of a body."""


class Connection(HttpToolsProtocol):
    """uvicorn's own, which closes itself where a request does not come.

    Args:
        crowd: all that are open.
        named: what uvicorn says.
    """

    _beside = 0
    _late: asyncio.TimerHandle | None = None

    def __init__(self, crowd: ConnectionLimit, **named: Any) -> None:
        super().__init__(**named)
        self._crowd = crowd

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait(HEAD_SECONDS)
        self._crowd.enter(self)

    def data_received(self, data: bytes) -> None:
        """Read what came, as long as it is not too much."""
        self._beside += len(data)
        super().data_received(data)
        if self._beside > MOST_BESIDE_BYTES:
            self.send_400_response("Invalid HTTP request received.")
        elif self.cycle is None or self.cycle.response_complete:
            self._wait(HEAD_SECONDS)
        elif self.cycle.more_body:
            self._wait(BODY_SECONDS)
        else:  # a request is whole and being answered
            self._wait_no_more()
        self._say_whose_turn()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        self._crowd.leave(self)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Answer what has come, and wait little for what has not."""
        super().shutdown()
        if self._late is not None:
            self._wait_no_more()
            self._wait(STOPPING_SECONDS)

    def give_way(self) -> None:
        """Close at once."""
        self.transport.abort()

    def turn_away(self, most: int) -> None:
        """Say that as many as there may be are being answered, and close."""
        said = to_json({"error": ClvError("service_crowded", most=most).to_json()})
        head = b"content-type: application/json\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(STATUS_LINE[503] + head % len(said) + said)
        self.transport.close()

    def pause_writing(self) -> None:
        """Wait for who does not read what was answered."""
        super().pause_writing()
        self._say_whose_turn()

    def resume_writing(self) -> None:
        """Go on answering."""
        super().resume_writing()
        self._say_whose_turn()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it is there."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._wait_no_more()  # who sends nothing more is closed by uvicorn
        self._say_whose_turn()

    def on_headers_complete(self) -> None:
        """End a head."""
        super().on_headers_complete()
        self._wait_no_more()

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

    def _say_whose_turn(self) -> None:
        whole = self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete
        if whole and not self.flow.write_paused:
            self._crowd.answered(self)
        else:
            self._crowd.silent(self)

    def _wait(self, seconds: float) -> None:
        if self._late is None:
            self._late = self.loop.call_later(seconds, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
