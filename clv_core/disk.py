"""What a disk or a folder refused, said with the path and what to do; whatever else went wrong is not known here."""

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

FULL: Final = (errno.ENOSPC, errno.EDQUOT)
TOO_LARGE_WORDS: Final = re.compile(r"File too large")
CLOSED: Final = (
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG),
)
FULL_WORDS: Final = re.compile(r"No space left on device|Disk quota exceeded|database or disk is full")
"""What libraries say that raise errors of their own, among them DuckDB, Arrow, safetensors and SQLite."""
MEMORY_WORDS: Final = re.compile(r"not enough memory|can't allocate memory|std::bad_alloc")
TEMPORARY: Final = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")
"""A name of :func:`clv_core.workspace.atomic_path`; people know the file by the name in the middle."""

SQLITE_ROOM_BYTES: Final = 65_536
"""What SQLite's index of a write-ahead log needs before anything can even be read, and some."""


def disk_error(error: BaseException, written: Sequence[Path]) -> ClvError | None:
    """Return the error to show where a disk is full or a path cannot be used, None where it is another matter.

    Args:
        error: what was raised; one that is said in words already is another matter, unless a disk was full behind it.
        written: where the run writes, for errors that name no path.
    """
    for one in _causes(error):
        number = one.errno if isinstance(one, OSError) else None
        said = "" if isinstance(one, ClvError) else str(one)
        if number in FULL or FULL_WORDS.search(said) or any(sqlite_full(one, path) for path in written):
            return ClvError("disk_full", path=_named(one) or _fullest(written))
        if number == errno.EFBIG or TOO_LARGE_WORDS.search(said):
            return ClvError("file_too_large", path=_named(one) or str(written[0]))
        if number in CLOSED and not isinstance(error, ClvError) and (path := _named(one) or _shut(written)):
            return UsageError("path_refused", path=path, reason=os.strerror(number or 0))
    return None


@contextmanager
def unless_closed() -> Iterator[None]:
    """Go on without what is kept inside where its folder may not be written: it can be made again."""
    try:
        yield
    except OSError as error:
        if error.errno not in CLOSED:
            raise


def sqlite_full(error: BaseException, place: Path) -> bool:
    """Say whether SQLite failed for want of room; of its smaller files it says no more than that it cannot use them.

    Args:
        error: what was raised.
        place: the database's file, or another place on its disk.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return not _takes(_existing(place), SQLITE_ROOM_BYTES)
    return code == sqlite3.SQLITE_FULL


def out_of_memory(error: BaseException) -> bool:
    """Say whether memory ran out; libraries have their own errors for it, known by name so as not to be imported."""
    for one in _causes(error):
        named = type(one).__name__ == "OutOfMemoryException"  # DuckDB's
        if named or isinstance(one, MemoryError) or getattr(one, "errno", None) == errno.ENOMEM:
            return True
        if isinstance(one, RuntimeError) and MEMORY_WORDS.search(str(one)):  # PyTorch's
            return True
    return False


def _takes(place: Path, size: int) -> bool:
    """Say whether a file of so many bytes fits; it is tried, for a quota is no figure of the disk."""
    try:
        with tempfile.TemporaryFile(dir=place if place.is_dir() else place.parent) as file:
            file.write(bytes(size))
    except OSError as error:
        return error.errno not in FULL
    return True


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it was made of."""
    while True:
        yield error
        inner = next((word for word in error.args if isinstance(word, OSError)), error.__cause__)
        if inner is None:
            return
        error = inner


def _named(error: BaseException) -> str:
    """Return the path that an error names, "" for none."""
    name = getattr(error, "filename2", None) or getattr(error, "filename", None)
    if not isinstance(name, str | os.PathLike):
        return ""
    path = Path(name)
    meant = TEMPORARY.fullmatch(path.name)
    return str(path.with_name(meant[1]) if meant else path)


def _fullest(written: Sequence[Path]) -> str:
    """Return the path on whose disk the least is free."""
    there = map(_existing, written)
    return str(min(zip(written, there, strict=True), key=lambda pair: shutil.disk_usage(pair[1]).free)[0])


def _shut(written: Sequence[Path]) -> str:
    """Return the first path that this account may not write, "" for none: Arrow's errors name no path."""
    return next((str(path) for path in written if not os.access(_existing(path), os.W_OK)), "")


def _existing(path: Path) -> Path:
    """Return the path, or the nearest folder above it that is there."""
    return next((one for one in (path, *path.parents) if one.exists()), Path("/"))
