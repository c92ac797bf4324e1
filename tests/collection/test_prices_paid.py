"""Prices that were paid beside prices that were asked: of one piece, or of the line after discounts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.collection.small_logs import day, read, write

pytestmark = pytest.mark.first(2)

PRICES = (49.0, 12.5, 35.2, 8.9, 79.9)
COUNT = 120


def piece(at: int) -> tuple[int, float, float]:
    """Return pieces, the price asked for one, and the one that was paid, lower in every fourth row."""
    price = PRICES[at % 5]
    return at % 3 + 1, price, round(price * 0.9, 2) if at % 4 == 0 else price


def lines(folder: Path, head: str, cells: list[Sequence[object]]) -> Path:
    start = "order_id,customer_id,order_date,sku"
    return write(
        folder, f"{start},{head}", lambda at: [f"A{at}", f"C{at % 13}", day(at), f"S{at % 5}", *cells[at]], COUNT
    )


MADE = [piece(at) for at in range(COUNT)]
WORTH = sum(pieces * paid for pieces, _, paid in MADE)


@pytest.mark.parametrize("name", ["Paid Price", "price_paid"])
def test_a_price_paid_that_does_not_grow_with_the_pieces_is_that_of_one(tmp_path: Path, name: str) -> None:
    file = lines(tmp_path, f"quantity,unit_price,{name}", [(pieces, price, paid) for pieces, price, paid in MADE])
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(WORTH) and said["price_is_unit_price"]["column"] == name
    manifest, _, _ = read(file, mapping={"amount": name})
    assert manifest.net_revenue == pytest.approx(sum(paid for *_, paid in MADE))


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", ["Paid Price", "price_paid", "Total Price"])
def test_a_price_paid_that_grows_with_the_pieces_is_that_of_the_line(tmp_path: Path, name: str) -> None:
    rows = [(pieces, price, round(pieces * paid, 2)) for pieces, price, paid in MADE]
    manifest, _, said = read(lines(tmp_path, f"quantity,unit_price,{name}", rows))
    assert manifest.net_revenue == pytest.approx(WORTH) and "price_is_unit_price" not in said


def test_one_of_two_for_free_is_still_what_the_line_came_to(tmp_path: Path) -> None:
    rows = [(pieces, price, round(price * (pieces + 1) // 2, 2)) for pieces, price, _ in MADE]
    manifest, _, _ = read(lines(tmp_path, "quantity,unit_price,Total Price", rows))
    assert manifest.net_revenue == pytest.approx(sum(row[2] for row in rows))


def test_money_that_is_quantity_times_price_in_most_rows_and_less_in_some_is_spoken_of(tmp_path: Path) -> None:
    name = "Faturalandırılacak Satış Fiyatı"
    rows = [(pieces, price, round(pieces * paid, 2)) for pieces, price, paid in MADE]
    file = lines(tmp_path, f"Adet,Birim Fiyat,{name}", rows)
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(sum(pieces * price for pieces, price, _ in MADE))
    assert (said["lower_amount"]["column"], said["lower_amount"]["rows"]) == (name, COUNT // 4)
    manifest, _, said = read(file, mapping={"amount": name})
    assert manifest.net_revenue == pytest.approx(WORTH) and "lower_amount" not in said


@pytest.mark.examples(2)
@pytest.mark.parametrize("share", [0.6, 1 / 1.2, 1.0, 1.1])
def test_costs_taxes_and_totals_of_the_same_are_no_lower_amounts(tmp_path: Path, share: float) -> None:
    rows = [(pieces, price, round(pieces * price * share, 2)) for pieces, price, _ in MADE]
    _, _, said = read(lines(tmp_path, "quantity,unit_price,sum_of_money", rows))
    assert not {"lower_amount", "lower_price"} & set(said)


def test_a_price_of_one_piece_after_discount_is_spoken_of_as_one(tmp_path: Path) -> None:
    file = lines(tmp_path, "quantity,unit_price,net_price", MADE)
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(sum(pieces * price for pieces, price, _ in MADE))
    assert "lower_amount" not in said
    assert (said["lower_price"]["column"], said["lower_price"]["rows"]) == ("net_price", COUNT // 4)
    manifest, _, said = read(file, mapping={"unit_price": "net_price"})
    assert manifest.net_revenue == pytest.approx(WORTH) and "lower_price" not in said


def test_a_total_in_whole_numbers_is_found_by_the_sum_that_leads_to_it(tmp_path: Path) -> None:
    rows = [(2, 1500, 3000 + at, 100 if at % 4 == 0 else 0, 500) for at in range(COUNT)]
    cells = [(*row, row[2] - row[3] + row[4]) for row in rows]
    manifest, _, said = read(lines(tmp_path, "個数,価格,小計,値引き,送料,合計", cells))
    assert manifest.net_revenue == sum(cell[-1] for cell in cells) and said["amount_with_postage"]["other"] == "合計"


@pytest.mark.parametrize("decimal", [".", ","])
def test_decimal_commas_show_as_well_as_points_what_a_price_is_of(tmp_path: Path, decimal: str) -> None:
    rows = [
        f"K{at % 13};2024-{at % 9 + 1:02}-{at % 27 + 1:02};A{at % 5};{PRICES[at % 5]:.2f};{at % 3 + 1}"
        for at in range(COUNT)
    ]
    text = "\n".join(["Kunde;Datum;Artikel;Preis;Menge", *(row.replace(".", decimal) for row in rows)])
    (tmp_path / "log.csv").write_text(text + "\n")
    manifest, _, said = read(tmp_path / "log.csv")
    assert manifest.net_revenue == pytest.approx(sum(PRICES[at % 5] * (at % 3 + 1) for at in range(COUNT)))
    assert said["price_is_unit_price"] == {"column": "Preis"}
