"""What is read but hardly meant is spoken of: running totals, money that only flows back, one id for many people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clv_core.collection.ingest import ingest
from clv_core.workspace import Workspace
from tests.collection.shop_export_parts import at
from tests.collection.shop_exports import Order, _write, orders


def told(folder: Path, rows: Callable[[Order], Iterable[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    made, file = sorted(orders(), key=lambda one: one.time), folder / "log.csv"
    cells = [row for one in made for row in rows(one)]
    _write(file, list(cells[0]), cells)
    found = ingest(Workspace(folder / "ws"), file, "shop").warnings
    return {item["code"].removeprefix("warning."): item["params"] for item in found}


def plain(one: Order, amount: float) -> dict[str, Any]:
    return {"customer_id": one.customer, "order_date": at(one), "total_amount": round(amount, 2)}


def test_amounts_that_only_rise_are_running_totals(tmp_path: Path) -> None:
    spent: dict[str, float] = defaultdict(float)

    def row(one: Order) -> Iterable[dict[str, Any]]:
        spent[one.customer] += one.total
        yield plain(one, spent[one.customer])

    found = told(tmp_path, row)["running_totals"]
    assert found["column"] == "total_amount" and found["customers"] == found["rising"] > 20


def test_what_flows_only_back_is_no_return_of_customers(tmp_path: Path) -> None:
    def rows(one: Order) -> Iterable[dict[str, Any]]:
        yield plain(one, one.total)
        if one.number % 12 == 0:
            yield {**plain(one, -50), "customer_id": f"supplier {one.number % 5}"}

    found = told(tmp_path, rows)["returns_only"]
    assert (found["customers"], found["amount"]) == (5, 1000)
    assert found["share"] == pytest.approx(1000 / sum(one.total for one in orders()))


def test_one_id_that_buys_all_day_long_may_be_many_people(tmp_path: Path) -> None:
    def rows(one: Order) -> Iterable[dict[str, Any]]:
        yield plain(one, one.total)
        for hours in range(3):
            yield {**plain(one, 9.5), "customer_id": "KASSE 1", "order_date": f"{one.time + timedelta(hours=hours)}"}

    found = told(tmp_path, rows)["many_in_one"]
    assert found["customer"] == "KASSE 1" and found["purchases"] > 700 and found["share"] > 0.7


def test_nothing_of_this_is_said_of_a_usual_shop(tmp_path: Path) -> None:
    found = told(tmp_path, lambda one: [plain(one, one.total), *([plain(one, -one.back)] if one.back else [])])
    assert not {"running_totals", "returns_only", "many_in_one"} & set(found)
