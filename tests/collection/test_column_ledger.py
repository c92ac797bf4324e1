"""Every column of a file is accounted for: used, harmless, or asked about because its values part the money.

Names and words here are in no vocabulary where the figures are to tell. The true totals are reckoned with pandas.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.cli import main
from clv_core.collection.check import check_file
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace

ORDERS = 240


@pytest.fixture
def log() -> pd.DataFrame:
    """Return orders of 60 customers in 400 days, with amounts in cents."""
    draw = np.random.default_rng(5)
    times = pd.Timestamp("2023-01-01 08:00") + pd.to_timedelta(
        np.sort(draw.integers(0, 400 * 86_400, ORDERS)), unit="s"
    )
    return pd.DataFrame(
        {
            "order_id": [f"A{number:05}" for number in range(ORDERS)],
            "customer_id": [f"K{number:03}" for number in draw.integers(0, 60, ORDERS)],
            "created_at": times,
            "amount": draw.lognormal(3.5, 0.6, ORDERS).round(2),
        }
    )


def later(rows: pd.DataFrame, days: int) -> pd.DataFrame:
    return rows.assign(created_at=rows["created_at"] + pd.Timedelta(days=days))


def written(rows: pd.DataFrame, folder: Path, name: str = "log.csv") -> Path:
    path = folder / name
    rows.to_csv(path, index=False)
    return path


def question(path: Path, **said: Any) -> NeedsAnswer:
    with pytest.raises(NeedsAnswer) as asked:
        check_file(path, **said)
    return asked.value


def offered(asked: NeedsAnswer) -> dict[str, float]:
    return {one["option"]: one["net_revenue"] for one in asked.params["readings"]}


def budget(log: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    planned = log.assign(amount=(log["amount"] * 1.1).round(2))
    return pd.concat([log.assign(wijze="a"), planned.assign(wijze="b")]), log["amount"].sum()


def tenders(log: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Each receipt has its lines, and what was paid for it: cash less the change, or by card."""
    first = (log["amount"] / 3).round(2)
    cash = log[::3]
    parts = [
        log.assign(soort="art", amount=first),
        log.assign(soort="art", amount=(log["amount"] - first).round(2)),
        cash.assign(soort="bet", amount=cash["amount"] + 10),
        cash.assign(soort="bet", amount=-10.0),
        log.drop(cash.index).assign(soort="bet"),
    ]
    return pd.concat(parts), log["amount"].sum()


def fees(log: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    fee = -(log["amount"] * 0.026 + 0.1).round(2)
    return pd.concat([log.assign(wijze="x"), log.assign(wijze="y", amount=fee)]), log["amount"].sum()


def refunds(log: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """What was paid back stands above zero, in rows of its own, a week later."""
    some = later(log[::6], 7)
    some = some.assign(amount=(some["amount"] * 0.6).round(2))
    return pd.concat([log.assign(wijze="x"), some.assign(wijze="y")]), log["amount"].sum() - some["amount"].sum()


def totals(log: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Orders of one line and of two, each with a row of its total among the products."""
    two = log[::2]
    half = (two["amount"] / 2).round(2)
    lines = [
        log.drop(two.index).assign(product="hat"),
        two.assign(product="hat", amount=half),
        two.assign(product="shoe", amount=(two["amount"] - half).round(2)),
    ]
    return pd.concat([*lines, log.assign(product="Ordre i alt")]), log["amount"].sum()


def unknown_states(log: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    off = np.arange(ORDERS) % 5 == 0
    return log.assign(Ordrestatus=np.where(off, "Qvak", "Qvik")), log["amount"][~off].sum()


def three_marks(log: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    marks = np.array(["N", "N", "N", "Y", "N", "N", "N", "C"])[np.arange(ORDERS) % 8]
    return log.assign(CANCELED=marks), log["amount"][marks == "N"].sum()


@pytest.mark.parametrize(
    ("make", "column", "evidence"),
    [
        (budget, "wijze", "one_ratio"),
        (tenders, "soort", "same_sums"),
        (fees, "wijze", "taken_off_each"),
        (refunds, "wijze", "given_back"),
        (totals, "product", "same_sums"),
        (unknown_states, "Ordrestatus", "unknown_states"),
        (three_marks, "CANCELED", "near_flags"),
    ],
)
def test_rows_that_are_no_sales_of_their_own_are_asked_about_and_the_true_total_is_offered(
    tmp_path: Path,
    log: pd.DataFrame,
    make: Callable[[pd.DataFrame], tuple[pd.DataFrame, float]],
    column: str,
    evidence: str,
) -> None:
    rows, true = make(log)
    path = written(rows, tmp_path)
    asked = question(path)
    assert (asked.code, asked.params["column"]) == (f"rows_{evidence}", column)
    answers = [
        one["answers"] for one in asked.params["readings"] if one["net_revenue"] == pytest.approx(true, abs=0.01)
    ]
    assert answers
    checked = check_file(path, **answers[0])
    assert checked.manifest.net_revenue == pytest.approx(true, abs=0.01)
    assert sum(checked.accounting[one] for one in ("rows_kept", "rows_set_aside", "rows_duplicate")) == len(rows)
    assert check_file(path, rows={f"{column}=*": "sale"}).manifest.net_revenue > 0  # never asked about again


def test_channels_categories_and_labels_of_refunds_are_not_asked_about(tmp_path: Path, log: pd.DataFrame) -> None:
    back = np.arange(ORDERS) % 20 == 0
    channel = np.array(["web", "store", "app"])[np.arange(ORDERS) % 3]
    amount = np.where(back, -1, 1) * log["amount"] * np.where(channel == "store", 2, 1)
    rows = log.assign(
        amount=amount.round(2),
        channel=channel,
        why=np.where(back, "damaged", ""),
        country=np.where(np.arange(ORDERS) % 7 == 0, "AT", "DE"),
        colour=np.array(["red", "blue"])[np.arange(ORDERS) // 2 % 2],
        note=[f"a long remark about order number {number} of this shop" for number in range(ORDERS)],
        serial=[f"S-{number}" for number in range(ORDERS)],
        version="3",
        packed=log["created_at"] + pd.Timedelta(days=1),
        weight=np.arange(ORDERS) / 7,
    )
    accounts = {
        one.column: (one.state, one.what) for one in check_file(written(rows, tmp_path)).manifest.parts[0].columns
    }
    assert accounts == {
        "order_id": ("used", "order_id"),
        "customer_id": ("used", "customer_id"),
        "created_at": ("used", "event_time"),
        "amount": ("used", "amount"),
        "channel": ("used", "channel"),
        "country": ("used", "country"),
        "why": ("harmless", "label"),
        "colour": ("harmless", "label"),
        "note": ("harmless", "own_code"),
        "serial": ("harmless", "own_code"),
        "version": ("harmless", "constant"),
        "packed": ("harmless", "time"),
        "weight": ("harmless", "figure"),
    }


def test_two_columns_of_states_are_two_questions_put_at_once(
    tmp_path: Path, log: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    number = np.arange(ORDERS)
    rows = log.assign(
        Ordrestatus=np.where(number % 7 == 0, "Qvak", "Qvik"), Betalingsstatus=np.where(number % 11 == 0, "Zup", "Zop")
    )
    path = written(rows, tmp_path)
    true = rows["amount"][(number % 7 > 0) & (number % 11 > 0)].sum()
    command = ["ingest", str(path), "--name", "x", "--workspace", str(tmp_path / "ws"), "--quiet"]
    assert main(command) == 3
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert [one["params"]["column"] for one in said["questions"]] == ["Ordrestatus", "Betalingsstatus"]
    assert said["code"] == "rows_unknown_states" and "Choose them: " in said["message"]
    together = [
        one["option"] for one in said["params"]["together"] if one["net_revenue"] == pytest.approx(true, abs=0.01)
    ]
    assert together
    assert main([*command, *together[0].split()]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["net_revenue"] == pytest.approx(true, abs=0.01)
    # one answer leaves the other question open
    assert main([*command, "--rows=Ordrestatus=Qvak=left_out"]) == 3
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["error"]["params"]["column"] == "Betalingsstatus"


def test_a_sheet_of_refunds_and_a_file_of_returns_are_asked_about(tmp_path: Path, log: pd.DataFrame) -> None:
    some = log[::8]
    true = log["amount"].sum() - some["amount"].sum()
    book = tmp_path / "shop.xlsx"
    with pd.ExcelWriter(book) as sheets:
        log.to_excel(sheets, sheet_name="Orders", index=False)
        some.to_excel(sheets, sheet_name="Refunds", index=False)
    asked = question(book)
    assert asked.params["column"] == "(sheet)" and true == pytest.approx(
        offered(asked)["'--rows=(sheet)=Refunds=return'"]
    )
    files = [written(log, tmp_path, "orders.csv"), written(some, tmp_path, "returns.csv")]
    workspace = Workspace(tmp_path / "ws")
    with pytest.raises(NeedsAnswer) as of_file:
        ingest(workspace, files, "x")
    assert of_file.value.code == "rows_file_of_returns"
    manifest = ingest(workspace, files, "x", rows={"(file)=returns": "return"})
    assert manifest.net_revenue == pytest.approx(true)
    kept = open_dataset(workspace, "x").manifest
    assert [one.columns[0].column for one in kept.parts] == ["order_id", "order_id"]  # the ledger is in the record


def test_sheets_of_months_are_no_kinds(tmp_path: Path, log: pd.DataFrame) -> None:
    book = tmp_path / "shop.xlsx"
    with pd.ExcelWriter(book) as sheets:
        log[:100].to_excel(sheets, sheet_name="January", index=False)
        log[100:].to_excel(sheets, sheet_name="Feb", index=False)
    assert check_file(book).manifest.net_revenue == pytest.approx(log["amount"].sum())


def test_converted_amounts_are_read_where_the_own_currency_is_left_blank_or_a_conversion_failed(
    tmp_path: Path, log: pd.DataFrame
) -> None:
    foreign, failed = np.arange(ORDERS) % 2 == 1, np.arange(ORDERS) % 10 == 1
    rows = log.rename(columns={"amount": "amount_lcy"}).assign(
        amount=(log["amount"] * np.where(foreign, 1.1, 1)).round(2), currency_code=np.where(foreign, "USD", "")
    )
    checked = check_file(written(rows, tmp_path))
    assert checked.manifest.net_revenue == pytest.approx(log["amount"].sum())
    rows = rows.assign(currency_code=np.where(foreign, "USD", "EUR"), amount_lcy=rows["amount_lcy"].where(~failed))
    checked = check_file(written(rows, tmp_path, "failed.csv"))
    assert checked.manifest.net_revenue == pytest.approx(log["amount"][~failed].sum())
    assert checked.manifest.rows_set_aside == failed.sum()  # said with their lines, not lost
    nameless = rows.rename(columns={"amount_lcy": "amount_b"})
    assert question(written(nameless, tmp_path, "nameless.csv")).code == "which_converted"


def test_a_price_of_hundred_pieces_is_offered_divided(tmp_path: Path, log: pd.DataFrame) -> None:
    pieces = 50 * (1 + np.arange(ORDERS) % 6)
    rows = log.rename(columns={"amount": "Preis"}).assign(Menge=pieces, Preiseinheit=100)
    readings = offered(question(written(rows, tmp_path)))
    assert (pieces * log["amount"] / 100).sum() == pytest.approx(
        readings["'--map=unit_price=Preis / Preiseinheit'"], abs=0.01
    )


def test_what_lists_of_lines_come_to_is_offered_as_the_amount(tmp_path: Path, log: pd.DataFrame) -> None:
    items = [
        json.dumps([{"sku": "a", "quantity": 2, "price": f"{one:.2f}"}, {"sku": "b", "quantity": 1, "price": "1.50"}])
        for one in log["amount"]
    ]
    rows = log.drop(columns="amount").assign(line_items=items)
    readings = offered(question(written(rows, tmp_path)))
    assert (2 * log["amount"] + 1.5).sum() == pytest.approx(
        readings["'--map=amount=line_items: quantity x price'"], abs=0.01
    )
