"""Read the files of a bundle from a zip that nobody vouches for; nothing of it touches the disk here."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from pathlib import Path
from typing import Final

from clv_core.deployment.bundle import FILES, HOLDOUT, REFERENCE
from clv_core.deployment.record import RECORD
from clv_core.errors import Refused

CARD: Final = "MODEL_CARD.md"
"""The model card lies in an export for whoever opens it; an import writes its own."""
MEMBERS: Final = (RECORD, *FILES, CARD)
OPTIONAL: Final = (HOLDOUT, *REFERENCE, CARD)
MEGABYTE: Final = 1_000_000
MOST_FILES: Final = 16
MOST_BYTES: Final = {
    ".json": 8 * MEGABYTE,
    ".safetensors": 1024 * MEGABYTE,
    ".parquet": 1024 * MEGABYTE,
    ".md": MEGABYTE,
}
"""JSON takes 25 times its size in memory once it is read; that of a trained model is well under a megabyte."""
MOST_RECORD_BYTES: Final = 4 * MEGABYTE
MOST_RATIO: Final = 100
RATIO_FROM_BYTES: Final = MEGABYTE
"""Below this a high ratio says nothing: a short list of equal numbers compresses well."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1
_UNIX: Final = 3
_PICKLES: Final = re.compile(r"\.(pkl|pickle|joblib|pt|pth|ckpt|npy|npz)$", re.IGNORECASE)


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


def limit_of(name: str) -> int:
    """Return how many bytes a file of a bundle may have."""
    return MOST_RECORD_BYTES if name == RECORD else MOST_BYTES[Path(name).suffix]


def _check_names(members: list[zipfile.ZipInfo]) -> None:
    """Refuse whatever is not a plain file with the name of a bundle's file, each once."""
    if len(members) > MOST_FILES:
        raise _too_large("*", max(MOST_BYTES.values()))
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
    """Return the bytes of a file; the limit counts what comes out, not what the zip says of itself."""
    name, most = member.filename, limit_of(member.filename)
    if member.compress_size:
        most = min(most, max(RATIO_FROM_BYTES, MOST_RATIO * member.compress_size))
    with archive.open(member) as file:
        content = file.read(most + 1)
        if len(content) > most:
            raise _too_large(name, limit_of(name))
    return content


def _too_large(member: str, most_bytes: int) -> Refused:
    limits = {"megabytes": most_bytes // MEGABYTE, "files": MOST_FILES, "ratio": MOST_RATIO}
    return Refused("import_too_large", member=member, **limits)
