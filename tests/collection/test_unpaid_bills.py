"""What a till's or a subscription's export says of bills: paid, still open, skipped, paid back in a total's column."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.states.meanings import meaning_of
from clv_core.collection.stored.manifest import Manifest
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)


def read(folder: Path, head: str, states: tuple[str, ...]) -> tuple[Manifest, dict[str, int]]:
    """Return the dataset of 90 bills, and what those in each state came to less what was paid back of every fifth."""
    lines, sums = [head], dict.fromkeys(states, 0)
    for at in range(90):
        state, back = states[at % len(states)], 5 if at % 5 == 0 else 0
        lines.append(f"B{at:03},C{at % 13},2024-{at % 9 + 1:02}-{at % 27 + 1:02},{20 + at}.00,{back}.00,{state}")
        sums[state] += 20 + at - back
    file = folder / "bills.csv"
    file.write_text("\n".join(lines) + "\n")
    return ingest(Workspace(folder / "ws"), file, "bills"), sums


@pytest.mark.examples(2)
@pytest.mark.parametrize("refund", ["Refunds Total", "refunded_total", "total_refunds"])
def test_a_bill_that_nobody_paid_yet_is_no_sale_and_what_was_paid_back_is_taken_off(
    tmp_path: Path, refund: str
) -> None:
    head = f"Order ID,Customer ID,Order Date,Order Total,{refund},Order Payment State"
    manifest, sums = read(tmp_path, head, ("Paid", "Paid", "Open"))
    assert manifest.net_revenue == sums["Paid"] and manifest.rows_set_aside == 30


def test_open_is_said_of_a_payment_whatever_the_rest_of_the_name_is(tmp_path: Path) -> None:
    head = "Order ID,Customer ID,Order Date,Order Total,Refunds Total,State of the payment"
    with pytest.raises(NeedsAnswer, match="State of the payment"):
        read(tmp_path, head, ("Paid", "Paid", "Open"))


def test_a_delivery_that_was_skipped_was_never_paid(tmp_path: Path) -> None:
    head = "Order ID,Customer ID,Order Date,Order Total,Refunds Total,status"
    manifest, sums = read(tmp_path, head, ("success", "skipped", "success", "error"))
    assert manifest.net_revenue == sums["success"]


@pytest.mark.parametrize("words", ["Dibatalkan Penjual", "Pesanan dibatalkan oleh pembeli", "Dibatalkan Sistem"])
def test_who_called_an_order_off_does_not_matter(words: str) -> None:
    assert meaning_of(words) == "cancelled"


@pytest.mark.parametrize("words", [("paid", "open"), ("Bezahlt", "Offen")])
def test_open_beside_paid_is_said_of_what_nobody_paid(tmp_path: Path, words: tuple[str, str]) -> None:
    """Mollie's payments: paid, expired, canceled, failed, or open still, in a column that is called status only."""
    lines = ["ID,Date,Customer ID,Amount,Status"]
    lines += [
        f"tr_{at},2024-{at % 9 + 1:02}-11 10:00:00,c{at % 9},{at + 10}.00,{words[at % 7 == 3]}" for at in range(60)
    ]
    file = tmp_path / "payments.csv"
    file.write_text("\n".join(lines) + "\n")
    manifest = ingest(Workspace(tmp_path / "ws"), file, "payments")
    assert manifest.net_revenue == sum(at + 10 for at in range(60) if at % 7 != 3)
