"""New alerts as JSON to an address, by POST."""

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
PLAIN: Final = re.compile("[!-~]*")
"""What may stand in an address after its host."""
BEFORE_PATH: Final = re.compile(r"(\w+://)?(?:[^/?#]*@)?([^/?#]*)")
"""Scheme and host of what may be no address, without the name and password before them."""
VARIABLE: Final = "CLV_WEBHOOK_URL"


def checked_url(url: str) -> str:
    """Return an address that can be posted to.

    Raises:
        UsageError: it is none.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        fits = fits and PLAIN.fullmatch(parts.path + parts.query) is not None
    except ValueError:  # brackets that do not close, a port that is none
        fits = False
    if not fits:
        raise UsageError("webhook_url", url=_known_part(url) or "-")
    return url


def _known_part(url: str) -> str:
    """Return what comes before the path of something that is no address: what comes after it is often a secret."""
    known = BEFORE_PATH.match(url)
    assert known is not None  # it matches nothing at all, too
    shown = f"{known[1] or ''}{known[2]}"
    return f"{shown[:80]}{'…' if known.end() < len(url) else ''}"


def post(url: str, payload: dict[str, Any], timeout: float = TIMEOUT_SECONDS) -> None:
    """Post a payload; redirects are not followed.

    Args:
        url: of :func:`checked_url`.
        payload: JSON types only.
        timeout: most seconds that the other side may take to answer.

    Raises:
        ClvError: it could not be reached, or answered with something else than 2xx. The address is named by its host
            alone: what comes after it is often a secret.
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
    except (ValueError, http.client.InvalidURL) as error:  # its words quote the address
        raise ClvError("webhook_failed", host=host, reason=type(error).__name__) from error
    except (OSError, http.client.HTTPException) as error:
        raise ClvError("webhook_failed", host=host, reason=str(error) or type(error).__name__) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None
