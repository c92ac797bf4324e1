"""Read a zip of unknown origin, and the JSON and safetensors in it, within limits; nothing is written to disk.

Every function raises :class:`~clv_core.errors.Refused` that names the file.
"""

from __future__ import annotations

import json
import math
import re
import stat
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from clv_core.deployment.bundle import FILES, HOLDOUT, POPULATION, RECORD, REFERENCE
from clv_core.errors import Refused
from clv_core.records import JsonObject

CARD: Final = "MODEL_CARD.md"
"""For the reader of an export; an import does not use it."""
MEMBERS: Final = (RECORD, *FILES, CARD)
OPTIONAL: Final = (HOLDOUT, *REFERENCE, POPULATION, CARD)
MEGABYTE: Final = 1_000_000
MAX_FILES: Final = 16
"""An export has at most nine; more are refused before any is read."""
MAX_BYTES: Final = {
    ".json": 8 * MEGABYTE,
    ".safetensors": 1024 * MEGABYTE,
    ".parquet": 1024 * MEGABYTE,
    ".md": MEGABYTE,
}
"""Parsed JSON takes 25 times its size in memory; that of a trained model is well under a megabyte."""
MAX_RECORD_BYTES: Final = 4 * MEGABYTE
"""Of ``bundle.json``. A guess: a record with its config, metrics and review themes is some kilobytes."""
MAX_RATIO: Final = 100
"""Size over compressed size: a zip bomb is far above, weights and tables are far below."""
MIN_RATIO_BYTES: Final = MEGABYTE
"""A smaller file may compress to any ratio: a short list of equal numbers does."""
MAX_DEPTH: Final = 32
"""Of nested JSON."""
DTYPES: Final = ("float64", "float32", "int64", "int32")
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1
"""Bit of a member's flags (APPNOTE.TXT 4.4.4)."""
_UNIX: Final = 3
"""Host system of a member whose attributes are a Unix file mode (APPNOTE.TXT 4.4.2)."""
_PICKLES: Final = re.compile(r"\.(pkl|pickle|joblib|pt|pth|ckpt|npy|npz)$", re.IGNORECASE)
_STRINGS: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def read_archive(path: Path) -> dict[str, bytes]:
    """Return the content of each file by name.

    Args:
        path: a zip made by ``models export``.

    Raises:
        Refused: it is no zip, or holds what a bundle does not hold.
    """
    if not path.is_file():
        raise Refused("no_file", path=str(path))
    if not zipfile.is_zipfile(path):
        raise Refused("import_format", file=path.name)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_names(members)
            return {member.filename: _read(archive, member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Refused("import_format", file=path.name) from error


def max_bytes(name: str) -> int:
    """Return how many bytes a file of a bundle may have."""
    return MAX_RECORD_BYTES if name == RECORD else MAX_BYTES[Path(name).suffix]


def _check_names(members: list[zipfile.ZipInfo]) -> None:
    """Refuse a member that is not a regular file with the name of a bundle's file, or is there twice."""
    if len(members) > MAX_FILES:
        raise _too_large("*", max(MAX_BYTES.values()))
    seen: set[str] = set()
    for member in members:
        name, mode = member.filename, member.external_attr >> 16
        shown = name[:120]
        if _PICKLES.search(name):
            raise Refused("import_pickle", member=shown)
        kind = stat.S_IFMT(mode) if member.create_system == _UNIX else 0
        if re.search(r"[/\\:\x00-\x1f]|^\.", member.orig_filename) or kind not in (0, stat.S_IFREG):
            raise Refused("import_path", member=shown)
        if name not in MEMBERS or name in seen or member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
            raise Refused("import_member", member=shown, known=", ".join(MEMBERS))
        seen.add(name)
    for name in MEMBERS:
        if name not in seen and name not in OPTIONAL:
            raise Refused("import_missing", member=name)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a member; the limit counts what is decompressed, not the size in the zip's header."""
    name, most = member.filename, max_bytes(member.filename)
    if member.compress_size:
        most = min(most, max(MIN_RATIO_BYTES, MAX_RATIO * member.compress_size))
    with archive.open(member) as file:
        content = file.read(most + 1)
        if len(content) > most:
            raise _too_large(name, max_bytes(name))
    return content


def _too_large(member: str, most_bytes: int) -> Refused:
    limits = {"megabytes": most_bytes // MEGABYTE, "files": MAX_FILES, "ratio": MAX_RATIO}
    return Refused("import_too_large", member=member, **limits)


def read_document(content: bytes, member: str) -> Any:
    """Return the value of a JSON file.

    Args:
        content: the file.
        member: its name.

    Raises:
        Refused: it is not JSON, is nested deeper than :data:`MAX_DEPTH`, repeats a name, or has an infinite number.
    """
    try:
        text = content.decode("utf-8")
        if _depth(text) > MAX_DEPTH:
            raise ValueError("nested too deep")
        return json.loads(text, object_pairs_hook=_unique_names, parse_constant=_reject_constant, parse_float=_finite)
    except (ValueError, RecursionError, MemoryError) as error:
        raise Refused("import_json", member=member, deepest=MAX_DEPTH) from error


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in re.finditer(r"[\[\]{}]", _STRINGS.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        deepest = max(deepest, depth)
        if deepest > MAX_DEPTH:
            break
    return deepest


def _unique_names(pairs: list[tuple[str, Any]]) -> JsonObject:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a repeated name")
    return values


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def read_weights(content: bytes, member: str) -> dict[str, NDArray[Any]]:
    """Return the tensors of a safetensors file by name.

    Args:
        content: the file.
        member: its name.

    Raises:
        Refused: its header does not fit its size, or its tensors overlap, leave gaps, or are not finite.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors: dict[str, NDArray[Any]] = load(content)
    except (SafetensorError, KeyError, TypeError, ValueError, MemoryError, OverflowError) as error:
        raise Refused("import_header", member=member) from error
    for name, tensor in tensors.items():
        if str(tensor.dtype) not in DTYPES:
            raise Refused("import_header", member=member)
        if not np.isfinite(tensor).all():
            raise Refused("import_not_finite", member=member, tensor=name[:80])
    return tensors
