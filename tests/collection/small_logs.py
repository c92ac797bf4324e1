"""Small logs of orders, written and read in a line, with what the reader warns of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import Manifest, open_dataset
from clv_core.errors import NeedsAnswer, Refused
from clv_core.workspace import Workspace

ROWS = 90
Warned = dict[str, dict[str, Any]]


def paid(at: int) -> float:
    """Return what the order at a place came to."""
    return 20.5 + at


def day(at: int) -> str:
    """Return its day."""
    return f"2024-{at % 9 + 1:02}-{at % 27 + 1:02}"


def put(folder: Path, lines: Iterable[str], name: str = "log.csv", encoding: str = "utf-8") -> Path:
    """Write a file of these lines."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return folder / name


def write(folder: Path, head: str, row: Callable[[int], Sequence[object]], rows: int = ROWS) -> Path:
    """Write a file of a row an order."""
    return put(folder, [head, *(",".join(map(str, row(at))) for at in range(rows))])


def warnings(manifest: Manifest) -> Warned:
    """Return what a dataset's reader warns of: code -> parameters."""
    return {item.code.removeprefix("warning."): item.params for item in manifest.warnings}


def read(file: Path, **options: Any) -> tuple[Manifest, pd.DataFrame, Warned]:
    """Return the file's manifest, its events, and what is warned of."""
    workspace = Workspace(file.parent / "ws")
    manifest = ingest(workspace, file, "log", **options)
    return manifest, pd.read_parquet(open_dataset(workspace, "log").events_path), warnings(manifest)


def read_lines(folder: Path, lines: Iterable[str], **options: Any) -> tuple[Manifest, pd.DataFrame, Warned]:
    """Return the same of a file of these lines."""
    return read(put(folder, lines), **options)


def asked(file: Path, **options: Any) -> NeedsAnswer:
    """Return the question that a file is read with."""
    with pytest.raises(NeedsAnswer) as caught:
        read(file, **options)
    return caught.value


def refused(file: Path, **options: Any) -> Refused:
    """Return why a file is not read."""
    with pytest.raises(Refused) as caught:
        read(file, **options)
    return caught.value
