"""Accounting reports name a customer in a row of its own, list the sales below it, and close with its total."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.append import append
from clv_core.collection.ingest import ingest
from clv_core.collection.stored.manifest import Manifest
from clv_core.collection.stored.store import open_dataset
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.collection.small_logs import read_lines

pytestmark = pytest.mark.first(2)

HEAD = ["", "Date", "Transaction type", "Num", "Product/Service", "Qty", "Amount", "Balance"]
TITLES = ["Sales by Customer Detail", "Acme Ltd", "January - December 2024"]


def report(file: Path, *, padded: bool = False, month: int = 1, total: str = "Total for {}") -> dict[str, float]:
    """Write sales and credit memos of 25 customers as QuickBooks does; return what each is worth."""
    lines, worth = [*TITLES, ",".join(HEAD)], dict[str, float]()
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


def said(manifest: Manifest) -> dict[str, dict[str, object]]:
    return {one["code"]: one["params"] for one in manifest.warnings}


@pytest.mark.examples(2)
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("total", ["Total for {}", "Total {}", "{} total", "{} 合计"])
def test_sales_are_those_of_the_customer_above_them(tmp_path: Path, padded: bool, total: str) -> None:
    worth = report(tmp_path / "report.csv", padded=padded, total=total)
    workspace = Workspace(tmp_path / "ws")
    manifest = ingest(workspace, tmp_path / "report.csv", "books")
    events = pd.read_parquet(open_dataset(workspace, "books").events_path)
    assert events.groupby("customer_id")["amount"].sum().to_dict() == worth
    assert manifest.rows_kept == sum(who % 4 + 1 for who in range(25)) and manifest.rows_read == manifest.rows_kept + 52
    assert said(manifest)["warning.headed_groups"]["groups"] == 25


def test_dates_may_stand_where_the_names_do(tmp_path: Path) -> None:
    lines, worth = (
        ["Receivable Invoice Detail", "Invoice Date,Source,Invoice Number,Reference,Gross"],
        dict[str, float](),
    )
    for who in range(20):
        name = f"Company {chr(65 + who)} Ltd"
        lines.append(name + ",,,,")
        rows = [(f"{at + 1} Mar 2024", 50.25 + who + at) for at in range(who % 3 + 1)]
        lines += [f"{day},Receivable Invoice,INV-{who}{at},,{sums}" for at, (day, sums) in enumerate(rows)]
        worth[name] = sum(sums for _, sums in rows)
        lines.append(f"Total {name},,,,{worth[name]}")
    lines.append(f"Total,,,,{sum(worth.values())}")
    (tmp_path / "xero.csv").write_text("\n".join(lines) + "\n")
    workspace = Workspace(tmp_path / "ws")
    ingest(workspace, tmp_path / "xero.csv", "books")
    events = pd.read_parquet(open_dataset(workspace, "books").events_path)
    assert events.groupby("customer_id")["amount"].sum().to_dict() == worth


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
    (tmp_path / "jobs.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(NeedsAnswer) as asked:
        ingest(Workspace(tmp_path / "ws"), tmp_path / "jobs.csv", "jobs")
    assert asked.value.params["canonical"] == "customer_id"


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
    (tmp_path / "open.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(NeedsAnswer):
        ingest(Workspace(tmp_path / "ws"), tmp_path / "open.csv", "open")
