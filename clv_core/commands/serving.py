"""Commands that serve: the app in the browser, the HTTP API, and its keys."""

from __future__ import annotations

import argparse
import os
import runpy
import socket
import sys
import time
import webbrowser
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Thread
from typing import Final, NoReturn

from clv_core import audit
from clv_core.commands import Answer, Context
from clv_core.commands.parser import command, option
from clv_core.environment import ServiceSettings
from clv_core.errors import ClvError, Message, NotFound, UsageError
from clv_core.i18n import translate

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
KEEP_ALIVE_SECONDS: Final = 30
"""How long an idle connection stays open for the client's next request. A guess; uvicorn's default is 5 s."""
STOP_SECONDS: Final = 30
"""How long requests may still take when the service is stopped; Kubernetes kills after 30 s by default."""
BACKLOG: Final = 2048
"""Connections that wait to be taken, as many as uvicorn has."""


@command(
    "serve",
    option("--host", "cli.serve.host"),
    option("--port", "cli.serve.port", type=int),
    option("--workers", "cli.serve.workers", type=int),
    option("--name", "cli.serve.name"),
    option("--open", "cli.serve.open", action="store_true", default=None),
)
def run_serve(options: argparse.Namespace, context: Context) -> Answer:
    """Serve, and return where it was once it has been stopped.

    Raises:
        UsageError: without keys, on an address that others reach; or the address cannot be listened on.
        ClvError: the service could not start.
    """
    import uvicorn

    from clv_core.deployment.api import Connection, ConnectionLimit, create
    from clv_core.strategy.demand import find_asked_demand
    from clv_core.strategy.forecast import find_asked_forecast

    given = {name: getattr(options, name) for name in ("host", "port", "workers", "name", "open")}
    settings = replace(
        ServiceSettings.from_environment(), **{name: value for name, value in given.items() if value is not None}
    )
    if settings.open and settings.host not in LOOPBACK:
        raise UsageError("serve_open", host=settings.host)
    warnings = [warning.to_json(context.language) for warning in _unready(settings, context)]
    listening = _listening(settings.host, settings.port)
    port = listening.getsockname()[1]
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    message = translate("serve.listening", context.language, host=shown, port=port)
    print(*(warning["message"] for warning in warnings), message, sep="\n", file=sys.stderr, flush=True)
    os.environ |= settings.to_environment() | {"CLV_WORKSPACE": str(context.workspace.root)}
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    server = uvicorn.Server(
        uvicorn.Config(
            partial(create, find_asked_forecast, find_asked_demand),
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
    """Return a socket that listens, so that an address that cannot be bound is refused before anything starts.

    Raises:
        UsageError: the port is in use, or the address is none of this machine.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(addresses, key=lambda info: info[0] != socket.AF_INET)
        return socket.create_server((str(address[0]), port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise UsageError("serve_address", host=host, port=port, reason=error.strerror or "") from error


def _unready(settings: ServiceSettings, context: Context) -> list[Message]:
    """Return a warning if the served name has no model yet."""
    from clv_core.deployment.api import resolve_model
    from clv_core.deployment.registry import Registry

    registry = Registry(context.workspace)
    names = registry.names()
    try:
        if settings.name:
            resolve_model(context.workspace, registry, settings.name)
        elif not names:
            return [Message("warning.serve_no_model")]
    except NotFound:
        return [Message("warning.serve_no_champion", {"name": settings.name[:80], "known": list(names) or "-"})]
    return []


@command(
    "app",
    option("--host", "cli.app.host", default="localhost"),
    option("--port", "cli.app.port", type=int, default=8501),
    option("--no-browser", "cli.app.no_browser", action="store_true"),
)
def run_app(options: argparse.Namespace, context: Context) -> NoReturn:
    """Start the app on this workspace and open it in the browser; ends with the process."""
    from clv_core.program_files import APP_FOLDER

    os.environ |= {"CLV_WORKSPACE": str(context.workspace.root)}
    if not options.no_browser:
        Thread(target=_open_browser, args=(options.host, options.port), daemon=True).start()
    sys.path.insert(0, str(APP_FOLDER))
    script = APP_FOLDER / "pages" / "ui" / "__main__.py"
    sys.argv = [str(script), "--server.address", options.host, "--server.port", str(options.port)]
    runpy.run_path(str(script), run_name="__main__")
    raise SystemExit


def _open_browser(host: str, port: int) -> None:
    """Open the app's address once something listens there."""
    for _ in range(60):
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            webbrowser.open(f"http://{host}:{port}")
            return
        time.sleep(0.5)


@command(
    "mcp",
    option("--http", "cli.mcp.http", action="store_true"),
    option("--host", "cli.mcp.host", default="127.0.0.1"),
    option("--port", "cli.mcp.port", type=int, default=8002),
)
def run_mcp(options: argparse.Namespace, context: Context) -> Answer:
    """Answer other programs' questions until stopped: over stdin and stdout, or over HTTP with API keys.

    Over stdin and stdout the process ends without a result: stdout holds the protocol alone.

    Raises:
        UsageError: the package ``mcp`` is not installed.
    """
    try:
        from clv_core.mcp_server import make_http_app, make_server
    except ModuleNotFoundError as error:
        if error.name not in ("mcp", "mcp_types"):
            raise
        raise UsageError("extra_missing", extra="mcp") from error
    import uvicorn

    if not options.http:
        try:
            with suppress(KeyboardInterrupt):  # being stopped is how a server ends
                make_server(context.workspace).run("stdio")
        finally:
            sys.stdout = sys.stderr  # also for the error that a command ends with
        raise SystemExit
    address = f"http://{options.host}:{options.port}"
    print(translate("mcp.listening", context.language, address=f"{address}/mcp"), file=sys.stderr, flush=True)
    app = make_http_app(context.workspace, options.host, address)
    with suppress(KeyboardInterrupt):
        uvicorn.run(app, host=options.host, port=options.port, log_level="warning")
    return {"host": options.host, "port": options.port}


@command(
    "keys",
    option("action", "cli.keys.action", choices=("add", "list", "revoke")),
    option("name", "cli.keys.name", nargs="?"),
    option("--role", "cli.keys.role", choices=("viewer", "analyst"), default="viewer"),
)
def run_keys(options: argparse.Namespace, context: Context) -> Answer:
    """Make, list or revoke; a new key is shown this once."""
    from clv_core.deployment.api import add_key, list_keys, revoke_key
    from clv_core.errors import UsageError

    if (options.name is None) != (options.action == "list"):
        raise UsageError("keys_name", action=options.action)
    if options.action == "add":
        key, text = add_key(context.workspace, options.name, options.role)
        audit.note(context.workspace, "keys add", key=key.id, outcome="done")
        return {**key.to_json(), "key": text}
    if options.action == "revoke":
        revoked = revoke_key(context.workspace, options.name)
        audit.note(context.workspace, "keys revoke", key=revoked.id, outcome="done")
        return revoked.to_json()
    return {"keys": [key.to_json() for key in list_keys(context.workspace)]}
