"""The identity provider that people sign in with: what is set of it, what is wrong with that, and whether it answers.

Streamlit reads the ``[auth]`` section of its secrets, and is silent about a file that is none: it would open the app to
everybody. So that file is looked at here too, and a section that is there, however broken, means that people sign in.

A secret that somebody typed, or copied from a document, signs cookies that anybody can forge: who holds one signed
cookie tries secrets without asking the server, millions a second. Nobody can tell whether a text came from a generator,
so the estimate of its strength leans to the low side: what can be predicted counts little or nothing.
"""

from __future__ import annotations

import math
import re
import secrets
import string
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.secrets import secrets_singleton

from clv_core.errors import ClvError, Refused

KEYS: Final = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
"""What ``[auth]`` has to hold; the last three may stand in ``[auth.default]``."""
RETURN: Final = "/oauth2callback"
"""Where Streamlit takes people back from the provider."""
ANSWER_SECONDS: Final = 5.0
"""Timeout of the request for the provider's metadata, while the person waits at the login."""


def is_wanted() -> bool:
    """Return whether the secrets ask for signing in: a section ``[auth]``, or a file of which nobody knows."""
    return unreadable_file() is not None or _section() is not None


def find_fault() -> Refused | None:
    """Return what keeps anybody from signing in, by the settings alone; None where they can work."""
    broken = unreadable_file()
    if broken is not None:
        return Refused("login_unreadable", path=str(broken))
    section = _section()
    if section is None:
        return None
    settings = {**section, **section["default"]} if isinstance(section.get("default"), Mapping) else section
    missing = [key for key in KEYS if not settings.get(key)]
    if missing:
        return Refused("login_incomplete", missing=missing)
    weak = find_weak_secret()
    if weak is not None:
        return weak
    back = urlsplit(str(settings["redirect_uri"]))
    if back.scheme not in ("http", "https") or not back.netloc or not back.path.endswith(RETURN):
        return Refused("login_redirect", redirect_uri=str(settings["redirect_uri"])[:200], ends=RETURN)
    return None


def find_weak_secret() -> Refused | None:
    """Return why the secret that signs people's cookies must not be used; None where it may, or there is none.

    Whoever guesses it forges the cookie of any person. Streamlit reads it in ``[auth]`` alone.
    """
    secret = str((_section() or {}).get("cookie_secret") or "")
    bits = estimate_bits(secret)
    return Refused("login_weak", bits=int(bits), needed=MIN_BITS) if secret and bits < MIN_BITS else None


def other_address() -> str:
    """Return the address that people come back to from the provider, where it is not the one they are at; else ""."""
    current, back = urlsplit(st.context.url or ""), urlsplit(str((_section() or {}).get("redirect_uri", "")))
    if not current.netloc or not back.netloc or (current.scheme, current.netloc) == (back.scheme, back.netloc):
        return ""
    return f"{back.scheme}://{back.netloc}{back.path.removesuffix(RETURN)}/"


def find_silence() -> ClvError | None:
    """Ask the provider for its description, as signing in does; return why that fails, None where it does not.

    Streamlit shows "Authentication error" alone, on a page without a way back.
    """
    import httpx

    section = _section() or {}
    settings = section["default"] if isinstance(section.get("default"), Mapping) else section
    url = str(settings.get("server_metadata_url", ""))
    host = urlsplit(url).hostname or "-"
    try:
        answer = httpx.get(url, timeout=ANSWER_SECONDS)
        if answer.is_success and "authorization_endpoint" in answer.json():
            return None
        reason = f"HTTP {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError) as error:
        reason = type(error).__name__
    return ClvError("login_silent", host=host, reason=reason)


def unreadable_file() -> Path | None:
    """Return the file of secrets that is there and cannot be read, else None."""
    files = [path for path in map(Path, st.get_option("secrets.files")) if path.is_file()]
    return next((path for path in files if _spoilt(path, path.stat().st_mtime_ns, path.stat().st_size)), None)


@lru_cache(maxsize=8)
def _spoilt(path: Path, changed: int, size: int) -> bool:
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return False


def _section() -> Mapping[str, Any] | None:
    """Return the section ``[auth]`` of the secrets, None where there is none."""
    if not secrets_singleton.load_if_toml_exists():
        return None
    auth = secrets_singleton.get("auth")
    return auth if isinstance(auth, Mapping) or auth is None else {}


MIN_BITS: Final = 112
"""NIST SP 800-131A, revision 2, section 10 disallows shorter keys of an HMAC; ``openssl rand -hex 16`` has 128."""
LETTER_BITS: Final = 1.0
"""Of a letter within words: 0.6 to 1.3 (Shannon 1951, Prediction and entropy of printed English)."""
NEW_BYTES: Final = 32
"""Of a secret that is made here: 256 bits, as long as the output of SHA-256 (RFC 2104, section 3)."""
REPEATED: Final = 4
"""So many characters that stood before in the same order are a repetition; by chance, 1 of 2,000 hex digits is one."""

CLASSES: Final = (string.digits, string.ascii_lowercase, string.ascii_uppercase, string.punctuation)
HEX: Final = frozenset("0123456789abcdef")
WORD: Final = "(?:[A-Z]?[a-z]+|[A-Z]+)"
WORDS: Final = re.compile(
    rf"[A-Za-z][a-z]{{5,}}|[A-Z]{{6,}}|{WORD}(?:[-_.]{WORD})+|(?:[A-Z][a-z]{{2,}}){{3,}}|.*\s.*", re.DOTALL
)
"""What reads as words: six letters in a row, words with signs between them, CamelCase, anything with a blank.

Of 200,000 secrets each, so many count as weak: of ``token_hex(32)`` none, of ``token_hex(16)`` 20, of
``token_urlsafe(32)`` 25."""


def estimate_bits(secret: str) -> float:
    """Return how many bits a secret has at most if it came from a generator, and about how many if somebody typed it.

    Characters that repeat what stood before, or go on in steps (``aaa``, ``123``, ``cba``), have none.
    """
    is_hex = HEX.issuperset(secret)
    alphabet = (
        len(HEX) if is_hex else sum(len(characters) for characters in CLASSES if not set(characters).isdisjoint(secret))
    )
    in_words = set() if is_hex else {at for match in WORDS.finditer(secret) for at in range(*match.span())}
    full = math.log2(alphabet) if alphabet else 0.0
    return sum(LETTER_BITS if at in in_words else full for at in range(len(secret)) if not _is_predictable(secret, at))


def _is_predictable(secret: str, at: int) -> bool:
    """Return whether the character at a place follows from those before it."""
    if at >= REPEATED - 1 and secret[at + 1 - REPEATED : at + 1] in secret[:at]:
        return True
    if at < 2:
        return False
    step, step_before = ord(secret[at]) - ord(secret[at - 1]), ord(secret[at - 1]) - ord(secret[at - 2])
    return step == step_before and abs(step) <= 1


def make_secret() -> str:
    """Return a new secret, 64 hex digits."""
    return secrets.token_hex(NEW_BYTES)
