"""Files for spreadsheets in a real spreadsheet: no cell of ours becomes a formula, and every text can be had back."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pytest

from clv_core.strategy.audiences.export import export
from clv_core.strategy.audiences.spreadsheet_safety import write_csv as write_stored
from tests.strategy import lists
from tests.strategy.lists import PAYLOADS, unescape

SIDE = replace(lists.SIDE, dataset="=shop", model="@model", currency="+EUR", segment="-tier")
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
EVALUATE = "CSV:44,34,76,1,,0,false,true,false,false,false,0,true"
"""Comma, double quote, UTF-8, and formulas evaluated: what a careless person would press."""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def soffice() -> str:
    found = shutil.which("soffice")
    if found is None:
        pytest.skip("LibreOffice is not installed: install the system package libreoffice-calc to run these tests")
    return found


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    count = len(PAYLOADS)
    texts = {name: PAYLOADS for name in ("customer_id", "tier_name", "channel", "=note")}
    return pd.DataFrame({**texts, "predicted_clv": [-1.5] * count, "number": ["-12"] * count})


def opened(soffice: str, path: Path, folder: Path) -> ElementTree.Element:
    """The file as LibreOffice holds it after opening it."""
    profile = f"-env:UserInstallation=file://{folder}/profile"
    words = [soffice, profile, "--headless", "--convert-to", "fods", "--outdir", str(folder / "opened")]
    words += [f"--infilter={EVALUATE}"] if path.suffix == ".csv" else []
    subprocess.run([*words, str(path)], check=True, capture_output=True, timeout=100)
    return ElementTree.parse(folder / "opened" / f"{path.stem}.fods").getroot()


def formulas(book: ElementTree.Element) -> list[str]:
    found = (cell.get(f"{TABLE}formula") for cell in book.iter(f"{TABLE}table-cell"))
    return [formula for formula in found if formula is not None]


def rows(book: ElementTree.Element) -> list[list[str]]:
    """The first sheet's cells as text."""
    found = []
    for row in next(book.iter(f"{TABLE}table")).iter(f"{TABLE}table-row"):
        cells: list[str] = []
        for cell in row.iter(f"{TABLE}table-cell"):
            paragraphs = ["".join(spaced(part)) for part in cell.iter(f"{TEXT}p")]
            text = cell.get(f"{OFFICE}value") or "\n".join(paragraphs)
            cells += [text] * int(cell.get(f"{TABLE}number-columns-repeated", "1"))
        found += [cells] * min(2, int(row.get(f"{TABLE}number-rows-repeated", "1")))
    return found


def spaced(part: ElementTree.Element) -> list[str]:
    """The text of a paragraph; several spaces and tabs are elements of their own."""
    found = [part.text or ""]
    for child in part:
        kind = child.tag.removeprefix(TEXT)
        blank = {"s": " " * int(child.get(f"{TEXT}c", "1")), "tab": "\t", "line-break": "\n"}.get(kind)
        found += [blank] if blank is not None else spaced(child)
        found.append(child.tail or "")
    return found


def test_the_spreadsheet_does_run_what_is_not_made_inert(soffice: str, frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.to_csv(tmp_path / "raw.csv", index=False)
    assert len(formulas(opened(soffice, tmp_path / "raw.csv", tmp_path))) > len(PAYLOADS)
    book = openpyxl.Workbook()
    book.active["A1"] = "=1+1"
    book.save(tmp_path / "book.xlsx")
    assert formulas(opened(soffice, tmp_path / "book.xlsx", tmp_path)) == ["of:=1+1"]


@pytest.mark.parametrize("format", ("csv", "xlsx"))
def test_no_payload_runs_and_all_come_back(soffice: str, frame: pd.DataFrame, format: str, tmp_path: Path) -> None:
    made = export(frame, format, tmp_path / f"list.{format}", side=SIDE)
    book = opened(soffice, made.files[0], tmp_path)
    assert formulas(book) == []
    cells = rows(book)[1 : len(PAYLOADS) + 1]
    for column in range(4):
        back = unescape(pd.Series([row[column] for row in cells], dtype="str")).tolist()
        assert [kept(text) for text in back] == [kept(text) for text in PAYLOADS]
    assert {float(row[4]) for row in cells} == {-1.5}


def kept(text: str) -> str:
    """A text without what no spreadsheet document can hold (NUL), and with one kind of line end."""
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


def test_rows_that_were_set_aside_are_inert_too(soffice: str, frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.assign(line=range(len(frame))).to_parquet(tmp_path / "aside.parquet")
    write_stored(tmp_path / "aside.parquet", tmp_path / "aside.csv", "line")
    assert formulas(opened(soffice, tmp_path / "aside.csv", tmp_path)) == []
