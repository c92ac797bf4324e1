"""A cache of a log's relations: written once for a dataset version, opened in a moment by the next run.

In ``datasets/<name>/.relations/<version>-<key>/``, so that whoever deletes or renames a dataset does the same to them.
The key is a hash of what is read of the version and of the code that writes them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clv_core.features.duckdb_engine import EMBEDDED, scratch_folder
from clv_core.features.event_store import ColumnStore, EventStore
from clv_core.features.sharding import is_complete, write_shards

if TYPE_CHECKING:
    import ibis

    from clv_core.collection.store.version_store import Dataset

FOLDER: Final = ".relations"
MAX_FOLDERS: Final = 3
"""Of each dataset, the ones used last; each takes about five times the room of the events."""

COMPLETE: Final = re.compile(r"[0-9a-f]{12}-[0-9a-f]{12}")
UNFINISHED: Final = re.compile(r"\.[0-9a-f-]{25}\.(\d+)\.[0-9a-f]{8}")
"""Names of cached relations, and of those that a process with this number is writing."""

CODE: Final = ("columns.py", "collection/store/dataset.py", "features/*.py", "features/columnar/*.py")
"""What decides how relations come out, below ``clv_core``."""


def cache_folder(dataset: Dataset, event_types: str, before: date | None) -> Path | None:
    """Return where the relations of a part of a dataset are cached; None where nothing can be written.

    Args:
        dataset: the stored log.
        event_types: as :func:`~clv_core.features.log.open_log` takes it.
        before: as :func:`~clv_core.features.log.open_log` takes it.
    """
    home = dataset.folder.parent
    if not os.access(home, os.W_OK):
        return None
    meaning = "\n".join([event_types, "" if before is None else before.isoformat(), _code()])
    return home / FOLDER / f"{dataset.version}-{hashlib.sha256(meaning.encode()).hexdigest()[:12]}"


def open_store(events: ibis.Table, connection: ibis.BaseBackend, cache: Path | None) -> EventStore:
    """Return the store of a log's events.

    Args:
        events: canonical columns, ``event_time`` naive in the log's time zone.
        connection: the engine of ``events``; of any but the embedded one the relations become tables.
        cache: folder of the relations, which are written unless they are there; None: they go with the engine.
    """
    from clv_core.features.warehouse import Warehouse

    if connection.name != EMBEDDED:
        return Warehouse(events, connection)
    if cache is None:
        cache = scratch_folder(connection)
        write_shards(events, connection, cache)
    else:
        _fill(cache, lambda folder: write_shards(events, connection, folder))
    return ColumnStore.open(cache)


def _fill(target: Path, write: Callable[[Path], None]) -> None:
    """Have ``target`` filled by ``write`` unless it is there and complete, and remove what has not been used lately.

    A crash leaves a folder under a temporary name, which the next call removes; of two runs at once, the first one's
    stays.
    """
    if not is_complete(target):
        shutil.rmtree(target, ignore_errors=True)
        temporary = target.parent / f".{target.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
        temporary.mkdir(parents=True)
        try:
            write(temporary)
            os.replace(temporary, target)
        except OSError:
            if not is_complete(target):  # another run was first
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    os.utime(target)
    _prune(target.parent)


def _prune(folder: Path) -> None:
    """Remove all but the last used relations, those of deleted versions, and what a crash left."""
    found = sorted(folder.iterdir(), key=_used, reverse=True)
    known = [path for path in found if COMPLETE.fullmatch(path.name) and (folder.parent / path.name[:12]).is_dir()]
    for path in found:
        half = UNFINISHED.fullmatch(path.name)
        if path not in known[:MAX_FOLDERS] and not (half and _is_running(int(half[1]))):
            shutil.rmtree(path, ignore_errors=True)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another run removed it
        return 0.0


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@cache
def _code() -> str:
    """Return a hash of the source that writes relations."""
    core = Path(__file__).parents[1]
    paths = [path for pattern in CODE for path in sorted(core.glob(pattern))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
