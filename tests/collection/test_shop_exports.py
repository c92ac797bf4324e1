"""Exports of shop systems are read without a question, and are worth what was truly paid."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.infer.columns.column_choice import choose
from clv_core.collection.infer.columns.propose import propose
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import Manifest, open_dataset
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.collection.shop_exports import CANCELLED, PRODUCTS, REFUNDED, SYSTEMS, Order, amazon, orders, paypal
from tests.collection.small_logs import asked, put, read_lines, warnings
from tests.collection.small_logs import read as read_file

pytestmark = pytest.mark.first(11)


def read(folder: Path, system: str, made: list[Order], **options: object) -> tuple[Workspace, Manifest]:
    file, workspace = folder / f"{system}.csv", Workspace(folder / "ws")
    SYSTEMS[system](file, made)
    return workspace, ingest(workspace, file, "shop", **options)  # type: ignore[arg-type]


def events(workspace: Workspace) -> pd.DataFrame:
    return pd.read_parquet(open_dataset(workspace, "shop").events_path)


def by_customer(workspace: Workspace) -> dict[str, float]:
    frame = events(workspace)
    return {str(who): round(value, 2) for who, value in frame.groupby("customer_id")["amount"].sum().items()}


def truth(made: list[Order]) -> dict[str, float]:
    worth: dict[str, float] = defaultdict(float)
    for one in made:
        if one.fate not in (CANCELLED, REFUNDED):
            worth[one.customer] += one.worth
    return {who: round(value, 2) for who, value in worth.items()}


def set_aside(manifest: Manifest) -> dict[str, int]:
    said = {warning.code: warning.params for warning in manifest.warnings}
    return {code: said[f"warning.{code}"]["rows"] for code in (CANCELLED, REFUNDED) if f"warning.{code}" in said}


@pytest.mark.examples(2)
@pytest.mark.parametrize("system", SYSTEMS)
def test_an_export_is_worth_what_was_paid_and_not_given_back(tmp_path: Path, system: str) -> None:
    made = orders()
    workspace, manifest = read(tmp_path, system, made)
    assert by_customer(workspace) == pytest.approx(truth(made), abs=0.011)
    assert manifest.net_revenue == pytest.approx(sum(one.worth for one in made), abs=0.01)
    rows = {fate: sum(_rows(system, one) for one in made if one.fate == fate) for fate in (CANCELLED, REFUNDED)}
    assert set_aside(manifest) == rows and min(rows.values()) > 3


def _rows(system: str, one: Order) -> int:
    return 1 if system in ("taobao", "stripe") else len(one.lines)


@pytest.mark.examples(2)
@pytest.mark.parametrize("system", SYSTEMS)
def test_orders_that_were_not_paid_count_where_the_person_says_so(tmp_path: Path, system: str) -> None:
    made = orders()
    workspace, manifest = read(tmp_path, system, made, mapping={"order_status": "", "refund": ""})
    paid = [one for one in made if system != "taobao" or one.fate != CANCELLED]  # Taobao's own amount is 0 there
    assert manifest.rows_set_aside == 0 and manifest.net_revenue == pytest.approx(sum(one.total for one in paid))


def test_an_item_price_of_amazon_is_that_of_all_pieces(tmp_path: Path) -> None:
    made, file = orders(), tmp_path / "orders.txt"
    amazon(file, made)
    workspace = Workspace(tmp_path / "ws")
    ingest(workspace, file, "shop")
    assert by_customer(workspace) == pytest.approx(truth(made), abs=0.1)


def test_a_payment_services_refunds_are_the_buyers_and_its_clock_belongs_to_the_day(tmp_path: Path) -> None:
    made, file = orders(), tmp_path / "activity.csv"
    paypal(file, made)
    workspace = Workspace(tmp_path / "ws")
    manifest = ingest(workspace, file, "shop")
    worth: dict[str, float] = defaultdict(float)
    for one in made:
        if one.fate != CANCELLED:
            worth[one.customer] += one.worth
    assert by_customer(workspace) == pytest.approx(worth, abs=0.011)
    assert {"warning.date_and_clock", "warning.counterparty"} <= {warning.code for warning in manifest.warnings}
    bought = events(workspace).query("event_type == 'purchase'")["event_time"]
    assert sorted(bought) == sorted(pd.Timestamp(one.time) for one in made if one.fate != CANCELLED)


def test_states_that_nobody_knows_are_named_and_a_remark_before_one_is_left_out(tmp_path: Path) -> None:
    states = ["已完成", "(删除)等待付款", "（删除）已完成", "geprüft"]
    rows = [f"c{i % 7},2024-03-{i % 28 + 1:02},10,{states[i % 4]}" for i in range(40)]
    file = put(tmp_path, ["customer_id,order_date,amount,order_status", *rows])
    assert asked(file).params["states"] == ["geprüft (10)"]
    manifest, *_ = read_file(file, states={"geprüft": "sold"}, duplicates="keep")
    assert manifest.net_revenue == 300 and set_aside(manifest) == {CANCELLED: 10}


def test_a_row_below_zero_that_is_called_returned_takes_its_money_off(tmp_path: Path) -> None:
    words = [("-10,Retoure" if i % 5 == 0 else "10,Versendet") for i in range(40)]
    lines = [f"c{i % 7},2024-03-{i % 28 + 1:02},{word}" for i, word in enumerate(words)]
    head = "Kundennummer,Bestelldatum,Betrag,Bestellstatus"
    manifest, *_ = read_lines(tmp_path, [head, *lines], duplicates="keep")
    assert manifest.net_revenue == 32 * 10 - 8 * 10


@pytest.mark.parametrize(("of_line", "column"), [(True, "amount"), (False, "unit_price")])
def test_an_item_price_elsewhere_is_that_of_a_piece_unless_it_grows_with_them(
    tmp_path: Path, of_line: bool, column: str
) -> None:
    pairs = [(f"p{i % 9}", 1 + i % 4, 5.0 + i % 9) for i in range(72)]
    rows = [
        f"c{i % 7},2024-03-{i % 28 + 1:02},{product},{pieces},{price * (pieces if of_line else 1)}"
        for i, (product, pieces, price) in enumerate(pairs)
    ]
    manifest, *_ = read_lines(tmp_path, ["customer_id,order_date,product_id,quantity,item_price", *rows])
    assert manifest.mapping[column] == "item_price"
    assert manifest.net_revenue == pytest.approx(sum(pieces * price for _, pieces, price in pairs))


@pytest.mark.slow
@pytest.mark.parametrize(("system", "by_price"), [("shopify", True), ("squarespace", True), ("woocommerce", False)])
def test_rows_of_an_order_share_its_amount_by_their_prices_or_evenly(
    tmp_path: Path, system: str, by_price: bool
) -> None:
    made = orders()
    workspace, manifest = read(tmp_path, system, made)
    sold = [one for one in made if one.fate not in (CANCELLED, REFUNDED)]
    assert manifest.rows_kept == sum(len(one.lines) for one in sold)
    wanted: dict[str, float] = defaultdict(float)
    for one in sold:
        for product, pieces in one.lines:
            sku, _, price = PRODUCTS[product]
            wanted[sku] += one.worth * (price * pieces / one.total if by_price else 1 / len(one.lines))
    assert events(workspace).groupby("product_id")["amount"].sum().to_dict() == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize(("prices", "shared"), [((9.9,), False), (tuple(range(5, 30)), True)])
def test_rows_that_cost_the_same_are_those_of_a_shop_with_one_price(
    tmp_path: Path, prices: tuple[float, ...], shared: bool
) -> None:
    lines = ["customer_id,order_date,order_id,product_id,amount"]
    for number in range(60):
        price = prices[number % len(prices)]
        lines += [f"c{number % 9},2024-02-{number % 28 + 1:02},{number},{product},{price}" for product in "AB"]
    manifest, *_ = read_lines(tmp_path, lines)
    total = sum(prices[number % len(prices)] for number in range(60))
    assert manifest.net_revenue == pytest.approx(total if shared else 2 * total)


def test_next_months_export_joins_the_dataset_as_the_first_one_was_read(tmp_path: Path) -> None:
    made = sorted(orders(), key=lambda one: one.time)
    workspace, _ = read(tmp_path, "shopify", made[:150])
    later = tmp_path / "later.csv"
    SYSTEMS["shopify"](later, made[150:])
    append(workspace, "shop", later)
    assert by_customer(workspace) == pytest.approx(truth(made), abs=0.011)


@pytest.mark.parametrize("column", ["status", "refund_amount"])
def test_refunds_in_rows_of_their_own_are_not_taken_off_twice(tmp_path: Path, column: str) -> None:
    sold, back = {"status": ("Completed", "Refunded"), "refund_amount": ("0", "10")}[column]
    rows = [f"c{i % 5},2024-03-{i % 28 + 1:02},10,{back if i < 4 else sold}" for i in range(30)]
    rows += [f"c{i % 5},2024-04-{i % 28 + 1:02},-10,{sold}" for i in range(4)]
    manifest, _, said = read_lines(tmp_path, [f"customer_id,order_date,amount,{column}", *rows])
    assert manifest.net_revenue == pytest.approx(260) and manifest.event_types == {"purchase": 30, "return": 4}
    assert "refunds_apart" in said


@pytest.mark.parametrize("named", [True, False])
def test_rows_below_zero_that_name_nobody_give_nothing_back(tmp_path: Path, named: bool) -> None:
    rows = [f"A{i},c{i % 5},2024-03-{i % 28 + 1:02},10,{'Refunded' if i < 4 else 'Completed'}" for i in range(30)]
    rows += [f"R{i},{f'c{i % 5}' if named else ''},2024-04-{i % 28 + 1:02},-10,Completed" for i in range(4)]
    manifest, *_ = read_lines(tmp_path, ["order_id,customer_id,order_date,amount,status", *rows])
    assert manifest.net_revenue == pytest.approx(260)
    assert ("refunds_apart" in warnings(manifest)) == named


@pytest.mark.parametrize("column", ["currency", "price"])
def test_a_column_that_only_helps_to_read_keeps_no_next_file_out(tmp_path: Path, column: str) -> None:
    workspace, cell = Workspace(tmp_path / "ws"), "EUR" if column == "currency" else 2
    for month, join in enumerate((ingest, lambda where, file, name: append(where, name, file)), 1):
        rows = [f"c{i % 5},2024-0{month}-{i + 1:02},{i + 5},{cell}" for i in range(20)]
        join(workspace, put(tmp_path, [f"customer_id,date,amount,{column}", *rows]), "shop")
    assert open_dataset(workspace, "shop").manifest.rows_kept == 40


def test_words_that_are_no_states_of_orders_take_no_row(tmp_path: Path) -> None:
    states = ["gold", "silver", "cancelled", "new"]
    rows = [f"c{i % 7},2024-03-{i % 28 + 1:02},{10 + i},{states[i % 4]}" for i in range(40)]
    file = put(tmp_path, ["customer_id,order_date,amount,status", *rows])
    assert "--map=order_status=" in asked(file).message()
    manifest, *_ = read_file(file, mapping={"order_status": ""})
    assert manifest.rows_kept == 40 and "status" in manifest.columns


def test_a_view_is_kept_whatever_became_of_the_order(tmp_path: Path) -> None:
    rows = [f"c{i % 5},2024-03-{i % 28 + 1:02},view,,paid" for i in range(20)]
    rows += [f"c{i % 5},2024-03-{i % 28 + 1:02},purchase,10,{'cancelled' if i % 2 else 'paid'}" for i in range(20)]
    rows += ["c1,2024-03-09,view,,cancelled"]
    manifest, *_ = read_lines(tmp_path, ["customer_id,event_time,event_type,amount,order_status", *rows])
    assert manifest.event_types == {"view": 21, "purchase": 10} and set_aside(manifest) == {CANCELLED: 10}


def test_of_two_times_and_two_ids_the_better_one_is_taken_and_said() -> None:
    columns = ("Id", "Email", "Paid at", "Created at", "total")
    rows = [
        {"Id": f"{i}", "Email": f"a{i % 9}@x.org", "Paid at": "2024-01-05", "Created at": "2024-01-04", "total": "9"}
        for i in range(30)
    ]
    chosen, notes = choose(propose(columns, rows, {}), "f.csv")
    assert (chosen["customer_id"], chosen["event_time"]) == ("Email", "Created at")
    said = [note.params for note in notes if note.code == "warning.one_of_several"]
    assert [(params["column"], params["others"]) for params in said] == [("Email", ["Id"]), ("Created at", ["Paid at"])]
    few = [{**row, "Email": f"{row['Id']}@x.org"} for row in rows]
    with pytest.raises(NeedsAnswer, match="customer_id"):
        choose(propose(columns, few, {}), "f.csv")


@pytest.mark.parametrize(("name", "order"), [("#1001", True), ("Ann", False)])
def test_a_name_is_that_of_an_order_where_it_is_a_number(name: str, order: bool) -> None:
    columns = ("customer_id", "date", "amount", "Name")
    rows = [{"customer_id": "c", "date": "2024-01-04", "amount": "9", "Name": name}] * 3
    assert ("order_id" in choose(propose(columns, rows, {}), "f.csv")[0]) == order


HEADS = {
    "ga4": (
        "event_date=20240104|event_timestamp=1704362400000000|event_name=purchase|user_id=|user_pseudo_id=1.2|"
        "event_value_in_usd=9",
        "user_pseudo_id|event_timestamp|event_value_in_usd||",
    ),
    "german": (
        "Bestellnummer=#|Bestelldatum=04.01.2024 18:40|Kundennummer=0071|E-Mail=k@b.de|Menge=2|Einzelpreis=9,50|"
        "Gesamtpreis=19,00|Währung=EUR|Bestellstatus=Versendet",
        "Kundennummer|Bestelldatum|Gesamtpreis|Bestellstatus|",
    ),
    "french": (
        "Numéro commande=#|Date commande=04/01/2024|Numéro client=71|Montant total=19,00|Statut=Expédiée",
        "Numéro client|Date commande|Montant total|Statut|",
    ),
    "olist": (
        "order_id=#|customer_unique_id=c1|order_status=delivered|order_purchase_timestamp=@|payment_value=1",
        "customer_unique_id|order_purchase_timestamp|payment_value|order_status|",
    ),
}


@pytest.mark.parametrize("system", HEADS)
def test_the_columns_of_other_shop_systems_are_found(system: str) -> None:
    cells, wanted = HEADS[system]
    pairs = [cell.split("=") for cell in cells.split("|")]
    rows = [
        {column: {"#": str(1000 + row), "@": "2024-01-04 10:00:00"}.get(value, value) for column, value in pairs}
        for row in range(30)
    ]
    chosen, _ = choose(propose(tuple(column for column, _ in pairs), rows, {}), "f.csv")
    found = [chosen.get(name, "") for name in ("customer_id", "event_time", "amount", "order_status", "refund")]
    assert found == wanted.split("|")


def test_an_id_that_never_repeats_is_asked_about_and_taken_where_the_person_says_so() -> None:
    columns = ("id", "date", "amount")
    rows = [{"id": f"{i}", "date": "2024-01-04", "amount": "9"} for i in range(30)]
    with pytest.raises(NeedsAnswer, match="customer_id"):
        choose(propose(columns, rows, {}), "f.csv")
    assert choose(propose(columns, rows, {"customer_id": "id"}), "f.csv")[0]["customer_id"] == "id"
    assert choose(propose(columns, rows[:5], {}), "f.csv")[0]["customer_id"] == "id"


@pytest.mark.parametrize("guard", ['="{}"', "'{}"])
def test_ids_that_are_guarded_against_spreadsheets_are_kept_without_the_guard(tmp_path: Path, guard: str) -> None:
    rows = [f"{guard.format(f'00{i % 5}')},2024-03-{i % 28 + 1:02},{guard.format(i)},{10 + i}" for i in range(30)]
    _, frame, said = read_lines(tmp_path, ["customer_id,order_date,order_id,amount", *rows])
    assert set(frame["customer_id"]) == {f"00{i}" for i in range(5)} and "guarded" in said
    assert set(frame["order_id"]) == set(map(str, range(30)))


def test_an_apostrophe_before_one_name_only_belongs_to_it(tmp_path: Path) -> None:
    rows = [f"{name},2024-03-{i + 1:02},{10 + i}" for i, name in enumerate(["'t Hooft", "Vos", "Smit", "'t Hooft"])]
    frame = read_lines(tmp_path, ["customer,order_date,amount", *rows])[1]
    assert set(frame["customer_id"]) == {"'t Hooft", "Vos", "Smit"}
