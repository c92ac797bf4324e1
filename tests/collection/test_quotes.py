"""Quotes of a file: the quick look against Python's csv module."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.collection.check import check_file
from clv_core.collection.read.dialect import Dialect
from clv_core.collection.read.quotes import cells_close, hold_by_lines, quotes_pair

CELLS = st.text(alphabet='ab",;\n \u00e4\u8d2d', max_size=6)


def write(folder: Path, text: str) -> Path:
    path = folder / "log.csv"
    path.write_bytes(text.encode())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quotes")


@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_files_of_a_careful_writer_pair_unless_a_cell_holds_a_line_break(
    folder: Path, rows: list[tuple[str, str, str]], quoting: int
) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=quoting, lineterminator="\n").writerows(rows)
    broken = any("\n" in cell for row in rows for cell in row)
    assert quotes_pair(write(folder, out.getvalue()), ",") == (not broken)


@given(st.text(alphabet='a",\n', min_size=1, max_size=40))
def test_where_all_pair_a_strict_reader_finds_a_row_on_every_line(folder: Path, text: str) -> None:
    if quotes_pair(write(folder, text), ","):
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert len(rows) == len(text.removesuffix("\n").split("\n"))


COMMAS = Dialect(",", '"', '"', blanks=False, header_line=0, columns=("a", "b", "c"), named=3)


@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(0, 60),
)
def test_where_a_quick_look_finds_that_cells_close_a_look_at_each_line_does_too(
    folder: Path, rows: list[tuple[str, str, str]], quoting: int, line_end: str, cut: int
) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=quoting, lineterminator=line_end).writerows(rows)
    whole = out.getvalue()
    for text in (whole, whole[:cut] + whole[cut + 1 :]):  # one sign is lost
        if cells_close(write(folder, text), ","):
            assert hold_by_lines(folder / "log.csv", COMMAS)


@given(st.text(alphabet='a", \n\r', min_size=1, max_size=40))
def test_it_does_so_of_any_text(folder: Path, text: str) -> None:
    if cells_close(write(folder, text), ","):
        assert hold_by_lines(folder / "log.csv", COMMAS)


def test_addresses_of_two_lines_are_found_to_close_by_a_quick_look(folder: Path) -> None:
    row = 'C1,"Main Street 1\r\n10115 ""Old"" Berlin",12.50\r\n'
    assert cells_close(write(folder, "a,b,c\r\n" + row * 400_000), ",")
    assert not cells_close(write(folder, "a,b,c\r\n" + row * 400_000 + row.replace('"', "", 1)), ",")


def test_a_quote_that_a_far_one_closes_swallows_no_rows(tmp_path: Path) -> None:
    """Inches at the end of a cell close a quote that an earlier cell opens by mistake; the rows between are kept."""
    rows = [f"C{at % 9},2024-03-{at % 28 + 1:02},Mug {at},{at}.50" for at in range(200)]
    rows[20], rows[120] = rows[20].replace("Mug", '"Big mug'), rows[120].replace("Mug 120", '19" screen 19"')
    path = write(tmp_path, "\n".join(["customer_id,event_time,category,amount", *rows, ""]))
    made = check_file(path).manifest
    assert (made.rows_read, made.rows_kept) == (200, 199)
    assert made.net_revenue == sum(range(200)) + 100 - 20.5
