"""Post JSON to an address."""

from __future__ import annotations

import re
import urllib.parse
from typing import Final

from clv_core.errors import ClvError, UsageError
from clv_core.records import JsonObject

TIMEOUT_SECONDS: Final = 10.0
PRINTABLE_ASCII: Final = re.compile("[!-~]*")
BEFORE_PATH: Final = re.compile(r"(\w+://)?(?:[^/?#]*@)?([^/?#]*)")
"""Scheme and host, without the name and password before the host."""


def checked_url(url: str) -> str:
    """Return the address where it is valid.

    Raises:
        UsageError: it is not valid.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        fits = fits and PRINTABLE_ASCII.fullmatch(parts.path + parts.query) is not None
    except ValueError:  # unclosed brackets, an invalid port
        fits = False
    if not fits:
        raise UsageError("webhook_url", url=_without_secrets(url) or "-")
    return url


def _without_secrets(url: str) -> str:
    """Return scheme and host of an invalid address: what comes after them is often a secret."""
    match = BEFORE_PATH.match(url)
    assert match is not None  # it matches the empty text, too
    shown = f"{match[1] or ''}{match[2]}"
    return f"{shown[:80]}{'…' if match.end() < len(url) else ''}"


def post(url: str, payload: JsonObject, timeout: float = TIMEOUT_SECONDS) -> None:
    """Post a payload; redirects are not followed.

    Args:
        url: of :func:`checked_url`.
        payload: JSON types only.
        timeout: seconds.

    Raises:
        ClvError: it could not be reached, or did not answer with 2xx. The error names only the host: what comes after
            it is often a secret.
    """
    import httpx

    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        answer = httpx.post(url, json=payload, timeout=timeout)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        quotes_address = not isinstance(error, httpx.HTTPError)
        reason = type(error).__name__ if quotes_address else str(error) or type(error).__name__
        raise ClvError("webhook_failed", host=host, reason=reason) from error
    if not answer.is_success:
        raise ClvError("webhook_failed", host=host, reason=f"HTTP {answer.status_code}")
