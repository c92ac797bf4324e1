"""Order exports of a small shop, one order of two lines a day, in whatever state; what a dataset made of them holds."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import duckdb

from clv_core.collection.store.version_store import Manifest, open_dataset
from clv_core.workspace import Workspace

HEAD = ("Order ID", "Customer ID", "Created", "Product", "Quantity", "Line Total", "Order Status", "Shipped")
Row = tuple[Any, ...]


def orders(first: int, last: int, state: str = "completed", shipped: str = "yes") -> list[Row]:
    """Return two lines an order, one order a day of January."""
    return [
        (f"A{day:03}", f"c{day % 5}", f"2024-01-{day:02} 10:00:00", f"p{line}", 1, 10.0 * line + day, state, shipped)
        for day in range(first, last)
        for line in (1, 2)
    ]


def write(workspace: Workspace, name: str, rows: list[Row]) -> Path:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([HEAD, *rows])
    path = workspace.root.parent / name
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def held(workspace: Workspace) -> list[tuple[str, str, float]]:
    path = open_dataset(workspace, "log").events_path
    with duckdb.connect() as connection:
        query = f"SELECT order_id, product_id, amount FROM read_parquet('{path}') ORDER BY ALL"
        return connection.execute(query).fetchall()


def lines(rows: list[Row]) -> list[tuple[str, str, float]]:
    return sorted((row[0], row[3], float(row[5])) for row in rows)


def check_accounts(manifest: Manifest) -> None:
    keys = ("rows_read", "rows_kept", "rows_set_aside", "rows_duplicate")
    for key in keys:
        assert sum(getattr(part, key) for part in manifest.parts) == getattr(manifest, key)
    for part in (*manifest.parts, manifest):
        assert part.rows_read == part.rows_kept + part.rows_set_aside + part.rows_duplicate
        assert min(getattr(part, key) for key in keys) >= 0


def said(manifest: Manifest) -> dict[str, dict[str, Any]]:
    return {message.code.removeprefix("warning."): message.params for message in manifest.messages}
