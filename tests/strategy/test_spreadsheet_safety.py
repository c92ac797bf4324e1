"""A stored table as a file for spreadsheets: every row, in order, inert, in blocks."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.strategy.audiences import spreadsheet_safety
from clv_core.strategy.audiences.spreadsheet_safety import escape_frame, write_csv


@pytest.fixture
def table(tmp_path: Path) -> Path:
    frame = pd.DataFrame(
        {
            "line": [9, 3, 5, 1, 7],
            "reason": ["bad_time", "ragged", "no_customer", "bad_time", "ragged"],
            "value": ["=1+1", "a,b", '"quoted"', None, "多行\n文字"],
        }
    )
    frame.to_parquet(tmp_path / "aside.parquet")
    return tmp_path / "aside.parquet"


@pytest.mark.parametrize("rows_a_block", (2, 100))
@pytest.mark.parametrize("ending", ("csv", "csv.gz"))
@pytest.mark.parametrize("worded", (None, lambda rows: rows.rename(columns={"line": "行号"})), ids=("ids", "words"))
def test_the_file_holds_what_one_frame_would(
    table: Path, tmp_path: Path, ending: str, rows_a_block: int, worded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheet_safety, "BLOCK_ROWS", rows_a_block)
    target, names = tmp_path / f"aside.{ending}", {"line": "行号"} if worded else {}
    assert write_csv(table, target, "line", worded) == 5
    expected = escape_frame(pd.read_parquet(table).sort_values("line").rename(columns=names))
    written = gzip.decompress(target.read_bytes()) if ending.endswith("gz") else target.read_bytes()
    assert written == expected.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["aside.parquet", target.name])


def test_an_empty_table_is_a_header(tmp_path: Path) -> None:
    empty = pd.DataFrame({"line": pd.Series([], dtype="int64"), "reason": pd.Series([], dtype="str")})
    empty.to_parquet(tmp_path / "none.parquet")
    assert write_csv(tmp_path / "none.parquet", tmp_path / "none.csv", "line") == 0
    assert (tmp_path / "none.csv").read_bytes() == "\ufeffline,reason\r\n".encode()
