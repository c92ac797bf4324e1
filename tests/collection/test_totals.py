"""An order that is told in several rows, totals and prices is worth what was paid for it, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.store.version_store import Manifest
from tests.collection.shop_exports import PRODUCTS, Order, orders
from tests.collection.small_logs import asked, day, paid, put, read, read_lines, warnings, write

pytestmark = pytest.mark.first(18)

FIRST = datetime(2024, 1, 2, 9, 30)

GOODS = (("tee", 19.9), ("mug", 8.5), ("cap", 14.25), ("pen", 3.0))


def sold(number: int) -> list[tuple[str, int, float]]:
    """Return the lines of an order: product, pieces, unit price; two or three of them, all different."""
    chosen = [GOODS[(number + step) % len(GOODS)] for step in range(2 + number % 2)]
    return [(product, 1 + (number + at) % 3, price) for at, (product, price) in enumerate(chosen)]


def worth(number: int) -> float:
    """Return what an order came to, with shipping."""
    return round(sum(pieces * price for _, pieces, price in sold(number)) + 4.9 + number % 11 / 10, 2)


def order_rows(orders: int, *, day: bool = False) -> list[list[str]]:
    """Return order, customer, time, product, pieces, price, total of each line."""
    found = []
    for number in range(orders):
        time = FIRST + timedelta(hours=7 * number)
        shown = f"{time:%Y-%m-%d}" if day else f"{time:%Y-%m-%d %H:%M:%S}"
        for product, pieces, price in sold(number):
            line = [f"S{1000 + number}", f"c{number % 9}", shown, product, str(pieces), str(price), str(worth(number))]
            found.append(line)
    return found


def read_orders(folder: Path, head: str, lines: Sequence[Sequence[str]], **options: object) -> Manifest:
    return read_lines(folder, [head, *map(",".join, lines)], **options)[0]


def without(lines: Sequence[Sequence[str]], *columns: int) -> list[list[str]]:
    return [[cell for at, cell in enumerate(line) if at not in columns] for line in lines]


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    "order", ["increment_id", "Order Reference", "order_ref", "Reference", "注文番号", "número do pedido"]
)
def test_an_order_is_known_by_many_names(tmp_path: Path, order: str) -> None:
    found = read_orders(tmp_path, f"{order},customer_id,order_date,sku,quantity,unit_price,order_total", order_rows(30))
    assert found.mapping["order_id"] == order and "whole_orders" in warnings(found)
    assert found.net_revenue == pytest.approx(sum(map(worth, range(30))))


def test_a_reference_that_is_the_same_word_everywhere_is_no_order(tmp_path: Path) -> None:
    lines = [["PROMO", *line[1:]] for line in order_rows(30)]
    found = read_orders(tmp_path, "reference,customer_id,order_date,sku,quantity,unit_price,line_amount", lines)
    assert "order_id" not in found.mapping


@pytest.mark.examples(3)
@pytest.mark.parametrize("orders", [2, 17, 60])
def test_few_orders_are_enough_where_the_lines_own_prices_add_up_to_them(tmp_path: Path, orders: int) -> None:
    head = "order_id,customer_id,order_date,sku,quantity,unit_price,order_total"
    found = read_orders(tmp_path, head, order_rows(orders))
    assert found.net_revenue == pytest.approx(sum(map(worth, range(orders))))


def test_no_column_of_products_is_needed(tmp_path: Path) -> None:
    head = "order_id,customer_id,order_date,quantity,unit_price,order_total"
    found = read_orders(tmp_path, head, without(order_rows(30), 3))
    assert found.net_revenue == pytest.approx(sum(map(worth, range(30))))


def test_without_an_order_its_lines_are_those_of_one_customer_at_one_instant(tmp_path: Path) -> None:
    head = "customer_id,order_date,sku,quantity,unit_price,order_total"
    found = read_orders(tmp_path, head, without(order_rows(30), 0))
    assert found.net_revenue == pytest.approx(sum(map(worth, range(30)))) and "whole_orders_by_time" in warnings(found)


def test_with_days_only_it_is_asked_which_column_the_order_is(tmp_path: Path) -> None:
    lines = [[f"{line[0]}-{line[3]}", *line[1:]] for line in order_rows(60, day=True)]
    head = "picking_slip,customer_id,order_date,sku,quantity,unit_price,order_total"
    question = asked(put(tmp_path, [head, *map(",".join, lines)]))
    assert question.code == "order_unnamed" and "picking_slip" in question.message("zh")
    assert "--map order_id=COLUMN" in question.message()
    summed = sum(len(sold(number)) * worth(number) for number in range(60))
    assert read_orders(tmp_path, head, lines, mapping={"order_id": ""}).net_revenue == pytest.approx(summed)


HEAD = "customer_id,order_date,order_id"


def totals(folder: Path, first: str, second: str, more: float = 4.9) -> Path:
    """Write orders with two amounts, of which the second holds more in every other row."""
    return write(
        folder,
        f"{HEAD},{first},{second}",
        lambda at: (f"c{at % 9}", day(at), at, f"{paid(at):.2f}", f"{paid(at) + more * (at % 2):.2f}"),
    )


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("first", "second", "read_first"),
    [
        ("Subtotal", "Total", True), ("Subtotal", "Total Paid", True), ("小計", "合計", True),
        ("Zwischensumme", "Gesamtsumme", False), ("Total excl. VAT", "Total incl. VAT", False),
        ("total_paid_tax_excl", "total_paid_tax_incl", False), ("Total HT", "Total TTC", False),
        ("Betrag exkl. MwSt.", "Betrag inkl. MwSt.", False),
    ],
)  # fmt: skip
def test_the_other_of_two_totals_is_named_where_they_differ(
    tmp_path: Path, first: str, second: str, read_first: bool
) -> None:
    file, less = totals(tmp_path, first, second), sum(paid(at) for at in range(90))
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(less if read_first else less + 45 * 4.9)
    told, other = said["other_total"], second if read_first else first
    assert (told["column"], told["other"], told["rows"]) == (manifest.mapping["amount"], other, 45)
    assert sorted((told["sum"], told["other_sum"])) == pytest.approx([less, less + 45 * 4.9])


def test_the_person_may_say_that_the_other_counts(tmp_path: Path) -> None:
    manifest, _, said = read(totals(tmp_path, "Subtotal", "Total"), mapping={"amount": "Total"})
    assert manifest.net_revenue == pytest.approx(sum(paid(at) for at in range(90)) + 45 * 4.9)
    assert "other_total" not in said


def test_totals_that_are_alike_are_not_spoken_of(tmp_path: Path) -> None:
    assert "other_total" not in read(totals(tmp_path, "Subtotal", "Total", more=0))[2]


def invoices(folder: Path, tax: float, *, changes: bool = False) -> Path:
    """Write 60 invoices of two lines with the invoice's total on both; with ``changes`` it is not the same."""
    rows = []
    for at in range(120):
        bill = at // 2
        total = (1 + tax) * (paid(bill * 2) + paid(bill * 2 + 1)) + (at % 2) * changes
        rows.append((f"c{bill % 9}", day(bill), f"INV{bill}", f"{paid(at):.2f}", f"{total:.2f}"))
    return write(folder, f"{HEAD},LineAmount,Total", lambda at: rows[at], 120)


def test_an_orders_total_on_all_its_lines_is_named_where_it_is_not_their_sum(tmp_path: Path) -> None:
    lines = sum(round(paid(at), 2) for at in range(120))
    manifest, _, said = read(invoices(tmp_path, 0.2))
    assert manifest.net_revenue == pytest.approx(lines)
    told = said["other_order_total"]
    assert (told["column"], told["other"], told["orders"]) == ("LineAmount", "Total", 60)
    assert (told["sum"], told["other_sum"]) == pytest.approx((lines, 1.2 * lines), abs=1)
    manifest, _, said = read(invoices(tmp_path, 0.2), mapping={"amount": "Total", "order_id": "order_id"})
    assert manifest.net_revenue == pytest.approx(1.2 * lines, abs=1) and "other_order_total" not in said


def test_an_orders_total_that_is_the_sum_of_its_lines_or_no_total_is_not_spoken_of(tmp_path: Path) -> None:
    assert "other_order_total" not in read(invoices(tmp_path, 0.0))[2]
    assert "other_order_total" not in read(invoices(tmp_path, 0.2, changes=True))[2]


@pytest.mark.parametrize("begins", [0, 140])
def test_rows_of_totals_that_an_export_has_from_a_day_on_do_not_count(tmp_path: Path, begins: int) -> None:
    rows, lines = [], 0.0
    for bill in range(200):
        amounts = [paid(bill), paid(bill) * 1.31 + 3, 4.99]
        lines += sum(round(amount, 2) for amount in amounts)
        amounts += [sum(amounts)] if bill >= begins else []
        when = f"2024-{bill // 25 + 1:02}-{bill % 25 + 1:02}"
        rows += [(f"c{bill % 9}", when, f"INV{bill}", f"{amount:.2f}") for amount in amounts]
    manifest, _, said = read(write(tmp_path, f"{HEAD},amount", lambda at: rows[at], len(rows)))
    assert manifest.net_revenue == pytest.approx(lines, abs=1)
    assert said["repeated_amount"]["rows"] == 200 - begins


JOINED = ("order_id", "customer_id", "order_date", "product_id", "price", "payment_no", "payment_value")


def joined(folder: Path) -> tuple[Path, float]:
    """Write 60 orders of one to three products beside each of their payments; return the file and what they cost."""
    rows: list[str] = []
    total = 0.0
    for at in range(60):
        prices = [10 + at + 7 * line for line in range(1 + at % 3)]
        total += sum(prices)
        for line, price in enumerate(prices):
            start = f"{at},c{at % 9},{day(at)} 10:00:00,p{line},{price}"
            rows += [f"{start},{part + 1},{sum(prices)}" for part in range(1 + (at % 4 == 0))]
    return put(folder, [",".join(JOINED), *rows]), total


Lines = list[tuple[int, int]]


def export_rows(made: list[Order], *, again: int | None = None) -> list[dict[str, object]]:
    """Return one row a product, each with what its whole order came to; product ``again`` was rung up in two rows."""
    rows: list[dict[str, object]] = []
    for one in made:
        told: Lines = [*one.lines, *(line for line in one.lines if line[0] == again)]
        total = round(sum(PRODUCTS[product][2] * pieces for product, pieces in told), 2)
        for product, pieces in told:
            about = {"Order Number": one.number + 50, "Order Date": f"{one.time}", "Email": one.customer}
            sku, name, price = PRODUCTS[product]
            item = {"SKU": sku, "Item Name": name, "Quantity": pieces, "Item Cost": price}
            rows.append({**about, "Order Total Amount": total, **item})
    return rows


def read_rows(folder: Path, rows: list[dict[str, object]]) -> tuple[Manifest, pd.DataFrame]:
    pd.DataFrame(rows).to_csv(folder / "export.csv", index=False)
    return read(folder / "export.csv")[:2]


def test_an_export_whose_rows_all_stand_there_twice_is_worth_what_it_says(tmp_path: Path) -> None:
    made = orders()
    manifest, events = read_rows(tmp_path, export_rows(made) * 2)
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in made), abs=0.01)
    assert manifest.rows_duplicate == len(events) == sum(len(one.lines) for one in made)
    wanted = pd.Series({f"{one.number + 50}": one.total for one in made})
    assert events.groupby("order_id")["amount"].sum().to_dict() == pytest.approx(wanted.to_dict(), abs=0.01)


@pytest.mark.examples(2)
@pytest.mark.parametrize("again", range(len(PRODUCTS)))
def test_a_product_that_was_rung_up_in_two_rows_takes_nothing_off_its_order(tmp_path: Path, again: int) -> None:
    made = orders()
    rows = export_rows(made, again=again)
    manifest, _ = read_rows(tmp_path, rows)
    totals = {row["Order Number"]: float(str(row["Order Total Amount"])) for row in rows}
    assert manifest.net_revenue == pytest.approx(sum(totals.values()), abs=0.01)


PRICES = (49.0, 12.5, 35.2, 8.9, 79.9)

COUNT = 120


def piece(at: int) -> tuple[int, float, float]:
    """Return pieces, the price asked for one, and the one that was paid, lower in every fourth row."""
    price = PRICES[at % 5]
    return at % 3 + 1, price, round(price * 0.9, 2) if at % 4 == 0 else price


def priced(folder: Path, head: str, cells: list[Sequence[object]]) -> Path:
    start = "order_id,customer_id,order_date,sku"
    return write(
        folder, f"{start},{head}", lambda at: [f"A{at}", f"C{at % 13}", day(at), f"S{at % 5}", *cells[at]], COUNT
    )


MADE = [piece(at) for at in range(COUNT)]

WORTH = sum(pieces * paid for pieces, _, paid in MADE)


@pytest.mark.parametrize("name", ["Paid Price", "price_paid"])
def test_a_price_paid_that_does_not_grow_with_the_pieces_is_that_of_one(tmp_path: Path, name: str) -> None:
    file = priced(tmp_path, f"quantity,unit_price,{name}", [(pieces, price, paid) for pieces, price, paid in MADE])
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(WORTH) and said["price_is_unit_price"]["column"] == name
    manifest, _, _ = read(file, mapping={"amount": name})
    assert manifest.net_revenue == pytest.approx(sum(paid for *_, paid in MADE))


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", ["Paid Price", "price_paid", "Total Price"])
def test_a_price_paid_that_grows_with_the_pieces_is_that_of_the_line(tmp_path: Path, name: str) -> None:
    rows = [(pieces, price, round(pieces * paid, 2)) for pieces, price, paid in MADE]
    manifest, _, said = read(priced(tmp_path, f"quantity,unit_price,{name}", rows))
    assert manifest.net_revenue == pytest.approx(WORTH) and "price_is_unit_price" not in said


def test_where_too_little_tells_it_is_asked_and_the_person_is_believed(tmp_path: Path) -> None:
    """Four orders of several products, each with one amount: of the order, or four times the same price by chance."""
    lines = without(order_rows(4), 4, 5)
    head = "order_id,customer_id,order_date,sku,order_total"
    question = asked(put(tmp_path, [head, *map(",".join, lines)]))
    assert question.code == "amount_of_what" and "--amount-scope order" in question.message()
    total = sum(map(worth, range(4)))
    summed = sum(len(sold(number)) * worth(number) for number in range(4))
    for said, wanted in (("order", total), ("line", summed)):
        assert read_orders(tmp_path, head, lines, amount_scope=said).net_revenue == pytest.approx(wanted)


@pytest.mark.parametrize("time", ["order_date", "nothing"])
def test_amounts_of_lines_stay_those_of_lines(tmp_path: Path, time: str) -> None:
    """Each line's own amount is its pieces times its price; nothing is shared and nothing is asked."""
    lines = [[*line[:6], str(round(int(line[4]) * float(line[5]), 2))] for line in order_rows(60)]
    wanted = sum(float(line[6]) for line in lines)
    head = "order_id,customer_id,order_date,sku,quantity,unit_price,amount"
    keep, named = ((), head) if time == "order_date" else ((0,), head.partition(",")[2])
    found = read_orders(tmp_path, named, without(lines, *keep))
    assert found.net_revenue == pytest.approx(wanted)
    assert not {"whole_orders", "whole_orders_by_time"} & warnings(found).keys()


def test_pieces_of_one_price_in_rows_of_their_own_are_not_one_order(tmp_path: Path) -> None:
    """Tickets: two rows of an order cost the same, as two of one thing, or as it was exported twice."""
    lines = [[f"T{number}", f"c{number % 9}", f"2024-02-{number % 28 + 1:02}", "20"] for number in range(40)]
    twice, head = [line for line in lines for _ in range(2)], "order_id,customer_id,order_date,amount"
    for answer, revenue in (("drop", 800), ("keep", 1600)):
        assert read_orders(tmp_path, head, twice, duplicates=answer).net_revenue == revenue
    named = [[*line, str(seat)] for line in lines for seat in range(2)]
    assert read_orders(tmp_path, "order_id,customer_id,order_date,amount,seat", named).net_revenue == 1600


@pytest.mark.parametrize("part", ["payment_sequential", ""])
def test_an_order_that_was_paid_in_parts_is_worth_their_sum(tmp_path: Path, part: str) -> None:
    """Lines joined with payments: of 40 orders every fourth was paid half by voucher, and one more in equal halves."""
    lines, total = [], 0.0
    for number in range(40):
        paid = [worth(number)]
        if number % 4 == 0:
            paid = [5.0, round(worth(number) - 5, 2)]
        elif number == 1 and part:
            paid = [round(worth(number) / 2, 2)] * 2
        total += sum(paid)
        for at, value in enumerate(paid, 1):
            for line in order_rows(number + 1):
                if line[0] == f"S{1000 + number}":
                    lines.append([*line[:6], str(value), *([str(at)] if part else [])])
    head = "order_id,customer_id,order_date,product_id,quantity,price,payment_value"
    found = read_orders(tmp_path, head + (f",{part}" if part else ""), lines)
    assert found.net_revenue == pytest.approx(total) and ("order_parts" in warnings(found)) == bool(part)


def test_orders_whose_amounts_differ_are_counted(tmp_path: Path) -> None:
    lines = order_rows(40)
    lines[0][6] = "1.5"
    found = read_orders(tmp_path, "order_id,customer_id,order_date,sku,quantity,unit_price,order_total", lines)
    assert warnings(found)["orders_unlike"]["orders"] == 1
    assert found.net_revenue == pytest.approx(sum(map(worth, range(1, 40))) + 1.5 + worth(0))


def test_an_amount_that_is_that_of_the_order_beside_each_payment_counts_once(tmp_path: Path) -> None:
    file, total = joined(tmp_path)
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(total) and "order_parts" not in said


def test_a_row_with_an_amount_of_its_own_counts_once(tmp_path: Path) -> None:
    """An order whose amounts differ is none that shares one; a row without an order has nothing to share."""
    made = orders()
    rows = export_rows(made)
    odd = [{**row, "Order Number": 9999, "Order Total Amount": 10 + at} for at, row in enumerate(rows[:3])]
    alone = [{**row, "Order Number": ""} for row in rows[5:7]]
    manifest, _ = read_rows(tmp_path, [*rows, *odd, *odd[:1], *alone, *alone])
    own = sum(float(str(row["Order Total Amount"])) for row in [*odd, *alone])
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in made) + own, abs=0.01)


def test_equal_rows_of_a_receipt_are_kept_where_its_total_counts_them(tmp_path: Path) -> None:
    """A till writes a row for each of two of the same."""
    rows, made = [], orders()
    for one in made:
        about = {"Receipt No": f"R{one.number}", "Customer ID": one.customer, "Date": f"{one.time}"}
        for sku, _, price in (PRODUCTS[product] for product, pieces in one.lines for _ in range(pieces)):
            rows.append({**about, "Item": sku, "Qty": 1, "Line Total": price, "Receipt Total": one.total})
    manifest, _ = read_rows(tmp_path, rows)
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in made)) and manifest.rows_duplicate == 0
    told = [one.params["column"] for one in manifest.warnings if one.code.endswith("of_totals")]
    assert told == ["Receipt Total"]


def test_a_till_s_file_that_was_written_twice_counts_once(tmp_path: Path) -> None:
    made = orders()
    rows = export_rows(made)
    for row in rows:
        row["Line Total"] = float(str(row.pop("Item Cost"))) * int(str(row.pop("Quantity")))
    manifest, _ = read_rows(tmp_path, rows * 2)
    assert manifest.net_revenue == pytest.approx(sum(one.total for one in made), abs=0.01)


def test_one_of_two_for_free_is_still_what_the_line_came_to(tmp_path: Path) -> None:
    rows = [(pieces, price, round(price * (pieces + 1) // 2, 2)) for pieces, price, _ in MADE]
    manifest, _, _ = read(priced(tmp_path, "quantity,unit_price,Total Price", rows))
    assert manifest.net_revenue == pytest.approx(sum(row[2] for row in rows))


def test_money_that_is_quantity_times_price_in_most_rows_and_less_in_some_is_spoken_of(tmp_path: Path) -> None:
    name = "Faturalandırılacak Satış Fiyatı"
    rows = [(pieces, price, round(pieces * paid, 2)) for pieces, price, paid in MADE]
    file = priced(tmp_path, f"Adet,Birim Fiyat,{name}", rows)
    question, full = asked(file), pytest.approx(sum(pieces * price for pieces, price, _ in MADE))
    assert (question.code, question.params["column"], question.params["rows"]) == ("lower_amount", name, COUNT // 4)
    sums = [one["net_revenue"] for one in question.params["readings"]]
    assert (
        sums == [full, pytest.approx(WORTH)]
        and read(file, mapping={"unit_price": "Birim Fiyat"})[0].net_revenue == full
    )
    manifest, _, said = read(file, mapping={"amount": name})
    assert manifest.net_revenue == pytest.approx(WORTH) and "lower_amount" not in said


@pytest.mark.examples(2)
@pytest.mark.parametrize("share", [0.6, 1 / 1.2, 1.0, 1.1])
def test_costs_taxes_and_totals_of_the_same_are_no_lower_amounts(tmp_path: Path, share: float) -> None:
    rows = [(pieces, price, round(pieces * price * share, 2)) for pieces, price, _ in MADE]
    _, _, said = read(priced(tmp_path, "quantity,unit_price,sum_of_money", rows))
    assert not {"lower_amount", "lower_price"} & set(said)


def test_a_price_of_one_piece_after_discount_is_spoken_of_as_one(tmp_path: Path) -> None:
    file = priced(tmp_path, "quantity,unit_price,net_price", MADE)
    question = asked(file)
    assert (question.code, question.params["column"]) == ("lower_price", "net_price")
    assert question.params["rows"] == COUNT // 4
    manifest, *_ = read(file, mapping={"unit_price": "unit_price"})
    assert manifest.net_revenue == pytest.approx(sum(pieces * price for pieces, price, _ in MADE))
    manifest, _, said = read(file, mapping={"unit_price": "net_price"})
    assert manifest.net_revenue == pytest.approx(WORTH) and "lower_price" not in said


def test_a_total_in_whole_numbers_is_found_by_the_sum_that_leads_to_it(tmp_path: Path) -> None:
    rows = [(2, 1500, 3000 + at, 100 if at % 4 == 0 else 0, 500) for at in range(COUNT)]
    cells = [(*row, row[2] - row[3] + row[4]) for row in rows]
    manifest, _, said = read(priced(tmp_path, "個数,価格,小計,値引き,送料,合計", cells))
    assert manifest.net_revenue == sum(cell[-1] for cell in cells) and said["amount_with_postage"]["other"] == "合計"


@pytest.mark.parametrize("decimal", [".", ","])
def test_decimal_commas_show_as_well_as_points_what_a_price_is_of(tmp_path: Path, decimal: str) -> None:
    rows = [f"K{at % 13};{day(at)};A{at % 5};{PRICES[at % 5]:.2f};{at % 3 + 1}" for at in range(COUNT)]
    head = "Kunde;Datum;Artikel;Preis;Menge"
    manifest, _, said = read_lines(tmp_path, [head, *(row.replace(".", decimal) for row in rows)])
    assert manifest.net_revenue == pytest.approx(sum(PRICES[at % 5] * (at % 3 + 1) for at in range(COUNT)))
    assert said["price_is_unit_price"] == {"column": "Preis"}
