"""Amounts with the signs, codes and words of the world's currencies are read, and say what they are in."""

from __future__ import annotations

import duckdb
import pytest
from babel.numbers import list_currencies

from clv_core.collection.mapping.columns.proposed import NUMBER
from clv_core.collection.values.currency import in_name
from clv_core.collection.values.numbers import NumberReading, currencies
from clv_core.collection.words.currency_marks import CODES, MARKS, meant

pytestmark = pytest.mark.first(2)

WRITTEN = [
    ("12.50EUR", 12.5, "EUR"), ("12,50 Euro", 12.5, "EUR"), ("EUR12.50", 12.5, "EUR"), ("12.50 dollars", 12.5, "USD"),
    ("10.00 MAD", 10.0, "MAD"), ("12.50 DH", 12.5, "MAD"), ("Dhs. 12.50", 12.5, "AED"), ("RM12.50", 12.5, "MYR"),
    ("RM 1,234.50", 1234.5, "MYR"), ("R1 234.50", 1234.5, "ZAR"), ("R 99,90", 99.9, "ZAR"), ("S/ 12.50", 12.5, "PEN"),
    ("S/.12.50", 12.5, "PEN"), ("Bs. 12", 12.0, "BOB"), ("Gs. 12000", 12000.0, "PYG"), ("Q12.50", 12.5, "GTQ"),
    ("KSh 12.50", 12.5, "KES"), ("₦12.50", 12.5, "NGN"), ("GH₵ 12.50", 12.5, "GHS"), ("12,50 lei", 12.5, "RON"),
    ("12000 F CFA", 12000.0, "XOF"), ("12000 сум", 12000.0, "UZS"), ("12000 тг", 12000.0, "KZT"),
    ("12 р.", 12.0, "RUB"),
    ("12.50₾", 12.5, "GEL"), ("RD$12.50", 12.5, "DOP"), ("U$S 12.50", 12.5, "USD"), ("COP$ 12.50", 12.5, "COP"),
    ("12000đ", 12000.0, "VND"), ("12000 VNĐ", 12000.0, "VND"), ("12 บาท", 12.0, "THB"), ("Rs.12.50", 12.5, "INR"),
    ("12元整", 12.0, "CNY"), ("99.90 kr", 99.9, "SEK"), ("(12.50 GEL)", -12.5, "GEL"), ("-RM12.50", -12.5, "MYR"),
]  # fmt: skip


def ask(expression: str, cell: str) -> object:
    found = duckdb.execute(f"SELECT {expression} FROM (SELECT ?::VARCHAR AS x)", [cell]).fetchone()
    assert found is not None
    return found[0]


@pytest.mark.examples(9)
@pytest.mark.parametrize(("cell", "amount", "code"), WRITTEN)
def test_an_amount_says_what_it_is_in(cell: str, amount: float, code: str) -> None:
    assert ask(NumberReading("comma" if "," in cell and "." not in cell else "point").value("x"), cell) == amount
    assert meant(str(ask(currencies("x"), cell)))[0] == code
    assert NUMBER.fullmatch(cell), "it is not taken for text"


def test_every_code_is_a_currency_and_every_mark_means_some() -> None:
    known = set(list_currencies()) | {"RMB", "RUR", "ZWG"}
    assert known >= CODES
    assert all(set(codes) <= CODES for codes in MARKS.values())


@pytest.mark.parametrize("cell", ["RM1001", "SR20240117", "R100123", "Q1", "DA-17", "12 bananas", "usd"])
def test_an_id_or_a_word_is_no_amount(cell: str) -> None:
    assert not NUMBER.fullmatch(cell)


@pytest.mark.parametrize("cell", ["country 12", "12 eurostars", "trypan 3", "bamboo 12.50", "12 lakhs of"])
def test_a_code_within_a_word_is_none(cell: str) -> None:
    assert ask(NumberReading().value("x"), cell) is None


@pytest.mark.parametrize("name", ["Weight (KM)", "Volume (L)", "Height (FT)", "Amount (Q)"])
def test_a_unit_behind_a_name_is_no_currency(name: str) -> None:
    assert in_name(name) == ""


def test_a_currency_behind_a_name_is_one() -> None:
    assert [in_name(name) for name in ("Total (RM)", "Total (MAD)", "Total (元)")] == ["RM", "MAD", "元"]
