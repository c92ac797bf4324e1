"""Every file below a folder decoded by its kind and searched for some texts: what an erasure is held against.

It shares no line with what erases: Parquet is read by pyarrow, SQLite by its dump, archives are unpacked, and the raw
bytes and the names of all files are looked at too.
"""

from __future__ import annotations

import gzip
import re
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def texts_in(path: Path) -> Iterator[str]:
    """Yield all texts that a file holds, decoded."""
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        yield str(file.schema_arrow) + str(file.schema_arrow.metadata)
        for batch in file.iter_batches(1 << 16):
            for column in batch.columns:
                if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                    yield "\n".join(cell for cell in column.to_pylist() if cell)
                elif not (pa.types.is_primitive(column.type) or pa.types.is_decimal(column.type)):
                    yield "\n".join(map(str, column.to_pylist()))
    elif path.suffix in (".sqlite", ".db"):
        with closing(sqlite3.connect(path)) as connection:
            yield "\n".join(connection.iterdump())
    elif path.suffix in (".xlsx", ".zip"):
        with zipfile.ZipFile(path) as book:
            for part in book.namelist():
                yield part + book.read(part).decode(errors="replace")
    elif path.suffix == ".gz":
        yield gzip.decompress(path.read_bytes()).decode(errors="replace")
    yield path.read_bytes().decode("latin-1")


def found(root: Path, ids: Iterable[str], size: int = 24) -> list[str]:
    """Return the files below ``root`` in which one of some ids of ``size`` characters stands, in clear or as hex."""
    wanted = {one for one in ids if len(one) == size}
    hexed = {one.encode().hex() for one in wanted}
    heads = {one[:4] for one in wanted | hexed}
    hits = []
    for path in sorted(root.rglob("*")):
        if path.is_file():
            words = (text for text in (*texts_in(path), str(path.relative_to(root))))
            if any(_any(text, wanted, hexed, heads, size) for text in words):
                hits.append(str(path.relative_to(root)))
    return hits


def _any(text: str, wanted: set[str], hexed: set[str], heads: set[str], size: int) -> bool:
    """Look at every run of letters and digits, and at every place within it."""
    for run in re.finditer(r"[0-9A-Za-z]{24,}", text):
        word = run.group()
        for start in range(len(word) - size + 1):
            if word[start : start + 4] in heads:
                if word[start : start + size] in wanted or word[start : start + 2 * size] in hexed:
                    return True
    return False
