"""Archives and workbooks become plain text files, within limits that are checked before and while unpacking."""

from __future__ import annotations

import gzip
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Final

from clv_core.collection.read.content import Content, identify
from clv_core.collection.read.workbook import list_sheets, write_sheets
from clv_core.errors import Message, Refused

MAX_RATIO: Final = 200
"""Unpacked to packed bytes of a whole archive; event logs reach 30, a bomb 1,000."""

RATIO_FROM_BYTES: Final = 1 << 24
MAX_FILES: Final = 200
BLOCK: Final = 1 << 22

HEAD_BYTES: Final = 1 << 24
"""Larger texts are judged by so many bytes; saving reads all of them."""
WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def unpack(
    path: Path, content: Content, scratch: Path, *, sheet: str = "", header: bool | None = None
) -> tuple[Path, tuple[Message, ...]]:
    """Return a file below ``scratch`` with what ``path`` packs, and what is to be said about it.

    Args:
        path: an archive or a workbook.
        content: which of them.
        scratch: where the file goes.
        sheet: of a workbook, as the person named it; empty looks.
        header: whether the sheets of a workbook name their columns; None looks.

    Raises:
        Refused: broken, cut off, too large when unpacked, too many files, or names that climb out of the archive.
        NeedsAnswer: several sheets of a workbook could be the log.
        UsageError: the workbook has no such sheet.
    """
    target = scratch / f"unpacked-{path.parent.name[:8]}" / path.stem[:80]
    target.parent.mkdir(exist_ok=True)
    if content is Content.GZIP:
        with target.open("wb") as out:
            try:
                with gzip.open(path) as packed:
                    _copy(packed, out, path.stat().st_size, path.name, scratch)
            except EOFError as error:
                raise Refused("truncated_archive", file=path.name) from error
            except (gzip.BadGzipFile, zlib.error) as error:
                raise Refused("broken_archive", file=path.name, kind="gzip") from error
        return target, ()
    if content is Content.WORKBOOK:
        _check_workbook(path)
        return target, write_sheets(path, target, sheet, header)
    return _archive(path, target, scratch)


def _copy(packed: IO[bytes] | gzip.GzipFile, out: IO[bytes], packed_bytes: int, name: str, scratch: Path) -> None:
    room = shutil.disk_usage(scratch).free // 2
    written = 0
    while block := packed.read(BLOCK):
        written += len(block)
        if written > room or (written > RATIO_FROM_BYTES and written > MAX_RATIO * packed_bytes):
            raise Refused("archive_too_large", file=name, packed=packed_bytes, limit=MAX_RATIO)
        out.write(block)


def _members(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MAX_FILES:
        raise Refused("archive_too_many_files", file=name, files=len(infos), limit=MAX_FILES)
    unpacked, packed = sum(info.file_size for info in infos), Path(archive.filename or "").stat().st_size
    if unpacked > RATIO_FROM_BYTES and unpacked > MAX_RATIO * packed:  # entries may share the bytes that they unpack
        raise Refused("archive_too_large", file=name, packed=packed, limit=MAX_RATIO)
    for info in infos:
        parts = PurePosixPath(info.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in info.filename or stat.S_ISLNK(info.external_attr >> 16):
            raise Refused("archive_path", file=name, entry=info.filename[:80])
    hidden = ("__MACOSX", ".")
    return sorted(
        (info for info in infos if not info.is_dir() and not PurePosixPath(info.filename).name.startswith(hidden)),
        key=lambda info: info.filename,
    )


def sheet_titles(path: Path) -> list[str]:
    """Return the names of all sheets of a workbook, hidden ones too; none of another file.

    Raises:
        Refused: it is broken, or too large when unpacked, or can be no log.
    """
    if identify(path) is not Content.WORKBOOK:
        return []
    _check_workbook(path)
    return [title for title, _ in list_sheets(path)]


def _check_workbook(path: Path) -> None:
    """Refuse a workbook that unpacks to more than it may; old ones are no archives."""
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                _members(archive, path.name)
        except (zipfile.BadZipFile, OSError) as error:
            raise Refused("broken_workbook", file=path.name) from error


def _archive(path: Path, target: Path, scratch: Path) -> tuple[Path, tuple[Message, ...]]:
    try:
        with zipfile.ZipFile(path) as archive, target.open("wb") as out:
            members = [info for info in _members(archive, path.name) if info.file_size]
            if not members:
                raise Refused("empty_file", file=path.name, bytes=path.stat().st_size)
            header, last = b"", b"\n"
            for number, info in enumerate(members):
                with archive.open(info) as packed:
                    if len(members) > 1:
                        first = packed.readline(1 << 20)
                        if number and first.strip() != header.strip():
                            raise Refused("archive_mixed", file=path.name, entry=info.filename[:80])
                        header = first
                        out.write(first if not number else b"\n" if last != b"\n" else b"")
                    _copy(packed, out, max(info.compress_size, 1), path.name, scratch)
                out.flush()
                last = last_byte(target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Refused("broken_archive", file=path.name, kind="zip") from error
    notes = (Message("warning.joined_files", {"files": len(members)}),) if len(members) > 1 else ()
    return target, notes


def last_byte(path: Path) -> bytes:
    """Return the last byte of a file, none of an empty one."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1))
        return file.read(1)


def beginning(path: Path, scratch: Path) -> Path:
    """Return a file to look at in place of ``path``.

    Text, plain or gzipped, is cut after a whole line; anything else, and what is small, is looked at whole.

    Args:
        path: a file, or a folder of Parquet files.
        scratch: where the beginning goes.

    Raises:
        Refused: the file holds nothing, or no table.
    """
    content = identify(path)
    if content is Content.TEXT and path.stat().st_size > HEAD_BYTES:
        with path.open("rb") as file:
            head = _whole_lines(file.read(HEAD_BYTES))
    elif content is Content.GZIP:
        try:
            with gzip.open(path) as file:
                head = file.read(HEAD_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return path  # reading it whole says what is broken
        head = _whole_lines(head) if len(head) == HEAD_BYTES else b""
    else:
        return path
    target = scratch / path.name.removesuffix(".gz")
    target.write_bytes(head)
    try:
        if head and identify(target) is Content.TEXT:
            return target
    except Refused:
        pass  # said where the file is read whole
    target.unlink()
    return path


def _whole_lines(head: bytes) -> bytes:
    if head.startswith(WIDE_MARKS) or head.count(0) > len(head) // 5:
        return head[: len(head) // 4 * 4]
    return head[: head.rfind(b"\n") + 1]
