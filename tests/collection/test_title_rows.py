"""Reports in a workbook begin with a title, and may head groups of columns above the columns' own names."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.manifest import Manifest
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

NAMES = ("Code", "Name", "Number", "Date", "Status", "Gross", "Discount")


def report(folder: Path, suffix: str, *above: tuple[str | None, ...], names: tuple[str, ...] = NAMES) -> Path:
    """Write 60 sales below a title, a date of printing, a blank row and the rows ``above`` the names."""
    sheet = openpyxl.Workbook().active
    for row in (("Monthly sales report",), ("Printed 2024-12-01",), (), *above, names):
        sheet.append([*row, *[None] * (len(names) - len(row))])
    for at in range(60):
        state = "Delivered" if at % 6 else "Cancelled"
        sheet.append(
            [f"K{at % 14:03}", f"Name {at % 14}", f"N{at:04}", date(2024, at % 9 + 1, at % 28 + 1), state, 50 + at, 0]
        )
    sheet.append(["Total", None, None, None, None, 99_999, None])
    file = folder / f"report{suffix}"
    if suffix == ".xlsx":
        sheet.parent.save(file)
    else:
        rows = sheet.iter_rows(values_only=True)
        file.write_text("\n".join(",".join("" if cell is None else f"{cell}" for cell in row) for row in rows) + "\n")
    return file


def read(folder: Path, file: Path, customer: str) -> Manifest:
    return ingest(Workspace(folder / "ws"), file, "report", mapping={"customer_id": customer})


@pytest.mark.examples(3)
@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
@pytest.mark.parametrize("above", [(), (("Customer", None, "Order", None, None, "Money", None),)])
def test_titles_and_heads_of_groups_are_no_names_of_columns(
    tmp_path: Path, suffix: str, above: tuple[tuple[str | None, ...], ...]
) -> None:
    manifest = read(tmp_path, report(tmp_path, suffix, *above), "Code")
    assert manifest.net_revenue == sum(50 + at for at in range(60) if at % 6)
    assert manifest.customers == 14 and manifest.rows_set_aside == 10 + 1
    assert list(manifest.mapping.values())[:3] == ["Code", "Date", "Gross"]


def test_a_name_that_is_blank_heads_no_group(tmp_path: Path) -> None:
    names = ("Customer", "", "Order", "Date", "Status", "Total", "Discount")
    manifest = read(tmp_path, report(tmp_path, ".csv", names=names), "Customer")
    assert manifest.net_revenue == sum(50 + at for at in range(60) if at % 6)
