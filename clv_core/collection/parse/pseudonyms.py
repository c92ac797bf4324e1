"""Ids and contact fields as keyed hashes: HMAC-SHA256 under a key that is kept apart from the data.

Who holds a dataset without the key can neither read an id nor try candidates; who holds the key can find a customer
again (:func:`pseudonym`), and next month's file gets the same hashes; an e-mail address has one, in whatever case it is
written. The key lies in ``$CLV_KEY_FILE``, else in a file beside the workspace (``workspace.key``), never in it, so
that a copy of the workspace does not carry it.

Source: RFC 2104, H((K xor opad) + H((K xor ipad) + text)), with K padded to the 64 bytes of a block of SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from clv_core.collection.parse.id_texts import folded, folded_sql
from clv_core.environment import Environment
from clv_core.errors import Refused
from clv_core.workspace import Workspace

BLANKS: Final = " \t\u00a0\u3000"
"""Blanks around an id or a contact field, which do not count; the same that a reading trims."""

BLOCK_BYTES: Final = 64
KEY_BYTES: Final = 32
FINGERPRINTED: Final = b"clv studio pseudonym key"


def key_path(workspace: Workspace) -> Path:
    """Return where the workspace's key lies."""
    named = Environment.from_environment().key_file
    return Path(named).absolute() if named else workspace.root.with_name(f"{workspace.root.name}.key")


def load_key(workspace: Workspace, fingerprint: str = "") -> bytes:
    """Return the key of a workspace.

    Args:
        workspace: where the datasets are.
        fingerprint: of the key that is needed; empty for a first use, which makes a key where there is none.

    Raises:
        Refused: the key that is needed is not there, or the file holds another one, or none.
    """
    path = key_path(workspace)
    if not fingerprint and not path.exists():
        _make(path)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except FileNotFoundError as error:
        raise Refused("key_missing", path=str(path), fingerprint=fingerprint) from error
    except (OSError, ValueError) as error:
        raise Refused("key_unreadable", path=str(path)) from error
    if len(key) < KEY_BYTES:
        raise Refused("key_unreadable", path=str(path))
    if fingerprint and not hmac.compare_digest(fingerprint_of(key), fingerprint):
        raise Refused("key_other", path=str(path), fingerprint=fingerprint, found=fingerprint_of(key))
    return key


def fingerprint_of(key: bytes) -> str:
    """Return what tells a key from others and gives nothing of it away, 12 hex digits."""
    return hmac.new(key, FINGERPRINTED, hashlib.sha256).hexdigest()[:12]


def pseudonym(key: bytes, text: str) -> str:
    """Return the keyed hash of an id or a contact field, 64 hex digits; "" for a text of blanks only."""
    plain = folded(text.strip(BLANKS))
    return hmac.new(key, plain.encode(), hashlib.sha256).hexdigest() if plain else ""


def pseudonym_sql(key: bytes, column: str = "{column}") -> str:
    """Return SQL for :func:`pseudonym` of a text expression, NULL where there is no text.

    Args:
        key: of :func:`load_key`.
        column: the expression; without one, the result is a template for ``str.format(column=...)``.
    """
    inner, outer = (_literal(bytes(byte ^ pad for byte in _block(key))) for pad in (0x36, 0x5C))
    plain = folded_sql(f"nullif(trim({column}, '{BLANKS}'), '')")
    return f"sha256({outer} || unhex(sha256({inner} || encode({plain}))))"


def _block(key: bytes) -> bytes:
    short = hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key
    return short.ljust(BLOCK_BYTES, b"\0")


def _literal(value: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02X}" for byte in value) + "'::BLOB"


def _make(path: Path) -> None:
    """Write a new key, readable by its owner only; if another process was faster, its key stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise Refused("key_unreadable", path=str(path)) from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
