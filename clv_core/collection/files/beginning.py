"""The beginning of a large text file, so that a first look takes seconds whatever the size."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Final

from clv_core.collection.files.content import Content, identify
from clv_core.errors import Refused

LOOKED_AT_BYTES: Final = 1 << 24
"""Larger texts are judged by so many bytes; saving reads all of them."""

WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def beginning(path: Path, scratch: Path) -> tuple[Path, float]:
    """Return a file to look at in place of ``path``, and what share of it that is.

    Text, plain or gzipped, is cut after a whole line; anything else, and what is small, is looked at whole.

    Args:
        path: a file, or a folder of Parquet files.
        scratch: where the beginning goes.

    Raises:
        Refused: the file holds nothing, or no table.
    """
    content = identify(path)
    size = path.stat().st_size
    target = scratch / path.name.removesuffix(".gz")
    if content is Content.TEXT and size > LOOKED_AT_BYTES:
        with path.open("rb") as file:
            head = _whole_lines(file.read(LOOKED_AT_BYTES))
        share = len(head) / size
    elif content is Content.GZIP:
        try:
            with path.open("rb") as packed, gzip.open(packed) as file:
                head = file.read(LOOKED_AT_BYTES)
                share = min(1.0, packed.tell() / size)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return path, 1.0  # reading it whole says what is broken
        head = _whole_lines(head) if len(head) == LOOKED_AT_BYTES else b""
    else:
        return path, 1.0
    target.write_bytes(head)
    if not head or not _is_text(target):
        target.unlink()
        return path, 1.0
    return target, share


def _whole_lines(head: bytes) -> bytes:
    if head.startswith(WIDE_MARKS) or head.count(0) > len(head) // 5:
        return head[: len(head) // 4 * 4]
    return head[: head.rfind(b"\n") + 1]


def _is_text(path: Path) -> bool:
    try:
        return identify(path) is Content.TEXT
    except Refused:
        return False
