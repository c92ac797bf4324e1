"""Who may ask: a known key, not too often."""

from __future__ import annotations

import logging
import math
import re
import time
from typing import Final

from starlette.requests import Request

from clv_core.deployment.api.api_errors import TooMany, Unauthorized
from clv_core.deployment.api.api_settings import ServiceSettings
from clv_core.deployment.api.auth import Key, KeysUnusable, find_key, keys_path, list_keys
from clv_core.deployment.api.limits import RateLimiter
from clv_core.workspace import Workspace

log = logging.getLogger(__name__)

NEVER: Final = -1
"""In place of when a file was written, where it was not or cannot be looked at."""
LOOK_SECONDS: Final = 1.0
"""How often it is looked whether keys were made or revoked."""
HERE: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d*)?", re.IGNORECASE)
"""What this machine calls itself in the header Host."""


class Authenticator:
    """Turns away who has no key, and who asks too often.

    Args:
        workspace: whose keys.
        settings: whether keys are asked for, and how often each may ask.
    """

    def __init__(self, workspace: Workspace, settings: ServiceSettings) -> None:
        self._workspace, self._settings = workspace, settings
        self._limiter = RateLimiter(settings.rate, settings.burst)
        self._keys: dict[str, Key] = {}
        self._looked, self._stamp, self._told = -math.inf, NEVER, False

    def admit(self, request: Request) -> None:
        """Let a request pass.

        Raises:
            KeysUnusable: its key cannot be looked up.
            Unauthorized: it bears no key that is in use; where none is asked for, it was addressed to another machine's
                name: a page from elsewhere has its own name lead here, and reads what this one's browser may ask.
            TooMany: its key has been used up for now.
        """
        if self._settings.open:
            host = request.headers.get("host", "localhost")
            if not HERE.fullmatch(host):
                raise Unauthorized("service_elsewhere", host=host[:80])
            return
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            text = request.headers.get("x-api-key", "")
        if not text:
            raise Unauthorized("service_key_missing")
        key = find_key(self._in_use(), text.strip())
        if key is None:
            raise Unauthorized("service_key_unknown")
        wait = self._limiter.wait(key.slot)
        if wait > 0:
            raise TooMany("service_rate", rate=self._settings.rate, seconds=math.ceil(wait))

    def _in_use(self) -> dict[str, Key]:
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._look()
            self._looked = now
        return self._keys

    def _look(self) -> None:
        """Read the keys where their file is another one; what cannot be read is tried anew by each request."""
        try:
            stamp = keys_path(self._workspace).stat().st_mtime_ns
        except FileNotFoundError:
            stamp = 0
        except OSError:
            stamp = NEVER
        if stamp != self._stamp or stamp == NEVER:
            try:
                self._keys = {one.id: one for one in list_keys(self._workspace) if not one.revoked}
            except KeysUnusable as error:
                if not self._told:
                    log.error("no request is let through: %s", error)
                self._told = True
                raise
            self._stamp, self._told = stamp, False
