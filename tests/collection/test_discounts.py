"""What a column of discounts beside prices is told to be: money, or shares of the price."""

from __future__ import annotations

import pytest

from clv_core.collection.answers import Answers
from clv_core.collection.infer.money.discounts import MONEY, PERCENT, discount_kind

FIVES = [5 * step for step in range(1, 10)]


@pytest.mark.parametrize(
    ("given", "kind", "doubt"),
    [
        ([0.05, 1.0], "percent", ""),  # all of a price, at most
        ([0.05, 1.01], "amount", ""),
        ([5, 10] * 5, "amount", "maybe_percent"),
        ([5, 10] * 4 + [5], "amount", ""),  # nine
        ([10] * 12, "amount", ""),  # one value
        (FIVES[:8] * 2, "amount", "maybe_percent"),
        (FIVES[:9] * 2, "amount", ""),  # nine values
        ([5, 95] * 5, "amount", "maybe_percent"),
        ([5, 100] * 5, "amount", ""),  # nobody gives all away
        ([5, 12] * 5, "amount", ""),
    ],
)
def test_how_discounts_are_told_to_be_shares(given: list[float], kind: str, doubt: str) -> None:
    rows = [{"price": "20", "discount": f"{one:g}"} for one in given]
    chosen = {"unit_price": "price", "discount": "discount"}
    found, _, said = discount_kind(rows, chosen, max(given), Answers())
    assert found == {"percent": PERCENT, "amount": MONEY}[kind]
    assert [one.code for one in said if "maybe" in one.code] == ([f"warning.{doubt}"] if doubt else [])
