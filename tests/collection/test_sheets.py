"""Workbooks of several sheets: all that hold the log are read, and what is not read is named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.answers import Answers
from clv_core.collection.remembered import recall
from clv_core.errors import NeedsAnswer, UsageError
from clv_core.workspace import Workspace
from tests.collection.small_logs import read

NAMES = ["customer_id", "order_date", "amount", "order_id"]
ROWS = 40


def paid(month: int, at: int) -> float:
    return 20.5 + month + at


def worth(*months: int) -> float:
    return sum(paid(month, at) for month in months for at in range(ROWS))


def orders(month: int) -> list[list[object]]:
    """Return the orders of a month."""
    days = (datetime(2023, month, at % 27 + 1, 10, at) for at in range(ROWS))
    return [[f"K{at % 14}", day, paid(month, at), f"O{month}{at:03}"] for at, day in enumerate(days)]


def book(folder: Path, sheets: dict[str, Sequence[Sequence[object]]], hidden: Sequence[str] = ()) -> Path:
    """Write a workbook of sheets by title; those of ``hidden`` are not seen."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
    folder.mkdir(exist_ok=True)
    made.save(folder / "shop.xlsx")
    return folder / "shop.xlsx"


@pytest.mark.examples(3)
@pytest.mark.parametrize("titles", [0, 1, 2])
def test_a_sheet_a_month_is_read_from_below_its_own_titles(tmp_path: Path, titles: int) -> None:
    months = {"January": 1, "February": 2, "March": 3}
    above = [["Sales of the month"], ["Printed by", "Ann"]][:titles]
    sheets = {title: [*above, [], NAMES, *orders(month)] for title, month in months.items()}
    manifest, _, said = read(book(tmp_path, sheets))
    assert manifest.net_revenue == pytest.approx(worth(1, 2, 3))
    assert (manifest.rows_read, manifest.rows_kept) == (3 * ROWS, 3 * ROWS)
    assert said["joined_sheets"] == {"sheets": list(months)}


def test_the_same_columns_may_stand_in_another_order(tmp_path: Path) -> None:
    turned = [NAMES[::-1], *(row[::-1] for row in orders(2))]
    manifest, _, _ = read(book(tmp_path, {"A": [NAMES, *orders(1)], "B": turned}))
    assert manifest.net_revenue == pytest.approx(worth(1, 2)) and manifest.customers == 14


def test_the_table_is_found_behind_a_cover(tmp_path: Path) -> None:
    cover = [["Sales report"], ["Created by", "Ann"], ["Period", 2023]]
    products = [["product_id", "name", "colour"], ["P1", "Tea", "green"]]
    sheets = {"Cover": cover, "Products": products, "Data": [NAMES, *orders(1)]}
    manifest, _, said = read(book(tmp_path, sheets))
    assert manifest.net_revenue == pytest.approx(worth(1)) and manifest.rows_read == ROWS
    assert said["sheets_left_out"] == {"sheets": ["Cover", "Products"]}


def test_a_hidden_sheet_is_read_only_where_it_is_named(tmp_path: Path) -> None:
    file = book(tmp_path, {"Orders": [NAMES, *orders(1)], "old": [NAMES, *orders(2)]}, hidden=["old"])
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(worth(1)) and said["hidden_sheets"] == {"sheets": ["old"]}
    manifest, _, said = read(file, sheet="Old ")
    assert manifest.net_revenue == pytest.approx(worth(2)) and "hidden_sheets" not in said


def test_different_tables_of_sales_are_asked_about(tmp_path: Path) -> None:
    others = [[*NAMES, "reason"], *([*row, "broken"] for row in orders(2))]
    file = book(tmp_path, {"Sales": [NAMES, *orders(1)], "Returns": others})
    with pytest.raises(NeedsAnswer, match="--sheet") as asked:
        read(file)
    assert asked.value.code == "which_sheet" and asked.value.params["sheets"] == ["Sales", "Returns"]
    assert read(file, sheet="Returns")[0].net_revenue == pytest.approx(worth(2))
    with pytest.raises(UsageError, match="Sales, Returns"):
        read(file, sheet="Sale")


def test_the_sheet_is_not_remembered_for_the_next_file(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    ingest(workspace, book(tmp_path, {"May": [NAMES, *orders(5)]}), "shop", sheet="May", currency="EUR")
    assert recall(workspace, NAMES) == Answers(currency="EUR")
