"""Post JSON to an address."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Final

from clv_core.errors import ClvError, UsageError

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


def post(url: str, payload: dict[str, Any], timeout: float = TIMEOUT_SECONDS) -> None:
    """Post a payload; redirects are not followed.

    Args:
        url: of :func:`checked_url`.
        payload: JSON types only.
        timeout: seconds.

    Raises:
        ClvError: it could not be reached, or did not answer with 2xx. The error names only the host: what comes after
            it is often a secret.
    """
    host = urllib.parse.urlsplit(url).hostname or ""
    body = json.dumps(payload, ensure_ascii=False, allow_nan=False).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json; charset=utf-8"}, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout):
            return
    except urllib.error.HTTPError as error:
        error.close()
        raise ClvError("webhook_failed", host=host, reason=f"HTTP {error.code}") from error
    except urllib.error.URLError as error:
        raise ClvError("webhook_failed", host=host, reason=str(error.reason)) from error
    except (ValueError, http.client.InvalidURL) as error:  # its text quotes the address
        raise ClvError("webhook_failed", host=host, reason=type(error).__name__) from error
    except (OSError, http.client.HTTPException) as error:
        raise ClvError("webhook_failed", host=host, reason=str(error) or type(error).__name__) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None
