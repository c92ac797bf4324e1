"""What a file is, by its bytes and not by its name; what cannot hold a log is refused here."""

from __future__ import annotations

import zipfile
from enum import StrEnum
from pathlib import Path
from typing import Final

import chardet

from clv_core.errors import Refused

SAMPLE_BYTES: Final = 1 << 16
"""First bytes by which a file's content is identified."""
PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")
PHOTOS: Final = tuple(b"ftyp" + brand for brand in (b"heic", b"heix", b"mif1", b"avif"))
BYTE_ORDER_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Content(StrEnum):
    """A form that a log can come in."""

    TEXT = "text"
    JSON = "json"
    PARQUET = "parquet"
    GZIP = "gzip"
    ZIP = "zip"
    WORKBOOK = "xlsx"


def identify(path: Path) -> Content:
    """Return what ``path`` holds.

    Raises:
        Refused: nothing, or something that is no table: an image, a program, a web page.
    """
    if path.is_dir():
        if any(path.glob("*.parquet")):
            return Content.PARQUET
        raise Refused("folder_without_parquet", path=str(path))
    if not path.exists():
        raise Refused("no_file", path=str(path))
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if not head.strip(b" \t\r\n\xef\xbb\xbf\0"):
        raise Refused("empty_file", file=path.name, bytes=path.stat().st_size)
    if head.startswith(b"PAR1"):
        return Content.PARQUET
    if head.startswith(b"\x1f\x8b"):
        return Content.GZIP
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(path)
    if _is_picture(head):
        raise Refused("picture", file=path.name)
    if head.startswith(b"\xd0\xcf\x11\xe0"):  # of Excel before 2007, or one with a password
        return Content.WORKBOOK
    return _text_kind(path, head)


def _is_picture(head: bytes) -> bool:
    """Say whether the bytes begin as those of a screenshot, a photo or another picture do."""
    bitmap = head[:2] == b"BM" and head[6:10] == b"\0\0\0\0"
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return bitmap or webp or head.startswith(PICTURES) or head[4:12] in PHOTOS


def _zip_kind(path: Path) -> Content:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Refused("broken_archive", file=path.name, kind="zip") from error
    return Content.WORKBOOK if "[Content_Types].xml" in names else Content.ZIP


def _text_kind(path: Path, head: bytes) -> Content:
    if not head.startswith(BYTE_ORDER_MARKS):
        controls = sum(head.count(byte) for byte in range(32) if byte not in (0, 9, 10, 12, 13, 26, 27))
        kind = chardet.detect(head).get("mime_type") or ""
        wide = head.count(0) > len(head) // 5 and _reads_wide(head)
        if not wide and (controls > len(head) // 200 or (not kind.startswith("text/") and controls)):
            if not kind or "octet" in kind:
                raise Refused("binary_unknown", file=path.name)
            raise Refused("binary_file", file=path.name, kind=kind)
    if head.startswith(BYTE_ORDER_MARKS[1:]):
        head = head.decode("utf-16", "ignore").encode("utf-8", "ignore")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:200].lower().startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<table")):
        raise Refused("web_page", file=path.name)
    if start.startswith(b"<?xml"):
        raise Refused("xml_file", file=path.name)
    return Content.JSON if start.startswith((b"{", b"[{", b"[\n", b"[ ", b"[\r")) else Content.TEXT


def _reads_wide(head: bytes) -> bool:
    """Say whether the bytes are UTF-16 text without a mark: half of them may look like anything."""
    for encoding in ("utf-16-le", "utf-16-be"):
        text = head[: len(head) // 2 * 2].decode(encoding, "replace")
        controls = sum(text.count(chr(code)) for code in range(32) if code not in (9, 10, 12, 13, 26, 27))
        if "\n" in text and controls + text.count("\ufffd") <= len(text) // 200:
            return True
    return False
