"""Rows that repeat one another in an order whose amount they share: no share of the order's money is lost with them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.collection.shop_exports import PRODUCTS, Order, orders

pytestmark = pytest.mark.first(2)

Lines = list[tuple[int, int]]


def lines(made: list[Order], *, again: int | None = None) -> list[dict[str, object]]:
    """Return one row a product, each with what its whole order came to; product ``again`` was rung up in two rows."""
    rows: list[dict[str, object]] = []
    for one in made:
        told: Lines = [*one.lines, *(line for line in one.lines if line[0] == again)]
        total = round(sum(PRODUCTS[product][2] * pieces for product, pieces in told), 2)
        for product, pieces in told:
            about = {"Order Number": one.number + 50, "Order Date": f"{one.time}", "Email": one.customer}
            sku, name, price = PRODUCTS[product]
            item = {"SKU": sku, "Item Name": name, "Quantity": pieces, "Item Cost": price}
            rows.append({**about, "Order Total Amount": total, **item})
    return rows


def read(folder: Path, rows: list[dict[str, object]]) -> tuple[Manifest, pd.DataFrame]:
    text, file, workspace = io.StringIO(), folder / "export.csv", Workspace(folder / "ws")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    file.write_text(text.getvalue())
    manifest = ingest(workspace, file, "shop")
    return manifest, pd.read_parquet(open_dataset(workspace, "shop").events_path)


def test_an_export_whose_rows_all_stand_there_twice_is_worth_what_it_says(tmp_path: Path) -> None:
    made = orders()
    manifest, events = read(tmp_path, lines(made) * 2)
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in made), abs=0.01)
    assert manifest.rows_duplicate == len(events) == sum(len(one.lines) for one in made)
    wanted = pd.Series({f"{one.number + 50}": one.total for one in made})
    assert events.groupby("order_id")["amount"].sum().to_dict() == pytest.approx(wanted.to_dict(), abs=0.01)


@pytest.mark.examples(2)
@pytest.mark.parametrize("again", range(len(PRODUCTS)))
def test_a_product_that_was_rung_up_in_two_rows_takes_nothing_off_its_order(tmp_path: Path, again: int) -> None:
    made = orders()
    rows = lines(made, again=again)
    manifest, _ = read(tmp_path, rows)
    totals = {row["Order Number"]: float(str(row["Order Total Amount"])) for row in rows}
    assert manifest.net_revenue == pytest.approx(sum(totals.values()), abs=0.01)


def test_a_row_with_an_amount_of_its_own_counts_once(tmp_path: Path) -> None:
    """An order whose amounts differ is none that shares one; a row without an order has nothing to share."""
    made = orders()
    rows = lines(made)
    odd = [{**row, "Order Number": 9999, "Order Total Amount": 10 + at} for at, row in enumerate(rows[:3])]
    alone = [{**row, "Order Number": ""} for row in rows[5:7]]
    manifest, _ = read(tmp_path, [*rows, *odd, *odd[:1], *alone, *alone])
    own = sum(float(str(row["Order Total Amount"])) for row in [*odd, *alone])
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in made) + own, abs=0.01)


def receipts(*, told: bool = True) -> tuple[list[dict[str, object]], float]:
    """Return a till's rows, equal ones for two of the same, and what the receipts came to."""
    rows, net = [], 0.0
    for one in orders():
        prices = [PRODUCTS[product] for product, pieces in one.lines for _ in range(pieces)]
        total = round(sum(price for *_, price in prices), 2)
        net += total
        for sku, _, price in prices:
            about = {"Receipt No": f"R{one.number}", "Customer ID": one.customer, "Date": f"{one.time}"}
            row = {**about, "Item": sku, "Qty": 1, "Line Total": price}
            rows.append({**row, **({"Receipt Total": total} if told else {})})
    return rows, net


def test_equal_rows_of_a_receipt_are_kept_where_its_total_counts_them(tmp_path: Path) -> None:
    rows, net = receipts()
    manifest, _ = read(tmp_path, rows)
    assert manifest.net_revenue == pytest.approx(net, abs=0.01) and manifest.rows_duplicate == 0
    assert [one["params"]["column"] for one in manifest.warnings if one["code"].endswith("of_totals")] == [
        "Receipt Total"
    ]


def test_a_till_s_file_that_was_written_twice_counts_once(tmp_path: Path) -> None:
    made = orders()
    rows = [{**row, "Line Total": float(str(row["Item Cost"])) * int(str(row["Quantity"]))} for row in lines(made)]
    twice = [{key: row[key] for key in row if key not in ("Item Cost", "Quantity")} for row in rows] * 2
    manifest, _ = read(tmp_path, twice)
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in made), abs=0.01)


def test_without_a_total_equal_rows_are_asked_about(tmp_path: Path) -> None:
    rows, net = receipts(told=False)
    with pytest.raises(NeedsAnswer) as asked:
        read(tmp_path, rows)
    assert asked.value.code == "duplicates_dropped"
    assert asked.value.params["readings"][1]["net_revenue"] == pytest.approx(net)
