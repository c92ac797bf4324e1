"""``serve``: answer requests to score, until it is stopped."""

from __future__ import annotations

import argparse
import os
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from clv_core.commands import Context
from clv_core.errors import Cancelled, UsageError
from clv_core.i18n import translate

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
KEEP_ALIVE_SECONDS: Final = 30
STOP_SECONDS: Final = 30


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words; what is not said is read from the environment."""
    parser.add_argument("--host", default=None, help=translate("cli.serve.host", language))
    parser.add_argument("--port", type=int, default=None, help=translate("cli.serve.port", language))
    parser.add_argument("--workers", type=int, default=None, help=translate("cli.serve.workers", language))
    parser.add_argument("--name", default=None, help=translate("cli.serve.name", language))
    parser.add_argument("--open", action="store_true", default=None, help=translate("cli.serve.open", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Serve, and return where it was once it has been stopped."""
    import uvicorn

    from clv_core.deployment.service.settings import ServiceSettings

    said = {name: getattr(options, name) for name in ("host", "port", "workers", "name", "open")}
    settings = replace(
        ServiceSettings.from_environment(), **{name: value for name, value in said.items() if value is not None}
    )
    if settings.open and settings.host not in LOOPBACK:
        raise UsageError("serve_open", host=settings.host)
    os.environ |= settings.to_environment() | {"CLV_WORKSPACE": str(context.workspace.root)}
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with suppress(Cancelled, KeyboardInterrupt):  # being stopped is how a service ends
        uvicorn.run(
            "clv_core.deployment.service.app:create",
            factory=True,
            host=settings.host,
            port=settings.port,
            access_log=False,  # paths name customers
            log_level="warning" if options.job is not None else "info",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    return {"host": settings.host, "port": settings.port, "workers": settings.workers}
