"""Ledgers, banks and payment services write one amount in two columns: what came in, and what went out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.append import append
from clv_core.collection.ingest import ingest
from clv_core.collection.inspect import inspect_file
from clv_core.collection.stored.manifest import Manifest
from clv_core.collection.stored.store import open_dataset
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

PLAIN = {
    "english": ("Paid Out", "Paid In"),
    "german": ("Ausgaben (EUR)", "Einnahmen (EUR)"),
    "chinese": ("支出（元）", "收入（元）"),
    "chinese with signs": ("支出（-元）", "收入（+元）"),
    "japanese": ("出金額", "入金額"),
    "service": ("Gross Debit (GC)", "Gross Credit (GC)"),
}
"""Names that say which side is the shop's."""
BOOKED = {
    "english": ("Debit", "Credit"),
    "german": ("Soll", "Haben"),
    "spanish": ("Debe", "Haber"),
    "italian": ("Dare", "Avere"),
    "russian": ("Дебет", "Кредит"),
    "chinese": ("借方金额", "贷方金额"),
}
"""Names that do not."""


def statement(file: Path, out: str, into: str, *, minus: str = "", months: range = range(1, 7)) -> tuple[float, float]:
    """Write what 15 customers paid, and what some were given back; return what came in and what went out."""
    lines, paid, back = [f"customer_id,date,reference no,{out},{into},balance"], 0, 0
    for month in months:
        for at in range(40):
            lines.append(f"c{at % 15},2024-{month:02}-{at % 27 + 1:02},r{month}{at},,{at * 7 + month}.{at + 10},1")
            paid += 100 * (at * 7 + month) + at + 10
            if at % 8 == 0:
                lines.append(f"c{at % 15},2024-{month:02}-{at % 27 + 1:02},b{month}{at},{minus}{at + 3}.50,,1")
                back += 100 * (at + 3) + 50
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paid / 100, back / 100


def said(manifest: Manifest) -> dict[str, dict[str, object]]:
    return {one["code"]: one["params"] for one in manifest.warnings}


@pytest.mark.examples(2)
@pytest.mark.parametrize("names", PLAIN.values(), ids=PLAIN)
@pytest.mark.parametrize("minus", ["", "-"])
def test_what_went_out_is_taken_off_what_came_in(tmp_path: Path, names: tuple[str, str], minus: str) -> None:
    paid, back = statement(tmp_path / "bank.csv", *names, minus=minus)
    workspace = Workspace(tmp_path / "ws")
    manifest = ingest(workspace, tmp_path / "bank.csv", "bank")
    assert manifest.net_revenue == pytest.approx(paid - back, abs=1e-9)
    events = pd.read_parquet(open_dataset(workspace, "bank").events_path)
    assert events["event_type"].value_counts().to_dict() == {"purchase": 240, "return": 30}
    assert said(manifest)["warning.sides_plain"]["column"] == names[1]
    assert list(events.columns)[-4:] == ["reference no", *names, "balance"]


@pytest.mark.examples(2)
@pytest.mark.parametrize("names", BOOKED.values(), ids=BOOKED)
def test_a_debit_may_be_a_sale_or_none_so_that_it_is_asked(tmp_path: Path, names: tuple[str, str]) -> None:
    paid, back = statement(tmp_path / "bank.csv", *names)
    workspace, (out, into) = Workspace(tmp_path / "ws"), names
    with pytest.raises(NeedsAnswer, match=f"{into} - {out}") as asked:
        ingest(workspace, tmp_path / "bank.csv", "bank")
    assert asked.value.code == "which_side"
    manifest = ingest(workspace, tmp_path / "bank.csv", "bank", mapping={"amount": f"{into} - {out}"})
    assert manifest.net_revenue == pytest.approx(paid - back, abs=1e-9)
    turned = ingest(workspace, tmp_path / "bank.csv", "turned", mapping={"amount": f"{out} - {into}"})
    assert turned.net_revenue == pytest.approx(back - paid, abs=1e-9)


@pytest.mark.parametrize(("sale", "back", "debit"), [("Invoice", "Credit Memo", True), ("Sale", "Refund", False)])
def test_words_beside_them_say_which_side_is_that_of_sales(tmp_path: Path, sale: str, back: str, debit: bool) -> None:
    lines, net = ["Customer,Date,Type,Debit,Credit"], 0
    for at in range(60):
        start = f"Company {at % 12},2024-{at % 9 + 1:02}-{at % 27 + 1:02}"
        sides = [f"{100 + at}.00,", f",{100 + at}.00"]
        lines.append(f"{start},{sale},{sides[not debit]}")
        lines += [f"{start},Payment,,{100 + at}.00"] if debit else []
        net += 100 + at
        if at % 6 == 0:
            lines.append(f"{start},{back},{',9.00' if debit else '9.00,'}")
            net -= 9
    (tmp_path / "ledger.csv").write_text("\n".join(lines) + "\n")
    manifest = ingest(Workspace(tmp_path / "ws"), tmp_path / "ledger.csv", "ledger")
    assert manifest.net_revenue == net
    assert said(manifest)["warning.sides_told"]["column"] == ("Debit" if debit else "Credit")


def test_the_next_file_is_read_alike_though_nothing_went_out_in_it(tmp_path: Path) -> None:
    paid, back = statement(tmp_path / "first.csv", "Debit", "Credit")
    more, none = statement(tmp_path / "next.csv", "Debit", "Credit", months=range(7, 9))
    text = "\n".join(line for line in (tmp_path / "next.csv").read_text().splitlines() if not line.endswith(",,1"))
    (tmp_path / "next.csv").write_text(text + "\n")
    workspace = Workspace(tmp_path / "ws")
    ingest(workspace, tmp_path / "first.csv", "bank", mapping={"amount": "Credit - Debit"})
    manifest = append(workspace, "bank", tmp_path / "next.csv")
    assert none and manifest.net_revenue == pytest.approx(paid - back + more, abs=1e-9)


def test_a_row_that_fills_both_sides_is_set_aside(tmp_path: Path) -> None:
    paid, back = statement(tmp_path / "bank.csv", "Paid Out", "Paid In")
    with (tmp_path / "bank.csv").open("a") as file:
        file.write("c1,2024-06-28,x,5.00,7.00,1\n")
    manifest = ingest(Workspace(tmp_path / "ws"), tmp_path / "bank.csv", "bank")
    assert manifest.net_revenue == pytest.approx(paid - back, abs=1e-9) and manifest.rows_set_aside == 1


def test_an_amount_beside_them_stays_the_amount(tmp_path: Path) -> None:
    lines = ["customer_id,date,amount,debit,credit"]
    lines += [f"c{at % 9},2024-03-{at % 27 + 1:02},{at + 1}.25,,{at + 1}.25" for at in range(60)]
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    columns = {item.column: item.canonical for item in inspect_file(tmp_path / "log.csv").columns}
    assert columns["amount"] == "amount" and columns["credit - debit"] is None


def test_a_sale_and_the_refund_of_all_of_it_are_no_order_told_twice(tmp_path: Path) -> None:
    lines, net = ["order_id,customer_id,date,amount"], 0
    for at in range(90):
        lines.append(f"o{at},c{at % 20},2024-03-{at % 20 + 1:02},{at + 10}.00")
        net += at + 10
        if at % 7 == 0:
            lines.append(f"o{at},c{at % 20},2024-03-{at % 20 + 3:02},-{at + 10}.00")
            net -= at + 10
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    assert ingest(Workspace(tmp_path / "ws"), tmp_path / "log.csv", "log").net_revenue == net
