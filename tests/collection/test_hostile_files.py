"""Files that were made to break the app: each is refused by a sentence or read, and nothing else ends of it."""

from __future__ import annotations

import copy
import io
import os
import signal
import time
import zipfile
from pathlib import Path

import pytest

from clv_core import reader_process
from clv_core.collection.check import Check, check_file
from clv_core.collection.inspect import inspect_file
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
