"""Keys of the API: made here, shown once, kept as hashes, revoked by name.

A key is ``clv_<id>_<256 random bits>``. What is kept of it is the SHA-256 of all of it: of so many random bits nothing
can be guessed, so a slow hash would protect nothing more and cost every request.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, with_config

from clv_core.errors import NotFound, Refused
from clv_core.locks import writing
from clv_core.workspace import Workspace, check_name, read_json, write_json

FOLDER: Final = "service"
FILE: Final = "keys.json"
FORM: Final = re.compile(r"clv_([0-9a-f]{8})_[\w-]{43}", re.ASCII)
NOBODY: Final = hashlib.sha256(b"nobody").hexdigest()


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class Key:
    """What is kept of a key.

    Args:
        id: 8 hexadecimal digits; part of the key, no secret.
        name: whose it is.
        slot: its number, never given twice.
        hash: SHA-256 of the key.
        created: ISO time in UTC.
        revoked: the same; empty where it is in use.
    """

    id: str
    name: str
    slot: int
    hash: str
    created: str
    revoked: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what may be shown: everything but the hash."""
        return {name: value for name, value in asdict(self).items() if name not in ("hash", "slot")}


KEYS: Final = TypeAdapter(list[Key])


class KeysUnusable(Refused):
    """The file of keys cannot be read, so that no key can be told from another."""


def list_keys(workspace: Workspace) -> list[Key]:
    """Return all keys, the oldest first, revoked ones too; where there is no file, there are none.

    Raises:
        KeysUnusable: the file is damaged, or this account may not read it.
    """
    try:
        return KEYS.validate_python(read_json(keys_path(workspace))["keys"])
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeysUnusable("keys_closed", file=f"{FOLDER}/{FILE}", reason=error.strerror or "") from error
    except (ValueError, TypeError, LookupError) as error:
        raise KeysUnusable("keys_damaged", file=f"{FOLDER}/{FILE}") from error


def add_key(workspace: Workspace, name: str) -> tuple[Key, str]:
    """Make a key; return what is kept of it, and the key itself, which is nowhere else.

    Raises:
        Refused: another key in use bears this name, or the name could be misread.
    """
    name = check_name(name)
    made = secrets.token_hex(4)
    text = f"clv_{made}_{secrets.token_urlsafe(32)}"

    def change(keys: list[Key]) -> list[Key]:
        if any(one.name == name and not one.revoked for one in keys):
            raise Refused("key_exists", name=name)
        return [*keys, Key(made, name, len(keys), hash_key(text), _now())]

    return _change(workspace, change)[-1], text


def revoke_key(workspace: Workspace, which: str) -> Key:
    """Revoke the key of this name or id; running services turn it away within seconds.

    Raises:
        NotFound: no key in use bears it.
        Refused: it is the name of one key and the id of another.
    """
    revoked: list[Key] = []

    def change(keys: list[Key]) -> list[Key]:
        known = [one for one in keys if not one.revoked]
        found = [one for one in known if which in (one.name, one.id)]
        if not found:
            raise NotFound("no_key", name=which[:80], known=", ".join(one.name for one in known) or "-")
        if len(found) > 1:
            named, other = sorted(found, key=lambda one: one.name != which)
            raise Refused("key_ambiguous", which=which, id=named.id, name=other.name)
        revoked.append(replace(found[0], revoked=_now()))
        return [revoked[0] if one.slot == found[0].slot else one for one in keys]

    _change(workspace, change)
    return revoked[0]


def keys_path(workspace: Workspace) -> Path:
    """Return where the hashes are kept."""
    return workspace.root / FOLDER / FILE


def hash_key(text: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(text.encode()).hexdigest()


def find_key(keys: dict[str, Key], text: str) -> Key | None:
    """Return the key that ``text`` is, or None; how long it takes says nothing of the kept hash.

    Args:
        keys: those in use, by id.
        text: what was sent.
    """
    form = FORM.fullmatch(text)
    known = keys.get(form[1]) if form else None
    same = hmac.compare_digest(hash_key(text), known.hash if known else NOBODY)
    return known if same else None


def _change(workspace: Workspace, change: Callable[[list[Key]], list[Key]]) -> list[Key]:
    """Change the kept keys, one process at a time."""
    path = workspace.folder(FOLDER) / FILE
    with writing(path):
        keys = change(list_keys(workspace))
        write_json(path, {"keys": [asdict(one) for one in keys]})
        os.chmod(path, 0o600)
    return keys


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
