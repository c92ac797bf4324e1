"""A bundle's record on disk: JSON with a seal over every byte, so that any change is detected.

The seal is the SHA-256 of the file with the seal itself read as zeros, and the last value of the file. It detects
damage; it does not authenticate the author.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clv_core import __version__
from clv_core.errors import Refused
from clv_core.workspace import write_text

if TYPE_CHECKING:
    from clv_core.collection.store import Dataset
    from clv_core.config import TrainConfig

RECORD: Final = "bundle.json"
FORMAT: Final = 2
_BLANK: Final = "0" * 64
_END: Final = '"\n}'
IDENTITY: Final = ("model", "code_version", "cutoff", "horizon_days", "config")
"""Fields of the content address; the dataset's name may change and is not one of them."""
RACY_NANOSECONDS: Final = 2_000_000_000
"""A file that was written more recently may be written again without another time of change."""


def training_facts(dataset: Dataset, config: TrainConfig, cutoff: date) -> dict[str, Any]:
    """Return the part of a record that says what is trained now, on what, up to when."""
    return {
        "model": config.model,
        "dataset": {"name": dataset.name, "version": dataset.version},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": __version__,
        "cutoff": cutoff.isoformat(),
        "horizon_days": config.horizon_days,
        "currency": dataset.manifest.currency,
        "config": config.to_json(),
    }


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the record of the bundle in ``folder`` atomically, sealed anew."""
    write_text(folder / RECORD, sealed(record))


def sealed(record: Mapping[str, Any]) -> str:
    """Return the text of a record with its seal; NaN and infinity are refused by the encoder."""
    fields = {key: value for key, value in record.items() if key not in ("format", "seal")}
    text = json.dumps({**fields, "format": FORMAT, "seal": _BLANK}, ensure_ascii=False, indent=1, allow_nan=False)
    start = len(text) - len(_END) - len(_BLANK)
    return text[:start] + _seal(text) + _END


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record of the bundle in ``folder``.

    Raises:
        Refused: it is missing, is no JSON object, or its bytes do not match its seal.
    """
    try:
        text = _read(folder / RECORD)
        record = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise Refused("bundle_damaged", model=folder.name, file=RECORD) from error
    has_name = isinstance(record, dict) and isinstance(record.get("dataset"), dict) and "name" in record["dataset"]
    if not has_name or not intact(text, record):
        raise Refused("bundle_damaged", model=folder.name, file=RECORD)
    checked: dict[str, Any] = record
    return checked


def _read(path: Path) -> str:
    """Return the text of a record, from memory if the file was not written since: pages list all records each time."""
    stat = path.stat()
    if time.time_ns() - stat.st_mtime_ns < RACY_NANOSECONDS:
        return path.read_bytes().decode("utf-8")
    return _cached(path, stat.st_ino, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _cached(path: Path, *_version: int) -> str:
    return path.read_bytes().decode("utf-8")


def intact(text: str, record: Mapping[str, Any]) -> bool:
    """Return whether the text of a record matches its seal."""
    start = len(text) - len(_END) - len(_BLANK)
    seal = text[start : -len(_END)]
    blank = text[:start] + _BLANK + text[-len(_END) :]
    return record.get("seal") == seal == _seal(blank) and text.endswith(_END)


def digest(record: Mapping[str, Any], checksums: Mapping[str, str]) -> str:
    """Return the content address of a bundle, 64 hexadecimal digits.

    Args:
        record: of the bundle.
        checksums: SHA-256 by name of the files that make the model.
    """
    about = {key: record.get(key) for key in IDENTITY}
    about |= {"data": record["dataset"]["version"], "files": dict(sorted(checksums.items()))}
    return hashlib.sha256(json.dumps(about, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _seal(blank: str) -> str:
    return hashlib.sha256(blank.encode("utf-8")).hexdigest()
