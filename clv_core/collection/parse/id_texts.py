"""Ids of customers as they are compared, and as keyed hashes.

What spreadsheets, keyboards and mail programs make of one id is one id: full-width letters and digits become plain
ones, accents are composed, invisible marks are left out, an integer written as 17850.0 is 17850, and an e-mail
address has no case. Where a log writes the same ids in two ways (K1001 and k1001, 00001001 and 1001), :func:`unified`
shows that they are one. Only the letters of ASCII are folded, so that engines and Python agree on every text.

:func:`pseudonym` is HMAC-SHA256 of an id so compared, or of a contact field, under a key that is kept apart from the
data. Who holds a dataset without the key can neither read an id nor try candidates; who holds the key can find a
customer again, and next month's file gets the same hashes. The key lies in ``$CLV_KEY_FILE``, else in a file next to
the workspace (``workspace.key``), never in it, so that a copy of the workspace does not carry it.

Source: RFC 2104, H((K xor opad) + H((K xor ipad) + text)), with K padded to the 64 bytes of a block of SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import string
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clv_core.collection.engine import text
from clv_core.environment import Environment
from clv_core.errors import Refused
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

CAPITALS: Final = string.ascii_uppercase
SMALL: Final = string.ascii_lowercase
FOLDING: Final = str.maketrans(CAPITALS, SMALL)

MERGE: Final = "merge"
SEPARATE: Final = "separate"

WIDE: Final = "".join(
    sign
    for sign in map(chr, range(0xFF01, 0xFFEF))
    if len(plain := unicodedata.normalize("NFKC", sign)) == 1 and plain not in "{}"
)
"""Signs of full or half width. Braces are left out: the SQL is put into templates of ``str.format``."""
SPACES: Final = "\u00a0\u2007\u202f\u3000"
INVISIBLE: Final = "".join(
    chr(code)
    for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2064))
    for code in range(first, last + 1)
)
NO_SIGNS: Final = INVISIBLE + "\ufeff\u00ad"
WRITTEN: Final = (WIDE + SPACES + NO_SIGNS, unicodedata.normalize("NFKC", WIDE) + " " * len(SPACES))
"""Signs that are written otherwise, or not at all: one for one, those without a counterpart are left out."""
PLAIN: Final = {ord(sign): (WRITTEN[1][at] if at < len(WRITTEN[1]) else None) for at, sign in enumerate(WRITTEN[0])}

WHOLE: Final = r"^(\d+)\.0+$"
"""An integer as data frames and spreadsheets write it once its column has a blank cell."""
PADDED: Final = r"^([^0-9]*)0+(.)"


def folded(word: str) -> str:
    """Return an id as all its spellings are."""
    if not word.isascii():
        word = unicodedata.normalize("NFC", word.translate(PLAIN)).strip(" ")
    return word.translate(FOLDING) if "@" in word else re.sub(WHOLE, r"\1", word, flags=re.ASCII)


def folded_sql(column: str, *, whole_floats: bool = True) -> str:
    """Return SQL for :func:`folded` of a text expression; ``lower`` is far faster, and does the same to ASCII.

    Args:
        column: the expression.
        whole_floats: whether 17850.0 is 17850.
    """
    as_integer = f"regexp_replace({{}}, {text(WHOLE)}, '\\1')" if whole_floats else "{}"
    plain = f"trim(nfc_normalize(translate({column}, {text(WRITTEN[0])}, {text(WRITTEN[1])})), ' ')"
    mail = f"translate(w, '{CAPITALS}', '{SMALL}')"
    word = f"CASE WHEN contains(w, '@') THEN {mail} ELSE {as_integer.format('w')} END"
    wide = f"list_transform([{plain}], lambda w: {word})[1]"
    return (
        f"CASE WHEN strlen({column}) <> length({column}) THEN {wide} WHEN contains({column}, '@') THEN lower({column})"
        f" WHEN ends_with({column}, '0') AND contains({column}, '.') THEN {as_integer.format(column)}"
        f" ELSE {column} END"
    )


def folded_texts(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return :func:`folded` of each text; missing ones stay so."""
    other = texts.str.contains(r"@|\.0+$|[^\x00-\x7f]", regex=True).fillna(False).astype(bool)
    return texts.where(~other, texts[other].map(folded).reindex(texts.index)) if other.any() else texts


def unified(word: str) -> str:
    """Return an id without its capitals, blanks and padding zeros: 00001001 is 1001, and K 01001 is k1001."""
    return re.sub(PADDED, r"\1\2", re.sub(WHOLE, r"\1", folded(word)).translate(FOLDING).replace(" ", ""))


def odd_signs(word: str) -> str:
    """Return the signs of an id that :func:`folded` replaces or omits, and accents without a letter."""
    return "".join(sign for sign in word if ord(sign) in PLAIN or unicodedata.combining(sign))


def similar_mark(word: str) -> str:
    """Return the key that all similar spellings of an id share in a list that holds no ids."""
    return f"similar {unified(word)}"


def similar_mark_sql(column: str) -> str:
    """Return SQL for :func:`similar_mark` of a text expression."""
    return f"concat('similar ', {unified_sql(folded_sql(column))})"


def unified_sql(column: str) -> str:
    """Return SQL for :func:`unified` of an expression that is :func:`folded_sql` already."""
    small = f"translate(regexp_replace({column}, {text(WHOLE)}, '\\1'), '{CAPITALS} ', '{SMALL}')"
    return f"regexp_replace({small}, {text(PADDED)}, '\\1\\2')"


BLANKS: Final = " \t\u00a0\u3000"
"""Blanks around an id or a contact field, which do not count; the same that a reading trims."""

BLOCK_BYTES: Final = 64
"""Block of SHA-256, to which HMAC pads its key (RFC 2104)."""
KEY_BYTES: Final = 32
"""Shortest key: the length of SHA-256's result (RFC 2104 discourages shorter ones)."""
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
    """Return what identifies a key and gives nothing of it away, 12 hex digits."""
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
