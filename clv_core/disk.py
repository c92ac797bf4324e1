"""Errors of full disks, paths that cannot be used and exhausted memory, as messages with the path and what to do."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clv_core.errors import ClvError, UsageError

DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
UNUSABLE_PATH: Final = (
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG),
)
FULL_TEXT: Final = re.compile(r"No space left on device|Disk quota exceeded|database or disk is full")
"""In errors of libraries that raise their own, among them DuckDB, Arrow, safetensors and SQLite."""
TOO_LARGE_TEXT: Final = re.compile(r"File too large")
MEMORY_TEXT: Final = re.compile(r"not enough memory|can't allocate memory|std::bad_alloc")
TEMPORARY: Final = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")
"""A name of :func:`clv_core.workspace.atomic_path`; users call the file by the name in the middle."""

SQLITE_ROOM_BYTES: Final = 65_536
"""A little more than SQLite needs for the index of a write-ahead log before it can read."""


def disk_error(error: BaseException, written: Sequence[Path]) -> ClvError | None:
    """Return the error to show where a disk is full or a path cannot be used, None for any other error.

    Args:
        error: what was raised. One that has a message already is an other error, unless a full disk is its cause.
        written: where the run writes, for errors that name no path.
    """
    for cause in _causes(error):
        number = cause.errno if isinstance(cause, OSError) else None
        text = "" if isinstance(cause, ClvError) else str(cause)
        if number in DISK_FULL or FULL_TEXT.search(text) or any(sqlite_full(cause, path) for path in written):
            return ClvError("disk_full", path=_path_of(cause) or _fullest(written))
        if number == errno.EFBIG or TOO_LARGE_TEXT.search(text):
            return ClvError("file_too_large", path=_path_of(cause) or str(written[0]))
        if number in UNUSABLE_PATH and not isinstance(error, ClvError):
            path = _path_of(cause) or _unwritable(written)
            if path:
                return UsageError("path_refused", path=path, reason=os.strerror(number or 0))
    return None


@contextmanager
def ignore_unwritable() -> Iterator[None]:
    """Skip the rest of the block where its folder may not be written: for caches, which can be computed again."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNUSABLE_PATH:
            raise


def sqlite_full(error: BaseException, place: Path) -> bool:
    """Return whether SQLite failed because the disk is full; for its smaller files it reports that only as unusable.

    Args:
        error: what was raised.
        place: the database's file, or another place on its disk.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return not _fits(_existing(place), SQLITE_ROOM_BYTES)
    return code == sqlite3.SQLITE_FULL


def out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out; errors of libraries are recognised by name, so as not to import them."""
    for cause in _causes(error):
        of_duckdb = type(cause).__name__ == "OutOfMemoryException"
        if of_duckdb or isinstance(cause, MemoryError) or getattr(cause, "errno", None) == errno.ENOMEM:
            return True
        if isinstance(cause, RuntimeError) and MEMORY_TEXT.search(str(cause)):  # PyTorch's
            return True
    return False


def _fits(place: Path, size: int) -> bool:
    """Return whether a file of so many bytes fits, by writing one: the free space of a disk ignores quotas."""
    try:
        with tempfile.TemporaryFile(dir=place if place.is_dir() else place.parent) as file:
            file.write(bytes(size))
    except OSError as error:
        return error.errno not in DISK_FULL
    return True


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the errors that caused it."""
    while True:
        yield error
        inner = next((arg for arg in error.args if isinstance(arg, OSError)), error.__cause__)
        if inner is None:
            return
        error = inner


def _path_of(error: BaseException) -> str:
    """Return the path that an error names, "" for none."""
    name = getattr(error, "filename2", None) or getattr(error, "filename", None)
    if not isinstance(name, str | os.PathLike):
        return ""
    path = Path(name)
    meant = TEMPORARY.fullmatch(path.name)
    return str(path.with_name(meant[1]) if meant else path)


def _fullest(written: Sequence[Path]) -> str:
    """Return the path on whose disk the least is free."""
    existing = map(_existing, written)
    return str(min(zip(written, existing, strict=True), key=lambda pair: shutil.disk_usage(pair[1]).free)[0])


def _unwritable(written: Sequence[Path]) -> str:
    """Return the first path that this account may not write, "" for none: Arrow's errors name no path."""
    return next((str(path) for path in written if not os.access(_existing(path), os.W_OK)), "")


def _existing(path: Path) -> Path:
    """Return the path, or the nearest folder above it that exists."""
    return next((place for place in (path, *path.parents) if place.exists()), Path("/"))
