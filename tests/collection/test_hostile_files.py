"""Files that were made to break the app: each is refused by a sentence or read, and nothing else ends of it."""

from __future__ import annotations

import copy
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from clv_core import reader_process
from clv_core.collection.check import Check, check_file
from clv_core.collection.engine import connect_memory
from clv_core.collection.inspect import inspect_file
from clv_core.collection.read.json_values import keys_of_wide
from clv_core.errors import Refused
from clv_core.workspace import Workspace

HEADER = "customer_id,event_time,amount"
ROWS = [f"c{at % 7},2024-01-{at % 28 + 1:02d},{at}.50" for at in range(200)]


def checked(workspace: Workspace, path: Path) -> Check:
    return reader_process.run(workspace, path, check_file, path)


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    "text",
    [
        '{"a":' * 20_000 + "1" + "}" * 20_000,
        '{"customer_id": 1, "more": ' + "[" * 200_000 + "]" * 200_000 + "}\n",
        '[{"quoted": "\\"}}}", "a": ' + '{"a": [' * 20_000 + "]}" * 20_000 + "}]",
    ],
    ids=["objects", "lists", "behind a quote"],
)
def test_endless_objects_in_a_json_file_are_refused(tmp_path: Path, workspace: Workspace, text: str) -> None:
    path = tmp_path / "deep.json"
    path.write_text(text)
    with pytest.raises(Refused) as refused:
        reader_process.run(workspace, path, inspect_file, path)
    assert refused.value.code == "nested_too_deep"


def many_keys(path: Path, count: int, *, within: bool) -> Path:
    """Write a log whose records have a key of their own each, of the record itself or of an object in it."""
    values = (1, "x", 2.5, [1], {"a": 1}, True)
    with path.open("w") as out:
        for at in range(count):
            own = {f"key_{at}": values[at % len(values)]}
            row = {"customer_id": f"c{at % 7}", "event_time": f"2024-01-{at % 28 + 1:02d}", "amount": at + 0.5}
            out.write(json.dumps({**row, "more": own} if within else {**row, **own}) + "\n")
    return path


def test_endless_keys_are_refused_as_soon_as_there_are_too_many(tmp_path: Path) -> None:
    path = many_keys(tmp_path / "log.ndjson", 20_000, within=False)
    with pytest.raises(Refused) as refused:
        inspect_file(path)
    assert refused.value.code == "too_many_columns" and 2_000 < refused.value.params["columns"] <= 3_003


def test_objects_with_too_many_keys_stay_whole_cells_of_their_records(tmp_path: Path) -> None:
    path = many_keys(tmp_path / "log.ndjson", 3_000, within=True)
    assert keys_of_wide(connect_memory(), path, 500, path.name) == ("customer_id", "event_time", "amount", "more")
    assert keys_of_wide(connect_memory(), path, 5_000, path.name) == ()


MEMORY = """
import re, sys
from pathlib import Path
from clv_core.collection.inspect import inspect_file
from clv_core.errors import Refused
try:
    inspect_file(Path(sys.argv[1]))
except Refused as error:
    print(error.code, int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.slow
def test_200_000_keys_take_less_than_a_third_of_a_gigabyte(tmp_path: Path) -> None:
    """1,288 MB and 211 s before the keys were counted while reading; 145 MB and 1.4 s now."""
    path = many_keys(tmp_path / "log.ndjson", 200_000, within=False)
    words = [sys.executable, "-c", MEMORY, str(path)]
    code, megabytes = subprocess.run(words, capture_output=True, text=True, check=True, timeout=100).stdout.split()
    assert code == "too_many_columns" and int(megabytes) < 330


def test_endless_objects_in_a_cell_stay_text(tmp_path: Path, workspace: Workspace) -> None:
    deep = '"' + '{""a"":' * 20_000 + "1" + "}" * 20_000 + '"'
    lines = [
        f"{HEADER},properties,shallow",
        *(f'{row},{deep if at == 5 else "{}"},"{{""plan"": 1}}"' for at, row in enumerate(ROWS)),
    ]
    path = tmp_path / "cells.csv"
    path.write_text("\n".join(lines))
    columns = {item.column for item in reader_process.run(workspace, path, inspect_file, path).columns}
    assert {"properties", "shallow.plan"} <= columns
    assert checked(workspace, path).manifest.rows_kept == len(ROWS)


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", ["(" * 12_000, ".".join(["a"] * 12_000), "(a" * 12_000])
def test_an_endless_column_name_costs_no_minute(tmp_path: Path, workspace: Workspace, name: str) -> None:
    path = tmp_path / "named.csv"
    path.write_text("\n".join([f"{HEADER},{name}", *(f"{row},x" for row in ROWS)]))
    begun = time.monotonic()
    assert checked(workspace, path).manifest.rows_kept == len(ROWS)
    assert time.monotonic() - begun < 30


def test_archive_whose_entries_share_their_bytes_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "log.zip"
    text = io.BytesIO()
    text.write("\n".join([HEADER, *ROWS * 5_000]).encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log.csv", text.getvalue())
        archive.filelist += [copy.copy(archive.filelist[0]) for _ in range(150)]
    with pytest.raises(Refused) as refused:
        reader_process.run(workspace, path, inspect_file, path)
    assert refused.value.code == "archive_too_large"


def test_reader_that_ends_is_a_sentence_and_the_next_file_is_read(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\n".join([HEADER, *ROWS]))
    with pytest.raises(Refused) as refused:
        reader_process.run(workspace, path, signal.raise_signal, signal.SIGSEGV)
    assert refused.value.code == "reader_ended"
    assert "log.csv" in str(refused.value)
    assert checked(workspace, path).manifest.rows_kept == len(ROWS)


def test_what_an_ended_reader_wrote_is_removed(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\n".join([HEADER, *ROWS]))
    with pytest.raises(Refused):
        reader_process.run(workspace, path, _write_and_end)
    assert not [one for one in workspace.root.rglob("*") if one.name == "rows.csv"]


def _write_and_end() -> None:
    from clv_core.scratch import new_folder

    (new_folder("clv-") / "rows.csv").write_text("c1")
    os._exit(1)
