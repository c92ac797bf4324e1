"""A file is read by its own name, also where the engine would take the name for a pattern of others."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import open_dataset
from clv_core.erasure.data_subjects import DataSubjects
from clv_core.erasure.file_erasure import erase_from
from clv_core.features.log import open_log
from clv_core.preprocessing.clean import clean
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

CORE = Path(__file__).resolve().parents[2] / "clv_core"
NAMES = {"export[1]": "export1", "what?": "what1", "all*": "all1", "it's [a-c]": "it's a"}


def write(path: Path, customer: str, month: int = 1) -> Path:
    rows = [f"{customer}{i % 5},2024-0{month}-{i % 28 + 1:02},{10 + i}" for i in range(60)]
    path.write_text("\n".join(["customer_id,order_date,amount", *rows]) + "\n")
    return path


@pytest.mark.examples(2)
@pytest.mark.parametrize(("file", "other"), NAMES.items())
@pytest.mark.parametrize("kind", ["csv", "parquet", "json", "folder"])
def test_the_file_that_was_named_is_read_and_no_other(tmp_path: Path, file: str, other: str, kind: str) -> None:
    paths = []
    for name, customer in ((file, "own"), (other, "other")):
        path = write(tmp_path / f"{name}.csv", customer)
        frame = pd.read_csv(path, dtype=str)
        if kind == "parquet":
            frame.to_parquet(path := path.with_suffix(".parquet"))
        elif kind == "json":
            frame.to_json(path := path.with_suffix(".jsonl"), orient="records", lines=True)
        elif kind == "folder":
            (path := tmp_path / name).mkdir()
            frame.to_parquet(path / "part.parquet")
        paths.append(path)
    workspace = Workspace(tmp_path / "ws")
    manifest = ingest(workspace, paths[0], "log")
    assert manifest.rows_read == 60
    frame = pd.read_parquet(open_dataset(workspace, "log").events_path)
    assert set(frame["customer_id"]) == {f"own{i}" for i in range(5)}


def test_a_workspace_may_lie_in_any_folder(tmp_path: Path) -> None:
    (tmp_path / "ws1").mkdir()
    workspace = Workspace(tmp_path / "ws[1] ?")
    ingest(workspace, write(tmp_path / "a.csv", "c"), "log")
    append(workspace, "log", write(tmp_path / "b.csv", "c", month=2))
    cleaned = clean(workspace, "log", {"zero_price": None})
    assert cleaned.rows_kept == 120
    log = open_log(open_dataset(workspace, "log"))
    assert len(log.snapshot(date(2024, 2, 15), 10).features) == 5


@pytest.mark.parametrize(("file", "other"), NAMES.items())
def test_a_customer_is_erased_from_the_file_that_names_her(tmp_path: Path, file: str, other: str) -> None:
    for name, customer in ((file, "c"), (other, "d")):
        pd.DataFrame({"customer_id": [f"{customer}{i}" for i in range(5)]}).to_parquet(tmp_path / f"{name}.parquet")
    assert erase_from(tmp_path / f"{file}.parquet", DataSubjects(("c3",), frozenset({"c3"}))) == 1
    assert pd.read_parquet(tmp_path / f"{file}.parquet")["customer_id"].tolist() == ["c0", "c1", "c2", "c4"]
    assert len(pd.read_parquet(tmp_path / f"{other}.parquet")) == 5


def test_no_query_takes_a_path_as_it_stands_to_read_from() -> None:
    """Only what is written, behind TO, is no pattern."""
    raw = re.compile(r"(?<!TO \{)\btext\(str\(")
    lines = [
        f"{path.name}: {line.strip()}"
        for path in CORE.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if raw.search(line) and "temp_directory" not in line
    ]
    assert lines == []
