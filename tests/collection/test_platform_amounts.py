"""Amounts and refunds as Etsy, Vend, Eventbrite and Segment write them, each with the money counted apart."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.inspect import inspect_file
from clv_core.collection.stored.manifest import Manifest
from clv_core.collection.stored.store import open_dataset
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

START = datetime(2024, 1, 2, 9, 30)
Rows = list[dict[str, object]]


def read(folder: Path, rows: Rows) -> tuple[Manifest, pd.DataFrame]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with (folder / "export.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    workspace = Workspace(folder / "ws")
    manifest = ingest(workspace, folder / "export.csv", "log")
    return manifest, pd.read_parquet(open_dataset(workspace, "log").events_path)


def said(manifest: Manifest) -> set[str]:
    return {one["code"] for one in manifest.warnings}


@pytest.mark.parametrize("filler", ["", "0.00"])
def test_etsy_says_what_is_left_of_an_order(tmp_path: Path, filler: str) -> None:
    rows, net = Rows(), Decimal(0)
    for at in range(90):
        value, postage = Decimal(at * 31 % 70 + 12), Decimal("4.50")
        total = value + postage
        left = total - 3 if at % 9 == 0 else Decimal(0) if at % 9 == 1 and not filler else None
        money = {"Order Value": value, "Discount Amount": "0.00", "Shipping": postage, "Order Total": total}
        rows.append(
            {
                "Sale Date": f"{START + timedelta(days=at):%m/%d/%y}",
                "Order ID": 3_000_000 + at,
                "Buyer User ID": f"b{at % 20}",
            }
            | money
            | {"Currency": "USD", "Status": "", "Card Processing Fees": "1.13", "Order Net": total - Decimal("1.13")}
            | {"Adjusted Order Total": filler if left is None else f"{left:.2f}"}
        )
        net += total if left is None else left
    manifest, _ = read(tmp_path, rows)
    assert manifest.net_revenue == float(net) and manifest.mapping["amount"] == "Order Total"
    assert manifest.rows_set_aside == (0 if filler else 10)
    assert "warning.refunds_off" in said(manifest) and "warning.refund_columns_unused" not in said(manifest)
    assert ("warning.adjusted_zeros" in said(manifest)) == bool(filler)


def test_vend_tells_a_receipt_by_one_row_and_its_lines_by_others(tmp_path: Path) -> None:
    rows, net = Rows(), Decimal(0)
    for at in range(70):
        lines = [Decimal(at * 17 % 40 + 5 + piece) for piece in range(at % 3 + 1)]
        sign, void = -1 if at % 11 == 5 else 1, at % 13 == 7
        whole = {"Date": f"{START + timedelta(hours=29 * at):%Y-%m-%d %H:%M:%S}", "Receipt Number": 1_000 + at}
        whole |= {"Customer Code": f"c{at % 15}", "Status": "VOIDED" if void else "CLOSED", "Register": "Main"}

        def row(kind: str, paid: Decimal, sku: str = "", whole: dict[str, object] = whole) -> dict[str, object]:
            money = {"Subtotal": paid, "Sales Tax": paid / 10, "Discount": "0.00", "Total": paid * 11 / 10}
            return {**whole, "Line Type": kind, "Quantity": 1, **money, "Sku": sku}

        rows.append(row("Sale", sign * sum(lines, Decimal(0))))
        rows += [row("Sale Line", sign * paid, f"sku{paid}") for paid in lines]
        rows.append(row("Payment", sign * sum(lines, Decimal(0))))
        net += 0 if void else sign * sum(lines)
    manifest, events = read(tmp_path, rows)
    assert manifest.net_revenue == float(net)
    assert (events["event_type"].isin(["purchase", "return"])).sum() == sum(at % 13 != 7 for at in range(70))
    assert "warning.order_totals" not in said(manifest)


def test_eventbrite_says_in_a_column_what_was_refunded(tmp_path: Path) -> None:
    rows, net = Rows(), Decimal(0)
    for at in range(80):
        paid = Decimal(at * 13 % 50 + 10)
        back = paid if at % 12 == 0 else Decimal(5) if at % 15 == 1 else Decimal(0)
        rows.append(
            {"Order #": 900 + at, "Order Date": f"{START + timedelta(hours=31 * at):%Y-%m-%d %H:%M:%S}-05:00"}
            | {"Email": f"p{at % 25}@x.org", "Quantity": 1, "Ticket Type": "General", "Currency": "USD"}
            | {
                "Total Paid": f"{paid:.2f}",
                "Fees Paid": "1.00",
                "Attendee Status": "Attending",
                "Refunded": f"{back:.2f}",
            }
        )
        net += paid - back
    manifest, _ = read(tmp_path, rows)
    assert manifest.net_revenue == float(net) and manifest.mapping["refund"] == "Refunded"


@pytest.mark.parametrize("values", [["0", "1", "2"], ["no", "yes", "no"], ["", "", ""]])
def test_a_column_called_refunded_that_holds_no_money_is_no_refund(tmp_path: Path, values: list[str]) -> None:
    lines = [f"c{at % 9},2024-03-{at % 27 + 1:02},{at + 1}.25,{values[at % 3]}" for at in range(60)]
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,date,amount,refunded", *lines]) + "\n")
    meanings = {item.column: item.canonical for item in inspect_file(tmp_path / "log.csv").columns}
    assert meanings["refunded"] in (None, "order_status")


@pytest.mark.parametrize("refunds", [True, False])
def test_segment_tells_a_refund_by_its_total_alone(tmp_path: Path, refunds: bool) -> None:
    rows, revenue, total = Rows(), Decimal(0), Decimal(0)
    for at in range(80):
        paid, when = Decimal(at * 13 % 50 + 10), START + timedelta(hours=31 * at)
        who = {"user_id": f"u{at % 20}", "timestamp": f"{when:%Y-%m-%dT%H:%M:%SZ}", "properties.order_id": f"o{at}"}
        money = {"properties.revenue": paid, "properties.subtotal": paid + 2, "properties.total": paid + 6}
        rows.append({"event": "Product Viewed", **who, "properties.order_id": ""})
        rows.append(
            {"event": "Order Completed", **who, **money, "properties.discount": 2, "properties.currency": "USD"}
        )
        revenue, total = revenue + paid, total + paid + 6
        if refunds and at % 14 == 0:
            rows.append({"event": "Order Refunded", **who, "properties.total": paid + 6, "properties.currency": "USD"})
            total -= paid + 6
    manifest, _ = read(tmp_path, rows)
    assert manifest.net_revenue == float(total if refunds else revenue)
    assert ("warning.amount_of_returns" in said(manifest)) == refunds


def test_gumroad_says_whether_and_how_much_was_refunded(tmp_path: Path) -> None:
    rows, net = Rows(), Decimal(0)
    for at in range(80):
        paid = Decimal(at * 13 % 50 + 10)
        back = paid if at % 13 == 0 else Decimal(2) if at % 17 == 3 else Decimal(0)
        rows.append(
            {
                "Purchase ID": at,
                "Purchase Email": f"g{at % 25}@x.org",
                "Purchase Date": f"{START + timedelta(days=at):%Y-%m-%d}",
            }
            | {"Subtotal ($)": f"{paid:.2f}", "Quantity": 1, "Refunded?": str(back == paid).lower()}
            | {"Partial Refund?": str(back == 2).lower(), "Refunded ($)": f"{back:.2f}"}
        )
        net += paid - back
    manifest, _ = read(tmp_path, rows)
    assert manifest.net_revenue == float(net) and manifest.mapping["refund"] == "Refunded ($)"


def test_clover_tells_of_payments_that_failed_in_a_column_of_results(tmp_path: Path) -> None:
    rows, net = Rows(), Decimal(0)
    for at in range(80):
        paid, fine = Decimal(at * 13 % 50 + 10), at % 9 > 0
        rows.append(
            {"Payment Date": f"{START + timedelta(hours=29 * at):%d-%b-%Y %I:%M %p} EST", "Payment ID": f"p{at}"}
            | {
                "Customer ID": f"c{at % 20}",
                "Amount": f"${paid:.2f}",
                "Refund Amount": "$1.00" if at % 13 == 2 else "$0.00",
            }
            | {"Result": "SUCCESS" if fine else "FAIL"}
        )
        net += (paid - (at % 13 == 2)) if fine else 0
    manifest, _ = read(tmp_path, rows)
    assert manifest.net_revenue == float(net) and manifest.rows_set_aside == sum(at % 9 == 0 for at in range(80))
