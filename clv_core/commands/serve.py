"""``serve``: answer requests to score, until it is stopped."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from clv_core.commands import Context
from clv_core.errors import ClvError, Message, NotFound, UsageError
from clv_core.i18n import translate

if TYPE_CHECKING:
    from clv_core.deployment.api.api_settings import ServiceSettings

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
KEEP_ALIVE_SECONDS: Final = 30
STOP_SECONDS: Final = 30
BACKLOG: Final = 2048
"""Connections that wait to be taken, as many as uvicorn has."""


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words; what is not said is read from the environment."""
    parser.add_argument("--host", default=None, help=translate("cli.serve.host", language))
    parser.add_argument("--port", type=int, default=None, help=translate("cli.serve.port", language))
    parser.add_argument("--workers", type=int, default=None, help=translate("cli.serve.workers", language))
    parser.add_argument("--name", default=None, help=translate("cli.serve.name", language))
    parser.add_argument("--open", action="store_true", default=None, help=translate("cli.serve.open", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Serve, and return where it was once it has been stopped.

    Raises:
        UsageError: without keys, on an address that others reach; or the address cannot be listened on.
        ClvError: the service could not start.
    """
    import uvicorn

    from clv_core.deployment.api.api_settings import ServiceSettings
    from clv_core.deployment.api.connections import Connection, ConnectionLimit

    given = {name: getattr(options, name) for name in ("host", "port", "workers", "name", "open")}
    settings = replace(
        ServiceSettings.from_environment(), **{name: value for name, value in given.items() if value is not None}
    )
    if settings.open and settings.host not in LOOPBACK:
        raise UsageError("serve_open", host=settings.host)
    warnings = [one.to_json(context.language) for one in _unready(settings, context)]
    listening = _listening(settings.host, settings.port)
    port = listening.getsockname()[1]
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    said = translate("serve.listening", context.language, host=shown, port=port)
    print(*(one["message"] for one in warnings), said, sep="\n", file=sys.stderr, flush=True)
    os.environ |= settings.to_environment() | {"CLV_WORKSPACE": str(context.workspace.root)}
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    server = uvicorn.Server(
        uvicorn.Config(
            "clv_core.deployment.api.app:create",
            factory=True,
            http=partial(Connection, ConnectionLimit.of_process(settings.workers)),  # type: ignore[arg-type]
            ws="none",  # would log its paths
            access_log=False,  # paths name customers
            log_level="warning" if options.job is not None else "info",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    with suppress(KeyboardInterrupt), listening:  # being stopped is how a service ends
        server.run(sockets=[listening])
        if not server.started:
            raise ClvError("serve_not_started")
    return {"host": settings.host, "port": port, "workers": settings.workers, "warnings": warnings}


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens, so that an address that cannot be had is known before anything starts.

    Raises:
        UsageError: the port is in use, or the address is none of this machine.
    """
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(known, key=lambda one: one[0] != socket.AF_INET)
        return socket.create_server((str(address[0]), port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise UsageError("serve_address", host=host, port=port, reason=error.strerror or "") from error


def _unready(settings: ServiceSettings, context: Context) -> list[Message]:
    """Return a warning where no model answers yet by the name that is served."""
    from clv_core.deployment.api.model_info import resolve_model
    from clv_core.deployment.registry import Registry

    registry = Registry(context.workspace)
    known = registry.names()
    try:
        if settings.name:
            resolve_model(context.workspace, registry, settings.name)
        elif not known:
            return [Message("warning.serve_no_model")]
    except NotFound:
        return [Message("warning.serve_no_champion", {"name": settings.name[:80], "known": list(known) or "-"})]
    return []
