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
