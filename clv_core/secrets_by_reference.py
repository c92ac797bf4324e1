"""Secrets by reference: where a password or token lies is stored, its value never is."""

from __future__ import annotations

import os
from pathlib import Path

from clv_core.errors import UsageError


def secret(reference: str) -> str:
    """Return the secret that a reference names.

    Args:
        reference: ``env:NAME`` (a variable of the process), ``file:PATH`` (a file's text without its last line feed) or
            ``keyring:SERVICE/USER`` (the keyring of the operating system).

    Raises:
        UsageError: it is not a reference, or nothing is there. The error never quotes a value.
    """
    kind, _, place = reference.partition(":")
    service, _, user = place.partition("/")
    if not place or kind not in ("env", "file", "keyring") or (kind == "keyring" and not user):
        raise UsageError("secret_reference")  # what was given may be the secret itself
    value: str | None = None
    if kind == "env":
        value = os.environ.get(place)
    elif kind == "file":
        try:
            value = Path(place).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            value = None
    else:
        try:
            import keyring
        except ModuleNotFoundError as error:
            raise UsageError("extra_missing", extra="keyring") from error
        try:
            value = keyring.get_password(service, user)
        except keyring.errors.KeyringError:
            value = None
    if not value:
        raise UsageError("secret_missing", reference=reference)
    return value
