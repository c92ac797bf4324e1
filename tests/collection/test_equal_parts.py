"""Orders paid in equal parts, joined with their lines: one amount in all rows, which is not that of the order."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.collection.small_logs import day, read

pytestmark = pytest.mark.first(2)

HEAD = ("order_id", "customer_id", "order_date", "product_id", "price", "payment_no", "payment_value")


def joined(folder: Path, *, share: bool, priced: bool) -> tuple[Path, float]:
    """Write 60 orders of one to three products, every fourth with two payments; return the file and what they cost."""
    rows: list[dict[str, object]] = []
    total = 0.0
    for at in range(60):
        prices = [10 + at + 7 * line for line in range(1 + at % 3)]
        parts = 1 + (at % 4 == 0)
        total += sum(prices)
        rows += [
            dict(
                zip(
                    HEAD,
                    (at, f"c{at % 9}", f"{day(at)} 10:00:00", f"p{line}", price, part + 1, sum(prices) / divisor),
                    strict=True,
                )
            )
            for line, price in enumerate(prices)
            for part in range(parts)
            for divisor in (parts if share else 1,)
        ]
    head = [name for name in HEAD if priced or name != "price"]
    with (folder / "log.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, head, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return folder / "log.csv", total


def test_equal_parts_are_added_up_where_prices_prove_them(tmp_path: Path) -> None:
    file, total = joined(tmp_path, share=True, priced=True)
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(total)
    assert said["order_parts"]["part"] == "payment_no" and "equal_parts" not in said


def test_equal_parts_that_nothing_proves_are_spoken_of(tmp_path: Path) -> None:
    file, _ = joined(tmp_path, share=True, priced=False)
    _, _, said = read(file)
    assert (said["equal_parts"]["part"], said["equal_parts"]["orders"]) == ("payment_no", 10)


def test_an_amount_that_is_that_of_the_order_beside_each_payment_counts_once(tmp_path: Path) -> None:
    file, total = joined(tmp_path, share=False, priced=True)
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(total) and not {"equal_parts", "order_parts"} & set(said)
