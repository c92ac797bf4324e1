"""What tests of schedules share: a receiver of messages, and steps that fail as asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from clv_core.errors import Message
from clv_core.monitoring.chains import StepResult
from clv_core.workspace import Workspace


class Steps:
    """Runs no step, but keeps what it was asked to; those that ``fail`` names end with an error."""

    def __init__(self, *fail: str, **results: Any) -> None:
        self.ran: list[list[str]] = []
        self.fail, self.results = fail, results

    def __call__(self, _: Workspace, words: Sequence[str], language: str, label: str) -> StepResult:
        self.ran.append(list(words))
        error = Message("no_champion", {"name": "shop", "known": "-"}) if words[0] in self.fail else None
        return StepResult(error, self.results.get(words[0], {}))


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to it, and answers with ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.posted: list[dict[str, Any]] = []
        self.tried, self.status = 0, 200

    @property
    def subjects(self) -> list[str]:
        """The first lines of the messages that arrived."""
        return [message["text"].splitlines()[0].removeprefix("CLV Studio: ") for message in self.posted]


class _Answer(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.tried += 1
        if self.server.status == 200:
            self.server.posted.append(body)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("CLV_WEBHOOK_URL", f"http://127.0.0.1:{server.server_port}/hook")
    yield server
    server.shutdown(), server.server_close(), thread.join()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")
