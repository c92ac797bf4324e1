"""Amounts that are written short: a word for thousands or millions stands behind the number."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.values.numbers import NumberReading
from tests.collection.small_logs import day, read, write
from tests.collection.test_values import ask

pytestmark = pytest.mark.first(2)

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
    manifest, _, said = read(file)
    truth = sum((1.5 + at / 10) * factor if at % 2 else at + 10.25 for at in range(90))
    assert manifest.net_revenue == pytest.approx(truth) and manifest.rows_set_aside == 0
    assert said["scaled_amounts"]["column"] == "amount"


def test_a_comma_before_such_a_word_marks_decimals(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD, lambda at: (f"c{at % 9}", day(at), at, f'"{at + 1},5 Tsd."'))
    assert read(file)[0].net_revenue == sum((at + 1.5) * 1000 for at in range(90))


def test_plain_amounts_are_not_spoken_of(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD, lambda at: (f"c{at % 9}", day(at), at, f"${at}.50"))
    assert "scaled_amounts" not in read(file)[2]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("-1.2k", -1200.0), ("(1.2k)", -1200.0), ("1.2k-", -1200.0), ("1,234.5K", 1234500.0), ("2.3k", 2300.0),
        ("12 m", None), ("12 mm", None), ("5 MAD", 5.0), ("k", None), ("1.2kk", None),
    ],
)  # fmt: skip
def test_a_length_a_currency_or_a_mark_is_no_such_word(value: str, wanted: float | None) -> None:
    assert ask(NumberReading().value("x"), [value]) == [wanted]
