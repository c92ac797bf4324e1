"""Ledgers, bills and reports of accounts: documents, rows of returns, headings with a customer each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.check import check_file
from clv_core.collection.infer.event_names import ledger_event_types
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import open_dataset
from clv_core.workspace import Workspace
from tests.collection.small_logs import asked, put, read, read_lines, refused

pytestmark = pytest.mark.first(8)

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
    return put(folder, lines, "ledger.csv"), net


@pytest.mark.examples(2)
@pytest.mark.parametrize("kind", ["Transaction Type", "Type"])
@pytest.mark.parametrize("sign", ["-", ""])
def test_invoices_are_sales_credit_memos_returns_and_payments_neither(tmp_path: Path, kind: str, sign: str) -> None:
    file, net = ledger(tmp_path, kind, sign=sign)
    manifest, events, _ = read(file)
    assert manifest.net_revenue == net and manifest.customers == 20
    assert events["event_type"].value_counts().to_dict() == {"purchase": 60, "Payment": 54, "return": 10}


LEDGERS = {
    "japanese till": ("伝票番号,会員番号,取引日時,取引区分,金額", "売上", "返品", "取消"),
    "chinese ledger": ("单据编号,会员编号,日期,单据类型,金额", "销售单", "退货单", "作废"),
    "chinese stock": ("单据编号,会员编号,日期,业务类型,金额", "销售出库", "销售退货", "已作废"),
    "english ledger": ("document_number,customer_id,date,document_type,amount", "Invoice", "Credit Note", "Void"),
    "in full": ("document_no,customer_id,date,document_type,amount", "Invoices", "Sales Credit Note", "Void"),
    "german ledger": ("Belegnummer,Kundennummer,Datum,Belegart,Betrag", "Rechnung", "Gutschrift", "Storniert"),
    "french ledger": ("numéro_facture,client,date,Type de pièce,montant", "Facture", "Avoir", "Annulée"),
    "spanish ledger": ("pedido,cliente,fecha,Tipo de comprobante,importe", "Factura", "Nota de crédito", "Anulada"),
}
"""Column names, and what a sale, a return and a void are called."""


def kinds_ledger(name: str) -> tuple[list[str], dict[str, int]]:
    head, *kinds = LEDGERS[name]
    lines, sums = [head], dict.fromkeys(kinds, 0)
    for at in range(120):
        kind = kinds[0] if at % 9 else kinds[1] if at % 2 else kinds[2]
        lines.append(f"D{at:04},C{at % 30},2024-{at % 9 + 1:02}-{at % 27 + 1:02},{kind},{100 + at}")
        sums[kind] += 100 + at
    return lines, sums


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", LEDGERS)
def test_what_is_called_a_return_is_taken_off_and_a_void_is_none(tmp_path: Path, name: str) -> None:
    lines, sums = kinds_ledger(name)
    _, sale, back, void = LEDGERS[name]
    manifest, events, said = read_lines(tmp_path, lines)
    assert manifest.net_revenue == sums[sale] - sums[back] and sums[back] > 0
    assert manifest.rows_set_aside == sum(void in line for line in lines)
    assert set(events.loc[events["amount"] < 0, "event_type"]) == {"return"}
    assert said["return_rows"]["words"] == [back]


def test_the_person_may_say_that_they_are_sales_that_were_paid_back(tmp_path: Path) -> None:
    lines, sums = kinds_ledger("japanese till")
    manifest, _, said = read_lines(tmp_path, lines, states={"返品": "cancelled"})
    assert manifest.net_revenue == sums["売上"] and "return_rows" not in said


REPORT_HEAD = ["", "Date", "Transaction type", "Num", "Product/Service", "Qty", "Amount", "Balance"]

TITLES = ["Sales by Customer Detail", "Acme Ltd", "January - December 2024"]


def report(file: Path, *, padded: bool = False, month: int = 1, total: str = "Total for {}") -> dict[str, float]:
    """Write sales and credit memos of 25 customers as QuickBooks does; return what each is worth."""
    lines, worth = [*TITLES, ",".join(REPORT_HEAD)], dict[str, float]()
    for who in range(25):
        name, sums = f'"Adams, {who} & Sons"' if who % 3 else f"Customer {who}", 0
        lines.append(name + "," * 7 * padded)
        for at in range(who % 4 + 1):
            amount = (1_000 + 37 * who + 11 * at) * (-1 if at == 3 else 1)
            sums += amount
            kind = "Credit Memo" if amount < 0 else "Invoice"
            lines.append(f',{month + at:02}/{who + 3:02}/2024,{kind},{who}{at},Chair,1,"{amount:,}.50","{sums:,}"')
            sums += 0.5 if amount > 0 else -0.5
        lines.append(f'"{total.format(name.strip(chr(34)))}",,,,,{who % 4 + 1},"${sums:,.2f}",')
        worth[name.strip('"')] = sums
    lines += [f'TOTAL,,,,,,"${sum(worth.values()):,.2f}",', "", '"Monday, July 1, 2024 10:11 AM - Accrual Basis"']
    file.write_text("\n".join(lines) + "\n")
    return worth


@pytest.mark.examples(2)
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("total", ["Total for {}", "Total {}", "{} total", "{} 合计"])
def test_sales_are_those_of_the_customer_above_them(tmp_path: Path, padded: bool, total: str) -> None:
    worth = report(tmp_path / "report.csv", padded=padded, total=total)
    manifest, events, said = read(tmp_path / "report.csv")
    assert events.groupby("customer_id")["amount"].sum().to_dict() == worth
    assert manifest.rows_kept == sum(who % 4 + 1 for who in range(25)) and manifest.rows_read == manifest.rows_kept + 52
    assert said["headed_groups"]["groups"] == 25


def test_dates_may_stand_where_the_names_do(tmp_path: Path) -> None:
    lines = ["Receivable Invoice Detail", "Invoice Date,Source,Invoice Number,Reference,Gross"]
    worth: dict[str, float] = {}
    for who in range(20):
        name = f"Company {chr(65 + who)} Ltd"
        lines.append(name + ",,,,")
        rows = [(f"{at + 1} Mar 2024", 50.25 + who + at) for at in range(who % 3 + 1)]
        lines += [f"{day},Receivable Invoice,INV-{who}{at},,{sums}" for at, (day, sums) in enumerate(rows)]
        worth[name] = sum(sums for _, sums in rows)
        lines.append(f"Total {name},,,,{worth[name]}")
    lines.append(f"Total,,,,{sum(worth.values())}")
    events = read_lines(tmp_path, lines)[1]
    assert events.groupby("customer_id")["amount"].sum().to_dict() == worth


BILL_HEAD = (
    "交易时间,商户号,微信订单号,商户订单号,用户标识,交易类型,交易状态,货币种类,应结订单金额,退款金额,退款状态,商品名称,订单金额"
    ",申请退款金额,费率备注"
)

PAID = [round(20 + at * 1.37, 2) for at in range(60)]

BACK = {at: round(PAID[at] / (2 if at % 2 else 1), 2) for at in range(0, 60, 7)}

TOTALS = "总交易单数,应结订单总金额,退款总金额\r\n`69,`3000.00,`200.00\r\n"


def bill_row(at: int, *, refund: bool) -> str:
    day, back = at % 27 + 1 + refund, BACK[at] if refund else 0.0
    paid = 0.0 if refund else PAID[at]
    state, refunded = ("REFUND", "SUCCESS") if refund else ("SUCCESS", "")
    start = f"2024-{at // 27 + 1:02}-{day:02} 10:{at:02}:00|1900000109|42{at:08}|M{at:06}|oUp{at % 11:04}|JSAPI|{state}"
    cells = f"{start}|CNY|{paid:.2f}|{back:.2f}|{refunded}|茶, 大|{paid:.2f}|{back:.2f}|".split("|")
    return ",".join(f"`{cell}" for cell in cells)


def test_a_bill_is_read_without_a_question_and_is_worth_what_was_kept(tmp_path: Path) -> None:
    rows = [bill_row(at, refund=False) for at in range(60)] + [bill_row(at, refund=True) for at in BACK]
    file = tmp_path / "bill.csv"
    file.write_text("\ufeff" + "\r\n".join([BILL_HEAD, *rows]) + "\r\n" + TOTALS, encoding="utf-8", newline="")
    manifest, events, said = read(file)
    assert manifest.net_revenue == pytest.approx(sum(PAID) - sum(BACK.values()))
    assert manifest.customers == 11 and manifest.currency == "CNY" and manifest.rows_set_aside == 2
    assert events["event_type"].value_counts().to_dict() == {"purchase": 60, "return": len(BACK)}
    assert said.keys() >= {"backticks", "refunds_apart"}
    assert set(events["product_id"]) == {"茶, 大"} and not events["customer_id"].str.contains("`").any()


def test_the_check_says_what_ingest_takes_them_for(tmp_path: Path) -> None:
    found = {one.name: one.event_type for one in check_file(ledger(tmp_path)[0]).event_names}
    assert found == {"Invoice": "purchase", "Payment": "Payment", "Credit Memo": "return"}


@pytest.mark.parametrize(("bill", "credit", "paid"), [("Inv", "CM", "Pmt"), ("INV", "Credit Note", "Payment")])
def test_abbreviated_documents_are_those_in_full(tmp_path: Path, bill: str, credit: str, paid: str) -> None:
    file, net = ledger(tmp_path, "Type")
    short = file.read_text().replace(",Invoice,", f",{bill},").replace(",Credit Memo,", f",{credit},")
    file.write_text(short.replace(",Payment,", f",{paid},"))
    assert read(file)[0].net_revenue == net


def test_the_person_may_count_payments_instead(tmp_path: Path) -> None:
    said = {"Payment": "purchase", "Invoice": "invoice", "Credit Memo": "credit"}
    assert read(ledger(tmp_path)[0], events=said)[0].net_revenue == sum(100 + at for at in range(6, 60))


def test_invoices_beside_orders_or_without_amounts_are_left_as_they_were(tmp_path: Path) -> None:
    assert ledger_event_types(["order", "invoice", "payment"]) == {}
    lines = ["customer_id,time,event,amount"]
    for at in range(40):
        lines += [f"c{at % 9},2024-03-{at % 28 + 1:02},{said}" for said in ("invoice,", "payment,10")]
    assert read_lines(tmp_path, lines)[0].net_revenue == 400


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("kind", "bill", "credit", "paid"),
    [
        ("Type", "SI", "SC", "SR"), ("Type", "1", "2", "3"), ("FkArt", "F2", "G2", ""),
        ("Billing Type", "ZF2", "RE", "F8"), ("Document Type", "RV", "DG", "DZ"), ("Belegart", "DR", "DG", "AB"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("sign", ["-", ""])
def test_codes_of_sage_and_sap_are_asked_about(
    tmp_path: Path, kind: str, bill: str, credit: str, paid: str, sign: str
) -> None:
    file, _ = ledger(tmp_path, kind, sign=sign)
    text = file.read_text().replace(",Invoice,", f",{bill},").replace(",Credit Memo,", f",{credit},")
    lines = [line.replace(",Payment,", f",{paid},") for line in text.splitlines() if paid or ",Payment," not in line]
    question = asked(put(tmp_path, lines))
    assert all(code in question.message() for code in (kind, bill, credit))


@pytest.mark.parametrize("words", [["F1", "F2"], ["SI", "NO"], ["SC", "SP", "RJ"], ["RE", "G2"], ["S1", "S2", "F1"]])
def test_other_codes_are_no_documents(words: list[str]) -> None:
    assert ledger_event_types(words) == {}


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


def test_a_return_under_the_number_of_its_sale_keeps_its_own_amount(tmp_path: Path) -> None:
    lines, net = ["伝票番号,会員番号,取引日時,取引区分,商品コード,金額"], 0
    for at in range(90):
        start = f"R{at:04},M{at % 25},2024/{at % 9 + 1:02}/{at % 27 + 1:02} 10:{at % 60:02}"
        lines += [f"{start},売上,P{piece},{3000 + at}" for piece in range(1 + at % 3)]  # the slip's total in each row
        net += 3000 + at
        if at % 10 == 0:
            lines.append(f"{start.replace(' 10:', ' 18:')},返品,P0,{1000 + at}")
            net -= 1000 + at
    manifest, events, _ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == net
    assert events.loc[events["event_type"] == "return", "amount"].tolist() == [-1000 - at for at in range(0, 90, 10)]


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("name", "yes", "worth"), [("is_return", "1", -1), ("is_refund", "true", -1), ("refund_flag", "Y", 0)]
)
def test_yes_and_no_say_of_a_row_that_it_is_a_return_or_of_an_order_that_it_was_refunded(
    tmp_path: Path, name: str, yes: str, worth: int
) -> None:
    no = {"1": "0", "true": "false", "Y": "N"}[yes]
    lines, net = [f"order_id,customer_id,date,{name},amount"], 0
    for at in range(90):
        back = at % 8 == 3
        lines.append(f"o{at},c{at % 20},2024-{at % 9 + 1:02}-11,{yes if back else no},{at + 10}")
        net += worth * (at + 10) if back else at + 10
    manifest, _, said = read_lines(tmp_path, lines)
    assert manifest.net_revenue == net and ("return_rows" if worth else "refunded") in said


def test_codes_of_kinds_that_nobody_knows_are_spoken_of(tmp_path: Path) -> None:
    lines, net = ["Faktura,Auftraggeber,Fakturadatum,Fakturaart,Nettowert"], 0
    for at in range(90):
        lines.append(f"90{at},{at % 20:06},21.{at % 9 + 1:02}.2024,{'B7' if at % 8 == 3 else 'A7'},{at + 10}")
        net += -(at + 10) if at % 8 == 3 else at + 10
    assert {"A7", "B7"} == set(asked(put(tmp_path, lines)).params["states"])
    assert read_lines(tmp_path, lines, states={"B7": "refunded"})[0].net_revenue == net


def test_an_invoice_that_was_voided_or_only_drafted_is_no_sale(tmp_path: Path) -> None:
    lines, net = ["Invoice ID,Invoice Date,Invoice Status,Customer ID,Item Name,Item Total"], 0
    for at in range(90):
        word = ["Closed", "Void", "Overdue", "Draft"][at % 4 if at % 5 == 0 else 0]
        lines.append(f"1{at},2024-{at % 9 + 1:02}-11,{word},c{at % 20},Chair,{at + 10}")
        net += at + 10 if word in ("Closed", "Overdue") else 0
    assert read_lines(tmp_path, lines, states={"Overdue": "sold"})[0].net_revenue == net


def test_the_next_report_joins_and_lines_keep_their_numbers(tmp_path: Path) -> None:
    first, more = report(tmp_path / "first.csv"), report(tmp_path / "more.csv", month=6)
    workspace = Workspace(tmp_path / "ws")
    ingest(workspace, tmp_path / "first.csv", "books")
    manifest = append(workspace, "books", tmp_path / "more.csv")
    assert manifest.net_revenue == sum(first.values()) + sum(more.values())
    aside = pd.read_parquet(open_dataset(workspace, "books").folder / "set_aside.parquet").query("file == 'first.csv'")
    lines = (tmp_path / "first.csv").read_text().splitlines()
    told = aside[aside["Customer"].str.startswith("Total")]
    assert all(lines[at - 1].strip('"').startswith(who) for at, who in zip(told["line"], told["Customer"], strict=True))


def test_groups_within_groups_are_not_guessed(tmp_path: Path) -> None:
    lines = [",Date,Num,Amount"]
    for who in range(12):
        lines += [f"Parent {who}", f"Job {who}", f",2024-03-{who + 1:02},{who},10.50", f"Total for Job {who},,,10.50"]
        lines.append(f"Total for Parent {who} with sub-customers,,,10.50")
    assert asked(put(tmp_path, lines)).params["canonical"] == "customer_id"


def test_groups_of_products_are_none_of_customers(tmp_path: Path) -> None:
    lines, net = [",Date,Customer,Amount"], 0
    for product in range(12):
        lines.append(f"Chair {product},,,")
        for at in range(5):
            lines.append(f",2024-03-{at + 1:02},C{(at + product) % 9},{at + 10}")
            net += at + 10
        lines.append(f"Total for Chair {product},,,60")
    manifest, *_ = read_lines(tmp_path, lines, duplicates="keep")
    assert manifest.net_revenue == net and manifest.customers == 9


def test_empty_cells_below_a_name_say_nothing_without_totals(tmp_path: Path) -> None:
    lines = [",Date,Num,Amount"]
    lines += [f"Anna {at}" if at % 3 == 0 else f",2024-03-{at % 27 + 1:02},{at},10.50" for at in range(60)]
    asked(put(tmp_path, lines))


def test_what_was_left_of_a_refunded_order_is_no_refund_of_its_own(tmp_path: Path) -> None:
    rows = [
        f"o{at},c{at % 9},2024-03-{at % 28 + 1:02},{0 if at % 8 == 0 else at + 5},{at + 5 if at % 8 == 0 else 0}"
        for at in range(60)
    ]
    manifest, *_ = read_lines(tmp_path, ["order_id,customer_id,order_date,net_amount,refund_amount", *rows])
    assert manifest.net_revenue == sum(at + 5 for at in range(60) if at % 8)


def test_kinds_of_transactions_without_a_state_beside_them_are_asked_about(tmp_path: Path) -> None:
    rows = [f"c{at % 9},2024-03-{at % 28 + 1:02},{at + 5},JSAPI" for at in range(60)]
    assert refused(put(tmp_path, ["customer_id,order_date,amount,交易类型", *rows])).code == "no_purchases"
