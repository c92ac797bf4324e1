"""Small logs of orders, written and read in a line, with what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.workspace import Workspace

ROWS = 90


def paid(at: int) -> float:
    """Return what the order at a place came to."""
    return 20.5 + at


def day(at: int) -> str:
    """Return its day."""
    return f"2024-{at % 9 + 1:02}-{at % 27 + 1:02}"


def write(folder: Path, head: str, row: Callable[[int], Sequence[object]], rows: int = ROWS) -> Path:
    """Write a file of a row an order."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "log.csv"
    lines = [head, *(",".join(map(str, row(at))) for at in range(rows))]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def read(file: Path, **options: Any) -> tuple[Manifest, pd.DataFrame, dict[str, dict[str, Any]]]:
    """Return its manifest, its events, and what is said of it: code -> parameters."""
    workspace = Workspace(file.parent / "ws")
    manifest = ingest(workspace, file, "log", **options)
    said = {item["code"].removeprefix("warning."): item["params"] for item in manifest.warnings}
    return manifest, pd.read_parquet(open_dataset(workspace, "log").events_path), said
