"""Tills and ledgers write a return as a row of its own, with a positive amount: its kind alone says what it is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.manifest import Manifest
from clv_core.collection.stored.store import open_dataset
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.collection.small_logs import warnings

pytestmark = pytest.mark.first(2)

LEDGERS = {
    "japanese till": ("伝票番号,会員番号,取引日時,取引区分,金額", "売上", "返品", "取消"),
    "chinese ledger": ("单据编号,会员编号,日期,单据类型,金额", "销售单", "退货单", "作废"),
    "chinese stock": ("单据编号,会员编号,日期,业务类型,金额", "销售出库", "销售退货", "已作废"),
    "english ledger": ("document_number,customer_id,date,document_type,amount", "Invoice", "Credit Note", "Void"),
    "english ledger, in full": (
        "document_no,customer_id,date,document_type,amount",
        "Invoices",
        "Sales Credit Note",
        "Void",
    ),
    "german ledger": ("Belegnummer,Kundennummer,Datum,Belegart,Betrag", "Rechnung", "Gutschrift", "Storniert"),
    "french ledger": ("numéro_facture,client,date,Type de pièce,montant", "Facture", "Avoir", "Annulée"),
    "spanish ledger": ("pedido,cliente,fecha,Tipo de comprobante,importe", "Factura", "Nota de crédito", "Anulada"),
}
"""Column names, and what a sale, a return and a void are called."""


def read(folder: Path, lines: list[str], states: dict[str, str] | None = None) -> tuple[Manifest, pd.DataFrame]:
    file, workspace = folder / "rows.csv", Workspace(folder / "ws")
    file.write_text("\n".join(lines), encoding="utf-8")
    manifest = ingest(workspace, file, "till", states=states or {})
    return manifest, pd.read_parquet(open_dataset(workspace, "till").events_path)


def ledger(name: str) -> tuple[list[str], dict[str, int]]:
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
    lines, sums = ledger(name)
    _, sale, back, void = LEDGERS[name]
    manifest, events = read(tmp_path, lines)
    assert manifest.net_revenue == sums[sale] - sums[back] and sums[back] > 0
    assert manifest.rows_set_aside == sum(void in line for line in lines)
    assert set(events.loc[events["amount"] < 0, "event_type"]) == {"return"}
    said = {one["code"]: one["params"] for one in manifest.warnings}
    assert said["warning.return_rows"]["words"] == [back]


def test_the_person_may_say_that_they_are_sales_that_were_paid_back(tmp_path: Path) -> None:
    lines, sums = ledger("japanese till")
    manifest, _ = read(tmp_path, lines, {"返品": "cancelled"})
    assert manifest.net_revenue == sums["売上"]
    assert "return_rows" not in warnings(manifest)


def test_a_return_under_the_number_of_its_sale_keeps_its_own_amount(tmp_path: Path) -> None:
    lines, net = ["伝票番号,会員番号,取引日時,取引区分,商品コード,金額"], 0
    for at in range(90):
        start = f"R{at:04},M{at % 25},2024/{at % 9 + 1:02}/{at % 27 + 1:02} 10:{at % 60:02}"
        lines += [f"{start},売上,P{piece},{3000 + at}" for piece in range(1 + at % 3)]  # the slip's total in each row
        net += 3000 + at
        if at % 10 == 0:
            lines.append(f"{start.replace(' 10:', ' 18:')},返品,P0,{1000 + at}")
            net -= 1000 + at
    manifest, events = read(tmp_path, lines)
    assert manifest.net_revenue == net
    assert events.loc[events["event_type"] == "return", "amount"].tolist() == [-1000 - at for at in range(0, 90, 10)]


def test_in_a_column_of_states_a_refunded_order_is_worth_nothing_as_before(tmp_path: Path) -> None:
    lines = ["order_id,customer_id,date,order_status,amount"]
    lines += [f"O{at},C{at % 9},2024-0{at % 9 + 1}-11,{'refunded' if at % 7 == 0 else 'paid'},10" for at in range(70)]
    manifest, events = read(tmp_path, lines)
    assert manifest.net_revenue == 600 and (events["amount"] > 0).all()


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
    manifest, _ = read(tmp_path, lines)
    said = {one["code"] for one in manifest.warnings}
    assert manifest.net_revenue == net and ("warning.return_rows" if worth else "warning.refunded") in said


def test_codes_of_kinds_that_nobody_knows_are_spoken_of(tmp_path: Path) -> None:
    lines, net = ["Faktura,Auftraggeber,Fakturadatum,Fakturaart,Nettowert"], 0
    for at in range(90):
        lines.append(f"90{at},{at % 20:06},21.{at % 9 + 1:02}.2024,{'B7' if at % 8 == 3 else 'A7'},{at + 10}")
        net += -(at + 10) if at % 8 == 3 else at + 10
    with pytest.raises(NeedsAnswer) as asked:
        read(tmp_path, lines)
    assert {"A7", "B7"} == set(asked.value.params["states"])
    assert read(tmp_path, lines, {"B7": "refunded"})[0].net_revenue == net


def test_an_invoice_that_was_voided_or_only_drafted_is_no_sale(tmp_path: Path) -> None:
    lines, net = ["Invoice ID,Invoice Date,Invoice Status,Customer ID,Item Name,Item Total"], 0
    for at in range(90):
        word = ["Closed", "Void", "Overdue", "Draft"][at % 4 if at % 5 == 0 else 0]
        lines.append(f"1{at},2024-{at % 9 + 1:02}-11,{word},c{at % 20},Chair,{at + 10}")
        net += at + 10 if word in ("Closed", "Overdue") else 0
    assert read(tmp_path, lines, {"Overdue": "sold"})[0].net_revenue == net
