"""Names that invoicing, tracking and loyalty systems give their columns, each file beside what it comes to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.manifest import Manifest
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)


def read(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Manifest:
    (folder / name).write_bytes(text.encode(encoding))
    return ingest(Workspace(folder / "ws"), folder / name, "log")


def german(amount: float) -> str:
    """Write an amount as an invoicing system does: 1.234,50, the minus behind it."""
    digits = f"{abs(amount):,.2f}".translate(str.maketrans(",.", ".,"))
    return f"{digits}-" if amount < 0 else digits


def test_invoices_of_a_german_system_with_the_minus_behind(tmp_path: Path) -> None:
    lines = ["Verkaufsbeleg;Pos.;Auftraggeber;Fakturadatum;Material;Fakturierte Menge;ME;Nettowert;Währg"]
    sums = [(1_000.5 + at * 7) * (-1 if at % 9 == 4 else 1) for at in range(80)]
    for at, amount in enumerate(sums):
        day, pieces = f"{at % 28 + 1:02}.0{at % 9 + 1}.2024", "1,000-" if amount < 0 else "1,000"
        lines.append(f"{9000 + at};10;{100200 + at % 17:010};{day};M{at % 4};{pieces};ST;{german(amount)};EUR")
    manifest = read(tmp_path, "vf05.csv", "\r\n".join(lines), "cp1252")
    assert manifest.net_revenue == pytest.approx(sum(sums)) and manifest.currency == "EUR"
    assert manifest.customers == 17 and manifest.rows_set_aside == 0


def test_a_trackers_transactions_with_their_items_in_rows_of_their_own(tmp_path: Path) -> None:
    lines, sold = (
        ["event,user_id,etl_tstamp,derived_tstamp,collector_tstamp,tr_orderid,tr_total,ti_orderid,ti_price"],
        0,
    )
    for at in range(90):
        start = f"u{at % 13},2024-05-01 00:00:00,2024-0{at % 4 + 1}-{at % 28 + 1:02} 10:00:00,2024-05-01 00:00:00"
        if at % 3:
            lines.append(f"page_view,{start},,,,")
            continue
        sold += 20 + at
        lines += [f"transaction,{start},T{at},{20 + at},,"]
        lines += [f"transaction_item,{start},,,T{at},{price}" for price in (5, 15 + at)]
    manifest = read(tmp_path, "events.csv", "\n".join(lines))
    assert manifest.net_revenue == sold and manifest.first_event.startswith("2024-01-01")
    assert manifest.event_types == {"purchase": 30, "view": 60, "transaction_item": 60}


def test_revenue_that_an_app_reports_is_a_purchase(tmp_path: Path) -> None:
    records, sold = [], 0.0
    for at in range(60):
        money = {"$price": 2.5 + at, "$quantity": 2, "$revenue": 2 * (2.5 + at)} if at % 2 else {}
        sold += money.get("$revenue", 0)
        when = f"2024-0{at % 4 + 1}-{at % 28 + 1:02} 10:00:00.000000"
        kind = "revenue_amount" if money else "view item"
        records.append({"user_id": f"u{at % 9}", "event_time": when, "event_type": kind, "event_properties": money})
    manifest = read(tmp_path, "events.json", "\n".join(map(json.dumps, records)))
    assert manifest.net_revenue == sold and manifest.event_types == {"purchase": 30, "view": 30}


def test_points_beside_what_a_member_spent_are_no_money(tmp_path: Path) -> None:
    lines = ["Member No,Transaction Date,Receipt No,Points Earned,Points Redeemed,Points Balance,Spend"]
    for at in range(60):
        lines.append(f"M{at % 11},{at % 28 + 1:02}/0{at % 4 + 1}/2024 10:00,R{at},{at},0,{500 + at},{at}.75")
    manifest = read(tmp_path, "points.csv", "\n".join(lines))
    assert manifest.net_revenue == sum(at + 0.75 for at in range(60)) and manifest.customers == 11


def test_items_of_a_customers_account_in_sap(tmp_path: Path) -> None:
    """Invoices (RV), credit notes (DG) and payments (DZ), the latter two with the minus behind."""
    lines, net = ["Customer;Document Number;Document Type;Posting Date;Amount in local currency;Local Currency"], 0.0
    for at in range(80):
        day, amount = f"{at % 28 + 1:02}.0{at % 9 + 1}.2024", 1_000.5 + at * 7
        who = f"{100200 + at % 17}"
        lines.append(f"{who};18{at:05};RV;{day};{german(amount)};EUR")
        lines.append(f"{who};14{at:05};DZ;{day};{german(-amount)};EUR")
        net += amount
        if at % 9 == 4:
            lines.append(f"{who};19{at:05};DG;{day};{german(-50)};EUR")
            net -= 50
    manifest = read(tmp_path, "fbl5n.csv", "\n".join(lines))
    assert manifest.net_revenue == pytest.approx(net) and manifest.customers == 17


def test_an_audit_trail_of_sage(tmp_path: Path) -> None:
    lines, net = ["No,Type,Date,Account Ref,Nominal A/C,Ref,Details,Net Amount,Tax Amount,T/C,Gross Amount"], 0.0
    for at in range(80):
        day, who = f"{at % 28 + 1:02}/0{at % 9 + 1}/2024", f"AC{at % 17:03}"
        lines.append(f"{3 * at},SI,{day},{who},4000,{at},Goods,{100 + at}.00,20.00,T1,{120 + at}.00")
        lines.append(f"{3 * at + 1},SR,{day},{who},1200,{at},Sales Receipt,{120 + at}.00,0.00,T9,{120 + at}.00")
        net += 100 + at
        if at % 9 == 4:
            lines.append(f"{3 * at + 2},SC,{day},{who},4000,{at},Back,7.50,1.50,T1,9.00")
            net -= 7.5
    manifest = read(tmp_path, "audit.csv", "\n".join(lines))
    assert manifest.net_revenue == pytest.approx(net) and manifest.customers == 17


def test_stripes_balance_by_its_items(tmp_path: Path) -> None:
    """Charges and refunds have signs; payouts to the shop name no customer."""
    head = "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,customer_id"
    lines, net = [head], 0.0
    for at in range(80):
        day, gross = f"2024-0{at % 9 + 1}-{at % 28 + 1:02}", -5.25 if at % 9 == 4 else 20.5 + at
        kind = "refund" if gross < 0 else "charge"
        lines.append(f"txn_{at},{day} 10:00:00,{day} 00:00:00,eur,{gross},0.5,{gross - 0.5},{kind},cus_{at % 17}")
        net += gross
        if at % 20 == 7:
            lines.append(f"txn_p{at},{day} 10:00:00,{day} 00:00:00,eur,-900,0,-900,payout,")
    manifest = read(tmp_path, "balance.csv", "\n".join(lines))
    assert manifest.net_revenue == pytest.approx(net) and manifest.currency == "EUR" and manifest.customers == 17
