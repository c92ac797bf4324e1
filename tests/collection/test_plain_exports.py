"""Plain exports with clocks in microseconds, numbers of events, blank columns, names of their own, or no dates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.errors import NeedsAnswer, Refused
from clv_core.workspace import Workspace
from tests.collection.small_logs import ROWS, day, paid, read, write

pytestmark = pytest.mark.first(2)

ALL = sum(map(paid, range(ROWS)))
BEGIN = datetime(2024, 1, 3, 9, 5, tzinfo=UTC)


def instant(at: int) -> int:
    """Return the microseconds of an order's time."""
    return int((BEGIN + timedelta(hours=7 * at)).timestamp() * 1e6)


def of_items(folder: Path, item: Callable[[int, int], Sequence[object]], head: str) -> Path:
    """Write purchases of two products each, a row a product, in the order of their time."""
    rows = [[instant(at), "purchase", f"p{at % 13}", *item(at, place)] for at in range(ROWS) for place in (0, 1)]
    return write(folder, f"event_timestamp,event_name,user_pseudo_id,{head}", lambda row: rows[row], len(rows))


def test_a_purchase_of_two_products_in_one_microsecond_counts_once(tmp_path: Path) -> None:
    file = of_items(tmp_path, lambda at, place: [paid(at), f"S{place}", 8 + at * place], "event_value,item_id,price")
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(ALL) and "whole_orders_by_time" in said


def test_amounts_of_rows_of_one_microsecond_are_their_own(tmp_path: Path) -> None:
    file = of_items(tmp_path, lambda at, place: [paid(at) + place, f"S{place}"], "event_value,item_id")
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(2 * ALL + ROWS) and "whole_orders_by_time" not in said


@pytest.mark.parametrize("prefix", ["ecommerce_", "ecommerce."])
def test_an_orders_id_and_revenue_are_known_however_the_nested_names_are_flattened(tmp_path: Path, prefix: str) -> None:
    head = f"{prefix}transaction_id,{prefix}purchase_revenue,item_id"
    manifest, events, said = read(of_items(tmp_path, lambda at, place: [f"T{at}", paid(at), f"S{place}"], head))
    assert manifest.net_revenue == pytest.approx(ALL) and events["order_id"].nunique() == ROWS
    assert "whole_orders" in said


def crossed(folder: Path, *, own: bool) -> Path:
    """Write lines of orders joined with their payments, or each with an amount of its own; one product may be twice."""
    rows: list[list[object]] = []
    for at in range(ROWS):
        lines = [("S1", 5), ("S2", 7)][: 1 + at % 2] + [("S1", 5)] * (at % 3)
        parts = [paid(at) * 0.25, paid(at) * 0.75] if at % 4 == 0 else [paid(at)]
        start = [f"A{at}", f"C{at % 13}", day(at)]
        for number, (product, price) in enumerate(lines):
            pairs = [(1, price * 3 + at + number)] if own else list(enumerate(parts, 1))
            rows += [[*start, product, price, *pair] for pair in pairs]
    head = "order_id,customer_id,order_purchase_timestamp,product_id,price,payment_sequential,payment_value"
    return write(folder, head, lambda row: rows[row], len(rows))


def test_payments_joined_with_lines_count_once_where_a_product_is_there_twice(tmp_path: Path) -> None:
    manifest, _, said = read(crossed(tmp_path, own=False), decimal="point")
    assert manifest.net_revenue == pytest.approx(ALL) and {"whole_orders", "order_parts"} <= set(said)


def test_amounts_of_lines_of_their_own_are_added_where_a_product_is_there_twice(tmp_path: Path) -> None:
    file = crossed(tmp_path, own=True)
    amounts = [float(line.rsplit(",", 1)[1]) for line in file.read_text().splitlines()[1:]]
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(sum(amounts)) and "whole_orders" not in said


def test_numbers_of_events_give_way_to_their_names(tmp_path: Path) -> None:
    kinds = [(9, "purchase"), (1, "page_view"), (18, "add_to_cart")]
    head = "visitor_id,server_time,event_type,event_name,revenue"
    file = write(
        tmp_path,
        head,
        lambda at: [f"v{at % 13}", f"{day(at)} 10:00:00", *kinds[at % 3], paid(at) if at % 3 == 0 else ""],
    )
    manifest, events, _ = read(file)
    assert manifest.mapping["event_type"] == "event_name" and set(events["event_type"]) == {"purchase", "view", "cart"}


def test_a_column_of_customers_that_is_blank_throughout_gives_way_to_a_question_that_names_another(
    tmp_path: Path,
) -> None:
    file = write(
        tmp_path,
        "orderNumber,createTime,customerName,customerEmail,paidPrice",
        lambda at: [at, day(at), f"Ann {chr(65 + at % 13)}son", "", paid(at)],
    )
    with pytest.raises(NeedsAnswer, match="customer_id=customerName") as caught:
        read(file)
    assert caught.value.code == "missing_column"
    assert read(file, mapping={"customer_id": "customerName"})[0].net_revenue == ALL


@pytest.mark.examples(2)
@pytest.mark.parametrize("beside", ["user_agent", "Buyer Accepts Marketing", "customer_group"])
def test_a_blank_column_of_customers_is_refused_where_others_only_tell_about_them(tmp_path: Path, beside: str) -> None:
    head = f"orderNumber,createTime,customerEmail,paidPrice,{beside}"
    file = write(tmp_path, head, lambda at: [at, day(at), "", paid(at), "abc"[at % 3]])
    with pytest.raises(Refused) as caught:
        read(file)
    assert caught.value.code == "no_customer_ids"


def test_of_a_trackers_users_the_cookie_counts_where_nobody_signed_in(tmp_path: Path) -> None:
    head = "collector_tstamp,event,user_id,domain_userid,tr_orderid,tr_total"
    file = write(tmp_path, head, lambda at: [day(at), "transaction", "", f"d{at % 13}", f"o{at}", paid(at)])
    manifest, _, _ = read(file)
    assert manifest.customers == 13 and manifest.net_revenue == ALL


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("order_id,user_id,order_dow,order_hour_of_day,total", lambda at: [at, at % 13, 3, 10, paid(at)]),
        ("household_key,DAY,SALES_VALUE,TRANS_TIME", lambda at: [at % 13, at, paid(at), f"{9 + at % 9:02}17"]),
        ("Customer ID,Category,Amount,Season,Size", lambda at: [at % 13, "Coats", paid(at), "Winter", "L"]),
    ],
)  # fmt: skip
def test_a_file_without_any_date_is_told_so(tmp_path: Path, head: str, row: Callable[[int], Sequence[object]]) -> None:
    with pytest.raises(NeedsAnswer) as caught:
        read(write(tmp_path, head, row))
    assert caught.value.code == "no_time_column" and head.split(",")[1] in caught.value.message()


def test_hours_and_minutes_give_way_to_the_date_beside_them(tmp_path: Path) -> None:
    head = "customer_id,date,trans_time,amount"
    file = write(tmp_path, head, lambda at: [at % 13, day(at), f"{9 + at % 9:02}17", paid(at)])
    manifest, events, _ = read(file)
    assert manifest.mapping["event_time"] == "date" and set(events["event_time"].dt.strftime("%Y-%m-%d")) == {
        day(at) for at in range(ROWS)
    }


def test_years_in_a_column_of_times_are_still_asked_about_as_such(tmp_path: Path) -> None:
    file = write(tmp_path, "customer_id,Order placed,amount", lambda at: [at % 13, f"week {at}", paid(at)])
    with pytest.raises(NeedsAnswer) as caught:
        read(file)
    assert caught.value.code == "no_time_column"


@pytest.mark.parametrize("own", [True, False])
def test_a_price_is_judged_by_its_category_where_no_product_is_named(tmp_path: Path, own: bool) -> None:
    prices = {"Shoes": 600.0, "Books": 15.0, "Toys": 35.5, "Food": 5.25, "Tech": 1050.0, "Coats": 300.0}
    names, rows = list(prices), []
    for at in range(240):
        name, pieces = names[at % 6], at % 4 + 1 + (at // 24) % 2
        rows.append((f"I{at}", f"C{at % 17}", name, pieces, prices[name] * (1 if own else pieces), day(at)))
    file = write(tmp_path, "invoice_no,customer_id,category,quantity,price,invoice_date", lambda at: rows[at], 240)
    manifest, _, said = read(file)
    assert manifest.net_revenue == sum(prices[row[2]] * row[3] for row in rows)
    assert ("price_is_unit_price" if own else "price_is_amount") in said


def test_a_category_of_many_prices_tells_nothing_of_them(tmp_path: Path) -> None:
    head = "invoice_no,customer_id,category,quantity,price,invoice_date"
    file = write(tmp_path, head, lambda at: [at, at % 13, f"K{at % 6}", at % 4 + 1, 5 + at * 7 % 31, day(at)], 240)
    with pytest.raises(NeedsAnswer) as caught:
        read(file)
    assert caught.value.code == "price_of_what"


def test_a_dutch_marketplaces_orders_are_read_as_they_come(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    head = "Bestelnummer;Besteldatum;EAN;Aantal;Prijs;Totaal;E-mailadres;Status"
    lines, kept = [head], 0.0
    for at in range(ROWS):
        pieces, price, off = at % 3 + 1, 9 + at % 7, at % 9 == 0
        kept += 0 if off else pieces * price
        total = f"{pieces * price},00"
        state = "Geannuleerd" if off else "Verzonden"
        lines.append(
            f"B{at};{at % 27 + 1:02}-03-2024 10:15;87{at % 5};{pieces};{price},00;{total};k{at % 13}@b.nl;{state}"
        )
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    manifest, events, _ = read(file)
    assert manifest.net_revenue == kept and events["customer_id"].nunique() == 13
    assert events["quantity"].notna().all() and manifest.mapping["unit_price"] == "Prijs"


def test_a_taiwanese_shops_order_has_one_total_in_its_first_row(tmp_path: Path) -> None:
    rows = []
    for at in range(ROWS):
        head = [f"#{at}", day(at), f"cu{at % 13}", "已付款" if at % 6 else "未付款"]
        rows += [[*head, paid(at), "A", 8, 1], [*head, "", "B", 9, 1]]
    names = "訂單號碼,訂單日期,顧客 ID,付款狀態,訂單合計,商品貨號,商品結帳價,數量"
    manifest, _, _ = read(write(tmp_path, names, lambda at: rows[at], len(rows)))
    assert manifest.net_revenue == pytest.approx(sum(paid(at) for at in range(ROWS) if at % 6))


@pytest.mark.parametrize("form", ["%d/%m/%Y - %H:%M:%S", "%Y-%m-%d - %H:%M"])
def test_a_dash_between_a_date_and_its_time_of_day_is_none_of_it(tmp_path: Path, form: str) -> None:
    times = [BEGIN + timedelta(hours=7 * at) for at in range(ROWS)]
    file = write(tmp_path, "customer_id,date_created,amount", lambda at: [at % 13, times[at].strftime(form), paid(at)])
    _, events, _ = read(file)
    assert set(events["event_time"].dt.strftime("%Y-%m-%d %H:%M")) == {f"{time:%Y-%m-%d %H:%M}" for time in times}


def test_tables_to_be_joined_are_told_so_where_one_has_no_dates(tmp_path: Path) -> None:
    first = write(tmp_path / "a", "order_id,user_id,order_dow,total", lambda at: [at, at % 13, 3, paid(at)])
    second = write(tmp_path / "b", "order_id,product_id,reordered", lambda at: [at, at % 7, 1])
    second = second.rename(second.with_name("lines.csv"))
    with pytest.raises(Refused) as caught:
        ingest(Workspace(tmp_path / "ws"), [first, second], "log")
    assert caught.value.code == "files_to_join"
