"""Cells that hold a comma and no quotes: rows are put together again where there is one way to, else refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from clv_core.errors import NeedsAnswer
from tests.collection.small_logs import ROWS, day, paid, read, write

pytestmark = pytest.mark.first(2)

WORTH = sum(map(paid, range(ROWS)))


@pytest.mark.examples(3)
@pytest.mark.parametrize("text", ["Tea, green", "Tea,green", "Tea, green, loose"])
@pytest.mark.parametrize("every", [6, 40])
def test_a_comma_within_a_text_splits_no_row(tmp_path: Path, text: str, every: int) -> None:
    file = write(
        tmp_path,
        "order_id,product,customer_id,order_date,amount",
        lambda at: [f"A{at}", text if at % every == 1 else "Tea", f"C{at % 13}", day(at), paid(at)],
    )
    manifest, events, said = read(file)
    assert manifest.net_revenue == pytest.approx(WORTH) and len(events) == ROWS
    assert set(events["product_id"]) == {"Tea", text}
    assert said["joined_cells"] == {"rows": len(range(1, ROWS, every)), "line": 3, "columns": ["product"]}


def test_a_blank_behind_the_comma_says_which_of_two_texts_it_splits(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "order_id,product,category,customer_id,order_date,amount",
        lambda at: [f"A{at}", "Tea, green" if at % 6 == 1 else "Tea", "Drinks", f"C{at % 13}", day(at), paid(at)],
    )
    _, events, _ = read(file)
    assert set(events["category"]) == {"Drinks"} and len(events) == ROWS


def comma(value: float) -> str:
    """Return a number with a decimal comma, and without decimals where there are none."""
    return f"{value:g}".replace(".", ",")


@pytest.mark.examples(2)
@pytest.mark.parametrize("write_amount", [lambda value: f"{value:.2f}".replace(".", ","), comma])
@pytest.mark.parametrize("head", ["customer_id,order_date,amount", "order_date,amount,customer_id"])
def test_decimal_commas_between_commas_keep_their_cents(
    tmp_path: Path, write_amount: Callable[[float], str], head: str
) -> None:
    def row(at: int) -> Sequence[str]:
        cells = {"customer_id": f"C{at % 13}", "order_date": day(at), "amount": write_amount(paid(at) + at % 2 / 2)}
        return [cells[name] for name in head.split(",")]

    manifest, events, _ = read(write(tmp_path, head, row))
    assert manifest.net_revenue == pytest.approx(WORTH + ROWS // 2 / 2) and len(events) == ROWS


def test_two_amounts_with_decimal_commas_are_both_put_together(tmp_path: Path) -> None:
    head = "customer_id,order_date,unit_price,quantity,discount"
    file = write(tmp_path, head, lambda at: [f"C{at % 13}", day(at), f"{at + 20},50", at % 3 + 1, f"{at % 4},25"])
    worth = sum((at + 20.5) * (at % 3 + 1) - at % 4 - 0.25 for at in range(ROWS))
    assert read(file)[0].net_revenue == pytest.approx(worth)


def test_rows_that_can_be_put_together_in_two_ways_are_asked_about(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "order_id,product,category,customer_id,order_date,amount",
        lambda at: [f"A{at}", "Tea,green" if at % 6 == 1 else "Tea", "Drinks", f"C{at % 13}", day(at), paid(at)],
    )
    with pytest.raises(NeedsAnswer, match="(?s)15 of 90 rows .* line 3.*--broken-rows reject") as caught:
        read(file)
    rest = sum(paid(at) for at in range(ROWS) if at % 6 != 1)
    assert [one["net_revenue"] for one in caught.value.params["readings"]] == [rest]
    assert read(file, broken_rows="reject")[0].net_revenue == rest


def test_a_last_column_without_a_name_is_no_part_of_an_amount(tmp_path: Path) -> None:
    file = write(tmp_path, "customer_id,order_date,amount", lambda at: [f"C{at % 13}", day(at), at + 20, at % 30 + 100])
    assert read(file)[0].net_revenue == sum(at + 20 for at in range(ROWS))
