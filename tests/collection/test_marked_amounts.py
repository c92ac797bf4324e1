"""Marks behind an amount: of a footnote, and of the side of an account that it is on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clv_core.errors import Refused
from tests.collection.small_logs import ROWS, day, paid, read, write

pytestmark = pytest.mark.first(2)

HEAD = "order_id,customer_id,order_date,amount"


def log(folder: Path, amount: Callable[[int], str]) -> Path:
    return write(folder, HEAD, lambda at: [f"A{at}", f"C{at % 13}", day(at), amount(at)])


@pytest.mark.examples(2)
@pytest.mark.parametrize("mark", ["*", " *", "**", "†", "¹", " ²"])
def test_marks_of_footnotes_are_no_part_of_an_amount(tmp_path: Path, mark: str) -> None:
    manifest, events, _ = read(log(tmp_path, lambda at: f"{paid(at):.2f}{mark if at % 9 == 0 else ''}"))
    assert len(events) == ROWS and manifest.net_revenue == pytest.approx(sum(map(paid, range(ROWS))))


@pytest.mark.examples(2)
@pytest.mark.parametrize(("sale", "back"), [("", " CR"), (" DR", " CR"), (" CR", " DR"), ("", "DR"), (" Dr.", " Cr.")])
def test_amounts_on_the_other_side_than_most_are_taken_off(tmp_path: Path, sale: str, back: str) -> None:
    manifest, events, said = read(log(tmp_path, lambda at: f"{paid(at):.2f}{back if at % 9 == 0 else sale}"))
    worth = sum(-paid(at) if at % 9 == 0 else paid(at) for at in range(ROWS))
    assert len(events) == ROWS and manifest.net_revenue == pytest.approx(worth)
    assert said["amount_sides"] == {"column": "amount", "mark": back.strip(" .").upper(), "rows": 10}


@pytest.mark.parametrize("marks", [(" CR", " DR"), (" CR", " CR")])
def test_amounts_of_which_either_side_could_be_the_sales_are_refused(tmp_path: Path, marks: tuple[str, str]) -> None:
    with pytest.raises(Refused, match="CR") as caught:
        read(log(tmp_path, lambda at: f"{paid(at):.2f}{marks[at % 2]}"))
    assert caught.value.code == "amount_sides"


def test_pieces_may_have_a_cross_behind_them(tmp_path: Path) -> None:
    head = "order_id,customer_id,order_date,quantity,unit_price"
    file = write(tmp_path, head, lambda at: [f"A{at}", f"C{at % 13}", day(at), f"{at % 3 + 1} x", paid(at)])
    assert read(file)[0].net_revenue == pytest.approx(sum((at % 3 + 1) * paid(at) for at in range(ROWS)))
