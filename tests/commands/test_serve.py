"""``serve``: what is said before it listens, and where it cannot."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from clv_core.cli import main
from clv_core.deployment.api.connections import Connection


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return what serves an empty workspace and is stopped as soon as it would answer."""
    monkeypatch.setattr("os.environ", {"PATH": ""})
    monkeypatch.setattr(uvicorn.Server, "run", lambda server, sockets: setattr(server, "started", True))

    def call(*words: str) -> tuple[int, dict[str, Any], str]:
        code = main(["serve", "--open", *words, "--workspace", str(tmp_path / "workspace")])
        out, err = capsys.readouterr()
        return code, json.loads(out.splitlines()[-1]), err

    return call


def test_a_port_in_use_is_named_and_no_answer_is_asked_for(run: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said, err = run("--port", str(port), "--lang", "zh")
    assert code == 2 and said["error"]["code"] == "serve_address" and said["error"]["params"]["port"] == port
    assert "端口" in err
    code, said, _ = run("--host", "192.0.2.1", "--port", "0")
    assert code == 2 and said["error"]["code"] in ("serve_open", "serve_address")


def test_a_name_without_a_champion_is_warned_of_and_served_all_the_same(run: Callable[..., Any]) -> None:
    assert [one["code"] for one in run("--port", "0")[1]["warnings"]] == ["serve_no_model"]
    code, said, err = run("--port", "0", "--name", "nosuch")
    assert code == 0 and [one["code"] for one in said["warnings"]] == ["serve_no_champion"]
    assert "nosuch" in err and f"http://127.0.0.1:{said['port']}" in err and said["port"] > 0


def test_a_service_that_cannot_start_is_a_failure(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn.Server, "run", lambda server, sockets: None)
    code, said, _ = run("--port", "0")
    assert code == 5 and said["error"]["code"] == "serve_not_started"


def test_no_request_is_logged_for_its_path_and_none_is_waited_for_for_ever(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[uvicorn.Config] = []

    def note(server: uvicorn.Server, sockets: Any) -> None:
        found.append(server.config)
        server.started = True

    monkeypatch.setattr(uvicorn.Server, "run", note)
    run("--port", "0")
    config = found[0]
    config.load()
    assert config.http_protocol_class.func is Connection
    assert config.ws_protocol_class is None and not config.access_log
