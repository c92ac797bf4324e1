"""What an order came to, repeated on each of its lines, is counted once, whatever the order's column is called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import Manifest
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(6)

FIRST = datetime(2024, 1, 2, 9, 30)
PRODUCTS = (("tee", 19.9), ("mug", 8.5), ("cap", 14.25), ("pen", 3.0))


def sold(number: int) -> list[tuple[str, int, float]]:
    """Return the lines of an order: product, pieces, unit price; two or three of them, all different."""
    chosen = [PRODUCTS[(number + step) % len(PRODUCTS)] for step in range(2 + number % 2)]
    return [(product, 1 + (number + at) % 3, price) for at, (product, price) in enumerate(chosen)]


def worth(number: int) -> float:
    """Return what an order came to, with shipping."""
    return round(sum(pieces * price for _, pieces, price in sold(number)) + 4.9 + number % 11 / 10, 2)


def rows(orders: int, *, day: bool = False) -> list[list[str]]:
    """Return order, customer, time, product, pieces, price, total of each line."""
    found = []
    for number in range(orders):
        time = FIRST + timedelta(hours=7 * number)
        shown = f"{time:%Y-%m-%d}" if day else f"{time:%Y-%m-%d %H:%M:%S}"
        for product, pieces, price in sold(number):
            line = [f"S{1000 + number}", f"c{number % 9}", shown, product, str(pieces), str(price), str(worth(number))]
            found.append(line)
    return found


def read(folder: Path, head: str, lines: Sequence[Sequence[str]], **options: object) -> Manifest:
    file = folder / "log.csv"
    file.write_text("\n".join([head, *(",".join(line) for line in lines)]) + "\n", encoding="utf-8")
    return ingest(Workspace(folder / "ws"), file, "log", **options)  # type: ignore[arg-type]


def codes(manifest: Manifest) -> set[str]:
    return {str(warning["code"]).removeprefix("warning.") for warning in manifest.warnings}


def without(lines: Sequence[Sequence[str]], *columns: int) -> list[list[str]]:
    return [[cell for at, cell in enumerate(line) if at not in columns] for line in lines]


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    "order", ["increment_id", "Order Reference", "order_ref", "Reference", "注文番号", "número do pedido"]
)
def test_an_order_is_known_by_many_names(tmp_path: Path, order: str) -> None:
    found = read(tmp_path, f"{order},customer_id,order_date,sku,quantity,unit_price,order_total", rows(30))
    assert found.mapping["order_id"] == order and "whole_orders" in codes(found)
    assert found.net_revenue == pytest.approx(sum(map(worth, range(30))))


def test_a_reference_that_is_the_same_word_everywhere_is_no_order(tmp_path: Path) -> None:
    lines = [["PROMO", *line[1:]] for line in rows(30)]
    found = read(tmp_path, "reference,customer_id,order_date,sku,quantity,unit_price,line_amount", lines)
    assert "order_id" not in found.mapping


@pytest.mark.examples(3)
@pytest.mark.parametrize("orders", [2, 17, 60])
def test_few_orders_are_enough_where_the_lines_own_prices_add_up_to_them(tmp_path: Path, orders: int) -> None:
    found = read(tmp_path, "order_id,customer_id,order_date,sku,quantity,unit_price,order_total", rows(orders))
    assert found.net_revenue == pytest.approx(sum(map(worth, range(orders))))


def test_no_column_of_products_is_needed(tmp_path: Path) -> None:
    head = "order_id,customer_id,order_date,quantity,unit_price,order_total"
    found = read(tmp_path, head, without(rows(30), 3))
    assert found.net_revenue == pytest.approx(sum(map(worth, range(30))))


def test_without_an_order_its_lines_are_those_of_one_customer_at_one_instant(tmp_path: Path) -> None:
    head = "customer_id,order_date,sku,quantity,unit_price,order_total"
    found = read(tmp_path, head, without(rows(30), 0))
    assert found.net_revenue == pytest.approx(sum(map(worth, range(30)))) and "whole_orders_by_time" in codes(found)


def test_with_days_only_it_is_asked_which_column_the_order_is(tmp_path: Path) -> None:
    lines = [[f"{line[0]}-{line[3]}", *line[1:]] for line in rows(60, day=True)]
    head = "picking_slip,customer_id,order_date,sku,quantity,unit_price,order_total"
    with pytest.raises(NeedsAnswer, match="--map order_id=COLUMN") as caught:
        read(tmp_path, head, lines)
    assert caught.value.code == "order_unnamed" and "picking_slip" in caught.value.message("zh")
    summed = sum(len(sold(number)) * worth(number) for number in range(60))
    assert read(tmp_path, head, lines, mapping={"order_id": ""}).net_revenue == pytest.approx(summed)


def test_where_too_little_tells_it_is_asked_and_the_person_is_believed(tmp_path: Path) -> None:
    """Four orders of several products, each with one amount: of the order, or four times the same price by chance."""
    lines = without(rows(4), 4, 5)
    head = "order_id,customer_id,order_date,sku,order_total"
    with pytest.raises(NeedsAnswer, match="--map order_id=") as caught:
        read(tmp_path, head, lines)
    assert caught.value.code == "amount_of_what"
    total = sum(map(worth, range(4)))
    assert read(tmp_path, head, lines, mapping={"order_id": "order_id"}).net_revenue == pytest.approx(total)
    summed = sum(len(sold(number)) * worth(number) for number in range(4))
    assert read(tmp_path, head, lines, mapping={"order_id": ""}).net_revenue == pytest.approx(summed)


@pytest.mark.parametrize("time", ["order_date", "nothing"])
def test_amounts_of_lines_stay_those_of_lines(tmp_path: Path, time: str) -> None:
    """Each line's own amount is its pieces times its price; nothing is shared and nothing is asked."""
    lines = [[*line[:6], str(round(int(line[4]) * float(line[5]), 2))] for line in rows(60)]
    wanted = sum(float(line[6]) for line in lines)
    head = "order_id,customer_id,order_date,sku,quantity,unit_price,amount"
    keep, named = ((), head) if time == "order_date" else ((0,), head.partition(",")[2])
    found = read(tmp_path, named, without(lines, *keep))
    assert found.net_revenue == pytest.approx(wanted) and not {"whole_orders", "whole_orders_by_time"} & codes(found)


def test_pieces_of_one_price_in_rows_of_their_own_are_not_one_order(tmp_path: Path) -> None:
    """Tickets: two rows of an order cost the same, because they are two of one thing."""
    lines = [[f"T{number}", f"c{number % 9}", f"2024-02-{number % 28 + 1:02}", "20"] for number in range(40)]
    found = read(tmp_path, "order_id,customer_id,order_date,amount", [line for line in lines for _ in range(2)])
    assert found.rows_duplicate == 40 and found.net_revenue == 800
    named = [[*line, str(seat)] for line in lines for seat in range(2)]
    assert read(tmp_path, "order_id,customer_id,order_date,amount,seat", named).net_revenue == 1600


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
            for line in rows(number + 1):
                if line[0] == f"S{1000 + number}":
                    lines.append([*line[:6], str(value), *([str(at)] if part else [])])
    head = "order_id,customer_id,order_date,product_id,quantity,price,payment_value"
    found = read(tmp_path, head + (f",{part}" if part else ""), lines)
    assert found.net_revenue == pytest.approx(total) and ("order_parts" in codes(found)) == bool(part)


def test_orders_whose_amounts_differ_are_counted(tmp_path: Path) -> None:
    lines = rows(40)
    lines[0][6] = "1.5"
    found = read(tmp_path, "order_id,customer_id,order_date,sku,quantity,unit_price,order_total", lines)
    said = {str(warning["code"]): warning["params"] for warning in found.warnings}
    assert said["warning.orders_unlike"]["orders"] == 1
    assert found.net_revenue == pytest.approx(sum(map(worth, range(1, 40))) + 1.5 + worth(0))
