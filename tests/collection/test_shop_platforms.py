"""Exports of platforms, services and trackers, each beside what it comes to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.inspect import inspect_file
from clv_core.collection.rows.read_settings import read_settings_of
from clv_core.errors import Refused
from clv_core.workspace import Workspace
from tests.collection.small_logs import ROWS, asked, day, paid, put, read, read_lines, refused, write

pytestmark = pytest.mark.first(6)

OPENED = datetime(2024, 1, 2, 9, 30)


def moment(at: int) -> str:
    return f"{OPENED + timedelta(hours=31 * at):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize("filler", ["", "0.00"])
def test_etsy_says_what_is_left_of_an_order(tmp_path: Path, filler: str) -> None:
    head = "Sale Date,Order ID,Buyer User ID,Order Value,Discount Amount,Shipping,Order Total,Currency,Status"
    lines, net = [head + ",Card Processing Fees,Order Net,Adjusted Order Total"], 0.0
    for at in range(90):
        value = at * 31 % 70 + 12
        total = value + 4.5
        left = total - 3 if at % 9 == 0 else 0.0 if at % 9 == 1 and not filler else None
        start = f"{OPENED + timedelta(days=at):%m/%d/%y},{3_000_000 + at},b{at % 20},{value},0.00,4.50,{total}"
        lines.append(f"{start},USD,,1.13,{total - 1.13:.2f},{filler if left is None else f'{left:.2f}'}")
        net += total if left is None else left
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == net and manifest.rows_kept == 90
    assert manifest.mapping["amount"] == "Adjusted Order Total | Order Total"
    former = {"amount": "Order Total", "refund": "Order Total - Adjusted Order Total"}
    settings = read_settings_of(replace(manifest, mapping={**manifest.mapping, **former}))
    assert settings.mapping == manifest.mapping


def test_vend_tells_a_receipt_by_one_row_and_its_lines_by_others(tmp_path: Path) -> None:
    head = "Date,Receipt Number,Customer Code,Status,Register,Line Type,Quantity,Subtotal,Sales Tax,Discount,Total,Sku"
    lines, net = [head], Decimal(0)
    for at in range(70):
        paid = [(-1 if at % 11 == 5 else 1) * Decimal(at * 17 % 40 + 5 + piece) for piece in range(at % 3 + 1)]
        state = "CLOSED" if at % 13 != 7 else "VOIDED"
        parts = [("Sale", sum(paid), ""), *(("Sale Line", one, f"sku{abs(one)}") for one in paid)]
        for kind, money, sku in [*parts, ("Payment", sum(paid), "")]:
            sums = f"{money},{money / 10},0.00,{money * 11 / 10},{sku}"
            lines.append(f"{moment(at)},{1_000 + at},c{at % 15},{state},Main,{kind},1,{sums}")
        net += sum(paid) if state == "CLOSED" else 0
    manifest, events, warned = read_lines(tmp_path, lines)
    assert manifest.net_revenue == float(net) and "order_totals" not in warned
    assert (events["event_type"].isin(["purchase", "return"])).sum() == sum(at % 13 != 7 for at in range(70))


def german(amount: float) -> str:
    """Write an amount as an invoicing system does: 1.234,50, the minus behind it."""
    digits = f"{abs(amount):,.2f}".translate(str.maketrans(",.", ".,"))
    return f"{digits}-" if amount < 0 else digits


def test_invoices_of_a_german_system_with_the_minus_behind(tmp_path: Path) -> None:
    lines = ["Verkaufsbeleg;Pos.;Auftraggeber;Fakturadatum;Material;Fakturierte Menge;ME;Nettowert;Währg"]
    sums = [(1_000.5 + at * 7) * (-1 if at % 9 == 4 else 1) for at in range(80)]
    for at, amount in enumerate(sums):
        day, pieces = f"{at % 28 + 1:02}.0{at % 9 + 1}.2024", "1,000-" if amount < 0 else "1,000"
        lines.append(f"{9000 + at};10;{100200 + at % 17:010};{day};M{at % 4};{pieces};ST;{german(amount)};EUR")
    manifest, *_ = read(put(tmp_path, lines, encoding="cp1252"))
    assert manifest.net_revenue == pytest.approx(sum(sums)) and manifest.currency == "EUR"
    assert manifest.customers == 17 and manifest.rows_set_aside == 0


def test_a_trackers_transactions_with_their_items_in_rows_of_their_own(tmp_path: Path) -> None:
    head = "event,user_id,etl_tstamp,derived_tstamp,collector_tstamp,tr_orderid,tr_total,ti_orderid,ti_price"
    lines, sold = [head], 0
    for at in range(90):
        start = f"u{at % 13},2024-05-01 00:00:00,2024-0{at % 4 + 1}-{at % 28 + 1:02} 10:00:00,2024-05-01 00:00:00"
        if at % 3:
            lines.append(f"page_view,{start},,,,")
            continue
        sold += 20 + at
        lines += [f"transaction,{start},T{at},{20 + at},,"]
        lines += [f"transaction_item,{start},,,T{at},{price}" for price in (5, 15 + at)]
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == sold and manifest.first_event.startswith("2024-01-01")
    assert manifest.event_types == {"purchase": 30, "view": 60, "transaction_item": 60}


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


def test_eventbrite_says_in_a_column_what_was_refunded(tmp_path: Path) -> None:
    head = "Order #,Order Date,Email,Quantity,Ticket Type,Currency,Total Paid,Fees Paid,Attendee Status,Refunded"
    lines, net = [head], 0
    for at in range(80):
        paid = at * 13 % 50 + 10
        back = paid if at % 12 == 0 else 5 if at % 15 == 1 else 0
        start = f"{900 + at},{moment(at)}-05:00,p{at % 25}@x.org,1,General,USD"
        lines.append(f"{start},{paid}.00,1.00,Attending,{back}.00")
        net += paid - back
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == net and manifest.mapping["refund"] == "Refunded"


@pytest.mark.parametrize("values", [["0", "1", "2"], ["no", "yes", "no"], ["", "", ""]])
def test_a_column_called_refunded_that_holds_no_money_is_no_refund(tmp_path: Path, values: list[str]) -> None:
    lines = [f"c{at % 9},2024-03-{at % 27 + 1:02},{at + 1}.25,{values[at % 3]}" for at in range(60)]
    file = put(tmp_path, ["customer_id,date,amount,refunded", *lines])
    meanings = {item.column: item.canonical for item in inspect_file(file).columns}
    assert meanings["refunded"] in (None, "order_status")


@pytest.mark.parametrize("refunds", [True, False])
def test_segment_tells_a_refund_by_its_total_alone(tmp_path: Path, refunds: bool) -> None:
    names = ("order_id", "revenue", "subtotal", "total", "discount", "currency")
    lines, revenue, total = ["event,user_id,timestamp," + ",".join(f"properties.{name}" for name in names)], 0, 0
    for at in range(80):
        paid, who = at * 13 % 50 + 10, f"u{at % 20},{moment(at).replace(' ', 'T')}Z"
        lines += [f"Product Viewed,{who},,,,,,", f"Order Completed,{who},o{at},{paid},{paid + 2},{paid + 6},2,USD"]
        revenue, total = revenue + paid, total + paid + 6
        if refunds and at % 14 == 0:
            lines.append(f"Order Refunded,{who},o{at},,,{paid + 6},,USD")
            total -= paid + 6
    manifest, _, warned = read_lines(tmp_path, lines)
    assert manifest.net_revenue == (total if refunds else revenue)
    assert ("amount_of_returns" in warned) == refunds


def test_gumroad_says_whether_and_how_much_was_refunded(tmp_path: Path) -> None:
    head = "Purchase ID,Purchase Email,Purchase Date,Subtotal ($),Quantity,Refunded?,Partial Refund?,Refunded ($)"
    lines, net = [head], 0
    for at in range(80):
        paid = at * 13 % 50 + 10
        back = paid if at % 13 == 0 else 2 if at % 17 == 3 else 0
        flags = f"{back == paid},{back == 2}".lower()
        lines.append(f"{at},g{at % 25}@x.org,{OPENED + timedelta(days=at):%Y-%m-%d},{paid}.00,1,{flags},{back}.00")
        net += paid - back
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == net and manifest.mapping["refund"] == "Refunded ($)"


def test_clover_tells_of_payments_that_failed_in_a_column_of_results(tmp_path: Path) -> None:
    lines, net = ["Payment Date,Payment ID,Customer ID,Amount,Refund Amount,Result"], 0
    for at in range(80):
        paid, back, fine = at * 13 % 50 + 10, int(at % 13 == 2), at % 9 > 0
        when = f"{OPENED + timedelta(hours=29 * at):%d-%b-%Y %I:%M %p} EST"
        lines.append(f"{when},p{at},c{at % 20},${paid}.00,${back}.00,{'SUCCESS' if fine else 'FAIL'}")
        net += (paid - back) * fine
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == net and manifest.rows_set_aside == sum(at % 9 == 0 for at in range(80))


def test_revenue_that_an_app_reports_is_a_purchase(tmp_path: Path) -> None:
    records, sold = [], 0.0
    for at in range(60):
        money = {"$price": 2.5 + at, "$quantity": 2, "$revenue": 2 * (2.5 + at)} if at % 2 else {}
        sold += money.get("$revenue", 0)
        when = f"2024-0{at % 4 + 1}-{at % 28 + 1:02} 10:00:00.000000"
        kind = "revenue_amount" if money else "view item"
        records.append({"user_id": f"u{at % 9}", "event_time": when, "event_type": kind, "event_properties": money})
    manifest, *_ = read(put(tmp_path, map(json.dumps, records), "events.json"))
    assert manifest.net_revenue == sold and manifest.event_types == {"purchase": 30, "view": 30}


def test_points_beside_what_a_member_spent_are_no_money(tmp_path: Path) -> None:
    lines = ["Member No,Transaction Date,Receipt No,Points Earned,Points Redeemed,Points Balance,Spend"]
    for at in range(60):
        lines.append(f"M{at % 11},{at % 28 + 1:02}/0{at % 4 + 1}/2024 10:00,R{at},{at},0,{500 + at},{at}.75")
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == sum(at + 0.75 for at in range(60)) and manifest.customers == 11


def test_items_of_a_customers_account_in_sap(tmp_path: Path) -> None:
    """Invoices (RV), credit notes (DG) and payments (DZ), the latter two with the minus behind."""
    lines, net = ["Customer;Document Number;Document Type;Posting Date;Amount in local currency;Local Currency"], 0.0
    for at in range(80):
        day, amount = f"{at % 28 + 1:02}.0{at % 9 + 1}.2024", 1_000.5 + at * 7
        who = f"{100200 + at % 17}"
        lines.append(f"{who};18{at:05};RV;{day};{german(amount)};EUR")
        lines.append(f"{who};14{at:05};DZ;{day};{german(-amount)};EUR")
        net += amount
        if at % 9 == 4:
            lines.append(f"{who};19{at:05};DG;{day};{german(-50)};EUR")
            net -= 50
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == pytest.approx(net) and manifest.customers == 17


def test_an_audit_trail_of_sage(tmp_path: Path) -> None:
    lines, net = ["No,Type,Date,Account Ref,Nominal A/C,Ref,Details,Net Amount,Tax Amount,T/C,Gross Amount"], 0.0
    for at in range(80):
        day, who = f"{at % 28 + 1:02}/0{at % 9 + 1}/2024", f"AC{at % 17:03}"
        lines.append(f"{3 * at},SI,{day},{who},4000,{at},Goods,{100 + at}.00,20.00,T1,{120 + at}.00")
        lines.append(f"{3 * at + 1},SR,{day},{who},1200,{at},Sales Receipt,{120 + at}.00,0.00,T9,{120 + at}.00")
        net += 100 + at
        if at % 9 == 4:
            lines.append(f"{3 * at + 2},SC,{day},{who},4000,{at},Back,7.50,1.50,T1,9.00")
            net -= 7.5
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == pytest.approx(net) and manifest.customers == 17


def test_stripes_balance_by_its_items(tmp_path: Path) -> None:
    """Charges and refunds have signs; payouts to the shop name no customer."""
    head = "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,customer_id"
    lines, net = [head], 0.0
    for at in range(80):
        day, gross = f"2024-0{at % 9 + 1}-{at % 28 + 1:02}", -5.25 if at % 9 == 4 else 20.5 + at
        kind = "refund" if gross < 0 else "charge"
        lines.append(f"txn_{at},{day} 10:00:00,{day} 00:00:00,eur,{gross},0.5,{gross - 0.5},{kind},cus_{at % 17}")
        net += gross
        if at % 20 == 7:
            lines.append(f"txn_p{at},{day} 10:00:00,{day} 00:00:00,eur,-900,0,-900,payout,")
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == pytest.approx(net) and manifest.currency == "EUR" and manifest.customers == 17


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

    def row(at: int) -> list[object]:
        return [f"v{at % 13}", f"{day(at)} 10:00:00", *kinds[at % 3], paid(at) if at % 3 == 0 else ""]

    file = write(tmp_path, head, row)
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
    question = asked(file)
    assert question.code == "missing_column" and "customer_id=customerName" in question.message()
    assert read(file, mapping={"customer_id": "customerName"})[0].net_revenue == ALL


@pytest.mark.examples(2)
@pytest.mark.parametrize("beside", ["user_agent", "Buyer Accepts Marketing", "customer_group"])
def test_a_blank_column_of_customers_is_refused_where_others_only_tell_about_them(tmp_path: Path, beside: str) -> None:
    head = f"orderNumber,createTime,customerEmail,paidPrice,{beside}"
    file = write(tmp_path, head, lambda at: [at, day(at), "", paid(at), "abc"[at % 3]])
    assert refused(file).code == "no_customer_ids"


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
    question = asked(write(tmp_path, head, row))
    assert question.code == "no_time_column" and head.split(",")[1] in question.message()


def test_hours_and_minutes_give_way_to_the_date_beside_them(tmp_path: Path) -> None:
    head = "customer_id,date,trans_time,amount"
    file = write(tmp_path, head, lambda at: [at % 13, day(at), f"{9 + at % 9:02}17", paid(at)])
    manifest, events, _ = read(file)
    assert manifest.mapping["event_time"] == "date" and set(events["event_time"].dt.strftime("%Y-%m-%d")) == {
        day(at) for at in range(ROWS)
    }


def test_years_in_a_column_of_times_are_still_asked_about_as_such(tmp_path: Path) -> None:
    file = write(tmp_path, "customer_id,Order placed,amount", lambda at: [at % 13, f"week {at}", paid(at)])
    assert asked(file).code == "no_time_column"


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
    assert asked(file).code == "price_of_what"


def test_a_dutch_marketplaces_orders_are_read_as_they_come(tmp_path: Path) -> None:
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
    manifest, events, _ = read_lines(tmp_path, lines)
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
