"""Ids of 1 to 24 characters are erased from all that a workspace holds; no line of the search is the package's."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core import cli, pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.saved_scores import Scored
from clv_core.erasure.erase import erase
from clv_core.jobs import NoProgress
from clv_core.strategy.explanation_files import explain
from clv_core.workspace import Workspace, write_json

DIGITS = ["7", "42", "815", "480219", "490008000017", "900100200300400500600701"]
MIXED = ["q", "Z3", "k9x", "ab12cd", "mx-4471-zeta", "Zq3vT8mK1xLw9bNc4rHs7dYf"]
GONE = [*DIGITS, *MIXED]
STAYING = [*(str(10_000 + 37 * place) for place in range(40)), *(f"D{place}-stay" for place in range(40))]
RAW = 6
"""From this length on an id is searched for in all bytes."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with scores, an explanation, exports, a plan, records of runs, and files of other kinds."""
    folder = tmp_path_factory.mktemp("lengths")
    everybody, rows = [*GONE, *STAYING], []
    for place, who in enumerate(everybody * 6):
        other = everybody[(place * 5 + 1) % len(everybody)]
        notes = (f"gift for {other}", "as 480219 said", "of ab12cd, again", "", f"via {MIXED[-1]}", "7 stars")
        rows.append(
            {
                "customer_id": who,
                "event_time": f"2024-{place % 12 + 1:02}-{place % 27 + 1:02}",
                "amount": "never" if place % 40 == 9 else f"{5 + place % 50}.50",
                "order_id": f"o-{place:07}-{place * 7919 % 100_000:05}",
                "product_id": str(place % 9),
                "referred_by": other,
                "note": notes[place % len(notes)],
            }
        )
    pd.DataFrame(rows).to_csv(folder / "log.csv", index=False)
    workspace = Workspace(folder / "workspace")
    ingest(workspace, folder / "log.csv", "shop", currency="EUR")

    def clv(*words: str) -> None:
        assert cli.main([*words, "--workspace", str(workspace.root)]) == 0, words

    model = pipeline.train(workspace, "shop", TrainConfig(horizon_days=60, model="naive"), progress=NoProgress()).id
    about, exports = ("shop", "--model", model), workspace.exports
    clv("segment", *about, "--out", str(exports / "tiers.parquet"))
    clv("export", *about, "--format", "xlsx", "--out", str(exports / "list.xlsx"))
    clv("export", *about, "--format", "csv", "--out", str(exports / "list.csv"))
    out = open_dataset(workspace, "shop").made_folder / model / "explanation"
    explain(Scored.open(workspace, "shop", model), out, sample=10, permutations=1, progress=NoProgress())
    for place, who in enumerate(GONE):
        record = {"command": "explain", "args": ["explain", "shop", "--customer", who], "state": "done", "pid": 1}
        write_json(workspace.jobs / f"job-{place}" / "status.json", {**record, "started": 0, "label": "", "id": "job"})
    plans = workspace.folder("plans")
    write_json(plans / "saved.json", {"rows": [{"customer_id": who, "offer": "Voucher"} for who in everybody]})
    (plans / "ids.csv.gz").write_bytes(gzip.compress("\n".join(["customer_id", *everybody]).encode()))
    (plans / "picture.png").write_bytes(b"\x89PNG\xff" + MIXED[-1].encode() + b"\xff")
    with zipfile.ZipFile(plans / "lists.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/ids.csv", "\n".join(["customer_id", *everybody]))
    with closing(sqlite3.connect(plans / "seen.sqlite")) as connection:
        connection.execute("CREATE TABLE seen (customer TEXT)")
        connection.executemany("INSERT INTO seen VALUES (?)", [(who,) for who in everybody])
        connection.commit()
    return workspace


def test_only_what_the_certificate_lists_is_left(workspace: Workspace) -> None:
    before = hits(workspace.root)
    assert {who for _, _, who in before} == set(GONE)
    kinds = {Path(file).suffix for file, _, _ in before}
    assert {".parquet", ".csv", ".xlsx", ".json", ".gz", ".png", ".zip", ".sqlite"} <= kinds
    done = erase(workspace, GONE, progress=NoProgress())
    assert sum(done.customers.values()) == len(GONE) and not done.remains
    listed = {(one.file, one.column) for one in done.unsure}
    left = hits(workspace.root)
    assert {(file, column) for file, column, _ in left if column} <= listed
    assert {file for file, _, _ in left} <= {file for file, _ in listed}
    assert {who for _, _, who in left} <= {who for who in GONE if len(who) < 8}
    assert {column for file, column in listed if file.endswith("events.parquet")} == {"product_id", "note"}
    assert len(json.loads((workspace.root / "plans" / "saved.json").read_text())["rows"]) == len(STAYING)
    assert set(pd.read_parquet(open_dataset(workspace, "shop").events_path)["customer_id"]) == set(STAYING)


def hits(root: Path) -> set[tuple[str, str, str]]:
    """Return ``(file, column, id)`` of cells that are an id; with column "" of files whose bytes hold a longer one."""
    ids = "|".join(re.escape(who) for who in GONE if len(who) >= RAW)
    long = re.compile(rf"(?<![\w.])(?:{ids})(?!\w)", re.ASCII)
    found = set()
    for path in sorted(root.rglob("*")):
        if path.is_file():
            file = str(path.relative_to(root))
            found |= {(file, column, cell) for column, cell in cells_of(path) if isinstance(cell, str) and cell in GONE}
            found |= {(file, "", who) for text in bytes_of(path) for who in long.findall(text)}
    return found


def bytes_of(path: Path) -> Iterator[str]:
    yield path.read_bytes().decode("latin-1")
    if path.suffix == ".gz":
        yield gzip.decompress(path.read_bytes()).decode()
    elif path.suffix in (".zip", ".xlsx"):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name).decode("latin-1") for name in archive.namelist())
    elif path.suffix == ".parquet":
        yield pd.read_parquet(path).select_dtypes(["object", "string"]).astype("str").to_csv(sep=" ")
    elif path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as connection:
            yield "\n".join(connection.iterdump())


def cells_of(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the columns, or keys, and the texts of all cells of a file."""
    readers: dict[str, Any] = {".parquet": pd.read_parquet, ".xlsx": partial(pd.read_excel, engine="openpyxl")}
    readers |= dict.fromkeys((".csv", ".gz"), lambda file: pd.read_csv(file, dtype=str))
    if path.suffix in readers:
        frame = readers[path.suffix](path)
        yield from ((str(name), cell) for name in frame for cell in frame[name])
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            yield from (("", line) for name in archive.namelist() for line in archive.read(name).decode().split("\n"))
    elif path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as connection:
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                rows = connection.execute(f'SELECT * FROM "{table}"')
                names = [item[0] for item in rows.description]
                yield from (cell for row in rows for cell in zip(names, row, strict=True))
    elif path.suffix == ".json" and path.parent.name != "erasures":
        yield from json_cells("", json.loads(path.read_text(encoding="utf-8")))


def json_cells(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list):
        for inner, item in value.items() if isinstance(value, dict) else ((key, item) for item in value):
            yield from json_cells(inner, item)
    else:
        yield key, value
