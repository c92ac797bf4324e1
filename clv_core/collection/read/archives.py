"""Archives and workbooks become plain text files, within limits that are checked before and while unpacking.

Of a workbook the sheets that hold the log become one text file, each read from below its own row of column names; a
process of its own reads them (:mod:`~clv_core.collection.read.sheets`).
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import stat
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Final

from clv_core.collection.answers import SHEET
from clv_core.collection.read.content import Content, identify
from clv_core.collection.read.dialect import MAX_COLUMNS, column_roles, header_position
from clv_core.collection.vocabulary.column_names import PRICE, fold
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer, Refused, UsageError

MAX_RATIO: Final = 200
"""Unpacked to packed bytes of an archive; event logs reach 30, a bomb 1,000."""

RATIO_FROM_BYTES: Final = 1 << 24
"""Smaller contents are harmless at any ratio."""
MAX_FILES: Final = 200
"""Files of an archive; a bomb has thousands (a guess)."""
BLOCK: Final = 1 << 22
"""Bytes unpacked at a time, between two looks at the limits."""

HEAD_BYTES: Final = 1 << 24
"""Larger texts are judged by so many bytes; saving reads all of them."""
WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def unpack(
    path: Path, content: Content, scratch: Path, *, sheet: str = "", header: bool | None = None
) -> tuple[Path, tuple[Message, ...]]:
    """Return a file below ``scratch`` with what ``path`` packs, and the warnings about it.

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

    Text, plain or gzipped, is cut at the end of a line; anything else, and what is small, is read entirely.

    Args:
        path: a file, or a folder of Parquet files.
        scratch: where the beginning goes.

    Raises:
        Refused: the file holds nothing, or no table.
    """
    content = identify(path)
    if content is Content.TEXT and path.stat().st_size > HEAD_BYTES:
        with path.open("rb") as file:
            head = _cut_at_line_end(file.read(HEAD_BYTES))
    elif content is Content.GZIP:
        try:
            with gzip.open(path) as file:
                head = file.read(HEAD_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return path  # reading all of it raises the precise error
        head = _cut_at_line_end(head) if len(head) == HEAD_BYTES else b""
    else:
        return path
    target = scratch / path.name.removesuffix(".gz")
    target.write_bytes(head)
    try:
        if head and identify(target) is Content.TEXT:
            return target
    except Refused:
        pass  # raised where all of the file is read
    target.unlink()
    return path


def _cut_at_line_end(head: bytes) -> bytes:
    if head.startswith(WIDE_MARKS) or head.count(0) > len(head) // 5:
        return head[: len(head) // 4 * 4]
    return head[: head.rfind(b"\n") + 1]


HEADER_ROWS: Final = 50
"""The row of names is one of so many first rows (a guess: reports begin with up to a page of titles)."""
MAX_SECONDS: Final = 600
"""Longest that the process which reads a workbook may take (a guess)."""
ROLES: Final = {CUSTOMER_ID: 0, EVENT_TIME: 1, AMOUNT: 2, UNIT_PRICE: 2, PRICE: 2}
"""Columns of a log -> what they answer: who (0), when (1) or how much (2)."""


@dataclass(frozen=True)
class _Table:
    """A sheet that holds something.

    Args:
        title: of the sheet.
        is_hidden: whether a person who opens the workbook does not see it.
        path: the CSV file of its rows.
        names: of its columns, empty where the person answered that it names none.
        body: how many rows are above its first event.
    """

    title: str
    is_hidden: bool
    path: Path
    names: tuple[str, ...]
    body: int

    @property
    def columns(self) -> list[str]:
        """The names of the columns, folded."""
        return [fold(name) or name for name in self.names]

    @property
    def roles(self) -> int:
        """How many of :data:`ROLES` the names cover."""
        return len({ROLES[role] for name in self.names for role in column_roles(name) if role in ROLES})


def write_sheets(path: Path, target: Path, sheet: str, header: bool | None) -> tuple[Message, ...]:
    """Write the rows of the log in a workbook as CSV, and return the warnings about its sheets.

    That is the sheet with most of a log's columns, and all others with the same columns. Sheets that are hidden
    are read only where the person named them.

    Args:
        path: the workbook.
        target: the CSV file; sheets are written next to it.
        sheet: the one that the person named; empty looks.
        header: whether sheets name their columns; None looks.

    Raises:
        NeedsAnswer: sheets of different columns could be the log.
        UsageError: there is no sheet of that name.
        Refused: the workbook cannot be read, or is too wide.
    """
    folder = target.with_name("sheets")
    folder.mkdir(exist_ok=True)
    sheets = list_sheets(path, folder)
    selected = [
        at for at, (title, _) in enumerate(sheets) if not sheet or title.strip().lower() == sheet.strip().lower()
    ]
    if not selected:
        raise UsageError("no_sheet", file=path.name, sheet=sheet[:60], found=[title for title, _ in sheets[:40]])
    tables = [table for at in selected if (table := _table(*sheets[at], folder / f"{at}.csv", path.name, header))]
    shown = [table for table in tables if sheet or not table.is_hidden]
    used = _chosen(shown, path.name)
    _write(used, target, path.name)
    named = {
        "joined_sheets": [table.title for table in used] if len(used) > 1 else [],
        "sheets_left_out": [table.title for table in tables if table not in used],
    }
    return tuple(Message(f"warning.{code}", {"sheets": titles}) for code, titles in named.items() if titles)


def list_sheets(path: Path, folder: Path | None = None) -> list[tuple[str, bool]]:
    """Return title and whether it is hidden of each sheet of a workbook, and write their rows as CSV.

    Args:
        path: the workbook, of any Excel format.
        folder: where the rows go, ``0.csv`` and on; None writes none.

    Raises:
        Refused: it cannot be read.
    """
    script = [sys.executable, "-P", str(Path(__file__).with_name("sheets.py"))]
    files = [str(path.resolve()), *([str(folder.resolve())] if folder else [])]
    try:
        done = subprocess.run([*script, *files], capture_output=True, check=True, timeout=MAX_SECONDS)
    except subprocess.SubprocessError as error:
        with path.open("rb") as file:
            code = "broken_workbook" if file.read(2) == b"PK" else "old_workbook"
        raise Refused(code, file=path.name) from error
    return [(str(title), bool(hidden)) for title, hidden in json.loads(done.stdout)]


def _table(title: str, is_hidden: bool, path: Path, name: str, header: bool | None) -> _Table | None:
    """Return what a sheet holds, None where it is empty."""
    rows = list(islice(_rows(path, name), HEADER_ROWS))
    if not rows:
        return None
    if header is False:
        return _Table(title, is_hidden, path, (), 0)
    position = header_position(rows)
    width = max((place for place, cell in enumerate(rows[position], 1) if cell), default=0)
    return _Table(title, is_hidden, path, tuple(rows[position][:width]), position + 1)


def _chosen(tables: Sequence[_Table], name: str) -> list[_Table]:
    """Return the tables of the log: those with most of its columns, all of the same columns.

    Raises:
        NeedsAnswer: tables of different columns have who, when and how much.
    """
    most = max((table.roles for table in tables), default=0)
    best = [table for table in tables if table.roles == most and (len(table.names) > 1 or not table.body)]
    best = best or list(tables[:1])
    same = [table for table in best if set(table.columns) == set(best[0].columns)]
    if most == len(set(ROLES.values())) and len(same) < len(best):
        titles = [table.title for table in best]
        raise NeedsAnswer("which_sheet", file=name, sheets=titles[:40], first=titles[0])
    return same


def _write(tables: Sequence[_Table], target: Path, name: str) -> None:
    """Write the first table unchanged, and the events of the others below it, in the order of its columns.

    Of several tables with names, a last column holds the sheet of each row.
    """
    skip_totals = len(tables) > 1 and tables[0].body > 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        width = 0
        for number, table in enumerate(tables):
            columns, other = tables[0].columns, table.columns
            is_named = len(set(columns)) == len(columns) == len(other)
            places = [other.index(column) for column in columns] if is_named else list(range(len(other)))
            first = table.body if number else 0
            for row, cells in enumerate(islice(_rows(table.path, name), first, None), first + 1):
                if number:
                    cells = [cells[place] for place in places] + cells[len(places) :]
                    cells += [""] * (width - len(cells))
                else:
                    width = max(width, len(cells))
                if skip_totals and row >= table.body:
                    last = SHEET if row == tables[0].body and not number else table.title
                    cells = [*cells, *[""] * (width - len(cells)), last]
                writer.writerow(cells)


def _rows(path: Path, name: str) -> Iterator[list[str]]:
    """Yield the rows of a sheet.

    Raises:
        Refused: one is wider than a log may be.
    """
    csv.field_size_limit(1 << 24)
    with path.open(encoding="utf-8", newline="") as file:
        for cells in csv.reader(file):
            if len(cells) > MAX_COLUMNS:
                raise Refused("too_many_columns", file=name, columns=len(cells), limit=MAX_COLUMNS)
            yield cells
