"""Amounts in cents, thousands, percent and several currencies, as the file, its names or the person say."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from babel.numbers import list_currencies

from clv_core.cli import main
from clv_core.collection.check import check_file
from clv_core.collection.infer.columns.proposal import NUMBER
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.parse.currencies import CODES, MARKS, in_name, meant
from clv_core.collection.parse.numbers import NumberReading, currencies
from clv_core.collection.store.version_store import Manifest, open_dataset
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.collection.shop_export_parts import at as ordered_at
from tests.collection.shop_exports import Order, _write, orders
from tests.collection.small_logs import day, read, warnings, write
from tests.collection.test_values import ask

pytestmark = pytest.mark.first(10)

UNITS = {"USD": 100, "eur": 100, "JPY": 1, "KRW": 1, "KWD": 1_000, "BHD": 1_000}


def payments(file: Path, currencies: list[str], *, start: int = 0, column: bool = True) -> Decimal:
    """Write 90 payments and some refunds in the smallest unit; return what is left of them, each in its currency."""
    lines, net = ["id,customer_id,created,amount,amount_refunded" + ",currency" * column], Decimal(0)
    for at in range(start, start + 90):
        code = currencies[at % len(currencies)]
        paid, back = 1_999 + 37 * at, (500 + at) * (at % 9 == 0)
        ending = f",{code}" if column else ""
        when = f"2024-{at // 28 + 1:02}-{at % 28 + 1:02} 10:{at % 60:02}:00"
        lines.append(f"ch_{at},c{at % 20},{when},{paid},{back}{ending}")
        net += Decimal(paid - back) / UNITS.get(code, 100)
    file.write_text("\n".join(lines) + "\n")
    return net


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
    assert "minor_units" in warnings(manifest) and "maybe_cents" not in warnings(manifest)


def test_rows_of_several_currencies_have_their_own(tmp_path: Path) -> None:
    net = payments(tmp_path / "pay.csv", ["USD", "JPY", "KWD"])
    check = check_file(tmp_path / "pay.csv", amount_unit="minor")
    assert check.manifest.net_revenue == float(round(net, 2))
    assert {"warning.minor_by_currency", "warning.mixed_currency"} <= {one.code for one in check.warnings}


HEAD = "customer_id,order_date,order_id,amount"


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("form", "factor"),
    [
        ("{:.2f}k", 1e3), ("${:.2f}K", 1e3), ("{:.2f} тыс. руб.", 1e3), ("{:.1f}M", 1e6), ("€{:.2f} Mio.", 1e6),
        ("{:.1f} mln", 1e6), ("{:.2f} млн", 1e6), ("{:.2f}万元", 1e4), ("₹{:.2f} lakh", 1e5),
    ],
)  # fmt: skip
def test_amounts_are_multiplied_by_the_word_behind_them_and_it_is_said(
    tmp_path: Path, form: str, factor: float
) -> None:
    short = [form.format(1.5 + at / 10) for at in range(90)]
    cells = [cell if at % 2 else f"{at + 10}.25" for at, cell in enumerate(short)]
    file = write(tmp_path, HEAD, lambda at: (f"c{at % 9}", day(at), at, cells[at]))
    manifest, *_ = read(file)
    truth = sum((1.5 + at / 10) * factor if at % 2 else at + 10.25 for at in range(90))
    assert manifest.net_revenue == pytest.approx(truth) and manifest.rows_set_aside == 0


def test_a_comma_before_such_a_word_marks_decimals(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD, lambda at: (f"c{at % 9}", day(at), at, f'"{at + 1},5 Tsd."'))
    assert read(file)[0].net_revenue == sum((at + 1.5) * 1000 for at in range(90))


def read_orders(folder: Path, cells: Callable[[Order], dict[str, Any]], **said: Any) -> tuple[Manifest, dict[str, Any]]:
    file, made = folder / "log.csv", orders()
    rows = [{"客户编号": one.customer, "订单号": one.number, "下单时间": ordered_at(one), **cells(one)} for one in made]
    _write(file, list(rows[0]), rows)
    manifest = ingest(Workspace(folder / "ws"), file, "shop", **said)
    return manifest, {item.code.removeprefix("warning."): item.params for item in manifest.warnings}


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("订单金额（万元）", 10_000), ("amount (in thousands)", 1_000), ("Amount (k)", 1_000),
        ("сумма, тыс. руб.", 1_000), ("amount [millions]", 1_000_000),
    ],
)  # fmt: skip
def test_larger_units_are_multiplied(tmp_path: Path, name: str, units: int) -> None:
    mapping = {"amount": name}
    manifest, told = read_orders(tmp_path, lambda one: {name: f"{one.total / units:.8f}"}, mapping=mapping)
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in orders()), abs=1)
    assert told["large_units"]["units"] == units


def test_the_person_may_say_that_they_are_in_the_currency(tmp_path: Path) -> None:
    manifest, _ = read_orders(tmp_path, lambda one: {"订单金额（万元）": one.total}, amount_unit="major")
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in orders()))


RATES = {"EUR": 1.0, "USD": 0.92, "JPY": 0.0061}


def converted_orders(
    folder: Path, converted: str, *, refund: str = "", month: int = 1, turned: bool = False
) -> tuple[Path, float]:
    """Write 60 orders; return the file and what they came to in euros, less refunds of every fifth."""
    back_names = [refund, f"Converted {refund}"] if refund else []
    lines, net = [",".join(["order_id", "customer_id", "order_date", "currency", "total", converted, *back_names])], 0.0
    for at in range(60):
        currency = list(RATES)[at % 3]
        paid = round((30 + at) / (1 if currency != "JPY" else 0.0061), 2)
        base = round(paid * RATES[currency] * (1 + at % 4 / 100 * (currency != "EUR")), 2)
        back, money = 5.0 * (at % 5 == 0), (base, paid) if turned else (paid, base)
        start = f"O{month}{at:03},C{at % 17},2024-{month:02}-{at % 28 + 1:02} 10:00,{currency}"
        backs = (f"{back / RATES[currency]:.2f}", back) if refund else ()
        lines.append(",".join(map(str, (start, *money, *backs))))
        net += base - back * bool(refund)
    file = folder / f"orders{month}.csv"
    file.write_text("\n".join(lines) + "\n")
    return file, net


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", ["total_base", "Converted Total", "total (EUR)", "订单金额本位币"])
def test_amounts_count_in_the_one_currency_that_they_were_converted_to(tmp_path: Path, name: str) -> None:
    file, net = converted_orders(tmp_path, name)
    manifest = ingest(Workspace(tmp_path / "ws"), file, "orders")
    assert manifest.net_revenue == pytest.approx(net) and manifest.currency == "EUR"
    assert "amount_converted" in warnings(manifest) and "mixed_currency" not in warnings(manifest)


def test_next_months_file_is_read_in_that_currency_too(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    file, net = converted_orders(tmp_path, "total_base")
    later, more = converted_orders(tmp_path, "total_base", month=2)
    ingest(workspace, file, "orders")
    manifest = append(workspace, "orders", [later])
    assert manifest.net_revenue == pytest.approx(net + more) and manifest.currency == "EUR"
    assert "mixed_currency" not in warnings(manifest)


WRITTEN = [
    ("12.50EUR", 12.5, "EUR"), ("12,50 Euro", 12.5, "EUR"), ("EUR12.50", 12.5, "EUR"), ("12.50 dollars", 12.5, "USD"),
    ("10.00 MAD", 10.0, "MAD"), ("12.50 DH", 12.5, "MAD"), ("Dhs. 12.50", 12.5, "AED"), ("RM12.50", 12.5, "MYR"),
    ("RM 1,234.50", 1234.5, "MYR"), ("R1 234.50", 1234.5, "ZAR"), ("R 99,90", 99.9, "ZAR"), ("S/ 12.50", 12.5, "PEN"),
    ("S/.12.50", 12.5, "PEN"), ("Bs. 12", 12.0, "BOB"), ("Gs. 12000", 12000.0, "PYG"), ("Q12.50", 12.5, "GTQ"),
    ("KSh 12.50", 12.5, "KES"), ("₦12.50", 12.5, "NGN"), ("GH₵ 12.50", 12.5, "GHS"), ("12,50 lei", 12.5, "RON"),
    ("12000 F CFA", 12000.0, "XOF"), ("12000 сум", 12000.0, "UZS"), ("12000 тг", 12000.0, "KZT"),
    ("12 р.", 12.0, "RUB"),
    ("12.50₾", 12.5, "GEL"), ("RD$12.50", 12.5, "DOP"), ("U$S 12.50", 12.5, "USD"), ("COP$ 12.50", 12.5, "COP"),
    ("12000đ", 12000.0, "VND"), ("12000 VNĐ", 12000.0, "VND"), ("12 บาท", 12.0, "THB"), ("Rs.12.50", 12.5, "INR"),
    ("12元整", 12.0, "CNY"), ("99.90 kr", 99.9, "SEK"), ("(12.50 GEL)", -12.5, "GEL"), ("-RM12.50", -12.5, "MYR"),
]  # fmt: skip


def ask_cell(expression: str, cell: str) -> object:
    found = duckdb.execute(f"SELECT {expression} FROM (SELECT ?::VARCHAR AS x)", [cell]).fetchone()
    assert found is not None
    return found[0]


@pytest.mark.examples(9)
@pytest.mark.parametrize(("cell", "amount", "code"), WRITTEN)
def test_an_amount_says_what_it_is_in(cell: str, amount: float, code: str) -> None:
    assert ask_cell(NumberReading("comma" if "," in cell and "." not in cell else "point").value("x"), cell) == amount
    assert meant(str(ask_cell(currencies("x"), cell)))[0] == code
    assert NUMBER.fullmatch(cell), "it is not taken for text"


def test_every_code_is_a_currency_and_every_mark_means_some() -> None:
    known = set(list_currencies()) | {"RMB", "RUR", "ZWG"}
    assert known >= CODES
    assert all(set(codes) <= CODES for codes in MARKS.values())


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
    found = check_file(tmp_path / "ga.csv", mapping={} if column.startswith("total") else {"amount": column})
    assert found.manifest.net_revenue == float(net) and "warning.micro_units" in {one.code for one in found.warnings}


def test_the_person_outranks_the_name(tmp_path: Path) -> None:
    net = sessions(tmp_path / "ga.csv", "transactionRevenue", 1_000_000)
    assert check_file(tmp_path / "ga.csv", amount_unit="major").manifest.net_revenue == float(net) * 1_000_000
    net = sessions(tmp_path / "paid.csv", "paid", 1_000_000)
    assert check_file(tmp_path / "paid.csv", amount_unit="micro").manifest.net_revenue == float(net)


def test_revenue_with_cents_is_asked_about_and_may_be_in_the_currency(tmp_path: Path) -> None:
    net = sessions(tmp_path / "ga.csv", "transactionRevenue", 1)
    with pytest.raises(NeedsAnswer) as asked:
        check_file(tmp_path / "ga.csv")
    assert [(one["answers"], one["net_revenue"]) for one in asked.value.params["readings"]] == [
        ({"amount_unit": "major"}, float(net))
    ]


def test_what_is_said_of_currencies_is_said_of_millionths_too(tmp_path: Path) -> None:
    sessions(tmp_path / "ga.csv", "transactionRevenue", 1_000_000)
    table = pd.read_csv(tmp_path / "ga.csv", dtype=str).assign(currency=["USD", "EUR"] * 150)
    table.to_csv(tmp_path / "ga.csv", index=False)
    said = {one.code for one in check_file(tmp_path / "ga.csv").warnings}
    assert said >= {"warning.micro_units", "warning.mixed_currency"}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("-1.2k", -1200.0), ("(1.2k)", -1200.0), ("1.2k-", -1200.0), ("1,234.5K", 1234500.0), ("2.3k", 2300.0),
        ("12 m", None), ("12 mm", None), ("5 MAD", 5.0), ("k", None), ("1.2kk", None),
    ],
)  # fmt: skip
def test_a_length_a_currency_or_a_mark_is_no_such_word(value: str, wanted: float | None) -> None:
    assert ask(NumberReading().value("x"), [value]) == [wanted]


def test_columns_of_money_in_different_units_are_spoken_of(tmp_path: Path) -> None:
    def cells(one: Order) -> dict[str, Any]:
        return {"订单金额（万元）": f"{one.total / 10_000:.6f}", "退款金额": one.back}

    assert "large_units_mixed" in read_orders(tmp_path, cells)[1]


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", ["Discount (%)", "discount_percent", "Rabatt in Prozent"])
def test_discounts_in_percent_are_spoken_of(tmp_path: Path, name: str) -> None:
    def cells(one: Order) -> dict[str, Any]:
        share = f"{(0, 10, 15)[one.number % 3]}{'%' * name.endswith('Prozent')}"
        return {"quantity": 2, "unit_price": one.total, name: share}

    manifest, told = read_orders(tmp_path, cells)
    worth = sum(2 * one.total * (1 - (0, 10, 15)[one.number % 3] / 100) for one in orders())
    assert manifest.net_revenue == pytest.approx(worth) and told["discount_percent"]["column"] == name


@pytest.mark.examples(3)
@pytest.mark.parametrize("name", ["订单金额（元）", "amount", "Amount (USD)", "milestone_amount"])
def test_other_names_say_nothing_of_units(tmp_path: Path, name: str) -> None:
    manifest, told = read_orders(tmp_path, lambda one: {name: one.total}, mapping={"amount": name})
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in orders())) and "large_units" not in told


def test_what_was_paid_back_is_taken_off_in_that_currency(tmp_path: Path) -> None:
    file, net = converted_orders(tmp_path, "Converted Amount", refund="Amount Refunded")
    manifest = ingest(Workspace(tmp_path / "ws"), file, "orders")
    assert manifest.mapping["refund"] == "Converted Amount Refunded"
    assert manifest.net_revenue == pytest.approx(net)


@pytest.mark.parametrize(("name", "turned"), [("total_paid_2", False), ("total_base", True)])
def test_amounts_that_nothing_calls_converted_or_that_are_not_stay_mixed(
    tmp_path: Path, name: str, turned: bool
) -> None:
    file, _ = converted_orders(tmp_path, name, turned=turned)
    manifest = ingest(Workspace(tmp_path / "ws"), file, "orders", mapping={"amount": "total"})
    assert "mixed_currency" in warnings(manifest)


@pytest.mark.parametrize("cell", ["RM1001", "SR20240117", "R100123", "Q1", "DA-17", "12 bananas", "usd"])
def test_an_id_or_a_word_is_no_amount(cell: str) -> None:
    assert not NUMBER.fullmatch(cell)


@pytest.mark.parametrize("cell", ["country 12", "12 eurostars", "trypan 3", "bamboo 12.50", "12 lakhs of"])
def test_a_code_within_a_word_is_none(cell: str) -> None:
    assert ask_cell(NumberReading().value("x"), cell) is None


def test_a_currency_behind_a_name_is_one() -> None:
    codes = {"Total (RM)": "RM", "Total (MAD)": "MAD", "Total (元)": "元", "event_value_in_usd": "USD"}
    none = ["Weight (KM)", "Volume (L)", "Height (FT)", "Amount (Q)", "Name, first", "City, USA", "paid_in_all"]
    assert {name: in_name(name) for name in (*codes, *none)} == codes | dict.fromkeys(none, "")
