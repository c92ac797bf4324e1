"""A bundle's record on disk: JSON with a seal over every byte, so that any change is detected.

The seal is the SHA-256 of the file with the seal itself read as zeros, and the last value of the file. It detects
damage; it does not authenticate the author.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from clv_core.deployment.model_record import FORMAT, ModelRecord
from clv_core.errors import Refused
from clv_core.workspace import write_text

RECORD: Final = "bundle.json"
_BLANK: Final = "0" * 64
_END: Final = '"\n}'
RACY_NANOSECONDS: Final = 2_000_000_000
"""A file that was written more recently may be written again without another time of change."""


def write_record(folder: Path, record: ModelRecord) -> None:
    """Write the record of the bundle in ``folder`` atomically, sealed anew."""
    write_text(folder / RECORD, sealed(record.to_json()))


def sealed(values: Mapping[str, Any]) -> str:
    """Return the text of a record's JSON with its seal; NaN and infinity are refused by the encoder."""
    fields = {name: value for name, value in values.items() if name not in ("format", "seal")}
    text = json.dumps({**fields, "format": FORMAT, "seal": _BLANK}, ensure_ascii=False, indent=1, allow_nan=False)
    start = len(text) - len(_END) - len(_BLANK)
    return text[:start] + _seal(text) + _END


def read_record(folder: Path) -> ModelRecord:
    """Return the record of the bundle in ``folder``; it may be shared.

    Raises:
        Refused: it is missing, is no record, its bytes do not match its seal, or a later version wrote it.
    """
    path = folder / RECORD
    try:
        stat = path.stat()
        if time.time_ns() - stat.st_mtime_ns < RACY_NANOSECONDS:
            return _read(path)
        return _cached(path, stat.st_ino, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError, RecursionError) as error:
        raise Refused("bundle_damaged", model=folder.name, file=RECORD) from error


@lru_cache(maxsize=256)
def _cached(path: Path, *_version: int) -> ModelRecord:
    """Return a record from memory if the file was not written since: pages list all records each time."""
    return _read(path)


def _read(path: Path) -> ModelRecord:
    text = path.read_bytes().decode("utf-8")
    values = json.loads(text)
    if not isinstance(values, dict) or not intact(text, values):
        raise ValueError("no record with its seal")
    return ModelRecord.from_json(values)


def intact(text: str, values: Mapping[str, Any]) -> bool:
    """Return whether the text of a record matches the seal among its values."""
    start = len(text) - len(_END) - len(_BLANK)
    seal = text[start : -len(_END)]
    blank = text[:start] + _BLANK + text[-len(_END) :]
    return values.get("seal") == seal == _seal(blank) and text.endswith(_END)


def _seal(blank: str) -> str:
    return hashlib.sha256(blank.encode("utf-8")).hexdigest()
