"""How the service is started and called, as a shell takes it; no web server is loaded to say so."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any, Final

ASKED: Final[dict[str, Any]] = {
    "customers": [
        {
            "customer_id": "c1",
            "events": [
                {"event_time": "2024-05-02T10:00:00Z", "event_type": "purchase", "amount": 49.9},
                {"event_time": "2024-05-20T18:30:00Z", "event_type": "view"},
            ],
        }
    ]
}
"""A request to score, as pages show it."""


def example(base: str, *, secured: bool) -> str:
    """Return a call to score.

    Args:
        base: where the service is, as the browser knows it, ending with a slash.
        secured: whether a key is asked for.
    """
    words = ["curl", f"{base}v1/score", *(["-H", "Authorization: Bearer KEY"] if secured else [])]
    words += ["-H", "Content-Type: application/json", "-d", json.dumps(ASKED)]
    return shlex.join(words)


def start(workspace: Path, name: str, *, secured: bool) -> str:
    """Return the command that lets the champion of a name answer.

    Args:
        workspace: where it lies.
        name: of the registry.
        secured: whether a key is asked for; without one the service answers this machine only.
    """
    words = ["python", "-m", "clv_core", "serve", "--workspace", str(workspace.absolute()), "--name", name]
    return shlex.join(words if secured else [*words, "--open"])


def new_key(workspace: Path, who: str) -> str:
    """Return the command that makes a key.

    Args:
        workspace: whose service it opens.
        who: it is for.
    """
    return shlex.join(["python", "-m", "clv_core", "keys", "add", who, "--workspace", str(workspace.absolute())])
