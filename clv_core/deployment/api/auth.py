"""Who may use the API: keys (made, shown once, stored as hashes, revoked), and how often each may be used.

A key is ``clv_<id>_<256 random bits>``. Its SHA-256 is stored: so many random bits cannot be guessed, and a slow hash
would protect nothing more and cost every request.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from pydantic import ConfigDict, Field, TypeAdapter, with_config

from clv_core.environment import ServiceSettings
from clv_core.errors import ClvError, NotFound, Refused
from clv_core.locks import writing
from clv_core.records import JsonObject
from clv_core.workspace import Workspace, check_name, read_json, write_json

log = logging.getLogger(__name__)

FOLDER: Final = "service"
FILE: Final = "keys.json"
FORM: Final = re.compile(r"clv_([0-9a-f]{8})_[\w-]{43}", re.ASCII)
VIEWER, ANALYST = "viewer", "analyst"
"""Roles of keys: the MCP server returns lists of customers and contacts for analysts only."""
NO_KEY: Final = hashlib.sha256(b"nobody").hexdigest()
KEY_CHECK_SECONDS: Final = 1.0
"""How often the key file is read again."""
LOCAL_HOST: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d*)?", re.IGNORECASE)
"""Values of the header Host that address this machine."""


class KeysUnusable(Refused):
    """The key file cannot be read."""


class Unauthorized(ClvError):
    """No key, or an unknown one."""


class TooMany(ClvError):
    """The key's rate limit is exceeded."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class Key:
    """The stored record of a key.

    Args:
        id: 8 hexadecimal digits; part of the key, not secret.
        name: of its owner.
        slot: its number, never reused.
        hash: SHA-256 of the key.
        created: ISO time in UTC.
        revoked: the same; empty while the key is active.
        role: :data:`VIEWER` or :data:`ANALYST`; predictions over HTTP are the same for both.
    """

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    name: str
    slot: Annotated[int, Field(ge=0)]
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    created: str
    revoked: str = ""
    role: str = VIEWER

    def to_json(self) -> JsonObject:
        """Return the fields that may be shown: all but hash and slot."""
        return {name: value for name, value in asdict(self).items() if name not in ("hash", "slot")}


KEYS: Final = TypeAdapter(list[Key])


def list_keys(workspace: Workspace) -> list[Key]:
    """Return all keys, the oldest first, revoked ones too; none where there is no file.

    Raises:
        KeysUnusable: the file is damaged, or this account may not read it.
    """
    try:
        return KEYS.validate_python(read_json(keys_path(workspace))["keys"])
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeysUnusable("keys_closed", file=f"{FOLDER}/{FILE}", reason=error.strerror or "") from error
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise KeysUnusable("keys_damaged", file=f"{FOLDER}/{FILE}") from error


def add_key(workspace: Workspace, name: str, role: str = VIEWER) -> tuple[Key, str]:
    """Make a key; return its record, and the key itself, which is stored nowhere.

    Raises:
        Refused: an active key has this name, or the name is not allowed.
    """
    name = check_name(name)
    made = secrets.token_hex(4)
    text = f"clv_{made}_{secrets.token_urlsafe(32)}"

    def change(keys: list[Key]) -> list[Key]:
        if any(key.name == name and not key.revoked for key in keys):
            raise Refused("key_exists", name=name)
        return [*keys, Key(made, name, len(keys), hash_key(text), _now(), role=role)]

    return _change(workspace, change)[-1], text


def revoke_key(workspace: Workspace, which: str) -> Key:
    """Revoke the active key of this name or id; running services refuse it within seconds.

    Raises:
        NotFound: no active key has it.
        Refused: it is the name of one key and the id of another.
    """
    revoked: list[Key] = []

    def change(keys: list[Key]) -> list[Key]:
        active = [key for key in keys if not key.revoked]
        matches = [key for key in active if which in (key.name, key.id)]
        if not matches:
            raise NotFound("no_key", name=which[:80], known=", ".join(key.name for key in active) or "-")
        if len(matches) > 1:
            named, other = sorted(matches, key=lambda key: key.name != which)
            raise Refused("key_ambiguous", which=which, id=named.id, name=other.name)
        revoked.append(replace(matches[0], revoked=_now()))
        return [revoked[0] if key.slot == matches[0].slot else key for key in keys]

    _change(workspace, change)
    return revoked[0]


def keys_path(workspace: Workspace) -> Path:
    """Return the key file."""
    return workspace.root / FOLDER / FILE


def hash_key(text: str) -> str:
    """Return the stored fields of a key."""
    return hashlib.sha256(text.encode()).hexdigest()


def find_key(keys: Mapping[str, Key], text: str) -> Key | None:
    """Return the record of a key, or None; its time does not depend on the stored hash.

    Args:
        keys: active ones by id.
        text: what was sent.
    """
    form = FORM.fullmatch(text)
    key = keys.get(form[1]) if form else None
    is_match = hmac.compare_digest(hash_key(text), key.hash if key else NO_KEY)
    return key if is_match else None


class RateLimiter:
    """A token bucket for each key.

    A bucket is one number: when it will be full again. A request moves that moment on by ``1 / rate``, and is refused
    where it would lie more than ``burst / rate`` ahead (the generic cell rate algorithm).

    Args:
        rate: tokens a second.
        burst: tokens of a full bucket.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._each, self._most = 1 / rate, burst / rate
        self._full: dict[int, float] = {}

    def wait(self, slot: int, now: float | None = None) -> float:
        """Take a token from the bucket of ``slot``; return 0, or, where it is empty, the seconds until there is one.

        Args:
            slot: of the key.
            now: seconds; None reads the monotonic clock.
        """
        now = time.monotonic() if now is None else now
        full = max(now, self._full.get(slot, 0.0)) + self._each
        if full - now > self._most + 1e-9:
            return float(full - now - self._most)
        self._full[slot] = full
        return 0.0


class Authenticator:
    """Checks a request's key and its rate limit.

    Args:
        workspace: whose keys.
        settings: whether keys are required, and the rate limit of each.
    """

    def __init__(self, workspace: Workspace, settings: ServiceSettings) -> None:
        self._workspace, self._settings = workspace, settings
        self._limiter = RateLimiter(settings.rate, settings.burst)
        self._keys: dict[str, Key] = {}
        self._read_at, self._logged = -math.inf, False

    def authenticate(self, headers: Mapping[str, str]) -> None:
        """Return if a request may be answered.

        Args:
            headers: of the request; names are lower case.

        Raises:
            KeysUnusable: the key file cannot be read.
            Unauthorized: it has no active key. Where none is required, it is addressed to another host's name: a page
                from elsewhere could have its own name resolve to this machine (DNS rebinding).
            TooMany: the key's rate limit is exceeded.
        """
        if self._settings.open:
            host = headers.get("host", "localhost")
            if not LOCAL_HOST.fullmatch(host):
                raise Unauthorized("service_elsewhere", host=host[:80])
            return
        scheme, _, text = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            text = headers.get("x-api-key", "")
        if not text:
            raise Unauthorized("service_key_missing")
        key = find_key(self._active_keys(), text.strip())
        if key is None:
            raise Unauthorized("service_key_unknown")
        wait = self._limiter.wait(key.slot)
        if wait > 0:
            raise TooMany("service_rate", rate=self._settings.rate, seconds=math.ceil(wait))

    def _active_keys(self) -> Mapping[str, Key]:
        """Return active keys by id; a file that cannot be read is logged once and tried again by each request."""
        now = time.monotonic()
        if now - self._read_at >= KEY_CHECK_SECONDS:
            try:
                self._keys = {key.id: key for key in list_keys(self._workspace) if not key.revoked}
            except KeysUnusable as error:
                if not self._logged:
                    log.error("no request is let through: %s", error)
                self._logged = True
                raise
            self._read_at, self._logged = now, False
        return self._keys


def _change(workspace: Workspace, change: Callable[[list[Key]], list[Key]]) -> list[Key]:
    """Change the stored keys, one process at a time."""
    path = workspace.folder(FOLDER) / FILE
    with writing(path):
        keys = change(list_keys(workspace))
        write_json(path, {"keys": [asdict(key) for key in keys]})
        os.chmod(path, 0o600)
    return keys


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
