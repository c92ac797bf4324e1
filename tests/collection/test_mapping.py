"""Columns of logs that the world uses are found by their names and values."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.files.dialect import detect
from clv_core.collection.mapping.proposals.choosing import choose
from clv_core.collection.mapping.proposals.propose import propose
from clv_core.errors import NeedsAnswer, Refused, UsageError

LOGS = {
    "cdnow": ("customer_id date number_of_cds dollar_value", "customer_id date - dollar_value"),
    "uci": (
        "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country",
        "CustomerID InvoiceDate - - UnitPrice Quantity InvoiceNo StockCode Country",
    ),
    "rees46": (
        "event_time event_type product_id category_id category_code brand price user_id user_session",
        "user_id event_time event_type",
    ),
    "retailrocket": ("timestamp visitorid event itemid transactionid value", "visitorid timestamp event value"),
    "taobao": ("用户ID 商品ID 商品类目 行为类型 下单时间 实付金额", "用户ID 下单时间 行为类型 实付金额"),
    "dynamics": ("Sell-to_Customer_No. No. Order_Date Amount", "Sell-to_Customer_No. Order_Date Amount"),
    "sap": ("KUNNR VBELN Order_Date Net_Amount", "KUNNR Order_Date Net_Amount"),
    "ledger": ("Cust._No Order_No Order_Date Line_Total", "Cust._No Order_Date Order_No Line_Total"),
    "hm": ("t_dat customer_id article_id price sales_channel_id", "customer_id t_dat"),
}
VALUES = {"date": "19970101", "price": "9.99", "value": "3.50", "实付金额": "12.00", "event": "view"}


@pytest.mark.parametrize("log", LOGS)
def test_known_logs_are_mapped_without_a_hint(log: str) -> None:
    columns, wanted = (tuple(words.split()) for words in LOGS[log])
    rows = [{column: VALUES.get(column, "x1") for column in columns}] * 5
    chosen, _ = choose(propose(columns, rows, {}), f"{log}.csv")
    assert set(wanted) - {"-"} <= set(chosen.values())
    assert (chosen["customer_id"], chosen["event_time"]) == wanted[:2]


@pytest.mark.parametrize("day", ["２０２４－０１－１５", "۲۰۲۴-۰۱-۱۵", "2024-01-15"])
def test_a_likely_name_of_a_time_holds_in_any_digits(day: str) -> None:
    chosen, _ = choose(propose(("customer_id", "date", "amount"), [{"date": day}] * 3, {}), "f.csv")
    assert chosen["event_time"] == "date"


@pytest.mark.parametrize("name", ["金额/元", "实付金额/元", "订单金额（元）", "amount_USD", "Amount / EUR"])
def test_a_unit_behind_a_name_is_no_part_of_it(name: str) -> None:
    chosen, _ = choose(propose(("customer_id", "date", name), [{"date": "2024-01-15", name: "9.9"}] * 3, {}), "f.csv")
    assert chosen["amount"] == name


def test_the_person_outranks_every_proposal() -> None:
    columns = ("customer_id", "event_time", "amount", "total")
    chosen, _ = choose(propose(columns, [], {"amount": "total"}), "f")
    assert chosen["amount"] == "total"
    with pytest.raises(UsageError, match="no such column"):
        propose(columns, [], {"amount": "nix"})
    with pytest.raises(UsageError, match="Known columns"):
        propose(columns, [], {"money": "total"})


def test_one_column_cannot_be_two(tmp_path: Path) -> None:
    said = {"amount": "total", "unit_price": "Total", "product_id": ""}
    with pytest.raises(UsageError, match="“total” .* both amount and unit_price"):
        propose(("customer_id", "event_time", "total"), [], said)


def test_two_columns_for_one_thing_are_asked_about() -> None:
    with pytest.raises(NeedsAnswer, match=r"user_id, member_id .*--map"):
        choose(propose(("user_id", "member_id", "event_time", "amount"), [], {}), "f")
    with pytest.raises(NeedsAnswer, match="duplicate"):
        choose(propose(("user_id", "event_time", "amount", "amount (2)"), [], {}), "f")


def test_a_column_of_times_without_a_name_is_only_a_guess() -> None:
    rows = [{"c": "x", "when it was": "2024-01-01 10:00", "amount": "1"}]
    with pytest.raises(NeedsAnswer, match="--map customer_id=COLUMN"):
        choose(propose(("c", "when it was", "amount"), rows, {}), "f")
    with pytest.raises(NeedsAnswer, match="--map event_time=when it was"):
        choose(propose(("c", "when it was", "amount"), rows, {"customer_id": "c"}), "f")


def test_no_amount_is_refused_with_the_columns_that_there_are() -> None:
    with pytest.raises(Refused, match="customer_id, event_time, colour"):
        choose(propose(("customer_id", "event_time", "colour"), [], {}), "f")


def test_a_column_can_be_kept_from_what_its_name_says() -> None:
    columns = ("customer_id", "event_time", "amount", "country")
    chosen, _ = choose(propose(columns, [], {"country": ""}), "f")
    assert chosen == {"customer_id": "customer_id", "event_time": "event_time", "amount": "amount"}
    with pytest.raises(NeedsAnswer, match="event_time"):
        choose(propose(columns, [], {"event_time": ""}), "f")


@pytest.mark.parametrize(
    ("columns", "canonical"),
    [
        (("quantity", "quantity (2)", "unit_price"), "quantity"),
        (("quantity", "selling_price", "item_price"), "unit_price"),
        (("quantity", "unit_price", "discount_amount", "rebate"), "discount"),
    ],
)
def test_two_columns_that_an_amount_could_be_made_from_are_asked_about(
    columns: tuple[str, ...], canonical: str
) -> None:
    known = ("customer_id", "event_time")
    with pytest.raises(NeedsAnswer, match=f'--map "{canonical}='):
        choose(propose((*known, *columns), [], {}), "f")
    chosen, _ = choose(propose((*known, *columns, "amount"), [], {}), "f")
    assert chosen["amount"] == "amount"


@pytest.mark.parametrize("cost", ["UnitCost", "unit cost"])
def test_what_a_piece_costs_the_shop_is_no_price(cost: str) -> None:
    columns = ("customer_id", "event_time", cost, "SellingPrice", "quantity")
    chosen, _ = choose(propose(columns, [], {}), "f")
    assert chosen["unit_price"] == "SellingPrice" and cost not in chosen.values()


def columns_of(folder: Path, head: str, named: tuple[str, ...] = ()) -> tuple[str, ...]:
    file = folder / "log.csv"
    file.write_text(head + "\n" + "4711;2024-03-01;Tee;2;3,50;;\n4712;2024-03-02;Tee;1;3,50;;\n")
    return detect(file, "log.csv", named=named).columns


def test_empty_cells_at_the_end_of_a_line_of_names_are_no_sign_of_an_event(tmp_path: Path) -> None:
    assert columns_of(tmp_path, "Kundennr;Rechnungsdatum;Artikel;Menge;Einzelpreis;;")[:2] == (
        "Kundennr", "Rechnungsdatum",
    )  # fmt: skip


def test_a_line_that_holds_a_column_that_the_person_named_is_the_header(tmp_path: Path) -> None:
    head = "Klantref;2024;Stuk;Hoeveel;Stukprijs;;"
    with pytest.raises(NeedsAnswer, match="use --header"):
        columns_of(tmp_path, head)
    assert columns_of(tmp_path, head, ("klantref",))[1] == "2024"
