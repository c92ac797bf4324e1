"""A mistyped year moves the log's first or last day: a few rows far from all others are named."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)


def warned(folder: Path, days: list[date]) -> dict[str, dict[str, object]]:
    rows = [f"o{number},c{number % 30},{day},{10 + number % 7}.50" for number, day in enumerate(days)]
    path = folder / "log.csv"
    path.write_text("\n".join(["order_id,customer_id,date,amount", *rows]), encoding="utf-8")
    manifest = ingest(Workspace(folder / "workspace"), path, "shop", timezone="UTC", currency="EUR")
    return {item["code"]: item["params"] for item in manifest.warnings if item["code"].startswith("warning.far")}


USUAL = [date(2022, 1, 1) + timedelta(days=number) for number in range(300)]


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("far", "code", "rows", "gap"),
    [
        ([date(2024, 10, 27)], "warning.far_after", 1, 731),
        ([date(2024, 10, 27), date(2025, 10, 27)], "warning.far_after", 2, 731),
        ([date(2002, 1, 1)], "warning.far_before", 1, 7305),
    ],
)
def test_rows_far_from_all_others_are_named(tmp_path: Path, far: list[date], code: str, rows: int, gap: int) -> None:
    found = warned(tmp_path, [*USUAL, *far])
    assert list(found) == [code] and (found[code]["rows"], found[code]["days"]) == (rows, gap)


def test_a_shop_that_closes_for_weeks_and_opens_again_has_no_mistyped_dates(tmp_path: Path) -> None:
    later = [date(2023, 1, 1) + timedelta(days=number) for number in range(20)]
    assert warned(tmp_path, [*USUAL, *later]) == {}


def test_sparse_rows_are_not_far(tmp_path: Path) -> None:
    assert warned(tmp_path, [date(2022, 1, 1) + timedelta(days=number * number) for number in range(30)]) == {}
