import csv
import re
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.strategy.audiences.list_files import write_any, write_csv, write_xlsx
from clv_core.strategy.audiences.spreadsheet_safety import escape, escape_frame
from tests.strategy import lists
from tests.strategy.lists import TRIGGERS, unescape

SIGNS = set("".join(TRIGGERS))
PAYLOADS = [
    *lists.PAYLOADS, "\u3000=1+1", "\xa0\u200b=1+1", "''", "-", "plain", "", "007", "_x0041_=1",
]  # fmt: skip
CELLS = st.text(alphabet=st.one_of(st.sampled_from([*TRIGGERS, *"' \"1a,;"]), st.characters(exclude_categories=["Cs"])))


def inert(text: str) -> bool:
    number = re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", text) is not None
    return number or not text or not {text[0], text.lstrip()[:1]} & SIGNS


@given(st.lists(CELLS, max_size=20), st.sampled_from(["str", "object", "category"]))
def test_any_text_becomes_inert_and_comes_back(texts: list[str], kind: str) -> None:
    cells = pd.Series(texts, dtype="str").astype(kind)
    safe = escape(cells)
    assert all(inert(text) for text in safe)
    assert unescape(safe).tolist() == texts


def test_exactly_one_quote_is_added_where_one_is_needed() -> None:
    safe = escape(pd.Series(PAYLOADS)).tolist()
    for before, after in zip(PAYLOADS, safe, strict=True):
        dangerous = before[:1] in SIGNS | {"'"} or before.strip(" \u3000\xa0\u200b")[:1] in SIGNS
        assert after == ("'" + before if before and dangerous else before)


def test_numbers_are_never_touched() -> None:
    numbers = ["-12.5", "+3", "-1e9", "42"]
    assert escape(pd.Series(numbers)).tolist() == numbers
    frame = pd.DataFrame({"a": [-1.5, 2.0], "b": [-3, 4], "c": [True, False]})
    pd.testing.assert_frame_equal(escape_frame(frame), frame)


def test_missing_and_mixed_cells_stay_what_they_are_and_column_names_are_made_inert() -> None:
    cells = pd.Series(["=1", None, 3, -2.5], dtype=object)
    safe = escape(cells)
    assert safe[0] == "'=1" and pd.isna(safe[1]) and safe[2] == 3 and safe[3] == -2.5
    assert cells[0] == "=1"
    assert escape_frame(pd.DataFrame({"=A1": [1], "b": [2]})).columns.tolist() == ["'=A1", "b"]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": [f"00{i}" for i in range(len(PAYLOADS))],
            "note": PAYLOADS,
            "predicted_clv": np.linspace(-3, 99, len(PAYLOADS)),
            "last_purchase": pd.Series([pd.NaT, *pd.date_range("1998-01-01", periods=len(PAYLOADS) - 1)]),
        }
    )


def test_a_csv_read_back_is_inert_recoverable_and_keeps_ids_as_text(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = write_csv(frame, tmp_path / "list.csv")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["customer_id"] for row in rows] == frame["customer_id"].tolist()
    assert all(inert(cell) for row in rows for cell in row.values())
    assert unescape(pd.Series([row["note"] for row in rows])).tolist() == PAYLOADS
    assert [float(row["predicted_clv"]) for row in rows] == frame["predicted_clv"].round(2).tolist()
    assert [row["last_purchase"] for row in rows][:2] == ["", "1998-01-01"]


def read_xlsx(path: Path) -> list[dict[str, Any]]:
    """Cells of each sheet, by an own reader of the format: no formula, text decoded as ECMA-376 22.9.2.19 says."""
    spaces = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    sheets = []
    with zipfile.ZipFile(path) as archive:
        assert not any("<hyperlink " in archive.read(name).decode() for name in archive.namelist())
        strings = [
            "".join(part.text or "" for part in item.iterfind(".//m:t", spaces))
            for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml")).iterfind("m:si", spaces)
        ]
        for name in sorted(name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")):
            sheet = ElementTree.fromstring(archive.read(name))
            assert sheet.find(".//m:f", spaces) is None
            sheets.append(
                {
                    cell.get("r"): decode(strings[int(cell.find("m:v", spaces).text)])
                    if cell.get("t") == "s"
                    else float(cell.find("m:v", spaces).text)
                    for cell in sheet.iterfind(".//m:c", spaces)
                    if cell.find("m:v", spaces) is not None
                }
            )
    return sheets


def decode(text: str) -> str:
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def test_a_workbook_read_back_is_inert_and_says_what_it_is(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = write_xlsx(frame, tmp_path / "list.xlsx", {"dataset": "cdnow", "cutoff": "1998-07-01", "segment": "=x"})
    cells, about = read_xlsx(path)
    rows = range(2, len(PAYLOADS) + 2)
    assert [cells[f"A{row}"] for row in rows] == frame["customer_id"].tolist()
    notes = [cells.get(f"B{row}", "") for row in rows]
    assert all(inert(note) for note in notes)
    assert unescape(pd.Series(notes)).tolist() == PAYLOADS
    assert [cells[f"C{row}"] for row in rows] == pytest.approx(frame["predicted_clv"].round(2).tolist())
    assert "D2" not in cells and cells["D3"] == (pd.Timestamp("1998-01-01") - pd.Timestamp("1899-12-30")).days
    assert about["A1"] == "dataset" and about["B1"] == "cdnow" and about["B3"] == "'=x"


def test_lists_for_people_have_rounded_amounts_and_chances_and_ids_as_they_are(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["0010088", "7"],
            "p_purchase": [0.8942106295733955, 0.05],
            "predicted_clv": [1408.333345782882, 0.004],
            "historic_value": [13004.114999, np.nan],
            "price": [0.0012345, 0.5],
            "number": [0.123456789, 1.0],
        }
    )
    found = pd.read_csv(write_any(frame, tmp_path / "list.csv", ".csv", {}), dtype="str")
    assert found["customer_id"].tolist() == ["0010088", "7"]
    assert found["p_purchase"].tolist() == ["0.8942", "0.05"] and found["predicted_clv"].tolist() == ["1408.33", "0.0"]
    assert found["historic_value"].tolist()[0] == "13004.11" and found["price"].tolist() == ["0.001", "0.5"]
    assert found["number"].tolist() == ["0.123456789", "1.0"]
    kept = pd.read_parquet(write_any(frame, tmp_path / "list.parquet", ".parquet", {}))
    pd.testing.assert_frame_equal(kept, frame)


def test_no_cell_of_a_workbook_looks_like_nothing_where_it_is_something(tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer_id": ["a"], "p_purchase": [0.0042], "price": [0.00123], "predicted_clv": [1234.5]})
    book = openpyxl.load_workbook(write_xlsx(frame, tmp_path / "list.xlsx", {}))
    looks = [(cell.value, cell.number_format) for cell in book.worksheets[0][2][1:]]
    assert looks == [(0.0042, "0.00####"), (0.00123, "0.00####"), (1234.5, "0.00")]


def test_the_ends_of_an_interval_have_the_places_of_what_they_are_the_ends_of(tmp_path: Path) -> None:
    rows = {"elasticity": -1.2346, "low": -2.3457, "high": -0.4568, "predicted": 12.3457, "predicted_low": 10.9877}
    more = {"discount_effect": 1.2346, "discount_low": 0.1235, "chance": 0.123456, "chance_high": 0.234567}
    written = pd.read_csv(write_csv(pd.DataFrame([rows | more]), tmp_path / "prices.csv")).iloc[0].to_dict()
    ends = {"predicted": 12.35, "predicted_low": 10.99, "chance": 0.1235, "chance_high": 0.2346}
    assert written == rows | more | ends


def test_a_person_reads_yes_and_no_and_money_in_cents_where_a_program_reads_a_flag(tmp_path: Path) -> None:
    flags = pd.Series([True, None, False], dtype="object")
    frame = pd.DataFrame({"category": ["a", "b", "c"], "rule_base": [627.0678295, np.nan, 1.0], "rule_beyond": flags})
    said = pd.read_csv(write_csv(frame, tmp_path / "prices.csv"), dtype="str", keep_default_na=False)
    assert said["rule_beyond"].tolist() == ["yes", "", "no"] and said["rule_base"].tolist() == ["627.07", "", "1.0"]
    book = openpyxl.load_workbook(write_xlsx(frame, tmp_path / "prices.xlsx", {}, "zh"))
    assert [row[2] for row in book["表格"].iter_rows(min_row=2, values_only=True)] == ["是", None, "否"]
    kept = pd.read_parquet(write_any(frame, tmp_path / "prices.parquet", ".parquet", {}))
    assert kept["rule_beyond"].tolist() == [True, None, False]
