"""A sheet says how large it is, and need not know: only what stands in its rows counts."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from clv_core.collection.files.content import Content
from clv_core.collection.files.unpack import unpack
from clv_core.errors import Refused

SHEET = "xl/worksheets/sheet1.xml"
ROWS = [["customer_id", "event_time", "amount", "note"], ["a", "2024-01-01", 1, "x"], ["b", "2024-01-02", 2, None]]
TEXT = "customer_id,event_time,amount,note\na,2024-01-01,1,x\nb,2024-01-02,2,\n"


def book(path: Path, *changes: tuple[str, str]) -> Path:
    """Return a workbook of :data:`ROWS` whose sheet is changed by patterns and what takes their place."""
    plain, made = path.with_name("plain.xlsx"), Workbook()
    for row in ROWS:
        made.active.append(row)
    made.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name).decode()
            for pattern, instead in changes if name == SHEET else ():
                content, found = re.subn(pattern, instead, content)
                assert found, pattern
            target.writestr(name, content)
    return path


def text_of(path: Path) -> str:
    return unpack(path, Content.WORKBOOK, path.parent)[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("claim", ["A1:D3", "A1", "A1:B2", ""])
def test_no_cell_is_lost_to_a_size_that_is_too_small(tmp_path: Path, claim: str) -> None:
    """Writers that stream (Apache POI's, for one) say A1 before they know, and others say nothing."""
    path = book(tmp_path / "log.xlsx", ('<dimension ref="A1:D3" ?/>', claim and f'<dimension ref="{claim}"/>'))
    assert text_of(path) == TEXT


@pytest.mark.timeout(60)
def test_a_size_that_is_too_large_costs_nothing(tmp_path: Path) -> None:
    """Filled in, the cells of the largest sheet take hours, from a file of 5 kB."""
    last = ('r="([A-D]?)3"', r'r="\g<1>1048576"')
    path = book(tmp_path / "log.xlsx", ('ref="A1:D3"', 'ref="A1:XFD1048576"'), last)
    assert text_of(path) == TEXT


def test_a_row_wider_than_a_log_is_refused_before_all_are_made_as_wide(tmp_path: Path) -> None:
    path = book(tmp_path / "log.xlsx", ('r="D2"', 'r="XFD2"'))
    with pytest.raises(Refused) as caught:
        text_of(path)
    assert caught.value.code == "too_many_columns" and caught.value.params["columns"] == 16_384
