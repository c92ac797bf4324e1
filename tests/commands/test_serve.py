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
        code, answer, err = run("--port", str(port), "--lang", "zh")
    assert (code, answer["error"]["code"], answer["error"]["params"]["port"]) == (2, "serve_address", port)
    assert "端口" in err


def test_an_address_that_others_reach_needs_keys(run: Callable[..., Any]) -> None:
    code, answer, _ = run("--host", "0.0.0.0", "--port", "0")
    assert (code, answer["error"]["code"]) == (2, "serve_open")


def test_a_name_without_a_champion_is_warned_of_and_served_all_the_same(run: Callable[..., Any]) -> None:
    assert [one["code"] for one in run("--port", "0")[1]["warnings"]] == ["serve_no_model"]
    code, answer, err = run("--port", "0", "--name", "nosuch")
    assert code == 0 and [one["code"] for one in answer["warnings"]] == ["serve_no_champion"]
    assert "nosuch" in err and f"http://127.0.0.1:{answer['port']}" in err and answer["port"] > 0


def test_a_service_that_cannot_start_is_a_failure(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn.Server, "run", lambda server, sockets: None)
    code, answer, _ = run("--port", "0")
    assert (code, answer["error"]["code"]) == (5, "serve_not_started")
