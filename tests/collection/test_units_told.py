"""Units that names of columns tell, and discounts that are percentages: multiplied, or spoken of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import Manifest
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.collection.shop_export_parts import at
from tests.collection.shop_exports import Order, _write, orders

pytestmark = pytest.mark.first(2)


def read(folder: Path, cells: Callable[[Order], dict[str, Any]], **said: Any) -> tuple[Manifest, dict[str, Any]]:
    file, made = folder / "log.csv", orders()
    rows = [{"客户编号": one.customer, "订单号": one.number, "下单时间": at(one), **cells(one)} for one in made]
    _write(file, list(rows[0]), rows)
    manifest = ingest(Workspace(folder / "ws"), file, "shop", **said)
    return manifest, {item["code"].removeprefix("warning."): item["params"] for item in manifest.warnings}


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("订单金额（万元）", 10_000),
        ("amount (in thousands)", 1_000),
        ("Amount (k)", 1_000),
        ("сумма, тыс. руб.", 1_000),
        ("amount [millions]", 1_000_000),
    ],
)
def test_larger_units_are_multiplied(tmp_path: Path, name: str, units: int) -> None:
    mapping = {"amount": name}
    manifest, told = read(tmp_path, lambda one: {name: f"{one.total / units:.8f}"}, mapping=mapping)
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in orders()), abs=1)
    assert told["large_units"]["units"] == units


def test_the_person_may_say_that_they_are_in_the_currency(tmp_path: Path) -> None:
    manifest, _ = read(tmp_path, lambda one: {"订单金额（万元）": one.total}, amount_unit="major")
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in orders()))


def test_columns_of_money_in_different_units_are_spoken_of(tmp_path: Path) -> None:
    def cells(one: Order) -> dict[str, Any]:
        return {"订单金额（万元）": f"{one.total / 10_000:.6f}", "退款金额": one.back}

    assert "large_units_mixed" in read(tmp_path, cells)[1]


@pytest.mark.examples(3)
@pytest.mark.parametrize("name", ["订单金额（元）", "amount", "Amount (USD)", "milestone_amount"])
def test_other_names_say_nothing_of_units(tmp_path: Path, name: str) -> None:
    manifest, told = read(tmp_path, lambda one: {name: one.total}, mapping={"amount": name})
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in orders())) and "large_units" not in told


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("name", "code", "cell"),
    [
        ("Discount (%)", "discount_percent", "{}"),
        ("discount_percent", "discount_percent", "{}"),
        ("Rabatt in Prozent", "discount_percent", "{}%"),
        ("discount", "maybe_percent", "{}"),
    ],
)
def test_discounts_in_percent_are_spoken_of(tmp_path: Path, name: str, code: str, cell: str) -> None:
    def cells(one: Order) -> dict[str, Any]:
        return {"quantity": 2, "unit_price": one.total, name: cell.format((0, 10, 15)[one.number % 3])}

    if code == "maybe_percent":
        with pytest.raises(NeedsAnswer, match=name):
            read(tmp_path, cells)
    said = read(tmp_path, cells, discount="percent") if code == "maybe_percent" else read(tmp_path, cells)
    worth = sum(2 * one.total * (1 - (0, 10, 15)[one.number % 3] / 100) for one in orders())
    assert said[0].net_revenue == pytest.approx(worth) and (code == "maybe_percent" or said[1][code]["column"] == name)


def test_discounts_in_money_are_not(tmp_path: Path) -> None:
    def cells(one: Order) -> dict[str, Any]:
        return {"quantity": 2, "unit_price": one.total, "discount": f"{one.total / 10:.2f}" if one.number % 3 else 0}

    assert not {"discount_percent", "maybe_percent"} & set(read(tmp_path, cells)[1])
