"""A small load generator over keep-alive connections: closed loop (as fast as answers come) or at a fixed rate."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Found:
    """What came back: seconds from when each request was due, and how many answers of each status (0: none)."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    wall_seconds: float = 0.0

    def quantile(self, q: float) -> float:
        """Milliseconds."""
        return float(np.quantile(self.seconds, q) * 1e3) if self.seconds else float("nan")


def request(method: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
    """Return a request as it goes over the wire."""
    kind = "content-type: application/json\r\n" if body and "content-type" not in headers.lower() else ""
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n{kind}{headers}\r\n"
    return head.encode("latin-1") + body


class _Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.buffer, self.waiting, self.lost = b"", None, False

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.find(b"content-length:")
        size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.buffer) >= end + 4 + size:
            status, self.buffer = int(head[9:12]), self.buffer[end + 4 + size :]
            self._say(status)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self._say(0)

    def _say(self, status: int) -> None:
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(status)

    async def ask(self, wire: bytes) -> int:
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(wire)
        return await self.waiting


async def _client(port: int) -> _Client:
    _, client = await asyncio.get_running_loop().create_connection(_Client, "127.0.0.1", port)
    return client


async def closed_loop(port: int, wires: Sequence[bytes], clients: int, seconds: float, most: int = 0) -> Found:
    """Ask from ``clients`` connections, each as soon as it was answered, for some time or ``most`` requests."""
    found, begun = Found(), time.perf_counter()
    end, sent = begun + seconds, iter(range(most or 10**12))

    async def run(number: int) -> None:
        client = await _client(port)
        for at in sent:
            started = time.perf_counter()
            if started >= end:
                break
            status = await client.ask(wires[at % len(wires)])
            found.seconds.append(time.perf_counter() - started)
            found.statuses[status] += 1
            if client.lost:
                client = await _client(port)
        client.transport.close()

    await asyncio.gather(*(run(number) for number in range(clients)))
    found.wall_seconds = time.perf_counter() - begun
    return found


async def at_rate(port: int, wires: Sequence[bytes], clients: int, rate: float, seconds: float) -> Found:
    """Ask ``rate`` times a second, evenly; seconds count from when a request was due, also where none was free."""
    found, due = Found(), asyncio.Queue[tuple[int, float]]()
    begun = time.perf_counter()

    async def clock() -> None:
        for at in range(int(rate * seconds)):
            moment = begun + at / rate
            if (wait := moment - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            due.put_nowait((at, moment))
        for _ in range(clients):
            due.put_nowait((-1, 0.0))

    async def run() -> None:
        client = await _client(port)
        while True:
            at, moment = await due.get()
            if at < 0:
                break
            status = await client.ask(wires[at % len(wires)])
            found.seconds.append(time.perf_counter() - moment)
            found.statuses[status] += 1
            if client.lost:
                client = await _client(port)
        client.transport.close()

    await asyncio.gather(clock(), *(run() for _ in range(clients)))
    found.wall_seconds = time.perf_counter() - begun
    return found
