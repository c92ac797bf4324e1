"""A ledger lists invoices, credit memos and the payments that settle them: what was invoiced counts, and only once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.check import check_file
from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.kinds.documents import of_documents
from clv_core.collection.stored.store import open_dataset
from clv_core.workspace import Workspace
from tests.collection.small_logs import read_lines

pytestmark = pytest.mark.first(2)

HEAD = "Customer,Date,{kind},Num,Account,Amount"


def ledger(folder: Path, kind: str = "Transaction Type", *, sign: str = "-") -> tuple[Path, float]:
    """Write 60 invoices of 20 companies, each paid, and some taken back; return the file and what is left of them."""
    lines, net = [HEAD.format(kind=kind)], 0.0
    for at in range(60):
        who, day, sum_ = f"Company {at % 20} Ltd", f"2024-{at % 9 + 1:02}-{at % 20 + 1:02}", 100 + at
        lines += [f"{who},{day},Invoice,{1000 + at},Receivable,{sum_}.00"]
        lines += [f"{who},{day},Payment,,Bank,{sum_}.00"] if at > 5 else []
        lines += [f"{who},{day},Credit Memo,{2000 + at},Receivable,{sign}7.50"] if at % 6 == 0 else []
        net += sum_ - 7.5 * (at % 6 == 0)
    file = folder / "ledger.csv"
    file.write_text("\n".join(lines) + "\n")
    return file, net


@pytest.mark.examples(2)
@pytest.mark.parametrize("kind", ["Transaction Type", "Type"])
@pytest.mark.parametrize("sign", ["-", ""])
def test_invoices_are_sales_credit_memos_returns_and_payments_neither(tmp_path: Path, kind: str, sign: str) -> None:
    file, net = ledger(tmp_path, kind, sign=sign)
    workspace = Workspace(tmp_path / "ws")
    manifest = ingest(workspace, file, "ledger")
    events = pd.read_parquet(open_dataset(workspace, "ledger").events_path)
    assert manifest.net_revenue == net and manifest.customers == 20
    assert events["event_type"].value_counts().to_dict() == {"purchase": 60, "Payment": 54, "return": 10}


def test_a_column_of_a_few_values_is_no_customer_where_another_one_has_more(tmp_path: Path) -> None:
    manifest = ingest(Workspace(tmp_path / "ws"), ledger(tmp_path)[0], "ledger")
    assert manifest.mapping["customer_id"] == "Customer"


def test_the_check_says_what_ingest_takes_them_for(tmp_path: Path) -> None:
    check = check_file(ledger(tmp_path)[0])
    assert {one.name: one.event_type for one in check.event_names} == {
        "Invoice": "purchase",
        "Payment": "Payment",
        "Credit Memo": "return",
    }


def test_the_person_may_count_payments_instead(tmp_path: Path) -> None:
    said = {"Payment": "purchase", "Invoice": "invoice", "Credit Memo": "credit"}
    manifest = ingest(Workspace(tmp_path / "ws"), ledger(tmp_path)[0], "ledger", events=said)
    assert manifest.net_revenue == sum(100 + at for at in range(6, 60))


def test_invoices_beside_orders_or_without_amounts_are_left_as_they_were(tmp_path: Path) -> None:
    assert of_documents(["order", "invoice", "payment"]) == {}
    lines = ["customer_id,time,event,amount"]
    lines += [
        f"c{at % 9},2024-03-{at % 28 + 1:02},invoice,\nc{at % 9},2024-03-{at % 28 + 1:02},payment,10"
        for at in range(40)
    ]
    assert read_lines(tmp_path, lines)[0].net_revenue == 400


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("kind", "bill", "credit", "paid"),
    [
        ("Type", "SI", "SC", "SR"),
        ("FkArt", "F2", "G2", ""),
        ("Billing Type", "ZF2", "RE", "F8"),
        ("Document Type", "RV", "DG", "DZ"),
        ("Belegart", "DR", "DG", "AB"),
    ],
)
@pytest.mark.parametrize("sign", ["-", ""])
def test_codes_of_sage_and_sap_say_what_a_document_is(
    tmp_path: Path, kind: str, bill: str, credit: str, paid: str, sign: str
) -> None:
    file, net = ledger(tmp_path, kind, sign=sign)
    text = file.read_text().replace(",Invoice,", f",{bill},").replace(",Credit Memo,", f",{credit},")
    lines = [line.replace(",Payment,", f",{paid},") for line in text.splitlines() if paid or ",Payment," not in line]
    file.write_text("\n".join(lines) + "\n")
    assert ingest(Workspace(tmp_path / "ws"), file, "ledger").net_revenue == net


@pytest.mark.parametrize("words", [["F1", "F2"], ["SI", "NO"], ["SC", "SP", "RJ"], ["RE", "G2"], ["S1", "S2", "F1"]])
def test_other_codes_are_no_documents(words: list[str]) -> None:
    assert of_documents(words) == {}


@pytest.mark.examples(2)
@pytest.mark.parametrize("kind", ["Document Type", "Belegart", "Voucher Type"])
def test_refunds_beside_credit_notes_below_zero_only_settle_them(tmp_path: Path, kind: str) -> None:
    """Dynamics lists a customer's invoices, what they paid, what was credited, and that it was sent back to them."""
    lines, net = [f"Customer No.,Posting Date,{kind},Document No.,Amount"], 0.0
    for at in range(60):
        who, day = f"K{at % 20}", f"2024-{at % 9 + 1:02}-{at % 20 + 1:02}"
        lines += [f"{who},{day},Invoice,1{at},{100 + at}.00", f"{who},{day},Payment,2{at},-{100 + at}.00"]
        net += 100 + at
        if at % 6 == 0:
            lines += [f"{who},{day},Credit Memo,3{at},-7.50", f"{who},{day},Refund,4{at},7.50"]
            net -= 7.5
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == net and manifest.purchases == 60


def test_odoo_s_moves_say_which_is_a_refund(tmp_path: Path) -> None:
    lines, net = ["name,partner_id,invoice_date,move_type,amount_total,payment_state"], 0
    for at in range(90):
        kind = "out_refund" if at % 8 == 3 else "in_invoice" if at % 30 == 4 else "out_invoice"
        lines.append(f"M{at},Ann {at % 20},2024-{at % 9 + 1:02}-11,{kind},{at + 10},paid")
        net += {"out_refund": -(at + 10), "in_invoice": 0}.get(kind, at + 10)
    assert read_lines(tmp_path, lines, mapping={"customer_id": "partner_id"})[0].net_revenue == net


@pytest.mark.examples(2)
@pytest.mark.parametrize(("name", "other"), [("Trans", "Exchange"), ("Vorgang", "Umtausch"), ("Kind", "VOID")])
def test_exchanges_beside_sales_and_returns_hide_neither(tmp_path: Path, name: str, other: str) -> None:
    lines, net = [f"Order No,Customer No,Date,{name},Total"], 0
    for at in range(90):
        kind = other if at % 30 == 4 else "Return" if at % 8 == 3 else "Sale"
        lines.append(f"M{at},c{at % 20},2024-{at % 9 + 1:02}-11,{kind},{at + 10}")
        net += {other: 0, "Return": -(at + 10)}.get(kind, at + 10)
    assert read_lines(tmp_path, lines)[0].net_revenue == net
