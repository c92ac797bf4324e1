"""Amounts in cents, as services of payments export them, where the person says so; append reads the next file alike."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from clv_core.cli import main
from clv_core.collection.append import append
from clv_core.collection.check import check_file
from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import open_dataset
from clv_core.collection.values.currency import minor_units
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

UNITS = {"USD": 100, "eur": 100, "JPY": 1, "KRW": 1, "KWD": 1_000, "BHD": 1_000}


def payments(file: Path, currencies: list[str], *, start: int = 0, column: bool = True) -> Decimal:
    """Write 90 payments and some refunds in the smallest unit; return what is left of them, each in its currency."""
    lines, net = ["id,customer_id,created,amount,amount_refunded" + ",currency" * column], Decimal(0)
    for at in range(start, start + 90):
        code = currencies[at % len(currencies)]
        paid, back = 1_999 + 37 * at, (500 + at) * (at % 9 == 0)
        ending = f",{code}" if column else ""
        lines.append(
            f"ch_{at},c{at % 20},2024-{at // 28 + 1:02}-{at % 28 + 1:02} 10:{at % 60:02}:00,{paid},{back}{ending}"
        )
        net += Decimal(paid - back) / UNITS.get(code, 100)
    file.write_text("\n".join(lines) + "\n")
    return net


def codes(warnings: list[dict[str, object]]) -> set[str]:
    return {str(one["code"]) for one in warnings}


@pytest.mark.examples(2)
@pytest.mark.parametrize("code", UNITS)
@pytest.mark.parametrize("column", [True, False])
def test_the_currency_says_how_many_make_one(tmp_path: Path, code: str, column: bool) -> None:
    net = payments(tmp_path / "pay.csv", [code], column=column)
    said = {} if column else {"currency": code.upper()}
    workspace = Workspace(tmp_path / "ws")
    manifest = ingest(workspace, tmp_path / "pay.csv", "pay", amount_unit="minor", **said)
    assert manifest.net_revenue == float(round(net, 2)) and manifest.currency == code.upper()
    events = pd.read_parquet(open_dataset(workspace, "pay").events_path)
    assert sum(Decimal(repr(amount)) for amount in events["amount"]).quantize(Decimal("0.001")) == net
    assert "warning.minor_units" in codes(manifest.warnings) and "warning.maybe_cents" not in codes(manifest.warnings)


def test_rows_of_several_currencies_have_their_own(tmp_path: Path) -> None:
    net = payments(tmp_path / "pay.csv", ["USD", "JPY", "KWD"])
    check = check_file(tmp_path / "pay.csv", amount_unit="minor")
    assert check.manifest.net_revenue == float(round(net, 2))
    assert {"warning.minor_by_currency", "warning.mixed_currency"} <= {one.code for one in check.warnings}


def test_an_unknown_currency_is_taken_for_one_with_cents_and_said(tmp_path: Path) -> None:
    net = payments(tmp_path / "pay.csv", [""], column=False)
    check = check_file(tmp_path / "pay.csv", amount_unit="minor")
    assert check.manifest.net_revenue == float(net) and "warning.minor_unknown" in {one.code for one in check.warnings}


def test_without_a_word_it_is_asked_what_they_are_in(tmp_path: Path) -> None:
    net = payments(tmp_path / "pay.csv", ["USD"])
    silent = check_file(tmp_path / "pay.csv", amount_unit="major")
    assert silent.manifest.net_revenue == float(net * 100)
    assert "warning.maybe_cents" not in {one.code for one in silent.warnings}
    with pytest.raises(NeedsAnswer) as asked:
        check_file(tmp_path / "pay.csv")
    sums = [one["net_revenue"] for one in asked.value.params["readings"]]
    assert asked.value.code == "maybe_cents" and sums == [float(net * 100), float(net)]


@pytest.mark.parametrize("code", ["USD", "JPY"])
def test_the_next_file_is_in_the_same_unit(tmp_path: Path, code: str) -> None:
    net = payments(tmp_path / "first.csv", [code], column=False)
    more = payments(tmp_path / "next.csv", [code], start=90, column=False)
    workspace = Workspace(tmp_path / "ws")
    ingest(workspace, tmp_path / "first.csv", "pay", amount_unit="minor", currency=code)
    assert append(workspace, "pay", tmp_path / "next.csv").net_revenue == float(net + more)
    again = ingest(workspace, tmp_path / "next.csv", "again", remembered=True)
    assert again.net_revenue == float(more)


def test_amounts_with_fractions_are_no_minor_units(tmp_path: Path) -> None:
    payments(tmp_path / "first.csv", ["USD"])
    text = (tmp_path / "first.csv").read_text().replace(",1999,", ",19.99,")
    (tmp_path / "next.csv").write_text(text)
    workspace = Workspace(tmp_path / "ws")
    ingest(workspace, tmp_path / "first.csv", "pay", amount_unit="minor")
    with pytest.raises(NeedsAnswer, match=r"19\.99"):
        append(workspace, "pay", tmp_path / "next.csv")


def test_by_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = payments(tmp_path / "pay.csv", ["USD"])
    words = ["--name", "pay", "--amount-unit", "minor", "--workspace", str(tmp_path / "ws")]
    assert main(["ingest", str(tmp_path / "pay.csv"), *words]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["net_revenue"] == float(net)


def test_units_are_those_of_the_standard() -> None:
    assert {code: minor_units(code.upper()) for code in UNITS} == UNITS


def sessions(file: Path, column: str, unit: int) -> Decimal:
    """Write 300 sessions, as Google Analytics exports them, a tenth with revenue; return the sum of it."""
    lines, net = [f"fullVisitorId,visitStartTime,{column}"], Decimal(0)
    for at in range(300):
        paid = Decimal(1_999 + 37 * at) / 100 if at % 10 == 0 else None
        revenue = "" if paid is None else f"{paid * unit:.2f}".removesuffix(".00")
        lines.append(f"10{at % 40:017},{1_700_000_000 + 86_400 * at},{revenue}")
        net += paid or 0
    file.write_text("\n".join(lines) + "\n")
    return net


@pytest.mark.examples(2)
@pytest.mark.parametrize("column", ["totals.transactionRevenue", "totalTransactionRevenue", "purchase_revenue_micros"])
def test_revenue_of_google_analytics_is_in_millionths(tmp_path: Path, column: str) -> None:
    net = sessions(tmp_path / "ga.csv", column, 1_000_000)
    found = check_file(tmp_path / "ga.csv", mapping={"amount": column})
    assert found.manifest.net_revenue == float(net) and "warning.micro_units" in {one.code for one in found.warnings}


def test_the_person_outranks_the_name(tmp_path: Path) -> None:
    net = sessions(tmp_path / "ga.csv", "transactionRevenue", 1_000_000)
    assert check_file(tmp_path / "ga.csv", amount_unit="major").manifest.net_revenue == float(net) * 1_000_000
    net = sessions(tmp_path / "paid.csv", "paid", 1_000_000)
    assert check_file(tmp_path / "paid.csv", amount_unit="micro").manifest.net_revenue == float(net)


def test_revenue_with_cents_is_in_the_currency(tmp_path: Path) -> None:
    net = sessions(tmp_path / "ga.csv", "transactionRevenue", 1)
    assert check_file(tmp_path / "ga.csv").manifest.net_revenue == float(net)


def test_what_is_said_of_currencies_is_said_of_millionths_too(tmp_path: Path) -> None:
    sessions(tmp_path / "ga.csv", "transactionRevenue", 1_000_000)
    table = pd.read_csv(tmp_path / "ga.csv", dtype=str).assign(currency=["USD", "EUR"] * 150)
    table.to_csv(tmp_path / "ga.csv", index=False)
    assert {"warning.micro_units", "warning.mixed_currency"} <= {
        one.code for one in check_file(tmp_path / "ga.csv").warnings
    }
