"""Archives and workbooks become plain text files, within limits that are checked before and while unpacking."""

from __future__ import annotations

import csv
import gzip
import shutil
import stat
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from clv_core.collection.files.content import Content
from clv_core.collection.files.dialect import MAX_COLUMNS
from clv_core.errors import Message, Refused

MAX_RATIO: Final = 200
"""Unpacked to packed bytes; event logs reach 30, a bomb 1,000."""

RATIO_FROM_BYTES: Final = 1 << 24
MAX_FILES: Final = 200
BLOCK: Final = 1 << 22
LOOKED_AT: Final = 1_000
"""Rows of a sheet that say how wide it is, whatever it says itself."""


def unpack(path: Path, content: Content, scratch: Path) -> tuple[Path, tuple[Message, ...]]:
    """Return a file below ``scratch`` with what ``path`` packs, and what is to be said about it.

    Raises:
        Refused: broken, cut off, too large when unpacked, too many files, or names that climb out of the archive.
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
        return _workbook(path, target)
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
    for info in infos:
        parts = PurePosixPath(info.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in info.filename or stat.S_ISLNK(info.external_attr >> 16):
            raise Refused("archive_path", file=name, entry=info.filename[:80])
        if info.file_size > RATIO_FROM_BYTES and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise Refused("archive_too_large", file=name, packed=info.compress_size, limit=MAX_RATIO)
    hidden = ("__MACOSX", ".")
    return sorted(
        (info for info in infos if not info.is_dir() and not PurePosixPath(info.filename).name.startswith(hidden)),
        key=lambda info: info.filename,
    )


def _archive(path: Path, target: Path, scratch: Path) -> tuple[Path, tuple[Message, ...]]:
    try:
        with zipfile.ZipFile(path) as archive, target.open("wb") as out:
            members = [info for info in _members(archive, path.name) if info.file_size]
            if not members:
                raise Refused("empty_file", file=path.name, bytes=path.stat().st_size)
            header, ended = b"", True
            for number, info in enumerate(members):
                with archive.open(info) as packed:
                    if len(members) > 1:
                        first = packed.readline(1 << 20)
                        if number and first.strip() != header.strip():
                            raise Refused("archive_mixed", file=path.name, entry=info.filename[:80])
                        header = first
                        out.write(first if not number else b"\n" if not ended else b"")
                    _copy(packed, out, max(info.compress_size, 1), path.name, scratch)
                ended = _last_byte(target, out) == b"\n"
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Refused("broken_archive", file=path.name, kind="zip") from error
    notes = (Message("warning.joined_files", {"files": len(members)}),) if len(members) > 1 else ()
    return target, notes


def _last_byte(target: Path, out: IO[bytes]) -> bytes:
    out.flush()
    with target.open("rb") as file:
        file.seek(max(0, target.stat().st_size - 1))
        return file.read(1)


def _workbook(path: Path, target: Path) -> tuple[Path, tuple[Message, ...]]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(path) as archive:
            _members(archive, path.name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(path, read_only=True, data_only=True)
            return target, _write_sheets(book.worksheets, target, path.name)
    except Refused:
        raise
    except Exception as error:
        raise Refused("broken_workbook", file=path.name) from error


def _write_sheets(sheets: list[Any], target: Path, name: str) -> tuple[Message, ...]:
    used: list[str] = []
    left: list[str] = []
    header: list[str] | None = None
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for sheet in sheets:
            rows = _rows(sheet, name)
            first = next(rows, None)
            if first is None or (header is not None and first != header):
                left += [sheet.title] if first is not None else []
                continue
            if header is None:
                header = first
                writer.writerow(first)
            writer.writerows(rows)
            used.append(sheet.title)
    notes = [Message("warning.joined_sheets", {"sheets": list(used)})] if len(used) > 1 else []
    notes += [Message("warning.sheets_left_out", {"sheets": list(left)})] if left else []
    return tuple(notes)


def _rows(sheet: Any, name: str) -> Iterator[list[str]]:
    """Yield the rows of a sheet that say something, all of one width.

    A sheet may claim any size: writers that stream say A1, and of the largest one the reader would fill in every cell.

    Raises:
        Refused: a row is wider than a log may be.
    """
    claimed = sheet.max_column or 0
    sheet.reset_dimensions()
    rows = (cells for row in sheet.iter_rows(values_only=True) if (cells := _cells(row)))
    first = list(islice(rows, LOOKED_AT))
    width = max([claimed if claimed <= MAX_COLUMNS else 0, *map(len, first)])
    for cells in chain(first, rows):
        if len(cells) > MAX_COLUMNS:
            raise Refused("too_many_columns", file=name, columns=len(cells), limit=MAX_COLUMNS)
        yield cells + [""] * (width - len(cells))


def _cells(row: Sequence[object]) -> list[str]:
    """Return the texts of a row up to its last cell that holds one."""
    cells = [_text(value) for value in row]
    filled = (place for place in range(len(cells), 0, -1) if cells[place - 1])
    return cells[: next(filled, 0)]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds") if value.microsecond == 0 else value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)
