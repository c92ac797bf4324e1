"""Servers that tests start on this machine: databases of Debian's packages, and a store that speaks S3."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer, ThreadingTCPServer
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, TypeVar

import pytest

S = TypeVar("S", bound=TCPServer)
Run = Callable[[str], str]
OWN_TOOLS = Path(__file__).resolve().parents[1] / ".venv" / "s3" / "bin"
"""Made by ``make .venv/s3``, with a version whose answers Arrow reads; one on the path may be another."""


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until(met: Callable[[], bool]) -> None:
    """Wait until something holds, for a minute at most."""
    deadline = time.monotonic() + 60
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def accepts(port: int) -> bool:
    """Say whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a folder that the servers' own accounts may enter, which they may not pytest's."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@contextmanager
def postgresql() -> Iterator[tuple[int, Run]]:
    """Yield the port of a PostgreSQL server, and what runs a superuser's SQL."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        pytest.skip("needs Debian's package postgresql")
    account: dict[str, Any] = {"user": "postgres", "cwd": "/"} if os.getuid() == 0 else {}
    port, bin = free_port(), binaries[-1]
    with open_folder() as folder:
        data, password = folder / "data", folder / "password"
        password.write_text("admin\n")
        words = ["-A", "scram-sha-256", "-U", "postgres", "-E", "UTF8", f"--pwfile={password}"]
        _output([bin / "initdb", "-D", data, *words], **account)
        server = [bin / "postgres", "-D", data, "-p", str(port), "-k", folder]
        server += ["-c", "listen_addresses=127.0.0.1,127.0.0.2"]
        psql = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", f"postgresql://postgres:admin@127.0.0.1:{port}/postgres"]
        ready = [bin / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
        with running(server, lambda: subprocess.run(ready, capture_output=True).returncode == 0, **account):
            yield port, lambda sql: _output(psql, input=sql.encode())


@contextmanager
def mariadb() -> Iterator[tuple[int, Run]]:
    """Yield the port of a MariaDB server, and what runs an administrator's SQL."""
    if not shutil.which("mariadbd"):
        pytest.skip("needs Debian's package mariadb-server")
    account = ["--user=mysql"] if os.getuid() == 0 else []
    port = free_port()
    with open_folder() as folder:
        data, local, load = f"--datadir={folder / 'data'}", f"--socket={folder / 's'}", "--local-infile=1"
        _output(["mariadb-install-db", data, "--auth-root-authentication-method=normal", *account])
        words = [f"--port={port}", "--bind-address=127.0.0.1", f"--secure-file-priv={folder}"]
        client = ["mariadb", "--no-defaults", "-uroot", "--default-character-set=utf8mb4", "-N"]
        with running(["mariadbd", "--no-defaults", data, local, load, *words, *account], lambda: accepts(port)):
            yield port, lambda sql: _output([*client, local, load], input=sql.encode())


@contextmanager
def s3() -> Iterator[int]:
    """Yield the port of a store that takes any key."""
    server = OWN_TOOLS / "moto_server"
    if not server.exists():
        pytest.skip("needs moto's server: make .venv/s3")
    port = free_port()
    with running([server, "-p", str(port)], lambda: accepts(port)):
        yield port


class Line(ThreadingTCPServer):
    """A way to another server that is cut when so many bytes went there; ``passed`` counts them."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Caller)
        self.server_port, self.target, self.passed, self.most = self.server_address[1], port, 0, inf


class _Caller(BaseRequestHandler):
    server: Line

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.target)) as far:
            Thread(target=self._answer, args=(far,), daemon=True).start()
            while self.server.passed < self.server.most and (block := self.request.recv(4096)):
                block = block[: int(min(self.server.most - self.server.passed, len(block)))]
                self.server.passed += len(block)
                far.sendall(block)
            far.shutdown(socket.SHUT_RDWR)

    def _answer(self, far: socket.socket) -> None:
        with suppress(OSError):
            while block := far.recv(65_536):
                self.request.sendall(block)


@contextmanager
def serving(server: S) -> Iterator[S]:
    """Answer in a thread of this process until the block ends."""
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def running(words: Sequence[str | Path], ready: Callable[[], bool], **options: Any) -> Iterator[None]:
    """Run a program as soon as it is ready, until the block ends."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        wait_until(ready)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _output(words: Sequence[str | Path], **options: Any) -> str:
    return subprocess.run(words, check=True, capture_output=True, **options).stdout.decode().strip()
