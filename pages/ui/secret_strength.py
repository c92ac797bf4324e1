"""How hard a secret is to guess: what somebody typed, or copied from a document, signs cookies that anybody can forge.

Who holds one signed cookie tries secrets without asking the server, millions a second. Nobody can tell whether a text
came from a generator, so the estimate leans to the low side: what can be predicted counts little or nothing.
"""

from __future__ import annotations

import math
import re
import secrets
import string
from typing import Final

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
    alphabet = len(HEX) if is_hex else sum(len(one) for one in CLASSES if not set(one).isdisjoint(secret))
    in_words = set() if is_hex else {at for found in WORDS.finditer(secret) for at in range(*found.span())}
    full = math.log2(alphabet) if alphabet else 0.0
    return sum(LETTER_BITS if at in in_words else full for at in range(len(secret)) if not _is_predictable(secret, at))


def _is_predictable(secret: str, at: int) -> bool:
    """Say whether the character at a place follows from those before it."""
    if at >= REPEATED - 1 and secret[at + 1 - REPEATED : at + 1] in secret[:at]:
        return True
    if at < 2:
        return False
    step, step_before = ord(secret[at]) - ord(secret[at - 1]), ord(secret[at - 1]) - ord(secret[at - 2])
    return step == step_before and abs(step) <= 1


def make_secret() -> str:
    """Return a new secret, 64 hex digits."""
    return secrets.token_hex(NEW_BYTES)
