"""A subtotal beside a total, and an amount without taxes beside one with them: one counts, and the other is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collection.small_logs import day, paid, read, write

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
